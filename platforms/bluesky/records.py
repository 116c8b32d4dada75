"""The records a Bluesky post consists of, made from the content and from what is kept (pure).

Their keys and times are chosen once, before anything is sent, so that whoever comes later makes the very same records:
that is what keeps a repeat from making a second post.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Content
from platforms.bluesky.cids import cid_of
from platforms.bluesky.facets import facets_of
from platforms.bluesky.rules import COLLECTION, further_texts
from platforms.progress import inner, names, objects, text

_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_KEY_DIGITS = 13
_CLOCK_BITS = 10


@dataclass(frozen=True, kw_only=True)
class Record:
    """One post as it lies in the repository."""

    key: str
    uri: str
    cid: str
    value: JsonObject


def new_keys(count: int, *, micros: int | None = None) -> list[str]:
    """As many keys as a thread has posts, each a TID: microseconds since 1970 and a number that tells clocks apart.

    They follow each other by one microsecond, under one clock number: the others can be told from the first.
    """
    first = time.time_ns() // 1_000 if micros is None else micros
    clock = secrets.randbelow(1 << _CLOCK_BITS)
    return [_key(first + position, clock) for position in range(count)]


def following_keys(key: str, count: int) -> list[str]:
    """The keys that ``new_keys`` gives to the posts after this one."""
    micros, clock = _parts(key)
    return [_key(micros + step, clock) for step in range(1, count + 1)]


def key_before(key: str) -> str:
    """A key that sorts before this one and after everything written a microsecond earlier."""
    micros, clock = _parts(key)
    return _key(micros, clock - 1) if clock else _key(micros - 1, (1 << _CLOCK_BITS) - 1)


def _parts(key: str) -> tuple[int, int]:
    number = 0
    for digit in key:
        number = number << 5 | _DIGITS.index(digit)
    return number >> _CLOCK_BITS, number & ((1 << _CLOCK_BITS) - 1)


def _key(micros: int, clock: int) -> str:
    number = micros << _CLOCK_BITS | clock
    return "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(_KEY_DIGITS)))


def uri_of(did: str, key: str) -> str:
    """The address of a post."""
    return f"at://{did}/{COLLECTION}/{key}"


def records_of(content: Content, progress: JsonObject, *, did: str) -> tuple[Record, ...]:
    """The records of a content, the first post first, each answering the one before."""
    begun = datetime.fromisoformat(text(progress, "created_at") or "")
    parent, root = inner(progress, "parent", "post"), inner(progress, "parent", "root")
    made: list[Record] = []
    texts = (content.caption, *further_texts(content))
    for position, (key, words) in enumerate(zip(names(progress, "keys"), texts, strict=True)):
        value: dict[str, JsonValue] = {
            "$type": COLLECTION,
            "text": words,
            "createdAt": _moment(begun + timedelta(milliseconds=position)),
        }
        if facets := facets_of(words, _dids(progress)):
            value["facets"] = facets
        if content.options.get("langs"):
            value["langs"] = list(names(content.options, "langs"))
        if position == 0 and (embed := _embed(content, progress)) is not None:
            value["embed"] = embed
        if parent:
            value["reply"] = {"root": root, "parent": parent}
        record = _record(did, key, value)
        made.append(record)
        parent = {"uri": record.uri, "cid": record.cid}
        root = root or parent
    return tuple(made)


def _record(did: str, key: str, value: JsonObject) -> Record:
    return Record(key=key, uri=uri_of(did, key), cid=cid_of(value), value=value)


def _dids(progress: JsonObject) -> Mapping[str, str | None]:
    mentions = inner(progress, "mentions")
    return {handle: text(mentions, handle) for handle in mentions}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _embed(content: Content, progress: JsonObject) -> JsonObject | None:
    if content.format == "image":
        blobs = objects(progress, "blobs")
        images = [_image(medium_blob, content, at) for at, medium_blob in enumerate(blobs)]
        return {"$type": "app.bsky.embed.images", "images": images}
    if content.format == "link":
        link = str(content.options.get("link", ""))
        card: JsonObject = {
            "uri": link,
            "title": text(content.options, "title") or urlsplit(link).netloc,
            "description": text(content.options, "description") or "",
        }
        return {"$type": "app.bsky.embed.external", "external": card}
    return None


def _image(blob: JsonObject, content: Content, position: int) -> JsonObject:
    medium = content.media[position]
    image: dict[str, JsonValue] = {"alt": medium.alt_text or "", "image": blob}
    if medium.width and medium.height:
        image["aspectRatio"] = {"width": medium.width, "height": medium.height}
    return image
