"""Putting things live on a Page: posts, links, photos, videos, reels and stories."""

import asyncio
import json
import math
from collections.abc import Mapping
from urllib.parse import urlsplit

from sandbox import media
from sandbox.accounts import Account
from sandbox.facebook.uploads import (
    PLATFORM,
    Upload,
    asked_to_publish,
    became,
    read_upload,
    save_upload,
    waiting_to_go_live,
)
from sandbox.graph_call import GraphCall
from sandbox.graph_errors import GraphError, bad_parameter, no_such_object
from sandbox.media import NotFetched
from sandbox.posts import NewPicture, Post, add_post, keep_asset, list_posts
from sandbox.world import World

# What each call takes, by the name of its route ("start" begins reels and stories).
ACCEPTED: Mapping[str, frozenset[str]] = {
    "create_post": frozenset({"message", "link", "attached_media", "published"}),
    "create_photo": frozenset({"url", "caption", "message", "alt_text_custom", "published", "temporary"}),
    "create_video": frozenset({"file_url", "description", "title", "published"}),
    "finish_reel": frozenset({"upload_phase", "video_id", "video_state", "description", "title"}),
    "finish_story": frozenset({"upload_phase", "video_id"}),
    "photo_story": frozenset({"photo_id"}),
    "start": frozenset({"upload_phase"}),
}

TEXT_UNITS = 63_206
PHOTO_BYTES = 4_000_000
VIDEO_BYTES = 1024 * 1024 * 1024
PHOTO_FORMATS = frozenset({"JPEG", "PNG"})
PHASED = frozenset({"start", "finish"})


def page_of(call: GraphCall, page_id: str) -> Account:
    """The Page of this id, if the caller may act for it."""
    account = call.account(page_id)
    if account.platform != PLATFORM:
        raise no_such_object(page_id, call.method)
    return account


def create_post(call: GraphCall, page_id: str) -> dict[str, object]:
    """POST /{page}/feed: a text, a link, or photos that were handed in before."""
    page = page_of(call, page_id)
    call.only(ACCEPTED["create_post"])
    message, link = _text(call, "message"), call.parameters.get("link", "")
    photos = _attached(call, page)
    if not (message or link or photos):
        raise bad_parameter("The post is empty: it needs a message, a link or attached_media.")
    if link and not _is_address(link):
        raise GraphError("(#1609005) The link could not be scraped.", code=1609005)
    _published_only(call)
    if not photos and call.world.conditions.facebook_refuses_duplicates:
        _refuse_duplicate(call, page, message, link)
    kind = ("CAROUSEL" if len(photos) > 1 else "IMAGE") if photos else ("LINK" if link else "TEXT")
    with call.world.store.transaction():
        post_id = _go_live(call.world, page.external_id, kind, message, photos, {"link": link} if link else {})
    return {"id": post_id}


def _refuse_duplicate(call: GraphCall, page: Account, message: str, link: str) -> None:
    posts = list_posts(call.world.store, platform=PLATFORM, account=page.external_id)
    newest = next((post for post in posts if post.kind != "STORIES"), None)
    if newest is None or newest.kind not in ("TEXT", "LINK"):
        return
    if (newest.caption, newest.details.get("link", "")) == (message, link):
        raise GraphError(
            "(#506) Duplicate status message",
            code=506,
            subcode=1455006,
            title="Duplicate Status Update",
            advice="This status update is identical to the last one you posted.",
        )


def _attached(call: GraphCall, page: Account) -> list[Upload]:
    try:
        given = json.loads(call.parameters.get("attached_media", "[]"))
        ids = [str(item["media_fbid"]) for item in given]
    except (ValueError, TypeError, KeyError):
        raise bad_parameter('Param attached_media must be a list of {"media_fbid": ...}.') from None
    return [waiting_photo(call, page, photo_id) for photo_id in ids]


def waiting_photo(call: GraphCall, page: Account, photo_id: str) -> Upload:
    """A photo that was handed in unpublished and is in no post yet: it can be taken once."""
    photo = read_upload(call.world.store, photo_id)
    if photo is None or photo.kind != "photo" or photo.account != page.external_id:
        raise bad_parameter(f"Object with ID {photo_id} is not a photo of this Page.")
    if photo.post_id is not None:
        raise GraphError("(#100) The photo was posted already.", code=100, subcode=1366051)
    return photo


