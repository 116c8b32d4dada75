"""Words that ask for a free posting time instead of naming one: "next free slot", "a free slot on Thursday"."""

from datetime import UTC, datetime

from core.errors import InvalidInput
from core.when.tokens import Found, Line
from core.when.windows import DayStretch, read_one_window, window
from core.when.zones import clipped

_OPENINGS = (
    "whenever there's",
    "when there's",
    "whenever there is",
    "when there is",
    "as soon as there is",
    "whenever",
)
_ADJECTIVES = frozenset(
    {"next", "first", "earliest", "soonest", "free", "open", "available", "empty", "best", "posting"}
)
_FREE = frozenset({"free", "open", "available", "empty", "posting"})
_SLOTS = frozenset({"slot", "slots", "timeslot", "opening", "spot"})
_ARTICLES = ("the", "a", "an", "any", "our", "my", "your")
_BOUNDS = ("on", "in", "after", "from", "before", "by", "during", "within")
_LONGEST_PHRASE = 200  # characters
_POLITE = frozenset({"please", "for", "in", "into", "to", "at", "on", "it", "then", "thanks"})


def is_slot(phrase: str) -> bool:
    """Whether a phrase as a whole asks for a free posting time; such a time is found from the account's schedule."""
    return _read_whole(phrase[:_LONGEST_PHRASE]) is not None


def slot_stretch(phrase: str, *, now: datetime, zone: str) -> tuple[datetime, datetime | None]:
    """Where a slot phrase (see is_slot) lets the slot be, half-open, in UTC: from now on without an end for most.

    "On Thursday" is within that day, "after Friday" from the midnight that ends it, "from Friday" from the one that
    begins it, "before Friday" up to that one, "by Friday" with that day. Raises InvalidInput (when_past for a stretch
    that is over, and what window raises).
    """
    start = now.astimezone(UTC)
    said = _read_whole(phrase[:_LONGEST_PHRASE])
    if said is None or not said[1]:
        return start, None
    begin, end = window(said[1], now=now, zone=zone)
    first, last = {
        "after": (end, None),
        "from": (begin, None),
        "before": (start, begin),
        "by": (start, end),
    }.get(said[0], (begin, end))
    if last is not None and last <= start:
        raise InvalidInput(f'"{clipped(said[1])}" leaves no time to come: say a later day.', code="when_past")
    return max(first, start), last


def _read_whole(phrase: str) -> tuple[str, str] | None:
    """The word that bounds the slot and the days it is bounded by ("after", "Friday"), or None for no slot phrase."""
    line = Line(phrase)
    start = 0
    while line.word(start) in _POLITE:
        start += 1
    found = read_slot(line, start)
    if found is None:
        return None
    bound = read_slot_bound(line, found.end)
    end = found.end if bound is None else bound.end
    while line.word(end) in _POLITE or line.sign(end):
        end += 1
    if end != len(line):
        return None
    return ("", "") if bound is None else bound.part


def read_slot_bound(line: Line, at: int) -> Found[tuple[str, str]] | None:
    """The days that a slot must be in, or on one side of, after the words for the slot."""
    joint = line.skip(at, *_BOUNDS)
    found = read_one_window(line, joint)
    if found is None or (joint == at and found.weak):
        return None
    if isinstance(found.part, DayStretch) and not found.part.dates:
        return None  # "in the morning" is any morning, not today's
    text = line.text[line.tokens[joint].start : line.tokens[found.end - 1].end]
    return Found((line.word(at) if joint > at else "", text), found.end)


def read_slot(line: Line, at: int) -> Found[None] | None:
    """The words for a free posting time that begin at a position."""
    opening = line.after(at, *_OPENINGS)
    start = line.skip(at if opening is None else opening, *_ARTICLES)
    noun, said = start, set[str]()
    while line.word(noun) in _ADJECTIVES:
        said.add(line.word(noun))
        noun += 1
    if line.word(noun) == "time":
        after_time = line.skip(noun + 1, "slot")
        return Found(None, _available(line, after_time)) if said & _FREE or after_time > noun + 1 else None
    if line.word(noun) not in _SLOTS or not said:
        return None
    return Found(None, _available(line, noun + 1))


def _available(line: Line, at: int) -> int:
    """The position after words that say once more that it is free."""
    return line.after(at, "that is free", "that's free", "available", "you have", "we have") or at
