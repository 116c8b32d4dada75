"""Instagram's cases: image, carousel, reel and story, with both login products."""

import contextlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from typing import Never

from core.jsontypes import JsonValue
from platforms.base import Adapter, Content, Medium
from platforms.instagram.adapter import InstagramAdapter
from tests.platforms.contract import Case, Refusal
from tests.platforms.pictures import image, video
from tests.platforms.world import FileServer

ROUTES = {
    "create_child_": "instagram.create_container",
    "create_container": "instagram.create_container",
    "upload": "instagram.upload",
    "check_upload": "instagram.container_status",
    "check_container": "instagram.container_status",
    "publish": "instagram.media_publish",
    "first_comment": "instagram.comment",
    "read_permalink": "instagram.get_media",
}

NEVER_SENT = "an option nobody knows is never sent"
LIVE_BY_THEN = "the post is live before its comment is refused"
NOT_LOOKED_INTO = "the sandbox does not look into videos"


def open_instagram(sandbox_url: str, *, timeout: float = 10.0) -> AbstractAsyncContextManager[Adapter]:
    return contextlib.aclosing(
        InstagramAdapter(
            facebook_graph_url=f"{sandbox_url}/facebook-graph",
            instagram_graph_url=f"{sandbox_url}/instagram-graph",
            upload_url=f"{sandbox_url}/meta-upload",
            app_id="4242",
            app_secret="the-secret-of-the-app",
            timeout=timeout,
        )
    )


def words(caption: str, of: str, *media: Medium, **options: JsonValue) -> Content:
    return Content(format=of, caption=caption, media=media, options=options)


def good_image(files: FileServer, caption: str) -> Content:
    return words(caption, "image", image(files, 1080, 1350, alt_text="A cup of espresso"))


def good_commented_image(files: FileServer, caption: str) -> Content:
    return words(caption, "image", image(files), first_comment=f"{caption}: the first comment", collaborators=["@ana"])


def good_carousel(files: FileServer, caption: str) -> Content:
    return words(caption, "carousel", image(files, alt_text="Beans"), image(files, 1200, 628))


def good_reel(files: FileServer, caption: str) -> Content:
    return words(caption, "reel", video(files), share_to_feed=False, thumb_offset=1500)


def good_covered_reel(files: FileServer, caption: str) -> Content:
    return covered(words(caption, "reel", video(files), first_comment="Beans in bio"), image(files, 1080, 1920))


def covered(content: Content, cover: Medium) -> Content:
    return replace(content, options={**content.options, "cover": cover.asset_id}, cover=cover)


def good_story(files: FileServer, _caption: str) -> Content:
    return words("", "story", image(files, 1080, 1920))


def good_story_video(files: FileServer, _caption: str) -> Content:
    return words("", "story", video(files))


def accepted_images(files: FileServer) -> Mapping[str, Content]:
    square = image(files)
    captions = {
        "no caption": "",
        "2200 letters": "x" * 2200,
        "1100 emoji": "\N{HOT BEVERAGE}\ufe0f" * 1100,
        "550 flags": "\U0001f1ea\U0001f1f8" * 550,
        "30 hashtags": "#coffee " * 30,
        "20 mentions": "@barista " * 20,
        "neither hashtag nor mention": "C#x hi@example.com " * 40,
    }
    sizes = {"4:5": (800, 1000), "1.91:1": (1200, 628), "exactly 1.91": (1910, 1000), "narrow": (200, 200)}
    return {
        **{name: words(caption, "image", square) for name, caption in captions.items()},
        **{name: words(name, "image", image(files, *size)) for name, size in sizes.items()},
        "8 MiB": words("heavy", "image", _weighing(files, 8 * 1024 * 1024)),
        "alt text of 1000": words("alt", "image", image(files, alt_text="a" * 1000)),
        "3 collaborators": words("us", "image", square, collaborators=["ana", "@ben.b", "c_c"]),
        "a first comment of 2200": words("talk", "image", square, first_comment="y" * 2200),
    }


def _weighing(files: FileServer, size_bytes: int) -> Medium:
    return image(files, padding=size_bytes - image(files).size_bytes)


