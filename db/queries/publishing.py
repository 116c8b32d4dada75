"""Statements of the publishing ledger: every write holds the post by its fence, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.post import PublishAttempt


@dataclass(frozen=True, kw_only=True)
class Hold:
    """The right to write about a post: its id, the fence of our claim, and how long a lease lasts."""

    post_id: UUID
    fence: int
    lease: timedelta

    def parameters(self) -> dict[str, object]:
        """As statement parameters."""
        return {"post": self.post_id, "fence": self.fence, "lease": self.lease}


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


async def claim(
    session: AsyncSession, *, batch: int, lease: timedelta, since: Position, wide: int | None = None
) -> Claimed:
    """Claim due posts of all workspaces, earliest first, one of an account; ``since`` is the moving lower bound.

    ``batch`` bounds what is claimed, ``wide`` what is looked at for it (None = as much).
    """
    statement = text("select id, workspace_id, fence, due from claim_posts(:batch, :lease, :due, :after, :wide)")
    values = {"batch": batch, "lease": lease, "due": since.due, "after": since.post_id, "wide": wide}
    found = (await session.execute(statement, values)).all()
    rows = [ClaimedRow(id=row.id, workspace_id=row.workspace_id, fence=row.fence) for row in found if row.fence]
    last = max(((row.due, row.id) for row in found), default=None)
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


# The post's row is updated first, so that it is locked: a fence that moves meanwhile makes us wait, then write nothing.
_HELD = """
with held as (
  update posts set lease_until = studio_now() + :lease, next_attempt_at = studio_now() + :lease
  where id = :post and fence = :fence and status = 'publishing'
  returning id
)
"""


async def renew(session: AsyncSession, hold: Hold) -> bool:
    """Keep the lease; False when the post is no longer ours."""
    row = await session.execute(text(_HELD + "select id from held"), hold.parameters())
    return row.first() is not None


async def write_intent(
    session: AsyncSession, hold: Hold, *, attempt_id: UUID, step: str, irreversible: bool, entry: dict[str, object]
) -> datetime | None:
    """Say which call is about to be made, and renew the lease: when that was; None when the post is no longer ours."""
    statement = text(
        _HELD
        + "update publish_attempts a set step = :step, step_irreversible = :irreversible, intent_at = studio_now(),"
        " steps = a.steps || :entry from held where a.id = :attempt and a.post_id = held.id returning a.intent_at"
    )
    values = {"attempt": attempt_id, "step": step, "irreversible": irreversible, "entry": Jsonb([entry])}
    intent_at: datetime | None = await session.scalar(statement, hold.parameters() | values)
    return intent_at


async def write_result(
    session: AsyncSession, hold: Hold, *, attempt_id: UUID, progress: dict[str, object], entry: dict[str, object]
) -> bool:
    """Say what came of the call: it is no longer on its way; False when the post is no longer ours."""
    statement = text(
        _HELD + "update publish_attempts a set step = null, step_irreversible = false, intent_at = null,"
        " progress = :progress, steps = a.steps || :entry"
        " from held where a.id = :attempt and a.post_id = held.id returning a.id"
    )
    values = {"attempt": attempt_id, "progress": Jsonb(progress), "entry": Jsonb([entry])}
    return (await session.execute(statement, hold.parameters() | values)).first() is not None


async def note(session: AsyncSession, hold: Hold, *, attempt_id: UUID, entry: dict[str, object]) -> bool:
    """Add evidence, leaving the call that may be on its way as it is."""
    statement = text(
        _HELD + "update publish_attempts a set steps = a.steps || :entry"
        " from held where a.id = :attempt and a.post_id = held.id returning a.id"
    )
    return (
        await session.execute(statement, hold.parameters() | {"attempt": attempt_id, "entry": Jsonb([entry])})
    ).first() is not None


async def mark_refreshed(session: AsyncSession, attempt_id: UUID) -> None:
    """Say that this attempt used its one refresh of the token."""
    await session.execute(text("update publish_attempts set refreshed = true where id = :id"), {"id": attempt_id})


async def wait(session: AsyncSession, hold: Hold, *, attempt_id: UUID, step: str | None, delay: timedelta) -> bool:
    """Give the post back until ``delay`` has passed, still publishing; ``step`` None: a call on its way stays."""
    statement = text(
        "with held as (update posts set lease_until = null, next_attempt_at = studio_now() + :delay"
        " where id = :post and fence = :fence and status = 'publishing' returning id)"
        " update publish_attempts a set step = coalesce(:step, a.step)"
        " from held where a.id = :attempt and a.post_id = held.id returning a.id"
    )
    values = hold.parameters() | {"attempt": attempt_id, "step": step, "delay": delay}
    return (await session.execute(statement, values)).first() is not None


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


async def finish(session: AsyncSession, hold: Hold, *, attempt_id: UUID, ending: Ending) -> bool:
    """End an attempt and move the post on; False when the post is no longer ours."""
    statement = text(
        "with held as (update posts set status = :status, lease_until = null,"
        " next_attempt_at = case when :status = 'scheduled' then studio_now() + :pause end,"
        " attempts = attempts - :uncounted, last_error = :error, version = version + 1, updated_at = studio_now(),"
        " platform_post_id = coalesce(:platform_post_id, platform_post_id),"
        " permalink = coalesce(:permalink, permalink),"
        " published_at = case when :status = 'posted' then studio_now() else published_at end"
        " where id = :post and fence = :fence and status = 'publishing' returning id)"
        " update publish_attempts a set state = :state, ended_at = studio_now(), error = :error,"
        " step = case when :state = 'unconfirmed' then a.step end,"
        " intent_at = case when :state = 'unconfirmed' then a.intent_at end,"
        " progress = coalesce(:progress, a.progress)"
        " from held where a.id = :attempt and a.post_id = held.id returning a.id"
    )
    values = hold.parameters() | {
        "attempt": attempt_id,
        "state": ending.attempt_state,
        "status": ending.post_status,
        "error": Jsonb(ending.error) if ending.error is not None else None,
        "platform_post_id": ending.platform_post_id,
        "permalink": ending.permalink,
        "pause": ending.next_attempt_in or timedelta(0),
        "progress": Jsonb(ending.progress) if ending.progress is not None else None,
        "uncounted": 0 if ending.counts else 1,
    }
    return (await session.execute(statement, values)).first() is not None
