"""What a reading means at a place and time: every instant that it can be, and whether a post can go out then."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from core.errors import InvalidInput
from core.when.clock_times import Chain, Hint, is_contradictory, readings
from core.when.dates import CalendarDays, Day, Weekday
from core.when.days import Days, agreeing_days, month_ahead, possible_days
from core.when.grammar import Reading
from core.when.lexicon import DAYPARTS
from core.when.receipt import day_of
from core.when.shifts import Shift
from core.when.zones import Gap, ZoneChoice, gap_around, instants_of, load_zone, wall_time

_SKEW = timedelta(seconds=60)
_MONTHS_AHEAD = 3
_HINTS: dict[str, Hint] = {
    "morning": "am",
    "lunchtime": "pm",
    "lunch": "pm",
    "afternoon": "pm",
    "evening": "pm",
    "night": "night",
    "tonight": "night",
}
_WORKSPACE = (ZoneChoice(key=None),)


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """One instant (UTC) that a phrase can mean; ``gap`` and ``wall`` are set where the clocks skip what was said."""

    instant: datetime
    zone: ZoneInfo
    verdict: Literal["possible", "past", "far", "skipped"] = "possible"
    gap: Gap | None = None
    wall: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where and when a phrase was said: now and the post's time (None: it has none) in UTC, the workspace's zone."""

    now: datetime
    zone: ZoneInfo
    anchor: datetime | None

    def weighed(self, instant: datetime, zone: ZoneInfo) -> Meaning:
        """An instant with the verdict of the rules: no more than 60 s ago, no more than 3 months ahead."""
        instant = instant.replace(microsecond=0)
        local = self.now.astimezone(self.zone)
        limit = datetime.combine(month_ahead(local.date(), _MONTHS_AHEAD), local.time(), self.zone)
        if instant < self.now - _SKEW:
            return Meaning(instant=instant, zone=zone, verdict="past")
        return Meaning(instant=instant, zone=zone, verdict="far" if instant > limit.astimezone(UTC) else "possible")


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A scene on the clocks of one zone that the phrase may mean."""

    scene: Scene
    zone: ZoneInfo
    choice: ZoneChoice

    def wall(self, instant: datetime) -> datetime:
        if self.choice.key is None and self.choice.offset is not None:
            return instant.replace(tzinfo=None) + self.choice.offset
        return wall_time(instant, self.zone)

    @property
    def anchor(self) -> datetime | None:
        return None if self.scene.anchor is None else self.wall(self.scene.anchor)

    @property
    def today(self) -> date:
        return self.wall(self.scene.now).date()

    def meanings(self, wall: datetime) -> tuple[Meaning, ...]:
        """The instants of a wall time here: two in an overlap, or where the letters said do not hold that day."""
        fixed: tuple[datetime, ...] = ()
        if self.choice.offset is not None:
            fixed = ((wall - self.choice.offset).replace(tzinfo=UTC),)
            if self.choice.key is None or fixed[0].astimezone(self.zone).utcoffset() == self.choice.offset:
                return (self.scene.weighed(fixed[0], self.zone),)
        instants = (*fixed, *instants_of(wall, self.zone))
        if instants:
            return tuple(self.scene.weighed(instant, self.zone) for instant in instants)
        gap = gap_around(wall, self.zone)
        verdict: Literal["past", "skipped"] = "past" if gap.instant < self.scene.now else "skipped"
        return (Meaning(instant=gap.instant, zone=self.zone, verdict=verdict, wall=wall, gap=gap),)


def meanings_of(reading: Reading, scene: Scene) -> tuple[Meaning, ...]:
    """Every instant that a reading can mean, with its verdict, never empty.

    Raises InvalidInput: when_incomplete where the day or the time is missing, when_unknown where its parts contradict
    each other, when_too_far where a number is beyond any calendar.
    """
    choices = reading.zone.choices if reading.zone else _WORKSPACE
    try:
        return tuple(
            meaning
            for choice in choices
            for meaning in _meanings_at(reading, _Place(scene=scene, zone=_zone_of(choice, scene), choice=choice))
        )
    except (OverflowError, ValueError) as error:
        raise InvalidInput("That is more than 3 months away: say a nearer time.", code="when_too_far") from error


def _zone_of(choice: ZoneChoice, scene: Scene) -> ZoneInfo:
    return scene.zone if choice.key is None else load_zone(choice.key)


def _meanings_at(reading: Reading, place: _Place) -> Iterator[Meaning]:
    if reading.shift is not None and not (reading.clock or reading.daypart):
        yield from _shifted(reading.shift, place)
        return
    for days in _days(reading, place):
        for times in _times(reading, place, days):
            yield from _first_ahead(days, times, place)


def _first_ahead(days: Days, times: Chain, place: _Place) -> Iterator[Meaning]:
    """The first of the times, on the first of the days, that is not past, with the past ones before it."""
    for past_midnight in times:
        for day in days:
            found = place.meanings(datetime.combine(day, time()) + past_midnight)
            yield from found
            if any(meaning.instant >= place.scene.now for meaning in found):
                return


def _shifted(shift: Shift, place: _Place) -> Iterator[Meaning]:
    base = _base(shift, place)
    seconds = timedelta(seconds=shift.duration.seconds)
    for sign in shift.signs:
        if not (shift.duration.days or shift.duration.months):
            yield place.scene.weighed(base + sign * seconds, place.zone)
            continue
        wall = place.wall(base)
        day = _moved_day(wall.date(), shift, sign)
        for meaning in place.meanings(datetime.combine(day, wall.time())):
            moved = meaning.instant + sign * seconds
            yield meaning if meaning.gap else place.scene.weighed(moved, place.zone)


def _base(shift: Shift, place: _Place) -> datetime:
    if shift.base == "now":
        return place.scene.now
    if place.scene.anchor is None:
        raise InvalidInput(
            'This moves a post from the time it has, and it has none yet: say the time, for example "Friday 9am".',
            code="when_incomplete",
        )
    return place.scene.anchor


def _moved_day(day: date, shift: Shift, sign: int) -> date:
    return month_ahead(day, sign * shift.duration.months) + timedelta(days=sign * shift.duration.days)


def _days(reading: Reading, place: _Place) -> tuple[Days, ...]:
    """The meanings of the day that is said; without one the post's day, or the next on which the time comes."""
    today, anchor = place.today, place.anchor
    if reading.shift is not None:
        base = place.wall(_base(reading.shift, place)).date()
        return tuple((_moved_day(base, reading.shift, sign),) for sign in reading.shift.signs)
    match reading.dates:
        case (Weekday() as weekday, CalendarDays() as days):
            return agreeing_days(weekday, days, today=today)
        case (part,):
            return possible_days(part, today=today, anchor=anchor and anchor.date())
        case _:
            if anchor is not None and anchor.date() >= today:
                return ((anchor.date(),),)
            return ((today, today + timedelta(days=1)),)


