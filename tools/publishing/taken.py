"""A post that the network has taken: nothing is sent again, whatever is answered when it is asked how it stands."""

from collections.abc import Mapping

from platforms.base import Step

# Where the progress keeps that the irreversible step has happened; it goes with the progress when that begins anew.
_TAKEN = "taken"


def taken_by(step: Step | None) -> dict[str, object]:
    """What to keep of a step that has happened: steps after a post is live take nothing."""
    return {_TAKEN: True} if step is not None and step.irreversible and step.otherwise is None else {}


def is_taken(progress: Mapping[str, object]) -> bool:
    """Whether the network has the post: it is live, or on its way there, and no attempt may begin anew."""
    return progress.get(_TAKEN) is True
