"""The grammar: the parts of a time phrase, in any order, joined to one reading."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.when.clock_times import Clock, read_clock
from core.when.dates import CalendarDay, CalendarDays, DatePart, Day, Period, Weekday, read_date
from core.when.lexicon import DAYPARTS
from core.when.shifts import Shift, read_shift
from core.when.tokens import Found, Line
from core.when.zones import ZoneMention, read_written_offset, read_zone

MOST_TOKENS = 40  # a phrase longer than this is none


@dataclass(frozen=True, kw_only=True)
class DayPart:
    """A part of the day; ``is_today`` for "tonight" and "this morning"."""

    name: str
    is_today: bool = False


@dataclass(frozen=True, kw_only=True)
class Now:
    """The present moment."""


@dataclass(frozen=True, kw_only=True)
class SameTime:
    """The clock time that the post has already."""


@dataclass(frozen=True, kw_only=True)
class IsoTime:
    """An ISO date and time in one word, with its offset if it has one."""

    date: CalendarDays
    clock: Clock
    zone: ZoneMention | None


PhrasePart = DatePart | Clock | DayPart | ZoneMention | Shift | Now | SameTime | IsoTime


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All that a phrase says about a time; an empty one says nothing."""

    dates: tuple[DatePart, ...] = ()
    clock: Clock | None = None
    daypart: DayPart | None = None
    zone: ZoneMention | None = None
    shift: Shift | None = None
    is_now: bool = False
    is_same_time: bool = False

    @property
    def has_clock(self) -> bool:
        """Whether the time of the day is said."""
        return self.clock is not None or self.daypart is not None or self.is_same_time

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been said yet."""
        return self == Reading()


_JOINERS = frozenset({"at", "on", "around", "of"})
_NOW = ("now", "right now", "right away", "straight away", "immediately")


def read_phrase(line: Line, at: int, *, joins_weak: Callable[[int], bool] | None = None) -> Found[Reading]:
    """The longest reading that begins at a position; an empty one when no time begins there.

    ``joins_weak`` is asked, for a part that could as well be something else, whether what follows it speaks for a
    time (None: the text is known to be a time, everything joins). ``weak``: all of its parts are such.
    """
    reading, end, is_weak = Reading(), at, True
    while end - at < MOST_TOKENS:
        start, said_at = _skip_joiners(line, end, is_first=reading.is_empty)
        found = _read_part(line, start, reading, said_at=said_at)
        if found is None or (found.weak and joins_weak is not None and not joins_weak(found.end)):
            break
        joined = join(reading, found.part)
        if joined is None:
            break
        reading, end, is_weak = joined, found.end, is_weak and found.weak
    return Found(reading, end, weak=is_weak)


def _skip_joiners(line: Line, at: int, *, is_first: bool) -> tuple[int, bool]:
    said_at = False
    while line.word(at) in _JOINERS or line.sign(at) == "@" or (line.sign(at) == "," and not is_first):
        said_at = line.word(at) in ("at", "around") or line.sign(at) == "@"
        at += 1
        if is_first:
            break
    return at, said_at


def _read_part(line: Line, at: int, reading: Reading, *, said_at: bool) -> Found[PhrasePart] | None:
    """The longest part at a position; a clock time goes before a day of the same length."""
    dated = bool(reading.dates)
    read: tuple[Found[PhrasePart] | None, ...] = (
        _read_iso(line, at),
        read_shift(line, at),
        read_clock(line, at, said_at=said_at, dated=dated),
        _read_daypart(line, at, dated=dated),
        _read_now(line, at),
        _read_offset_or_zone(line, at, reading),
        read_date(line, at),
    )
    return max((found for found in read if found is not None), key=lambda found: found.end, default=None)


def _read_now(line: Line, at: int) -> Found[PhrasePart] | None:
    end = line.after(at, *_NOW)
    if end is not None:
        return Found(Now(), end)
    end = line.after(at, "the same time", "same time", "the same hour")
    return None if end is None else Found(SameTime(), line.skip(end, "as"))


def _read_offset_or_zone(line: Line, at: int, reading: Reading) -> Found[ZoneMention] | None:
    if not (reading.has_clock or reading.shift):
        return None
    # After an ISO date a minus begins an offset; elsewhere it would be a range: "09:00-10:00".
    is_iso = any(isinstance(day, CalendarDays) and day.is_iso for day in reading.dates)
    return (read_written_offset(line, at) if is_iso else None) or read_zone(line, at)


def _read_daypart(line: Line, at: int, *, dated: bool) -> Found[DayPart] | None:
    """Such as "tonight", "this morning", "in the evening", "at night"; after a day also the bare word."""
    if line.word(at) == "tonight":
        return Found(DayPart(name="tonight", is_today=True), at + 1)
    for words, is_today in (("this", True), ("in the", False), ("during the", False), ("late in the", False)):
        end = line.after(at, words)
        if end is not None and line.word(end) in DAYPARTS and line.word(end) != "tonight":
            return Found(DayPart(name=line.word(end), is_today=is_today), end + 1)
    word, after_the = line.word(at), line.word(at + 1)
    if word == "the" and after_the in DAYPARTS:  # "move it to the evening"
        return Found(DayPart(name=after_the), at + 2, weak=True)
    if word not in DAYPARTS:
        return None
    if dated or (line.word(at - 1) in ("at", "around") and word in ("lunchtime", "lunch", "night")):
        return Found(DayPart(name=word), at + 1)
    return Found(DayPart(name=word), at + 1, weak=True)


def _read_iso(line: Line, at: int) -> Found[IsoTime] | None:
    text = line.iso(at)
    if not text:
        return None
    year, month, day = (int(part) for part in text[:10].split("-"))
    clock = Line(text[11:])
    time = read_clock(clock, 0, said_at=False, dated=False)
    if time is None:
        return None
    end = time.end + 2 if clock.sign(time.end) in (".", ",") else time.end  # whole seconds are kept
    zone = read_written_offset(clock, end) or read_zone(clock, end)
    date = CalendarDays(options=(CalendarDay(year=year, month=month, day=day),), is_iso=True)
    return Found(IsoTime(date=date, clock=time.part, zone=zone.part if zone else None), at + 1)


def join(reading: Reading, part: PhrasePart) -> Reading | None:
    """The reading with one more part, or None where that part does not go with what was said."""
    joined: Reading | None
    match part:
        case ZoneMention():
            joined = _join_zone(reading, part)
        case _ if reading.is_now:
            joined = None
        case Now() | IsoTime():
            joined = _join_whole(reading, part)
        case SameTime() | Clock() | DayPart():
            joined = _join_time_of_day(reading, part)
        case Shift():
            joined = _join_shift(reading, part)
        case _:
            joined = _join_date(reading, part)
    return joined


def _join_whole(reading: Reading, part: Now | IsoTime) -> Reading | None:
    """What says all by itself goes with nothing before it."""
    if not reading.is_empty:
        return None
    if isinstance(part, Now):
        return replace(reading, is_now=True)
    return Reading(dates=(part.date,), clock=part.clock, zone=part.zone)


def _join_time_of_day(reading: Reading, part: SameTime | Clock | DayPart) -> Reading | None:
    if reading.is_same_time or not _takes_clock(reading):
        return None
    match part:
        case SameTime():
            return None if reading.has_clock else replace(reading, is_same_time=True)
        case Clock():
            return None if reading.clock else replace(reading, clock=part)
        case DayPart():
            return _join_daypart(reading, part)


def _takes_clock(reading: Reading) -> bool:
    """Hours and minutes are a move of the clock: no clock time goes with them; days and months are none."""
    return reading.shift is None or not reading.shift.duration.seconds


def _join_daypart(reading: Reading, part: DayPart) -> Reading | None:
    if reading.daypart is not None:
        return None
    if not part.is_today:
        return replace(reading, daypart=part)
    if reading.dates not in ((), (Day(days=0),)) or reading.shift:
        return None
    return replace(reading, daypart=part, dates=(Day(days=0),))


def _join_zone(reading: Reading, part: ZoneMention) -> Reading | None:
    if reading.zone is None:
        return replace(reading, zone=part)
    said, more = reading.zone.choices, part.choices
    if len(said) != 1 or len(more) != 1 or said[0].key is not None or said[0].offset is None:
        return None
    # "+02:00 Europe/Madrid": the offset says which of two hours, the name says where.
    choice = replace(more[0], offset=said[0].offset)
    return replace(reading, zone=ZoneMention(choices=(choice,)))


def _join_shift(reading: Reading, part: Shift) -> Reading | None:
    if reading.shift is not None or reading.dates or reading.zone:
        return None
    if part.duration.seconds and reading.has_clock:
        return None
    return replace(reading, shift=part)


def _join_date(reading: Reading, part: DatePart) -> Reading | None:
    if reading.shift is not None:
        return None
    if not reading.dates:
        return replace(reading, dates=(part,))
    if len(reading.dates) > 1:
        return None
    merged = _merge_dates(reading.dates[0], part) or _merge_dates(part, reading.dates[0])
    return replace(reading, dates=merged) if merged else None


def _merge_dates(first: DatePart, second: DatePart) -> tuple[DatePart, ...] | None:
    """Two dates that together name one day: "Friday 27 November", "next week, Friday"."""
    match first, second:
        case Weekday(week="coming"), CalendarDays():
            return (first, second)
        case Period(unit="week", ahead=0), Weekday(week="coming"):
            return (replace(second, week="this"),)
        case Period(unit="week", ahead=1), Weekday(week="coming"):
            return (replace(second, week="next"),)
        case Period(unit="weekend", ahead=0), Weekday(week="coming"):
            return (second,)
        case _:
            return None
