"""The publishing engine: claims due posts and walks each through its network's steps.

Every outward call is written down before it is made and after it is answered. A process killed anywhere leaves a row
that says which call may be on its way: whoever claims the post next goes on after it, or looks whether it happened,
and never repeats an irreversible call without evidence that it did not.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import timedelta

from core.errors import StudioError
from db.queries.publishing import Ending
from platforms.base import Done, Step
from platforms.errors import (
    PERMISSION_MISSING,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReconnectNeeded,
    TokenExpired,
    Transient,
)
from platforms.http import uptime
from scheduler.due import Claim
from tools.context import Doors
from tools.publishing.afterwards import give_up, pass_over, was_given_up
from tools.publishing.backoff import wait_for
from tools.publishing.calling import call
from tools.publishing.claiming import DuePosts
from tools.publishing.doubt import look, not_taken, settle_doubt, step_in_doubt
from tools.publishing.job import Changed, Job, end_if_stuck, new_reader, take_up
from tools.publishing.keeper import Keeper, Kept
from tools.publishing.ledger import Ledger, LostLease, QuotaUsedUp, storable, trouble_entry
from tools.publishing.refusals import is_doubtful, refusal
from tools.publishing.stops import left_untold
from tools.publishing.taken import is_taken, taken_by
from tools.publishing.tokens import ask_to_reconnect, refresh_token, token_given_meanwhile
from tools.publishing.turns import Turns
from tools.publishing.warnings import inbox_note, warning_kept

log = logging.getLogger("studio.publishing")

# A wait this short is slept through; a longer one gives the post back to the calendar.
_SHORT_WAIT = 1.0
# How often a post is read anew because somebody changed it before it began.
_READINGS = 10
# Two sendings of one call within the settle time: whatever is answered then, the first may still land.
_REPEATED = 2
# How often more is tried what comes after a post is live (its address, a comment); the progress counts it there.
_ASKED_AT_MOST = 6
_ASKED_WHEN_TAKEN = 12  # hours, where the network is away
_ASKED = "asked_again"
# Seconds: a live post is not kept "publishing" for the sake of its address while a network limits us for hours.
_ADDRESS_WAIT = 120.0


class PostWork:
    """Due posts, as ``scheduler.due.DueWork``."""

    topic = "posts"
    # Mostly they wait for the network; what they write meanwhile goes into few transactions (db.together).
    capacity = 1000

    def __init__(self, doors: Doors, stopping: asyncio.Event) -> None:
        self._doors = doors
        self._stopping = stopping
        self._due = DuePosts(doors)
        self._turns = Turns()
        self._reader = new_reader(doors.database)
        self._ledger = Ledger(doors.database)
        self._keeper = Keeper(doors.database, self._ledger, lease=doors.settings.publish_lease)

    async def claim(self, limit: int, *, sweep: bool) -> Sequence[Claim]:
        """Claim due posts, one of an account; a sweep looks at all that are due."""
        return await self._due.claim(limit, sweep=sweep)

    async def work(self, claim: Claim) -> None:
        """Take a claimed post as far as it goes now."""
        try:
            for _ in range(_READINGS):
                with contextlib.suppress(Changed):
                    await self._go(claim)
                    return
            log.warning("post %s changes all the time; it is taken up again when its lease ends", claim.id)
        except LostLease:
            log.info("post %s is no longer ours; leaving it", claim.id)
        except (StudioError, OSError) as error:
            # The lease runs out and the post is claimed again: nothing is lost by stopping here.
            log.warning("post %s: %s; it is taken up again when its lease ends", claim.id, error)
        except Exception:
            log.exception("post %s: unforeseen error; it is taken up again when its lease ends", claim.id)
            with contextlib.suppress(Exception):
                await end_if_stuck(self._doors, claim)
        finally:
            self._due.hint()

    async def _go(self, claim: Claim) -> None:
        turn = (claim.id, claim.fence)
        self._turns.enter(turn)
        try:
            job = await take_up(self._doors, self._reader, claim)
            if job is None:
                return
            if job.beginning is None:
                self._turns.over(turn)
            async with self._keeper.keeping(job) as kept:
                await self._walk(job, kept)
        finally:
            self._turns.over(turn)

    async def _walk(self, job: Job, kept: Kept) -> None:
        while True:
            if job.intent_at is not None and job.step_irreversible and not await self._settled(job):
                return
            action = job.adapter.next_step(job.content, job.progress)  # type: ignore[arg-type]
            if isinstance(action, Done):
                await self._posted(job, action)
                return
            if action.otherwise is not None and was_given_up(job, action):
                await self._posted(job, action.otherwise)
                return
            if not await self._waited(job, action) or not await self._performed(job, kept, action):
                return

    async def _settled(self, job: Job) -> bool:
        """Look what became of a doubtful call; True when the walk goes on at once."""
        step = step_in_doubt(job)
        verdict = await settle_doubt(self._doors, self._ledger, job)
        error = not_taken(job.adapter.manifest.title)
        if verdict == "waiting":
            return False
        if step is None or step.otherwise is None:
            if verdict == "not_posted":
                await self._try_later(job, error, counts=True)
            return verdict != "not_posted"
        if verdict == "unknown":
            why = f"{job.adapter.manifest.title} did not answer clearly."
            await give_up(self._ledger, job, step, why=why, is_known=False)
        return verdict != "not_posted" or await self._without(job, step, error, pause=False)

    async def _waited(self, job: Job, step: Step) -> bool:
        """Wait before a step that asks for it; False when the post was given back meanwhile."""
        already = job.step == step.name  # waited for, or begun when the wait was over
        if self._stopping.is_set():
            await self._ledger.give_back(job, step=None, delay=0.0)
            return False
        if step.delay <= 0 or already:
            return True
        if step.delay <= _SHORT_WAIT:
            await self._ledger.settle(job)
            await asyncio.sleep(step.delay)
            return True
        await self._ledger.give_back(job, step=step.name, delay=step.delay)
        return False

    async def _performed(self, job: Job, kept: Kept, step: Step) -> bool:
        """Make one outward call, written down before and after; False when the walk ends here."""
        sending = {"step": step.name, "event": "sending", "sends": dict(step.sends)}
        if job.beginning is None and not self._turns.is_free:
            await self._ledger.settle(job)
            await self._turns.give_way()
        # Before the intent, so that it lies before the lease that begins anew with it.
        begun = uptime()
        try:
            await self._ledger.begin(job, step, sending)
        except QuotaUsedUp as used_up:
            return await self._used_up(job, step, used_up)
        self._turns.over((job.hold.post_id, job.hold.fence))
        job.sendings += 1
        job.refusal = None
        try:
            learned = await call(job, kept, step, begun=begun)
        except PlatformError as error:
            return await self._trouble(job, step, error)
        shown = {name: "***" if name in step.conceals else value for name, value in learned.items()}
        job.progress.pop(_ASKED, None)
        # Written with the intent of the next call, or with the ending: nothing else comes between.
        self._ledger.learn(job, {**learned, **taken_by(step)}, {"step": step.name, "event": "done", "learned": shown})
        return True

    async def _trouble(self, job: Job, step: Step, error: PlatformError) -> bool:
        """Sort an error of a step; True when the walk goes on at once."""
        log.info("post %s: %s at %s: %s", job.hold.post_id, type(error).__name__, step.name, error.message)
        entry = trouble_entry(step.name, error)
        if isinstance(error, OutcomeUnknown) or (step.irreversible and await self._happened(job, step, error)):
            # A reversible call can be doubtful too: it met a post that is live.
            await self._ledger.intend(job, step, irreversible=True, entry=entry)
            job.refusal = refusal(entry)
            return True  # the walk looks first
        await self._ledger.advance(job, {}, entry)
        if error.start_over and step.otherwise is None:
            job.progress = {}
        if isinstance(error, TokenExpired | ReconnectNeeded):
            remaining = await self._renewed(job, error)
            if remaining is None:
                return True
            error = remaining
        return await self._concluded(job, step, error)

    async def _concluded(self, job: Job, step: Step, error: PlatformError) -> bool:
        """Do what an error asks for that is known not to have done anything; True when the walk goes on at once."""
        if step.otherwise is not None:
            if _is_dead(error):
                await ask_to_reconnect(self._doors, job)
            return await self._without(job, step, error, pause=True)
        if is_taken(job.progress):
            await self._ask_again(job, error)
            return False
        match error:
            case TokenExpired() | ReconnectNeeded():
                await self._fail(job, error, reconnect=True)
            case RateLimited():
                await self._try_later(job, error, counts=False, hold=True)
            case Transient():
                await self._try_later(job, error, counts=True)
            case _:
                await self._fail(job, error)
        return False

    async def _happened(self, job: Job, step: Step, error: PlatformError) -> bool:
        """Whether a refused call may have taken effect all the same: networks say no to what they did.

        After a second sending within the settle time every answer is doubtful: the first may still land. Where looking
        may show a post but never its absence, a no is believed when the settle time has shown nothing.
        """
        if isinstance(error, Transient) and not isinstance(error, RateLimited) and job.sendings < _REPEATED:
            return False  # it never left this machine
        if job.sendings >= _REPEATED:
            return True
        if isinstance(error, TokenExpired | ReconnectNeeded):
            return False  # whoever is not let in has done nothing, and may not look either
        outcome = (await look(self._doors, job)).outcome
        return outcome == "posted" or (outcome == "unknown" and is_doubtful(step, error))

    async def _ask_again(self, job: Job, error: PlatformError) -> None:
        """The network has the post and does not say how it stands: ask a while longer, then leave it to a person.

        Meanwhile nobody can edit it, and it is never called failed: whoever sent it again would double it.
        """
        asked = job.progress.get(_ASKED, 0)
        count = asked + 1 if isinstance(asked, int) else 1
        if _is_dead(error):
            await ask_to_reconnect(self._doors, job)
        elif count <= (_ASKED_WHEN_TAKEN if isinstance(error, Transient) else _ASKED_AT_MOST):
            await self._ledger.advance(job, {_ASKED: count}, {"event": "taken, asking again later"})
            await self._ledger.give_back(job, step=None, delay=wait_for(error, count))
            return
        await self._ledger.end(job, left_untold(job.adapter.manifest.title, error.message))

    async def _without(self, job: Job, step: Step, error: PlatformError, *, pause: bool) -> bool:
        """The post is live, only what comes after that is missing: try a few times more, then do without.

        True when the walk goes on at once; ``pause``: not before a while has passed.
        """
        asked = job.progress.get(_ASKED, 0)
        count = asked if isinstance(asked, int) else 0
        if isinstance(error, Transient) and count < _ASKED_AT_MOST:
            await self._ledger.advance(job, {_ASKED: count + 1}, {"event": "live, trying again later"})
            if pause:
                await self._ledger.give_back(job, step=None, delay=min(wait_for(error, count + 1), _ADDRESS_WAIT))
            return not pause
        job.progress.pop(_ASKED, None)  # what comes after it is asked as often
        if step.irreversible:
            reconnect = isinstance(error, TokenExpired | ReconnectNeeded)
            await give_up(self._ledger, job, step, why=error.message, reconnect=reconnect)
            return True
        # The walk goes on to what is left, such as a first comment; where nothing is, it ends by what is known.
        await pass_over(self._ledger, job, step)
        return True

    async def _renewed(self, job: Job, error: PlatformError) -> PlatformError | None:
        """Go on with another token, given by a person meanwhile or refreshed; else the error that is left."""
        try:
            newer = await token_given_meanwhile(self._doors, job)
            if newer is None and isinstance(error, TokenExpired) and not job.refreshed:
                job.refreshed = True
                newer = await refresh_token(self._doors, job)
        except PlatformError as refused:
            return refused
        if newer is None:
            return error
        job.credentials = newer
        return None

    async def _posted(self, job: Job, done: Done) -> None:
        ending = Ending(
            attempt_state="posted",
            post_status="posted",
            platform_post_id=done.platform_post_id,
            permalink=done.permalink,
            error=warning_kept(job.progress) or inbox_note(done),
        )
        await self._ledger.end(job, ending)
        log.info("post %s is live: %s", job.hold.post_id, done.permalink or done.note)

    async def _used_up(self, job: Job, step: Step, used_up: QuotaUsedUp) -> bool:
        """Wait for a quota that the network counts; True when the walk goes on at once."""
        title, quota = job.adapter.manifest.title, used_up.quota
        said = f"{title} takes at most {quota.limit} {quota.name} from an account, and they are used up."
        error = RateLimited(said, code="quota_used_up", retry_after=used_up.wait)
        log.info("post %s: %s", job.hold.post_id, said)
        if step.otherwise is not None:
            return await self._without(job, step, error, pause=True)
        await self._try_later(job, error, counts=False, hold=quota.is_for_all)
        return False

    async def _try_later(self, job: Job, error: PlatformError, *, counts: bool, hold: bool = False) -> None:
        """Give the post back to the calendar; ``hold``: the whole account waits until then."""
        ending = Ending(
            attempt_state="retry",
            post_status="scheduled",
            error=_kept(error),
            next_attempt_in=timedelta(seconds=wait_for(error, await self._ledger.tries(job) + 1)),
            progress=job.progress,
            counts=counts,
        )
        await (self._ledger.end_and_hold(job, ending) if hold else self._ledger.end(job, ending))

    async def _fail(self, job: Job, error: PlatformError, *, reconnect: bool = False) -> None:
        await self._ledger.end(job, Ending(attempt_state="failed", post_status="failed", error=_kept(error)))
        if reconnect:
            await ask_to_reconnect(self._doors, job)


def _kept(error: PlatformError) -> dict[str, object]:
    return {
        "code": error.code,
        "message": storable(error.message),
        "action": storable(error.action),
        "platform_code": error.platform_code,
    }


def _is_dead(error: PlatformError) -> bool:
    """Whether the account has to be connected again; it can do without what a live post is not allowed to have."""
    return isinstance(error, TokenExpired | ReconnectNeeded) and error.code != PERMISSION_MISSING
