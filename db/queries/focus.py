"""Statements about what a conversation speaks of."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.conversation import Thread

# How many posts back "it" and "the other one" can reach.
_KEPT = 5


async def get(session: AsyncSession, thread_id: UUID) -> Sequence[str]:
    """The ids of the posts a thread spoke of, the last one first."""
    return (await session.scalars(select(Thread.focus).where(Thread.id == thread_id))).one_or_none() or []


async def put(session: AsyncSession, thread_id: UUID, post_ids: Sequence[str]) -> None:
    """Put posts in front of what the thread spoke of before."""
    kept = [*post_ids, *(old for old in await get(session, thread_id) if old not in post_ids)][:_KEPT]
    await session.execute(
        text("update threads set focus = :focus where id = :thread"), {"focus": kept, "thread": thread_id}
    )
