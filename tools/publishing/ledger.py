"""The ledger of one attempt: every line is written whole, under the fence of its claim, or not at all."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from core import clock
from db.engine import Database
from db.queries import lines, publishing, turns
from db.queries.lines import Line, Written
from db.queries.publishing import Ending
from db.queries.turns import Use, UsedUp
from db.together import Together
from platforms.base import Quota, Step
from platforms.errors import PlatformError
from tools.publishing.job import Changed, Job

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
    """Writes about jobs. Every method raises ``LostLease`` when the post is no longer ours, and then wrote nothing.

    What many jobs write at the same time goes into one transaction; each is answered when it is committed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lines: Together[Line, Written | None] = Together(database, lines.write, most=200)

    async def begin(self, job: Job, step: Step, entry: Mapping[str, object]) -> None:
        """Say that a step's call is about to be made, and count it where the network counts such calls.

        Raises ``QuotaUsedUp``, and then nothing is written. A repeat of a call in doubt is still that call.
        """
        is_repeat = job.intent_at is not None and job.step_irreversible
        quotas = [each for each in job.adapter.manifest.quotas if each.is_used_by(step.name, job.content)]
        if is_repeat or not quotas:
            await self.intend(job, step, irreversible=step.irreversible, entry=entry)
            return
        await self._begin(job)
        await self.settle(job)
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
        job.renewed = asyncio.get_running_loop().time()

    async def intend(self, job: Job, step: Step, *, irreversible: bool, entry: Mapping[str, object]) -> None:
        """Say which call is about to be made, or may have happened; the lease begins anew. The time is PostgreSQL's.

        The first line of a new attempt begins it: raises ``Changed`` when the post is not as it was read.
        """
        written = await self._write(job, _Saying(entry=entry, call="sent", step=step.name, irreversible=irreversible))
        job.step, job.step_irreversible, job.intent_at = step.name, irreversible, written.intent_at

    def learn(self, job: Job, learned: Mapping[str, object], entry: Mapping[str, object]) -> None:
        """Say what came of the call with the next line that is written; that has to be at once."""
        job.progress = {**job.progress, **{name: storable(value) for name, value in learned.items()}}
        job.unwritten.append(_stamped(entry))
        job.step, job.step_irreversible, job.intent_at = None, False, None
        job.sendings = job.looks = 0

    async def settle(self, job: Job) -> None:
        """Write down what was learned and is not written yet."""
        if job.unwritten:
            await self._write(job, _Saying())

    async def advance(self, job: Job, learned: Mapping[str, object], entry: Mapping[str, object]) -> None:
        """Say what came of the call: it is no longer on its way, and this is known now."""
        self.learn(job, learned, entry)
        await self.settle(job)

    async def note(self, job: Job, entry: Mapping[str, object]) -> None:
        """Add evidence; a call that may be on its way stays so."""
        await self._write(job, _Saying(entry=entry))

    async def give_back(self, job: Job, *, step: str | None, delay: float) -> None:
        """Leave the post to whoever claims it after ``delay`` seconds; ``step``: what it waits for, None = as it is."""
        if job.beginning is not None and step is None:
            async with self._database.session(job.workspace_id) as session:
                await publishing.release(session, job.hold)
            return
        await self._begin(job)
        await self._write(job, _Saying(step=step, pause=timedelta(seconds=delay)))

    async def end(self, job: Job, ending: Ending) -> None:
        """End the attempt and move the post on."""
        await self._begin(job)
        await self._write(job, _Saying(call="kept" if ending.attempt_state == "unconfirmed" else "none", ending=ending))

    async def end_and_hold(self, job: Job, ending: Ending) -> None:
        """End an attempt that waits for its network, and let nothing of the account go out before that time.

        The hold is written first: a process that is killed in between leaves a post that waits with its account.
        """
        await self._begin(job)
        async with self._database.session(job.workspace_id) as session:
            until = await clock.now(session) + (ending.next_attempt_in or timedelta(0))
            told = {**(ending.error or {}), "action": _UNTIL.format(until=until)}
            if not await turns.hold_account(session, job.hold, until=until, error=told):
                raise LostLease
        await self.end(job, replace(ending, error=told))

    async def tries(self, job: Job) -> int:
        """How many attempts at this content for this time have ended in waiting, for a quota too."""
        async with self._database.session(job.workspace_id) as session:
            return await publishing.tries(session, job.hold.post_id, job.content_hash)

    async def intent_age(self, job: Job) -> float:
        """Seconds since the call that may be on its way was written down, by PostgreSQL's clock."""
        assert job.intent_at is not None
        async with self._database.outside() as session:
            return (await clock.now(session) - job.intent_at).total_seconds()

    async def _begin(self, job: Job) -> None:
        if job.beginning is not None:
            await self._write(job, _Saying())

    async def _write(self, job: Job, saying: "_Saying") -> Written:
        ending, learned = saying.ending, bool(job.unwritten)
        entries = [*job.unwritten, *([_stamped(saying.entry)] if saying.entry is not None else ())]
        progress = ending.progress if ending is not None else None
        line = Line(
            workspace_id=job.workspace_id,
            post_id=job.hold.post_id,
            fence=job.hold.fence,
            lease=job.hold.lease,
            attempt_id=job.attempt_id,
            entries=entries,
            progress=job.progress if progress is None and learned else progress,
            call="none" if learned and saying.call == "kept" else saying.call,
            step=saying.step,
            irreversible=saying.irreversible,
            pause=saying.pause,
            ending=ending,
            beginning=job.beginning,
        )
        written = await self._lines.ask(line)
        if written is None:
            raise LostLease if job.beginning is None else Changed
        if job.beginning is not None:
            job.beginning, job.started_at = None, written.started_at
        job.unwritten, job.renewed = [], asyncio.get_running_loop().time()
        return written


@dataclass(frozen=True, kw_only=True)
class _Saying:
    """What one line says, beside what was learned before; see ``db.queries.lines.Line``."""

    entry: Mapping[str, object] | None = None
    call: Literal["sent", "none", "kept"] = "kept"
    step: str | None = None
    irreversible: bool = False
    pause: timedelta | None = None
    ending: Ending | None = None


def trouble_entry(step: str | None, error: PlatformError) -> dict[str, object]:
    """An error as evidence."""
    return {
        "step": step,
        "event": "error",
        "error": type(error).__name__,
        "code": error.code,
        "platform_code": error.platform_code,
        "message": error.message,
        "action": error.action,
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
