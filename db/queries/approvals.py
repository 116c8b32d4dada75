"""Statements about approvals."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.conversation import ApprovalRequest


async def get(session: AsyncSession, approval_id: UUID, *, lock: bool = False) -> ApprovalRequest | None:
    """One approval; ``lock`` lets only one answer win."""
    statement = select(ApprovalRequest).where(ApprovalRequest.id == approval_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).one_or_none()


async def of_call(session: AsyncSession, run_id: UUID, tool_call_id: str) -> ApprovalRequest | None:
    """The approval that a tool call of a run asked for."""
    statement = select(ApprovalRequest).where(
        ApprovalRequest.run_id == run_id, ApprovalRequest.tool_call_id == tool_call_id
    )
    return (await session.scalars(statement)).one_or_none()


async def page(
    session: AsyncSession, *, status: str | None, after: UUID | None, limit: int
) -> Sequence[ApprovalRequest]:
    """Approvals, newest first."""
    statement = select(ApprovalRequest).order_by(ApprovalRequest.id.desc()).limit(limit)
    if status is not None:
        statement = statement.where(ApprovalRequest.status == status)
    if after is not None:
        statement = statement.where(ApprovalRequest.id < after)
    return (await session.scalars(statement)).all()


async def withdraw_of_run(session: AsyncSession, run_id: UUID) -> None:
    """Nobody needs to answer a run's questions any more."""
    await session.execute(
        text("update approvals set status = 'withdrawn' where run_id = :run and status = 'pending'"), {"run": run_id}
    )


async def expire(session: AsyncSession) -> None:
    """Close what nobody answered in time, of callers that wait for no answer; a run's question ends with its run."""
    await session.execute(
        text(
            "update approvals set status = 'expired'"
            " where status = 'pending' and run_id is null and expires_at <= studio_now()"
        )
    )