async def create_photo(call: GraphCall, page_id: str) -> dict[str, object]:
    """POST /{page}/photos: fetched at once; unpublished ones are seen by nobody."""
    page = page_of(call, page_id)
    call.only(ACCEPTED["create_photo"])
    caption = _text(call, "caption") or _text(call, "message")
    published = call.flag("published", default=True)
    content = await _fetched(call, page, call.required("url"), limit_bytes=PHOTO_BYTES, unreachable=324)
    looks = media.look_at_image(content)
    if looks is None or looks.format not in PHOTO_FORMATS:
        raise _unusable_photo()
    store = call.world.store
    with store.transaction():
        photo = Upload(
            id=store.new_node("photo", platform=PLATFORM, account=page.external_id),
            account=page.external_id,
            kind="photo",
            asset_id=keep_asset(store, content, content_type=f"image/{looks.format.lower()}"),
            alt_text=call.parameters.get("alt_text_custom", ""),
            created_at=call.now,
            ready_at=call.now,
        )
        save_upload(store, photo)
        if not published:
            return {"id": photo.id}
        return {"id": photo.id, "post_id": _go_live(call.world, page.external_id, "IMAGE", caption, [photo], {})}


async def create_video(call: GraphCall, page_id: str) -> dict[str, object]:
    """POST /{page}/videos: fetched at once, live when it is processed."""
    page = page_of(call, page_id)
    call.only(ACCEPTED["create_video"])
    _published_only(call)
    description = _text(call, "description")
    content = await _fetched(call, page, call.required("file_url"), limit_bytes=VIDEO_BYTES, unreachable=389)
    if not media.is_iso_media(content):
        raise GraphError("(#352) The video file you selected is in a format that we don't support.", code=352)
    film = _film(call, page, "video")
    asset_id = keep_asset(call.world.store, content, content_type="video/mp4")
    title = call.parameters.get("title", "")
    ready_at = call.now + wait_of(call.world, film)
    save_upload(
        call.world.store,
        Upload(
            **vars(film)
            | {"asset_id": asset_id, "text": description, "title": title, "ready_at": ready_at, "finished_at": call.now}
        ),
    )
    go_live_in_time(call.world, ready_at)
    return {"id": film.id}


def film_edge(call: GraphCall, page_id: str, *, kind: str) -> dict[str, object]:
    """POST /{page}/video_reels and /{page}/video_stories: upload_phase start, then finish."""
    page = page_of(call, page_id)
    phase = call.required("upload_phase")
    if phase not in PHASED:
        raise bad_parameter("Param upload_phase must be one of start, finish.")
    if phase == "start":
        call.only(ACCEPTED["start"])
        film = _film(call, page, kind)
        save_upload(call.world.store, film)
        return {"video_id": film.id, "upload_url": f"{call.base_url}/meta-upload/video-upload/v26.0/{film.id}"}
    return _finish_reel(call, page) if kind == "reel" else _finish_story(call, page)


def _finish_reel(call: GraphCall, page: Account) -> dict[str, object]:
    call.only(ACCEPTED["finish_reel"])
    if call.required("video_state") != "PUBLISHED":
        raise bad_parameter("The sandbox knows video_state=PUBLISHED only.")
    description = _text(call, "description")
    film = _uploaded(call, page, "reel")
    # A second "finish" changes nothing: a film is published once.
    asked_to_publish(call.world.store, film.id, at=call.now, text=description, title=call.parameters.get("title", ""))
    go_live_in_time(call.world, film.ready_at or call.now)
    return {"success": True}


def _finish_story(call: GraphCall, page: Account) -> dict[str, object]:
    call.only(ACCEPTED["finish_story"])
    film = _uploaded(call, page, "story")
    if film.post_id is not None:
        raise bad_parameter("This video is a story already.")
    if film.fails:
        raise GraphError("(#352) The video could not be processed.", code=352)
    with call.world.store.transaction():
        return {"success": True, "post_id": _go_live(call.world, page.external_id, "STORIES", "", [film], {})}


def create_photo_story(call: GraphCall, page_id: str) -> dict[str, object]:
    """POST /{page}/photo_stories."""
    page = page_of(call, page_id)
    call.only(ACCEPTED["photo_story"])
    photo = waiting_photo(call, page, call.required("photo_id"))
    with call.world.store.transaction():
        return {"success": True, "post_id": _go_live(call.world, page.external_id, "STORIES", "", [photo], {})}


