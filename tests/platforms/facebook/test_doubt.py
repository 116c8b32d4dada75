"""Did it happen? Facebook's ambiguous answers, deeds that come late and duplicates, over real HTTP."""

import pytest

from core.jsontypes import JsonObject
from platforms.base import Content
from platforms.errors import OutcomeUnknown
from platforms.facebook.adapter import FacebookAdapter
from tests.platforms.cases.facebook import (
    good_carousel,
    good_image,
    good_photo_story,
    good_reel,
    good_text,
    good_video,
    words,
)
from tests.platforms.contract import Walk, new_walk
from tests.platforms.pictures import image
from tests.platforms.world import FileServer, Sandbox


async def begin(adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer, content: Content) -> Walk:
    credentials = await sandbox.connect("facebook", login="facebook")
    return new_walk(adapter, sandbox, files, content=content, credentials=credentials)


async def test_a_duplicate_may_be_our_own_post(adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer) -> None:
    walk = await begin(adapter, sandbox, files, good_text(files, "Twice"))
    step = await walk.before("publish")
    await walk.perform_and_forget(step)
    with pytest.raises(OutcomeUnknown) as caught:
        await walk.perform(step)
    assert caught.value.platform_code == "506/1455006"
    done = await walk.resume(step)
    assert [post.id for post in await walk.live()] == [done.platform_post_id]


@pytest.mark.parametrize(
    ("make", "route"),
    [
        (good_image, "facebook.create_photo"),
        (good_carousel, "facebook.create_post"),
        (good_video, "facebook.create_video"),
    ],
)
async def test_an_answer_dropped_after_the_deed_is_found_by_looking(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer, make: object, route: str
) -> None:
    assert callable(make)
    walk = await begin(adapter, sandbox, files, make(files, "dropped"))
    step = await walk.before("publish")
    await sandbox.plant(route, "drop_after", match=walk.publish.credentials.external_id)
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    finding = await adapter.find(walk.publish)
    assert finding.outcome == "posted"
    assert finding.evidence["matched_by"] == ("photos" if make is good_carousel else "words")
    done = await walk.resume(step)
    assert [post.id for post in await walk.live()] == [done.platform_post_id]


async def test_a_carousel_is_told_by_its_photos_from_one_with_the_same_words(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    first = await begin(adapter, sandbox, files, good_carousel(files, "Same words"))
    theirs = await first.finish()
    credentials = first.publish.credentials
    second = new_walk(adapter, sandbox, files, content=first.publish.content, credentials=credentials)
    step = await second.before("publish")
    assert (await adapter.find(second.publish)).outcome == "not_posted"
    await second.perform_and_forget(step)
    ours = await second.resume(step)
    assert ours.platform_post_id != theirs.platform_post_id


async def test_a_late_deed_refuses_its_own_repeat(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_carousel(files, "late"))
    step = await walk.before("publish")
    match = walk.publish.credentials.external_id
    await sandbox.plant("facebook.create_post", "drop_late", delay_seconds=0.3, match=match)
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    assert (await adapter.find(walk.publish)).outcome == "not_posted"  # so far: hence the settle time
    while not await walk.live():
        await adapter.find(walk.publish)
    # The photos are used up: Facebook says so, and that is a reason to look, not an end.
    with pytest.raises(OutcomeUnknown) as caught:
        await walk.perform(step)
    assert caught.value.platform_code == "100/1366051"
    done = await walk.resume(step)
    assert [post.id for post in await walk.live()] == [done.platform_post_id]


async def test_several_photos_without_words_are_not_told_apart(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, words("", "image", image(files)))
    step = await walk.before("publish")
    for _ in range(2):
        await walk.perform_and_forget(step)
    finding = await adapter.find(walk.publish)
    assert (finding.outcome, finding.evidence["equal_candidates"]) == ("unknown", 2)


async def test_a_reel_that_is_still_processed_counts_as_sent(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_reel(files, "slow"))
    match = walk.publish.credentials.external_id
    await sandbox.plant("facebook.start_reel", "slow_processing", delay_seconds=0.4, match=match)
    step = await walk.before("publish")
    assert (await adapter.find(walk.publish)).outcome == "not_posted"
    await walk.perform_and_forget(step)
    finding = await adapter.find(walk.publish)
    assert (finding.outcome, finding.progress) == ("posted", {"finished": True})
    assert await walk.live() == []
    done = await walk.resume(step)
    assert [post.id for post in await walk.live()] == [done.platform_post_id]
    assert len(await sandbox.calls(walk.publish.credentials, "facebook.finish_reel")) == 1


async def test_a_reel_that_cannot_be_read_is_unknown(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_reel(files, "hidden"))
    walk.doubt(await walk.before("publish"))
    gone: JsonObject = {"error": {"message": "Object does not exist", "code": 100, "error_subcode": 33}}
    match = walk.publish.credentials.external_id
    await sandbox.plant("facebook.get_video", "status", status=400, body=gone, match=match)
    finding = await adapter.find(walk.publish)
    assert (finding.outcome, finding.evidence["code"]) == ("unknown", "100/33")


async def test_nobody_can_tell_what_became_of_a_story(
    adapter: FacebookAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_photo_story(files, ""))
    step = await walk.before("publish")
    assert (await adapter.find(walk.publish)).outcome == "not_posted"
    await sandbox.plant("facebook.photo_story", "drop_after", match=walk.publish.credentials.external_id)
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    finding = await adapter.find(walk.publish)
    assert finding.outcome == "unknown"
    assert "person" in str(finding.evidence["reason"])
    # Should a person decide to send it again, a photo that is a story already is not taken twice.
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    assert len(await walk.live()) == 1
