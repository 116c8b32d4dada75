"""Who goes first: a post whose first call is not made yet is late already, one under way can wait a moment."""

import asyncio
import contextlib
from collections.abc import Hashable

# Seconds: where new posts come without end, those under way go on all the same.
_LONGEST_WAIT = 2.0


class Turns:
    """The posts of a process that have not begun, and the wait of those that have."""

    def __init__(self) -> None:
        self._waiting: set[Hashable] = set()
        self._nobody = asyncio.Event()
        self._nobody.set()

    @property
    def is_free(self) -> bool:
        """Whether nobody waits to begin."""
        return not self._waiting

    def enter(self, who: Hashable) -> None:
        """One more that has not begun."""
        self._waiting.add(who)
        self._nobody.clear()

    def over(self, who: Hashable) -> None:
        """It has begun, or never will; saying so again changes nothing."""
        self._waiting.discard(who)
        if not self._waiting:
            self._nobody.set()

    async def give_way(self) -> None:
        """Wait until nobody waits to begin, but not for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_WAIT):
                await self._nobody.wait()
