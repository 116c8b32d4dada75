"""Stretches of time as said: "today", "this week", "next 7 days", "in November"; weeks begin on Monday."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from core.errors import InvalidInput
from core.when.dates import CalendarDay, CalendarDays, DatePart, Period, Unsure, Weekday, read_date
from core.when.days import Days, agreeing_days, monday_of, month_ahead, possible_days
from core.when.grammar import DayPart, read_phrase
from core.when.lexicon import DAYPART_HOURS, MONTHS
from core.when.numbers import Duration, read_duration
from core.when.tokens import Found, Line
from core.when.zones import clipped, load_zone, start_of_day

_LONGEST_PHRASE = 200  # characters
_EXAMPLES = 'Say for example "today", "this week", "next 7 days", "in November" or "2026-11-27".'
_OPENINGS = ("for", "on", "during", "over", "in", "the", "at", "all", "of")
_MOST_OPENINGS = 3  # "for all of the week"
_UP_TO = ("to", "until", "till", "through", "thru", "-", "–")  # noqa: RUF001 - people type the long dash


@dataclass(frozen=True, kw_only=True)
class Rolling:
    """A length of time from now on, or up to now."""

    duration: Duration
    sign: Literal[1, -1]


@dataclass(frozen=True, kw_only=True)
class Month:
    """A named month; ``year`` None is the year in which it is nearest to today."""

    month: int
    year: int | None


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What is left of this week or month."""

    unit: Literal["week", "month"]


@dataclass(frozen=True, kw_only=True)
class DayStretch:
    """A day, the part of it that is named, or the week that it is in."""

    dates: tuple[DatePart, ...]
    daypart: DayPart | None
    is_week: bool = False


@dataclass(frozen=True, kw_only=True)
class Between:
    """From the beginning of one stretch to the end of another; ``is_list`` where "and" names both and no more."""

    first: "SimplePart"
    last: "SimplePart"
    is_list: bool


SimplePart = Rolling | Month | Rest | DayStretch | Period
WindowPart = SimplePart | Between


