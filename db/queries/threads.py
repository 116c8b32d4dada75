"""Statements about threads and what was said in them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.conversation import Message, Run, Thread


async def get(session: AsyncSession, thread_id: UUID, *, lock: bool = False) -> Thread | None:
    """A thread of this workspace; ``lock`` makes whoever else speaks in it wait."""
    statement = select(Thread).where(Thread.id == thread_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).one_or_none()


async def lock_of_run(session: AsyncSession, run_id: UUID) -> None:
    """Make whoever else speaks in a run's thread wait; asked before the run itself is locked, as they do."""
    await session.execute(
        select(Thread.id).join(Run, Run.thread_id == Thread.id).where(Run.id == run_id).with_for_update(of=Thread)
    )


async def page(session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[Thread]:
    """Threads, newest first."""
    statement = select(Thread).order_by(Thread.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(Thread.id < after)
    return (await session.scalars(statement)).all()


async def remove(session: AsyncSession, thread_id: UUID) -> bool:
    """Delete a thread with its runs, events and messages; False when there is none."""
    statement = delete(Thread).where(Thread.id == thread_id).returning(Thread.id)
    return (await session.scalars(statement)).one_or_none() is not None


async def messages(session: AsyncSession, thread_id: UUID) -> Sequence[Message]:
    """What was said, in order."""
    statement = select(Message).where(Message.thread_id == thread_id).order_by(Message.seq)
    return (await session.scalars(statement)).all()


async def say(session: AsyncSession, lines: Sequence[Mapping[str, object]]) -> None:
    """Write messages; one whose id is there already stays as it is."""
    for line in lines:
        await session.execute(insert(Message).values(**line).on_conflict_do_nothing(index_elements=["id"]))


async def touch(session: AsyncSession, thread_id: UUID) -> None:
    """Something happened in the thread."""
    await session.execute(
        text("update threads set updated_at = studio_now() where id = :thread"), {"thread": thread_id}
    )


async def outside_text(session: AsyncSession, thread_id: UUID) -> Mapping[str, object]:
    """The sources of text from outside that a thread holds, each with the highest effect it may have by itself."""
    return (await session.scalar(select(Thread.outside).where(Thread.id == thread_id))) or {}


async def hold_outside_text(session: AsyncSession, thread_id: UUID, found: Mapping[str, str]) -> None:
    """The model of this thread is about to read these sources; what is there already stays."""
    statement = text("update threads set outside = outside || :found where id = :thread").bindparams(
        bindparam("found", type_=JSONB)
    )
    await session.execute(statement, {"found": dict(found), "thread": thread_id})
