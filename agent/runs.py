"""Runs of the agent as surfaces see them: started, watched, stopped, answered."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from agent.agent import Agent
from agent.busy import OPEN, OnBusy, end, make_room
from agent.deciding import Answer, Deciding, Decision, as_json
from agent.live import either
from agent.work import RunWork
from core.errors import InvalidInput, NotFound
from core.ids import new_id, parse_id
from core.ports import Wake
from core.settings import Settings
from core.when.zones import load_zone
from db.engine import Database
from db.models.conversation import Run, Thread
from db.queries import approvals, runs, threads
from memory import transcript
from memory.transcript import Line
from tools.context import Principal
from tools.dispatcher import Dispatcher

__all__ = ["RunEventView", "RunService", "RunTicket", "RunView", "RunWork"]

# How long a reader waits before it looks at the table by itself, for runs of other processes.
_POLL_SECONDS = 0.5
_EVENTS_AT_ONCE = 1_000
_TITLE_LENGTH = 60


@dataclass(frozen=True, kw_only=True)
class RunTicket:
    """Where to look for what comes of a message."""

    run_id: UUID
    thread_id: UUID


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A run as people and programs see it. ``approval`` is what it waits for, None unless ``status`` is waiting."""

    id: UUID
    thread_id: UUID
    status: str
    text: str
    reply: str | None
    actions: list[dict[str, object]]
    approval: dict[str, object] | None
    error: dict[str, object] | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class RunEventView:
    """One event: ``data`` is AG-UI's JSON, ``seq`` counts from 1 within the run."""

    seq: int
    data: dict[str, object]


