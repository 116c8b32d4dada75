"""TikTok's cases: video (whole and in chunks), photo, and a draft video."""

import contextlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial

from core.jsontypes import JsonValue
from platforms.base import Adapter, Content, Medium
from platforms.errors import TokenExpired
from platforms.tiktok.adapter import TikTokAdapter
from tests.platforms.contract import Case, Refusal
from tests.platforms.pictures import image, video
from tests.platforms.world import FileServer

ROUTES = {
    "read_creator": "tiktok.creator_info",
    "init_video": "tiktok.init_video",
    "init_inbox": "tiktok.init_inbox",
    "init_photo": "tiktok.init_content",
    "upload_": "tiktok.upload_chunk",
    "upload_last": "tiktok.upload_chunk",
    "check_upload": "tiktok.status",
    "check_status": "tiktok.status",
    "read_permalink": "tiktok.query_videos",
}

NEVER_SENT = "an option nobody knows is never sent"
NOT_LOOKED_INTO = "the sandbox does not look into videos"
NOT_SENT_AROUND = "that many bytes are not sent around in a test"
ONLY_TRUE_IS_SENT = "whatever is not true is sent as false"


def open_tiktok(sandbox_url: str, *, timeout: float = 10.0) -> AbstractAsyncContextManager[Adapter]:
    return contextlib.aclosing(
        TikTokAdapter(
            api_url=f"{sandbox_url}/tiktok",
            client_key="the-key-of-the-app",
            client_secret="the-secret-of-the-app",
            timeout=timeout,
        )
    )


def words(caption: str, of: str, *media: Medium, **options: JsonValue) -> Content:
    return Content(format=of, caption=caption, media=media, options=options)


def photo(files: FileServer, width: int = 1080, height: int = 1350, *, kind: str = "JPEG", padding: int = 0) -> Medium:
    return image(files, width, height, kind=kind, padding=padding)


def good_video(files: FileServer, caption: str) -> Content:
    return words(caption, "video", video(files), disable_duet=True, cover_timestamp_ms=1500, is_aigc=True)


def good_photo(files: FileServer, caption: str) -> Content:
    return words(caption, "photo", photo(files), photo(files, 1080, 1080), title="From the bar", auto_add_music=True)


def good_draft(files: FileServer, caption: str) -> Content:
    return words(caption, "video", video(files), draft=True)


def accepted_videos(files: FileServer) -> Mapping[str, Content]:
    film = video(files)
    captions = {"no caption": "", "2200 letters": "x" * 2200, "1100 emoji": "\N{GRINNING FACE}" * 1100}
    levels = ("PUBLIC_TO_EVERYONE",)
    return {
        **{name: words(caption, "video", film) for name, caption in captions.items()},
        **{level: words(level, "video", film, privacy_level=level) for level in levels},
        "two chunks and a rest": words("long", "video", video(files, size_bytes=10_485_761)),
        "just not two chunks": words("long", "video", video(files, size_bytes=10_485_759)),
        "MOV": words("mov", "video", video(files, mime_type="video/quicktime")),
        "all switched off": words("quiet", "video", film, disable_comment=True, disable_duet=True, disable_stitch=True),
        "branded": words("ad", "video", film, brand_content_toggle=True, brand_organic_toggle=True),
        "last frame": words("cover", "video", film, cover_timestamp_ms=12_000),
        "not a draft": words("live", "video", film, draft=False),
    }


