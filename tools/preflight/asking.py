"""What only the world can tell before a post is due: the network's word on the account, and our own links."""

import asyncio
from datetime import datetime

from core.errors import StudioError
from db.models.account import Account
from platforms.base import Adapter
from platforms.errors import OutcomeUnknown, PlatformError, TokenExpired, Transient
from tools.context import Doors
from tools.installation.doctor import link_trouble
from tools.preflight.account_rules import fetched
from tools.preflight.obstacle import AccountWeek
from tools.preflight.renewal import is_to_be_renewed, renew
from tools.public_media import public_link
from tools.publishing.job import open_credentials
from tools.publishing.ledger import storable

_HOLDS = 60.0  # seconds


async def ask_network(doors: Doors, account: Account, adapter: Adapter, now: datetime) -> dict[str, object]:
    """What the network says against the account's token ("network"), and why it was not renewed ("renewal").

    One call: a token that ends soon is renewed, which proves that it works; else the network is asked whose it is, as
    it is where it was not renewed. A network that does not answer now has said nothing.
    """
    try:
        if not is_to_be_renewed(account, adapter, now):
            return await _whose(doors, account, adapter)
        await renew(doors, account, adapter)
    except (Transient, OutcomeUnknown):
        return {}
    except PlatformError as error:
        return {**await _whose(doors, account, adapter), "renewal": storable(error.message)}
    except StudioError as error:
        return {"network": {"code": error.code, "message": error.message, "action": error.action}}
    return {}


async def _whose(doors: Doors, account: Account, adapter: Adapter) -> dict[str, object]:
    """Ask whose token it is; one that has run out and can be renewed without a person is no trouble."""
    try:
        await adapter.identify(open_credentials(doors, account))
    except (Transient, OutcomeUnknown):
        return {}
    except TokenExpired as error:
        is_renewed_later = adapter.manifest.renews_dead_tokens and account.refresh_token is not None
        return {} if is_renewed_later else {"network": _said(error)}
    except PlatformError as error:
        return {"network": _said(error)}
    return {}


def _said(error: PlatformError) -> dict[str, object]:
    return {"code": error.code, "message": storable(error.message), "action": None}


class Links:
    """Whether signed links of ours work: one address for all accounts, so that an answer holds for a minute."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._tried_at = -_HOLDS
        self._trouble: str | None = None

    async def trouble(self, week: AccountWeek) -> str | None:
        """Why a link to a planned medium does not work, None when it does or none is needed."""
        assert week.adapter is not None
        for planned in fetched(week, week.adapter, week.inside()):
            assets = [row.asset for row in planned.media if row.asset.sha256 not in week.missing]
            if assets:
                return await self._try(public_link(self._doors.vault, self._doors.settings.public_base, assets[0]))
        return None

    async def _try(self, link: str) -> str | None:
        now = asyncio.get_running_loop().time()
        if now - self._tried_at >= _HOLDS:
            self._trouble = await link_trouble(link)
            self._tried_at = now
        return self._trouble
