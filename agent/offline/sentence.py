"""A message taken apart: quoted words, links and uploads set aside, politeness dropped, the rest cut into clauses."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.offline.spelling import mend

MarkKind = Literal["quote", "url"]
StandIn = Callable[[MarkKind, str, str], str]

# Quoted words and links become one character each of a range that no keyboard types, so that no rule reads into them.
_FIRST_MARK = 0xE000
_MOST_MARKS = 200
_PRIVATE = re.compile("[\ue000-\uf8ff\x00]")
MARK = "[\ue000-\uf8ff]"

_BLANKS = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?\n[\n ]*")
_URL = re.compile(r"https?://[^\s<>\"'“”]+", re.IGNORECASE)
_QUOTE = re.compile(
    r"\"([^\"]{1,4000})\"|“([^“”]{1,4000})”|«([^«»]{1,4000})»|„([^„“”]{1,4000})[“”]"
    r"|(?<![\w'])'((?:[^'\n]|(?<=\w)'(?=\w)){2,4000})'(?!\w)"
)
_ATTACHED = re.compile(r"[ \t]*\[attached:\s*asset\s+(?P<id>[\w-]{4,64})(?:\s+(?P<name>[^\]\n]{0,200}))?\][ \t]*")
_DICTATED = re.compile(
    r"\b(?P<lead>(?:(?:with|use|using|set)\s+)?(?:this\s+|the\s+|new\s+){0,3}(?:caption|text|wording"
    r"|words)(?:\s+(?:is|to|as|should be))?"
    r"|saying|(?:that|which|it\s+should|make\s+it)\s+(?:says?|reads?))\s*:\s*(?P<words>\S.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_THEN_ACT = re.compile(
    r"[,.;]?\s+(?:and|then|and\s+then)\s+(?:schedule|publish|post|put|queue|send)\s+(?:it|this|that)\b", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What one stand-in character stands for; ``words`` without the quotation marks, ``raw`` as typed."""

    kind: MarkKind
    words: str
    raw: str


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """An upload that the chat page named in the message's last lines."""

    asset_id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A message: ``text`` has stand-ins for quotes and links, straight apostrophes and mended command words."""

    text: str
    marks: tuple[Mark, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    def mark(self, character: str) -> Mark | None:
        """What a stand-in stands for; None when the character is none."""
        at = ord(character) - _FIRST_MARK
        return self.marks[at] if 0 <= at < len(self.marks) else None

    def restored(self, text: str) -> str:
        """The text with what its stand-ins stand for, quotation marks included."""
        return re.sub(MARK, lambda found: mark.raw if (mark := self.mark(found.group())) else "", text)


def take_apart(message: str) -> Sentence:
    """Set aside uploads, dictated and quoted words and links; linear in the message's length."""
    marks: list[Mark] = []
    text = _PRIVATE.sub(" ", message)
    attachments = tuple(
        Attachment(asset_id=found["id"], name=(found["name"] or "").strip()) for found in _ATTACHED.finditer(text)
    )
    text = _ATTACHED.sub("", text).strip()

    def stand_in(kind: MarkKind, words: str, raw: str) -> str:
        if len(marks) >= _MOST_MARKS:
            return raw
        marks.append(Mark(kind=kind, words=words, raw=raw))
        return chr(_FIRST_MARK + len(marks) - 1)

    text = _QUOTE.sub(lambda found: stand_in("quote", _inside(found).strip(), found.group()), text)
    text = _URL.sub(lambda found: _link(found.group(), stand_in), text)
    text = _set_dictation_aside(text, tuple(marks), stand_in)
    text = _BREAKS.sub("\n", _BLANKS.sub(" ", text.translate(_STRAIGHT)))
    return Sentence(text=mend(text), marks=tuple(marks), attachments=attachments)


_STRAIGHT = {0x2019: "'", 0x2018: "'", 0x00A0: " "}


def _inside(found: re.Match[str]) -> str:
    return next(group for group in found.groups() if group is not None)


def _link(raw: str, stand_in: StandIn) -> str:
    """A link without the full stop or bracket of the sentence around it."""
    link = raw.rstrip(".,;:!?)]}'")
    return stand_in("url", link, link) + raw[len(link) :]


def _set_dictation_aside(text: str, marks: tuple[Mark, ...], stand_in: StandIn) -> str:
    """Words after "caption:" are exact to the message's end, but for a closing "and schedule it …"."""
    found = _DICTATED.search(text)
    if found is None or re.match(MARK, found["words"]):
        return text
    words, rest = found["words"], ""
    if (then := _THEN_ACT.search(words)) is not None:
        words, rest = words[: then.start()], words[then.start() :]
    whole = Sentence(text="", marks=marks).restored(words).strip()
    return f"{text[: found.start('words')]}{stand_in('quote', whole, whole)}{rest}"
