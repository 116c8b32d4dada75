"""Statements about runs of the agent and their events: claiming, fencing, the numbered log."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import CursorResult, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.conversation import ApprovalRequest, Run, RunEvent
from db.models.people import Membership, User, Workspace


@dataclass(frozen=True, kw_only=True)
class ClaimedRow:
    """A run that is ours while ``fence`` is its newest."""

    id: UUID
    workspace_id: UUID
    fence: int


async def claim(session: AsyncSession, *, batch: int, lease: timedelta) -> Sequence[ClaimedRow]:
    """Take runs that are due, in any workspace; asked outside any."""
    statement = text("select * from claim_runs(:batch, :lease)")
    rows = (await session.execute(statement, {"batch": batch, "lease": lease})).mappings().all()
    return [ClaimedRow(id=row["id"], workspace_id=row["workspace_id"], fence=row["fence"]) for row in rows]


async def get(session: AsyncSession, run_id: UUID, *, lock: bool = False) -> Run | None:
    """A run of this workspace; ``lock`` holds it until the transaction ends."""
    statement = select(Run).where(Run.id == run_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).one_or_none()


async def ours(session: AsyncSession, run_id: UUID, fence: int) -> Run | None:
    """The run, locked, while our claim on it holds; None when somebody else has it, or it is over."""
    statement = (
        select(Run)
        .where(Run.id == run_id, Run.fence == fence, Run.status == "running")
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def unfinished(session: AsyncSession, thread_id: UUID) -> Sequence[Run]:
    """The runs of a thread that are queued, running or waiting, locked, the oldest first."""
    statement = (
        select(Run)
        .where(Run.thread_id == thread_id, Run.status.in_(("queued", "running", "waiting")))
        .order_by(Run.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def active(session: AsyncSession, thread_ids: Sequence[UUID]) -> dict[UUID, Run]:
    """The run that goes on in each thread: the running or waiting one, else the first in the queue."""
    statement = (
        select(Run)
        .where(Run.thread_id.in_(thread_ids), Run.status.in_(("queued", "running", "waiting")))
        .order_by(Run.status == "queued", Run.id)
    )
    found: dict[UUID, Run] = {}
    for run in (await session.scalars(statement)).all():
        found.setdefault(run.thread_id, run)
    return found


async def status(session: AsyncSession, run_id: UUID) -> str | None:
    """How a run stands; None when there is no such run here."""
    return (await session.scalars(select(Run.status).where(Run.id == run_id))).one_or_none()


async def renew(session: AsyncSession, run_id: UUID, fence: int, *, lease: timedelta) -> bool | None:
    """Move the end of our lease; whether somebody asked to stop the run. None when it is not ours any more."""
    statement = text(
        "update runs set next_attempt_at = studio_now() + :lease, lease_until = studio_now() + :lease"
        " where id = :run and fence = :fence and status = 'running' returning cancel_requested"
    )
    row = (await session.execute(statement, {"run": run_id, "fence": fence, "lease": lease})).first()
    return bool(row[0]) if row else None


async def stop_requested(session: AsyncSession, run_id: UUID, fence: int) -> bool | None:
    """Whether somebody asked to stop the run. None when it is not ours any more."""
    statement = text("select cancel_requested from runs where id = :run and fence = :fence and status = 'running'")
    row = (await session.execute(statement, {"run": run_id, "fence": fence})).first()
    return bool(row[0]) if row else None


async def hand_back(session: AsyncSession, run_id: UUID, fence: int, *, after: timedelta) -> None:
    """Let anybody claim the run again after a while."""
    await session.execute(
        text(
            "update runs set next_attempt_at = studio_now() + :after, lease_until = null"
            " where id = :run and fence = :fence and status = 'running'"
        ),
        {"run": run_id, "fence": fence, "after": after},
    )


async def append_events(
    session: AsyncSession, run: ClaimedRow, *, first: int, events: Sequence[Mapping[str, object]]
) -> bool:
    """Number events from ``first`` and keep them; False, and nothing kept, when the run is not ours any more."""
    statement = text(
        "insert into run_events (workspace_id, run_id, seq, data)"
        " select :workspace, :run, :first + e.ordinality - 1, e.value"
        " from jsonb_array_elements(cast(:events as jsonb)) with ordinality as e"
        " where exists (select from runs where id = :run and fence = :fence and status = 'running' for update)"
    )
    result = await session.execute(
        statement,
        {
            "workspace": run.workspace_id,
            "run": run.id,
            "fence": run.fence,
            "first": first,
            "events": json.dumps(events, ensure_ascii=False),
        },
    )
    return cast("CursorResult[object]", result).rowcount == len(events)


async def add_events(session: AsyncSession, run: Run, events: Sequence[Mapping[str, object]]) -> None:
    """Keep events behind those there are; the caller holds the run's row."""
    last = await last_seq(session, run.id)
    for number, data in enumerate(events, start=last + 1):
        session.add(RunEvent(workspace_id=run.workspace_id, run_id=run.id, seq=number, data=dict(data)))
    await session.flush()


async def last_seq(session: AsyncSession, run_id: UUID) -> int:
    """The number of a run's newest event, 0 before the first."""
    statement = select(func.coalesce(func.max(RunEvent.seq), 0)).where(RunEvent.run_id == run_id)
    return int(await session.scalar(statement) or 0)


async def events_after(
    session: AsyncSession, run_id: UUID, after: int, *, limit: int
) -> Sequence[tuple[int, dict[str, object]]]:
    """Events numbered above ``after``, in order."""
    statement = (
        select(RunEvent.seq, RunEvent.data)
        .where(RunEvent.run_id == run_id, RunEvent.seq > after)
        .order_by(RunEvent.seq)
        .limit(limit)
    )
    return [(seq, data) for seq, data in (await session.execute(statement)).all()]


@dataclass(frozen=True, kw_only=True)
class PersonRow:
    """Who a run works for, as they stand now."""

    membership_id: UUID
    role: str
    user_id: UUID
    user_name: str
    workspace_name: str
    timezone: str


async def person(session: AsyncSession, run: Run) -> PersonRow | None:
    """The person who asked, None when they left the workspace since."""
    statement = (
        select(Membership.id, Membership.role, User.id, User.name, Workspace.name, Workspace.timezone)
        .join(User, User.id == Membership.user_id)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .where(Membership.user_id == run.user_id)
    )
    row = (await session.execute(statement)).first()
    if row is None:
        return None
    return PersonRow(
        membership_id=row[0], role=row[1], user_id=row[2], user_name=row[3], workspace_name=row[4], timezone=row[5]
    )


async def ask_for_approval(session: AsyncSession, values: Mapping[str, object]) -> None:
    """Keep the question of a run's call; asked once, however often the call is repeated."""
    await session.execute(insert(ApprovalRequest).values(**values).on_conflict_do_nothing())
