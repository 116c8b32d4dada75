"""Instagram's own corners, over real HTTP: uploads that break off, containers that die, tokens."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from platforms.base import Content, Step
from platforms.errors import (
    ContentRefused,
    MediaUnreachable,
    OutcomeUnknown,
    PlatformError,
    ReconnectNeeded,
    Transient,
)
from platforms.graph_upload import MAX_UPLOAD_TRIES
from platforms.instagram.adapter import InstagramAdapter
from tests.platforms.cases.instagram import good_carousel, good_image, good_reel
from tests.platforms.contract import Walk, new_walk
from tests.platforms.world import FileServer, Sandbox

LOGINS = pytest.mark.parametrize("login", ["facebook", "instagram"])


async def begin(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer, content: Content, *, login: str = "facebook"
) -> Walk:
    credentials = await sandbox.connect("instagram", login=login)
    return new_walk(adapter, sandbox, files, content=content, credentials=credentials)


async def refused_with(walk: Walk, expected: type[PlatformError]) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        await walk.finish()
    assert type(caught.value) is expected, caught.value.message
    return caught.value


# -- what arrives


async def test_alt_texts_arrive(adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer) -> None:
    for content, expected in (
        (good_image(files, "one"), ("A cup of espresso",)),
        (good_carousel(files, "two"), ("Beans", "")),
    ):
        walk = await begin(adapter, sandbox, files, content)
        await walk.finish()
        assert (await walk.live())[0].alt_texts == expected


@LOGINS
async def test_a_reels_options_arrive(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer, login: str
) -> None:
    walk = await begin(adapter, sandbox, files, good_reel(files, "reel"), login=login)
    await walk.finish()
    (call,) = await sandbox.calls(walk.publish.credentials, "instagram.create_container")
    parameters = call["parameters"]
    assert isinstance(parameters, dict)
    assert (parameters["share_to_feed"], parameters["thumb_offset"]) == ("false", "1500")
    # Only Facebook Login takes uploads: the other fetches the video from our public link.
    assert ("upload_type" in parameters, "video_url" in parameters) == (login == "facebook", login == "instagram")


# -- uploads


async def send_part(walk: Walk, files: FileServer, *, size_bytes: int) -> None:
    """Upload the beginning of the video by hand, as a process did that was killed."""
    medium = walk.publish.content.media[0]
    content = b"".join([chunk async for chunk in files.read(medium)])
    url = f"{walk.sandbox.url}/meta-upload/ig-api-upload/v26.0/{walk.progress['container_id']}"
    headers = {
        "Authorization": f"OAuth {walk.publish.credentials.access_token}",
        "offset": "0",
        "file_size": str(medium.size_bytes),
    }
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(url, content=content[:size_bytes], headers=headers)
    assert answer.json()["debug_info"]["type"] == "PartialRequestError"


async def test_an_upload_goes_on_where_a_killed_process_left_it(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_reel(files, "resumed"))
    await walk.before("upload")
    await send_part(walk, files, size_bytes=70_000)
    done = await walk.finish()
    assert [post.id for post in await walk.live()] == [done.platform_post_id]
    assert [step.sends["offset"] for step in walk.steps if step.name == "upload"] == [0, 70_000]


async def test_an_upload_that_breaks_off_again_and_again_is_begun_anew(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_reel(files, "broken"))
    match = walk.publish.credentials.external_id
    await sandbox.plant("instagram.upload", "drop_before", times=None, match=match)
    raised = await refused_with(walk, Transient)
    assert raised.start_over
    assert [step.name for step in walk.steps].count("upload") == MAX_UPLOAD_TRIES
    assert [step.delay for step in walk.steps if step.name == "check_upload"] == [2, 4, 8, 16]


# -- containers


@LOGINS
@pytest.mark.parametrize(("subcode", "expected"), [(2207026, ContentRefused), (2207053, Transient)])
async def test_a_container_that_fails_is_never_published(
    adapter: InstagramAdapter,
    sandbox: Sandbox,
    files: FileServer,
    login: str,
    subcode: int,
    expected: type[PlatformError],
) -> None:
    walk = await begin(adapter, sandbox, files, good_reel(files, "fails"), login=login)
    match = walk.publish.credentials.external_id
    await sandbox.plant("instagram.create_container", "processing_error", subcode=subcode, match=match)
    raised = await refused_with(walk, expected)
    assert (raised.start_over, raised.platform_code) == (True, str(subcode))
    finding = await adapter.find(walk.publish)
    assert (finding.outcome, finding.start_over) == ("not_posted", True)
    assert await sandbox.calls(walk.publish.credentials, "instagram.media_publish") == []


async def test_an_image_that_takes_long_is_waited_for(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_image(files, "slow"))
    match = walk.publish.credentials.external_id
    await sandbox.plant("instagram.create_container", "slow_processing", delay_seconds=0.3, match=match)
    step = await walk.before("check_container")
    assert (await adapter.find(walk.publish)).outcome == "not_posted"
    assert step.delay == 0
    await walk.finish()
    assert walk.progress["checks"]
    assert len(await sandbox.calls(walk.publish.credentials, "instagram.media_publish")) == 1


async def test_an_expired_container_is_replaced(adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer) -> None:
    walk = await begin(adapter, sandbox, files, good_image(files, "late"))
    await walk.before("check_container")
    path = f"/_sandbox/instagram/containers/{walk.progress['container_id']}/age"
    (await sandbox.control.post(path, json={"seconds": 90_000})).raise_for_status()
    assert (await refused_with(walk, Transient)).start_over
    finding = await adapter.find(walk.publish)
    assert (finding.outcome, finding.start_over) == ("not_posted", True)
    # Publishing it all the same is answered like a container that nobody knows: we look, and find the truth.
    with pytest.raises(OutcomeUnknown):
        await adapter.perform(Step(name="publish", sends={}, irreversible=True), walk.publish)


@pytest.mark.parametrize("content", [good_image, good_carousel])
async def test_an_image_that_cannot_be_fetched_says_so(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer, content: Callable[[FileServer, str], Content]
) -> None:
    walk = await begin(adapter, sandbox, files, content(files, "lost"))
    for medium in walk.publish.content.media:
        files.remove(medium.asset_id)
    raised = await refused_with(walk, MediaUnreachable)
    assert "STUDIO_PUBLIC_URL" in raised.action


async def test_a_reel_that_cannot_be_fetched_says_so(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_reel(files, "lost"), login="instagram")
    files.remove(walk.publish.content.media[0].asset_id)
    assert (await refused_with(walk, MediaUnreachable)).start_over


# -- tokens


async def test_without_the_apps_secret_a_person_has_to_connect_again(sandbox: Sandbox) -> None:
    credentials = await sandbox.connect("instagram", login="facebook")
    adapter = InstagramAdapter(
        facebook_graph_url=f"{sandbox.url}/facebook-graph", instagram_graph_url="", upload_url=""
    )
    with pytest.raises(ReconnectNeeded) as caught:
        await adapter.refresh(credentials)
    await adapter.aclose()
    assert "STUDIO_META_APP_SECRET" in caught.value.action


@LOGINS
async def test_a_token_past_its_end_is_not_brought_back(
    adapter: InstagramAdapter, sandbox: Sandbox, login: str
) -> None:
    credentials = await sandbox.connect("instagram", login=login)
    await sandbox.change_token(credentials, expires_at=(datetime.now(UTC) - timedelta(hours=1)).isoformat())
    with pytest.raises(ReconnectNeeded):
        await adapter.refresh(credentials)


async def test_no_login_named_means_facebook(adapter: InstagramAdapter, sandbox: Sandbox) -> None:
    credentials = await sandbox.connect("instagram", login="facebook")
    identity = await adapter.identify(replace(credentials, login=None))
    assert identity.external_id == credentials.external_id
