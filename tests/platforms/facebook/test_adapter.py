"""Facebook's own corners, over real HTTP: uploads that break off, videos that fail, counts, deletion, tokens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from core.jsontypes import JsonObject
from platforms.base import Content, Done
from platforms.errors import AccountBlocked, ContentRefused, MediaUnreachable, PlatformError, ReconnectNeeded, Transient
from platforms.facebook.adapter import FacebookAdapter
from platforms.facebook.steps import COMMENT_MISSING
from platforms.graph_upload import MAX_UPLOAD_TRIES
from tests.platforms.cases.facebook import (
    good_carousel,
    good_image,
    good_link,
    good_photo_story,
    good_reel,
    good_text,
    good_video,
)
from tests.platforms.contract import Walk, new_walk
from tests.platforms.world import FileServer, Sandbox


async def begin(adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer, content: Content) -> Walk:
    credentials = await sandbox.connect("facebook", login="facebook")
    return new_walk(adapter, sandbox, files, content=content, credentials=credentials)


async def refused_with(walk: Walk, expected: type[PlatformError]) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        await walk.finish()
    assert type(caught.value) is expected, caught.value.message
    return caught.value


async def sent(walk: Walk, route: str) -> dict[str, str]:
    """The parameters of the one call on a route."""
    (call,) = await walk.sandbox.calls(walk.publish.credentials, route)
    parameters = call["parameters"]
    assert isinstance(parameters, dict)
    return {str(name): str(value) for name, value in parameters.items()}


# -- what arrives


async def test_a_link_a_title_and_alt_texts_arrive(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    link = await begin(adapter, sandbox, files, good_link(files, "Our menu"))
    await link.finish()
    assert await sent(link, "facebook.create_post") == {"message": "Our menu", "link": "https://example.org/menu"}
    photo = await begin(adapter, sandbox, files, good_image(files, "A cup"))
    await photo.finish()
    assert (await photo.live())[0].alt_texts == ("A cup",)
    reel = await begin(adapter, sandbox, files, good_reel(files, "Pour"))
    await reel.finish()
    finish = await sent(reel, "facebook.finish_reel")
    assert (finish["description"], finish["title"], finish["video_state"]) == ("Pour", "Pouring", "PUBLISHED")


async def test_unpublished_photos_are_never_seen(adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer) -> None:
    walk = await begin(adapter, sandbox, files, good_carousel(files, "Beans and cups"))
    await walk.before("publish")
    assert len(await sandbox.calls(walk.publish.credentials, "facebook.create_photo")) == 2
    assert await walk.live() == []
    done = await walk.finish()
    (post,) = await walk.live()
    assert (post.id, post.alt_texts) == (done.platform_post_id, ("Beans", ""))


# -- uploads


async def test_a_reel_goes_on_at_its_byte_where_a_killed_process_left_it(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_reel(files, "resumed"))
    await walk.before("upload")
    medium = walk.publish.content.media[0]
    content = b"".join([chunk async for chunk in files.read(medium)])
    headers = {
        "Authorization": f"OAuth {walk.publish.credentials.access_token}",
        "offset": "0",
        "file_size": str(medium.size_bytes),
    }
    url = f"{sandbox.url}/meta-upload/video-upload/v26.0/{walk.progress['video_id']}"
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(url, content=content[:70_000], headers=headers)
    done = await walk.finish()
    assert [post.id for post in await walk.live()] == [done.platform_post_id]
    assert [step.sends["offset"] for step in walk.steps if step.name == "upload"] == [0, 70_000]


async def test_an_upload_that_breaks_off_again_and_again_is_begun_anew(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_reel(files, "broken"))
    await sandbox.plant("facebook.upload", "drop_before", times=None, match=walk.publish.credentials.external_id)
    assert (await refused_with(walk, Transient)).start_over
    assert [step.name for step in walk.steps].count("upload") == MAX_UPLOAD_TRIES
    assert [step.delay for step in walk.steps if step.name == "check_upload"] == [2, 4, 8, 16]


# -- videos


async def test_a_video_that_takes_long_is_waited_for(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_video(files, "slow"))
    match = walk.publish.credentials.external_id
    await sandbox.plant("facebook.create_video", "slow_processing", delay_seconds=0.3, match=match)
    step = await walk.before("publish")
    await walk.perform_and_forget(step)
    # On its way counts as done: it is listed among the videos, though not yet among the posts.
    assert await walk.live() == []
    done = await walk.resume(step)
    assert walk.progress["checks"]
    assert [post.id for post in await walk.live()] == [done.platform_post_id]
    assert len(await sandbox.calls(walk.publish.credentials, "facebook.create_video")) == 1


@pytest.mark.parametrize("route", ["facebook.start_reel", "facebook.create_video"])
async def test_a_video_that_cannot_be_processed_says_so(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer, route: str
) -> None:
    content = good_video(files, "fails") if route == "facebook.create_video" else good_reel(files, "fails")
    walk = await begin(adapter, sandbox, files, content)
    await sandbox.plant(route, "processing_error", match=walk.publish.credentials.external_id)
    raised = await refused_with(walk, ContentRefused)
    assert raised.start_over
    assert await walk.live() == []


@pytest.mark.parametrize("make", [good_image, good_carousel, good_video, good_photo_story])
async def test_media_that_cannot_be_fetched_say_so(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer, make: object
) -> None:
    assert callable(make)
    walk = await begin(adapter, sandbox, files, make(files, "lost"))
    for medium in walk.publish.content.media:
        files.remove(medium.asset_id)
    assert "STUDIO_PUBLIC_URL" in (await refused_with(walk, MediaUnreachable)).action


# -- the first comment


async def test_a_comment_that_is_refused_leaves_the_post_live(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_text(files, "No comment"))
    step = await walk.before("first_comment")
    blocked: JsonObject = {"error": {"message": "Slow down", "code": 368}}
    match = walk.publish.credentials.external_id
    await sandbox.plant("facebook.comment", "status", status=400, body=blocked, match=match)
    with pytest.raises(AccountBlocked):
        await walk.perform(step)
    (post,) = await walk.live()
    assert step.otherwise == Done(platform_post_id=post.id, permalink=post.permalink, note=COMMENT_MISSING)


@pytest.mark.parametrize(("breakage", "calls"), [("drop_after", 1), ("drop_before", 2)])
async def test_a_comment_is_written_once(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer, breakage: str, calls: int
) -> None:
    walk = await begin(adapter, sandbox, files, good_text(files, f"Comment {breakage}"))
    step = await walk.before("first_comment")
    await sandbox.plant("facebook.comment", breakage, match=walk.publish.credentials.external_id)
    with pytest.raises(PlatformError):
        await walk.perform(step)
    await walk.resume(step)
    assert (await walk.live())[0].comments == ("Opening hours: 8 to 18",)
    assert len(await sandbox.calls(walk.publish.credentials, "facebook.comment")) == calls
    assert walk.progress["comment_id"]


# -- afterwards


async def test_counts_are_read_and_posts_deleted(adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer) -> None:
    walk = await begin(adapter, sandbox, files, good_text(files, "Count me"))
    post_id = (await walk.finish()).platform_post_id
    assert post_id
    credentials = walk.publish.credentials
    counts = await adapter.read_counts(credentials, [post_id, f"{credentials.external_id}_17900000000000009"])
    assert list(counts) == [post_id]
    assert (counts[post_id].likes, counts[post_id].comments, counts[post_id].shares) == (0, 1, 0)
    assert (counts[post_id].views, counts[post_id].reach) == (None, None)
    await adapter.delete(credentials, post_id)
    assert await walk.live() == []
    await adapter.delete(credentials, post_id)
    assert await adapter.read_counts(credentials, [post_id]) == {}


async def test_without_the_apps_secret_a_person_has_to_connect_again(sandbox: Sandbox) -> None:
    credentials = await sandbox.connect("facebook", login="facebook")
    adapter = FacebookAdapter(facebook_graph_url=f"{sandbox.url}/facebook-graph", upload_url="")
    with pytest.raises(ReconnectNeeded) as caught:
        await adapter.refresh(credentials)
    await adapter.aclose()
    assert "STUDIO_META_APP_SECRET" in caught.value.action


async def test_a_token_past_its_end_is_not_brought_back(adapter: FacebookAdapter, sandbox: Sandbox) -> None:
    credentials = await sandbox.connect("facebook", login="facebook")
    await sandbox.change_token(credentials, expires_at=(datetime.now(UTC) - timedelta(hours=1)).isoformat())
    with pytest.raises(ReconnectNeeded):
        await adapter.refresh(credentials)


async def test_a_page_is_known_by_its_name(adapter: FacebookAdapter, sandbox: Sandbox) -> None:
    credentials = await sandbox.connect("facebook", login="facebook", name="Blue Bottle Café")
    identity = await adapter.identify(replace(credentials, handle="whatever"))
    assert (identity.handle, identity.title) == ("Blue Bottle Café", "Blue Bottle Café")
