"""How long to wait before the next try."""

import math
import random

from platforms.errors import PlatformError

# Seconds: 5 s doubled twice, then minutes to an hour.
_PAUSES = (5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)
_JITTER = 0.2
# The longest wait that a network can make us take, in seconds: a day.
_LONGEST_WAIT = 86_400.0


def pause(attempt: int) -> float:
    """Seconds before the try after the ``attempt``-th (from 1), spread by up to a fifth so that crowds thin out."""
    planned = _PAUSES[min(max(attempt, 1), len(_PAUSES)) - 1]
    return planned * (1 + random.uniform(0, _JITTER))  # noqa: S311 - spreading load, no secret


def wait_for(error: PlatformError, attempt: int) -> float:
    """Seconds before the try after the ``attempt``-th: what the network asks for, within reason, else our own pause."""
    asked = error.retry_after
    if asked is None or math.isnan(asked):
        return pause(attempt)
    return min(max(asked, 0.0), _LONGEST_WAIT)
