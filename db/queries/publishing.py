"""Statements of the publishing ledger: every write holds the post by its fence, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import dict_row
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import Database
from db.models.post import PublishAttempt


@dataclass(frozen=True, kw_only=True)
class Hold:
    """The right to write about a post: its id, the fence of our claim, and how long a lease lasts."""

    post_id: UUID
    fence: int
    lease: timedelta


@dataclass(frozen=True, kw_only=True)
class ClaimedRow:
    """A claimed row of any workspace."""

    id: UUID
    workspace_id: UUID
    fence: int


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a look for due posts begins: after this post among those due at this moment (before all: no bits set)."""

    due: datetime
    post_id: UUID = field(default=UUID(int=0))


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """What a look for due posts found.

    ``passed`` counts posts whose time has come, but whose account is busy or held; ``last`` is where the look ended,
    None when nothing was found.
    """

    rows: Sequence[ClaimedRow]
    passed: int
    last: Position | None


_CLAIM = b"""
select id, workspace_id, fence, due from claim_posts(%(batch)s, %(lease)s, %(due)s, %(after)s, %(wide)s)
"""


async def claim(
    database: Database, *, batch: int, lease: timedelta, since: Position, wide: int | None = None
) -> Claimed:
    """Claim due posts of all workspaces, earliest first, one of an account; ``since`` is the moving lower bound.

    ``batch`` bounds what is claimed, ``wide`` what is looked at for it (None = as much). A transaction of its own, in
    one round trip: every process does this all the time.
    """
    values = {"batch": batch, "lease": lease, "due": since.due, "after": since.post_id, "wide": wide}
    async with database.driver() as connection:
        async with connection.pipeline():
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(_CLAIM, values, prepare=True)
            await connection.commit()
        found = await cursor.fetchall()
    rows = [
        ClaimedRow(id=row["id"], workspace_id=row["workspace_id"], fence=row["fence"]) for row in found if row["fence"]
    ]
    last: tuple[datetime, UUID] | None = max(((row["due"], row["id"]) for row in found), default=None)
    return Claimed(
        rows=rows, passed=len(found) - len(rows), last=Position(due=last[0], post_id=last[1]) if last else None
    )


async def open_attempt(session: AsyncSession, post_id: UUID) -> PublishAttempt | None:
    """The attempt that is under way."""
    statement = select(PublishAttempt).where(PublishAttempt.post_id == post_id, PublishAttempt.state == "open")
    return (await session.scalars(statement)).one_or_none()


async def last_attempt(session: AsyncSession, post_id: UUID) -> PublishAttempt | None:
    """The newest attempt, whatever came of it."""
    statement = select(PublishAttempt).where(PublishAttempt.post_id == post_id)
    return (await session.scalars(statement.order_by(PublishAttempt.number.desc()).limit(1))).one_or_none()


async def tries(session: AsyncSession, post_id: UUID, content_hash: str) -> int:
    """How many attempts at exactly this content, its time included, have ended in waiting for the next."""
    same = (PublishAttempt.post_id == post_id, PublishAttempt.content_hash == content_hash)
    statement = select(func.count()).select_from(PublishAttempt).where(*same, PublishAttempt.state == "retry")
    return await session.scalar(statement) or 0


async def release(session: AsyncSession, hold: Hold) -> None:
    """Give a post back that was claimed and not begun: it is due at once."""
    statement = text(
        "update posts set lease_until = null, next_attempt_at = studio_now()"
        " where id = :post and fence = :fence and status in ('scheduled', 'publishing')"
    )
    await session.execute(statement, {"post": hold.post_id, "fence": hold.fence})


async def mark_refreshed(session: AsyncSession, attempt_id: UUID) -> None:
    """Say that this attempt used its one refresh of the token."""
    await session.execute(text("update publish_attempts set refreshed = true where id = :id"), {"id": attempt_id})


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an attempt ends: the attempt's state, the post's, and what is known then."""

    attempt_state: str
    post_status: str
    error: dict[str, object] | None = None
    platform_post_id: str | None = None
    permalink: str | None = None
    next_attempt_in: timedelta | None = None
    progress: dict[str, object] | None = None
    counts: bool = True  # False: waiting for a quota is not an attempt