def window(phrase: str, *, now: datetime, zone: str) -> tuple[datetime, datetime]:
    """The stretch of time that a phrase names, half-open, in UTC, on the clocks of a zone.

    Days begin at the zone's midnight. "Friday" is the coming one (today counts), "next 7 days" begins now, a month or
    date without a year is the nearest one, past or future. Past and far windows are fine here. ``now`` is aware.
    Where day and month can be either way round the day comes first. Raises InvalidInput (when_unknown, when_zone, and
    when_incomplete for a day counted from a post's, such as "the day after").
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    place = load_zone(zone)
    line = Line(phrase) if len(phrase) <= _LONGEST_PHRASE else Line("")
    found = read_window(line, 0)
    if found is None or _after_close(line, found.end) < len(line):
        raise InvalidInput(
            f'"{clipped(phrase)}" is not a stretch of time that Studio understands. {_EXAMPLES}', code="when_unknown"
        )
    try:
        return _bounds(found.part, now.astimezone(UTC), place)
    except (OverflowError, ValueError) as error:
        raise InvalidInput(f"That is beyond any calendar. {_EXAMPLES}", code="when_unknown") from error


def _after_close(line: Line, at: int) -> int:
    while line.sign(at) in (".", "?", "!") or line.word(at) in ("please", "so"):
        at += 1
    return at


def read_window(line: Line, at: int) -> Found[WindowPart] | None:
    """The stretch of time named at a position: one, or one up to another."""
    start = line.skip(at, "from", "between")
    short = _read_short_range(line, start)
    first = short or read_one_window(line, start)
    if first is None:
        return None
    joint = line.sign(first.end) or line.word(first.end)
    is_list = joint in ("and", ",", "&") and line.word(at) != "between"
    if not is_list and joint not in _UP_TO and joint != "and":
        return Found(first.part, first.end, weak=first.weak) if start == at else None
    last = read_one_window(line, first.end + 1)
    if last is None:
        return Found(first.part, first.end, weak=first.weak) if start == at else None
    return Found(Between(first=first.part, last=last.part, is_list=is_list), last.end, weak=True)


def _read_short_range(line: Line, at: int) -> Found[SimplePart] | None:
    """The "27" of "27 to 30 November" and "1-7 December": a day of the month that is named after it."""
    start = line.skip(at, "the")
    day, end = line.number(start), start + 1
    if line.word(end) in ("st", "nd", "rd", "th") and line.is_joined(end):
        end += 1
    if day is None or (line.sign(end) or line.word(end)) not in (*_UP_TO, "and"):
        return None
    last = read_date(line, end + 1)
    if last is None or not isinstance(last.part, CalendarDays) or last.part.is_iso:
        return None
    named = last.part.options
    if len(named) != 1 or named[0].month is None:
        return None
    first = CalendarDays(options=(replace(named[0], day=day),))
    return Found(DayStretch(dates=(first,), daypart=None), end)


def read_one_window(line: Line, at: int) -> Found[SimplePart] | None:
    """The stretch of time named at a position, without what it may be joined to."""
    for start in range(at, at + _MOST_OPENINGS + 1):
        if line.after(start, "the day after", "the next day", "the following day"):
            return _read_days(line, start)
        found = _read_special(line, start)
        if found is not None or line.word(start) not in _OPENINGS:
            return found or _read_days(line, start)
    return None


def _read_special(line: Line, at: int) -> Found[SimplePart] | None:
    return _read_rolling(line, at) or _read_rest(line, at) or _read_month(line, at)


def _read_rolling(line: Line, at: int) -> Found[SimplePart] | None:
    """Such as "next 7 days", "the coming two weeks", "last 24 hours", "the next fortnight"."""
    start = line.skip(at, "the")
    sign = {"next": 1, "coming": 1, "following": 1, "last": -1, "past": -1, "previous": -1}.get(line.word(start))
    if sign is None:
        return None
    length = read_duration(line, start + 1) or _read_silent(line, start + 1)
    return None if length is None else Found(Rolling(duration=length.part, sign=1 if sign > 0 else -1), length.end)


def _read_silent(line: Line, at: int) -> Found[Duration] | None:
    """A length without its "a", which it loses after "the next": "fortnight", "couple of weeks"."""
    if line.word(at) == "fortnight":
        return Found(Duration(days=14), at + 1)
    end = line.after(at, "couple of")
    days = None if end is None else {"days": 2, "weeks": 14}.get(line.word(end))
    return None if end is None or days is None else Found(Duration(days=days), end + 1)


def _read_rest(line: Line, at: int) -> Found[SimplePart] | None:
    for unit in ("week", "month"):
        end = line.after(at, f"the rest of the {unit}", f"rest of the {unit}", f"the rest of this {unit}")
        end = end or line.after(at, f"rest of this {unit}", f"later this {unit}")
        if end is not None:
            return Found(Rest(unit="week" if unit == "week" else "month"), end)
    return None


def _read_month(line: Line, at: int) -> Found[SimplePart] | None:
    """Such as "in November", "November 2026", "2026-11"; only "in" makes "may" and "march" months."""
    name = line.skip(at, "in", "during", "for")
    month = MONTHS.get(line.word(name))
    if month is not None and (read_date(line, name) is None):
        digits = line.digits(name + 1)
        year = int(digits) if len(digits) == 4 else None  # noqa: PLR2004 - a year
        return Found(Month(month=month, year=year), name + 2 if year else name + 1, weak=name == at and not year)
    year_digits, number = line.digits(at), line.number(at + 2)
    if len(year_digits) == 4 and line.sign(at + 1) == "-" and number and number <= 12 and line.sign(at + 3) != "-":  # noqa: PLR2004
        return Found(Month(month=number, year=int(year_digits)), at + 3)
    return None


def _read_days(line: Line, at: int) -> Found[SimplePart] | None:
    """A day, a week, a weekend; with "'s" after it too ("today's posts")."""
    possessive = _possessive(line, at)
    if possessive is not None:
        line, at = possessive, 0
    start = line.after(line.skip(at, "the"), "week of", "week commencing", "week beginning", "week starting")
    week = None if start is None else line.skip(line.skip(start, "on"), "the")
    found = read_phrase(line, at if week is None else week)
    reading = found.part
    if not (reading.dates or reading.daypart) or reading.clock or reading.zone or reading.shift:
        return None
    dates = reading.dates
    if len(dates) == 1 and isinstance(dates[0], Period) and not reading.daypart:
        return Found(dates[0], found.end)
    return Found(DayStretch(dates=dates, daypart=reading.daypart, is_week=week is not None), found.end)


def _possessive(line: Line, at: int) -> Line | None:
    """The text without a final "'s", when it ends so."""
    last = len(line) - 1
    if not line.word(last).endswith("'s"):
        return None
    return Line(line.text[line.tokens[at].start : line.tokens[last].end - 2])


def _bounds(part: WindowPart, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return _between(part, now, zone) if isinstance(part, Between) else _simple(part, now, zone)


def _between(part: Between, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A weekday or date at the end is the first after the beginning: "Monday to Friday" is one working week."""
    start, end = _simple(part.first, now, zone)
    begin = start.astimezone(zone).date()
    today = begin if begin > now.astimezone(zone).date() and _is_unplaced(part.last) else None
    last_start, last_end = _simple(part.last, now, zone, today=today, anchor=begin)
    if last_end <= start:
        raise InvalidInput(f"That ends before it begins: say the earlier one first. {_EXAMPLES}", code="when_unknown")
    if part.is_list and last_start > end:
        raise InvalidInput(
            'There is time between the two: ask for one at a time, or say for example "Monday to Friday".',
            code="when_unknown",
        )
    return start, last_end


