"""Phrases to instants: the model hands on what a person said, and only the server computes the time.

A phrase is read in the workspace's zone unless it names one; then its days are that zone's days too. Where a phrase
can mean several instants, those that are past or too far ahead are no meanings; if more than one is left, it is
asked (Ambiguous), never guessed. Parts of the day without a clock time: morning 09:00, noon 12:00, lunchtime 12:30,
afternoon 15:00, end of day 17:00, evening 18:00, tonight 20:00, night 21:00. Bare hours: see core.when.clock_times.
"Friday" is the coming one (today while its time is ahead; of a scheduled post, the one nearest to it), "this Friday"
the one of this week while it is ahead, "next Friday" the Friday of next calendar week, whatever today is; weeks begin
on Monday; "the following Friday" is the first after the post's day. A misspelt name that fits two days is asked. A
clock time alone is on the post's day, or the next time the clock shows it; a day alone keeps the post's clock time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.errors import Ambiguous, Candidate, InvalidInput
from core.when.grammar import Reading, read_phrase
from core.when.meanings import Meaning, Scene, meanings_of
from core.when.phrases import Span, find_phrases, is_slot
from core.when.receipt import day_of, read_receipt, receipt
from core.when.slots import slot_stretch
from core.when.tokens import Line
from core.when.windows import window
from core.when.zones import Gap, clipped, instants_of, load_zone, wall_time

__all__ = ["Moment", "Span", "find_phrases", "is_slot", "resolve", "slot_stretch", "window"]

_LONGEST_PHRASE = 200  # characters
_EXAMPLES = 'Say for example "Friday 9am", "tomorrow at noon", "27 November 18:30", "in 2 hours" or "2026-11-27T09:00".'
_REPETITIONS = frozenset({"every", "each", "daily", "weekly", "monthly", "hourly"})
_OPENINGS = frozenset({"please", "for", "to", "on", "then", "ok", "exactly", "it", "make", "set", "move", "shift"})
_CLOSINGS = frozenset({"please", "pls", "thanks", "instead", "sharp", "exactly", "then"})


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A phrase made certain: the instant (aware, UTC, whole seconds but for "now"), and what was said.

    ``zone`` is the IANA zone in which it was said (the workspace's unless the phrase names another), ``wall_time``
    the naive time on that zone's clocks (its ``fold`` tells the second of two equal hours); both are kept so that a
    change of a zone's rules can be applied.
    """

    instant: datetime
    zone: str
    wall_time: datetime
    phrase: str


def resolve(phrase: str, *, now: datetime, zone: str, anchor: datetime | None = None) -> Moment:
    """The one instant that a phrase means.

    ``now`` and ``anchor`` are aware; ``anchor`` is the post's present time, from which "an hour later", "the day
    after" and "Saturday" are understood, and None when it has none. Raises InvalidInput with the codes when_past
    (more than 60 s ago), when_too_far (more than 3 months ahead), when_gap (skipped by the clocks), when_unknown,
    when_zone, when_incomplete; Ambiguous with the codes when_overlap (the clocks show it twice) and when_ambiguous,
    whose candidates have an ISO instant with offset as id, which resolves to just that, and a receipt as label.
    """
    if now.tzinfo is None or (anchor is not None and anchor.tzinfo is None):
        raise ValueError("now and anchor must be aware")
    home = load_zone(zone)
    scene = Scene(now=now.astimezone(UTC), zone=home, anchor=anchor and anchor.astimezone(UTC))
    found = _receipt_meanings(phrase, scene)
    if found is None:
        reading = _read(phrase)
        if reading.is_now:
            return _moment(Meaning(instant=scene.now, zone=home), phrase)
        found = meanings_of(reading, scene)
    return _moment(_only(found, phrase, scene), phrase)


def completed(said: str, answer: str) -> str:
    """What was said together with the answer to what it lacked: "Friday", then "9am", are "Friday 9am".

    An answer that is a whole time, or that has nothing to do with what was said, stands alone.
    """
    try:
        first, second = _read(said), _read(answer)
    except InvalidInput:
        return answer
    if first.dates and second.has_clock and not (first.has_clock or second.dates or second.shift):
        return f"{said} {answer}"
    if first.has_clock and second.dates and not (first.dates or second.has_clock or first.shift):
        return f"{answer} {said}"
    return answer


def _moment(meaning: Meaning, phrase: str) -> Moment:
    local = meaning.instant.astimezone(meaning.zone)
    return Moment(instant=meaning.instant, zone=meaning.zone.key, wall_time=local.replace(tzinfo=None), phrase=phrase)


