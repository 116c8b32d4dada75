"""Weekdays counted within a month: "the last Friday of the month", "first Monday in December"."""

from dataclasses import dataclass

from core.when.lexicon import MONTHS, ORDINAL_WORDS, WEEKDAYS
from core.when.tokens import Found, Line

LAST = -1
_MOST_IN_A_MONTH = 5
_ORDINAL_ENDINGS = ("st", "nd", "rd", "th")
_MONTHS_AHEAD = {"this": 0, "current": 0, "next": 1, "following": 1}


@dataclass(frozen=True, kw_only=True)
class NthWeekday:
    """The first to fifth (or LAST) such weekday of a named month, or of the month ``ahead`` of the present one."""

    count: int
    day: int
    ahead: int = 0
    month: int | None = None


def read_nth_weekday(line: Line, at: int) -> Found[NthWeekday] | None:
    """A weekday with its number and the month that it is counted in; without a month it is no such day."""
    count = _read_count(line, line.skip(at, "the"))
    if count is None:
        return None
    day = WEEKDAYS.get(line.word(count.end))
    joint = line.skip(count.end + 1, "of", "in")
    if day is None or joint == count.end + 1:
        return None
    start = line.skip(joint, "the")
    ahead = _MONTHS_AHEAD.get(line.word(start))
    unit = start if ahead is None else start + 1
    if line.word(unit) == "month":
        return Found(NthWeekday(count=count.part, day=day, ahead=ahead or 0), unit + 1)
    month = MONTHS.get(line.word(unit)) if ahead is None else None
    return Found(NthWeekday(count=count.part, day=day, month=month), unit + 1) if month else None


def _read_count(line: Line, at: int) -> Found[int] | None:
    word, number = line.word(at), line.number(at)
    if word == "last":
        return Found(LAST, at + 1)
    if number is not None and line.word(at + 1) in _ORDINAL_ENDINGS and line.is_joined(at + 1):
        return Found(number, at + 2) if 1 <= number <= _MOST_IN_A_MONTH else None
    count = ORDINAL_WORDS.get(word, 0)
    return Found(count, at + 1) if 1 <= count <= _MOST_IN_A_MONTH else None
