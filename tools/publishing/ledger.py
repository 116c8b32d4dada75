"""The ledger of one attempt: every line is one fenced statement in a transaction of its own, or nothing at all."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from db.engine import Database
from db.queries import publishing, turns
from db.queries.publishing import Ending
from db.queries.turns import Use, UsedUp
from platforms.base import Quota, Step
from platforms.errors import PlatformError
from tools.publishing.job import Job

_UNTIL = (
    "Nothing to do: Studio sends nothing of this account before {until:%Y-%m-%d %H:%M} UTC, then goes on by itself."
)


class LostLease(Exception):
    """Somebody else has claimed the post: nothing more may be written or sent."""


class QuotaUsedUp(Exception):
    """The network would refuse the call now, so it is not made; ``wait``: seconds until it takes one more."""

    def __init__(self, quota: Quota, wait: float) -> None:
        super().__init__(quota.name)
        self.quota = quota
        self.wait = wait


class Ledger:
    """Writes about jobs. Every method raises ``LostLease`` when the post is no longer ours, and then wrote nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, job: Job, step: Step, entry: Mapping[str, object]) -> None:
        """Say that a step's call is about to be made, and count it where the network counts such calls.

        Raises ``QuotaUsedUp``, and then nothing is written. A repeat of a call in doubt is still that call.
        """
        is_repeat = job.intent_at is not None and job.step_irreversible
        quotas = [each for each in job.adapter.manifest.quotas if each.is_used_by(step.name, job.content)]
        if is_repeat or not quotas:
            await self.intend(job, step, irreversible=step.irreversible, entry=entry)
            return
        async with self._database.session(job.workspace_id) as session:
            written = await turns.write_counted_intent(
                session,
                job.hold,
                uses=[Use(name=each.name, limit=each.limit, seconds=each.seconds) for each in quotas],
                attempt_id=job.attempt_id,
                step=step.name,
                irreversible=step.irreversible,
                entry=_stamped(entry),
            )
        if written is None:
            raise LostLease
        if isinstance(written, UsedUp):
            raise QuotaUsedUp(
                next(each for each in quotas if each.name == written.name), written.free_in.total_seconds()
            )
        job.step, job.step_irreversible, job.intent_at = step.name, step.irreversible, written

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
        job.sendings = 0

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

    async def end_and_hold(self, job: Job, ending: Ending) -> None:
        """End an attempt that waits for its network, and let nothing of the account go out before that time."""
        async with self._database.session(job.workspace_id) as session:
            until = await clock.now(session) + (ending.next_attempt_in or timedelta(0))
            told = {**(ending.error or {}), "action": _UNTIL.format(until=until)}
            written = await turns.hold_account(session, job.hold, until=until, error=told)
            if written:
                written = await publishing.finish(
                    session, job.hold, attempt_id=job.attempt_id, ending=replace(ending, error=told)
                )
        if not written:
            raise LostLease

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
