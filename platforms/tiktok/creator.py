"""What TikTok says a creator may do, and the content held against it before anything is sent (pure)."""

from collections.abc import Sequence

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Content, Credentials
from platforms.errors import ContentRefused
from platforms.tiktok.rules import PRIVACY_LEVELS

# What is switched off for the account, and the option by which a post switches it off itself.
_SWITCHES = {"comment": "comments", "duet": "duets", "stitch": "stitches"}


def kept(answer: JsonObject) -> JsonObject:
    """What is kept of creator_info: no picture addresses, they die within hours."""
    levels = answer.get("privacy_level_options")
    longest = answer.get("max_video_post_duration_sec")
    return {
        "username": str(answer.get("creator_username") or ""),
        "privacy_levels": [str(level) for level in levels] if isinstance(levels, list) else [],
        **{f"{name}_disabled": answer.get(f"{name}_disabled") is True for name in _SWITCHES},
        "longest_video": longest if isinstance(longest, int) else None,
    }


def choose_privacy(content: Content, credentials: Credentials, creator: JsonObject) -> str:
    """The privacy level of the post: the one it names, else the account's own setting, else the most public offered.

    Raises ``ContentRefused`` when TikTok does not offer it to this account now.
    """
    offered = _texts(creator.get("privacy_levels"))
    named = content.options.get("privacy_level") or credentials.metadata.get("privacy_level")
    if named is None:
        chosen = next((level for level in PRIVACY_LEVELS if level in offered), None)
        if chosen is None:
            raise ContentRefused(
                "TikTok offers this account no privacy level to post with.", code="audience_not_offered"
            )
    elif named not in offered:
        choice = ", ".join(offered) or "none"
        message = f"TikTok does not offer privacy_level {named} to this account; it offers {choice}."
        raise ContentRefused(message, code="audience_not_offered")
    else:
        chosen = str(named)
    if chosen == "SELF_ONLY" and content.options.get("brand_content_toggle") is True:
        raise ContentRefused("Branded content cannot be for yourself alone: choose another privacy_level.")
    return chosen


def check(content: Content, creator: JsonObject) -> None:
    """Refuse what this creator may not post, in words that say what to change."""
    longest = creator.get("longest_video")
    for medium in content.media:
        seconds = medium.duration_seconds
        if isinstance(longest, int) and seconds is not None and medium.kind == "video" and seconds > longest:
            message = f"The video takes {seconds:g} s; TikTok lets this account post up to {longest} s."
            raise ContentRefused(message, code="wrong_duration", action="Shorten the video, then schedule it again.")
    for name, many in _SWITCHES.items():
        if creator.get(f"{name}_disabled") is True and content.options.get(f"disable_{name}") is False:
            message = f"This account has {many} switched off in TikTok: the post cannot allow them."
            action = f"Leave disable_{name} out or set it to true, or switch {many} on in the TikTok app."
            raise ContentRefused(message, code="switched_off", action=action)


def switched_off(content: Content, creator: JsonObject, name: str) -> bool:
    """Whether the post has comments, duets or stitches off: by its own option, or because the account has."""
    return content.options.get(f"disable_{name}") is True or creator.get(f"{name}_disabled") is True


def _texts(value: JsonValue) -> Sequence[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else ()
