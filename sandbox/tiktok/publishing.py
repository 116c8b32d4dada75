"""Announcing a post, processing what arrived, going live, and telling how it stands."""

import asyncio
import secrets
from dataclasses import replace

from sandbox import media
from sandbox.media import NotFetched
from sandbox.posts import NewPicture, Post, add_post, keep_asset
from sandbox.tiktok import rules
from sandbox.tiktok.calls import TikTokCall
from sandbox.tiktok.errors import TikTokError, invalid_param
from sandbox.tiktok.publications import PLATFORM, Publication, inbox, read, save, unfinished
from sandbox.world import World

UPLOAD_LIFE_SECONDS = 3_600


async def init_video(call: TikTokCall) -> dict[str, object]:
    """POST /v2/post/publish/video/init/: a video that goes live by itself."""
    call.only("post_info", "source_info")
    info = rules.check_video_info(call, rules.check_may_post(call))
    return _begin_video(call, direct=True, info=info)


async def init_inbox(call: TikTokCall) -> dict[str, object]:
    """POST /v2/post/publish/inbox/video/init/: a draft; takes no post_info."""
    call.only("source_info")
    rules.check_may_draft(call)
    return _begin_video(call, direct=False, info={})


def _begin_video(call: TikTokCall, *, direct: bool, info: dict[str, object]) -> dict[str, object]:
    source = call.part("source_info")
    if source.get("source") == "PULL_FROM_URL":
        link = source.get("video_url")
        publication = _new(call, "VIDEO", direct=direct, info=info, links=_links(call, [link]))
        return _pulled(call, publication)
    if source.get("source") != "FILE_UPLOAD":
        raise invalid_param("source_info.source must be FILE_UPLOAD or PULL_FROM_URL.")
    size, chunk_size, count = rules.check_chunks(source)
    publication = replace(
        _new(call, "VIDEO", direct=direct, info=info, links=()),
        size=size,
        chunk_size=chunk_size,
        chunk_count=count,
        upload_id=str(secrets.randbelow(10**18)),
        upload_token=secrets.token_urlsafe(24),
        status="PROCESSING_UPLOAD",
    )
    save(call.world.store, publication)
    query = f"upload_id={publication.upload_id}&upload_token={publication.upload_token}"
    return {"publish_id": publication.id, "upload_url": f"{call.base_url}/tiktok-upload/video/?{query}"}


async def init_content(call: TikTokCall) -> dict[str, object]:
    """POST /v2/post/publish/content/init/: photos, fetched from the caller's links."""
    call.only("media_type", "post_mode", "post_info", "source_info", "is_aigc")
    if call.text("media_type") != "PHOTO":
        raise invalid_param("media_type must be PHOTO.")
    mode = call.text("post_mode")
    if mode not in ("DIRECT_POST", "MEDIA_UPLOAD"):
        raise invalid_param("post_mode must be DIRECT_POST or MEDIA_UPLOAD.")
    direct = mode == "DIRECT_POST"
    if not direct:
        rules.check_may_draft(call)
    info = rules.check_photo_info(call, rules.check_may_post(call) if direct else None)
    source = call.part("source_info")
    images, cover = source.get("photo_images"), source.get("photo_cover_index", 0)
    if source.get("source") != "PULL_FROM_URL" or not isinstance(images, list):
        raise invalid_param("source_info needs PULL_FROM_URL and photo_images.")
    if not 1 <= len(images) <= rules.MAX_PHOTOS or not isinstance(cover, int) or not 0 <= cover < len(images):
        raise invalid_param(f"1 to {rules.MAX_PHOTOS} photo_images, and a photo_cover_index among them.")
    return _pulled(call, _new(call, "PHOTO", direct=direct, info=info, links=_links(call, images)))


def _links(call: TikTokCall, given: list[object]) -> tuple[str, ...]:
    links = tuple(link for link in given if isinstance(link, str) and link.startswith(("http://", "https://")))
    if len(links) != len(given):
        raise invalid_param("Every link must be an address.")
    verified = call.world.conditions.tiktok_verified_prefixes
    if verified is not None and not all(link.startswith(verified) for link in links):
        raise TikTokError("url_ownership_unverified", "The ownership of the URL is not verified.")
    return links


def _new(call: TikTokCall, kind: str, *, direct: bool, info: dict[str, object], links: tuple[str, ...]) -> Publication:
    mode = ("p_pub" if direct else "p_inbox") if kind == "PHOTO" else ("v_pub" if direct else "v_inbox")
    fault = call.fault
    return Publication(
        id=f"{mode}_{'url~v2' if links else 'file~v2-1'}.{secrets.randbelow(10**18)}",
        account=call.account.external_id,
        kind=kind,
        direct=direct,
        post_info=info,
        links=links,
        created_at=call.now,
        processing_seconds=fault.delay_seconds if fault is not None and fault.kind == "slow_processing" else None,
        planted_failure="internal" if fault is not None and fault.kind == "processing_error" else None,
        status="PROCESSING_DOWNLOAD",
    )


def _pulled(call: TikTokCall, publication: Publication) -> dict[str, object]:
    save(call.world.store, publication)
    call.world.later(_download(call.world, publication))
    return {"publish_id": publication.id}


async def resume(world: World) -> None:
    """After a restart: go on with what was being fetched or processed."""
    for publication in unfinished(world.store):
        missing = bool(publication.links) and publication.live_at is None
        world.later(_download(world, publication) if missing else _after_processing(world, publication))


