"""Did it happen? Instagram's ambiguous answers to a publish, late deeds and unreadable containers, over real HTTP."""

import pytest

from core.jsontypes import JsonObject
from platforms.base import Content
from platforms.errors import (
    OutcomeUnknown,
    ReconnectNeeded,
    Transient,
)
from platforms.instagram.adapter import InstagramAdapter
from tests.platforms.cases.instagram import good_image, open_instagram
from tests.platforms.contract import Walk, new_walk
from tests.platforms.world import FileServer, Sandbox


async def begin(adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer, content: Content) -> Walk:
    credentials = await sandbox.connect("instagram", login="facebook")
    return new_walk(adapter, sandbox, files, content=content, credentials=credentials)


async def test_a_container_is_published_once_only(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_image(files, "twice"))
    step = await walk.before("publish")
    await walk.perform_and_forget(step)
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    done = await walk.resume(step)
    assert [post.id for post in await walk.live()] == [done.platform_post_id]
    assert done.platform_post_id != walk.progress["container_id"]


async def test_a_late_deed_is_found_when_the_repeat_is_refused(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_image(files, "late deed"))
    step = await walk.before("publish")
    match = walk.publish.credentials.external_id
    await sandbox.plant("instagram.media_publish", "drop_late", delay_seconds=0.4, match=match)
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    assert (await adapter.find(walk.publish)).outcome == "not_posted"  # so far: hence the settle time
    while not await walk.live():
        assert (await adapter.find(walk.publish)).outcome != "posted" or await walk.live()
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    done = await walk.resume(step)
    assert [post.id for post in await walk.live()] == [done.platform_post_id]


@pytest.mark.parametrize(
    "error",
    [
        {"message": "Server error", "code": -1, "error_subcode": 2207001},
        {"message": "Container missing", "code": 24, "error_subcode": 2207008},
        {"message": "Not found", "code": 100, "error_subcode": 33},
    ],
)
@pytest.mark.parametrize("kind", ["status", "status_after"])
async def test_some_refusals_of_publish_are_not_believed(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer, error: JsonObject, kind: str
) -> None:
    walk = await begin(adapter, sandbox, files, good_image(files, "doubt"))
    step = await walk.before("publish")
    match = walk.publish.credentials.external_id
    await sandbox.plant("instagram.media_publish", kind, status=400, body={"error": error}, match=match)
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    finding = await adapter.find(walk.publish)
    assert finding.outcome == ("posted" if kind == "status_after" else "not_posted")
    await walk.resume(step)
    assert len(await walk.live()) == 1


async def test_an_error_with_http_200_is_an_error(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_image(files, "200"))
    step = await walk.before("publish")
    match = walk.publish.credentials.external_id
    body: JsonObject = {"error": {"message": "An unknown error occurred", "code": 1}}
    await sandbox.plant("instagram.media_publish", "status_after", status=200, body=body, match=match)
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    await walk.resume(step)
    assert len(await walk.live()) == 1


async def test_the_containers_id_is_never_taken_for_the_posts(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_image(files, "which id"))
    step = await walk.before("publish")
    match = walk.publish.credentials.external_id
    body: JsonObject = {"id": walk.progress["container_id"]}
    await sandbox.plant("instagram.media_publish", "status_after", status=200, body=body, match=match)
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    done = await walk.resume(step)
    assert done.platform_post_id != walk.progress["container_id"]


async def test_an_unreadable_container_says_nothing(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_image(files, "unreadable"))
    walk.keep({"container_id": "17900000000000001"})
    finding = await adapter.find(walk.publish)
    assert (finding.outcome, finding.start_over) == ("unknown", False)
    assert "cannot be read" in str(finding.evidence["reason"])


async def test_a_published_container_whose_post_is_not_listed_yet_is_unknown(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_image(files, "not listed"))
    await walk.perform_and_forget(await walk.before("publish"))
    match = walk.publish.credentials.external_id
    await sandbox.plant("instagram.list_media", "status", status=200, body={"data": []}, match=match)
    finding = await adapter.find(walk.publish)
    assert (finding.outcome, finding.evidence["status_code"]) == ("unknown", "PUBLISHED")
    assert (await adapter.find(walk.publish)).outcome == "posted"


async def test_find_raises_when_nobody_can_be_asked(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_image(files, "ask"))
    await walk.before("publish")
    async with open_instagram("http://127.0.0.1:1") as lost:
        with pytest.raises(Transient):
            await lost.find(walk.publish)
    await sandbox.change_token(walk.publish.credentials, revoked_subcode=460)
    with pytest.raises(ReconnectNeeded):
        await adapter.find(walk.publish)


async def test_find_turns_the_pages_of_a_busy_account(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_image(files, "the first of many"))
    await walk.perform_and_forget(await walk.before("publish"))
    image = walk.publish.content.media[0]
    for number in range(26):
        content = Content(format="image", caption=f"later {number}", media=(image,))
        later = new_walk(adapter, sandbox, files, content=content, credentials=walk.publish.credentials)
        await later.perform_and_forget(await later.before("publish"))
    assert (await adapter.find(walk.publish)).outcome == "posted"
    assert len(await sandbox.calls(walk.publish.credentials, "instagram.list_media")) == 2


async def test_a_live_post_whose_address_is_refused_is_still_live(
    adapter: InstagramAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_image(files, "no address"))
    match = walk.publish.credentials.external_id
    body: JsonObject = {"error": {"message": "Unsupported get request", "code": 100, "error_subcode": 33}}
    await sandbox.plant("instagram.get_media", "status", times=None, status=400, body=body, match=match)
    done = await walk.finish()
    assert (done.platform_post_id, done.permalink) == ((await walk.live())[0].id, None)
    assert done.note