def _times(reading: Reading, place: _Place, days: Days) -> tuple[Chain, ...]:
    """The meanings of the time of day that is said; without one the post's time."""
    daypart = reading.daypart.name if reading.daypart else None
    anchor, clock = place.anchor, reading.clock
    if clock is not None:
        hint = _HINTS[daypart] if daypart else None
        if is_contradictory(clock, hint):
            raise InvalidInput(f"The clock time said is not in the {daypart}: say one of them.", code="when_unknown")
        is_dated = _is_dated(reading, anchor)
        anchor_hour = anchor.hour if anchor is not None and not reading.dates else None
        return readings(clock, hint, anchor_hour=anchor_hour, dated=is_dated)
    if daypart is not None:
        return ((DAYPARTS[daypart],),)
    if anchor is None:
        if max(days) < place.today:
            raise InvalidInput(f"{day_of(max(days))} is past: say a time to come.", code="when_past")
        raise InvalidInput(
            f'At which time on {day_of(days[0])}? Say for example "9am" or "18:30" with the day.',
            code="when_incomplete",
        )
    return ((timedelta(hours=anchor.hour, minutes=anchor.minute, seconds=anchor.second),),)


def _is_dated(reading: Reading, anchor: datetime | None) -> bool:
    """Whether midnight is one of two: the one that begins the day or the one that ends it."""
    if reading.dates == (Day(days=0),):
        return False
    return bool(reading.dates) or reading.shift is not None or anchor is not None
