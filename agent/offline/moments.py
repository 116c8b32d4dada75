"""Phrases of time in a clause, as they were said; what they mean is the server's business."""

import re
from dataclasses import dataclass
from functools import lru_cache

from core.when.resolve import find_phrases

_LONGEST = 1500
_LEAD = re.compile(
    r"(?:^|(?<=\s))(?:(?:to go out|to go live|going out|so|at|on|for|to|by|until|till|from|in|this|around|about"
    r"|, )\s+)+\Z",
    re.IGNORECASE,
)
_SHIFT = re.compile(
    r"\b(?:later|earlier|sooner)\b|^(?:back|forwards?|by)\b|\b(?:back|forwards?)$|^(?:push|delay|postpone|bring"
    r"|pull|put)",
    re.IGNORECASE,
)

_ARTICLE = re.compile(r"\Athe ", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class TimePhrase:
    """A phrase of time in a text. ``start`` and ``end`` cover the preposition before it too; ``words`` do not."""

    start: int
    end: int
    words: str
    preposition: str
    kind: str

    @property
    def is_shift(self) -> bool:
        """Whether it moves an existing time ("an hour later") instead of naming one."""
        return _SHIFT.search(self.words) is not None


@lru_cache(maxsize=512)
def time_phrases(text: str) -> tuple[TimePhrase, ...]:
    """Every phrase of time in order; none in a text too long to be a command."""
    if len(text) > _LONGEST:
        return ()
    found = []
    for span in find_phrases(text):
        lead = _LEAD.search(text, max(0, span.start - 40), span.start)
        found.append(
            TimePhrase(
                start=lead.start() if lead else span.start,
                end=span.end,
                words=_ARTICLE.sub("", span.phrase),
                preposition=lead.group().strip().lower() if lead else "",
                kind=span.kind,
            )
        )
    return tuple(found)
