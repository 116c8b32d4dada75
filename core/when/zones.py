"""Time zones: what a wall time is in one (one instant, none or two), and the names people call them by."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from core.errors import InvalidInput
from core.when.tokens import Found, Line

_SAFE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,30}(?:/[A-Za-z0-9_+-]{1,30}){0,2}\Z")
_SHORT_NAME = 3  # letters: "la" alone is not Los Angeles, "in LA" is
_LONGEST_NAME = 3  # words in a place: "new york", "port of spain"
_MOST_OFFSET_HOURS = 14
_SECOND = timedelta(seconds=1)

# Places that the tz database does not list by the name people use.
_PLACES = {
    "nyc": "America/New_York",
    "boston": "America/New_York",
    "washington": "America/New_York",
    "miami": "America/New_York",
    "atlanta": "America/New_York",
    "montreal": "America/Toronto",
    "dallas": "America/Chicago",
    "houston": "America/Chicago",
    "la": "America/Los_Angeles",
    "san francisco": "America/Los_Angeles",
    "seattle": "America/Los_Angeles",
    "barcelona": "Europe/Madrid",
    "spain": "Europe/Madrid",
    "milan": "Europe/Rome",
    "italy": "Europe/Rome",
    "munich": "Europe/Berlin",
    "hamburg": "Europe/Berlin",
    "germany": "Europe/Berlin",
    "france": "Europe/Paris",
    "geneva": "Europe/Zurich",
    "edinburgh": "Europe/London",
    "manchester": "Europe/London",
    "uk": "Europe/London",
    "british": "Europe/London",
    "kyiv": "Europe/Kyiv",
    "mumbai": "Asia/Kolkata",
    "delhi": "Asia/Kolkata",
    "bangalore": "Asia/Kolkata",
    "india": "Asia/Kolkata",
    "beijing": "Asia/Shanghai",
    "china": "Asia/Shanghai",
    "osaka": "Asia/Tokyo",
    "japan": "Asia/Tokyo",
    "abu dhabi": "Asia/Dubai",
    "são paulo": "America/Sao_Paulo",
    "rio": "America/Sao_Paulo",
    "cape town": "Africa/Johannesburg",
    "wellington": "Pacific/Auckland",
}
# Names that only mean a zone with "time" after them.
_REGIONS = {
    "eastern": "America/New_York",
    "central": "America/Chicago",
    "mountain": "America/Denver",
    "pacific": "America/Los_Angeles",
    "central european": "Europe/Berlin",
    "eastern european": "Europe/Athens",
}
# Letters: each zone that uses them, with the hours from UTC they stand for there (None: whatever holds that day).
_LETTERS: dict[str, tuple[tuple[str, float | None], ...]] = {
    "utc": (("UTC", 0),),
    "gmt": (("Etc/GMT", 0),),
    "et": (("America/New_York", None),),
    "est": (("America/New_York", -5),),
    "edt": (("America/New_York", -4),),
    "cst": (("America/Chicago", -6), ("Asia/Shanghai", 8)),
    "cdt": (("America/Chicago", -5),),
    "mst": (("America/Denver", -7),),
    "mdt": (("America/Denver", -6),),
    "pt": (("America/Los_Angeles", None),),
    "pst": (("America/Los_Angeles", -8),),
    "pdt": (("America/Los_Angeles", -7),),
    "bst": (("Europe/London", 1),),
    "cet": (("Europe/Berlin", 1),),
    "cest": (("Europe/Berlin", 2),),
    "eet": (("Europe/Athens", 2),),
    "eest": (("Europe/Athens", 3),),
    "msk": (("Europe/Moscow", 3),),
    "ist": (("Asia/Kolkata", 5.5), ("Asia/Jerusalem", 2), ("Europe/Dublin", 1)),
    "sgt": (("Asia/Singapore", 8),),
    "hkt": (("Asia/Hong_Kong", 8),),
    "jst": (("Asia/Tokyo", 9),),
    "kst": (("Asia/Seoul", 9),),
    "aest": (("Australia/Sydney", 10),),
    "aedt": (("Australia/Sydney", 11),),
    "nzst": (("Pacific/Auckland", 12),),
    "nzdt": (("Pacific/Auckland", 13),),
}
# Cities of the tz database that are ordinary words in a sentence.
_NOT_PLACES = frozenset({"center", "easter", "midway", "reunion", "troll", "wake", "knox", "nome", "mawson", "general"})


@dataclass(frozen=True, kw_only=True)
class ZoneChoice:
    """A zone that was meant; ``key`` None is the workspace's. ``offset``: the distance from UTC that was said."""

    key: str | None
    offset: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class ZoneMention:
    """A zone as said; more than one choice ("CST") has to be asked about. ``letters`` are as said, else ""."""

    choices: tuple[ZoneChoice, ...]
    letters: str = ""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Wall times that a zone's clocks skip: from ``first`` (not shown by any clock) to ``end`` (shown again)."""

    first: datetime
    end: datetime
    instant: datetime


def load_zone(key: str) -> ZoneInfo:
    """The zone of an IANA name. Raises InvalidInput (when_zone) for anything else."""
    try:
        if _SAFE_KEY.match(key):
            return ZoneInfo(key)
    except (LookupError, OSError, ValueError):
        pass  # not a zone file, or a folder of them
    raise InvalidInput(
        f'There is no time zone "{clipped(key)}": use an IANA name, for example Europe/Madrid.', code="when_zone"
    )


def clipped(text: str, limit: int = 60) -> str:
    """A text short and printable enough for a message."""
    printable = "".join(character if character.isprintable() else " " for character in text[: limit + 1])
    return printable if len(text) <= limit else f"{printable[:limit]}…"


