"""What Instagram accepts in ``POST /{ig-user-id}/media``, checked as strictly as its documentation is written.

Numbers are those of the content publishing guide as of September 2026.
"""

import json
import re

from sandbox.graph_call import GraphCall
from sandbox.graph_errors import bad_parameter, publishing_error
from sandbox.media import Looks

IMAGE_BYTES = 8 * 1024 * 1024
REEL_BYTES = 300 * 1024 * 1024
STORY_VIDEO_BYTES = 100 * 1024 * 1024
NARROWEST, WIDEST = 4 / 5, 1.91
# A ratio is a rounded number: 1080 x 1350 is 4:5, 1080 x 566 is 1.91:1 (1.908); a pixel either way is forgiven.
RATIO_TOLERANCE = 0.002
CAPTION_CHARACTERS = 2_200
HASHTAGS, MENTIONS, USER_TAGS = 30, 20, 20
ALT_TEXT_CHARACTERS = 1_000
COLLABORATORS = 3
CHILDREN = range(2, 11)

MEDIA_TYPES = frozenset({"", "CAROUSEL", "REELS", "STORIES", "VIDEO"})

PARAMETERS = frozenset(
    {
        "alt_text",
        "audio_configuration",
        "audio_name",
        "branded_content_sponsor_ids",
        "caption",
        "children",
        "collaborators",
        "cover_url",
        "cross_post_to_threads",
        "image_url",
        "is_ai_generated",
        "is_carousel_item",
        "is_comment_prompt_used",
        "is_paid_partnership",
        "location_id",
        "media_type",
        "poll_attachment",
        "product_tags",
        "share_to_feed",
        "show_ig_link",
        "thumb_offset",
        "title",
        "trial_params",
        "upload_type",
        "user_tags",
        "video_url",
    }
)

# Which parameters have no place with which kind of medium.
FORBIDDEN: dict[str, frozenset[str]] = {
    "IMAGE": frozenset({"children", "cover_url", "thumb_offset", "share_to_feed", "audio_name", "trial_params"}),
    "VIDEO": frozenset({"children", "share_to_feed", "alt_text", "trial_params"}),
    "REELS": frozenset({"children", "alt_text", "image_url"}),
    "STORIES": frozenset({"children", "alt_text", "collaborators", "location_id", "share_to_feed", "trial_params"}),
    "CAROUSEL": frozenset({"image_url", "video_url", "upload_type", "alt_text", "cover_url", "thumb_offset"}),
}
PARENT_ONLY = ("caption", "location_id", "collaborators", "is_ai_generated")

# An "@" in a word (an e-mail address) is no mention, a "#" in a word no hashtag.
HASHTAG = re.compile(r"(?<![\w&])#\w")
USERNAME = re.compile(r"[A-Za-z0-9._]{1,30}")
MENTION = re.compile(r"(?<!\w)@\w")


def kind_of(call: GraphCall) -> str:
    """IMAGE, VIDEO (a carousel's child), REELS, STORIES or CAROUSEL; refuses what fits nowhere."""
    call.only(PARAMETERS)
    media_type = call.parameters.get("media_type", "")
    if media_type not in MEDIA_TYPES:
        raise publishing_error(2207023, f"The media type {media_type} is unknown.")
    is_child = call.flag("is_carousel_item")
    if is_child and media_type not in ("", "VIDEO"):
        raise publishing_error(2207023, f"The media type {media_type} cannot be a carousel item.")
    if media_type == "VIDEO" and not is_child:
        raise publishing_error(2207023, "The media type VIDEO is no longer supported. Use REELS.")
    if media_type == "" and "video_url" in call.parameters:
        raise publishing_error(2207023, "A video needs media_type REELS or STORIES, or VIDEO as a carousel item.")
    kind = media_type or "IMAGE"
    for name in sorted(FORBIDDEN[kind] & call.parameters.keys()):
        raise bad_parameter(f"Param {name} is not allowed for {kind}.")
    if is_child:
        for name in PARENT_ONLY:
            if name in call.parameters:
                raise bad_parameter(f"Param {name} is not allowed for a carousel item, only for its carousel.")
    return kind


