"""Times of the day: "18:30", "9am", "half past nine", "noon", and which half of the day a bare hour means.

A bare hour is read as people who plan posts mean it: 8 to 11 in the morning, 12 at noon, 1 to 5 in the afternoon.
6 and 7 are as common in the morning as in the evening: they are asked about, unless a part of the day ("tomorrow
morning at 7"), the date (the other one is past) or the post's present time says which. A time written with minutes
and a leading zero or an hour above 12 is on the 24-hour clock ("07:30", "18:30"); "7:30" is asked about.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from core.when.numbers import read_whole_number
from core.when.tokens import Found, Line

Half = Literal["am", "pm", "24h", "open", "written", "midnight"]
Hint = Literal["am", "pm", "night"]
Chain = tuple[timedelta, ...]

_NOON, _LAST_HOUR, _LAST_MINUTE, _FEWEST_SPOKEN_MINUTES = 12, 24, 59, 10
_FIRST_MORNING_HOUR, _LAST_AFTERNOON_HOUR, _LAST_SMALL_HOUR = 8, 5, 4


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A time of the day as said: ``minutes`` may be negative ("quarter to five" is 5 h - 15 min).

    ``half``: "open" is a bare hour, "written" is H:MM without a leading zero, "midnight" is the word.
    """

    hour: int
    minutes: int = 0
    seconds: int = 0
    half: Half


def is_contradictory(clock: Clock, hint: Hint | None) -> bool:
    """Whether the part of the day that is said cannot be the clock time's ("9am in the evening")."""
    if hint is None or clock.half == "midnight":
        return hint is not None and hint != "night"
    if clock.half in ("am", "pm"):
        return hint not in (clock.half, "night")
    return clock.hour > _NOON and hint == "am"


def readings(clock: Clock, hint: Hint | None, *, anchor_hour: int | None, dated: bool) -> tuple[Chain, ...]:
    """The times since local midnight that a clock time can mean.

    Each chain is one meaning: its first member is meant, the next only where the first is past. Several chains are
    several meanings to ask about. ``anchor_hour`` is the hour the post has now (None: none, or a date is said), and
    decides between the halves of the day for 6 and 7. A value of 24 h and more is on the following day.
    """
    past_hour = timedelta(minutes=clock.minutes, seconds=clock.seconds)

    def at(*hours: int) -> Chain:
        return tuple(timedelta(hours=hour) + past_hour for hour in hours)

    hour = clock.hour % _NOON
    if clock.half == "midnight":
        if hint == "night" or not dated:
            return (at(24),)
        return (at(0), at(24))
    if hint is not None and clock.hour <= _NOON:
        return (at(_hinted_hour(clock, hint)),)
    if clock.half in ("am", "pm"):
        return (at(hour + (_NOON if clock.half == "pm" else 0)),)
    if clock.half == "24h" or not 0 < clock.hour <= _NOON:
        return (at(clock.hour),)
    return _open_hour(clock, at, anchor_hour)


def _open_hour(clock: Clock, at: Callable[..., Chain], anchor_hour: int | None) -> tuple[Chain, ...]:
    hour = clock.hour
    if hour == _NOON:
        return (at(_NOON),)
    if hour >= _FIRST_MORNING_HOUR:
        return (at(hour, hour + _NOON),)
    if hour <= _LAST_AFTERNOON_HOUR and clock.half == "open":
        return (at(hour + _NOON, hour),)
    if anchor_hour is not None:
        return (at(hour + (_NOON if anchor_hour >= _NOON else 0)),)
    return (at(hour), at(hour + _NOON))


def _hinted_hour(clock: Clock, hint: Hint) -> int:
    hour = clock.hour % _NOON
    if hint == "am":
        return hour
    if hint == "pm":
        return hour + _NOON
    if clock.half == "pm" or (hour > _LAST_SMALL_HOUR and clock.half != "am"):
        return hour + _NOON
    # "tonight at 1" and "Friday night at 12" are after the midnight that ends the day.
    return hour + _LAST_HOUR if hour <= _LAST_SMALL_HOUR else hour


