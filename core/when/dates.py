"""Days as said, read from words: "tomorrow", "next Friday", "27 November", "27/11", "end of the month"."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from core.when.lexicon import DOUBTFUL_NAMES, MONTHS, NUMBER_WORDS, ORDINAL_WORDS, UNSURE_NAMES, WEEKDAYS
from core.when.month_days import NthWeekday, read_nth_weekday
from core.when.numbers import read_duration
from core.when.tokens import Found, Line


@dataclass(frozen=True, kw_only=True)
class Day:
    """So many days after today, or after the day the post has (``base`` "anchor")."""

    days: int
    base: Literal["today", "anchor"] = "today"


@dataclass(frozen=True, kw_only=True)
class Weekday:
    """A weekday: the coming one (today counts), this week's, next week's, the one after the post's, or the last."""

    day: int
    week: Literal["coming", "this", "next", "following", "last"] = "coming"


@dataclass(frozen=True, kw_only=True)
class CalendarDay:
    """A day of a month. ``month`` None: of the month ``months_ahead`` from now, or the next that has such a day."""

    year: int | None = None
    month: int | None = None
    day: int
    months_ahead: int | None = None


@dataclass(frozen=True, kw_only=True)
class CalendarDays:
    """One calendar day, or two where day and month could be either way round (03/04)."""

    options: tuple[CalendarDay, ...]
    is_iso: bool = False


@dataclass(frozen=True, kw_only=True)
class Edge:
    """The first or last day of a month, or of a week: ``ahead`` units from now, or a named month."""

    edge: Literal["start", "end"]
    unit: Literal["week", "month"]
    ahead: int = 0
    month: int | None = None


@dataclass(frozen=True, kw_only=True)
class Period:
    """A whole week (from Monday), weekend or month, ``ahead`` of the present one."""

    unit: Literal["week", "weekend", "month"]
    ahead: int


@dataclass(frozen=True, kw_only=True)
class Later:
    """A length of days after another day: "a week from Friday", "Wednesday week"."""

    day: "DatePart"
    days: int


@dataclass(frozen=True, kw_only=True)
class Unsure:
    """A misspelt name that is as close to one day as to another ("munday"): which one is asked."""

    options: "tuple[DatePart, ...]"


DatePart = Day | Weekday | CalendarDays | Edge | Period | Later | NthWeekday | Unsure

_DAY_WORDS: tuple[tuple[str, Day], ...] = (
    ("the day after tomorrow", Day(days=2)),
    ("day after tomorrow", Day(days=2)),
    ("the day before yesterday", Day(days=-2)),
    ("tomorrow", Day(days=1)),
    ("today", Day(days=0)),
    ("yesterday", Day(days=-1)),
    ("the day after", Day(days=1, base="anchor")),
    ("the next day", Day(days=1, base="anchor")),
    ("next day", Day(days=1, base="anchor")),
    ("the following day", Day(days=1, base="anchor")),
    ("the day before", Day(days=-1, base="anchor")),
    ("the previous day", Day(days=-1, base="anchor")),
    ("the following week", Day(days=7, base="anchor")),
    ("the week after", Day(days=7, base="anchor")),
    ("the same day", Day(days=0, base="anchor")),
    ("same day", Day(days=0, base="anchor")),
    ("that day", Day(days=0, base="anchor")),
)
_AHEAD = {"this": 0, "next": 1, "coming": 0, "current": 0, "following": 1, "last": -1, "previous": -1}
_ORDINAL_ENDINGS = ("st", "nd", "rd", "th")
_LONGEST_TAIL = 4  # words after a weekday that belong to it: "Friday of next week"
_CENTURY, _LAST_MONTH, _LAST_DAY = 2000, 12, 31


def read_date(line: Line, at: int) -> Found[DatePart] | None:
    """A day, or a period of days, in any written form; the longest form that stands there."""
    readers: tuple[Callable[[Line, int], Found[DatePart] | None], ...] = (
        _read_day_word,
        _read_after_day,
        _read_edge,
        _read_calendar,
        read_nth_weekday,
        _read_weekday,
        _read_period,
    )
    found: Found[DatePart] | None = None
    for reader in readers:
        other = reader(line, at)
        if other is not None and (found is None or other.end > found.end):
            found = other
    return found


def _read_day_word(line: Line, at: int) -> Found[DatePart] | None:
    for words, day in _DAY_WORDS:
        end = line.after(at, words)
        if end is not None:
            # "tomorrow week", as in "Wednesday week"
            week = line.after(end, "week") if day.base == "today" and day.days >= 0 else None
            return Found(Later(day=day, days=7), week) if week else Found(day, end)
    return None


def _read_after_day(line: Line, at: int) -> Found[DatePart] | None:
    """Such as "a week from Friday", "two weeks on Wednesday", "three days after tomorrow"."""
    length = read_duration(line, at)
    if length is None or length.part.seconds or length.part.months:
        return None
    is_plain = line.word(length.end) in ("today", "tomorrow")  # "a week tomorrow"
    joint = length.end if is_plain else line.after(length.end, "from", "on", "after")
    if joint is None:
        return None
    day = _read_day_word(line, joint) or _read_weekday(line, joint)
    return Found(Later(day=day.part, days=length.part.days), day.end) if day else None


