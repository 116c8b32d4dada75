"""Defects that the sweep has to see: each is put into the running code, and only here."""

from collections.abc import Callable, Mapping

import pytest

from platforms.base import Step
from scheduler.due import Claim
from tools.context import Doors
from tools.publishing import doubt, engine
from tools.publishing.doubt import Look
from tools.publishing.job import Job, Reader, take_up
from tools.publishing.ledger import Ledger


def _nothing_written_ahead(patch: pytest.MonkeyPatch) -> None:
    """An irreversible call is written down as if it could be repeated."""
    original = Ledger.intend

    async def intend(self: Ledger, job: Job, step: Step, *, irreversible: bool, entry: Mapping[str, object]) -> None:
        await original(self, job, step, irreversible=False, entry=entry)

    async def begin(self: Ledger, job: Job, step: Step, entry: Mapping[str, object]) -> None:
        await intend(self, job, step, irreversible=False, entry=entry)

    patch.setattr(Ledger, "intend", intend)
    patch.setattr(Ledger, "begin", begin)


def _nobody_looks(patch: pytest.MonkeyPatch) -> None:
    """What may have happened is taken for not done."""

    async def look(doors: Doors, job: Job) -> Look:
        return Look(outcome="not_posted", evidence={})

    patch.setattr(doubt, "look", look)
    patch.setattr(engine, "look", look)


def _no_attempt_is_continued(patch: pytest.MonkeyPatch) -> None:
    """A process that comes back to a half-done post leaves it lying."""

    async def take_up_the_new(doors: Doors, reader: Reader, claim: Claim) -> Job | None:
        job = await take_up(doors, reader, claim)
        return None if job is not None and job.step is not None else job

    patch.setattr(engine, "take_up", take_up_the_new)


MUTANTS: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    "nothing is written ahead": _nothing_written_ahead,
    "nobody looks": _nobody_looks,
    "no attempt is continued": _no_attempt_is_continued,
}


def mutate(name: str) -> Callable[[], None]:
    """Put a defect in ("" = none); answers what takes it out again."""
    patch = pytest.MonkeyPatch()
    if name:
        MUTANTS[name](patch)
    return patch.undo
