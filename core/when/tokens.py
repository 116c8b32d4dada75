"""A sentence cut into words, numbers and signs, in time linear in its length."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, Literal, TypeVar, cast

from core.when.lexicon import canonical

Kind = Literal["iso", "path", "number", "word", "sign"]
_KINDS: tuple[Kind, ...] = ("iso", "path", "number", "word", "sign")
Part_co = TypeVar("Part_co", covariant=True)

# Every alternative is bounded or unambiguous, so that no text makes it look twice.
_TOKEN = re.compile(
    r"(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}[tT][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
    r"(?:[zZ]|[+-][0-9]{2}(?::?[0-9]{2})?)?(?![0-9A-Za-z]))"
    r"|(?P<path>[A-Za-z][A-Za-z_]{0,20}(?:/[A-Za-z0-9_+-]{1,30}){1,2})"
    r"|(?P<number>[0-9]+)"
    r"|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)"  # noqa: RUF001 - people type the curly one
    r"|(?P<sign>\S)"
)
_LONGEST_NUMBER = 6  # a longer one is no count, hour or year, and int() of thousands of digits is slow


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """One piece of a text; ``text`` is what it means (lower case, mended), ``raw`` what stands there."""

    kind: Kind
    text: str
    raw: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Found(Generic[Part_co]):
    """What a reader understood: the part, and the position after it.

    ``weak`` says that the words could as well mean something else, so that in a sentence more must speak for it.
    """

    part: Part_co
    end: int
    weak: bool = False


class Line:
    """A text as tokens; every look beyond the end answers with nothing."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tuple(_token(match) for match in _TOKEN.finditer(text))
        self._texts = {
            kind: {at: token.text for at, token in enumerate(self.tokens) if token.kind == kind} for kind in _KINDS
        }
        self._words = self._texts["word"]

    def __len__(self) -> int:
        return len(self.tokens)

    def word(self, at: int) -> str:
        """The mended lower-case word at a position, or "" when no word is there."""
        return self._words.get(at, "")

    def sign(self, at: int) -> str:
        """The single character at a position that is neither letter nor digit, or ""."""
        return self._texts["sign"].get(at, "")

    def iso(self, at: int) -> str:
        """The ISO date and time at a position, or ""."""
        return self._texts["iso"].get(at, "")

    def path(self, at: int) -> str:
        """Words joined by slashes, as IANA zones are written, as they stand; or ""."""
        return self.tokens[at].raw if at in self._texts["path"] else ""

    def digits(self, at: int) -> str:
        """The digits at a position (at most six), or ""."""
        digits = self._texts["number"].get(at, "")
        return digits if len(digits) <= _LONGEST_NUMBER else ""

    def number(self, at: int) -> int | None:
        """The number written in digits at a position, or None."""
        digits = self.digits(at)
        return int(digits) if digits else None

    def is_joined(self, at: int) -> bool:
        """Whether a token follows the one before it without a space."""
        return 0 < at < len(self.tokens) and self.tokens[at - 1].end == self.tokens[at].start

    def after(self, at: int, *phrases: str) -> int | None:
        """The position after the first of the phrases (lower-case words) that stands there, or None."""
        first = self._words.get(at)
        if not first:
            return None
        for phrase in phrases:
            words = _words(phrase)
            if words[0] == first and all(self.word(at + step) == word for step, word in enumerate(words)):
                return at + len(words)
        return None

    def skip(self, at: int, *words: str) -> int:
        """The position after any one of the words if it stands there, else the same position."""
        return at + 1 if self.word(at) in words else at


@lru_cache(maxsize=1024)
def _words(phrase: str) -> tuple[str, ...]:
    """The words of a phrase of the grammar (not of a text: there are a few hundred)."""
    return tuple(phrase.split())


def _token(match: re.Match[str]) -> Token:
    raw = match.group()
    kind = cast("Kind", match.lastgroup)  # the groups are named after the kinds
    text = raw.lower().replace("’", "'")  # noqa: RUF001
    if kind == "word":
        text = canonical(text)
    return Token(kind=kind, text=text, raw=raw, start=match.start(), end=match.end())
