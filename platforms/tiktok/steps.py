"""The walk of a TikTok publish: which step follows, what it sends, and the delays between (pure).

video   read_creator -> init_video -> upload_1 … upload_last -> check_status… -> read_permalink
photo   read_creator -> init_photo -> check_status… -> read_permalink
draft   init_inbox -> upload_1 … upload_last -> check_status…      (of photos: init_photo -> check_status…)

A chunk that breaks off is followed by check_upload, which asks how much arrived. A draft asks nothing of the creator:
it needs the scope video.upload alone.

Progress keys: creator, privacy_level, publish_id, upload_url, initiated_at, upload_offset, upload_tries, sent, checks,
published, public_checks, in_inbox, post_id, permalink.
"""

from dataclasses import dataclass

from core.jsontypes import JsonObject
from platforms.base import Content, Done, RepeatSafety, Step
from platforms.tiktok.creator import switched_off

PUBLIC = "PUBLIC_TO_EVERYONE"
INIT_PHOTO = "init_photo"
UPLOAD = "upload_"
# Whoever has it can send the video.
UPLOAD_ADDRESS = frozenset({"upload_url"})

# TikTok takes chunks from 5 MB on, without saying whether that is MB or MiB, and 1,000 at most; the last one takes the
# rest. It is the one that publishes, so it is kept small: chunks of nearly the least size leave a rest of some bytes.
LEAST_CHUNK_BYTES = 5 * 1024 * 1024
MAX_UPLOAD_TRIES = 5

# Status may be asked 30 times a minute; processing takes seconds, moderation about a minute and sometimes hours.
FIRST_CHECK_SECONDS = 2.0
LONGEST_CHECK_SECONDS = 60.0
MAX_CHECKS = 60
MAX_PUBLIC_CHECKS = 6

