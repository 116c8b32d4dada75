"""One outward call of a step: bounded by the lease, and whatever goes wrong is one of the platforms' conditions."""

import logging

from core.errors import StudioError, Unavailable
from platforms.base import Step
from platforms.errors import OutcomeUnknown, PlatformError, Refused, Transient
from tools.publishing.job import Job
from tools.publishing.keeper import Kept

log = logging.getLogger("studio.publishing")


async def call(job: Job, kept: Kept, step: Step, *, begun: float) -> dict[str, object]:
    """The step's outward call. Whatever goes wrong in it is one of the platforms' conditions afterwards."""
    try:
        async with kept.bounding(step, begun=begun):
            return dict(await job.adapter.perform(step, job.publish()))
    except PlatformError:
        raise
    except TimeoutError as error:
        raise OutcomeUnknown(f"{job.adapter.manifest.title} did not answer in time.") from error
    except Unavailable as error:
        raise _own_trouble(step, error.message) from error
    except StudioError as error:
        if step.irreversible:
            raise OutcomeUnknown(error.message) from error
        raise Refused(error.message, code=error.code, action=error.action) from error
    except Exception as error:
        log.exception("post %s: unforeseen error at %s", job.hold.post_id, step.name)
        raise _own_trouble(step, "Something unforeseen went wrong inside Studio.") from error


def _own_trouble(step: Step, message: str) -> PlatformError:
    """A failure on our side of the call: nothing was sent before a reversible one ended, else nobody knows."""
    return OutcomeUnknown(message) if step.irreversible else Transient(message, code="internal_error")
