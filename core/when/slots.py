"""Words that ask for a free posting time instead of naming one: "next free slot", "whenever there's a free slot"."""

from core.when.tokens import Found, Line

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
_POLITE = frozenset({"please", "for", "in", "into", "to", "at", "on", "it", "then", "thanks"})


def is_slot(phrase: str) -> bool:
    """Whether a phrase as a whole asks for a free posting time; such a time is found from the account's schedule."""
    line = Line(phrase[:200])
    start = 0
    while line.word(start) in _POLITE:
        start += 1
    found = read_slot(line, start)
    if found is None:
        return False
    end = found.end
    while line.word(end) in _POLITE or line.sign(end):
        end += 1
    return end == len(line)


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