def _is_unplaced(part: SimplePart) -> bool:
    """Whether a stretch is a bare weekday, which comes every week."""
    return isinstance(part, DayStretch) and any(isinstance(day, Weekday) for day in part.dates)


def _simple(
    part: SimplePart, now: datetime, zone: ZoneInfo, *, today: date | None = None, anchor: date | None = None
) -> tuple[datetime, datetime]:
    today = today or now.astimezone(zone).date()
    match part:
        case Rolling():
            return _rolling(part, now, zone)
        case Rest():
            following = monday_of(today) + timedelta(weeks=1)
            if part.unit == "month":
                following = month_ahead(today.replace(day=1), 1)
            return now, _midnight(following, zone)
        case Month():
            first = _nearest_month(part, today)
            return _midnight(first, zone), _midnight(month_ahead(first, 1), zone)
        case Period():
            first, following = _period_days(part, today)
            return _midnight(first, zone), _midnight(following, zone)
        case DayStretch():
            return _stretch(part, _only_day(part.dates, today, anchor), zone)


def _rolling(part: Rolling, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    wall, length = now.astimezone(zone), part.duration
    day = month_ahead(wall.date(), part.sign * length.months) + timedelta(days=part.sign * length.days)
    other = datetime.combine(day, wall.time(), zone).astimezone(UTC) + part.sign * timedelta(seconds=length.seconds)
    return (now, other) if part.sign > 0 else (other, now)


def _nearest_month(part: Month, today: date) -> date:
    if part.year is not None:
        return date(part.year, part.month, 1)
    ahead = (part.month - today.month) % 12
    return month_ahead(today.replace(day=1), ahead if ahead <= 6 else ahead - 12)  # noqa: PLR2004 - half a year


def _period_days(part: Period, today: date) -> tuple[date, date]:
    if part.unit == "month":
        first = month_ahead(today.replace(day=1), part.ahead)
        return first, month_ahead(first, 1)
    monday = monday_of(today) + timedelta(weeks=part.ahead)
    return (monday if part.unit == "week" else monday + timedelta(days=5)), monday + timedelta(weeks=1)


def _stretch(part: DayStretch, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    if part.is_week:
        return _midnight(monday_of(day), zone), _midnight(monday_of(day) + timedelta(weeks=1), zone)
    if part.daypart is None:
        return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    first, last = DAYPART_HOURS[part.daypart.name]
    midnight = datetime.combine(day, time())
    return start_of_day(midnight + timedelta(hours=first), zone), start_of_day(midnight + timedelta(hours=last), zone)


def _only_day(dates: tuple[DatePart, ...], today: date, anchor: date | None) -> date:
    match dates:
        case ():
            return today
        case (Unsure(),):
            raise InvalidInput(f"That name is as close to one day as to another. {_EXAMPLES}", code="when_unknown")
        case (CalendarDays(options=(CalendarDay(year=None, month=int()), *_)) as days,):
            return min(_nearby(days, today), key=lambda day: abs(day - today))
        case (Weekday() as weekday, CalendarDays() as days):
            return agreeing_days(weekday, days, today=today)[0][0]
        case _:
            return possible_days(dates[0], today=today, anchor=None if isinstance(dates[0], Weekday) else anchor)[0][0]


def _nearby(days: CalendarDays, today: date) -> Days:
    """The first order of day and month, in the years around today."""
    meanings = possible_days(days, today=today.replace(year=today.year - 1, day=1), anchor=None)
    return (*meanings[0], *possible_days(days, today=today, anchor=None)[0])


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return start_of_day(datetime.combine(day, time()), zone)
