"""TikTok behind the real engine: from the command to the feed, with tokens that work once."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from core.settings import Settings
from core.storage import DirectoryStore
from platforms.tiktok.adapter import TikTokAdapter
from tests.conftest import Sandbox, TestClock
from tests.tools.conftest import AddPhoto, Desk
from tests.tools.media.samples import film
from tests.tools.publishing.conftest import Engine, Publication
from tests.tools.publishing.test_formats import sent, sent_steps
from tools.commands import catalog
from tools.context import Caller, Doors
from tools.counts.work import CountsWork
from tools.dispatcher import Dispatcher
from tools.publishing.engine import PostWork

ACCOUNT = {
    "platform": "tiktok",
    "external_id": "open-id-of-the-roastery",
    "access_token": "act.of-the-roastery",
    "refresh_token": "rft.of-the-roastery",
}


@pytest.fixture
async def doors(doors: Doors, sandbox: Sandbox) -> AsyncIterator[Doors]:
    """The doors of a Studio that knows TikTok alone."""
    adapter = TikTokAdapter(api_url=f"{sandbox.url}/tiktok", client_key="key", client_secret="secret")
    yield replace(doors, adapters={"tiktok": adapter})
    await adapter.aclose()


@pytest.fixture
def engine(doors: Doors) -> Engine:
    stopping = asyncio.Event()
    return Engine(work=PostWork(doors, stopping), stopping=stopping)


@pytest.fixture
async def desk(doors: Doors, caller: Caller, sandbox: Sandbox) -> Desk:
    """The owner at the door, with a TikTok account."""
    sandbox.control("POST", "conditions", {"video_processing_seconds": 0.0, "tiktok_inits_per_minute": 1000})
    sandbox.control("POST", "accounts", {**ACCOUNT, "handle": "roastery"})
    desk = Desk(dispatcher=Dispatcher(doors, catalog()), caller=caller)
    await desk.act("connect_account", **ACCOUNT)
    return desk


def live(sandbox: Sandbox) -> list[dict[str, object]]:
    feed = sandbox.control("GET", "feed")
    assert isinstance(feed, dict)
    return list(feed["items"])


async def posted(publication: Publication, engine: Engine) -> dict[str, object]:
    await engine.until(publication.settled, patience=30)
    post = await publication.post()
    assert post["status"] == "posted", post["last_error"]
    return post


async def test_a_video_goes_live(desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox) -> None:
    publication = await sent(desk, sandbox, await add_photo("pour.mp4", film()))
    post = await posted(publication, engine)
    (shown,) = live(sandbox)
    assert (post["format"], post["platform_post_id"], post["permalink"]) == ("video", shown["id"], shown["permalink"])
    (attempt,) = await publication.attempts()
    steps = ["read_creator", "init_video", "upload_last", "check_status", "read_permalink"]
    assert list(dict.fromkeys(sent_steps(attempt))) == steps


async def test_photos_go_live(desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox) -> None:
    post = await posted(await sent(desk, sandbox, await add_photo(), await add_photo("two.jpg")), engine)
    (shown,) = live(sandbox)
    assert (post["format"], post["platform_post_id"], shown["caption"]) == ("photo", shown["id"], "Everything we roast")


async def test_a_draft_ends_in_the_inbox(desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox) -> None:
    publication = await sent(desk, sandbox, await add_photo("pour.mp4", film()), options={"draft": True})
    post = await posted(publication, engine)
    assert (post["platform_post_id"], live(sandbox)) == (None, [])
    inbox = sandbox.control("GET", f"tiktok/inbox?account={ACCOUNT['external_id']}")
    assert isinstance(inbox, dict)
    assert len(inbox["items"]) == 1


async def test_a_last_chunk_without_an_answer_makes_one_post(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox
) -> None:
    sandbox.control("POST", "faults", {"route": "tiktok.upload_chunk", "kind": "drop_after"})
    post = await posted(await sent(desk, sandbox, await add_photo("pour.mp4", film())), engine)
    assert [shown["id"] for shown in live(sandbox)] == [post["platform_post_id"]]


async def test_the_upload_address_is_shown_to_nobody(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        publication = await sent(desk, sandbox, await add_photo("pour.mp4", film()))
        await posted(publication, engine)
    (attempt,) = await publication.attempts()
    shown = json.dumps(attempt)
    assert "init_video" in shown
    assert "upload_token" not in shown
    assert "upload_token" not in caplog.text


class SlowStore(DirectoryStore):
    """Gives a file away in small pieces, with a pause before each."""

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        whole = b"".join([chunk async for chunk in super().read(key, start=start, end=end)])
        piece = len(whole) // 8 + 1
        for position in range(0, len(whole), piece):
            await asyncio.sleep(0.15)
            yield whole[position : position + piece]


async def test_a_last_chunk_on_a_slow_line_takes_longer_than_a_lease(
    desk: Desk, add_photo: AddPhoto, doors: Doors, sandbox: Sandbox, settings: Settings
) -> None:
    publication = await sent(desk, sandbox, await add_photo("pour.mp4", film()))
    hasty = settings.model_copy(update={"publish_lease": 0.6})
    slow = replace(doors, store=SlowStore(settings.data_dir / "media"), settings=hasty)
    await posted(publication, Engine(work=PostWork(slow, asyncio.Event())))
    (attempt,) = await publication.attempts()
    steps = attempt["steps"]
    assert isinstance(steps, list)
    assert any(step["event"] == "still sending" for step in steps)
    assert len(publication.calls("tiktok.upload_chunk")) == 1
    assert len(live(sandbox)) == 1


@pytest.mark.parametrize("kind", ["refuse", "forbid", "status", "rate_limit"])
async def test_a_video_that_was_taken_is_never_called_failed(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox, clock: TestClock, kind: str
) -> None:
    sandbox.control("POST", "faults", {"route": "tiktok.status", "kind": kind, "times": None})
    publication = await sent(desk, sandbox, await add_photo("pour.mp4", film()))
    for hours in range(0, 72, 2):
        clock.shift(timedelta(hours=hours))
        await engine.once()
        post = await publication.post()
        assert post["status"] in {"publishing", "unconfirmed"}, "whoever may edit it or send it again doubles it"
    assert post["status"] == "unconfirmed"
    error = post["last_error"]
    assert isinstance(error, dict)
    assert "took the post" in error["message"]
    assert error["action"]
    assert len(live(sandbox)) == 1


async def test_photos_that_were_taken_with_a_no_are_live(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    """Looking right after the no does not show them yet."""
    sandbox.control("POST", "faults", {"route": "tiktok.list_videos", "kind": "status", "times": 1})
    sandbox.control("POST", "faults", {"route": "tiktok.init_content", "kind": "refuse_after"})
    publication = await sent(desk, sandbox, await add_photo(), await add_photo("two.jpg"))
    await engine.once()
    assert (await publication.post())["status"] == "publishing"
    clock.shift(timedelta(minutes=1))
    assert (await posted(publication, engine))["platform_post_id"] == live(sandbox)[0]["id"]


async def test_photos_that_were_refused_fail_when_the_settle_time_has_shown_nothing(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    sandbox.control("POST", "faults", {"route": "tiktok.init_content", "kind": "refuse"})
    publication = await sent(desk, sandbox, await add_photo(), await add_photo("two.jpg"))
    await engine.once()
    clock.shift(timedelta(minutes=10))
    await engine.once()
    post = await publication.post()
    error = post["last_error"]
    assert isinstance(error, dict)
    assert (post["status"], error["code"]) == ("failed", "content_refused")
    assert "breaks a rule of the sandbox's" in error["message"]
    assert error["action"]
    assert (len(publication.calls("tiktok.init_content")), live(sandbox)) == (1, [])


async def test_a_video_that_was_taken_is_found_after_an_outage(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    sandbox.control("POST", "faults", {"route": "tiktok.status", "kind": "drop_before", "times": 2})
    publication = await sent(desk, sandbox, await add_photo("pour.mp4", film()))
    await engine.once()
    clock.shift(timedelta(hours=12))  # past the grace: but nothing is sent any more, it is only asked about
    await posted(publication, engine)


async def test_a_draft_whose_account_went_away_still_says_where_it_waits(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox, clock: TestClock, admin_url: str
) -> None:
    publication = await sent(desk, sandbox, await add_photo("pour.mp4", film()), options={"draft": True})
    await engine.once()
    with psycopg.connect(admin_url, autocommit=True) as connection:  # what a process knew that died right after
        connection.execute("""update studio.publish_attempts set progress = progress || '{"in_inbox": true}'""")
    accounts = (await desk.act("list_accounts"))["items"]
    assert isinstance(accounts, list)
    await desk.act("disconnect_account", account_id=accounts[0]["id"])
    clock.shift(timedelta(minutes=1))
    await engine.once()
    post = await publication.post()
    error = post["last_error"]
    assert isinstance(error, dict)
    assert (post["status"], error["code"]) == ("posted", "no_post_id")
    assert "inbox" in error["message"]


async def test_both_tokens_are_kept_each_time_one_is_renewed(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox
) -> None:
    for number in range(2):
        sandbox.control("POST", "faults", {"route": "tiktok.creator_info", "kind": "expired_token"})
        publication = await sent(desk, sandbox, await add_photo(f"{number}.mp4", film()))
        await posted(publication, engine)
        calls = publication.calls("tiktok.token")
        assert [call["status"] for call in calls] == [200] * (number + 1)
    assert len(live(sandbox)) == 2


async def test_counts_outlive_the_token(
    doors: Doors, desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox
) -> None:
    """A token of TikTok's lives for two hours: what reads the counts renews it."""
    publication = await sent(desk, sandbox, await add_photo("pour.mp4", film()))
    await posted(publication, engine)
    sandbox.control("POST", "faults", {"route": "tiktok.query_videos", "kind": "expired_token"})
    (claim,) = await CountsWork(doors).claim(10, sweep=True)
    await CountsWork(doors).work(claim)
    assert (await publication.post())["counts"] is not None
    assert [call["status"] for call in publication.calls("tiktok.token")] == [200]


async def test_two_that_renew_a_token_at_once_both_go_on_with_the_new_one(
    doors: Doors, desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox
) -> None:
    """The refresh token works once: whoever comes second is refused, and takes what the first was given."""
    first = await sent(desk, sandbox, await add_photo("one.mp4", film()))
    await posted(first, engine)
    for route in ("tiktok.creator_info", "tiktok.query_videos"):
        sandbox.control("POST", "faults", {"route": route, "kind": "expired_token"})
    # Both have asked with the old one before either is answered.
    sandbox.control("POST", "faults", {"route": "tiktok.token", "kind": "delay", "delay_seconds": 1.5, "times": 2})
    second = await sent(desk, sandbox, await add_photo("two.mp4", film()))
    counting = CountsWork(doors)
    (claim,) = await counting.claim(10, sweep=True)
    await asyncio.gather(counting.work(claim), engine.once())
    assert (await posted(second, engine))["last_error"] is None
    assert (await first.post())["counts"] is not None
    assert sorted(call["status"] for call in first.calls("tiktok.token")) == [200, 400]  # type: ignore[type-var]
    items = (await desk.act("list_accounts"))["items"]
    assert isinstance(items, list)
    assert [item["status"] for item in items] == ["connected"]
