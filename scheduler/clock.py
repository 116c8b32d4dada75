"""The clock of a process: APScheduler ticks, hints wake it early, and every kind of due work is claimed and worked on.

Polling alone is enough: a hint only saves the wait until the next tick. Work is bounded per kind, a slow kind holds up
no other, and stopping claims nothing more while what runs reaches a recorded step.
"""

import asyncio
import logging
from collections.abc import Sequence

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from scheduler.due import Claim, DueWork

log = logging.getLogger("studio.scheduler")

_TICK = 0.5
# Every so many seconds each kind is claimed without its moving lower bound.
_SWEEP = 30.0
_FAILURE_PAUSE = 2.0
# A kind at its capacity is claimed again when this part of it has ended: one by one would be a statement for each.
_REFILL = 20


class Clock:
    """Claims due work at every tick and hint, and runs it in tasks of this process."""

    def __init__(self, *, tick: float = _TICK) -> None:
        self._works: list[DueWork] = []
        self._scheduler = AsyncIOScheduler()
        self._due: dict[str, asyncio.Event] = {}
        self._running: dict[str, set[asyncio.Task[None]]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tick = tick

    def add(self, work: DueWork) -> None:
        """Serve one more kind of due work; before ``start``."""
        self._works.append(work)
        self._due[work.topic] = asyncio.Event()
        self._running[work.topic] = set()

    def wake(self, topic: str) -> None:
        """Something of this kind is due now; may be called from any thread, and is only a hint."""
        event = self._due.get(topic)
        if event is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(event.set)

    async def start(self) -> None:
        """Begin to tick."""
        self._loop = asyncio.get_running_loop()
        self._scheduler.add_job(
            self._ring, "interval", seconds=self._tick, coalesce=True, max_instances=1, misfire_grace_time=None
        )
        self._scheduler.start()
        self._loops = [asyncio.create_task(self._serve(work), name=f"due {work.topic}") for work in self._works]

    async def _ring(self) -> None:
        # Async, so that it runs on the loop and not in a thread; it only rings, so that shutdown cancels no work.
        for event in self._due.values():
            event.set()

    async def _serve(self, work: DueWork) -> None:
        event = self._due[work.topic]
        next_sweep = 0.0
        while not self._stopping.is_set():
            await event.wait()
            event.clear()
            if self._stopping.is_set():
                return
            now = asyncio.get_running_loop().time()
            sweep = now >= next_sweep
            try:
                await self._claim(work, sweep=sweep)
            except Exception as error:  # noqa: BLE001 - a database that is away must not end the clock
                log.warning("claiming %s failed, trying again: %s", work.topic, error)
                await asyncio.sleep(_FAILURE_PAUSE)
                continue
            if sweep:
                next_sweep = now + _SWEEP

    async def _claim(self, work: DueWork, *, sweep: bool) -> None:
        running = self._running[work.topic]
        while (room := work.capacity - len(running)) > 0:
            claims = await work.claim(room, sweep=sweep)
            for claim in claims:
                self._start(work, claim)
            if len(claims) < room:
                return

    def _start(self, work: DueWork, claim: Claim) -> None:
        running = self._running[work.topic]
        task = asyncio.create_task(work.work(claim), name=f"{work.topic} {claim.id}")
        running.add(task)

        def finished(done: asyncio.Task[None]) -> None:
            running.discard(done)
            if not done.cancelled() and (error := done.exception()) is not None:
                log.error("work on %s failed: %r", done.get_name(), error)
            if len(running) == work.capacity - max(1, work.capacity // _REFILL):
                self._due[work.topic].set()  # there may be more than we had room for

        task.add_done_callback(finished)

    async def stop(self, *, patience: float) -> None:
        """Claim nothing more; wait ``patience`` seconds for what runs, then cancel it (its lease runs out)."""
        deadline = asyncio.get_running_loop().time() + patience
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for event in self._due.values():
            event.set()
        await _finish(self._loops, deadline)  # a claim may hang where the database does
        await _finish([task for running in self._running.values() for task in running], deadline)


async def _finish(tasks: Sequence[asyncio.Task[None]], deadline: float) -> None:
    """Wait for tasks until a time of the loop's clock, then cancel those that are late."""
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
