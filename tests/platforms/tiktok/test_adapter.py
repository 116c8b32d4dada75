"""TikTok's own corners, over real HTTP: creators, audiences, drafts, moderation, tokens, counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.jsontypes import JsonValue
from platforms.base import Content, Counts, RepeatSafety, Step
from platforms.errors import (
    AccountBlocked,
    ContentRefused,
    MediaUnreachable,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReconnectNeeded,
    Refused,
)
from platforms.tiktok.adapter import TikTokAdapter
from platforms.tiktok.steps import MAX_CHECKS, MAX_PUBLIC_CHECKS
from tests.platforms.cases.tiktok import good_draft, good_photo, good_video, open_tiktok, photo, words
from tests.platforms.contract import Walk, new_walk
from tests.platforms.pictures import video
from tests.platforms.world import FileServer, Sandbox


async def begin(adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer, content: Content) -> Walk:
    credentials = await sandbox.connect("tiktok")
    return new_walk(adapter, sandbox, files, content=content, credentials=credentials)


async def set_creator(walk: Walk, **settings: JsonValue) -> None:
    await walk.sandbox.tell("tiktok/creators", external_id=walk.publish.credentials.external_id, **settings)


async def refused_with(walk: Walk, expected: type[PlatformError]) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        await walk.finish()
    assert type(caught.value) is expected, caught.value.message
    return caught.value


async def announced(walk: Walk, route: str) -> str:
    (call,) = await walk.sandbox.calls(walk.publish.credentials, route)
    parameters = call["parameters"]
    assert isinstance(parameters, dict)
    return str(parameters.get("post_info"))


# -- what the creator may do


async def test_a_public_account_posts_to_everyone_unless_told_otherwise(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_video(files, "hello"))
    done = await walk.finish()
    info = await announced(walk, "tiktok.init_video")
    assert '"privacy_level": "PUBLIC_TO_EVERYONE"' in info
    assert '"video_cover_timestamp_ms": 1500' in info
    assert '"disable_duet": true' in info
    assert '"is_aigc": true' in info
    handle = walk.publish.credentials.handle
    assert done.permalink == f"{sandbox.url}/@{handle}/video/{done.platform_post_id}"
    assert handle in (await sandbox.control.get(done.permalink or "")).text


async def test_the_accounts_own_setting_comes_before_the_widest_audience(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_video(files, "friends"))
    mine = replace(walk.publish.credentials, metadata={"privacy_level": "MUTUAL_FOLLOW_FRIENDS"})
    walk.publish = replace(walk.publish, credentials=mine)
    done = await walk.finish()
    assert '"privacy_level": "MUTUAL_FOLLOW_FRIENDS"' in await announced(walk, "tiktok.init_video")
    assert (done.platform_post_id, done.permalink) == (None, None)
    assert "public posts alone" in (done.note or "")


async def test_a_private_account_has_followers(adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer) -> None:
    walk = await begin(adapter, sandbox, files, good_photo(files, "private"))
    await set_creator(walk, private=True)
    done = await walk.finish()
    assert '"privacy_level": "FOLLOWER_OF_CREATOR"' in await announced(walk, "tiktok.init_content")
    assert done.platform_post_id is None
    assert len(await walk.live()) == 1


@pytest.mark.parametrize(
    ("settings", "options", "words_of_refusal"),
    [
        ({"private": True}, {"privacy_level": "PUBLIC_TO_EVERYONE"}, "does not offer privacy_level"),
        ({"max_video_seconds": 11}, {}, "up to 11 s"),
        ({"comment_disabled": True}, {"disable_comment": False}, "comments switched off"),
        ({"duet_disabled": True}, {"disable_duet": False}, "duets switched off"),
        ({"stitch_disabled": True}, {"disable_stitch": False}, "stitches switched off"),
    ],
)
async def test_what_the_creator_may_not_is_refused_before_anything_is_sent(
    adapter: TikTokAdapter,
    sandbox: Sandbox,
    files: FileServer,
    settings: dict[str, JsonValue],
    options: dict[str, JsonValue],
    words_of_refusal: str,
) -> None:
    walk = await begin(adapter, sandbox, files, words("no", "video", video(files), **options))
    await set_creator(walk, **settings)
    raised = await refused_with(walk, ContentRefused)
    assert words_of_refusal in raised.message
    assert await sandbox.calls(walk.publish.credentials, "tiktok.init_video") == []


async def test_what_is_switched_off_for_the_account_is_sent_so(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, words("quiet", "video", video(files)))
    await set_creator(walk, comment_disabled=True)
    await walk.finish()
    assert '"disable_comment": true' in await announced(walk, "tiktok.init_video")


async def test_a_ban_is_told_with_http_200(adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer) -> None:
    walk = await begin(adapter, sandbox, files, good_video(files, "banned"))
    await set_creator(walk, banned=True)
    raised = await refused_with(walk, AccountBlocked)
    assert raised.platform_code == "spam_risk_user_banned_from_posting"
    (call,) = await sandbox.calls(walk.publish.credentials, "tiktok.creator_info")
    assert call["status"] == 200


async def test_six_announcements_a_minute_are_enough(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_video(files, "many"))
    step = await walk.before("init_video")
    for _ in range(6):
        await adapter.perform(step, walk.publish)
    with pytest.raises(RateLimited) as raised:
        await adapter.perform(step, walk.publish)
    assert raised.value.retry_after == 60


# -- drafts


async def test_a_draft_says_who_goes_on_with_it(adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer) -> None:
    walk = await begin(adapter, sandbox, files, good_draft(files, "a text that does not travel"))
    done = await walk.finish()
    assert "inbox" in (done.note or "")
    assert "copy it" in (done.note or "")
    assert await sandbox.calls(walk.publish.credentials, "tiktok.creator_info") == []


async def test_draft_photos_take_their_texts_along(adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer) -> None:
    content = words("Morning light", "photo", photo(files), title="Draft", draft=True)
    walk = await begin(adapter, sandbox, files, content)
    step = walk.next()
    assert isinstance(step, Step)
    assert (step.name, step.irreversible, step.repeat) == ("init_photo", True, RepeatSafety.NONE)
    done = await walk.finish()
    (draft,) = await sandbox.inbox(walk.publish.credentials)
    assert draft["post_info"] == {"title": "Draft", "description": "Morning light"}
    assert done.platform_post_id is None
    assert await walk.live() == []


async def test_nobody_can_tell_whether_draft_photos_went_out(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, words("", "photo", photo(files), draft=True))
    step = await walk.before_the_irreversible()
    await walk.perform_and_forget(step)
    assert (await adapter.find(walk.publish)).outcome == "unknown"


# -- photos


@pytest.mark.parametrize("level", ["SELF_ONLY", "MUTUAL_FOLLOW_FRIENDS"])
async def test_photos_that_are_not_public_cannot_be_looked_for(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer, level: str
) -> None:
    walk = await begin(adapter, sandbox, files, words("hidden", "photo", photo(files), privacy_level=level))
    step = await walk.before_the_irreversible()
    assert step.repeat is RepeatSafety.NONE
    await walk.perform_and_forget(step)
    finding = await adapter.find(walk.publish)
    assert finding.outcome == "unknown"
    assert await sandbox.calls(walk.publish.credentials, "tiktok.list_videos") == []


async def test_photos_with_long_texts_are_found_by_what_is_shown_of_them(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, words("word " * 200, "photo", photo(files), title="A title"))
    step = await walk.before_the_irreversible()
    await walk.perform_and_forget(step)
    finding = await walk.settle()
    assert finding.outcome == "posted"
    assert (await walk.finish()).platform_post_id == (await walk.live())[0].id


async def test_an_older_post_with_the_same_text_is_not_taken(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, words("again", "photo", photo(files)))
    await walk.finish()
    later = replace(walk.publish, progress={"creator": {}, "privacy_level": "PUBLIC_TO_EVERYONE"})
    later = replace(later, started_at=datetime.now(UTC) + timedelta(minutes=5), in_doubt="init_photo")
    assert (await adapter.find(later)).outcome == "unknown"


async def test_a_link_that_cannot_be_fetched_is_told(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    content = words("gone", "photo", photo(files))
    walk = await begin(adapter, sandbox, files, content)
    await walk.before("init_photo")
    files.remove(content.media[0].asset_id)
    raised = await refused_with(walk, MediaUnreachable)
    assert (raised.platform_code, raised.start_over) == ("photo_pull_failed", True)
    finding = await adapter.find(walk.publish)
    assert (finding.outcome, finding.start_over) == ("not_posted", True)


# -- processing and moderation


async def test_a_post_in_moderation_ends_without_an_address(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    await sandbox.tell("conditions", tiktok_moderation_seconds=3_600)
    try:
        walk = await begin(adapter, sandbox, files, good_video(files, "moderated"))
        done = await walk.finish()
    finally:
        await sandbox.tell("conditions", tiktok_moderation_seconds=0)
    assert (done.platform_post_id, done.permalink) == (None, None)
    assert "looking at it" in (done.note or "")
    published = [step for step in walk.steps if step.name == "check_status" and step.otherwise is not None]
    assert len(published) == MAX_PUBLIC_CHECKS - 1
    assert len(await walk.live()) == 1


async def test_what_is_processed_for_too_long_is_left_to_a_person(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_video(files, "slow"))
    match = walk.publish.credentials.external_id
    await sandbox.plant("tiktok.init_video", "slow_processing", delay_seconds=3_600, match=match)
    step = await walk.before("check_status")
    assert (await adapter.find(walk.publish)).outcome == "posted"
    walk.publish = replace(walk.publish, progress={**walk.progress, "checks": MAX_CHECKS - 1})
    with pytest.raises(OutcomeUnknown):
        await adapter.perform(step, walk.publish)
    assert (await adapter.find(walk.publish)).outcome == "unknown"


async def test_a_video_that_is_none_is_refused(adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer) -> None:
    film = replace(video(files), asset_id=files.add(b"\2" * 200_000))
    walk = await begin(adapter, sandbox, files, words("noise", "video", film))
    raised = await refused_with(walk, ContentRefused)
    assert (raised.platform_code, raised.start_over) == ("file_format_check_failed", True)
    assert await walk.live() == []


# -- tokens


async def test_a_refresh_token_works_once(adapter: TikTokAdapter, sandbox: Sandbox) -> None:
    credentials = await sandbox.connect("tiktok")
    grant = await adapter.refresh(credentials)
    assert grant.refresh_token not in {None, credentials.refresh_token}
    assert grant.expires_at is not None
    assert timedelta(minutes=119) < grant.expires_at - datetime.now(UTC) <= timedelta(hours=2)
    with pytest.raises(ReconnectNeeded) as raised:
        await adapter.refresh(credentials)
    assert raised.value.platform_code == "invalid_grant"
    renewed = replace(credentials, access_token=grant.access_token, refresh_token=grant.refresh_token)
    assert (await adapter.refresh(renewed)).refresh_token not in {grant.refresh_token, credentials.refresh_token}


async def test_no_token_is_renewed_without_what_it_takes(adapter: TikTokAdapter, sandbox: Sandbox) -> None:
    credentials = await sandbox.connect("tiktok")
    with pytest.raises(ReconnectNeeded):
        await adapter.refresh(replace(credentials, refresh_token=None))
    bare = TikTokAdapter(api_url=f"{sandbox.url}/tiktok")
    with pytest.raises(Refused) as raised:
        await bare.refresh(credentials)
    await bare.aclose()
    assert raised.value.code == "app_credentials_missing"
    assert "STUDIO_TIKTOK_CLIENT_KEY" in raised.value.action


# -- deleting and counting


async def test_deleting_is_not_offered(adapter: TikTokAdapter, sandbox: Sandbox) -> None:
    credentials = await sandbox.connect("tiktok")
    with pytest.raises(Refused) as raised:
        await adapter.delete(credentials, "1")
    assert raised.value.code == "cannot_delete"


async def test_counts_are_read_for_twenty_posts_at_a_time(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_video(files, "counted"))
    post_id = (await walk.finish()).platform_post_id
    assert post_id
    await sandbox.tell(f"posts/{post_id}/counts", likes=7, views=120, shares=3)
    before = await sandbox.last_call()
    counts = await adapter.read_counts(walk.publish.credentials, [*(str(n) for n in range(30)), post_id])
    assert counts == {post_id: Counts(views=120, likes=7, comments=0, shares=3)}
    assert len(await sandbox.calls(walk.publish.credentials, "tiktok.query_videos", since=before)) == 2
    assert await adapter.read_counts(walk.publish.credentials, []) == {}


async def test_another_adapter_goes_on_from_the_progress(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, good_photo(files, "handed over"))
    await walk.before("check_status")
    async with open_tiktok(sandbox.url) as other:
        walk.adapter = other
        assert (await walk.finish()).platform_post_id == (await walk.live())[0].id