def _receipt_meanings(phrase: str, scene: Scene) -> tuple[Meaning, ...] | None:
    """What a receipt of ours says when it is given back, or None for other phrases."""
    said = read_receipt(phrase) if len(phrase) <= _LONGEST_PHRASE else None
    if said is None:
        return None
    zone = load_zone(said.zone)
    instants = instants_of(said.wall, zone)
    if said.offset is not None:
        instants = tuple(it for it in instants if it.astimezone(zone).utcoffset() == said.offset)
    if instants:
        instants = tuple(it for it in instants if said.agrees(it))
        if not instants:
            raise InvalidInput(
                f'"{clipped(phrase)}" names two different times: say one of them, local or UTC.', code="when_unknown"
            )
    if not instants:
        return None
    return tuple(scene.weighed(instant, zone) for instant in instants)


def _read(phrase: str) -> Reading:
    """The reading of a whole phrase. Raises InvalidInput (when_unknown, when_zone)."""
    line = Line(phrase) if len(phrase) <= _LONGEST_PHRASE else Line("")
    start, last = 0, len(line)
    while line.word(start) in _OPENINGS:
        start += 1
    while last > start and (line.word(last - 1) in _CLOSINGS or line.sign(last - 1) in (".", "!", ",", "?")):
        last -= 1
    found = read_phrase(line, start)
    if not found.part.is_empty and found.end >= last:
        return found.part
    if line.tokens[start:last]:
        # "7 in the evening" and a bare "9" are hours here, where nothing but a time is expected.
        found_bare = read_phrase(Line(f"at {phrase[line.tokens[start].start :]}"), 0)
        if found_bare.end >= last - start + 1:
            return found_bare.part
    raise _not_understood(phrase, line, found.end if not found.part.is_empty else 0)


def _not_understood(phrase: str, line: Line, end: int) -> InvalidInput:
    words = [line.word(at) for at in range(len(line))]
    if _REPETITIONS & set(words) or any(word.endswith("days") and word[:-1] in _weekday_names() for word in words):
        return InvalidInput(
            f'"{clipped(phrase)}" is a repetition, and a post goes out once: say one time. {_EXAMPLES}',
            code="when_unknown",
        )
    rest = line.text[line.tokens[end].start :] if 0 < end < len(line) else ""
    is_place = line.word(end) == "in" and line.word(end + 1) not in ("", "a", "an", "the")
    if rest and (is_place or line.path(end) or line.word(len(line) - 1) == "time"):
        return InvalidInput(
            f'There is no time zone "{clipped(rest)}": name a large city or an IANA zone, for example Europe/Madrid.',
            code="when_zone",
        )
    return InvalidInput(f'"{clipped(phrase)}" is not a time that Studio understands. {_EXAMPLES}', code="when_unknown")


def _weekday_names() -> frozenset[str]:
    return frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})


def _only(found: tuple[Meaning, ...], phrase: str, scene: Scene) -> Meaning:
    """The one meaning that can be scheduled. Raises Ambiguous for several, InvalidInput for none."""
    possible = {it.instant: it for it in found if it.verdict == "possible"}
    if len(possible) == 1:
        return next(iter(possible.values()))
    if not possible:
        raise _impossible(found, scene)
    candidates = [
        Candidate(
            id=it.instant.astimezone(it.zone).isoformat(),
            label=receipt(it.instant, zone=it.zone.key, now=scene.now),
        )
        for it in sorted(possible.values(), key=lambda it: it.instant)
    ]
    walls = {(wall_time(it.instant, it.zone), it.zone.key) for it in possible.values()}
    if len(walls) == 1:
        message = f"Clocks go back, so this time comes twice: {' or '.join(it.label for it in candidates)}?"
        raise Ambiguous(message, code="when_overlap", candidates=candidates)
    message = f'"{clipped(phrase)}" can mean several times: {" or ".join(it.label for it in candidates)}?'
    raise Ambiguous(message, code="when_ambiguous", candidates=candidates)


def _impossible(found: tuple[Meaning, ...], scene: Scene) -> InvalidInput:
    """Why none of the meanings can be scheduled: the nearest of them to now says it."""
    gap = next((it for it in found if it.verdict == "skipped"), None)
    if gap is not None and gap.gap is not None and gap.wall is not None:
        return _skipped(gap.wall, gap.zone.key, gap.gap)
    nearest = min(found, key=lambda it: abs(it.instant - scene.now))
    line = receipt(nearest.instant, zone=nearest.zone.key, now=scene.now)
    if nearest.verdict == "past":
        return InvalidInput(f"{line}, is past: say a time to come.", code="when_past")
    return InvalidInput(f"{line}, is more than 3 months ahead: say a nearer time.", code="when_too_far")


def _skipped(wall: datetime, zone: str, gap: Gap) -> InvalidInput:
    last, end = gap.first - timedelta(minutes=1), gap.end
    return InvalidInput(
        f"{day_of(wall.date())} {wall:%H:%M} does not exist in {zone}: clocks go from {gap.first:%H:%M} to "
        f"{end:%H:%M}. {day_of(last.date())} {last:%H:%M} does, and {day_of(end.date())} {end:%H:%M}: say which.",
        code="when_gap",
    )
