"""Statements about the record of calls: idempotency and undo rest on it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.models.conversation import ToolCall


async def by_key(session: AsyncSession, key: str) -> ToolCall | None:
    """The call that was made with this idempotency key."""
    return (await session.scalars(select(ToolCall).where(ToolCall.key == key))).one_or_none()


async def reserve(session: AsyncSession, key: str) -> None:
    """Make every other transaction with the same key wait until this one ends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


async def record(session: AsyncSession, values: dict[str, object]) -> UUID:
    """Write one call; the id of its row."""
    call_id = await session.scalar(insert(ToolCall).values(**values).returning(ToolCall.id))
    assert isinstance(call_id, UUID)
    return call_id


async def last_turn(
    session: AsyncSession, *, user_id: UUID, thread_id: UUID | None, run_id: UUID | None
) -> Sequence[ToolCall]:
    """The newest changes that are not undone yet: all calls of one run, or one direct call; newest first.

    In a thread, that thread's turns count (``run_id``, the turn that asks, left out); else the user's direct calls.
    """
    statement = (
        select(ToolCall)
        .where(ToolCall.undone_at.is_(None), func.jsonb_array_length(ToolCall.changes) > 0)
        .order_by(ToolCall.id.desc())
        .limit(1)
    )
    if thread_id is not None:
        statement = statement.where(ToolCall.thread_id == thread_id)
        if run_id is not None:
            statement = statement.where(ToolCall.run_id.is_distinct_from(run_id))
    else:
        statement = statement.where(ToolCall.user_id == user_id, ToolCall.run_id.is_(None))
    newest = (await session.scalars(statement)).one_or_none()
    if newest is None or newest.run_id is None:
        return [newest] if newest else []
    turn = (
        select(ToolCall)
        .where(
            ToolCall.run_id == newest.run_id,
            ToolCall.undone_at.is_(None),
            func.jsonb_array_length(ToolCall.changes) > 0,
        )
        .order_by(ToolCall.id.desc())
    )
    return (await session.scalars(turn)).all()


async def of_run(session: AsyncSession, run_id: UUID) -> Sequence[ToolCall]:
    """The calls of a run that stand: those that were not undone, oldest first."""
    statement = select(ToolCall).where(ToolCall.run_id == run_id, ToolCall.undone_at.is_(None)).order_by(ToolCall.id)
    return (await session.scalars(statement)).all()


async def mark_undone(session: AsyncSession, call_ids: Sequence[UUID]) -> None:
    """Say that these calls were taken back."""
    await session.execute(
        text("update tool_calls set undone_at = studio_now() where id = any(:ids)"), {"ids": list(call_ids)}
    )


async def touching_post(session: AsyncSession, post_id: UUID, *, among: int = 500) -> Sequence[ToolCall]:
    """Of the workspace's newest ``among`` calls those that changed a post, oldest first: the search has an end."""
    newest = select(ToolCall).order_by(ToolCall.id.desc()).limit(among).subquery()
    recent = aliased(ToolCall, newest)
    statement = select(recent).where(recent.changes.contains([{"post_id": str(post_id)}])).order_by(recent.id)
    return (await session.scalars(statement)).all()
