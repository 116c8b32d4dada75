"""Renewing a token while it still lives, for networks that renew none past its end."""

from datetime import datetime, timedelta

from db.models.account import Account
from db.queries import accounts
from platforms.base import Adapter
from tools.accounts.grants import keep_grant
from tools.context import Doors
from tools.publishing.job import open_credentials

# Long enough for a week of daily tries.
_AHEAD = timedelta(days=7)


def is_to_be_renewed(account: Account, adapter: Adapter, now: datetime) -> bool:
    """Whether a token lives, ends soon, and could not be renewed once it has ended."""
    ends = account.token_expires_at
    return ends is not None and now < ends <= now + _AHEAD and not adapter.manifest.renews_dead_tokens


async def renew(doors: Doors, account: Account, adapter: Adapter) -> None:
    """Ask the network for a new token and keep it, unless somebody gave the account another meanwhile.

    ``account`` has its tokens, and afterwards the end of the new one. Raises ``platforms.errors``.
    """
    grant = await adapter.refresh(open_credentials(doors, account))
    async with doors.database.session(account.workspace_id) as session:
        kept = await accounts.get(session, account.id, with_tokens=True, lock=True)
        if kept is None or kept.status != "connected" or kept.access_token != account.access_token:
            return
        keep_grant(doors.vault, kept, grant)
    account.token_expires_at = grant.expires_at
