"""Finding the words that say a time in an English sentence, so that they can be cut out and handed to the resolver."""

from dataclasses import dataclass
from typing import Literal

from core.when.dates import Period
from core.when.grammar import Reading, read_phrase
from core.when.lexicon import (
    DAYPARTS,
    DOUBTFUL_NAMES,
    MONTHS,
    NUMBER_WORDS,
    ORDINAL_WORDS,
    TENS,
    UNITS,
    UNSURE_NAMES,
    WEEKDAYS,
)
from core.when.numbers import read_duration
from core.when.shifts import VERBS_EARLIER, VERBS_LATER
from core.when.slots import is_slot, read_slot, read_slot_bound
from core.when.tokens import Found, Line
from core.when.windows import Between, DayStretch, Month, Rolling, read_one_window, read_window

__all__ = ["Span", "find_phrases", "is_slot"]

_PREPOSITIONS = frozenset({"for", "on", "at", "by", "to", "until", "till", "from", "around", "before", "after", "in"})
_STARTERS = (
    frozenset(WEEKDAYS)
    | frozenset(MONTHS)
    | frozenset(UNSURE_NAMES)
    | frozenset(NUMBER_WORDS)
    | frozenset(TENS)
    | frozenset(ORDINAL_WORDS)
    | frozenset(
        "today tomorrow yesterday tonight the day same that this next coming following last previous past end start "
        "beginning noon midday midnight high half quarter a an in within during back forward forwards later earlier "
        "now right straight immediately first eod eom cob close month weekend rest at around by whenever when as any "
        "earliest soonest free open available".split()
    )
)
# Words of which every sentence is full begin a time only before one of these, or before another starter.
_LINKS = frozenset("a an the in at by this next last that any as when whenever same end back around during".split())
_FOLLOWING_LINKS = (
    frozenset(UNITS) | frozenset(DAYPARTS) | frozenset("couple slot there's there soon of time three".split())
)
# A weekday after one of these is the name of something: "our Friday special", "Black Friday", "the Monday post".
_NAMING = frozenset(
    "the our my your their his her its a an black good cyber happy ash easter palm taco throwback super giving "
    "motivation motivational casual no that about".split()
)
_NAMES = frozenset(WEEKDAYS) | frozenset(UNSURE_NAMES) | frozenset({"weekend", "noon", "midnight", "midday"})
# What may follow a number or a short word for it to be a time: "at 9 please", but not "at 9 shops".
_FOLLOWERS = frozenset(
    "and or but then please pls thanks instead on in at for with to if so too as also tomorrow today tonight this next "
    "sharp exactly using from by about via when because not it that would will is".split()
)
_REPETITIONS = frozenset({"every", "each", "daily", "weekly"})
_NOT_NOW = frozenset({"and", "ok", "okay", "so", "but", "for", "until", "till", "by", "just", "from", "well", ""})
_RANGE_SIGNS = frozenset("-–/:%€$£.")  # noqa: RUF001 - people type the long dash
_BEFORE_NUMBER = frozenset("-–/.:#$€£+,'’")  # noqa: RUF001
_MOST_ATTEMPTS = (
    100  # places where a time could begin; a text with more is no command, and answers quickly all the same
)
_LOOK_BACK = 12  # words between a verb and its length of time: "push the post about our blend back by a day"


@dataclass(frozen=True, kw_only=True)
class Span:
    """A time phrase in a text: ``text[start:end]``, and ``phrase``, what to hand on.

    ``kind`` "time" is for resolve (a bare day also for window), "window" for window alone, "slot" asks for a free
    posting time. ``phrase`` is the slice, with the verb before it where that gives the direction ("push it back by a
    day": start is at "back", the phrase is "push back by a day"). ``lead`` is where the preposition that belongs to
    it begins ("for Friday": at "for"); equal to ``start`` without one.
    """

    start: int
    end: int
    phrase: str
    kind: Literal["time", "slot", "window"]
    lead: int


