"""Every format from the command to the feed, and a token that runs out on the way."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from core.settings import Settings
from tests.conftest import Sandbox, TestClock
from tests.tools.conftest import AddPhoto, Desk, jpeg
from tests.tools.media.samples import film
from tests.tools.publishing.conftest import Engine, Publication
from tools.assets import AssetView
from tools.context import Doors

SECOND_ID = "17841400000000002"
OLD_TOKEN = "IGAA-second-account"


async def sent(desk: Desk, sandbox: Sandbox, *assets: AssetView, **more: object) -> Publication:
    media = [{"asset_id": asset.id, "alt_text": None if asset.kind == "video" else asset.name} for asset in assets]
    result = await desk.act("create_draft", caption="Everything we roast", media=media, publish_now=True, **more)
    post = result["post"]
    assert isinstance(post, dict)
    return Publication(desk=desk, sandbox=sandbox, post_id=str(post["id"]))


def sent_steps(attempt: dict[str, object]) -> list[str]:
    steps = attempt["steps"]
    assert isinstance(steps, list)
    return [step["step"] for step in steps if step["event"] == "sending"]


async def test_a_carousel_of_two_goes_live(desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox) -> None:
    publication = await sent(
        desk, sandbox, await add_photo("one.jpg"), await add_photo("two.jpg", jpeg(colour=(9, 9, 9)))
    )
    await engine.until(publication.settled)
    post = await publication.post()
    assert post["status"] == "posted", post["last_error"]
    (live,) = publication.live()
    assert (post["format"], post["platform_post_id"], post["permalink"]) == ("carousel", live["id"], live["permalink"])
    (attempt,) = await publication.attempts()
    assert sent_steps(attempt) == [
        "create_child_1", "create_child_2", "create_container", "check_container", "publish", "read_permalink",
    ]  # fmt: skip


async def test_a_carousel_goes_on_with_the_children_it_has(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await sent(
        desk, sandbox, await add_photo("one.jpg"), await add_photo("two.jpg", jpeg(colour=(9, 9, 9)))
    )
    sandbox.control("POST", "faults", {"route": "instagram.create_container", "kind": "status", "skip": 1})
    await engine.once()
    assert (await publication.post())["status"] == "scheduled"
    clock.shift(timedelta(minutes=1))
    await engine.until(publication.settled)
    assert (await publication.post())["status"] == "posted"
    first, second = await publication.attempts()
    assert sent_steps(first) == ["create_child_1", "create_child_2"]
    assert sent_steps(second)[0] == "create_child_2"
    assert len(publication.live()) == 1


async def test_a_reel_is_uploaded_processed_and_goes_live(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox
) -> None:
    sandbox.control("POST", "conditions", {"video_processing_seconds": 0.2})
    publication = await sent(desk, sandbox, await add_photo("pour.mp4", film()), options={"share_to_feed": True})
    await engine.until(publication.settled, patience=30)
    post = await publication.post()
    assert post["status"] == "posted", post["last_error"]
    (live,) = publication.live()
    assert (post["format"], post["platform_post_id"], post["permalink"]) == ("reel", live["id"], live["permalink"])
    (attempt,) = await publication.attempts()
    assert sent_steps(attempt)[:3] == ["create_container", "upload", "check_container"]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "status"])
async def test_an_upload_that_breaks_off_is_carried_on(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox, clock: TestClock, kind: str
) -> None:
    sandbox.control("POST", "conditions", {"video_processing_seconds": 0.0})
    publication = await sent(desk, sandbox, await add_photo("pour.mp4", film()))
    sandbox.control("POST", "faults", {"route": "instagram.upload", "kind": kind})
    await engine.once()
    clock.shift(timedelta(minutes=1))
    await engine.until(publication.settled, patience=30)
    post = await publication.post()
    assert post["status"] == "posted", post["last_error"]
    assert len(publication.live()) == 1


@pytest.fixture
async def second(desk: Desk, sandbox: Sandbox) -> str:
    """Another account, of Instagram Login, whose tokens can be renewed without the Meta app's secret; its handle."""
    account = {"platform": "instagram", "external_id": SECOND_ID, "access_token": OLD_TOKEN}
    sandbox.control("POST", "accounts", {**account, "handle": "second", "login": "instagram"})
    await desk.act("connect_account", **account, metadata={"login": "instagram"})
    return "@second"


async def test_a_token_that_runs_out_midway_is_renewed_once_and_the_walk_goes_on(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox, second: str, doors: Doors
) -> None:
    publication = await sent(desk, sandbox, await add_photo(), account_id=second)
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "expired_token"})
    await engine.until(publication.settled)
    post = await publication.post()
    assert post["status"] == "posted", post["last_error"]
    assert len(publication.calls("meta.refresh_token")) == 1
    assert len(publication.calls("instagram.create_container")) == 1
    (attempt,) = await publication.attempts()
    assert sent_steps(attempt)[-3:] == ["publish", "publish", "read_permalink"]
    # The new token was kept: the old one may die now.
    sandbox.control("POST", "tokens", {"access_token": OLD_TOKEN, "revoked_subcode": 460})
    another = await sent(desk, sandbox, await add_photo("two.jpg", jpeg(colour=(9, 9, 9))), account_id=second)
    await engine.until(another.settled)
    post = await another.post()
    assert post["status"] == "posted", post["last_error"]
    assert len(publication.calls("meta.refresh_token")) == 1


async def test_a_token_past_its_end_asks_to_connect_again(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox, second: str
) -> None:
    """Meta renews no token past its end: /_sandbox/tokens lets this one run out."""
    publication = await sent(desk, sandbox, await add_photo(), account_id=second)
    ended = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    sandbox.control("POST", "tokens", {"access_token": OLD_TOKEN, "expires_at": ended})
    await engine.until(publication.settled)
    post = await publication.post()
    error = post["last_error"]
    assert isinstance(error, dict)
    assert (post["status"], error["code"]) == ("failed", "reconnect_needed")
    items = (await desk.act("list_accounts"))["items"]
    assert isinstance(items, list)
    assert {item["handle"]: item["status"] for item in items} == {"roastery": "connected", "second": "reconnect"}


async def test_a_token_is_not_renewed_for_an_account_that_was_disconnected(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox, second: str, settings: Settings, admin_url: str
) -> None:
    publication = await sent(desk, sandbox, await add_photo(), account_id=second)
    sandbox.control("POST", "faults", {"route": "instagram.create_container", "kind": "expired_token"})
    sandbox.control("POST", "faults", {"route": "meta.refresh_token", "kind": "delay", "delay_seconds": 1})
    working = asyncio.create_task(engine.once())
    async with asyncio.timeout(3):
        while not publication.calls("instagram.create_container"):  # noqa: ASYNC110 - looked at until its deadline
            await asyncio.sleep(0.02)
    await desk.act("disconnect_account", account_id=second)
    await working
    with psycopg.connect(admin_url) as connection:
        row = connection.execute(
            "select status, access_token from studio.accounts where external_id = %s", (SECOND_ID,)
        ).fetchone()
    assert row == ("disconnected", b"")
    post = await publication.post()
    error = post["last_error"]
    assert isinstance(error, dict)
    assert (post["status"], error["code"]) == ("failed", "reconnect_needed")
