"""Bluesky's cases: text, thread, reply, images, and a link's card. They hold for the sandbox and for a real server."""

import contextlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial

from core.jsontypes import JsonValue
from platforms.base import Adapter, Content, Medium
from platforms.bluesky.adapter import BlueskyAdapter
from platforms.errors import TokenExpired
from tests.platforms.contract import Case, Refusal
from tests.platforms.pictures import image, video
from tests.platforms.world import FileServer

ROUTES = {
    "begin": "bluesky.get_session",
    "resolve_mention_": "bluesky.resolve_handle",
    "read_parent": "bluesky.get_record",
    "upload_image_": "bluesky.upload_blob",
    "publish": "bluesky.put_record",
    "publish_thread": "bluesky.apply_writes",
}

NEIGHBOUR = "neighbour.test"
NEIGHBOURS_KEY = "3lneighbour22"
NEIGHBOURS_POST = f"https://bsky.app/profile/{NEIGHBOUR}/post/{NEIGHBOURS_KEY}"

FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"  # one grapheme of 18 bytes
NEVER_SENT = "an option nobody knows is never sent"
STUDIOS_OWN = "the limit is Studio's own"


def open_bluesky(sandbox_url: str, *, timeout: float = 10.0) -> AbstractAsyncContextManager[Adapter]:
    return contextlib.aclosing(
        BlueskyAdapter(pds_url=f"{sandbox_url}/bluesky", web_url=sandbox_url, timeout=timeout),
    )


def words(caption: str, of: str = "text", *media: Medium, **options: JsonValue) -> Content:
    return Content(format=of, caption=caption, media=media, options=options)


def photo(files: FileServer, width: int = 1200, height: int = 900, *, kind: str = "JPEG", padding: int = 0) -> Medium:
    return image(files, width, height, kind=kind, alt_text="A cup of coffee", padding=padding)


def good_text(files: FileServer, caption: str) -> Content:
    return words(f"{caption} with @{NEIGHBOUR}, see https://example.org/menu #espresso", langs=["en", "pt-BR"])


def good_thread(files: FileServer, caption: str) -> Content:
    return words(caption, thread=["Second: the beans. ☕", "Third: the mill, by @nobody.example.", "That is all."])


def good_reply(files: FileServer, caption: str) -> Content:
    return words(caption, reply_to=NEIGHBOURS_POST)


def good_images(files: FileServer, caption: str) -> Content:
    return words(caption, "image", photo(files), photo(files, 800, 800, kind="PNG"))


def good_link(files: FileServer, caption: str) -> Content:
    return words(caption, "link", link="https://example.org/menu", title="The menu", description="What there is today")


def accepted_texts(files: FileServer) -> Mapping[str, Content]:
    return {
        "300 letters": words("x" * 300),
        "300 accents": words("e\N{COMBINING ACUTE ACCENT}" * 300),
        "3000 bytes": words(FAMILY * 166 + "xxxxxxxxxxxx"),
        "flags": words("\N{REGIONAL INDICATOR SYMBOL LETTER E}\N{REGIONAL INDICATOR SYMBOL LETTER S}" * 300),
        "no further texts": words("alone", thread=[]),
        "no language": words("no language", langs=[]),
        "an answer to an answer's thread": words(
            "deep", reply_to=f"at://{NEIGHBOUR}/app.bsky.feed.post/{NEIGHBOURS_KEY}"
        ),
    }


def refused_texts(files: FileServer) -> Mapping[str, Refusal]:
    return {
        "301 letters": Refusal(content=words("x" * 301), code="text_too_long"),
        "301 accents": Refusal(content=words("e\N{COMBINING ACUTE ACCENT}" * 301), code="text_too_long"),
        "3001 bytes": Refusal(content=words(FAMILY * 166 + "xxxxxxxxxxxxx"), code="text_too_long"),
        "no text": Refusal(content=words(" "), code="text_missing", not_asked="Bluesky takes a post without words"),
        "four languages": Refusal(content=words("x", langs=["en", "de", "fr", "es"]), code="option_invalid"),
        "no such language": Refusal(content=words("x", langs=["plain english"]), code="option_invalid"),
        "languages as a word": Refusal(
            content=words("x", langs="en"), code="option_invalid", not_asked="it would be sent without"
        ),
        "an answer to nothing": Refusal(
            content=words("x", reply_to="https://example.org"),
            code="option_invalid",
            not_asked="there is nothing to ask",
        ),
        "unknown option": Refusal(content=words("x", first_comment="hi"), code="option_unknown", not_asked=NEVER_SENT),
        "an image": Refusal(
            content=words("x", "text", photo(files)), code="too_many_media", not_asked="it would not be sent"
        ),
        "no such format": Refusal(
            content=words("x", "story"), code="format_unknown", not_asked="there are no steps for it"
        ),
    }


def accepted_threads(files: FileServer) -> Mapping[str, Content]:
    return {
        "the longest": words("1 of 25", thread=[f"{number} of 25" for number in range(2, 26)]),
        "full texts": words("y" * 300, thread=["z" * 300, FAMILY * 100]),
        "under another post": words("on", thread=["and on"], reply_to=NEIGHBOURS_POST),
    }


