"""Driving one post to its end: what is due is worked on, and when nothing is, the database's clock jumps to when it is.

So no case waits for a lease, a settle time or a network's pause, and all of them are as long as they are by default.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import psycopg

from tools.publishing.engine import PostWork

ENDED = frozenset({"posted", "failed", "unconfirmed", "missed", "cancelled"})
# By the database's clock: within this every post has to have come to its end, whatever goes wrong.
LONGEST = timedelta(hours=8)
MOST_ROUNDS = 400
# Real seconds: what the network does in the background, such as fetching a film, goes on while the clock stands still.
_BREATH = 0.02
_BLIND_JUMP = timedelta(seconds=5)

_PEEK = "select status, next_attempt_at, studio.studio_now() from studio.posts where id = %s"
_STEPS = "select coalesce(sum(jsonb_array_length(steps)), 0) from studio.publish_attempts where post_id = %s"
_JUMP = "update studio.test_clock set shift = shift + %s"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The post's row; both times are by the database's clock."""

    status: str
    next_attempt_at: datetime | None
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a post was driven: its row in the end, when it was first claimed, and whether it was tried again later."""

    end: Seen
    taken_up: datetime | None
    was_scheduled: bool


@dataclass(frozen=True, kw_only=True)
class Track:
    """One post in one database, seen from outside: with the rights of the schema's owner, beside the engine's pool."""

    connection: psycopg.AsyncConnection
    post_id: UUID

    async def peek(self) -> Seen:
        """The row as it is."""
        row = await (await self.connection.execute(_PEEK, (self.post_id,))).fetchone()
        assert row is not None
        return Seen(status=row[0], next_attempt_at=row[1], now=row[2])

    async def steps(self) -> int:
        """How many lines its ledger has."""
        row = await (await self.connection.execute(_STEPS, (self.post_id,))).fetchone()
        assert row is not None
        return int(row[0])

    async def jump(self, by: timedelta) -> None:
        """Move the database's clock."""
        await self.connection.execute(_JUMP, (by,))


async def nothing_is_late() -> None:
    """Before a jump of the clock, where the network does everything at once."""


async def never() -> bool:
    """Drive to the end."""
    return False


async def drive(
    track: Track,
    work: PostWork,
    *,
    before_jump: Callable[[], Awaitable[None]] = nothing_is_late,
    enough: Callable[[], Awaitable[bool]] = never,
) -> Course:
    """Work until the post has ended, or nobody would ever come back to it, or ``LONGEST`` has passed, or it is enough.

    ``before_jump`` waits until the network has nothing on its way any more: a late deed of a second must not become one
    of minutes because the clock jumps.
    """
    began, taken_up, was_scheduled = (await track.peek()).now, None, False
    for _ in range(MOST_ROUNDS):
        claims = await work.claim(10, sweep=True)
        if claims and taken_up is None:
            taken_up = (await track.peek()).now
        await asyncio.gather(*(work.work(claim) for claim in claims))
        seen = await track.peek()
        if seen.status in ENDED or seen.next_attempt_at is None or seen.now - began > LONGEST:
            break
        if await enough():
            break
        was_scheduled = was_scheduled or (seen.status == "scheduled" and taken_up is not None)
        if seen.next_attempt_at > seen.now or not claims:
            await before_jump()
            await asyncio.sleep(_BREATH)
            seen = await track.peek()
            assert seen.next_attempt_at is not None
            ahead = seen.next_attempt_at - seen.now + timedelta(milliseconds=1)
            await track.jump(ahead if ahead > timedelta(0) else _BLIND_JUMP)  # due, and held back all the same
    return Course(end=seen, taken_up=taken_up, was_scheduled=was_scheduled)