async def _download(world: World, publication: Publication) -> None:
    limit = rules.MAX_PHOTO_BYTES if publication.kind == "PHOTO" else 300_000_000
    asset_ids = []
    for link in publication.links:
        try:
            content = await media.fetch(world, link, account=publication.account, limit_bytes=limit, redirects=False)
        except NotFetched as error:
            pull = "photo_pull_failed" if publication.kind == "PHOTO" else "video_pull_failed"
            fail(world, publication, "picture_size_check_failed" if error.reason == "too_large" else pull)
            return
        problem = rules.photo_problem(content) if publication.kind == "PHOTO" else video_problem(content)
        if problem is not None:
            fail(world, publication, problem)
            return
        asset_ids.append(keep_asset(world.store, content, content_type=_type_of(publication, content)))
    await arrived(world, replace(publication, asset_ids=tuple(asset_ids)))


def video_problem(beginning: bytes) -> str | None:
    """Why TikTok fails this video, None when it looks like one."""
    return None if rules.is_video(beginning) else "file_format_check_failed"


def _type_of(publication: Publication, content: bytes) -> str:
    if publication.kind == "VIDEO":
        return "video/webm" if content.startswith(rules.WEBM) else "video/mp4"
    return "image/webp" if content[8:12] == b"WEBP" else "image/jpeg"


async def arrived(world: World, publication: Publication) -> None:
    """Everything is there: process it for as long as the world takes."""
    wait = publication.processing_seconds
    if wait is None:
        conditions = world.conditions
        is_video = publication.kind == "VIDEO"
        wait = conditions.video_processing_seconds if is_video else conditions.image_processing_seconds
    publication = replace(publication, status="PROCESSING_DOWNLOAD", live_at=world.now() + wait)
    save(world.store, publication)
    if wait <= 0:
        _go_live(world, publication)
    else:
        world.later(_after_processing(world, publication))


async def _after_processing(world: World, publication: Publication) -> None:
    await asyncio.sleep(max(0.0, (publication.live_at or 0.0) - world.now()))
    now = read(world.store, publication.id)
    if now is not None and now.status == "PROCESSING_DOWNLOAD":
        _go_live(world, now)


def fail(world: World, publication: Publication, reason: str) -> None:
    """Give a publication up, unless it has failed before."""
    now = read(world.store, publication.id)
    if now is not None and now.status != "FAILED":
        save(world.store, replace(now, status="FAILED", fail_reason=reason))


def _go_live(world: World, publication: Publication) -> None:
    if publication.planted_failure is not None:
        fail(world, publication, publication.planted_failure)
        return
    if not publication.direct:
        save(world.store, replace(publication, status="SEND_TO_USER_INBOX"))
        return
    store, info = world.store, publication.post_info
    words = info.get("title" if publication.kind == "VIDEO" else "description", "")
    with store.transaction():
        post_id = store.new_node("tiktok_post", platform=PLATFORM, account=publication.account)
        post = Post(
            id=post_id,
            platform=PLATFORM,
            account=publication.account,
            kind=publication.kind,
            caption=str(words),
            published_at=world.now(),
            like_count=0,
            pictures=(),
            comments_count=0,
            details={**info, "sha256": publication.sha256, "size": publication.size},
        )
        add_post(store, post, [NewPicture(node_id=post_id, asset_id=asset_id) for asset_id in publication.asset_ids])
        save(store, replace(publication, status="PUBLISH_COMPLETE", post_id=post_id))


def own(call: TikTokCall) -> Publication:
    """The publication the call asks about, which has to be the caller's."""
    call.only("publish_id")
    publication = read(call.world.store, call.text("publish_id"))
    if publication is None:
        raise TikTokError("invalid_publish_id", "The publish_id does not exist.")
    if publication.account != call.account.external_id:
        message = "The token is not authorized for this publish_id."
        raise TikTokError("token_not_authorized_for_specified_publish_id", message)
    return publication


async def status(call: TikTokCall) -> dict[str, object]:
    """POST /v2/post/publish/status/fetch/."""
    publication = own(call)
    visible_from = (publication.live_at or 0.0) + call.world.conditions.tiktok_moderation_seconds
    is_public = publication.post_info.get("privacy_level") == "PUBLIC_TO_EVERYONE" and visible_from <= call.now
    data: dict[str, object] = {
        "status": publication.status,
        "publicaly_available_post_id": [int(publication.post_id)] if publication.post_id and is_public else [],
    }
    if publication.fail_reason is not None:
        data["fail_reason"] = publication.fail_reason
    if publication.upload_id is not None:
        data["uploaded_bytes"] = publication.received
    return data


async def cancel(call: TikTokCall) -> dict[str, object]:
    """POST /v2/post/publish/cancel/: only while nothing is live."""
    publication = own(call)
    if not publication.status.startswith("PROCESSING"):
        raise TikTokError("publish_not_cancellable", "The publish can no longer be cancelled.")
    fail(call.world, publication, "publish_cancelled")
    return {}


def drafts(world: World, account: str) -> list[dict[str, object]]:
    """What waits in the account's inbox, for people and tests to look at."""
    return [
        {
            "publish_id": draft.id,
            "kind": draft.kind.lower(),
            "post_info": draft.post_info,
            "media": len(draft.asset_ids),
            "sha256": draft.sha256,
        }
        for draft in inbox(world.store, account)
    ]
