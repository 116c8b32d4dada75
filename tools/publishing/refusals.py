"""A network's no to a call that may have taken effect all the same: kept with the evidence, and believed in the end."""

from collections.abc import Mapping, Sequence

from platforms.base import RepeatSafety, Step
from platforms.errors import AccountBlocked, ContentRefused, PlatformError, Refused

_NOES = (Refused, ContentRefused, AccountBlocked)
_NAMES = frozenset(each.__name__ for each in _NOES)


def is_doubtful(step: Step, error: PlatformError) -> bool:
    """Whether a no to this step is believed only when the settle time has shown nothing.

    So where looking may show a post but never its absence: what was refused may be live and not listed yet.
    """
    return step.repeat is RepeatSafety.LOOK and step.otherwise is None and type(error) in _NOES


def refusal(entry: Mapping[str, object]) -> dict[str, object] | None:
    """A line of the evidence as a post's last error bears it; None when it is no refusal."""
    if entry.get("event") != "error" or entry.get("error") not in _NAMES:
        return None
    return {name: entry.get(name) for name in ("code", "message", "action", "platform_code")}


def refusal_kept(steps: Sequence[Mapping[str, object]], step: str | None) -> dict[str, object] | None:
    """The no to the newest sending of a step, by the evidence; None when it was answered otherwise, or not."""
    for entry in reversed(steps):
        if entry.get("step") == step and (found := refusal(entry)) is not None:
            return found
        if entry.get("event") == "sending":
            return None
    return None