def read_clock(line: Line, at: int, *, said_at: bool, dated: bool) -> Found[Clock] | None:
    """A time of the day; ``said_at``: "at" stands before it, ``dated``: a date has been read before it."""
    for reader in (_read_named, _read_past_or_to, _read_digits, _read_spoken, _read_hour):
        found = reader(line, at, said_at=said_at or dated)
        if found is not None:
            return found
    return None


def _read_named(line: Line, at: int, *, said_at: bool) -> Found[Clock] | None:  # noqa: ARG001 - one signature for all
    start = line.skip(at, "high") if line.word(at + 1) == "noon" else at
    word = line.word(start)
    if line.after(at, "12 noon") or (line.number(at) == _NOON and line.word(at + 1) in ("noon", "midday")):
        return Found(Clock(hour=_NOON, half="24h"), at + 2)
    if line.number(at) == _NOON and line.word(at + 1) == "midnight":
        return Found(Clock(hour=0, half="midnight"), at + 2)
    if word in ("noon", "midday"):
        return Found(Clock(hour=_NOON, half="24h"), start + 1)
    if word == "midnight":
        return Found(Clock(hour=0, half="midnight"), start + 1)
    end = line.after(at, "end of the day", "end of day", "close of business")
    if end is not None or word in ("eod", "cob"):
        return Found(Clock(hour=17, half="24h"), end or at + 1)
    end = line.after(at, "first thing")
    return None if end is None else Found(Clock(hour=8, half="24h"), end)


def _read_past_or_to(line: Line, at: int, *, said_at: bool) -> Found[Clock] | None:
    """Such as "half past nine", "quarter to five", "10 minutes past 9", and "half nine", which is 9:30 in Britain."""
    start = line.skip(at, "a")
    minutes = {"half": 30, "quarter": 15}.get(line.word(start))
    if minutes is None:
        number = read_whole_number(line, at)
        if number is None or not 0 < number.part <= _LAST_MINUTE:
            return None
        minutes, joint = number.part, line.skip(number.end, "minutes", "mins", "min", "minute")
        if joint == number.end and not (said_at and _is_spoken_minutes(line, at, minutes, joint)):
            return None
    else:
        joint = start + 1
    sign = {"past": 1, "after": 1, "to": -1, "before": -1, "till": -1}.get(line.word(joint))
    if sign is None and line.word(start) == "half":
        sign, joint = 1, joint - 1
    if sign is None:
        return None
    hour = _read_hour(line, joint + 1, said_at=True)
    if hour is None:
        return None
    clock = Clock(hour=hour.part.hour, minutes=sign * minutes, half=hour.part.half)
    return Found(clock, hour.end)


def _is_spoken_minutes(line: Line, at: int, minutes: int, joint: int) -> bool:
    """Whether a number without "minutes" is one: "twenty to ten", but "nine to ten" and "5 to 10" are from and to."""
    is_round = minutes % 5 == 0
    return is_round and not (line.digits(at) and line.word(joint) in ("to", "till"))


