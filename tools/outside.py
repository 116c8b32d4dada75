"""Text from outside: whose words they are, and the most that they may bring about without a person.

The model may obey whatever it reads, so the door does not trust it once such text is in its context. Text grants no
more than its author could have done: a stranger's words may cause reading alone, an editor's nothing that only
somebody who may approve can do (docs/adr/0024).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

# The highest effect (tools.command.Effect) that words may have by themselves.
Ceiling = Literal["read", "schedule"]

# Of somebody who is no member, and of a member who may not approve.
OF_STRANGERS: Ceiling = "read"
OF_MEMBERS: Ceiling = "schedule"

# A file's name this short is a label ("sunrise.jpg"), a longer one is a sentence.
_LABEL_WORDS = 2
_LABEL_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class OutsideText:
    """Words that nobody with a say in this conversation wrote. ``source`` is in words a person reads: "comments"."""

    source: str
    text: str
    ceiling: Ceiling = OF_STRANGERS


def ceilings(found: Iterable[OutsideText]) -> dict[str, str]:
    """By source the lowest ceiling, as the thread keeps it."""
    kept: dict[str, str] = {}
    for one in found:
        if kept.get(one.source) != OF_STRANGERS:
            kept[one.source] = one.ceiling
    return kept


def is_label(name: str) -> bool:
    """Whether a file's name is too short to ask for anything."""
    words = re.findall(r"[^\W\d_]{2,}", name.rpartition(".")[0] or name)
    return len(name) <= _LABEL_LENGTH and len(words) <= _LABEL_WORDS


def quoted(result: object, found: Iterable[OutsideText]) -> object:
    """A result as the model is told it: every text from outside stands in a field of its own, with its source."""
    return _quoted(result, {one.text: one.source for one in found if one.text})


def _quoted(value: object, sources: Mapping[str, str]) -> object:
    match value:
        case str() if value in sources:
            return {"outside_text": value, "from": sources[value]}
        case Mapping():
            return {name: _quoted(one, sources) for name, one in value.items()}
        case list() | tuple():
            return [_quoted(one, sources) for one in value]
        case _:
            return value
