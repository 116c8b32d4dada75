"""TikTok's rules for text, media and options, checked before anything is sent (pure).

What depends on the account (privacy levels, longest video, comments switched off) is asked of TikTok at the first
step of a publish; see ``creator.py``.
"""

from collections.abc import Iterator

from core.errors import Problem
from platforms.base import Content, FormatRules
from platforms.media_rules import broken_by_count, broken_by_medium, option_unknown
from platforms.tiktok.manifest import MANIFEST, MAX_PHOTO_TITLE, PHOTO, VIDEO

PRIVACY_LEVELS = ("PUBLIC_TO_EVERYONE", "FOLLOWER_OF_CREATOR", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY")
# "1080p" names the shorter side; the longer one of a 16:9 picture is 1920.
SHORT_SIDE = 1_080

_FLAGS = frozenset(
    {
        "disable_comment",
        "disable_duet",
        "disable_stitch",
        "brand_content_toggle",
        "brand_organic_toggle",
        "is_aigc",
        "auto_add_music",
        "draft",
    }
)


def text_length(text: str) -> int:
    """The length of a text in UTF-16 code units, as TikTok documents it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def choose_format(content: Content) -> str:
    """The format the media alone suggest: a video, or photos."""
    return VIDEO.name if content.media and content.media[0].kind == "video" else PHOTO.name


def broken_rules(content: Content) -> tuple[Problem, ...]:
    """Every rule the content breaks; empty means that TikTok should take it, if the account may."""
    rules = MANIFEST.format_rules(content.format)
    if rules is None:
        known = ", ".join(known.name for known in MANIFEST.formats)
        message = f"TikTok has no format {content.format!r} here: choose one of {known}."
        return (Problem(path="format", code="format_unknown", message=message),)
    return (
        *_caption(content, rules),
        *broken_by_count(MANIFEST.title, rules, content),
        *_media(content, rules),
        *_options(content, rules),
    )


def _caption(content: Content, rules: FormatRules) -> Iterator[Problem]:
    if (length := text_length(content.caption)) > rules.max_text:
        message = f"{length} characters; TikTok takes at most {rules.max_text} with a {rules.name}."
        yield Problem(path="caption", code="text_too_long", message=message)


def _media(content: Content, rules: FormatRules) -> Iterator[Problem]:
    for position, medium in enumerate(content.media):
        path = f"media.{position}"
        problems = tuple(broken_by_medium(MANIFEST.title, rules, medium, path))
        yield from problems
        if problems or medium.kind != "image" or medium.width is None or medium.height is None:
            continue
        if min(medium.width, medium.height) > SHORT_SIDE:
            message = f"{medium.width} x {medium.height}; TikTok takes photos up to 1080p (1080 x 1920)."
            yield Problem(path=path, code="too_wide", message=message)


def _options(content: Content, rules: FormatRules) -> Iterator[Problem]:
    for name in sorted(content.options):
        if name not in rules.options:
            yield option_unknown(MANIFEST.title, rules, name)
        elif (wrong := _wrong_value(content, name, content.options[name])) is not None:
            yield Problem(path=f"options.{name}", code="option_invalid", message=wrong)
    if content.options.get("brand_content_toggle") is True and content.options.get("privacy_level") == "SELF_ONLY":
        message = "Branded content cannot be for yourself alone: choose another privacy_level."
        yield Problem(path="options.privacy_level", code="option_conflict", message=message)


def _wrong_value(content: Content, name: str, value: object) -> str | None:
    if name in _FLAGS:
        return None if isinstance(value, bool) else f"{name} is true or false."
    if name == "privacy_level":
        return None if value in PRIVACY_LEVELS else f"privacy_level is one of {', '.join(PRIVACY_LEVELS)}."
    if name == "title":
        fits = isinstance(value, str) and text_length(value) <= MAX_PHOTO_TITLE
        return None if fits else f"title is a text of at most {MAX_PHOTO_TITLE} characters."
    inside = _inside(content, value)
    return None if inside else "cover_timestamp_ms is a whole number of milliseconds inside of the video."


def _inside(content: Content, offset: object) -> bool:
    if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
        return False
    durations = [medium.duration_seconds for medium in content.media if medium.duration_seconds is not None]
    return all(offset <= 1000 * duration for duration in durations)