def _read_digits(line: Line, at: int, *, said_at: bool) -> Found[Clock] | None:
    """Such as "18:30", "6.30 pm", "18h30", "09:00:30", and "0900" or "1830" after "at" or before "hrs"."""
    hour, separator, minute = line.number(at), line.sign(at + 1) or line.word(at + 1), line.digits(at + 2)
    if hour is None:
        return None
    if separator in (":", ".", "h") and len(minute) == 2 and _is_glued(line, at + 1, 2):  # noqa: PLR2004
        return _read_after_minute(line, at, said_at=said_at)
    if len(line.digits(at)) in (3, 4) and (half := _read_half(line, at + 1)) is not None:  # "930am"
        return _checked(Clock(hour=hour // 100, minutes=hour % 100, half=half.part), half.end)
    if len(line.digits(at)) == 4:  # noqa: PLR2004 - HHMM
        after = line.skip(at + 1, "hrs", "hours", "h")
        if after > at + 1 or (said_at and not 1900 < hour < 2100):  # noqa: PLR2004 - that would be a year
            return _checked(Clock(hour=hour // 100, minutes=hour % 100, half="24h"), after)
    if line.word(at + 1) == "h" and line.is_joined(at + 1):
        return _checked(Clock(hour=hour, half="24h"), at + 2)
    return None


def _read_after_minute(line: Line, at: int, *, said_at: bool) -> Found[Clock] | None:
    hour, minute, end, seconds = int(line.digits(at)), int(line.digits(at + 2)), at + 3, 0
    is_colon = line.sign(at + 1) == ":"
    if is_colon and line.sign(end) == ":" and _is_glued(line, end, 2) and line.digits(end + 1):
        seconds, end = int(line.digits(end + 1)), end + 2
    half = _read_half(line, end)
    if half is not None:
        return _checked(Clock(hour=hour, minutes=minute, seconds=seconds, half=half.part), half.end)
    if line.sign(at + 1) == "." and not (said_at and line.sign(end) != "."):
        return None
    is_24h = len(line.digits(at)) == 2 or hour == 0 or line.word(at + 1) == "h"  # noqa: PLR2004 - a leading zero
    end = line.skip(end, "h", "hrs", "hours", "uhr")
    return _checked(Clock(hour=hour, minutes=minute, seconds=seconds, half="24h" if is_24h else "written"), end)


def _read_spoken(line: Line, at: int, *, said_at: bool) -> Found[Clock] | None:
    """Such as "nine thirty" and "nine forty-five pm": both numbers in words, the minutes from ten on."""
    if line.digits(at) or line.digits(at + 1):
        return None
    hour, minutes = read_whole_number(line, at), read_whole_number(line, at + 1)
    if hour is None or minutes is None or hour.end != at + 1 or hour.part > _NOON:
        return None
    half = _read_half(line, minutes.end)
    if minutes.part < _FEWEST_SPOKEN_MINUTES or not (half or said_at):
        return None
    if half is not None:
        return _checked(Clock(hour=hour.part, minutes=minutes.part, half=half.part), half.end)
    return _checked(Clock(hour=hour.part, minutes=minutes.part, half="open"), minutes.end)


def _read_hour(line: Line, at: int, *, said_at: bool) -> Found[Clock] | None:
    """Such as "9am", "nine pm", "9 o'clock"; after "at" also a bare "9"."""
    number = read_whole_number(line, at)
    if number is None or number.part > _LAST_HOUR or len(line.digits(at)) > 2:  # noqa: PLR2004
        return None
    end = line.after(number.end, "o'clock", "oclock")
    half = _read_half(line, end or number.end)
    if half is not None:
        return _checked(Clock(hour=number.part, half=half.part), half.end)
    if end is None and not said_at:
        return None
    is_24h = line.digits(at).startswith("0")
    found = _checked(Clock(hour=number.part, half="24h" if is_24h else "open"), end or number.end)
    return found and Found(found.part, found.end, weak=end is None)


def _read_half(line: Line, at: int) -> Found[Half] | None:
    """Such as "am", "pm", "a.m.", "p.m."."""
    word = line.word(at)
    if word in ("am", "pm"):
        return Found("am" if word == "am" else "pm", at + 1)
    if word in ("a", "p") and line.sign(at + 1) == "." and line.word(at + 2) == "m" and _is_glued(line, at + 1, 2):
        end = at + 4 if line.sign(at + 3) == "." and line.is_joined(at + 3) else at + 3
        return Found("am" if word == "a" else "pm", end)
    return None


def _is_glued(line: Line, at: int, count: int) -> bool:
    return all(line.is_joined(position) for position in range(at, at + count))


def _checked(clock: Clock, end: int) -> Found[Clock] | None:
    """The clock time if there is one such: 13am, 25:00 and 9:75 are none; 24:00 ends the day."""
    highest = _NOON if clock.half in ("am", "pm") else _LAST_HOUR
    if clock.hour > highest or clock.minutes > _LAST_MINUTE or clock.seconds > _LAST_MINUTE:
        return None
    if clock.hour == _LAST_HOUR and (clock.minutes or clock.seconds):
        return None
    if clock.half in ("am", "pm") and clock.hour == 0:
        return None
    return Found(clock, end)