def refused_videos(files: FileServer) -> Mapping[str, Refusal]:
    film = video(files)
    not_looked_into = partial(Refusal, not_asked=NOT_LOOKED_INTO)
    return {
        "2201 letters": Refusal(content=words("x" * 2201, "video", film), code="text_too_long"),
        "an image": Refusal(content=words("", "video", photo(files)), code="wrong_kind"),
        "a privacy level nobody knows": Refusal(
            content=words("", "video", film, privacy_level="EVERYBODY"), code="option_invalid"
        ),
        "branded for oneself": Refusal(
            content=words("", "video", film, brand_content_toggle=True, privacy_level="SELF_ONLY"),
            code="option_conflict",
        ),
        "cover before the start": Refusal(
            content=words("", "video", film, cover_timestamp_ms=-1), code="option_invalid"
        ),
        "cover after the end": not_looked_into(
            content=words("", "video", film, cover_timestamp_ms=12_001), code="option_invalid"
        ),
        "a word for a switch": Refusal(
            content=words("", "video", film, disable_duet="maybe"), code="option_invalid", not_asked=ONLY_TRUE_IS_SENT
        ),
        "unknown option": Refusal(
            content=words("", "video", film, title="hi"), code="option_unknown", not_asked=NEVER_SENT
        ),
        "two videos": Refusal(
            content=words("", "video", film, film), code="too_many_media", not_asked="only the first would be sent"
        ),
        "no video": Refusal(content=words("", "video"), code="too_few_media", not_asked="there is nothing to send"),
        "10 frames a second": not_looked_into(
            content=words("", "video", replace(film, frame_rate=10.0)), code="wrong_frame_rate"
        ),
        "too heavy": Refusal(
            content=words("", "video", replace(film, size_bytes=4_000_000_001)),
            code="too_big",
            not_asked=NOT_SENT_AROUND,
        ),
        "no such format": Refusal(
            content=words("", "story", film), code="format_unknown", not_asked="there are no steps for it"
        ),
    }


def accepted_photos(files: FileServer) -> Mapping[str, Content]:
    one = photo(files)
    return {
        "no texts": words("", "photo", one),
        "WebP": words("webp", "photo", photo(files, kind="WEBP")),
        "35 photos": words("many", "photo", *([one] * 35)),
        "4000 letters": words("x" * 4000, "photo", one),
        "title of 90": words("titled", "photo", one, title="t" * 90),
        "1080p lying": words("wide", "photo", photo(files, 1920, 1080)),
        "20 MB": words("heavy", "photo", photo(files, padding=20_000_000 - one.size_bytes)),
    }


def refused_photos(files: FileServer) -> Mapping[str, Refusal]:
    one = photo(files)
    return {
        "4001 letters": Refusal(content=words("x" * 4001, "photo", one), code="text_too_long"),
        "title of 91": Refusal(content=words("", "photo", one, title="t" * 91), code="option_invalid"),
        "36 photos": Refusal(content=words("", "photo", *([one] * 36)), code="too_many_media"),
        "no photo": Refusal(content=words("", "photo"), code="too_few_media"),
        "PNG": Refusal(content=words("", "photo", photo(files, kind="PNG")), code="wrong_type"),
        "1081 square": Refusal(content=words("", "photo", photo(files, 1081, 1081)), code="too_wide"),
        "too long": Refusal(content=words("", "photo", photo(files, 1921, 900)), code="too_wide"),
        "too heavy": Refusal(
            content=words("", "photo", photo(files, padding=20_000_001 - one.size_bytes)), code="too_big"
        ),
        "a video": Refusal(content=words("", "photo", video(files)), code="wrong_kind"),
        "unknown option": Refusal(
            content=words("", "photo", one, disable_duet=True), code="option_unknown", not_asked=NEVER_SENT
        ),
    }


def accepted_drafts(files: FileServer) -> Mapping[str, Content]:
    return {"no caption": words("", "video", video(files), draft=True)}


def refused_drafts(files: FileServer) -> Mapping[str, Refusal]:
    film = video(files)
    return {
        "an image": Refusal(content=words("", "video", photo(files), draft=True), code="wrong_kind"),
        "draft of a word": Refusal(
            content=words("", "video", film, draft="maybe"), code="option_invalid", not_asked="it would go live"
        ),
    }


_case = partial(Case, platform="tiktok", login=None, open_adapter=open_tiktok, routes=ROUTES, dead_token=TokenExpired)
_SENT_TO_AN_ADDRESS = frozenset({"upload_1", "upload_last"})

CASES = (
    _case(
        name="tiktok-video",
        format="video",
        content=good_video,
        accepted=accepted_videos,
        refused=refused_videos,
        addressed=_SENT_TO_AN_ADDRESS,
        sees_format="video",
    ),
    _case(
        name="tiktok-photo",
        format="photo",
        content=good_photo,
        accepted=accepted_photos,
        refused=refused_photos,
        rules_out=False,
        sees_format="photo",
    ),
    _case(
        name="tiktok-draft",
        format="video",
        content=good_draft,
        accepted=accepted_drafts,
        refused=refused_drafts,
        addressed=_SENT_TO_AN_ADDRESS,
        is_draft=True,
        sees_format="video",
    ),
)
