"""Handing media in and putting them live: POST /media and POST /media_publish."""

import json
from urllib.parse import urlsplit

from sandbox import media
from sandbox.accounts import Account
from sandbox.graph_call import GraphCall
from sandbox.graph_errors import bad_parameter, publishing_error
from sandbox.instagram import rules
from sandbox.instagram.containers import (
    DAY,
    PLATFORM,
    Container,
    cover_of,
    created_since,
    mark_published,
    medium_arrived,
    published_since,
    read_container,
    save_container,
    save_cover,
    status_of,
    waiting_for_download,
)
from sandbox.media import NotFetched
from sandbox.posts import NewPicture, Post, add_post, keep_asset
from sandbox.world import World

FETCH_SUBCODES = {"unreachable": 2207052, "timeout": 2207003, "too_large": 2207004}
# A video is downloaded after the answer: what is wrong with it is told by the container's status.
VIDEO_FETCH_SUBCODES = {"unreachable": 2207077, "timeout": 2207003, "too_large": 2207026}


async def create_container(call: GraphCall, account_id: str, version: str) -> dict[str, object]:
    """POST /{ig}/media: check everything, fetch an image at once, a video afterwards."""
    account = call.account(account_id)
    kind = rules.kind_of(call)
    rules.check_source(call, kind)
    rules.check_words(call)
    rules.check_people(call, kind)
    rules.check_choices(call)
    children = _own_children(call, account) if kind == "CAROUSEL" else ()
    _check_container_quota(call, account)
    cover_url = call.parameters.get("cover_url")
    cover_id = await _fetch_image(call, account, "COVER", cover_url) if cover_url else None
    container = await _received(call, account, kind, children)
    _count_again_and_save(call, account, container, cover_id)
    if container.ready_at is None and not container.is_upload:
        call.world.later(download_video(call.world, container))
    if container.is_upload:
        return {"id": container.id, "uri": f"{call.base_url}/meta-upload/ig-api-upload/{version}/{container.id}"}
    return {"id": container.id}


def _count_again_and_save(call: GraphCall, account: Account, container: Container, cover_id: int | None) -> None:
    with call.world.store.transaction():
        _check_container_quota(call, account)
        save_container(call.world.store, container)
        if cover_id is not None:
            save_cover(call.world.store, container.id, cover_id)


def _check_container_quota(call: GraphCall, account: Account) -> None:
    # Meta documents the limit of 400 containers in 24 hours but not its error: that of the daily limit is taken.
    if created_since(call.world.store, account.external_id, call.now - DAY) >= call.world.conditions.container_quota:
        raise publishing_error(2207042, "Too many containers were created in the last 24 hours.")


def _own_children(call: GraphCall, account: Account) -> tuple[str, ...]:
    children = rules.children_of(call)
    for child_id in children:
        child = read_container(call.world.store, child_id)
        if child is None or child.account != account.external_id:
            raise publishing_error(2207006, f"The carousel item {child_id} does not exist, or is not yours.")
        if not child.is_child:
            raise publishing_error(2207028, f"The container {child_id} was not created with is_carousel_item.")
        state = status_of(call.world.store, child, call.world.now())
        if state.code == "EXPIRED":
            raise publishing_error(2207008, f"The carousel item {child_id} has expired.")
        if state.code == "ERROR":
            raise publishing_error(2207032, f"The carousel item {child_id} failed: {state.text}")
    return children


async def _received(call: GraphCall, account: Account, kind: str, children: tuple[str, ...]) -> Container:
    """The container as it begins: with its image, or waiting for its video."""
    image_url = call.parameters.get("image_url")
    asset_id = await _fetch_image(call, account, kind, image_url) if image_url else None
    processing_seconds, subcode = None, None
    if call.fault is not None and call.fault.kind == "slow_processing":
        processing_seconds = call.fault.delay_seconds
    if call.fault is not None and call.fault.kind == "processing_error":
        subcode = call.fault.subcode or 2207053
    now = call.world.now()
    wait = call.world.conditions.image_processing_seconds if processing_seconds is None else processing_seconds
    ready_at = now + wait if image_url or kind == "CAROUSEL" else None
    for secret in ("access_token", "appsecret_proof"):
        call.parameters.pop(secret, None)
    return Container(
        id=call.world.store.new_node("container", platform=PLATFORM, account=account.external_id),
        account=account.external_id,
        kind=kind,
        parameters=call.parameters,
        children=children,
        created_at=now,
        ready_at=ready_at,
        error_subcode=subcode,
        asset_id=asset_id,
        processing_seconds=processing_seconds,
    )


