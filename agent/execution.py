"""One attempt at one run, from the claim to the transaction that ends it."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from langchain_core.messages import AnyMessage, BaseMessage

from agent import conversation, resuming, taking_back
from agent.agent import Agent
from agent.ending import Ending, write
from agent.event_log import ClaimLost, EventLog, finish_pump
from agent.hands import DATABASE_AWAY
from agent.taking_back import TakingBack
from agent.turn import Turn
from core import clock
from core.errors import Forbidden, StudioError, Unavailable
from db.engine import Database
from db.models.conversation import Run
from db.queries import runs
from db.queries.runs import ClaimedRow, PersonRow
from tools.context import Principal, Role

LEASE = timedelta(seconds=15)
# How often a running run looks whether somebody asked to stop it; the lease is renewed at every third look.
_LOOK_SECONDS = 1.0
_LOOKS_PER_RENEWAL = 3
# A run whose process dies this often without an end in between is not tried again.
_ATTEMPTS = 5
# The longest one attempt may take.
_SECONDS = 900.0
_EVENTS_AT_ONCE = 5_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Begun:
    """What is read when an attempt begins."""

    run: Run
    person: PersonRow | None
    now: datetime
    heard: resuming.Heard
    last: int


class Execution:
    """Carries out claimed runs. Never raises but for being cancelled; then it hands the run back at once."""

    def __init__(self, database: Database, agent: Agent) -> None:
        self._database = database
        self._agent = agent
        self._taking_back = TakingBack(database, agent.dispatcher)

    async def attempt(self, claimed: ClaimedRow) -> None:
        """Work on a run until it ends, asks, or is not ours any more."""
        try:
            await self._attempt(claimed)
        except ClaimLost:
            _log.info("run %s is in other hands now", claimed.id)
        except asyncio.CancelledError:
            await self._hand_back(claimed, after=timedelta(0))
            raise
        except Exception:  # noqa: BLE001 - most likely the database was away: the run goes on from its last step
            _log.exception("the attempt at run %s broke off", claimed.id)
            await self._hand_back(claimed, after=timedelta(seconds=2))

    async def _attempt(self, claimed: ClaimedRow) -> None:
        begun = await self._begin(claimed)
        if begun is None:
            return
        log = EventLog(self._database, self._agent.live, claimed, last=begun.last)
        with self._agent.live.working_on(claimed.id) as stop:
            if begun.run.cancel_requested:
                stop.set()
            pump = asyncio.create_task(log.pump())
            beat = asyncio.create_task(self._beat(claimed, stop))
            work = asyncio.create_task(self._work(begun, log, stop))
            try:
                await asyncio.wait((work, beat, pump), return_when=asyncio.FIRST_COMPLETED)
                for side in (beat, pump):
                    if side.done():
                        side.result()
                ending = await work
            finally:
                for task in (work, beat):
                    task.cancel()
                await asyncio.gather(work, beat, return_exceptions=True)
                await finish_pump(log, pump)
        async with self._database.session(claimed.workspace_id) as session:
            ended = await write(session, claimed, log, ending)
        if not ended:
            raise ClaimLost
        self._agent.live.ring(claimed.id)
        if ending.status != "waiting":
            await self._tidy(begun.run)

    async def _tidy(self, run: Run) -> None:
        try:
            await self._agent.tidy(run.workspace_id, run.thread_id, run.id)
        except Exception:  # noqa: BLE001 - the run is over all the same, and the next one in the thread makes up for it
            _log.warning("the steps of run %s were not tidied up", run.id, exc_info=True)

    async def _begin(self, claimed: ClaimedRow) -> _Begun | None:
        async with self._database.session(claimed.workspace_id) as session:
            run = await runs.ours(session, claimed.id, claimed.fence)
            if run is None:
                return None
            run.attempts += 1
            known = await runs.events_after(session, run.id, 0, limit=_EVENTS_AT_ONCE)
            while known and (more := await runs.events_after(session, run.id, known[-1][0], limit=_EVENTS_AT_ONCE)):
                known = [*known, *more]
            return _Begun(
                run=run,
                person=await runs.person(session, run),
                now=await clock.now(session),
                heard=resuming.hear([data for _, data in known]),
                last=known[-1][0] if known else 0,
            )

    async def _work(self, begun: _Begun, log: EventLog, stop: asyncio.Event) -> Ending:
        run, heard = begun.run, begun.heard
        stored, last_run = await self._agent.remembered(run.workspace_id, run.thread_id, going_on=run.id)
        resumed = last_run == str(run.id)
        before = conversation.of_run(stored, run.id) if resumed else ()
        log.emit(*resuming.missing_events(heard, before, thread_id=run.thread_id, run_id=run.id, number=run.attempts))
        if begun.person is None:
            return _failed(_LEFT, before)
        if run.attempts > _ATTEMPTS:
            return _failed(_GAVE_UP, before)
        turn = _turn(begun, begun.person, log, stop)
        owed: Sequence[BaseMessage] = [] if resumed else await self._owed(turn, run, stored)
        if note := taking_back.note_of([*stored, *owed], run.id):
            log.emit(*resuming.missing_words(heard, note))
        return await self._outcome(turn, run, owed)

    async def _outcome(self, turn: Turn, run: Run, owed: Sequence[BaseMessage]) -> Ending:
        try:
            async with asyncio.timeout(_SECONDS):
                messages, approval_id = await self._agent.go_on(turn, run.text, owed=owed)
        except (ClaimLost, *DATABASE_AWAY):
            raise
        except StudioError as raised:
            error: StudioError = raised
        except TimeoutError:
            error = _TOO_LONG
        except Exception:  # noqa: BLE001 - a mistake of ours ends this run, and says so, not the process
            _log.exception("run %s failed", run.id)
            error = _INTERNAL
        else:
            if approval_id is not None:
                return Ending(status="waiting", messages=messages, approval_id=approval_id)
            return Ending(status="cancelled" if conversation.was_stopped(messages) else "done", messages=messages)
        return _failed(error, await self._said(run))

    async def _owed(self, turn: Turn, run: Run, stored: Sequence[AnyMessage]) -> list[BaseMessage]:
        """What the conversation needs in front of the run's message: without what is taken back, no call left open."""
        removed = taking_back.removals(stored, taking_back.taken_back(run))
        gone = {message.id for message in removed}
        async with self._database.session(run.workspace_id) as session:
            owed = await resuming.owed_results(session, [each for each in stored if each.id not in gone])
        note = await self._taking_back.note(turn.principal, run, zone=turn.zone)
        return [*removed, *owed, *([note] if note else [])]

    async def _said(self, run: Run) -> Sequence[AnyMessage]:
        stored, _ = await self._agent.remembered(run.workspace_id, run.thread_id)
        return conversation.of_run(stored, run.id)

    async def _beat(self, claimed: ClaimedRow, stop: asyncio.Event) -> None:
        """Keep the lease, and see whether the run is to stop; raises ``ClaimLost``."""
        look = 0
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            look += 1
            async with self._database.session(claimed.workspace_id) as session:
                if look % _LOOKS_PER_RENEWAL == 0:
                    wanted = await runs.renew(session, claimed.id, claimed.fence, lease=LEASE)
                else:
                    wanted = await runs.stop_requested(session, claimed.id, claimed.fence)
            if wanted is None:
                raise ClaimLost
            if wanted:
                stop.set()

    async def _hand_back(self, claimed: ClaimedRow, *, after: timedelta) -> None:
        # When the database is still away the lease simply ends by itself.
        with suppress(Exception):
            async with self._database.session(claimed.workspace_id) as session:
                await runs.hand_back(session, claimed.id, claimed.fence, after=after)