class RunService:
    """What surfaces may do with runs. Everything concerns the principal's workspace; raises ``core.errors``."""

    def __init__(
        self, *, database: Database, dispatcher: Dispatcher, agent: Agent, wake: Wake, settings: Settings
    ) -> None:
        self._database = database
        self._live = agent.live
        self._wake = wake
        self._settings = settings
        self._deciding = Deciding(database, dispatcher)

    async def start(
        self,
        principal: Principal,
        *,
        text: str,
        thread_id: UUID | None = None,
        zone: str | None = None,
        surface: str = "rest",
        on_busy: OnBusy = "enqueue",
    ) -> RunTicket:
        """Say something to the agent; without a thread a new one begins. ``zone`` None = the workspace's.

        A thread that waits for an approval goes on with this instead: the question is withdrawn. While one answers,
        ``on_busy`` decides: "enqueue" waits behind it, "reject" raises ``Conflict``, "interrupt" stops it and keeps
        what it said, "rollback" stops it and takes back what it said and did; both cancel the messages queued before.
        """
        if not text.strip():
            raise InvalidInput("There is nothing to do: the text is empty.", code="empty_text")
        if zone is not None:
            _ = load_zone(zone)
        async with self._database.session(principal.workspace_id) as session:
            thread = await _thread(session, principal, thread_id, text)
            room = await make_room(session, thread.id, on_busy)
            run = Run(
                id=new_id(),
                workspace_id=principal.workspace_id,
                thread_id=thread.id,
                user_id=principal.user_id,
                status="queued",
                text=text,
                zone=zone,
                surface=surface,
                next_attempt_at=func.studio_now(),
                actions=[],
                takes_back=[str(target) for target in room.takes_back],
            )
            session.add(run)
            await session.flush()
            await transcript.keep(
                session,
                workspace_id=principal.workspace_id,
                thread_id=thread.id,
                run_id=run.id,
                lines=[Line(key="text", role="user", content=text)],
            )
            ticket = RunTicket(run_id=run.id, thread_id=thread.id)
        for run_id in room.stopping:
            self._live.stop(run_id)
        for run_id in room.ended:
            self._live.ring(run_id)
        self._wake("runs")
        return ticket

    async def cancel(self, principal: Principal, run_id: UUID) -> RunView:
        """Stop a run. What it said is kept; one that is over stays as it is; a running one ends within moments."""
        async with self._database.session(principal.workspace_id) as session:
            run = await runs.get(session, run_id, lock=True)
            if run is None:
                raise _no_run(run_id)
            if run.status == "running":
                run.cancel_requested = True
            elif run.status in {"queued", "waiting"}:
                await end(session, run)
        self._live.stop(run_id)
        self._live.ring(run_id)
        self._wake("runs")
        return await self.view(principal, run_id)

    async def resume(
        self,
        principal: Principal,
        run_id: UUID,
        *,
        decision: Decision,
        args: dict[str, object] | None = None,
        note: str | None = None,
    ) -> RunTicket:
        """Answer what a run waits for; raises ``Conflict`` when it waits for nothing, ``Forbidden`` by role."""
        approval_id = await self._deciding.pending(principal, run_id)
        await self.decide(principal, approval_id, decision=decision, args=args, note=note)
        return RunTicket(run_id=run_id, thread_id=(await self.view(principal, run_id)).thread_id)

    async def decide(
        self,
        principal: Principal,
        approval_id: UUID,
        *,
        decision: Decision,
        args: dict[str, object] | None = None,
        note: str | None = None,
    ) -> dict[str, object]:
        """Answer an approval by its id; the approval as JSON. Of two answers one wins, the other is a ``Conflict``."""
        answer = Answer(decision=decision, args=args, note=note)
        try:
            approval = await self._deciding.decide(principal, approval_id, answer)
        finally:
            self._wake("runs")
        return as_json(approval)

    async def view(self, principal: Principal, run_id: UUID) -> RunView:
        """A run as it stands."""
        async with self._database.session(principal.workspace_id) as session:
            run = await runs.get(session, run_id)
            if run is None:
                raise _no_run(run_id)
            return await _view(session, run)

    async def events(
        self, principal: Principal, run_id: UUID, *, after: int = 0, stopping: asyncio.Event | None = None
    ) -> AsyncIterator[RunEventView]:
        """The events numbered above ``after``, then those that come, until the run ends or waits for a person.

        ``stopping`` ends the stream between two events. Whoever leaves early disturbs nobody.
        """
        with self._live.listening(run_id) as news:
            while not (stopping and stopping.is_set()):
                news.clear()
                status, batch = await self._batch(principal, run_id, after)
                for seq, data in batch:
                    yield RunEventView(seq=seq, data=data)
                    after = seq
                if len(batch) == _EVENTS_AT_ONCE:
                    continue
                if status not in OPEN:
                    return
                await either(news, stopping, patience=_POLL_SECONDS)

    async def _batch(
        self, principal: Principal, run_id: UUID, after: int
    ) -> tuple[str, Sequence[tuple[int, dict[str, object]]]]:
        async with self._database.session(principal.workspace_id) as session:
            # In this order: the last event is written together with the status, so none can come behind an end.
            status = await runs.status(session, run_id)
            if status is None:
                raise _no_run(run_id)
            return status, await runs.events_after(session, run_id, after, limit=_EVENTS_AT_ONCE)

    async def finished(self, principal: Principal, run_id: UUID, *, patience: float) -> RunView:
        """The run once it is done, waiting, failed or cancelled; as it stands after ``patience`` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        with self._live.listening(run_id) as news:
            while True:
                news.clear()
                view = await self.view(principal, run_id)
                left = deadline - loop.time()
                if view.status not in OPEN or left <= 0:
                    return view
                await either(news, None, patience=min(left, _POLL_SECONDS))


def _no_run(run_id: UUID) -> NotFound:
    return NotFound(f"There is no run {run_id}.", action="Check the id.")


async def _thread(session: AsyncSession, principal: Principal, thread_id: UUID | None, text: str) -> Thread:
    """The thread, locked: two messages to it are taken one after the other."""
    if thread_id is not None:
        thread = await threads.get(session, thread_id, lock=True)
        if thread is None:
            raise NotFound(f"There is no conversation {thread_id}.", action="Leave the id out to begin a new one.")
        if not thread.title:
            thread.title = title_of(text)
        return thread
    thread = Thread(
        id=new_id(),
        workspace_id=principal.workspace_id,
        title=title_of(text),
        focus=[],
        created_by=principal.user_id,
    )
    session.add(thread)
    await session.flush()
    return thread


def title_of(text: str) -> str:
    """A thread's title: the beginning of its first message."""
    line = " ".join(text.split())
    if len(line) <= _TITLE_LENGTH:
        return line
    return f"{line[:_TITLE_LENGTH].rsplit(' ', 1)[0]}…"


async def _view(session: AsyncSession, run: Run) -> RunView:
    approval = None
    if run.status == "waiting" and run.interrupt is not None:
        approval_id = parse_id(str(run.interrupt.get("approval_id", "")))
        found = await approvals.get(session, approval_id) if approval_id else None
        approval = as_json(found) if found is not None else None
    return RunView(
        id=run.id,
        thread_id=run.thread_id,
        status=run.status,
        text=run.text,
        reply=run.reply,
        actions=run.actions,
        approval=approval,
        error=run.error,
        created_at=run.created_at,
        ended_at=run.ended_at,
    )
