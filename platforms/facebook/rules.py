"""Facebook's rules for text, media and options, checked before anything is sent (pure)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from core.errors import Problem
from platforms.base import Content, FormatRules
from platforms.facebook.manifest import CAROUSEL, IMAGE, LINK, MANIFEST, TEXT, VIDEO
from platforms.media_rules import broken_by_count, broken_by_media, option_unknown

MAX_COMMENT = 8_000
MAX_TITLE = 255


def text_length(text: str) -> int:
    """The length of a text in UTF-16 code units, the larger of the counts Facebook may mean by "characters"."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def choose_format(content: Content) -> str:
    """Several media make a carousel, one its own kind, none a link when one is named, else a text."""
    if len(content.media) > 1:
        return CAROUSEL.name
    if content.media:
        return (VIDEO if content.media[0].kind == "video" else IMAGE).name
    return LINK.name if content.options.get("link") else TEXT.name


def broken_rules(content: Content) -> tuple[Problem, ...]:
    """Every rule the content breaks."""
    rules = MANIFEST.format_rules(content.format)
    if rules is None:
        known = ", ".join(known.name for known in MANIFEST.formats)
        message = f"Facebook has no format {content.format!r} here: choose one of {known}."
        return (Problem(path="format", code="format_unknown", message=message),)
    return (
        *_words(content, rules),
        *broken_by_count(MANIFEST.title, rules, content),
        *broken_by_media(MANIFEST.title, rules, content),
        *_options(content, rules),
    )


def _words(content: Content, rules: FormatRules) -> Iterator[Problem]:
    length = text_length(content.caption)
    if length > rules.max_text:
        message = f"{length} characters; Facebook's format {rules.name} takes at most {rules.max_text}."
        if not rules.max_text:
            message = f"Facebook's format {rules.name} takes no text: leave the caption out."
        yield Problem(path="caption", code="text_too_long", message=message)
    if rules is TEXT and not content.caption.strip():
        yield Problem(path="caption", code="text_missing", message="A post without media needs a text.")


def _options(content: Content, rules: FormatRules) -> Iterator[Problem]:
    for name in sorted(content.options):
        path, value = f"options.{name}", content.options[name]
        if name not in rules.options:
            yield option_unknown(MANIFEST.title, rules, name)
        elif name == "link" and not _is_address(value):
            message = "link is a web address, such as https://example.org/menu."
            yield Problem(path=path, code="option_invalid", message=message)
        elif name == "title" and not _is_text(value, MAX_TITLE):
            yield Problem(path=path, code="option_invalid", message=f"title is a text of 1 to {MAX_TITLE} characters.")
        elif name == "first_comment" and not _is_text(value, MAX_COMMENT):
            message = f"first_comment is a text of 1 to {MAX_COMMENT} characters."
            yield Problem(path=path, code="option_invalid", message=message)
    if rules is LINK and "link" not in content.options:
        message = 'The format link needs the option "link", a web address.'
        yield Problem(path="options.link", code="option_missing", message=message)


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and bool(value.strip()) and text_length(value) <= most


def _is_address(value: object) -> bool:
    try:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "." in parts.netloc
