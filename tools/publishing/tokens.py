"""Refreshing an account's token: asked of the network once, kept in one transaction."""

from dataclasses import replace

from core.vault import token_context
from db.queries import accounts, publishing
from platforms.base import Credentials
from tools.context import Doors
from tools.publishing.job import Job


async def refresh_token(doors: Doors, job: Job) -> Credentials:
    """A fresh token for the job's account, stored sealed; raises ``platforms.errors``."""
    async with doors.database.session(job.workspace_id) as session:
        await publishing.mark_refreshed(session, job.attempt_id)
    grant = await job.adapter.refresh(job.credentials)
    workspace_id, account_id = str(job.workspace_id), str(job.account_id)
    async with doors.database.session(job.workspace_id) as session:
        account = await accounts.get(session, job.account_id, with_tokens=True)
        assert account is not None
        account.access_token = doors.vault.seal(
            grant.access_token, context=token_context(workspace_id, account_id, "access_token")
        )
        if grant.refresh_token is not None:
            account.refresh_token = doors.vault.seal(
                grant.refresh_token, context=token_context(workspace_id, account_id, "refresh_token")
            )
        account.token_expires_at = grant.expires_at
    return replace(
        job.credentials,
        access_token=grant.access_token,
        refresh_token=grant.refresh_token or job.credentials.refresh_token,
    )