async def _fetch_image(call: GraphCall, account: Account, kind: str, url: str) -> int:
    if not urlsplit(url).netloc:
        raise publishing_error(2207052, f"The media could not be fetched from this URI: {url}")
    try:
        content = await media.fetch(call.world, url, account=account.external_id, limit_bytes=rules.IMAGE_BYTES)
    except NotFetched as error:
        raise publishing_error(FETCH_SUBCODES[error.reason]) from None
    subcode = rules.image_problem(media.look_at_image(content), kind)
    if subcode is not None:
        raise publishing_error(subcode)
    return keep_asset(call.world.store, content, content_type="image/jpeg")


async def download_video(world: World, container: Container) -> None:
    """Fetch a video in the background; its container stays IN_PROGRESS meanwhile."""
    limit = rules.STORY_VIDEO_BYTES if container.kind == "STORIES" else rules.REEL_BYTES
    url = container.parameters["video_url"]
    try:
        content = await media.fetch(world, url, account=container.account, limit_bytes=limit)
    except NotFetched as error:
        subcode = VIDEO_FETCH_SUBCODES[error.reason]
        medium_arrived(world.store, container.id, ready_at=world.now(), asset_id=None, subcode=subcode)
    else:
        process_video(world, container, content)


def process_video(world: World, container: Container, content: bytes) -> bool:
    """Judge the bytes of a video and begin its processing; False when it will end in ERROR."""
    wait = container.processing_seconds
    if wait is None:
        wait = world.conditions.video_processing_seconds
    good = media.is_iso_media(content)
    medium_arrived(
        world.store,
        container.id,
        ready_at=world.now() + wait if good else world.now(),
        asset_id=keep_asset(world.store, content, content_type="video/mp4") if good else None,
        subcode=container.error_subcode if good else 2207026,
    )
    return good


async def resume_downloads(world: World) -> None:
    """After a restart: fetch again what was being fetched."""
    for container in waiting_for_download(world.store):
        world.later(download_video(world, container))


async def publish(call: GraphCall, account_id: str) -> dict[str, object]:
    """POST /{ig}/media_publish: once per container, and only when it is FINISHED."""
    account = call.account(account_id)
    call.only({"creation_id"})
    container = read_container(call.world.store, call.required("creation_id"))
    if container is None:
        raise publishing_error(2207008)
    if container.account != account.external_id:
        raise publishing_error(2207006)
    if container.is_child:
        raise bad_parameter("A carousel item cannot be published by itself.")
    state = status_of(call.world.store, container, call.now)
    if state.code == "EXPIRED":
        raise publishing_error(2207008)
    if state.code == "PUBLISHED":
        raise publishing_error(2207027, "Media ID is not available: the container was published before.")
    if state.code != "FINISHED":
        raise publishing_error(2207027, f"Media ID is not available: {state.text}")
    if published_since(call.world.store, account_id, call.now - DAY) >= call.world.conditions.publish_quota:
        raise publishing_error(2207042, "You reached the maximum number of posts of the last 24 hours.")
    return {"id": _go_live(call, container)}


def _go_live(call: GraphCall, container: Container) -> str:
    store = call.world.store
    with store.transaction():
        media_id = store.new_node("media", platform=PLATFORM, account=container.account)
        post = Post(
            id=media_id,
            platform=PLATFORM,
            account=container.account,
            kind=container.kind,
            caption=container.parameters.get("caption", ""),
            published_at=call.now,
            like_count=0,
            pictures=(),
            comments_count=0,
            details={
                "share_to_feed": container.parameters.get("share_to_feed", "true").lower() in ("true", "1"),
                "comment_enabled": True,
                "cover": cover_of(store, container.id),
                "collaborators": json.loads(container.parameters.get("collaborators") or "[]"),
            },
        )
        add_post(store, post, _pictures(call.world, container, media_id))
        mark_published(store, container, media_id=media_id, at=call.now)
    return media_id


def _pictures(world: World, container: Container, media_id: str) -> list[NewPicture]:
    if container.kind != "CAROUSEL":
        assert container.asset_id is not None
        alt_text = container.parameters.get("alt_text", "")
        return [NewPicture(node_id=media_id, asset_id=container.asset_id, alt_text=alt_text)]
    pictures = []
    for child_id in container.children:
        child = read_container(world.store, child_id)
        assert child is not None
        assert child.asset_id is not None
        node_id = world.store.new_node("carousel_child", platform=PLATFORM, account=container.account)
        alt_text = child.parameters.get("alt_text", "")
        pictures.append(NewPicture(node_id=node_id, asset_id=child.asset_id, alt_text=alt_text))
    return pictures