def _turn(begun: _Begun, person: PersonRow, log: EventLog, stop: asyncio.Event) -> Turn:
    run = begun.run
    principal = Principal(
        workspace_id=run.workspace_id,
        workspace_name=person.workspace_name,
        user_id=person.user_id,
        user_name=person.user_name,
        membership_id=person.membership_id,
        role=Role(person.role),
        timezone=person.timezone,
    )
    return Turn(
        run_id=run.id,
        thread_id=run.thread_id,
        principal=principal,
        zone=run.zone or person.timezone,
        now=begun.now,
        log=log,
        stop=stop,
        announced=set(begun.heard.announced),
    )


def _failed(error: StudioError, messages: Sequence[AnyMessage]) -> Ending:
    return Ending(status="failed", messages=messages, error=error)


_LEFT = Forbidden("Whoever asked this is no longer a member of the workspace.")
_GAVE_UP = Unavailable(
    "This was tried several times and broke off each time.",
    code="run_gave_up",
    action="What was done is kept; say it again in other words.",
)
_TOO_LONG = Unavailable(
    f"This took longer than {_SECONDS / 60:g} minutes and was stopped.",
    code="run_too_long",
    action="What was done is kept; ask for less at once.",
)
_INTERNAL = Unavailable(
    "Something went wrong inside Studio.", code="internal_error", action="What was done is kept; say it again."
)
