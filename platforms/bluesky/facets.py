"""What in a text leads somewhere: links, mentions and hashtags, by the bytes they take up (pure).

Bluesky shows plain text; whatever can be clicked is told beside it, in offsets of UTF-8 bytes
(app.bsky.richtext.facet).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]  # it brings no types

from core.jsontypes import JsonObject

MAX_TAG_GRAPHEMES = 64
MAX_TAG_BYTES = 640

_GRAPHEME = regex.compile(r"\X")
_LINK = re.compile(r"(?<!\w)https?://[^\s<>\"]+", re.IGNORECASE)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# A handle is a host name; its last part begins with a letter (AT Protocol, handle syntax).
_MENTION = re.compile(
    rf"(?<![\w@./#-])@(?P<handle>(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?)(?![\w@])", re.IGNORECASE
)
_TAG = re.compile(r"(?<![^\s(])[#＃](?P<tag>[^\s#＃]+)")  # noqa: RUF001 - the wide number sign of Japanese keyboards
_STOPS = ".,;:!?'\"…)]}>»”’"  # noqa: RUF001 - what closes a sentence, not a link or a tag
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, kw_only=True)
class _Span:
    """A part of a text by its characters, and what it leads to."""

    start: int
    end: int
    feature: JsonObject


def graphemes(text: str) -> int:
    """How many characters people see: extended grapheme clusters (Unicode UAX 29), which Bluesky counts."""
    if text.isascii() and "\r" not in text:
        return len(text)
    return len(_GRAPHEME.findall(text))


def handles_in(texts: Sequence[str]) -> tuple[str, ...]:
    """The handles that the texts mention, in lower case, each once, in the order of their appearance."""
    found = (span["handle"].lower() for text in texts for span in _mentions(text))
    return tuple(dict.fromkeys(found))


def facets_of(text: str, dids: Mapping[str, str | None]) -> list[JsonObject]:
    """The facets of a text, by their place; a mention of a handle without a DID in ``dids`` stays plain text."""
    spans = [*_links(text), *_known_mentions(text, dids), *_tags(text)]
    return [_facet(text, span) for span in sorted(spans, key=lambda span: span.start)]


def _facet(text: str, span: _Span) -> JsonObject:
    start = len(text[: span.start].encode())
    return {
        "index": {"byteStart": start, "byteEnd": start + len(text[span.start : span.end].encode())},
        "features": [span.feature],
    }


def _links(text: str) -> Iterator[_Span]:
    for found in _LINK.finditer(text):
        address = _trimmed(found.group())
        if len(address) > len("https://"):
            feature: JsonObject = {"$type": "app.bsky.richtext.facet#link", "uri": address}
            yield _Span(start=found.start(), end=found.start() + len(address), feature=feature)


def _trimmed(address: str) -> str:
    """An address without the stops of the sentence around it; a bracket that was opened inside of it stays."""
    while address and address[-1] in _STOPS:
        opening = _PAIRS.get(address[-1])
        if opening is not None and address.count(opening) >= address.count(address[-1]):
            break
        address = address[:-1]
    return address


def _mentions(text: str) -> Iterator[re.Match[str]]:
    links = [(found.start(), found.end()) for found in _LINK.finditer(text)]
    for found in _MENTION.finditer(text):
        if not any(start <= found.start() < end for start, end in links):
            yield found


def _known_mentions(text: str, dids: Mapping[str, str | None]) -> Iterator[_Span]:
    for found in _mentions(text):
        did = dids.get(found["handle"].lower())
        if did is not None:
            feature: JsonObject = {"$type": "app.bsky.richtext.facet#mention", "did": did}
            yield _Span(start=found.start(), end=found.end(), feature=feature)


def _tags(text: str) -> Iterator[_Span]:
    for found in _TAG.finditer(text):
        tag = found["tag"].rstrip(_STOPS)
        if not tag or tag.isdigit() or graphemes(tag) > MAX_TAG_GRAPHEMES or len(tag.encode()) > MAX_TAG_BYTES:
            continue
        feature: JsonObject = {"$type": "app.bsky.richtext.facet#tag", "tag": tag}
        yield _Span(start=found.start(), end=found.start("tag") + len(tag), feature=feature)
