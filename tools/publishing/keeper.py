"""Keeping the leases of all posts that a process works on, together; whoever loses one stops."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from db.engine import Database
from db.queries import leases
from db.queries.leases import Lease
from db.together import Together
from platforms.base import Step
from platforms.http import sending_until
from tools.publishing.job import Job
from tools.publishing.ledger import Ledger, LostLease

log = logging.getLogger("studio.publishing")


# Of a lease: an irreversible call leaves and ends before this much of it is over, so that nobody else sends meanwhile.
_OF_THE_LEASE = 0.8


class Kept:
    """Our hold on a job's post while a task works on it; ``seconds`` long from each renewal."""

    def __init__(self, ledger: Ledger, job: Job, owner: asyncio.Task[object], *, seconds: float) -> None:
        self.job = job
        self.lost = False
        self._ledger = ledger
        self._owner = owner
        self._seconds = seconds
        self._sending: tuple[Step, asyncio.Timeout] | None = None
        self._moving = asyncio.Lock()

    @property
    def is_sending(self) -> bool:
        """Whether an irreversible call is under way."""
        return self._sending is not None

    @contextlib.asynccontextmanager
    async def bounding(self, step: Step, *, begun: float) -> AsyncIterator[None]:
        """Raise ``TimeoutError`` in an irreversible call before the lease of its intent is over.

        ``begun``: ``uptime`` of a moment before the intent; what has not left soon enough after that never leaves, as
        processes stand still. A call that is under way for long, such as the last part of a film on a slow line, moves
        its intent and its end with every renewal: the settle time begins with the last of them.
        """
        if not step.irreversible:
            yield
            return
        length = self._seconds * _OF_THE_LEASE
        try:
            with sending_until(begun + length):
                async with asyncio.timeout(length) as limit:
                    self._sending = step, limit
                    yield
        finally:
            self._sending = None
            async with self._moving:  # what is being written of this call is written before its result
                pass

    async def move_intent(self) -> None:
        """Renew the lease under a call, and what the ledger says of it; raises ``LostLease``."""
        async with self._moving:
            if self._sending is None:
                return
            (step, limit), began = self._sending, asyncio.get_running_loop().time()
            entry = {"step": step.name, "event": "still sending"}
            await self._ledger.intend(self.job, step, irreversible=True, entry=entry)
            if self.is_sending and not limit.expired():
                limit.reschedule(began + self._seconds * _OF_THE_LEASE)

    def lose(self) -> None:
        """Stop the work: the post is no longer ours."""
        self.lost = True
        self._owner.cancel()


class Keeper:
    """Renews every lease that no line of the ledger has renewed for a third of its length (``lease``, in seconds)."""

    def __init__(self, database: Database, ledger: Ledger, *, lease: float) -> None:
        self._renewals: Together[Lease, bool] = Together(database, leases.renew, lanes=1, most=1000)
        self._ledger = ledger
        self._lease = lease
        self._kept: set[Kept] = set()
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def keeping(self, job: Job) -> AsyncIterator[Kept]:
        """Keep the lease while work goes on; a lost one ends the work with ``LostLease``."""
        owner = asyncio.current_task()
        assert owner is not None
        kept = Kept(self._ledger, job, owner, seconds=self._lease)
        self._kept.add(kept)
        if self._task is None:
            self._task = asyncio.create_task(self._renew(), name="leases of posts")
        try:
            yield kept
        except asyncio.CancelledError:
            if kept.lost:
                raise LostLease from None
            raise
        finally:
            self._kept.discard(kept)
            if not self._kept and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 6)
            due = asyncio.get_running_loop().time() - self._lease / 3
            # One that is not begun has nothing to lose yet, and belongs to whoever moves it.
            old = [each for each in self._kept if each.job.beginning is None and each.job.renewed <= due]
            await asyncio.gather(*(self._keep(each) for each in old))

    async def _keep(self, kept: Kept) -> None:
        try:
            if kept.is_sending:
                await kept.move_intent()
                return
            asked = asyncio.get_running_loop().time()
            if await self._renewals.ask(_lease_of(kept.job)):
                kept.job.renewed = asked
            else:
                self._lose(kept)
        except LostLease:
            self._lose(kept)
        except Exception as error:  # noqa: BLE001 - a database that is away for a moment: the lease is longer
            log.warning("post %s: the lease could not be renewed: %s", kept.job.hold.post_id, error)

    def _lose(self, kept: Kept) -> None:
        if kept in self._kept:
            kept.lose()


def _lease_of(job: Job) -> Lease:
    return Lease(workspace_id=job.workspace_id, post_id=job.hold.post_id, fence=job.hold.fence, length=job.hold.lease)
