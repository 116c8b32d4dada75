"""What TikTok takes: texts, privacy, chunks, pictures."""

from typing import Final

from sandbox import media
from sandbox.tiktok.calls import TikTokCall
from sandbox.tiktok.errors import TikTokError, invalid_param
from sandbox.tiktok.publications import DAY, Creator, creator, pending_drafts, posts_since

MAX_VIDEO_TITLE, MAX_PHOTO_TITLE, MAX_DESCRIPTION = 2_200, 90, 4_000
MAX_PHOTOS, MAX_PHOTO_BYTES = 35, 20_000_000
SHORT_SIDE, LONG_SIDE = 1_080, 1_920
SMALLEST_CHUNK, LARGEST_CHUNK, MAX_CHUNKS = 5_000_000, 64_000_000, 1_000
MAX_VIDEO_BYTES = 4_000_000_000
MAX_PENDING = 5
WEBM: Final = b"\x1a\x45\xdf\xa3"

_VIDEO_FLAGS = ("disable_duet", "disable_comment", "disable_stitch", "brand_content_toggle", "brand_organic_toggle")
_PHOTO_FLAGS = ("disable_comment", "auto_add_music", "brand_content_toggle", "brand_organic_toggle")


def check_may_post(call: TikTokCall) -> Creator:
    """Refuse whom TikTok does not let post; the words are the same for creator_info and for the init calls."""
    settings = creator(call.world.store, call.account.external_id)
    if settings.banned:
        raise TikTokError("spam_risk_user_banned_from_posting", "The user is banned from making new posts.")
    begun = posts_since(call.world.store, call.account.external_id, call.now - DAY)
    if begun >= call.world.conditions.tiktok_posts_per_day:
        raise TikTokError("spam_risk_too_many_posts", "The daily post cap of the API is reached for this user.")
    return settings


def check_may_draft(call: TikTokCall) -> None:
    """Five drafts may wait in an inbox."""
    if pending_drafts(call.world.store, call.account.external_id, call.now - DAY) >= MAX_PENDING:
        raise TikTokError("spam_risk_too_many_pending_share", "Too many pending shares in the last 24 hours.")


def check_video_info(call: TikTokCall, settings: Creator) -> dict[str, object]:
    """The post_info of a direct video."""
    info = call.part("post_info")
    _only(info, {"title", "privacy_level", "video_cover_timestamp_ms", "is_aigc", *_VIDEO_FLAGS})
    _text(info, "title", MAX_VIDEO_TITLE)
    _flags(info, (*_VIDEO_FLAGS, "is_aigc"))
    cover = info.get("video_cover_timestamp_ms", 0)
    if isinstance(cover, bool) or not isinstance(cover, int) or cover < 0:
        raise invalid_param("video_cover_timestamp_ms must be a number of milliseconds.")
    _privacy(call, info, settings)
    return info


def check_photo_info(call: TikTokCall, settings: Creator | None) -> dict[str, object]:
    """The post_info of photos; ``settings`` None: a draft, which has no privacy yet."""
    info = call.part("post_info")
    _only(info, {"title", "description", "privacy_level", *_PHOTO_FLAGS})
    _text(info, "title", MAX_PHOTO_TITLE)
    _text(info, "description", MAX_DESCRIPTION)
    _flags(info, _PHOTO_FLAGS)
    if settings is not None:
        _privacy(call, info, settings)
    return info


def _privacy(call: TikTokCall, info: dict[str, object], settings: Creator) -> None:
    level = info.get("privacy_level")
    if level not in settings.privacy_levels:
        raise TikTokError("privacy_level_option_mismatch", "privacy_level is not one of the creator's options.")
    if info.get("brand_content_toggle") and level == "SELF_ONLY":
        raise invalid_param("Branded content cannot be private.")
    if call.world.conditions.tiktok_unaudited and not settings.private:
        message = "Unaudited clients can only post to private accounts."
        raise TikTokError("unaudited_client_can_only_post_to_private_accounts", message)


def check_chunks(source: dict[str, object]) -> tuple[int, int, int]:
    """Size of the video, size and count of its chunks."""
    size, chunk, count = (_number(source, name) for name in ("video_size", "chunk_size", "total_chunk_count"))
    if size > MAX_VIDEO_BYTES:
        raise invalid_param("The video is larger than 4 GB.")
    if chunk == size and count == 1 and size <= LARGEST_CHUNK:
        return size, chunk, count
    if not SMALLEST_CHUNK <= chunk <= LARGEST_CHUNK or chunk > size:
        raise invalid_param("The chunk size is invalid.")
    if count != size // chunk or not 1 <= count <= MAX_CHUNKS:
        raise invalid_param("The total chunk count is invalid.")
    return size, chunk, count


def photo_problem(content: bytes) -> str | None:
    """Why TikTok fails this picture, None when it is fine."""
    looks = media.look_at_image(content)
    if looks is None or looks.format not in ("JPEG", "WEBP"):
        return "file_format_check_failed"
    short, long = sorted((looks.width, looks.height))
    return "picture_size_check_failed" if short > SHORT_SIDE or long > LONG_SIDE else None


def is_video(beginning: bytes) -> bool:
    """MP4, MOV or WebM by the first bytes."""
    return media.is_iso_media(beginning) or beginning.startswith(WEBM)


def _only(info: dict[str, object], known: set[str]) -> None:
    for name in sorted(info.keys() - known):
        raise invalid_param(f"Unknown parameter: post_info.{name}")


def _text(info: dict[str, object], name: str, limit: int) -> None:
    value = info.get(name, "")
    if not isinstance(value, str) or len(value.encode("utf-16-le", "surrogatepass")) // 2 > limit:
        raise invalid_param(f"{name} must be a text of at most {limit} UTF-16 units.")


def _flags(info: dict[str, object], names: tuple[str, ...]) -> None:
    for name in names:
        if not isinstance(info.get(name, False), bool):
            raise invalid_param(f"{name} must be true or false.")


def _number(source: dict[str, object], name: str) -> int:
    value = source.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise invalid_param(f"source_info.{name} must be a positive number.")
    return value
