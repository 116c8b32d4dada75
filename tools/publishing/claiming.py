"""Claiming due posts: where the next look begins, so that it stays fast while a backlog is worked off."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from core import clock
from db.queries import publishing
from db.queries.publishing import Claimed, Position
from scheduler.due import Claim
from tools.context import Doors

_BEGINNING = Position(due=datetime(2000, 1, 1, tzinfo=UTC))
# What a slow transaction makes due lies behind the present by less than this; what lies deeper is the sweep's.
_MARGIN = timedelta(minutes=1)
# Seconds: while there is a backlog, what has become due behind the place we are at is looked for this often.
_LOOK_BACK = 1.0
# Posts of one statement: a claim of more is made of several, each of a few milliseconds.
_BATCH = 100
# How many posts are looked at once when most of them wait for a turn: those of one account may be thousands.
_WIDE = 500


class DuePosts:
    """The look-out of one process.

    PostgreSQL cannot clear away what was claimed while a snapshot is held open elsewhere (a backup): a look that begins
    behind it would walk over all of it again and again. So each begins where the last one ended.
    """

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._floor = _BEGINNING
        self._place: Position | None = None
        self._look_back_at = 0.0
        self._waiting = 0

    async def claim(self, limit: int, *, sweep: bool) -> Sequence[Claim]:
        """Claim at most ``limit`` due posts, one of each account; a sweep looks at all that are due."""
        claims: list[Claim] = []
        begin, wide = self._beginning(sweep=sweep), None
        while len(claims) < limit:
            room = min(limit - len(claims), _BATCH)
            found = await self._look(room, begin, wide)
            claims += [Claim(id=row.id, workspace_id=row.workspace_id, fence=row.fence) for row in found.rows]
            self._waiting += found.passed
            if not found.passed and len(found.rows) < room:
                break
            # What was looked at and not touched lies behind ``last`` only in a wide look: that begins where it was.
            begin = begin if wide or found.last is None else found.last
            wide = _WIDE if found.passed else None
        return claims

    def hint(self) -> None:
        """A post has ended: if others were seen to wait, one of them may have the turn now."""
        if self._waiting:
            self._waiting -= 1
            self._doors.wake("posts")

    async def _look(self, room: int, begin: Position, wide: int | None) -> Claimed:
        lease = timedelta(seconds=self._doors.settings.publish_lease)
        database = self._doors.database
        found = await publishing.claim(database, batch=room, lease=lease, since=begin, wide=wide and max(wide, room))
        if len(found.rows) < room and not found.passed:
            async with database.outside() as session:
                self._floor, self._place = Position(due=await clock.now(session) - _MARGIN), None
        elif wide is None:
            self._place = found.last
        return found

    def _beginning(self, *, sweep: bool) -> Position:
        now = asyncio.get_running_loop().time()
        if sweep:
            return _BEGINNING
        if self._place is None or now >= self._look_back_at:
            self._look_back_at = now + _LOOK_BACK
            return self._floor
        return self._place
