"""When a post goes out: phrases and free slots, in the caller's zone."""

from datetime import UTC, datetime, timedelta
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
        return await _free_slot(context, phrase, account, manifest)
    return resolve(phrase, now=context.now, zone=context.caller.zone, anchor=post.scheduled_for)


async def _free_slot(context: Context, phrase: str, account: Account, manifest: Manifest) -> Moment:
    zone = ZoneInfo(context.caller.zone)
    begin, bound = slot_stretch(phrase, now=context.now, zone=context.caller.zone)
    end = context.now + timedelta(days=_SLOT_DAYS)
    taken = await posts.taken_times(context.session, account.id, context.now - CLASH_WITHIN, end)
    slots = {_slot(text) for text in (account.posting_times or manifest.posting_times)}
    first_day = context.now.astimezone(zone).date()
    for day in (first_day + timedelta(days=offset) for offset in range(_SLOT_DAYS)):
        for weekday, hour, minute in sorted(slots):
            if weekday != day.weekday():
                continue
            wall = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - a wall time has no zone
            instant = wall.replace(tzinfo=zone).astimezone(UTC)
            exists = instant.astimezone(zone).replace(tzinfo=None) == wall
            is_within = begin <= instant and (bound is None or instant < bound)
            if (
                exists
                and is_within
                and instant > context.now
                and all(abs(instant - other) >= CLASH_WITHIN for other in taken)
            ):
                return Moment(instant=instant, zone=context.caller.zone, wall_time=wall, phrase=phrase)
    where = f'for "{clipped(phrase)}"' if bound is not None else f"in the next {_SLOT_DAYS} days"
    raise InvalidInput(
        f"@{account.handle} has no free slot {where}.",
        code="no_free_slot",
        action="Name a time, or give the account more posting times.",
    )


def _slot(text: str) -> tuple[int, int, int]:
    day, clock = text.split()
    hour, minute = clock.split(":")
    return _DAYS.index(day), int(hour), int(minute)


async def clash_warnings(context: Context, post: Post, at: datetime) -> tuple[str, ...]:
    """A sentence for every other post of the account that goes out at nearly the same time."""
    near = await posts.neighbours(context.session, post, at, within=CLASH_WITHIN)
    return tuple(
        f"{label(other)} goes out on the same account at"
        f" {receipt(other.scheduled_for, zone=context.caller.zone, now=context.now)}."
        for other in near
        if other.scheduled_for is not None
    )