def refused_images(files: FileServer) -> Mapping[str, Refusal]:
    square = image(files)
    return {
        "2201 letters": Refusal(content=words("x" * 2201, "image", square), code="text_too_long"),
        "31 hashtags": Refusal(content=words("#coffee " * 31, "image", square), code="too_many_hashtags"),
        "21 mentions": Refusal(content=words("@barista " * 21, "image", square), code="too_many_mentions"),
        "PNG": Refusal(content=words("", "image", image(files, kind="PNG")), code="wrong_type"),
        "too tall": Refusal(content=words("", "image", image(files, 790, 1000)), code="wrong_ratio"),
        "too wide": Refusal(content=words("", "image", image(files, 1920, 1000)), code="wrong_ratio"),
        "too heavy": Refusal(content=words("", "image", _weighing(files, 8 * 1024 * 1024 + 1)), code="too_big"),
        "a video": Refusal(content=words("", "image", video(files)), code="wrong_kind"),
        "long alt text": Refusal(content=words("", "image", image(files, alt_text="a" * 1001)), code="text_too_long"),
        "unknown option": Refusal(
            content=words("", "image", square, share_to_feed=True), code="option_unknown", not_asked=NEVER_SENT
        ),
        "4 collaborators": Refusal(
            content=words("", "image", square, collaborators=["a", "b", "c", "d"]), code="option_invalid"
        ),
        "a collaborator with a space": Refusal(
            content=words("", "image", square, collaborators=["ana b"]), code="option_invalid"
        ),
        "an empty first comment": Refusal(
            content=words("", "image", square, first_comment=" "), code="option_invalid", not_asked=LIVE_BY_THEN
        ),
        "a first comment of 2201": Refusal(
            content=words("", "image", square, first_comment="y" * 2201), code="text_too_long", not_asked=LIVE_BY_THEN
        ),
        "two images": Refusal(
            content=words("", "image", square, square),
            code="too_many_media",
            not_asked="only the first would be sent",
        ),
        "no image": Refusal(content=words("", "image"), code="too_few_media", not_asked="there is nothing to send"),
        "no such format": Refusal(
            content=words("", "poll", square), code="format_unknown", not_asked="there are no steps for it"
        ),
    }


def accepted_carousels(files: FileServer) -> Mapping[str, Content]:
    square = image(files)
    return {
        "2 images": words("two", "carousel", square, square),
        "10 images": words("ten", "carousel", *([square] * 10)),
    }


def refused_carousels(files: FileServer) -> Mapping[str, Refusal]:
    square = image(files)
    return {
        "1 image": Refusal(content=words("", "carousel", square), code="too_few_media"),
        "11 images": Refusal(content=words("", "carousel", *([square] * 11)), code="too_many_media"),
        "a PNG inside": Refusal(content=words("", "carousel", square, image(files, kind="PNG")), code="wrong_type"),
        "a video inside": Refusal(content=words("", "carousel", square, video(files)), code="wrong_kind"),
        "2201 letters": Refusal(content=words("x" * 2201, "carousel", square, square), code="text_too_long"),
    }


def accepted_reels(files: FileServer) -> Mapping[str, Content]:
    return {
        "plain": words("plain", "reel", video(files)),
        "no caption": words("", "reel", video(files)),
        "MOV": words("mov", "reel", video(files, mime_type="video/quicktime")),
        "3 seconds": words("short", "reel", video(files, seconds=3.0)),
        "15 minutes": words("long", "reel", video(files, seconds=900.0)),
        "last frame": words("cover", "reel", video(files), thumb_offset=12_000),
        "a cover and a frame": covered(words("both", "reel", video(files), thumb_offset=1), image(files, 1080, 1920)),
    }


def refused_reels(files: FileServer) -> Mapping[str, Refusal]:
    film = video(files)
    picture = image(files)
    not_looked_into = partial(Refusal, not_asked=NOT_LOOKED_INTO)
    return {
        "2201 letters": Refusal(content=words("x" * 2201, "reel", film), code="text_too_long"),
        "an image": Refusal(content=words("", "reel", picture), code="wrong_kind"),
        "share_to_feed of a word": Refusal(
            content=words("", "reel", film, share_to_feed="maybe"), code="option_invalid"
        ),
        "thumb_offset before the start": Refusal(
            content=words("", "reel", film, thumb_offset=-1), code="option_invalid"
        ),
        "thumb_offset after the end": not_looked_into(
            content=words("", "reel", film, thumb_offset=12_001), code="option_invalid"
        ),
        "unknown option": Refusal(
            content=words("", "reel", film, filter="sepia"), code="option_unknown", not_asked=NEVER_SENT
        ),
        "a PNG as cover": Refusal(
            content=covered(words("", "reel", film), image(files, kind="PNG")), code="wrong_type"
        ),
        "a cover that is not there": Refusal(
            content=words("", "reel", film, cover="nowhere"), code="option_invalid", not_asked=NEVER_SENT
        ),
        "WebM": not_looked_into(content=words("", "reel", video(files, mime_type="video/webm")), code="wrong_type"),
        "2.9 seconds": not_looked_into(content=words("", "reel", video(files, seconds=2.9)), code="wrong_duration"),
        "901 seconds": not_looked_into(content=words("", "reel", video(files, seconds=901.0)), code="wrong_duration"),
        "too heavy": Refusal(
            content=words("", "reel", replace(film, size_bytes=300 * 1024 * 1024 + 1)),
            code="too_big",
            not_asked="300 MiB are not sent around in a test",
        ),
    }