def _film(call: GraphCall, page: Account, kind: str) -> Upload:
    fault = call.fault
    return Upload(
        id=call.world.store.new_node("video", platform=PLATFORM, account=page.external_id),
        account=page.external_id,
        kind=kind,
        created_at=call.now,
        processing_seconds=fault.delay_seconds if fault and fault.kind == "slow_processing" else None,
        fails=int(fault is not None and fault.kind == "processing_error"),
    )


def _uploaded(call: GraphCall, page: Account, kind: str) -> Upload:
    film = read_upload(call.world.store, call.required("video_id"))
    if film is None or film.kind != kind or film.account != page.external_id:
        raise no_such_object(call.parameters["video_id"], call.method)
    if film.ready_at is None:
        raise GraphError("(#6000) The upload of this video is not complete.", code=6000, subcode=1363130)
    return film


def wait_of(world: World, film: Upload) -> float:
    """How long its processing takes, in seconds."""
    wait = film.processing_seconds
    return world.conditions.video_processing_seconds if wait is None else wait


def go_live_in_time(world: World, ready_at: float) -> None:
    """Publish what is due: now, and again when the film just handed in is ready."""
    publish_due(world)
    if ready_at > world.now():
        world.later(_publish_later(world, ready_at))


async def _publish_later(world: World, ready_at: float) -> None:
    # A timer may ring a millisecond before the wall clock says so, and then nothing would be due yet.
    await asyncio.sleep(max(0.0, ready_at - world.now()) + 0.005)
    publish_due(world)


def resume_processing(world: World) -> None:
    """After a restart: what was being processed goes live when its time comes."""
    for film in waiting_to_go_live(world.store, math.inf):
        go_live_in_time(world, film.ready_at or 0.0)


def publish_due(world: World) -> None:
    """Put live whatever was asked for and is processed by now."""
    for film in waiting_to_go_live(world.store, world.now()):
        kind = {"video": "VIDEO", "reel": "REELS"}[film.kind]
        with world.store.transaction():
            _go_live(world, film.account, kind, film.text, [film], {"title": film.title} if film.title else {})


def _go_live(
    world: World, account: str, kind: str, caption: str, uploads: list[Upload], details: dict[str, object]
) -> str:
    store = world.store
    post_id = f"{account}_{store.new_node('post', platform=PLATFORM, account=account)}"
    post = Post(
        id=post_id,
        platform=PLATFORM,
        account=account,
        kind=kind,
        caption=caption,
        published_at=world.now(),
        like_count=0,
        pictures=(),
        comments_count=0,
        details=details,
    )
    pictures = []
    for upload in uploads:
        assert upload.asset_id is not None
        pictures.append(NewPicture(node_id=upload.id, asset_id=upload.asset_id, alt_text=upload.alt_text))
        became(store, upload.id, post_id=post_id)
    add_post(store, post, pictures)
    return post_id


def _text(call: GraphCall, name: str) -> str:
    value = call.parameters.get(name, "")
    if len(value.encode("utf-16-le", "surrogatepass")) // 2 > TEXT_UNITS:
        raise bad_parameter(f"Param {name} is longer than {TEXT_UNITS} characters.")
    return value


def _published_only(call: GraphCall) -> None:
    if not call.flag("published", default=True):
        raise bad_parameter("The sandbox keeps no unpublished posts, only unpublished photos.")


def _is_address(link: str) -> bool:
    parts = urlsplit(link)
    return parts.scheme in ("http", "https") and "." in parts.netloc


def _unusable_photo() -> GraphError:
    advice = "Photos should be less than 4 MB and saved as JPG or PNG."
    return GraphError("Invalid parameter", code=100, subcode=1366046, title="Can't Read Files", advice=advice)


async def _fetched(call: GraphCall, page: Account, url: str, *, limit_bytes: int, unreachable: int) -> bytes:
    try:
        return await media.fetch(call.world, url, account=page.external_id, limit_bytes=limit_bytes)
    except NotFetched as error:
        if error.reason == "too_large":
            raise _unusable_photo() from None
        raise GraphError(f"(#{unreachable}) The file could not be fetched from this URL.", code=unreachable) from None