def _read_weekday(line: Line, at: int) -> Found[DatePart] | None:
    """Such as "Friday", "this Friday", "next Friday", "Friday next week", "Friday week", "next week Friday"."""
    start = line.skip(at, "the", "this") if line.word(at + 1) in _AHEAD else at
    ahead = _AHEAD.get(line.word(start))
    name = start if ahead is None else start + 1
    raw = line.word(name)
    if raw in UNSURE_NAMES:
        return _read_unsure(line, at, name, UNSURE_NAMES[raw])
    if raw not in WEEKDAYS:
        return None
    week: Literal["coming", "this", "next", "following", "last"] = "coming"
    if line.word(start) == "following":
        week = "following"
    elif ahead is not None and line.word(start) != "coming":
        week = {0: "this", 1: "next", -1: "last"}[ahead]  # type: ignore[assignment]  # the three literals
    day, end = Weekday(day=WEEKDAYS[raw], week=week), name + 1
    end += line.sign(end) == "." and line.is_joined(end) and end + 1 < len(line) and len(raw) <= 4  # noqa: PLR2004
    weak = raw in DOUBTFUL_NAMES and ahead is None
    if week != "coming":
        return Found(day, end)
    tail = line.after(line.skip(end, "of"), "next week", "this week")
    if tail is not None:
        return Found(replace(day, week="next" if line.word(tail - 2) == "next" else "this"), tail)
    for words, days in (("week", 7), ("fortnight", 14)):
        tail = line.after(end, words)
        if tail is not None:
            return Found(Later(day=day, days=days), tail)
    return Found(day, end, weak=weak)


def _read_unsure(line: Line, at: int, name: int, meant: tuple[str, ...]) -> Found[DatePart] | None:
    """The days of a misspelt name, each read in its place: "next munday" is next Monday or next Sunday."""
    before = line.text[line.tokens[at].start : line.tokens[name].start]
    after = line.text[line.tokens[name].end : line.tokens[min(name + _LONGEST_TAIL, len(line) - 1)].end]
    read = [found for word in meant if (found := read_date(Line(f"{before}{word}{after}"), 0)) is not None]
    end = max((found.end for found in read), default=0)
    options = tuple(found.part for found in read if found.end == end)  # "today" has no place in "next moday"
    if end <= name - at:
        return None
    return Found(options[0] if len(options) == 1 else Unsure(options=options), at + end)


def _read_period(line: Line, at: int) -> Found[DatePart] | None:
    """Such as "next week", "this weekend", "the weekend", "next month"."""
    start = line.skip(at, "the", "later")
    ahead = _AHEAD.get(line.word(start))
    unit = line.word(start if ahead is None else start + 1)
    if ahead is None:
        return Found(Period(unit="weekend", ahead=0), start + 1) if unit == "weekend" else None
    if unit not in ("week", "weekend", "month"):
        return None
    return Found(Period(unit=unit, ahead=ahead), start + 2)  # type: ignore[arg-type]  # one of the three


def _read_edge(line: Line, at: int) -> Found[DatePart] | None:
    """Such as "end of month", "the end of next week", "the beginning of December", "the last day of the month"."""
    start = line.skip(at, "the")
    for edge, words in (
        ("end", ("end of", "last day of", "month end", "eom")),
        ("start", ("start of", "beginning of", "first day of")),
    ):
        end = line.after(start, *words)
        if end is None:
            continue
        if words[0] == "end of" and line.word(end - 1) in ("end", "eom"):
            return Found(Edge(edge="end", unit="month"), end)
        return _read_edge_of(line, line.skip(end, "the"), edge)  # type: ignore[arg-type]  # one of the two
    return None


def _read_edge_of(line: Line, at: int, edge: Literal["start", "end"]) -> Found[DatePart] | None:
    ahead = _AHEAD.get(line.word(at))
    unit = line.word(at if ahead is None else at + 1)
    end = at + 1 if ahead is None else at + 2
    if unit in ("week", "month"):
        return Found(Edge(edge=edge, unit="week" if unit == "week" else "month", ahead=ahead or 0), end)
    month = MONTHS.get(unit)
    return Found(Edge(edge=edge, unit="month", month=month), end) if month else None


def _read_calendar(line: Line, at: int) -> Found[DatePart] | None:
    readers = (_read_numeric, _read_day_first, _read_month_first, _read_day_only)
    return next((found for found in (reader(line, at) for reader in readers) if found), None)


