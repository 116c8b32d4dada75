"""Facebook's cases: each of a Page's formats, with a first comment where it takes one."""

import contextlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial

from core.jsontypes import JsonValue
from platforms.base import Adapter, Content, Medium
from platforms.facebook.adapter import FacebookAdapter
from tests.platforms.contract import Case, Refusal
from tests.platforms.pictures import image, video
from tests.platforms.world import FileServer

ROUTES = {
    "upload_photo_": "facebook.create_photo",
    "upload": "facebook.upload",
    "check_upload": "facebook.get_video",
    "check_video": "facebook.get_video",
    "read_permalink": "facebook.get_post",
    "first_comment": "facebook.comment",
}

NEVER_SENT = "an option nobody knows is never sent"
NOT_LOOKED_INTO = "the sandbox does not look into videos"
NOTHING_TO_SEND = "there is nothing to send"
PHOTO_BYTES = 4_000_000


def open_facebook(sandbox_url: str, *, timeout: float = 10.0) -> AbstractAsyncContextManager[Adapter]:
    return contextlib.aclosing(
        FacebookAdapter(
            facebook_graph_url=f"{sandbox_url}/facebook-graph",
            upload_url=f"{sandbox_url}/meta-upload",
            app_id="4242",
            app_secret="the-secret-of-the-app",
            timeout=timeout,
        )
    )


def words(caption: str, of: str, *media: Medium, **options: JsonValue) -> Content:
    return Content(format=of, caption=caption, media=media, options=options)


def good_text(_: FileServer, caption: str) -> Content:
    return words(caption, "text", first_comment="Opening hours: 8 to 18")


def good_link(_: FileServer, caption: str) -> Content:
    return words(caption, "link", link="https://example.org/menu", first_comment="Which would you take?")


def good_image(files: FileServer, caption: str) -> Content:
    return words(caption, "image", image(files, alt_text="A cup"), first_comment="Beans: example.org ☕")


def good_carousel(files: FileServer, caption: str) -> Content:
    return words(caption, "carousel", image(files, alt_text="Beans"), image(files, 900, 1600, kind="PNG"))


def good_video(files: FileServer, caption: str) -> Content:
    return words(caption, "video", video(files), title="How we pour", first_comment="Ask us anything")


def good_reel(files: FileServer, caption: str) -> Content:
    return words(caption, "reel", video(files), title="Pouring", first_comment="More on Friday")


def good_photo_story(files: FileServer, _: str) -> Content:
    return words("", "story", image(files, 1080, 1920))


def good_video_story(files: FileServer, _: str) -> Content:
    return words("", "story", video(files))


def accepted_texts(_: FileServer) -> Mapping[str, Content]:
    return {
        "one letter": words("x", "text"),
        "63206 letters": words("x" * 63_206, "text"),
        "31603 emoji": words("\N{ROBOT FACE}" * 31_603, "text"),
        "an address": words("Our menu: https://example.org/menu", "text"),
        "lines": words("  One\r\n\r\nTwo  ", "text", first_comment="  with space  "),
        "a long comment": words("long comment", "text", first_comment="c" * 8_000),
    }


def refused_texts(files: FileServer) -> Mapping[str, Refusal]:
    said = "Good morning"
    return {
        "63207 letters": Refusal(content=words("x" * 63_207, "text"), code="text_too_long"),
        "no text": Refusal(content=words("", "text"), code="text_missing"),
        "a photo": Refusal(
            content=words(said, "text", image(files)), code="too_many_media", not_asked="the photo would not be sent"
        ),
        "a link": Refusal(
            content=words(said, "text", link="https://example.org"), code="option_unknown", not_asked=NEVER_SENT
        ),
        "an empty comment": Refusal(
            content=words(said, "text", first_comment=" "), code="option_invalid", not_asked="the post would be live"
        ),
        "no such format": Refusal(
            content=words(said, "poll"), code="format_unknown", not_asked="there are no steps for it"
        ),
    }


def accepted_links(_: FileServer) -> Mapping[str, Content]:
    return {
        "without words": words("", "link", link="https://example.org/a?b=c#d"),
        "with words": words("Look", "link", link="http://example.org"),
    }


