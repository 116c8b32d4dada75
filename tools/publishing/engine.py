"""The publishing engine: claims due posts and walks each through its network's steps.

Every outward call is written down before it is made and after it is answered. A process killed anywhere leaves a row
that says which call may be on its way: whoever claims the post next goes on after it, or looks whether it happened,
and never repeats an irreversible call without evidence that it did not.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import StudioError
from db.queries import accounts, publishing
from db.queries.publishing import Ending
from platforms.base import Done, RepeatSafety, Step
from platforms.errors import (
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReconnectNeeded,
    Refused,
    TokenExpired,
    Transient,
)
from scheduler.due import Claim
from tools.context import Doors
from tools.publishing.backoff import pause
from tools.publishing.job import Job, take_up
from tools.publishing.tokens import refresh_token

log = logging.getLogger("studio.publishing")

# A wait this short is slept through; a longer one gives the post back to the calendar.
_SHORT_WAIT = 1.0
# How many settle times an unknown outcome is looked up for, before a person is asked.
_PATIENCE = 5
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class LostLease(Exception):
    """Somebody else has claimed the post: nothing more may be written or sent."""


class PostWork:
    """Due posts, as ``scheduler.due.DueWork``."""

    topic = "posts"
    capacity = 32

    def __init__(self, doors: Doors, stopping: asyncio.Event) -> None:
        self._doors = doors
        self._stopping = stopping
        self._watermark = _LONG_AGO

    async def claim(self, limit: int, *, sweep: bool) -> Sequence[Claim]:
        """Claim due posts; a sweep looks at all of them, else only at those due since a minute before the last look."""
        since = _LONG_AGO if sweep else self._watermark
        lease = timedelta(seconds=self._doors.settings.publish_lease)
        async with self._doors.database.outside() as session:
            rows = await publishing.claim(session, batch=limit, lease=lease, since=since)
            if len(rows) < limit:
                self._watermark = await clock.now(session) - timedelta(minutes=1)
        return [Claim(id=row.id, workspace_id=row.workspace_id, fence=row.fence) for row in rows]

    async def work(self, claim: Claim) -> None:
        """Take a claimed post as far as it goes now."""
        try:
            job = await take_up(self._doors, claim)
            if job is not None:
                async with self._renewing(job):
                    await self._walk(job)
        except LostLease:
            log.info("post %s is no longer ours; leaving it", claim.id)
        except (StudioError, OSError) as error:
            # The lease runs out and the post is claimed again: nothing is lost by stopping here.
            log.warning("post %s: %s; it is taken up again when its lease ends", claim.id, error)
        except Exception:
            log.exception("post %s: unforeseen error; it is taken up again when its lease ends", claim.id)

    async def _walk(self, job: Job) -> None:
        while True:
            if job.intent_at is not None and job.step_irreversible and not await self._looked(job):
                return
            action = job.adapter.next_step(job.content, job.progress)  # type: ignore[arg-type]
            if isinstance(action, Done):
                await self._posted(job, action)
                return
            if not await self._waited(job, action):
                return
            if not await self._performed(job, action):
                return

    async def _waited(self, job: Job, step: Step) -> bool:
        """Wait before a step that asks for it; False when the post was given back meanwhile."""
        already = job.step == step.name and job.intent_at is None
        if self._stopping.is_set():
            await self._write(job, lambda session: self._give_back(session, job, None, 0.0))
            return False
        if step.delay <= 0 or already:
            return True
        if step.delay <= _SHORT_WAIT:
            await asyncio.sleep(step.delay)
            return True
        await self._write(job, lambda session: self._give_back(session, job, step.name, step.delay))
        return False

    async def _performed(self, job: Job, step: Step) -> bool:
        """Make one outward call, written down before and after; False when the walk ends here."""
        entry: dict[str, object] = {"step": step.name, "at": _stamp(), "event": "sending", "sends": dict(step.sends)}
        await self._write(
            job,
            lambda session: publishing.write_intent(
                session,
                job.hold,
                attempt_id=job.attempt_id,
                step=step.name,
                irreversible=step.irreversible,
                entry=entry,
            ),
        )
        job.step, job.step_irreversible, job.intent_at = step.name, step.irreversible, datetime.now(UTC)
        try:
            learned = await self._call(job, step)
        except PlatformError as error:
            return await self._trouble(job, step, error)
        await self._advance(job, dict(learned), {"step": step.name, "event": "done", "learned": dict(learned)})
        return True

    async def _call(self, job: Job, step: Step) -> dict[str, object]:
        if not step.irreversible:
            return dict(await job.adapter.perform(step, job.publish()))
        # An irreversible call ends before the lease that was renewed with its intent does: nobody else sends meanwhile.
        try:
            async with asyncio.timeout(self._doors.settings.publish_lease * 0.8):
                return dict(await job.adapter.perform(step, job.publish()))
        except TimeoutError as error:
            raise OutcomeUnknown(f"{job.adapter.manifest.title} did not answer in time.") from error

    async def _advance(self, job: Job, learned: Mapping[str, object], entry: Mapping[str, object]) -> None:
        progress = {**job.progress, **learned}
        await self._write(
            job,
            lambda session: publishing.write_result(
                session, job.hold, attempt_id=job.attempt_id, progress=progress, entry={"at": _stamp(), **entry}
            ),
        )
        job.progress, job.step, job.step_irreversible, job.intent_at = progress, None, False, None

    async def _trouble(self, job: Job, step: Step, error: PlatformError) -> bool:
        """Sort an error of a step; True when the walk goes on at once."""
        log.info("post %s: %s at %s: %s", job.hold.post_id, type(error).__name__, step.name, error.message)
        entry: dict[str, object] = {
            "step": step.name, "event": "error", "error": type(error).__name__, "code": error.code,
            "platform_code": error.platform_code, "message": error.message,
        }  # fmt: skip
        if isinstance(error, OutcomeUnknown):
            await self._mark_doubtful(job, step, {"at": _stamp(), **entry})
            return True  # the walk looks first
        await self._advance(job, {}, entry)
        if error.start_over:
            job.progress = {}
        match error:
            case TokenExpired() if not job.refreshed:
                return await self._refreshed(job)
            case TokenExpired() | ReconnectNeeded():
                await self._fail(job, error, reconnect=True)
            case Refused():
                await self._fail(job, error)
            case RateLimited():
                await self._try_later(job, error, counts=False)
            case Transient():
                await self._try_later(job, error, counts=True)
            case _:
                await self._fail(job, error)
        return False

    async def _mark_doubtful(self, job: Job, step: Step, entry: dict[str, object]) -> None:
        """Keep the call as one that may have happened. A reversible one can be doubtful too: it met a live post."""
        await self._write(
            job,
            lambda session: publishing.write_intent(
                session, job.hold, attempt_id=job.attempt_id, step=step.name, irreversible=True, entry=entry
            ),
        )
        job.step_irreversible = True

    async def _looked(self, job: Job) -> bool:
        """Find out what became of an irreversible call; True when the walk may go on from what was found."""
        assert job.intent_at is not None
        settle = self._doors.settings.settle_time
        try:
            finding = await job.adapter.find(job.publish())
            outcome, evidence, learned = finding.outcome, dict(finding.evidence), dict(finding.progress)
            start_over = finding.start_over
        except TokenExpired as error:
            if not job.refreshed and await self._refreshed(job):
                return await self._looked(job)
            outcome, evidence, learned, start_over = "unknown", {"error": error.message}, {}, False
        except PlatformError as error:
            outcome, evidence, learned, start_over = "unknown", {"error": error.message}, {}, False
        age = await self._intent_age(job)
        entry: dict[str, object] = {"step": job.step, "event": f"looked: {outcome}", "evidence": evidence}
        if outcome == "posted":
            await self._advance(job, learned, entry)
            return True
        # A container publishes once only, so a late first call and our second cannot both succeed: no need to wait.
        settled = age >= settle or self._repeat_safety(job) in {RepeatSafety.WITNESS, RepeatSafety.OWN_ID}
        if outcome == "not_posted" and settled:
            if start_over:
                job.progress = {}
            await self._advance(job, {}, entry)
            return True
        await self._keep_looking(job, age, entry, outcome)
        return False

    async def _keep_looking(self, job: Job, age: float, entry: dict[str, object], outcome: str) -> None:
        settle = self._doors.settings.settle_time
        await self._write(
            job,
            lambda session: publishing.note(
                session, job.hold, attempt_id=job.attempt_id, entry={"at": _stamp(), **entry}
            ),
        )
        if age >= settle * _PATIENCE and outcome == "unknown":
            title = job.adapter.manifest.title
            error: dict[str, object] = {
                "code": "outcome_unknown",
                "message": f"{title} did not answer clearly, and looking at the account did not settle it.",
                "action": "Look at the account: say whether the post is there, or whether to send it again or drop it.",
            }
            await self._end(job, Ending(attempt_state="unconfirmed", post_status="unconfirmed", error=error))
            return
        delay = max(1.0, min(settle / 4, settle - age if age < settle else settle / 4))
        await self._write(job, lambda session: self._give_back(session, job, None, delay))

    def _repeat_safety(self, job: Job) -> RepeatSafety:
        action = job.adapter.next_step(job.content, job.progress)  # type: ignore[arg-type]
        return action.repeat if isinstance(action, Step) and action.name == job.step else RepeatSafety.NONE

    async def _intent_age(self, job: Job) -> float:
        assert job.intent_at is not None
        async with self._doors.database.outside() as session:
            return (await clock.now(session) - job.intent_at).total_seconds()

    async def _refreshed(self, job: Job) -> bool:
        """Refresh the token once per attempt; True when the walk can go on with the new one."""
        job.refreshed = True
        try:
            job.credentials = await refresh_token(self._doors, job)
        except Refused as error:
            await self._fail(job, error, reconnect=True)
        except PlatformError as error:
            await self._try_later(job, error, counts=True)
        else:
            return True
        return False

    async def _posted(self, job: Job, done: Done) -> None:
        ending = Ending(
            attempt_state="posted",
            post_status="posted",
            platform_post_id=done.platform_post_id,
            permalink=done.permalink,
        )
        await self._end(job, ending)
        log.info("post %s is live: %s", job.hold.post_id, done.permalink or done.note)

    async def _try_later(self, job: Job, error: PlatformError, *, counts: bool) -> None:
        delay = error.retry_after if error.retry_after is not None else pause(job.attempt_number)
        ending = Ending(
            attempt_state="retry",
            post_status="scheduled",
            error=_kept(error),
            next_attempt_in=timedelta(seconds=delay),
            progress=job.progress,
            counts=counts,
        )
        await self._end(job, ending)

    async def _fail(self, job: Job, error: PlatformError, *, reconnect: bool = False) -> None:
        await self._end(job, Ending(attempt_state="failed", post_status="failed", error=_kept(error)))
        if reconnect:
            async with self._doors.database.session(job.workspace_id) as session:
                account = await accounts.get(session, job.account_id)
                if account is not None and account.status == "connected":
                    account.status = "reconnect"

    async def _end(self, job: Job, ending: Ending) -> None:
        await self._write(
            job,
            lambda session: publishing.finish(session, job.hold, attempt_id=job.attempt_id, ending=ending),
        )

    def _give_back(self, session: AsyncSession, job: Job, step: str | None, delay: float) -> Awaitable[bool]:
        return publishing.wait(session, job.hold, attempt_id=job.attempt_id, step=step, delay=timedelta(seconds=delay))

    async def _write(self, job: Job, statement: Callable[[AsyncSession], Awaitable[bool]]) -> None:
        """One fenced statement in a transaction of its own; raises ``LostLease`` when it wrote nothing."""
        async with self._doors.database.session(job.workspace_id) as session:
            if not await statement(session):
                raise LostLease

    @contextlib.asynccontextmanager
    async def _renewing(self, job: Job) -> AsyncIterator[None]:
        """Keep the lease while work goes on; a lost one ends the work."""
        lease = self._doors.settings.publish_lease
        owner = asyncio.current_task()
        lost = False

        async def renew() -> None:
            nonlocal lost
            while True:
                await asyncio.sleep(lease / 3)
                try:
                    await self._write(job, lambda session: publishing.renew(session, job.hold))
                except LostLease:
                    lost = True
                    if owner is not None:
                        owner.cancel()
                    return

        task = asyncio.create_task(renew())
        try:
            yield
        except asyncio.CancelledError:
            if lost:
                raise LostLease from None
            raise
        finally:
            task.cancel()


def _kept(error: PlatformError) -> dict[str, object]:
    return {
        "code": error.code,
        "message": error.message,
        "action": error.action,
        "platform_code": error.platform_code,
    }


def _stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
