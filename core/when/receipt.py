"""Receipts: an instant as one line that people can check, and that reads back to the same instant."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from core.when.lexicon import MONTH_NAMES, MONTHS, WEEKDAY_NAMES
from core.when.zones import is_overlap, load_zone

_RECEIPT = re.compile(
    r"(?P<weekday>[A-Z][a-z]{2}) (?P<day>[0-9]{1,2}) (?P<month>[A-Z][a-z]{2}) (?P<year>[0-9]{4}) (?P<clock>[0-9:]{5,8})"
    r"(?: (?P<offset>[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2})?))? (?P<zone>[A-Za-z0-9_+/-]{1,64})"
    r"(?:, (?P<utc>[A-Za-z0-9: ]{5,30}) UTC)?(?:, (?:in )?[a-z0-9 ]{1,20})?\Z"
)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TELL_SECONDS_BELOW = 300  # "in 1 min 30 s", but "in 12 min"


@dataclass(frozen=True, kw_only=True)
class ReceiptReading:
    """What a receipt says: a wall time in a zone, the offset where the wall time comes twice, the UTC part."""

    wall: datetime
    zone: str
    offset: timedelta | None
    utc: str = ""

    def agrees(self, instant: datetime) -> bool:
        """Whether an instant that shows the wall time is the one of the UTC part too, where there is such a part."""
        instant = instant.astimezone(UTC)
        date_of_utc = "" if instant.date() == self.wall.date() else f"{day_of(instant.date())} "
        return self.utc in ("", f"{date_of_utc}{_clock(instant)}")


def receipt(instant: datetime, *, zone: str, now: datetime) -> str:
    """An aware instant for people: "Fri 27 Nov 2026 09:00 Europe/Madrid, 08:00 UTC, in 6 d 14 h".

    The UTC part bears its date where that differs; seconds are shown where there are any; the offset is added where
    the wall time comes twice. ``now`` is aware. Raises InvalidInput (when_zone).
    """
    place = load_zone(zone)
    local, universal = instant.astimezone(place), instant.astimezone(UTC)
    parts = [f"{day_of(local.date())} {_clock(local)}"]
    if is_overlap(instant, place):
        parts.append(_offset(local))
    parts.append(zone)
    first = " ".join(parts)
    if zone == "UTC":
        return f"{first}, {distance(instant - now)}"
    date_of_utc = "" if universal.date() == local.date() else f"{day_of(universal.date())} "
    return f"{first}, {date_of_utc}{_clock(universal)} UTC, {distance(instant - now)}"


def day_of(day: date) -> str:
    """A day as receipts show it: "Fri 27 Nov 2026"."""
    return f"{WEEKDAY_NAMES[day.weekday()][:3]} {day.day} {MONTH_NAMES[day.month - 1][:3]} {day.year:04d}"


def distance(delta: timedelta) -> str:
    """How far from now: "now", "in 45 s", "in 3 h 5 min", "5 min ago"; rounded down to its two largest units."""
    seconds = round(delta.total_seconds())
    if seconds == 0:
        return "now"
    length = _length(abs(seconds))
    return f"in {length}" if seconds > 0 else f"{length} ago"


def _length(seconds: int) -> str:
    days, rest = divmod(seconds, _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    if days:
        parts = [(days, "d"), (hours, "h")]
    elif hours:
        parts = [(hours, "h"), (minutes, "min")]
    else:
        parts = [(minutes, "min"), (rest if seconds < _TELL_SECONDS_BELOW else 0, "s")]
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def _offset(local: datetime) -> str:
    text = local.isoformat()[19:] if not local.microsecond else local.replace(microsecond=0).isoformat()[19:]
    return text or "+00:00"


def read_receipt(phrase: str) -> ReceiptReading | None:
    """What a whole receipt says, or None when the phrase is none."""
    match = _RECEIPT.match(phrase.strip())
    month = MONTHS.get(match["month"].lower()) if match else None
    if match is None or month is None:
        return None
    try:
        day, clock = date(int(match["year"]), month, int(match["day"])), time.fromisoformat(match["clock"])
    except ValueError:
        return None
    if match["weekday"] != WEEKDAY_NAMES[day.weekday()][:3]:
        return None  # not of our making: the grammar asks which of the two days is meant
    offset = _read_offset(match["offset"])
    return ReceiptReading(wall=datetime.combine(day, clock), zone=match["zone"], offset=offset, utc=match["utc"] or "")


def _read_offset(text: str | None) -> timedelta | None:
    if text is None:
        return None
    return datetime.fromisoformat(f"2000-01-01T00:00{text}").utcoffset()
