"""The writer of one run's events: numbers them, joins deltas, and writes a batch every 25 ms while the run is ours."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from agent.events import Event
from agent.live import LiveRuns
from db.engine import Database
from db.queries import runs
from db.queries.runs import ClaimedRow
from memory.scope import Claim

BATCH_SECONDS = 0.025


class ClaimLost(Exception):
    """Another process owns the run now, or it was ended: nothing may be written for it any more."""


class EventLog:
    """Takes events at once and writes them soon, as long as the run is ours."""

    def __init__(self, database: Database, live: LiveRuns, claimed: ClaimedRow, *, last: int) -> None:
        self._database = database
        self._live = live
        self._claimed = claimed
        self._next = last + 1
        self._buffer: list[Event] = []
        self._news = asyncio.Event()
        self._closing = asyncio.Event()

    @property
    def claim(self) -> Claim:
        """The claim under which the run is worked on."""
        return Claim(run_id=self._claimed.id, fence=self._claimed.fence)

    def emit(self, *events: Event) -> None:
        """Keep events for the next batch; a delta that continues the one before is joined to it."""
        for event in events:
            if self._buffer and _continues(self._buffer[-1], event):
                self._buffer[-1]["delta"] = f"{self._buffer[-1]['delta']}{event['delta']}"
            else:
                self._buffer.append(event)
        self._news.set()

    async def pump(self) -> None:
        """Write until closed; raises ``ClaimLost``, or what the database says."""
        while not self._closing.is_set():
            await self._news.wait()
            self._news.clear()
            await self._write()
            # The first event goes out at once; what comes within the next moments goes together.
            with suppress(TimeoutError):
                async with asyncio.timeout(BATCH_SECONDS):
                    await self._closing.wait()

    async def confirm(self) -> None:
        """Raise ``ClaimLost`` when the run is not ours any more: asked before what must not be done twice."""
        async with self._database.session(self._claimed.workspace_id) as session:
            wanted = await runs.stop_requested(session, self._claimed.id, self._claimed.fence)
        if wanted is None:
            raise ClaimLost

    def close(self) -> None:
        """Let ``pump`` end after the batch it is at; what comes later stays for ``take``."""
        self._closing.set()
        self._news.set()

    def take(self) -> tuple[int, Sequence[Event]]:
        """What is not written yet and the number of its first event, for the transaction that ends the run."""
        first, events = self._next, tuple(self._buffer)
        self._buffer = []
        self._next += len(events)
        return first, events

    async def _write(self) -> None:
        first, events = self.take()
        if not events:
            return
        async with self._database.session(self._claimed.workspace_id) as session:
            kept = await runs.append_events(session, self._claimed, first=first, events=events)
        if not kept:
            raise ClaimLost
        self._live.ring(self._claimed.id)


async def finish_pump(log: EventLog, pump: "asyncio.Task[None]") -> None:
    """Close the log and see its pump end; cancelling it instead would lose the batch in flight."""
    log.close()
    with suppress(ClaimLost):
        await pump


def _continues(before: Event, event: Event) -> bool:
    return (
        event["type"] == "TEXT_MESSAGE_CONTENT"
        and before["type"] == "TEXT_MESSAGE_CONTENT"
        and before["messageId"] == event["messageId"]
    )