def check_source(call: GraphCall, kind: str) -> None:
    """Exactly one medium: an image, a video, an upload to come, or the children of a carousel."""
    given = [name for name in ("image_url", "video_url", "upload_type") if call.parameters.get(name)]
    if kind == "CAROUSEL":
        return
    wanted = {"IMAGE": {"image_url"}, "STORIES": {"image_url", "video_url", "upload_type"}}
    allowed = wanted.get(kind, {"video_url", "upload_type"})
    if len(given) != 1 or given[0] not in allowed:
        raise bad_parameter(f"Exactly one of {', '.join(sorted(allowed))} is required for {kind}.")
    if given == ["upload_type"]:
        if call.parameters["upload_type"] != "resumable":
            raise bad_parameter("Param upload_type must be resumable.")
        if call.login == "instagram":
            raise bad_parameter("upload_type=resumable needs the Instagram API with Facebook Login.")


def check_words(call: GraphCall) -> None:
    """Caption, hashtags, mentions and alternative text."""
    caption = call.parameters.get("caption", "")
    if len(caption) > CAPTION_CHARACTERS:
        raise publishing_error(2207010, f"The caption was too long: {len(caption)} characters.")
    if len(HASHTAG.findall(caption)) > HASHTAGS or len(MENTION.findall(caption)) > MENTIONS:
        raise publishing_error(2207040)
    if len(call.parameters.get("alt_text", "")) > ALT_TEXT_CHARACTERS:
        raise bad_parameter(f"Param alt_text has at most {ALT_TEXT_CHARACTERS} characters.")


def check_comment(words: str) -> None:
    """A comment: Meta documents no limits of its own, those of captions are taken."""
    if not words.strip():
        raise bad_parameter("Param message must not be empty.")
    if len(words) > CAPTION_CHARACTERS or len(HASHTAG.findall(words)) > HASHTAGS:
        raise bad_parameter(f"A comment has at most {CAPTION_CHARACTERS} characters and {HASHTAGS} hashtags.")


def check_people(call: GraphCall, kind: str) -> None:
    """Collaborators, tagged users and the place."""
    collaborators = json_list(call, "collaborators")
    if len(collaborators) > COLLABORATORS or not all(
        isinstance(name, str) and USERNAME.fullmatch(name) for name in collaborators
    ):
        raise bad_parameter(f"Param collaborators must be at most {COLLABORATORS} usernames.")
    tags = json_list(call, "user_tags")
    if len(tags) > USER_TAGS:
        raise publishing_error(2207040)
    for tag in tags:
        if not isinstance(tag, dict) or not isinstance(tag.get("username"), str):
            raise publishing_error(2207037)
        if kind == "IMAGE" and not all(_is_share(tag.get(axis)) for axis in ("x", "y")):
            raise publishing_error(2207035)
    if not call.parameters.get("location_id", "0").isdecimal():
        raise bad_parameter("Param location_id must be the id of a Page with a place.")


def check_choices(call: GraphCall) -> None:
    """Flags and numbers that only need to be well formed."""
    for name in ("share_to_feed", "is_ai_generated", "is_paid_partnership"):
        call.flag(name)
    if not call.parameters.get("thumb_offset", "0").isdecimal():
        raise publishing_error(2207057)


def children_of(call: GraphCall) -> tuple[str, ...]:
    """The ids of a carousel's children, given as a comma-separated text or as a JSON list."""
    text = call.parameters.get("children", "")
    ids = [str(child) for child in json_list(call, "children")] if text.startswith("[") else text.split(",")
    children = tuple(child.strip() for child in ids if child.strip())
    if len(children) not in CHILDREN:
        raise publishing_error(2207028, f"A carousel has 2 to 10 children, not {len(children)}.")
    return children


def json_list(call: GraphCall, name: str) -> list[object]:
    """A parameter that is a JSON list; empty when it was not given."""
    try:
        value = json.loads(call.parameters.get(name) or "[]")
    except ValueError:
        value = None
    if not isinstance(value, list):
        raise bad_parameter(f"Param {name} must be an array.")
    return value


def image_problem(looks: Looks | None, kind: str) -> int | None:
    """The subcode an image is refused with, None when it is fine; the ratio of a story and of a cover is free."""
    if looks is None or looks.format != "JPEG":
        return 2207005
    ratio = looks.width / looks.height
    if kind == "IMAGE" and not NARROWEST - RATIO_TOLERANCE <= ratio <= WIDEST + RATIO_TOLERANCE:
        return 2207009
    return None


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1
