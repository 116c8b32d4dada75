"""Moves by a length of time: from now ("in 2 hours") and from the time a post has ("an hour later")."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from core.when.numbers import Duration, read_duration
from core.when.tokens import Found, Line


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A move by a length of time from now or from the anchor.

    ``signs`` holds both directions where English does: "back by a day" is a day later to some and earlier to others.
    """

    base: Literal["now", "anchor"]
    duration: Duration
    signs: tuple[int, ...] = (1,)


_LATER = ("later", "further on", "afterwards", "after that", "forwards in time")
_EARLIER = ("earlier", "sooner", "before that")
VERBS_LATER = (
    "push",
    "pushed",
    "put",
    "delay",
    "delayed",
    "postpone",
    "postponed",
    "pushing",
    "postponing",
    "delaying",
)
VERBS_EARLIER = ("bring", "brought", "pull", "bringing", "pulling")


def read_shift(line: Line, at: int) -> Found[Shift] | None:
    """A move by a length of time, in any of its forms; a bare length ("2 hours") is none."""
    for reader in (_read_in, _read_direction_first, _read_verb_first, _read_length_first):
        found = reader(line, at)
        if found is not None:
            return found
    return None


def _read_in(line: Line, at: int) -> Found[Shift] | None:
    start = line.after(at, "in", "within")
    if start is None:
        return None
    length = read_duration(line, start)
    if length is None:
        return None
    end = line.after(length.end, "from now", "time")
    return Found(Shift(base="now", duration=length.part), end or length.end)


def _read_direction_first(line: Line, at: int) -> Found[Shift] | None:
    """Such as "later by an hour", "back by a day", "forward two days"."""
    word = line.word(at)
    signs = {"later": (1,), "earlier": (-1,), "back": (1, -1), "forward": (-1, 1), "forwards": (-1, 1)}.get(word)
    if signs is None:
        return None
    by = line.skip(at + 1, "by")
    if by == at + 1 and len(signs) == 1:
        return None
    length = read_duration(line, by)
    if length is None:
        return None
    # "back in an hour" never comes here; "back a day" needs no "by", "later a day" is not English.
    return Found(Shift(base="anchor", duration=length.part, signs=signs), length.end)


def _read_verb_first(line: Line, at: int) -> Found[Shift] | None:
    """Such as "push it back by a day" and "delay by an hour" are later, "bring forward by an hour" is earlier."""
    sign = 1 if line.word(at) in VERBS_LATER else -1 if line.word(at) in VERBS_EARLIER else 0
    if not sign:
        return None
    start = line.skip(at + 1, "it", "that", "this")
    turned = line.skip(start, "back", "forward", "forwards", "out", "off")
    length = read_duration(line, line.skip(turned, "by"))
    if length is None:
        return None
    return Found(Shift(base="anchor", duration=length.part, signs=(sign,)), length.end)


def _read_length_first(line: Line, at: int) -> Found[Shift] | None:
    """Such as "an hour later", "two days earlier", "3 days from now", "a day back", "5 min ago"."""
    length = read_duration(line, line.skip(at, "by"))
    if length is None:
        return None
    make: tuple[tuple[tuple[str, ...], Callable[[Duration], Shift]], ...] = (
        (("from now", "from today", "hence"), lambda it: Shift(base="now", duration=it)),
        (("ago",), lambda it: Shift(base="now", duration=it, signs=(-1,))),
        (_LATER, lambda it: Shift(base="anchor", duration=it)),
        (_EARLIER, lambda it: Shift(base="anchor", duration=it, signs=(-1,))),
        (("back",), lambda it: Shift(base="anchor", duration=it, signs=(1, -1))),
        (("forward", "forwards"), lambda it: Shift(base="anchor", duration=it, signs=(-1, 1))),
    )
    for endings, shift in make:
        end = line.after(length.end, *endings)
        if end is not None:
            return Found(shift(length.part), end)
    # "an hour before the fair" is no move of the post: these two words close the phrase.
    sign = {"after": 1, "before": -1}.get(line.word(length.end), 0)
    is_closed = length.end + 1 >= len(line) or bool(line.sign(length.end + 1))
    return (
        Found(Shift(base="anchor", duration=length.part, signs=(sign,)), length.end + 1) if sign and is_closed else None
    )
