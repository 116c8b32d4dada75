"""Refreshing an account's token: asked of the network once, kept in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from db.queries import accounts, publishing
from platforms.base import Credentials
from platforms.errors import ReconnectNeeded
from tools.accounts.grants import keep_grant
from tools.context import Doors
from tools.publishing.job import Job, open_credentials

# Seconds before each look.
_LOOKS = (0.0, 0.2, 0.5, 1.0)


async def refresh_token(doors: Doors, job: Job) -> Credentials:
    """A fresh token for the job's account, stored sealed; raises ``platforms.errors``."""
    try:
        grant = await job.adapter.refresh(job.credentials)
    except ReconnectNeeded:
        given = await patiently(lambda: token_given_meanwhile(doors, job))
        if given is None:
            raise
        return given
    async with doors.database.session(job.workspace_id) as session:
        account = await accounts.get(session, job.account_id, with_tokens=True, lock=True)
        assert account is not None
        if account.status == "disconnected":
            raise ReconnectNeeded(f"@{account.handle} was disconnected meanwhile.")
        await publishing.mark_refreshed(session, job.attempt_id)
        if account.access_token != job.sealed:
            # Given by a person, or by another post's work, while we asked: theirs is kept.
            job.sealed = account.access_token
            return open_credentials(doors, account)
        keep_grant(doors.vault, account, grant)
        job.sealed = account.access_token
    return replace(
        job.credentials,
        access_token=grant.access_token,
        refresh_token=grant.refresh_token or job.credentials.refresh_token,
    )


async def patiently(look: Callable[[], Awaitable[Credentials | None]]) -> Credentials | None:
    """What a refused renewal finds all the same: where a refresh token works once, another may just have used it.

    Its answer is kept a moment after the network gave it, so it is looked for a few times.
    """
    for pause in _LOOKS:
        await asyncio.sleep(pause)
        found = await look()
        if found is not None:
            return found
    return None


async def token_given_meanwhile(doors: Doors, job: Job) -> Credentials | None:
    """The account's present token when it is another than this job began with, None when it is the same or gone."""
    async with doors.database.session(job.workspace_id) as session:
        account = await accounts.get(session, job.account_id, with_tokens=True)
        if account is None or account.status != "connected" or account.access_token == job.sealed:
            return None
        job.sealed = account.access_token
        return open_credentials(doors, account)


async def ask_to_reconnect(doors: Doors, job: Job) -> None:
    """Say that the account has to be connected again, unless that was done since the job took its token."""
    async with doors.database.session(job.workspace_id) as session:
        account = await accounts.get(session, job.account_id, with_tokens=True, lock=True)
        if account is not None and account.status == "connected" and account.access_token == job.sealed:
            account.status = "reconnect"
