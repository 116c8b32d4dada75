"""Instagram's rules for text, media and options, checked before anything is sent (pure).

The numbers are those of Meta's publishing guide and media reference (28 September 2026). What is unknown about a
medium (``None``) is left to Instagram to judge.
"""

import re
from collections.abc import Iterator

from core.errors import Problem
from platforms.base import Content, FormatRules
from platforms.instagram.manifest import CAROUSEL, COVER, IMAGE, MANIFEST, REEL, STORY
from platforms.media_rules import broken_by_count, broken_by_medium, option_unknown

MAX_HASHTAGS = 30
MAX_MENTIONS = 20
# The app itself has been held to five since late 2025; no refusal by the API has been seen.
ADVISED_HASHTAGS = 5
MAX_ALT_TEXT = 1_000
MAX_COLLABORATORS = 3
# Narrower images are scaled up by Instagram, not refused.
ADVISED_IMAGE_WIDTH = 320

# Inside of a word neither is meant: "C#x", "hi@example.com".
_HASHTAG = re.compile(r"(?<![\w&])#\w")
_MENTION = re.compile(r"(?<!\w)@\w")
_USERNAME = re.compile(r"@?[A-Za-z0-9._]{1,30}")


def text_length(text: str) -> int:
    """The length of a caption in UTF-16 code units: one per letter, two per emoji outside of the basic plane.

    Meta writes "2,200 characters" without saying how it counts. This is the larger of the usual two counts (the other
    is code points), so that nothing we accept can be too long for Instagram.
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def choose_format(content: Content) -> str:
    """The format the media alone suggest: several make a carousel, one video a reel, anything else an image."""
    if len(content.media) > 1:
        return CAROUSEL.name
    if content.media and content.media[0].kind == "video":
        return REEL.name
    return IMAGE.name


def broken_rules(content: Content) -> tuple[Problem, ...]:
    """Every rule the content breaks; empty means that Instagram should take it."""
    rules = MANIFEST.format_rules(content.format)
    if rules is None:
        known = ", ".join(known.name for known in MANIFEST.formats)
        message = f"Instagram has no format {content.format!r} here: choose one of {known}."
        return (Problem(path="format", code="format_unknown", message=message),)
    caption = () if rules is STORY else _words(content.caption, "caption")
    return (
        *caption,
        *broken_by_count(MANIFEST.title, rules, content),
        *_media(content, rules),
        *_options(content, rules),
    )


def cautions(content: Content) -> tuple[Problem, ...]:
    """What Instagram takes but a person should know of; never a reason to refuse."""
    return (*_many_hashtags(content), *_narrow_images(content), *_silent_story(content))


def _silent_story(content: Content) -> Iterator[Problem]:
    if content.format == STORY.name and content.caption:
        yield Problem(path="caption", code="caption_not_shown", message="A story shows no caption: it is not sent.")


def _many_hashtags(content: Content) -> Iterator[Problem]:
    hashtags = len(_HASHTAG.findall(content.caption))
    if ADVISED_HASHTAGS < hashtags <= MAX_HASHTAGS:
        message = f"{hashtags} hashtags; Instagram itself advises at most {ADVISED_HASHTAGS}."
        yield Problem(path="caption", code="many_hashtags", message=message)


def _narrow_images(content: Content) -> Iterator[Problem]:
    for position, medium in enumerate(content.media):
        if medium.kind == "image" and medium.width is not None and medium.width < ADVISED_IMAGE_WIDTH:
            message = (
                f"{medium.width} pixels wide; Instagram scales it up to {ADVISED_IMAGE_WIDTH}, which looks coarse."
            )
            yield Problem(path=f"media.{position}.width", code="narrow_image", message=message)


def _words(words: str, path: str) -> Iterator[Problem]:
    """A caption's limits, which hold for the first comment too."""
    counts = (
        (text_length(words), IMAGE.max_text, "text_too_long", "characters"),
        (len(_HASHTAG.findall(words)), MAX_HASHTAGS, "too_many_hashtags", "hashtags"),
        (len(_MENTION.findall(words)), MAX_MENTIONS, "too_many_mentions", "mentions"),
    )
    for count, limit, code, things in counts:
        if count > limit:
            yield Problem(path=path, code=code, message=f"{count} {things}; Instagram takes at most {limit}.")


def _media(content: Content, rules: FormatRules) -> Iterator[Problem]:
    for position, medium in enumerate(content.media):
        path = f"media.{position}"
        yield from broken_by_medium(MANIFEST.title, rules, medium, path)
        if medium.kind == "image" and medium.alt_text is not None and text_length(medium.alt_text) > MAX_ALT_TEXT:
            message = f"{text_length(medium.alt_text)} characters; Instagram takes alt texts up to {MAX_ALT_TEXT}."
            yield Problem(path=f"{path}.alt_text", code="text_too_long", message=message)


def _options(content: Content, rules: FormatRules) -> Iterator[Problem]:
    for name in sorted(content.options):
        path = f"options.{name}"
        if name not in rules.options:
            yield option_unknown(MANIFEST.title, rules, name)
        else:
            yield from _option(content, name, path)


def _option(content: Content, name: str, path: str) -> Iterator[Problem]:
    """What is wrong with the value of an option that the format has."""
    value = content.options[name]
    match name:
        case "share_to_feed" if not isinstance(value, bool):
            yield Problem(path=path, code="option_invalid", message="share_to_feed is true or false.")
        case "thumb_offset" if not _inside(content, value):
            message = "thumb_offset is a whole number of milliseconds inside of the video."
            yield Problem(path=path, code="option_invalid", message=message)
        case "collaborators" if not _usernames(value):
            message = f"collaborators is a list of 1 to {MAX_COLLABORATORS} Instagram usernames."
            yield Problem(path=path, code="option_invalid", message=message)
        case "first_comment" if not isinstance(value, str) or not value.strip():
            yield Problem(path=path, code="option_invalid", message="first_comment is the text of the comment.")
        case "first_comment":
            yield from _words(str(value), path)
        case "cover" if content.cover is None:
            yield Problem(path=path, code="option_invalid", message="cover is the asset id of an image in Studio.")
        case "cover":
            assert content.cover is not None
            yield from broken_by_medium(MANIFEST.title, COVER, content.cover, path)
        case _:
            pass


def _usernames(value: object) -> bool:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MAX_COLLABORATORS:
        return False
    return all(isinstance(name, str) and _USERNAME.fullmatch(name) for name in value)


def _inside(content: Content, offset: object) -> bool:
    if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
        return False
    durations = [medium.duration_seconds for medium in content.media if medium.duration_seconds is not None]
    return all(offset <= 1000 * duration for duration in durations)