def instants_of(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The instants (UTC) at which clocks in a zone show a wall time: one, none in a gap, two in an overlap."""
    found: list[datetime] = []
    for fold in (0, 1):
        instant = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if instant not in found and wall_time(instant, zone) == wall.replace(fold=0):
            found.append(instant)
    return tuple(found)


def wall_time(instant: datetime, zone: ZoneInfo) -> datetime:
    """What clocks in a zone show at an instant, naive."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def is_overlap(instant: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks in a zone show an instant's wall time twice."""
    return len(instants_of(wall_time(instant, zone), zone)) > 1


def gap_around(wall: datetime, zone: ZoneInfo) -> Gap:
    """The gap that a wall time without instants lies in."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    old = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    instant = after.replace(microsecond=0)
    end = wall_time(instant, zone)
    return Gap(first=instant.replace(tzinfo=None) + (old or timedelta()), end=end, instant=instant)


def start_of_day(midnight: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) of a local day, also where its midnight is skipped or comes twice."""
    instants = instants_of(midnight, zone)
    return instants[0] if instants else gap_around(midnight, zone).instant


def read_zone(line: Line, at: int) -> Found[ZoneMention] | None:
    """A zone after a time: an IANA name, letters (CET, UTC+2), a place ("in London", "New York time"), an offset."""
    return _read_key(line, at) or _read_letters(line, at) or _read_place(line, at) or _read_offset(line, at, None)


def _read_key(line: Line, at: int) -> Found[ZoneMention] | None:
    key = _keys().get(line.path(at).lower())
    return Found(_mention(key), at + 1) if key else None


def _mention(key: str | None) -> ZoneMention:
    return ZoneMention(choices=(ZoneChoice(key=key),))


def _read_letters(line: Line, at: int) -> Found[ZoneMention] | None:
    start = line.skip(at, "in") if line.word(at + 1) in _LETTERS else at
    word = line.word(start)
    if word == "z" and line.is_joined(start):
        return Found(ZoneMention(choices=(ZoneChoice(key=None, offset=timedelta()),)), start + 1)
    if word not in _LETTERS:
        return None
    if word in ("utc", "gmt") and line.sign(start + 1) in ("+", "-") and line.is_joined(start + 1):
        return _read_offset(line, start + 1, line.sign(start + 1))
    choices = tuple(
        ZoneChoice(key=key, offset=None if hours is None else timedelta(hours=hours)) for key, hours in _LETTERS[word]
    )
    return Found(ZoneMention(choices=choices, letters=word.upper()), line.skip(start + 1, "time"))


def _read_offset(line: Line, at: int, sign: str | None) -> Found[ZoneMention] | None:
    """Such as "+02:00", "+0200", "+2"; a minus only where the caller knows that it is no range of times."""
    if (sign or line.sign(at)) not in (("+", "-") if sign else ("+",)) or not line.is_joined(at + 1):
        return None
    digits = line.digits(at + 1)
    hours, minutes, end = digits[:2], digits[2:], at + 2
    if line.sign(end) == ":" and len(digits) <= 2 and line.is_joined(end + 1):  # noqa: PLR2004 - HH:MM
        minutes, end = line.digits(end + 1), end + 2
    if not hours or len(minutes) not in (0, 2) or int(hours) > _MOST_OFFSET_HOURS or int(minutes or 0) > 59:  # noqa: PLR2004
        return None
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    choice = ZoneChoice(key=None, offset=-offset if line.sign(at) == "-" else offset)
    return Found(ZoneMention(choices=(choice,)), end)


def read_written_offset(line: Line, at: int) -> Found[ZoneMention] | None:
    """The offset of an ISO time, plus or minus."""
    return _read_offset(line, at, line.sign(at)) if line.sign(at) in ("+", "-") else None


def _read_place(line: Line, at: int) -> Found[ZoneMention] | None:
    end = line.after(at, "local time", "our time", "my time", "here")
    if end is not None:
        return Found(_mention(None), end)
    start = line.skip(at, "in")
    start = line.skip(start, "the") if line.word(start + 1) in ("uk", "us") else start
    for count in range(_LONGEST_NAME, 0, -1):
        words = " ".join(line.word(start + step) for step in range(count))
        has_time = line.word(start + count) == "time"
        is_last = start + count >= len(line)  # "9am Eastern", but not "9am central station"
        key = _place(words) or (_REGIONS.get(words) if has_time or is_last else None)
        if key is not None and (has_time or start > at or len(words) > _SHORT_NAME):
            return Found(_mention(key), start + count + has_time)
    return None


def _place(words: str) -> str | None:
    return None if words in _NOT_PLACES else _PLACES.get(words) or _cities().get(words)


@lru_cache(maxsize=1)
def _keys() -> dict[str, str]:
    """The names of the tz database by their lower-case form."""
    return {key.lower(): key for key in files("tzdata").joinpath("zones").read_text(encoding="ascii").split()}


@lru_cache(maxsize=1)
def _cities() -> dict[str, str]:
    """The zones of an area by their last part: "buenos aires" is America/Argentina/Buenos_Aires."""
    areas = ("africa", "america", "asia", "atlantic", "australia", "europe", "indian", "pacific")
    cities: dict[str, str] = {}
    for lower, key in sorted(_keys().items(), key=lambda pair: len(pair[0])):
        area, _, place = lower.partition("/")
        name = place.rpartition("/")[2].replace("_", " ").replace("-", " ")
        if area in areas and len(name) > 3:  # noqa: PLR2004 - ACT and LHI are words of two or three letters
            cities.setdefault(name, key)
    return cities
