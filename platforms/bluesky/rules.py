"""Bluesky's rules for text, media and options, checked before anything is sent (pure)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.errors import Problem
from core.jsontypes import JsonValue
from platforms.base import Content, FormatRules
from platforms.bluesky.facets import graphemes
from platforms.bluesky.manifest import IMAGE, LINK, MANIFEST, MAX_BYTES, MAX_FURTHER, MAX_LANGUAGES, TEXT
from platforms.media_rules import broken_by_count, broken_by_media, option_unknown

# Studio's own limits: Bluesky names none, and no card shows more.
MAX_TITLE = 300
MAX_DESCRIPTION = 1_000

COLLECTION = "app.bsky.feed.post"
_KEY = r"[234567abcdefghij][234567a-z]{12}"
_AT_ADDRESS = re.compile(rf"at://(?P<actor>[^/\s]+)/{re.escape(COLLECTION)}/(?P<key>{_KEY})")
_PAGE = re.compile(rf"https?://[^/\s]+/profile/(?P<actor>[^/\s]+)/post/(?P<key>{_KEY})/?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, kw_only=True)
class PostPlace:
    """Where a post is: whose (a handle or a DID), and its key."""

    actor: str
    key: str


def choose_format(content: Content) -> str:
    """Media make an image post, a named link a card, nothing else a text."""
    if content.media:
        return IMAGE.name
    return LINK.name if content.options.get("link") else TEXT.name


def broken_rules(content: Content) -> tuple[Problem, ...]:
    """Every rule the content breaks; empty means that Bluesky takes it."""
    rules = MANIFEST.format_rules(content.format)
    if rules is None:
        known = ", ".join(known.name for known in MANIFEST.formats)
        message = f"Bluesky has no format {content.format!r} here: choose one of {known}."
        return (Problem(path="format", code="format_unknown", message=message),)
    return (
        *_caption(content, rules),
        *broken_by_count(MANIFEST.title, rules, content),
        *broken_by_media(MANIFEST.title, rules, content),
        *_options(content, rules),
    )


def further_texts(content: Content) -> tuple[str, ...]:
    """The texts after the first one of a thread."""
    value = content.options.get("thread")
    return tuple(str(item) for item in value) if isinstance(value, Sequence) and not isinstance(value, str) else ()


def place_of(address: object) -> PostPlace | None:
    """Where the post of an address is (``at://…``, or a page such as bsky.app's); None when it names none."""
    if not isinstance(address, str):
        return None
    found = _AT_ADDRESS.fullmatch(address.strip()) or _PAGE.fullmatch(address.strip())
    return PostPlace(actor=found["actor"], key=found["key"]) if found else None


def key_in(platform_post_id: str) -> str | None:
    """The key in a post's address, or the key alone; None for what a person wrote down that is neither."""
    key = platform_post_id.strip().rstrip("/").rsplit("/", 1)[-1]
    return key if re.fullmatch(_KEY, key) else None


def _caption(content: Content, rules: FormatRules) -> Iterator[Problem]:
    yield from _too_long(content.caption, "caption")
    if rules is TEXT and not content.caption.strip():
        yield Problem(path="caption", code="text_missing", message="A post without media needs a text.")


def _too_long(words: str, path: str) -> Iterator[Problem]:
    length, size = graphemes(words), len(words.encode("utf-8", "surrogatepass"))
    if length > TEXT.max_text:
        message = f"{length} characters; Bluesky takes at most {TEXT.max_text} in a post."
        yield Problem(path=path, code="text_too_long", message=message)
    elif size > MAX_BYTES:
        message = f"{size} bytes in UTF-8; Bluesky takes at most {MAX_BYTES} in a post."
        yield Problem(path=path, code="text_too_long", message=message)


def _options(content: Content, rules: FormatRules) -> Iterator[Problem]:
    for name in sorted(content.options):
        path, value = f"options.{name}", content.options[name]
        if name not in rules.options:
            yield option_unknown(MANIFEST.title, rules, name)
        elif name == "thread":
            yield from _thread(value, path)
        elif (wrong := _wrong_value(name, value)) is not None:
            yield Problem(path=path, code="option_invalid", message=wrong)
    if rules is LINK and "link" not in content.options:
        message = 'The format link needs the option "link", a web address.'
        yield Problem(path="options.link", code="option_missing", message=message)


def _thread(value: JsonValue, path: str) -> Iterator[Problem]:
    texts = value if isinstance(value, Sequence) and not isinstance(value, str) else None
    if texts is None or not all(isinstance(each, str) and each.strip() for each in texts):
        message = "thread is a list of the further texts, none of them empty."
        yield Problem(path=path, code="option_invalid", message=message)
        return
    if len(texts) > MAX_FURTHER:
        message = f"{len(texts)} further texts; Studio writes at most {MAX_FURTHER} after the first."
        yield Problem(path=path, code="option_invalid", message=message)
    for position, words in enumerate(texts):
        yield from _too_long(str(words), f"{path}.{position}")


def _wrong_value(name: str, value: JsonValue) -> str | None:
    match name:
        case "link":
            return None if _is_address(value) else "link is a web address, such as https://example.org/menu."
        case "title":
            return None if _is_text(value, MAX_TITLE) else f"title is a text of 1 to {MAX_TITLE} characters."
        case "description":
            fits = _is_text(value, MAX_DESCRIPTION)
            return None if fits else f"description is a text of 1 to {MAX_DESCRIPTION} characters."
        case "reply_to":
            fits = place_of(value) is not None
            return None if fits else "reply_to is the address of a post, such as https://bsky.app/profile/…/post/…."
    fits = isinstance(value, Sequence) and not isinstance(value, str) and len(value) <= MAX_LANGUAGES
    fits = fits and all(isinstance(each, str) and _LANGUAGE.fullmatch(each) for each in value)  # type: ignore[union-attr]
    return None if fits else f"langs is a list of up to {MAX_LANGUAGES} languages, such as en or pt-BR."


def _is_text(value: JsonValue, most: int) -> bool:
    return isinstance(value, str) and bool(value.strip()) and graphemes(value) <= most


def _is_address(value: JsonValue) -> bool:
    if not isinstance(value, str) or any(character.isspace() for character in value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and "." in parts.netloc