ADDRESS = "https://www.tiktok.com/@{handle}/video/{post_id}"
_FINISH = "It waits in the inbox of the TikTok app: the account's owner finishes and posts it there."
_WITHOUT_TEXT = " TikTok takes no text with a draft video; copy it from here."
_NOT_PUBLIC = "TikTok published it for the chosen audience; it tells the address of public posts alone."
_IN_MODERATION = "TikTok published it and is still looking at it: its address is not told yet."


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A part of the video: bytes from ``first`` to ``last``, both included, ``number`` from 1."""

    number: int
    first: int
    last: int
    is_last: bool


def next_step(content: Content, progress: JsonObject) -> Step | Done:
    """What comes next for this content, given what is known."""
    if progress.get("in_inbox") is True:
        note = _FINISH + (_WITHOUT_TEXT if content.format == "video" and content.caption else "")
        return Done(platform_post_id=None, permalink=None, note=note)
    if text(progress, "post_id") is not None or progress.get("published") is True:
        return _after_publish(progress)
    if not is_draft(content) and not isinstance(progress.get("creator"), dict):
        return Step(name="read_creator", sends={})
    if text(progress, "publish_id") is None:
        return _init(content, progress)
    if content.format == "video" and progress.get("sent") is not True:
        return _upload(content, progress)
    return _check_status(progress)


def is_draft(content: Content) -> bool:
    """Whether it goes to the inbox of the app instead of going live."""
    return content.options.get("draft") is True


def chunk_plan(size: int) -> tuple[int, int]:
    """The size and the count of the chunks of a video of this many bytes: the rest is shorter than their count."""
    count = max(1, size // LEAST_CHUNK_BYTES)
    return size // count, count


def chunk_at(size: int, offset: int) -> Chunk:
    """The part to send when the network has ``offset`` bytes: to the end of the chunk that begins or lies there."""
    chunk_size, chunks = chunk_plan(size)
    position = min(offset // chunk_size, chunks - 1)
    is_last = position == chunks - 1
    last = size - 1 if is_last else (position + 1) * chunk_size - 1
    return Chunk(number=position + 1, first=offset, last=last, is_last=is_last)


def video_post(content: Content, progress: JsonObject) -> JsonObject:
    """The ``post_info`` of a video that goes live by itself."""
    options = content.options
    cover: JsonObject = (
        {"video_cover_timestamp_ms": options["cover_timestamp_ms"]} if "cover_timestamp_ms" in options else {}
    )
    return {
        "title": content.caption,
        "privacy_level": text(progress, "privacy_level"),
        **{
            f"disable_{name}": switched_off(content, _creator(progress), name) for name in ("comment", "duet", "stitch")
        },
        "brand_content_toggle": options.get("brand_content_toggle") is True,
        "brand_organic_toggle": options.get("brand_organic_toggle") is True,
        "is_aigc": options.get("is_aigc") is True,
        **cover,
    }


def video_source(content: Content) -> JsonObject:
    """How the bytes of the video will come."""
    size = content.media[0].size_bytes
    chunk_size, chunks = chunk_plan(size)
    return {"source": "FILE_UPLOAD", "video_size": size, "chunk_size": chunk_size, "total_chunk_count": chunks}


def photo_post(content: Content, progress: JsonObject) -> JsonObject:
    """The ``post_info`` of photos; a draft has no audience yet."""
    options = content.options
    texts: JsonObject = {"title": options.get("title") or "", "description": content.caption}
    if is_draft(content):
        return texts
    return {
        **texts,
        "privacy_level": text(progress, "privacy_level"),
        "disable_comment": switched_off(content, _creator(progress), "comment"),
        "auto_add_music": options.get("auto_add_music") is True,
        "brand_content_toggle": options.get("brand_content_toggle") is True,
        "brand_organic_toggle": options.get("brand_organic_toggle") is True,
    }


def text(values: JsonObject, name: str) -> str | None:
    """The string kept under a name, None when there is none."""
    value = values.get(name)
    return value if isinstance(value, str) and value else None


def count(values: JsonObject, name: str) -> int:
    """The number kept under a name, 0 when there is none."""
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _creator(progress: JsonObject) -> JsonObject:
    creator = progress.get("creator")
    return creator if isinstance(creator, dict) else {}


def _init(content: Content, progress: JsonObject) -> Step:
    assets: JsonObject = {"assets": [medium.asset_id for medium in content.media]}
    if content.format == "video":
        # Nothing is public, and nobody is told, before the last chunk has arrived: a second init does no harm.
        if is_draft(content):
            sends = {**assets, "source_info": video_source(content)}
            return Step(name="init_inbox", sends=sends, conceals=UPLOAD_ADDRESS)
        sends = {**assets, "post_info": video_post(content, progress), "source_info": video_source(content)}
        return Step(name="init_video", sends=sends, conceals=UPLOAD_ADDRESS)
    # The evidence names assets, not links: a signed link is a secret for as long as it lives.
    visible = not is_draft(content) and progress.get("privacy_level") == PUBLIC
    return Step(
        name=INIT_PHOTO,
        sends={**assets, "post_info": photo_post(content, progress)},
        irreversible=True,
        repeat=RepeatSafety.LOOK if visible else RepeatSafety.NONE,
    )


def _upload(content: Content, progress: JsonObject) -> Step:
    publish_id, tries = text(progress, "publish_id"), count(progress, "upload_tries")
    if tries and progress.get("upload_offset") is None:
        return Step(name="check_upload", sends={"publish_id": publish_id}, delay=2.0**tries)
    size = content.media[0].size_bytes
    chunk = chunk_at(size, count(progress, "upload_offset"))
    return Step(
        name=f"{UPLOAD}{'last' if chunk.is_last else chunk.number}",
        sends={"publish_id": publish_id, "first": chunk.first, "last": chunk.last, "size_bytes": size},
        irreversible=chunk.is_last,
        repeat=RepeatSafety.WITNESS if chunk.is_last else RepeatSafety.NONE,
    )


def _check_status(progress: JsonObject) -> Step:
    delay = min(FIRST_CHECK_SECONDS * 2.0 ** min(count(progress, "checks"), 10), LONGEST_CHECK_SECONDS)
    return Step(name="check_status", sends={"publish_id": text(progress, "publish_id")}, delay=delay)


def _after_publish(progress: JsonObject) -> Step | Done:
    post_id, permalink = text(progress, "post_id"), text(progress, "permalink")
    if post_id is None:
        return _without_id(progress)
    if permalink is not None:
        return Done(platform_post_id=post_id, permalink=permalink)
    handle = text(progress, "handle") or text(_creator(progress), "username")
    address = ADDRESS.format(handle=handle, post_id=post_id) if handle else None
    return Step(
        name="read_permalink",
        sends={"post_id": post_id},
        otherwise=Done(platform_post_id=post_id, permalink=address),
    )


def _without_id(progress: JsonObject) -> Step | Done:
    if progress.get("privacy_level") != PUBLIC:
        return Done(platform_post_id=None, permalink=None, note=_NOT_PUBLIC)
    done = Done(platform_post_id=None, permalink=None, note=_IN_MODERATION)
    asked = count(progress, "public_checks")
    if asked >= MAX_PUBLIC_CHECKS:
        return done
    pause = min(FIRST_CHECK_SECONDS * 2.0**asked, LONGEST_CHECK_SECONDS)
    return Step(name="check_status", sends={"publish_id": text(progress, "publish_id")}, delay=pause, otherwise=done)