def refused_links(_: FileServer) -> Mapping[str, Refusal]:
    return {
        "no address": Refusal(content=words("Look", "link", link="example"), code="option_invalid"),
        "another scheme": Refusal(content=words("Look", "link", link="ftp://example.org"), code="option_invalid"),
        "no link": Refusal(content=words("", "link"), code="option_missing"),
    }


def accepted_images(files: FileServer) -> Mapping[str, Content]:
    heavy = image(files, padding=PHOTO_BYTES - image(files).size_bytes)
    return {
        "no words": words("", "image", image(files)),
        "PNG": words("png", "image", image(files, kind="PNG")),
        "a strip": words("strip", "image", image(files, 2000, 100)),
        "4 MB": words("heavy", "image", heavy),
    }


def refused_images(files: FileServer) -> Mapping[str, Refusal]:
    heavy = image(files, padding=PHOTO_BYTES + 1 - image(files).size_bytes)
    return {
        "too heavy": Refusal(content=words("", "image", heavy), code="too_big"),
        "WebP": Refusal(content=words("", "image", image(files, kind="WebP")), code="wrong_type"),
        "a video": Refusal(content=words("", "image", video(files)), code="wrong_kind"),
        "63207 letters": Refusal(content=words("x" * 63_207, "image", image(files)), code="text_too_long"),
        "a title": Refusal(
            content=words("", "image", image(files), title="x"), code="option_unknown", not_asked=NEVER_SENT
        ),
        "no image": Refusal(content=words("", "image"), code="too_few_media", not_asked=NOTHING_TO_SEND),
    }


def accepted_carousels(files: FileServer) -> Mapping[str, Content]:
    square = image(files)
    return {
        "2 photos": words("", "carousel", square, image(files, kind="PNG")),
        "10 photos": words("ten", "carousel", *([square] * 10)),
    }


def refused_carousels(files: FileServer) -> Mapping[str, Refusal]:
    square = image(files)
    liberal = partial(Refusal, not_asked="Facebook itself takes it; Studio keeps to one way of doing it")
    return {
        "1 photo": liberal(content=words("", "carousel", square), code="too_few_media"),
        "11 photos": liberal(content=words("", "carousel", *([square] * 11)), code="too_many_media"),
        "a video inside": Refusal(content=words("", "carousel", square, video(files)), code="wrong_kind"),
        "a WebP inside": Refusal(content=words("", "carousel", square, image(files, kind="WebP")), code="wrong_type"),
    }


def accepted_videos(files: FileServer) -> Mapping[str, Content]:
    wide = replace(video(files), width=1920, height=1080)
    return {
        "no words": words("", "video", video(files)),
        "wide MOV": words("mov", "video", replace(wide, mime_type="video/quicktime")),
        "20 minutes": words("long", "video", video(files, seconds=1200.0)),
    }


def refused_videos(files: FileServer) -> Mapping[str, Refusal]:
    film = video(files)
    not_looked_into = partial(Refusal, not_asked=NOT_LOOKED_INTO)
    return {
        "an image": Refusal(content=words("", "video", image(files)), code="wrong_kind"),
        "63207 letters": Refusal(content=words("x" * 63_207, "video", film), code="text_too_long"),
        "1201 seconds": not_looked_into(content=words("", "video", video(files, seconds=1201)), code="wrong_duration"),
        "WebM": not_looked_into(content=words("", "video", video(files, mime_type="video/webm")), code="wrong_type"),
        "an empty title": not_looked_into(content=words("", "video", film, title=""), code="option_invalid"),
    }


def accepted_reels(files: FileServer) -> Mapping[str, Content]:
    return {
        "no words": words("", "reel", video(files)),
        "3 seconds": words("short", "reel", video(files, seconds=3.0)),
        "90 seconds": words("long", "reel", video(files, seconds=90.0)),
        "540 x 960": words("small", "reel", replace(video(files), width=540, height=960)),
    }


