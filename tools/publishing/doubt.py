"""Doubt: an irreversible call whose outcome is unknown. The network is asked; nothing is repeated without evidence."""

import logging
from dataclasses import dataclass, field
from typing import Literal

from core.jsontypes import JsonObject
from db.queries.publishing import Ending
from platforms.base import Finding, RepeatSafety, Step
from platforms.errors import ContentRefused, OutcomeUnknown, PlatformError, RateLimited, TokenExpired, Transient
from tools.context import Doors
from tools.publishing.backoff import wait_for
from tools.publishing.job import Job
from tools.publishing.ledger import Ledger
from tools.publishing.stops import left_in_doubt
from tools.publishing.taken import taken_by
from tools.publishing.tokens import refresh_token

log = logging.getLogger("studio.publishing")

# How many settle times an unknown outcome is looked up for, and how often at least, before a person is asked: after an
# outage the first look may come late, and fail because the network is not there yet either.
_PATIENCE = 5
_LOOKS = 5
# Where a late first call and a second one cannot both succeed, it is sent this often before the settle time is over.
_SENDINGS = 2
# Seconds: a live post is looked at again this soon, whatever the network asks for.
_LIVE_WAIT = 120.0
_ONCE_ONLY = frozenset({RepeatSafety.WITNESS, RepeatSafety.OWN_ID})


@dataclass(frozen=True, kw_only=True)
class Look:
    """What the network says of a call: ``learned`` goes into the progress when it was posted.

    ``wait``: seconds after which the network may be asked, when it said that it was asked too much; else None.
    """

    outcome: Literal["posted", "not_posted", "unknown"]
    evidence: JsonObject
    learned: JsonObject = field(default_factory=dict)
    start_over: bool = False
    refused: str | None = None
    wait: float | None = None


Verdict = Literal["posted", "not_posted", "repeat", "waiting", "unknown"]


async def settle_doubt(doors: Doors, ledger: Ledger, job: Job) -> Verdict:
    """Look what became of the call and write down what was found.

    "posted": the walk goes on from what was learned. "not_posted": it did not happen, and cannot any more. "repeat": it
    may be made once more at once, as the network takes it once only. "waiting": the post was given back to be looked at
    later, left to a person as unconfirmed, or has failed where a repeat would be refused. "unknown": it came after the
    post was live, and the walk goes on without knowing. Until the settle time is over the post stays where nobody can
    edit it.
    """
    step = step_in_doubt(job)
    is_live = step is not None and step.otherwise is not None
    found = await look(doors, job)
    age, settle = await ledger.intent_age(job), doors.settings.settle_time
    entry = {"step": job.step, "event": f"looked: {found.outcome}", "evidence": dict(found.evidence)}
    if found.outcome == "posted":
        await ledger.advance(job, {**found.learned, **taken_by(step)}, entry)
        return "posted"
    if found.outcome == "not_posted" and age >= settle:
        if found.start_over and not is_live:
            job.progress = {}
        await ledger.advance(job, {}, entry)
        if found.refused is not None and not is_live:
            await ledger.end(job, _refused(found.refused))
            return "waiting"
        return "not_posted"
    await ledger.note(job, entry)
    job.looks += 1
    once_only = step is not None and step.repeat in _ONCE_ONLY
    if found.outcome == "not_posted" and once_only and not found.start_over and job.sendings < _SENDINGS:
        return "repeat"
    return await _wait(doors, ledger, job, found, age=age, is_live=is_live)


async def _wait(doors: Doors, ledger: Ledger, job: Job, found: Look, *, age: float, is_live: bool) -> Verdict:
    """Give the post back to be looked at later; or end it, when looking longer would tell nothing."""
    settle = doors.settings.settle_time
    if found.outcome == "unknown" and found.wait is None and job.refusal is not None and age >= settle:
        await ledger.end(job, Ending(attempt_state="failed", post_status="failed", error=job.refusal))
        return "waiting"
    # A limit ends: it is waited for, as long as anything is, before a person is asked; but not with a live post.
    patience = settle * _PATIENCE if found.wait is None or is_live else doors.settings.publish_grace
    if found.outcome == "unknown" and age >= patience and job.looks >= _LOOKS:
        if is_live:
            return "unknown"
        await ledger.end(job, _unconfirmed(job.adapter.manifest.title))
    else:
        asked = min(found.wait or 0.0, _LIVE_WAIT) if is_live else found.wait or 0.0
        await ledger.give_back(job, step=None, delay=max(asked, _next_look(age, settle)))
    return "waiting"


async def look(doors: Doors, job: Job) -> Look:
    """Ask the network. A token that has expired is refreshed for it; whatever else goes wrong leaves it unknown."""
    try:
        try:
            finding = await _ask(job)
        except TokenExpired:
            if job.refreshed:
                raise
            job.refreshed = True
            job.credentials = await refresh_token(doors, job)
            finding = await _ask(job)
    except RateLimited as error:
        return Look(outcome="unknown", evidence={"error": error.message}, wait=wait_for(error, 1))
    except PlatformError as error:
        return Look(outcome="unknown", evidence={"error": error.message})
    return Look(
        outcome=finding.outcome,
        evidence=finding.evidence,
        learned=finding.progress,
        start_over=finding.start_over,
        refused=finding.refused,
    )


async def _ask(job: Job) -> Finding:
    try:
        return await job.adapter.find(job.publish())
    except PlatformError:
        raise
    except Exception as error:
        log.exception("post %s: unforeseen error while looking", job.hold.post_id)
        raise OutcomeUnknown(f"Studio could not look ({type(error).__name__}).") from error


def step_in_doubt(job: Job) -> Step | None:
    """The step that may have happened, as the adapter describes it; None when it would do another one now."""
    action = job.adapter.next_step(job.content, job.progress)  # type: ignore[arg-type]
    return action if isinstance(action, Step) and action.name == job.step else None


def _next_look(age: float, settle: float) -> float:
    """Seconds: four looks in a settle time, one right at its end, and at that pace ever after."""
    pause = settle / 4
    return max(1.0, min(pause, settle - age) if age < settle else pause)


def not_taken(title: str) -> Transient:
    """The error of a call that is known not to have happened after all."""
    return Transient(f"{title} did not take the post at this attempt.", code="not_taken")


def _refused(why: str) -> Ending:
    refusal = ContentRefused(why, code="duplicate", action="Change the words, or publish it later.")
    error: dict[str, object] = {
        "code": refusal.code,
        "message": refusal.message,
        "action": refusal.action,
        "platform_code": None,
    }
    return Ending(attempt_state="failed", post_status="failed", error=error)


def _unconfirmed(title: str) -> Ending:
    return left_in_doubt(title, "it did not answer clearly, and looking at the account did not settle it.")
