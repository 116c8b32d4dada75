"""How long to wait before the next try."""

import random

# Seconds: 5 s doubled twice, then minutes to an hour.
_PAUSES = (5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)
_JITTER = 0.2


def pause(attempt: int) -> float:
    """Seconds before the try after the ``attempt``-th (from 1), spread by up to a fifth so that crowds thin out."""
    planned = _PAUSES[min(max(attempt, 1), len(_PAUSES)) - 1]
    return planned * (1 + random.uniform(0, _JITTER))  # noqa: S311 - spreading load, no secret
