"""Which free posting times a plan takes: spread evenly over the accounts and the days (pure)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from core.when.resolve import Moment

KeyT = TypeVar("KeyT")


def free_slots(slots: Sequence[Moment], taken: Sequence[datetime], *, apart: timedelta) -> list[Moment]:
    """The slots that are at least ``apart`` from what is taken and from each other, the earlier one kept."""
    free: list[Moment] = []
    for slot in sorted(slots, key=lambda moment: moment.instant):
        near = [*taken, *(other.instant for other in free[-1:])]
        if all(abs(slot.instant - other) >= apart for other in near):
            free.append(slot)
    return free


def spread(free: Mapping[KeyT, Sequence[Moment]], count: int) -> list[tuple[KeyT, Moment]]:
    """At most ``count`` of the free slots, in order of time: accounts take turns, and each one's are evenly spaced."""
    shares = dict.fromkeys(free, 0)
    left = min(count, sum(len(slots) for slots in free.values()))
    while left > 0:
        for account, slots in free.items():
            if left > 0 and shares[account] < len(slots):
                shares[account] += 1
                left -= 1
    chosen = [(account, slot) for account, slots in free.items() for slot in evenly(slots, shares[account])]
    return sorted(chosen, key=lambda pair: pair[1].instant)


def evenly(slots: Sequence[Moment], count: int) -> list[Moment]:
    """``count`` of the slots, each from the middle of its own equal part of them; ``count`` is at most their number."""
    return [slots[(2 * number + 1) * len(slots) // (2 * count)] for number in range(count)]