def find_phrases(text: str) -> tuple[Span, ...]:
    """The time phrases of a sentence from left to right, each as long as it goes; captions in quotes are not for it.

    A repetition ("every Friday at 9am") is passed over as a whole: no single time is meant. Words that are a time
    and more often something else ("may", "sat", "at 9 shops", "Black Friday") count only where their neighbours say
    so. Beyond the hundredth place where a time could begin nothing is looked for.
    """
    line, spans, at, attempts = Line(text), list[Span](), 0, 0
    while at < len(line) and attempts < _MOST_ATTEMPTS:
        if _is_repetition(line, at):
            at, attempts = _after_repetition(line, at), attempts + 1
            continue
        if not _can_start(line, at):
            at += 1
            continue
        found, attempts = _read_span(line, at), attempts + 1
        if found is None:
            at += 1
            continue
        spans.append(found.part)
        at = found.end
    return tuple(spans)


def _can_start(line: Line, at: int) -> bool:
    """Whether a time could begin at a position, from its first two words: most words of a sentence end here."""
    token = line.tokens[at]
    if token.kind != "word":
        return token.kind in ("number", "iso")
    word, following = token.text.removesuffix("'s"), line.word(at + 1).removesuffix("'s")
    if word not in _STARTERS:
        return False
    return word not in _LINKS or following in _STARTERS or following in _FOLLOWING_LINKS or bool(line.digits(at + 1))


def _is_repetition(line: Line, at: int) -> bool:
    word = line.word(at)
    return word in _REPETITIONS or (word.endswith("days") and word[:-1] in WEEKDAYS)


def _after_repetition(line: Line, at: int) -> int:
    for start in range(at + 1, at + 4):
        found = read_phrase(line, start)
        if not found.part.is_empty:
            return found.end
    return at + 1


def _read_span(line: Line, at: int) -> Found[Span] | None:
    slot = read_slot(line, at)
    if slot is not None:
        bound = read_slot_bound(line, slot.end)
        return _span(line, at, slot.end if bound is None else bound.end, "slot")
    if _is_part_of_something(line, at):
        return None
    moved = _read_moved(line, at)
    if moved is not None:
        return moved
    time = _read_time(line, at)
    stretch = _read_stretch(line, at)
    if stretch is not None and (time is None or stretch.end > time.end):
        return _span(line, at, stretch.end, "window")
    if time is None:
        return None
    start = at + 1 if _can_lose_at(line, at, time.end) else at
    dates = time.part.dates
    is_period = len(dates) == 1 and isinstance(dates[0], Period) and not time.part.has_clock
    return _span(line, start, time.end, "window" if is_period else "time")


def _span(line: Line, at: int, end: int, kind: Literal["time", "slot", "window"], verb: str = "") -> Found[Span]:
    start, stop = line.tokens[at].start, line.tokens[end - 1].end
    has_lead = line.word(at - 1) in _PREPOSITIONS and line.word(at) not in _PREPOSITIONS
    lead = at - 1 if has_lead else at
    phrase = f"{verb} {line.text[start:stop]}" if verb else line.text[start:stop]
    span = Span(start=start, end=stop, phrase=phrase, kind=kind, lead=line.tokens[lead].start)
    return Found(span, end)


def _is_part_of_something(line: Line, at: int) -> bool:
    """Whether a token belongs to the one before it ("v2", "#9", "5-9") or names a thing ("our Friday special")."""
    before = line.tokens[at - 1] if at else None
    if before is None:
        return False
    if line.is_joined(at) and (before.kind != "sign" or before.text in _BEFORE_NUMBER):
        return True
    name = line.word(at).removesuffix("'s")
    return name in _NAMES and before.text in _NAMING


def _can_lose_at(line: Line, at: int, end: int) -> bool:
    """Whether the phrase says the same without the "at" before it ("9am"); a bare hour does not ("at 9")."""
    if line.word(at) not in ("at", "around"):
        return False
    without = read_phrase(line, at + 1, joins_weak=lambda _end: False)
    return without.end == end and not without.part.is_empty