def accepted_stories(files: FileServer) -> Mapping[str, Content]:
    return {
        "wide": words("", "story", image(files, 1920, 1000)),
        "MOV": words("", "story", video(files, mime_type="video/quicktime")),
        "60 seconds": words("", "story", video(files, seconds=60.0)),
    }


def refused_stories(files: FileServer) -> Mapping[str, Refusal]:
    square, film = image(files), video(files)
    not_looked_into = partial(Refusal, not_asked=NOT_LOOKED_INTO)
    return {
        "PNG": Refusal(content=words("", "story", image(files, kind="PNG")), code="wrong_type"),
        "a first comment": Refusal(
            content=words("", "story", square, first_comment="hi"), code="option_unknown", not_asked=NEVER_SENT
        ),
        "collaborators": Refusal(
            content=words("", "story", square, collaborators=["ana"]), code="option_unknown", not_asked=NEVER_SENT
        ),
        "2.9 seconds": not_looked_into(content=words("", "story", video(files, seconds=2.9)), code="wrong_duration"),
        "61 seconds": not_looked_into(content=words("", "story", video(files, seconds=61.0)), code="wrong_duration"),
        "too heavy": Refusal(
            content=words("", "story", replace(film, size_bytes=100 * 1024 * 1024 + 1)),
            code="too_big",
            not_asked="100 MiB are not sent around in a test",
        ),
        "two": Refusal(
            content=words("", "story", square, square), code="too_many_media", not_asked="only the first would be sent"
        ),
    }


def _cases(login: str, title: str) -> tuple[Case, ...]:
    case = partial(Case, platform="instagram", login=login, open_adapter=open_instagram, routes=ROUTES)
    return (
        case(
            name=f"instagram-image-{title}",
            format="image",
            content=good_image,
            accepted=accepted_images,
            refused=refused_images,
            sees_format="image",
        ),
        case(
            name=f"instagram-carousel-{title}",
            format="carousel",
            content=good_carousel,
            accepted=accepted_carousels,
            refused=refused_carousels,
            sees_format="carousel",
        ),
        case(
            name=f"instagram-reel-{title}",
            format="reel",
            content=good_reel,
            accepted=accepted_reels,
            refused=refused_reels,
            absorbs=frozenset({"upload"}),
            sees_format="reels",
        ),
        *_more_cases(case, title),
    )


def _more_cases(case: Callable[..., Case], title: str) -> tuple[Case, ...]:
    return (
        case(
            name=f"instagram-commented-image-{title}",
            format="image",
            content=good_commented_image,
            accepted=nothing_more,
            refused=nothing_more,
            sees_format="image",
        ),
        case(
            name=f"instagram-covered-reel-{title}",
            format="reel",
            content=good_covered_reel,
            accepted=nothing_more,
            refused=nothing_more,
            absorbs=frozenset({"upload"}),
            sees_format="reels",
        ),
        case(
            name=f"instagram-story-{title}",
            format="story",
            content=good_story,
            accepted=accepted_stories,
            refused=refused_stories,
            sees_format="stories",
            chosen="image",
        ),
        case(
            name=f"instagram-story-video-{title}",
            format="story",
            content=good_story_video,
            accepted=nothing_more,
            refused=nothing_more,
            absorbs=frozenset({"upload"}),
            sees_format="stories",
            chosen="reel",
        ),
    )


def nothing_more(_files: FileServer) -> Mapping[str, Never]:
    return {}


CASES = (*_cases("facebook", "facebook-login"), *_cases("instagram", "instagram-login"))
