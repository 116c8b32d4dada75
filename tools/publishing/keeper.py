"""Keeping the leases of all posts that a process works on, together; whoever loses one stops."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from db.engine import Database
from db.queries import leases
from db.queries.leases import Lease
from db.together import Together
from tools.publishing.job import Job
from tools.publishing.ledger import LostLease

log = logging.getLogger("studio.publishing")


@dataclass(kw_only=True, eq=False)
class _Kept:
    """A job and the task that works on it; ``lost``: the task was stopped because the post is no longer ours."""

    job: Job
    owner: asyncio.Task[object]
    lost: bool = False


class Keeper:
    """Renews every lease that no line of the ledger has renewed for a third of its length (``lease``, in seconds)."""

    def __init__(self, database: Database, *, lease: float) -> None:
        self._renewals: Together[Lease, bool] = Together(database, leases.renew, lanes=1, most=1000)
        self._lease = lease
        self._kept: set[_Kept] = set()
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def keeping(self, job: Job) -> AsyncIterator[None]:
        """Keep the lease while work goes on; a lost one ends the work with ``LostLease``."""
        owner = asyncio.current_task()
        assert owner is not None
        kept = _Kept(job=job, owner=owner)
        self._kept.add(kept)
        if self._task is None:
            self._task = asyncio.create_task(self._renew(), name="leases of posts")
        try:
            yield
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
            await self._keep([each for each in self._kept if each.job.beginning is None and each.job.renewed <= due])

    async def _keep(self, old: Sequence[_Kept]) -> None:
        asked = asyncio.get_running_loop().time()
        answers = await asyncio.gather(
            *(self._renewals.ask(_lease_of(each.job)) for each in old), return_exceptions=True
        )
        for kept, answer in zip(old, answers, strict=True):
            if isinstance(answer, BaseException):
                # A database that is away for a moment: the lease is longer.
                log.warning("post %s: the lease could not be renewed: %s", kept.job.hold.post_id, answer)
            elif answer:
                kept.job.renewed = asked
            elif kept in self._kept:
                kept.lost = True
                kept.owner.cancel()


def _lease_of(job: Job) -> Lease:
    return Lease(workspace_id=job.workspace_id, post_id=job.hold.post_id, fence=job.hold.fence, length=job.hold.lease)