def _read_numeric(line: Line, at: int) -> Found[DatePart] | None:
    """Such as "2026-11-27", "2026/11/27", "27/11/2026", "27.11.", "27-11-2026", "11/27"."""
    first, sign, second = line.digits(at), line.sign(at + 1), line.digits(at + 2)
    glued = line.is_joined(at + 1) and line.is_joined(at + 2)
    if not first or not second or sign not in ("/", ".", "-") or not glued or len(second) > 2:  # noqa: PLR2004
        return None
    has_third = line.sign(at + 3) == sign and line.is_joined(at + 3) and line.is_joined(at + 4)
    third = line.digits(at + 4) if has_third else ""
    if len(first) == 4 and third and len(third) <= 2:  # noqa: PLR2004 - a year has four digits, a day two
        day = CalendarDay(year=int(first), month=int(second), day=int(third))
        return Found(CalendarDays(options=(day,), is_iso=sign == "-"), at + 5)
    if len(first) > 2 or len(third) not in (0, 2, 4) or (sign == "-" and not third):  # noqa: PLR2004
        return None
    year = (int(third) + (_CENTURY if len(third) == 2 else 0)) if third else None  # noqa: PLR2004
    options = _either_way_round(int(first), int(second), year, is_dotted=sign == ".")
    end = at + 5 if third else at + 3
    if sign == "." and not third and line.sign(end) == "." and line.is_joined(end) and end + 1 < len(line):
        end += 1
    return Found(CalendarDays(options=options), end, weak=year is None) if options else None


def _either_way_round(first: int, second: int, year: int | None, *, is_dotted: bool) -> tuple[CalendarDay, ...]:
    """Day and month, then month and day; with dots only the former is written."""
    pairs = [(first, second)] if is_dotted or first == second else [(first, second), (second, first)]
    return tuple(
        CalendarDay(year=year, month=month, day=day)
        for day, month in pairs
        if 1 <= month <= _LAST_MONTH and 1 <= day <= _LAST_DAY
    )


def _read_ordinal(line: Line, at: int) -> Found[int] | None:
    """Such as "27", "27th", "first"; ``weak`` when nothing but the number says that it is a day."""
    number = line.number(at)
    if number is not None and 1 <= number <= _LAST_DAY and len(line.digits(at)) <= 2:  # noqa: PLR2004
        is_ordinal = line.word(at + 1) in _ORDINAL_ENDINGS and line.is_joined(at + 1)
        return Found(number, at + 2 if is_ordinal else at + 1, weak=not is_ordinal)
    word = line.word(at)
    return Found(ORDINAL_WORDS[word], at + 1) if word in ORDINAL_WORDS else None


def _read_day_first(line: Line, at: int) -> Found[DatePart] | None:
    """Such as "27 November", "27th of Nov 2026", "the first of December", "the 3rd of next month", "27-Nov-2026"."""
    day = _read_ordinal(line, line.skip(at, "the"))
    if day is None:
        return None
    joint = day.end + (line.sign(day.end) == "-" and line.is_joined(day.end))
    name = line.skip(joint, "of")
    months = _months(line.word(name))
    if months:
        year = _read_year(line, name + 1)
        return Found(_days_of(months, day.part, year), year.end if year else name + 1)
    if name == joint:
        return None
    tail = line.after(name, "next month", "this month", "the month")
    if tail is None:
        return None
    ahead = 1 if line.word(name) == "next" else 0
    return Found(CalendarDays(options=(CalendarDay(day=day.part, months_ahead=ahead),)), tail)


def _read_month_first(line: Line, at: int) -> Found[DatePart] | None:
    """Such as "Nov 27", "November 27th, 2026", "Nov. 27"."""
    months = _months(line.word(at))
    if not months:
        return None
    start = at + 1 + (line.sign(at + 1) == "." and line.is_joined(at + 1))
    day = _read_ordinal(line, line.skip(start, "the"))
    if day is None or line.word(start) in ORDINAL_WORDS or (day.weak and line.sign(day.end) == ":"):
        return None
    year = _read_year(line, day.end)
    is_doubtful = line.word(at) in DOUBTFUL_NAMES and day.weak and year is None
    return Found(_days_of(months, day.part, year), year.end if year else day.end, weak=is_doubtful)


def _months(word: str) -> tuple[int, ...]:
    """The months that a word names: two for a misspelling that is as close to one as to the other ("juny")."""
    names = UNSURE_NAMES.get(word, (word,))
    return tuple(MONTHS[name] for name in names if name in MONTHS)


def _days_of(months: tuple[int, ...], day: int, year: Found[int] | None) -> CalendarDays:
    options = (CalendarDay(year=year.part if year else None, month=month, day=day) for month in months)
    return CalendarDays(options=tuple(options))


def _read_year(line: Line, at: int) -> Found[int] | None:
    start = at + (line.sign(at) in (",", "-"))
    digits = line.digits(start)
    is_year = len(digits) == 4 and digits[:2] in ("19", "20", "21") and line.sign(start + 1) != ":"  # noqa: PLR2004
    return Found(int(digits), start + 1) if is_year else None


def _read_day_only(line: Line, at: int) -> Found[DatePart] | None:
    """Such as "the 27th", "27th": of this month, or of the next one that has such a day still ahead."""
    start = line.skip(at, "the")
    day = _read_ordinal(line, start)
    if day is None or day.weak or line.word(start) in ORDINAL_WORDS | NUMBER_WORDS:
        return None
    return Found(CalendarDays(options=(CalendarDay(day=day.part),)), day.end, weak=True)
