"""What a message does to a conversation that is busy: wait, be refused, stop what goes on, or take it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from agent import conversation, events
from agent.taking_back import taken_back
from core.errors import Conflict
from db.models.conversation import Run
from db.queries import approvals, runs

OnBusy = Literal["enqueue", "reject", "interrupt", "rollback"]

# The statuses of runs that somebody works on, or will.
OPEN = {"queued", "running"}


@dataclass(frozen=True, kw_only=True)
class Room:
    """What was done for a new message: runs that ended, runs that were told to stop, runs that it has to take back."""

    ended: Sequence[UUID]
    stopping: Sequence[UUID]
    takes_back: Sequence[UUID]


async def make_room(session: AsyncSession, thread_id: UUID, on_busy: OnBusy) -> Room:
    """Make room for a message in a thread that the caller has locked.

    A run that waits for a person ends in any case: its question is withdrawn. Raises ``Conflict`` with "reject".
    """
    before = await runs.unfinished(session, thread_id)
    if on_busy == "reject" and any(run.status in OPEN for run in before):
        raise Conflict(
            "This conversation is busy with the message before.",
            code="thread_busy",
            action='Wait for its answer, stop that run, or send it with on_busy "enqueue".',
        )
    stops = on_busy in {"interrupt", "rollback"}
    stopping = [run for run in before if stops and run.status == "running"]
    ended = [run for run in before if run.status == "waiting" or (stops and run.status == "queued")]
    # A message that never began leaves what it was to take back to the one that comes instead.
    takes_back = [target for run in ended if run.fence == 0 for target in taken_back(run)]
    if on_busy == "rollback":
        takes_back += [run.id for run in before]
    for run in stopping:
        run.cancel_requested = True
    for run in ended:
        await end(session, run)
    return Room(ended=[run.id for run in ended], stopping=[run.id for run in stopping], takes_back=takes_back)


async def end(session: AsyncSession, run: Run) -> None:
    """Cancel a run that nobody works on; its next run tells the model what was not carried out."""
    await approvals.withdraw_of_run(session, run.id)
    await runs.add_events(
        session, run, [events.run_started(run.thread_id, run.id), events.cancelled(run.thread_id, run.id)]
    )
    run.status, run.ended_at, run.next_attempt_at = "cancelled", func.studio_now(), None
    run.actions = conversation.given_up(run.actions)
