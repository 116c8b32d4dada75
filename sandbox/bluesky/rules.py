"""What a post may be: the lexicon app.bsky.feed.post, in the words of a real server."""

import re
from datetime import datetime

import regex  # type: ignore[import-untyped]  # it brings no types

from sandbox.bluesky.errors import XrpcError, invalid_record, invalid_request
from sandbox.bluesky.repository import COLLECTION, blob, embedded
from sandbox.store import Store

MAX_BYTES, MAX_GRAPHEMES = 3_000, 300
MAX_IMAGES, MAX_IMAGE_BYTES, MAX_LANGUAGES, MAX_TAG_GRAPHEMES = 4, 2_000_000, 3, 64
KEY = re.compile(r"[234567a-j][234567a-z]{12}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9.+-]*:(//)?[^\s/]\S*")
_FACETS = {"link": "uri", "mention": "did", "tag": "tag"}


def check_key(rkey: object) -> str:
    """A key that a post may lie under."""
    if not isinstance(rkey, str) or KEY.fullmatch(rkey) is None:
        raise invalid_request(f'Invalid record key for {COLLECTION}: Invalid TID string (got "{rkey}") at $')
    return rkey


def check_record(store: Store, account: str, value: object) -> dict[str, object]:
    """A post that may be written."""
    if not isinstance(value, dict) or value.get("$type", COLLECTION) != COLLECTION:
        raise invalid_request(f"Invalid $type: expected {COLLECTION}")
    _text(value.get("text"))
    _moment(value.get("createdAt"))
    _languages(value.get("langs", []))
    _facets(value.get("facets", []))
    _reply(value.get("reply"))
    _images(store, account, embedded(value, "images"))
    _card(embedded(value, "external"))
    return {"$type": COLLECTION, **value}


def _text(text: object) -> None:
    if not isinstance(text, str):
        raise invalid_record("Expected string value type at $.record.text")
    if len(text.encode()) > MAX_BYTES:
        raise invalid_record(f"string too big (maximum {MAX_BYTES}, got {len(text.encode())}) at $.record.text")
    if (count := len(regex.findall(r"\X", text))) > MAX_GRAPHEMES:
        raise invalid_record(f"grapheme too big (maximum {MAX_GRAPHEMES}, got {count}) at $.record.text")


def _moment(moment: object) -> None:
    try:
        written = datetime.fromisoformat(moment if isinstance(moment, str) else "")
    except ValueError:
        written = None
    if written is None or written.tzinfo is None:
        raise invalid_record(f'Invalid datetime (got "{moment}") at $.record.createdAt')


def _languages(languages: object) -> None:
    given = languages if isinstance(languages, list) else [None]
    if len(given) > MAX_LANGUAGES:
        raise invalid_record(f"array too big (maximum {MAX_LANGUAGES}, got {len(given)}) at $.record.langs")
    for position, language in enumerate(given):
        if not isinstance(language, str) or _LANGUAGE.fullmatch(language) is None:
            raise invalid_record(f'Invalid language (got "{language}") at $.record.langs[{position}]')


def _facets(facets: object) -> None:
    for position, facet in enumerate(facets if isinstance(facets, list) else [None]):
        path = f"$.record.facets[{position}]"
        index = facet.get("index") if isinstance(facet, dict) else None
        ends = [index.get("byteStart"), index.get("byteEnd")] if isinstance(index, dict) else []
        if not ends or not all(isinstance(end, int) and end >= 0 for end in ends):
            raise invalid_record(f"Expected integer value type at {path}.index")
        for feature in facet["features"]:
            kind = str(feature.get("$type", "")).rpartition("#")[2]
            told = feature.get(_FACETS.get(kind, ""))
            if not isinstance(told, str) or not told:
                raise invalid_record(f"Missing required key in {path}.features")
            if kind == "tag" and len(regex.findall(r"\X", told)) > MAX_TAG_GRAPHEMES:
                raise invalid_record(f"grapheme too big (maximum {MAX_TAG_GRAPHEMES}) at {path}.features")


def _reply(reply: object) -> None:
    if reply is None:
        return
    for name in ("root", "parent"):
        reference = reply.get(name) if isinstance(reply, dict) else None
        if not isinstance(reference, dict) or not str(reference.get("uri", "")).startswith("at://"):
            raise invalid_record(f"Invalid at-uri at $.record.reply.{name}.uri")
        if not str(reference.get("cid", "")).startswith("baf"):
            raise invalid_record(f"Invalid cid at $.record.reply.{name}.cid")


def _images(store: Store, account: str, embed: dict[str, object]) -> None:
    images = embed.get("images", [])
    assert isinstance(images, list)
    if len(images) > MAX_IMAGES:
        raise invalid_record(f"array too big (maximum {MAX_IMAGES}, got {len(images)}) at $.record.embed.images")
    for position, image in enumerate(images):
        path = f"$.record.embed.images[{position}]"
        if not isinstance(image.get("alt"), str):
            raise invalid_record(f'Missing required key "alt" at {path}')
        if any(size < 1 for size in image.get("aspectRatio", {}).values()):
            raise invalid_record(f"integer too small (minimum 1) at {path}.aspectRatio")
        _picture(store, account, image["image"], path)


def _picture(store: Store, account: str, given: dict[str, object], path: str) -> None:
    reference = given.get("ref")
    cid = str(reference.get("$link")) if isinstance(reference, dict) else ""
    known = blob(store, account, cid)
    if known is None:
        raise XrpcError("BlobNotFound", f"Could not find blob: {cid}")
    if not known.mime_type.startswith("image/"):
        raise invalid_record(f'mimeType must be an image/* (got "{known.mime_type}") at {path}.image')
    if known.size > MAX_IMAGE_BYTES:
        raise invalid_record(f"blob too big (maximum {MAX_IMAGE_BYTES}, got {known.size}) at {path}.image")


def _card(embed: dict[str, object]) -> None:
    if not embed:
        return
    card = embed.get("external")
    if not isinstance(card, dict) or not all(isinstance(card.get(name), str) for name in ("title", "description")):
        raise invalid_record("Missing required key at $.record.embed.external")
    if _URI.fullmatch(str(card.get("uri"))) is None:
        raise invalid_record(f'Invalid uri (got "{card.get("uri")}") at $.record.embed.external.uri')
