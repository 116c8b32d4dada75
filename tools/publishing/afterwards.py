"""Steps after the post is live, its address or a first comment: given up in the end, and never the post with them."""

from collections.abc import Mapping, Sequence

from platforms.base import Step
from tools.publishing.job import Job
from tools.publishing.ledger import Ledger
from tools.publishing.warnings import GIVEN_UP, WARNING, warning


def was_given_up(job: Job, step: Step) -> bool:
    """Whether the walk goes on without this step."""
    return step.otherwise is not None and step.name in _given_up(job.progress)


async def give_up(
    ledger: Ledger, job: Job, step: Step, *, why: str, is_known: bool = True, reconnect: bool = False
) -> None:
    """Go on without a step; ``is_known``: that it did not happen, else nobody can say. ``reconnect``: see warning."""
    learned = {
        GIVEN_UP: [*_given_up(job.progress), step.name],
        WARNING: warning(step, why=why, is_known=is_known, reconnect=reconnect),
    }
    await ledger.advance(job, learned, {"step": step.name, "event": "given up; the post is live without it"})


async def pass_over(ledger: Ledger, job: Job, step: Step) -> None:
    """Go on without what a step would have told of the live post: nothing that people could miss."""
    learned = {GIVEN_UP: [*_given_up(job.progress), step.name]}
    await ledger.advance(job, learned, {"step": step.name, "event": "given up; what comes after it goes on"})


def _given_up(progress: Mapping[str, object]) -> tuple[str, ...]:
    names = progress.get(GIVEN_UP)
    return tuple(str(name) for name in names) if isinstance(names, Sequence) and not isinstance(names, str) else ()
