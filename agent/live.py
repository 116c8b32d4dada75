"""What this process knows of runs while they go on: who waits for their events, and how to stop one at once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID


class LiveRuns:
    """Bells of runs. A hint only: whoever waits also looks at the table, for runs of other processes."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, set[asyncio.Event]] = {}
        self._stops: dict[UUID, asyncio.Event] = {}

    def ring(self, run_id: UUID) -> None:
        """Wake those who wait for news of a run."""
        for bell in self._waiting.get(run_id, ()):
            bell.set()

    @contextmanager
    def listening(self, run_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set at every news; clear it before looking, so that none is lost."""
        bell = asyncio.Event()
        self._waiting.setdefault(run_id, set()).add(bell)
        try:
            yield bell
        finally:
            self._waiting[run_id].discard(bell)
            if not self._waiting[run_id]:
                del self._waiting[run_id]

    @contextmanager
    def working_on(self, run_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set when somebody wants the run stopped."""
        stop = self._stops[run_id] = asyncio.Event()
        try:
            yield stop
        finally:
            if self._stops.get(run_id) is stop:
                del self._stops[run_id]

    def stop(self, run_id: UUID) -> None:
        """Stop a run if it goes on in this process."""
        if (stop := self._stops.get(run_id)) is not None:
            stop.set()


async def either(first: asyncio.Event, second: asyncio.Event | None, *, patience: float) -> None:
    """Wait until one of two events is set, at most ``patience`` seconds."""
    events = [first] if second is None else [first, second]
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
