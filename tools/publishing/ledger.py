"""The ledger of one attempt: every line is one fenced statement in a transaction of its own, or nothing at all."""

import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from db.engine import Database
from db.queries import publishing
from db.queries.publishing import Ending
from platforms.base import Step
from platforms.errors import PlatformError
from tools.publishing.job import Job


class LostLease(Exception):
    """Somebody else has claimed the post: nothing more may be written or sent."""


class Ledger:
    """Writes about jobs. Every method raises ``LostLease`` when the post is no longer ours, and then wrote nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def intend(self, job: Job, step: Step, *, irreversible: bool, entry: Mapping[str, object]) -> None:
        """Say which call is about to be made, or may have happened; the lease begins anew. The time is PostgreSQL's."""
        async with self._database.session(job.workspace_id) as session:
            intent_at = await publishing.write_intent(
                session,
                job.hold,
                attempt_id=job.attempt_id,
                step=step.name,
                irreversible=irreversible,
                entry=_stamped(entry),
            )
        if intent_at is None:
            raise LostLease
        job.step, job.step_irreversible, job.intent_at = step.name, irreversible, intent_at

    async def advance(self, job: Job, learned: Mapping[str, object], entry: Mapping[str, object]) -> None:
        """Say what came of the call: it is no longer on its way, and this is known now."""
        progress = {**job.progress, **{name: storable(value) for name, value in learned.items()}}
        await self._write(
            job,
            lambda session: publishing.write_result(
                session, job.hold, attempt_id=job.attempt_id, progress=progress, entry=_stamped(entry)
            ),
        )
        job.progress, job.step, job.step_irreversible, job.intent_at = progress, None, False, None
        job.sendings = job.looks = 0

    async def note(self, job: Job, entry: Mapping[str, object]) -> None:
        """Add evidence; a call that may be on its way stays so."""
        await self._write(
            job,
            lambda session: publishing.note(session, job.hold, attempt_id=job.attempt_id, entry=_stamped(entry)),
        )

    async def give_back(self, job: Job, *, step: str | None, delay: float) -> None:
        """Leave the post to whoever claims it after ``delay`` seconds; ``step``: what it waits for, None = as it is."""
        pause = timedelta(seconds=delay)
        await self._write(
            job,
            lambda session: publishing.wait(session, job.hold, attempt_id=job.attempt_id, step=step, delay=pause),
        )

    async def end(self, job: Job, ending: Ending) -> None:
        """End the attempt and move the post on."""
        await self._write(
            job, lambda session: publishing.finish(session, job.hold, attempt_id=job.attempt_id, ending=ending)
        )

    async def tries(self, job: Job) -> int:
        """How many attempts at this content for this time have ended in waiting, for a quota too."""
        async with self._database.session(job.workspace_id) as session:
            return await publishing.tries(session, job.hold.post_id, job.content_hash)

    async def renew(self, job: Job) -> None:
        """Keep the lease."""
        await self._write(job, lambda session: publishing.renew(session, job.hold))

    async def intent_age(self, job: Job) -> float:
        """Seconds since the call that may be on its way was written down, by PostgreSQL's clock."""
        assert job.intent_at is not None
        async with self._database.outside() as session:
            return (await clock.now(session) - job.intent_at).total_seconds()

    async def _write(self, job: Job, statement: Callable[[AsyncSession], Awaitable[bool]]) -> None:
        async with self._database.session(job.workspace_id) as session:
            written = await statement(session)
        if not written:
            raise LostLease


def trouble_entry(step: str | None, error: PlatformError) -> dict[str, object]:
    """An error as evidence."""
    return {
        "step": step,
        "event": "error",
        "error": type(error).__name__,
        "code": error.code,
        "platform_code": error.platform_code,
        "message": error.message,
    }


def storable(value: object) -> object:
    """JSON as PostgreSQL keeps it: no NUL, no half of a surrogate pair, no NaN, and nothing that is no JSON at all."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(storable(str(name))): storable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [storable(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, int) else str(value)


def _stamped(entry: Mapping[str, object]) -> dict[str, object]:
    cleaned = {name: storable(value) for name, value in entry.items()}
    return {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **cleaned}
