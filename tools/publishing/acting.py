"""Acting for an account outside of the publishing engine: its token, refreshed once where it has run out."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from core.errors import Conflict, StudioError, Unavailable
from db.queries import accounts
from platforms.base import Adapter, Credentials
from platforms.errors import OutcomeUnknown, PlatformError, ReconnectNeeded, TokenExpired, Transient
from tools.accounts.grants import keep_grant
from tools.context import Doors
from tools.publishing.job import open_credentials
from tools.publishing.tokens import patiently

AnswerT = TypeVar("AnswerT")


async def acting_for(
    doors: Doors, workspace_id: UUID, account_id: UUID, deed: Callable[[Adapter, Credentials], Awaitable[AnswerT]]
) -> AnswerT:
    """Do something with an account's token; no transaction is open meanwhile. Raises ``platforms.errors``.

    A token that has run out is refreshed and kept, then the deed is done once more: it has to bear a repeat.
    Raises ``ReconnectNeeded`` for an account that nobody can act for.
    """
    async with doors.database.session(workspace_id) as session:
        account = await accounts.get(session, account_id, with_tokens=True)
        assert account is not None
        adapter = doors.adapters.get(account.platform)
        if account.status != "connected" or adapter is None:
            raise ReconnectNeeded(f"@{account.handle} is not connected ({account.status}).")
        credentials, sealed = open_credentials(doors, account), account.access_token
    try:
        return await deed(adapter, credentials)
    except TokenExpired:
        fresh = await _refreshed(doors, workspace_id, account_id, adapter, credentials, sealed)
    return await deed(adapter, fresh)


async def _refreshed(
    doors: Doors, workspace_id: UUID, account_id: UUID, adapter: Adapter, credentials: Credentials, sealed: bytes
) -> Credentials:
    async def given() -> Credentials | None:
        async with doors.database.session(workspace_id) as session:
            account = await accounts.get(session, account_id, with_tokens=True)
            is_new = account is not None and account.status == "connected" and account.access_token != sealed
            return open_credentials(doors, account) if account is not None and is_new else None

    try:
        grant = await adapter.refresh(credentials)
    except ReconnectNeeded:
        found = await patiently(given)
        if found is None:
            raise
        return found
    async with doors.database.session(workspace_id) as session:
        account = await accounts.get(session, account_id, with_tokens=True, lock=True)
        assert account is not None
        if account.status == "disconnected":
            raise ReconnectNeeded(f"@{account.handle} was disconnected meanwhile.")
        if account.access_token != sealed:
            return open_credentials(doors, account)  # given by somebody else meanwhile: theirs is kept
        keep_grant(doors.vault, account, grant)
    return replace(
        credentials,
        access_token=grant.access_token,
        refresh_token=grant.refresh_token or credentials.refresh_token,
    )


def refused_by_network(error: PlatformError, title: str, *, doing: str) -> StudioError:
    """What a person is told of a network's answer; ``doing`` completes "… did not": "take it down"."""
    if isinstance(error, Transient | OutcomeUnknown):
        return Unavailable(
            f"{title} did not {doing} yet: {error.message}",
            code="platform_unavailable",
            action="Try again in a minute: a repeat is safe.",
            retry_after=error.retry_after,
        )
    if isinstance(error, TokenExpired | ReconnectNeeded):
        return Conflict(
            f"{title} did not {doing}: {error.message}",
            code="reconnect_needed",
            action="Connect the account again first, then repeat this.",
        )
    return Conflict(f"{title} did not {doing}: {error.message}", code=error.code, action=error.action)
