"""The photos and films a message names: links, uploads, and assets by the words of their names."""

import re
from dataclasses import dataclass

from agent.offline.sentence import MARK, Sentence
from core.jsontypes import JsonObject

_NOUN = r"(?:photo|picture|pic|image|video|clip|shot|film|footage|snap|img)"
_LINK = r"(?:link|url)"
_VERB = r"(?:with|w/?|using|use|and use|featuring|add|attach|attaching|include|including|and|plus|put|take)"
_FILE = re.compile(
    rf"(?:,?\s*\b(?:(?:and )?{_VERB}|and)\s+)?(?:\b(?:the|my|our"
    rf"|this)\s+)?(?:\b{_NOUN}\s+)?\b([\w-]{{1,60}}\.(?:jpe?g|png|webp|heic|gif|mp4|mov|m4v))\b",
    re.IGNORECASE,
)
_HERE = (
    r"(?:the |this |that |these |those |my |our |a |an |following |attached |uploaded )*"
    rf"(?:{_NOUN}s?|{_LINK}s?|attachment|upload|file)"
)
_LINKED = re.compile(
    rf"(?:,?\s*\b(?:(?:and )?{_VERB}|(?:and )?here(?:'s| is| are)|from|at)\s+)?\(?(?:\b{_HERE}\s*)?(?:\b(?:from"
    rf"|at|here)\s*)?[:(]*\s*({MARK})(?:\s*(?:,|and|&)?\s*{MARK})*\s*\)?",
    re.IGNORECASE,
)
_POINTED = re.compile(
    rf"(?:,?\s*\b(?:(?:and )?{_VERB}|(?:and )?here(?:'s| is))\s+)?\b(?:this|that|the attached|the uploaded"
    rf"|the following|these|those|attached|the one i (?:attached|uploaded)|the|my)\s+(?:attached |uploaded |two "
    rf"|three )?(?:{_NOUN}s?|attachment|upload|file)\b(?:\s+i (?:just )?(?:attached|uploaded|sent))?(?:\s*[:,])?",
    re.IGNORECASE,
)
_OF = rf"{_NOUN}s? of (?:the |our |my |a |an )?(?P<of>\w[\w' -]{{0,40}}?)"
_NAMED = re.compile(
    rf"(?:,?\s*\b(?:and )?{_VERB}\s+)(?:the|my|our|that|a"
    rf"|an)\s+(?:(?P<before>\w[\w'-]*(?: \w[\w'-]*){{0,4}}?)\s+(?P<noun>{_NOUN})\b|{_OF}(?=\s*(?:$|[,.;]| and "
    rf"| for | to | on | instead| as )))",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    rf",?\s*\b(?:and )?{_VERB}\s+(?:a|an|some|another|one|any)\s+(?:nice |good |new |different |other )*{_NOUN}s?\b",
    re.IGNORECASE,
)
_ALT_TEXT = re.compile(
    rf",?\s*(?:\b(?:and|with|the|an|use|set)\s+)*\balt(?:ernative)?[ -]?text\s*(?:is|to|of|as|:)?\s*({MARK})",
    re.IGNORECASE,
)
_EMPTY_NAMES = frozenset(
    {
        "",
        "new",
        "same",
        "right",
        "other",
        "first",
        "last",
        "second",
        "attached",
        "uploaded",
        "best",
        "nice",
        "good",
        "different",
        "old",
    }
)


@dataclass(frozen=True, kw_only=True)
class MediaReading:
    """The media of a clause and what is left of its words. ``vague`` is True when "a photo" was all that was said."""

    media: tuple[JsonObject, ...]
    rest: str
    vague: bool = False


def read_media(text: str, sentence: Sentence) -> MediaReading:
    """Take the media out of a clause; attachments count for the whole message, so its first clause has them."""
    found: list[dict[str, str]] = []
    rest, alt_text = _without_alt_text(text, sentence)
    rest = _LINKED.sub(lambda match: _taken(match, sentence, found), rest)
    rest = _FILE.sub(lambda match: _named(match[1], found), rest)
    rest = _NAMED.sub(lambda match: _by_name(match, found), rest)
    uploads = [{"asset_id": attachment.asset_id} for attachment in sentence.attachments]
    if uploads or found:
        rest = _POINTED.sub(" ", rest)
        rest = _VAGUE.sub(" ", rest)
    rest, unnamed = _VAGUE.subn(" ", rest)
    vague = unnamed > 0 or (_POINTED.search(rest) is not None and not _about_pictures(rest))
    media = [*found, *uploads]
    if alt_text and len(media) == 1:
        media[0] = {**media[0], "alt_text": alt_text}
    return MediaReading(media=tuple(media), rest=" ".join(rest.split()), vague=vague)


def _about_pictures(rest: str) -> bool:
    """Whether "the photo" is what a post is about, as in "about the photo contest"."""
    return re.search(rf"\babout\b.*\b{_NOUN}", rest, re.IGNORECASE) is not None


def _without_alt_text(text: str, sentence: Sentence) -> tuple[str, str | None]:
    found = _ALT_TEXT.search(text)
    mark = sentence.mark(found[1]) if found else None
    if found is None or mark is None:
        return text, None
    return f"{text[: found.start()]} {text[found.end() :]}", mark.words


def _taken(match: re.Match[str], sentence: Sentence, found: list[dict[str, str]]) -> str:
    marks = [mark for character in re.findall(MARK, match.group()) if (mark := sentence.mark(character))]
    links = [mark for mark in marks if mark.kind == "url"]
    if len(links) != len(marks):
        return match.group()
    found.extend({"url": mark.words} for mark in links)
    return " "


def _named(name: str, found: list[dict[str, str]]) -> str:
    found.append({"asset_id": name})
    return " "


def _by_name(match: re.Match[str], found: list[dict[str, str]]) -> str:
    of, before = match["of"], match["before"] or ""
    words = of or before
    if words.lower() in _EMPTY_NAMES or " about " in f" {words.lower()} ":
        return match.group()
    noun = match["noun"] or "photo"
    found.append({"asset_id": f"{words} {noun}".strip()})
    return " "


def only_media(text: str, sentence: Sentence) -> MediaReading | None:
    """The media when a text names nothing else ("the latte photo", a bare link); None otherwise."""
    read = read_media(f"use {text}", sentence)
    left = re.sub(r"(?:use|this|one|it|that|here|is|please|the|for|,|:|\s)+", "", read.rest, flags=re.IGNORECASE)
    return read if read.media and not left else None