def refused_reels(files: FileServer) -> Mapping[str, Refusal]:
    film = video(files)
    not_looked_into = partial(Refusal, not_asked=NOT_LOOKED_INTO)
    return {
        "an image": Refusal(content=words("", "reel", image(files)), code="wrong_kind"),
        "63207 letters": Refusal(content=words("x" * 63_207, "reel", film), code="text_too_long"),
        "2.9 seconds": not_looked_into(content=words("", "reel", video(files, seconds=2.9)), code="wrong_duration"),
        "91 seconds": not_looked_into(content=words("", "reel", video(files, seconds=91.0)), code="wrong_duration"),
        "wide": not_looked_into(content=words("", "reel", replace(film, width=1920, height=1080)), code="wrong_ratio"),
        "slow": not_looked_into(content=words("", "reel", replace(film, frame_rate=15.0)), code="wrong_frame_rate"),
        "narrow": not_looked_into(content=words("", "reel", replace(film, width=539, height=960)), code="too_small"),
    }


def accepted_stories(files: FileServer) -> Mapping[str, Content]:
    return {
        "a square photo": words("", "story", image(files)),
        "60 seconds": words("", "story", video(files, seconds=60.0)),
    }


def refused_stories(files: FileServer) -> Mapping[str, Refusal]:
    film = video(files)
    return {
        "words": Refusal(
            content=words("hello", "story", film), code="text_too_long", not_asked="the words would not be sent"
        ),
        "a comment": Refusal(
            content=words("", "story", film, first_comment="x"), code="option_unknown", not_asked=NEVER_SENT
        ),
        "WebP": Refusal(content=words("", "story", image(files, kind="WebP")), code="wrong_type"),
        "61 seconds": Refusal(
            content=words("", "story", video(files, seconds=61)), code="wrong_duration", not_asked=NOT_LOOKED_INTO
        ),
        "nothing": Refusal(content=words("", "story"), code="too_few_media", not_asked=NOTHING_TO_SEND),
    }


_case = partial(Case, platform="facebook", login="facebook", open_adapter=open_facebook)
_text = partial(_case, routes={**ROUTES, "publish": "facebook.create_post"})
_story = partial(
    _case,
    format="story",
    accepted=accepted_stories,
    refused=refused_stories,
    sees_format="stories",
    finds=False,
    has_address=False,
)

CASES = (
    _text(
        name="facebook-text",
        format="text",
        content=good_text,
        accepted=accepted_texts,
        refused=refused_texts,
        sees_format="text",
        refuses_twins=True,
    ),
    _text(
        name="facebook-link",
        format="link",
        content=good_link,
        accepted=accepted_links,
        refused=refused_links,
        sees_format="link",
        refuses_twins=True,
    ),
    _case(
        name="facebook-image",
        format="image",
        content=good_image,
        accepted=accepted_images,
        refused=refused_images,
        routes={**ROUTES, "publish": "facebook.create_photo"},
        sees_format="image",
    ),
    _text(
        name="facebook-carousel",
        format="carousel",
        content=good_carousel,
        accepted=accepted_carousels,
        refused=refused_carousels,
        sees_format="carousel",
    ),
    _case(
        name="facebook-video",
        format="video",
        content=good_video,
        accepted=accepted_videos,
        refused=refused_videos,
        routes={**ROUTES, "publish": "facebook.create_video"},
        sees_format="video",
    ),
    _case(
        name="facebook-reel",
        format="reel",
        content=good_reel,
        accepted=accepted_reels,
        refused=refused_reels,
        routes={**ROUTES, "start": "facebook.start_reel", "publish": "facebook.finish_reel"},
        absorbs=frozenset({"upload"}),
        sees_format="reels",
        chosen="video",
    ),
    _story(
        name="facebook-story-photo",
        content=good_photo_story,
        routes={**ROUTES, "publish": "facebook.photo_story"},
        chosen="image",
    ),
    _story(
        name="facebook-story-video",
        content=good_video_story,
        routes={**ROUTES, "start": "facebook.start_story", "publish": "facebook.finish_story"},
        absorbs=frozenset({"upload"}),
        chosen="video",
    ),
)
