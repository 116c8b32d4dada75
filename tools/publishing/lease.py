"""The lease on a post while it is worked on: renewed as time passes, and no irreversible call outlives it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from platforms.base import Step
from tools.publishing.job import Job
from tools.publishing.ledger import Ledger, LostLease

log = logging.getLogger("studio.publishing")

# Of a lease: an irreversible call ends before this much of it is over, so that nobody else sends meanwhile.
_OF_THE_LEASE = 0.8


class Lease:
    """Our hold on a job's post, ``seconds`` long from each renewal."""

    def __init__(self, ledger: Ledger, job: Job, *, seconds: float) -> None:
        self._ledger = ledger
        self._job = job
        self._seconds = seconds
        self._sending: tuple[Step, asyncio.Timeout] | None = None
        self._renewing = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Renew while work goes on; raises ``LostLease`` in the midst of it when the post is no longer ours."""
        owner = asyncio.current_task()
        lost = False

        async def renew() -> None:
            nonlocal lost
            while True:
                await asyncio.sleep(self._seconds / 3)
                try:
                    await self._renew()
                except LostLease:
                    lost = True
                    if owner is not None:
                        owner.cancel()
                    return
                except Exception as error:  # noqa: BLE001 - a database that is away for a moment: the lease is longer
                    log.warning("post %s: the lease could not be renewed: %s", self._job.hold.post_id, error)

        task = asyncio.create_task(renew())
        try:
            yield
        except asyncio.CancelledError:
            if lost:
                raise LostLease from None
            raise
        finally:
            task.cancel()

    @contextlib.asynccontextmanager
    async def bounding(self, step: Step) -> AsyncIterator[None]:
        """Raise ``TimeoutError`` in an irreversible call before the lease of its intent is over.

        A call that is under way that long, such as the last part of a film on a slow line, moves its intent and its
        end with every renewal: the settle time begins with the last of them.
        """
        if not step.irreversible:
            yield
            return
        try:
            async with asyncio.timeout(self._seconds * _OF_THE_LEASE) as limit:
                self._sending = step, limit
                yield
        finally:
            self._sending = None
            async with self._renewing:  # what is being written of this call is written before its result
                pass

    async def _renew(self) -> None:
        async with self._renewing:
            if self._sending is None:
                await self._ledger.renew(self._job)
                return
            (step, limit), began = self._sending, asyncio.get_running_loop().time()
            entry = {"step": step.name, "event": "still sending"}
            await self._ledger.intend(self._job, step, irreversible=True, entry=entry)
            if self._is_sending() and not limit.expired():
                limit.reschedule(began + self._seconds * _OF_THE_LEASE)

    def _is_sending(self) -> bool:
        return self._sending is not None
