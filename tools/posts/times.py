"""When a post goes out: phrases and free slots, in the caller's zone."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from core.errors import InvalidInput
from core.when.receipt import receipt
from core.when.resolve import Moment, is_slot, resolve, slot_stretch
from core.when.zones import clipped
from db.models.account import Account
from db.models.post import Post
from db.queries import posts
from platforms.base import Manifest
from tools.context import Context
from tools.posts.view import label

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Two posts of one account closer than this are a clash worth a word, and make a slot taken.
CLASH_WITHIN = timedelta(minutes=15)
_SLOT_DAYS = 60


async def resolve_time(context: Context, phrase: str, post: Post, account: Account, manifest: Manifest) -> Moment:
    """The moment a phrase means for this post; a relative phrase moves from the post's present time."""
    if is_slot(phrase):
        return await _slot_of_phrase(context, phrase, account, manifest)
    return resolve(phrase, now=context.now, zone=context.caller.zone, anchor=post.scheduled_for)


async def _slot_of_phrase(context: Context, phrase: str, account: Account, manifest: Manifest) -> Moment:
    begin, bound = slot_stretch(phrase, now=context.now, zone=context.caller.zone)
    for moment in await free_slots(context, account, manifest):
        if bound is not None and moment.instant >= bound:
            break
        if moment.instant >= begin:
            return moment
    where = f'for "{clipped(phrase)}"' if bound is not None else f"in the next {_SLOT_DAYS} days"
    raise _no_free_slot(account, where)


async def free_slots(
    context: Context, account: Account, manifest: Manifest, *, besides: Collection[UUID] = ()
) -> Iterator[Moment]:
    """An account's free posting times from now on, one after another and no two of them a clash.

    ``besides`` are posts whose places count as free.
    """
    end = context.now + timedelta(days=_SLOT_DAYS)
    taken = await posts.taken_times(context.session, account.id, context.now - CLASH_WITHIN, end, besides=besides)
    times = account.posting_times or manifest.posting_times
    return _free(slots_between(times, context.now, end, zone=context.caller.zone, phrase="next free slot"), list(taken))


def _free(slots: Iterator[Moment], taken: list[datetime]) -> Iterator[Moment]:
    for moment in slots:
        if all(abs(moment.instant - other) >= CLASH_WITHIN for other in taken):
            taken.append(moment.instant)
            yield moment


def next_free(slots: Iterator[Moment], account: Account) -> Moment:
    """The next of an account's free times; raises ``InvalidInput`` when there are no more."""
    for moment in slots:
        return moment
    raise _no_free_slot(account, f"in the next {_SLOT_DAYS} days")


def _no_free_slot(account: Account, where: str) -> InvalidInput:
    return InvalidInput(
        f"@{account.handle} has no free slot {where}.",
        code="no_free_slot",
        action="Name a time, or give the account more posting times.",
    )


def slots_between(
    posting_times: Sequence[str], start: datetime, end: datetime, *, zone: str, phrase: str
) -> Iterator[Moment]:
    """The posting times ("Mon 09:00") after ``start`` and before ``end``, free or not, in order.

    A time that the clocks of the zone skip on its day is no slot that day.
    """
    home = ZoneInfo(zone)
    slots = sorted({_slot(text) for text in posting_times})
    day, last = start.astimezone(home).date(), end.astimezone(home).date()
    while day <= last:
        for _, hour, minute in (slot for slot in slots if slot[0] == day.weekday()):
            wall = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - a wall time has no zone
            instant = wall.replace(tzinfo=home).astimezone(UTC)
            exists = instant.astimezone(home).replace(tzinfo=None) == wall
            if exists and start < instant < end:
                yield Moment(instant=instant, zone=zone, wall_time=wall, phrase=phrase)
        day += timedelta(days=1)


def _slot(text: str) -> tuple[int, int, int]:
    day, clock = text.split()
    hour, minute = clock.split(":")
    return _DAYS.index(day), int(hour), int(minute)


async def clash_warnings(context: Context, post: Post, at: datetime) -> tuple[str, ...]:
    """A sentence for every other post of the account that goes out at nearly the same time."""
    near = await posts.neighbours(context.session, post, at, within=CLASH_WITHIN)
    return tuple(clash_line(context, other, other.scheduled_for) for other in near if other.scheduled_for is not None)


def clash_line(context: Context, other: Post, at: datetime) -> str:
    """The sentence about another post of the account that goes out at nearly the same time."""
    said = receipt(at, zone=context.caller.zone, now=context.now)
    return f"{label(other)} goes out on the same account at {said}."