def _read_time(line: Line, at: int) -> Found[Reading] | None:
    found = read_phrase(line, at, joins_weak=lambda end: _ends_well(line, end))
    reading = found.part
    if reading.is_empty or not _stands_free(line, found.end):
        return None
    if reading.is_now:
        return found if line.word(at) != "now" or line.word(at - 1) not in _NOT_NOW else None
    if reading.dates or reading.clock or reading.shift or reading.daypart or reading.is_same_time:
        is_doubtful = found.weak or (line.word(at) in DOUBTFUL_NAMES and line.tokens[at].raw.islower())
        return None if is_doubtful and not _is_led(line, at) else found
    return None


def _is_led(line: Line, at: int) -> bool:
    """Whether what stands before lets a doubtful word be a time: a preposition, or "it" ("move it sat 9am")."""
    before = line.word(at - 1)
    is_bare_daypart = line.word(at) in DAYPARTS
    is_after_it = before in ("it", "that", "this", "them") or at == 0
    return line.word(at) in ("at", "around") or (not is_bare_daypart and (before in _PREPOSITIONS or is_after_it))


def _ends_well(line: Line, end: int) -> bool:
    """Whether what follows a doubtful time does not make it something else."""
    if end >= len(line) or (line.sign(end) and line.sign(end) not in "%€$£°"):
        return True
    word = line.word(end)
    if word in _FOLLOWERS or word in WEEKDAYS or word in MONTHS or word in DAYPARTS or word in ("noon", "midnight"):
        return True
    return bool(line.digits(end)) and (line.word(end + 1) in ("am", "pm") or line.sign(end + 1) == ":")


def _stands_free(line: Line, end: int) -> bool:
    """Whether a time is not the first half of something longer: "9am-5pm", "9:00-10:00", "Sun-kissed"."""
    if not line.is_joined(end):
        return True
    return line.sign(end) not in _RANGE_SIGNS - {"."} or not line.is_joined(end + 1)


def _read_stretch(line: Line, at: int) -> Found[None] | None:
    """A stretch of time that is no day ("next 7 days", "in November") or that owns something ("today's posts")."""
    owner = None if line.word(at) in _PREPOSITIONS else _read_possessive(line, at) or _read_pair(line, at)
    if owner is not None:
        return owner
    if line.word(at) in ("at", "on", "for", "of", "all", "over"):
        return None
    found = read_one_window(line, at)
    if found is None or isinstance(found.part, DayStretch) or found.weak or not _stands_free(line, found.end):
        return None
    if line.word(at) == "in" and not isinstance(found.part, Month | Rolling):
        return None
    if isinstance(found.part, Month) and line.word(at) in MONTHS and found.part.year is None:
        return None
    return Found(None, found.end)


def _read_pair(line: Line, at: int) -> Found[None] | None:
    """Such as "today and tomorrow", when no clock time follows; other days joined by "and" are one post each."""
    if line.word(at) not in ("today", "tomorrow") or line.word(at + 1) != "and":
        return None
    pair = read_window(line, at)
    return Found(None, pair.end) if pair is not None and isinstance(pair.part, Between) else None


def _read_possessive(line: Line, at: int) -> Found[None] | None:
    for end in range(at + 1, min(at + 4, len(line) + 1)):
        word = line.word(end - 1)
        if not word.endswith("'s"):
            continue
        head = line.text[line.tokens[at].start : line.tokens[end - 1].end - 2]
        inner = Line(head)
        found = read_one_window(inner, 0)
        return Found(None, end) if found is not None and found.end == len(inner) else None
    return None


def _read_moved(line: Line, at: int) -> Found[Span] | None:
    """Such as "back by a day" and "by an hour", when a verb before them says the direction."""
    if line.word(at) not in ("back", "forward", "forwards", "out", "by"):
        return None
    length = read_duration(line, line.skip(at + 1, "by") if line.word(at) != "by" else at + 1)
    if length is None or line.word(length.end) in ("later", "earlier", "sooner", "back", "forward"):
        return None
    verbs = (line.word(before) for before in range(at - 1, max(at - 1 - _LOOK_BACK, -1), -1))
    verb = next((word for word in verbs if word in VERBS_LATER or word in VERBS_EARLIER), None)
    return None if verb is None else _span(line, at, length.end, "time", verb)