def refused_threads(files: FileServer) -> Mapping[str, Refusal]:
    return {
        "301 letters later on": Refusal(content=words("x", thread=["y", "z" * 301]), code="text_too_long"),
        "an empty text": Refusal(
            content=words("x", thread=["y", " "]), code="option_invalid", not_asked="Bluesky takes it"
        ),
        "a text alone": Refusal(
            content=words("x", thread="y"), code="option_invalid", not_asked="it would be sent without"
        ),
        "26 texts": Refusal(content=words("x", thread=["y"] * 25), code="option_invalid", not_asked=STUDIOS_OWN),
    }


def accepted_replies(files: FileServer) -> Mapping[str, Content]:
    return {
        "by its record's address": words("hi", reply_to=f"at://{NEIGHBOUR}/app.bsky.feed.post/{NEIGHBOURS_KEY}"),
        "by a page elsewhere": words("ho", reply_to=f"https://example.org/profile/{NEIGHBOUR}/post/{NEIGHBOURS_KEY}/"),
    }


def refused_replies(files: FileServer) -> Mapping[str, Refusal]:
    return {
        "a profile": Refusal(
            content=words("x", reply_to=f"https://bsky.app/profile/{NEIGHBOUR}"),
            code="option_invalid",
            not_asked="there is nothing to ask",
        ),
    }


def accepted_images(files: FileServer) -> Mapping[str, Content]:
    one = photo(files)
    return {
        "no words": words("", "image", one),
        "four": words("four", "image", *[one] * 4),
        "WebP": words("webp", "image", photo(files, kind="WEBP")),
        "narrow": words("narrow", "image", photo(files, 100, 1000)),
        "in a thread": words("first", "image", one, thread=["second"]),
        "2 MB": words("heavy", "image", photo(files, padding=2_000_000 - one.size_bytes)),
    }


def refused_images(files: FileServer) -> Mapping[str, Refusal]:
    one = photo(files)
    return {
        "five": Refusal(content=words("", "image", *[one] * 5), code="too_many_media"),
        "none": Refusal(content=words("x", "image"), code="too_few_media", not_asked="Bluesky takes none"),
        "too heavy": Refusal(
            content=words("", "image", photo(files, padding=2_000_001 - one.size_bytes)), code="too_big"
        ),
        "a film": Refusal(content=words("", "image", video(files)), code="wrong_kind"),
        "301 letters": Refusal(content=words("x" * 301, "image", one), code="text_too_long"),
        "GIF": Refusal(
            content=words("", "image", photo(files, kind="GIF")),
            code="wrong_type",
            not_asked="Bluesky takes it, and shows it without its movement",
        ),
    }


def accepted_links(files: FileServer) -> Mapping[str, Content]:
    return {
        "no words": words("", "link", link="https://example.org/menu"),
        "a query": words("q", "link", link="http://example.org/?a=b&c=%20d#e"),
        "in a thread": words("first", "link", link="https://example.org/", thread=["second"]),
    }


def refused_links(files: FileServer) -> Mapping[str, Refusal]:
    return {
        "no address": Refusal(content=words("", "link", link="our menu"), code="option_invalid"),
        "none": Refusal(content=words("x", "link"), code="option_missing"),
        "another scheme": Refusal(
            content=words("", "link", link="ftp://example.org/"), code="option_invalid", not_asked="Bluesky takes it"
        ),
        "an empty title": Refusal(
            content=words("", "link", link="https://example.org/", title=" "),
            code="option_invalid",
            not_asked="Bluesky takes it",
        ),
        "a long description": Refusal(
            content=words("", "link", link="https://example.org/", description="d" * 1001),
            code="option_invalid",
            not_asked=STUDIOS_OWN,
        ),
        "an image": Refusal(
            content=words("", "link", photo(files), link="https://example.org/"),
            code="too_many_media",
            not_asked="it would not be sent",
        ),
    }


_case = partial(Case, platform="bluesky", login=None, open_adapter=open_bluesky, routes=ROUTES, dead_token=TokenExpired)

CASES = (
    _case(
        name="bluesky-text",
        format="text",
        content=good_text,
        accepted=accepted_texts,
        refused=refused_texts,
        sees_format="text",
    ),
    _case(
        name="bluesky-thread",
        format="text",
        content=good_thread,
        accepted=accepted_threads,
        refused=refused_threads,
        sees_format="text",
    ),
    _case(
        name="bluesky-reply",
        format="text",
        content=good_reply,
        accepted=accepted_replies,
        refused=refused_replies,
        sees_format="text",
    ),
    _case(
        name="bluesky-image",
        format="image",
        content=good_images,
        accepted=accepted_images,
        refused=refused_images,
        sees_format="image",
    ),
    _case(
        name="bluesky-link",
        format="link",
        content=good_link,
        accepted=accepted_links,
        refused=refused_links,
        sees_format="link",
    ),
)
