"""Nothing is lost or stuck: whatever breaks on the way, the post ends where its cause and a way out can be read."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from core.settings import Settings
from tests.conftest import Sandbox, TestClock
from tests.tools.conftest import TOKEN, AddPhoto, Desk
from tests.tools.media.samples import film
from tests.tools.publishing.conftest import Engine, Publication, Publish

EXTERNAL_ID = "17841400000000001"


def error_of(post: dict[str, object]) -> dict[str, object]:
    error = post["last_error"]
    assert isinstance(error, dict), post
    assert error["message"]
    assert error["action"]
    return error


async def prepared(publish: Publish, engine: Engine, sandbox: Sandbox) -> Publication:
    """A post whose container is being prepared: its attempt is open, and nobody works on it."""
    publication = await publish()
    sandbox.control(
        "POST", "faults", {"route": "instagram.create_container", "kind": "slow_processing", "delay_seconds": 3600}
    )
    await engine.once()
    assert (await publication.post())["status"] == "publishing"
    return publication


async def test_an_account_disconnected_meanwhile_ends_the_attempt(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox, account_id: str
) -> None:
    publication = await prepared(publish, engine, sandbox)
    await desk.act("disconnect_account", account_id=account_id)
    await engine.until(publication.settled)
    post = await publication.post()
    assert (post["status"], error_of(post)["code"]) == ("failed", "reconnect_needed")
    assert (await publication.attempts())[0]["state"] == "failed"


async def test_an_account_disconnected_in_doubt_leaves_it_to_a_person(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox, account_id: str
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_after"})
    sandbox.control(
        "POST", "faults", {"route": "instagram.container_status", "kind": "status", "skip": 1, "times": None}
    )
    await engine.once()
    await desk.act("disconnect_account", account_id=account_id)
    await engine.until(publication.settled)
    post = await publication.post()
    assert post["status"] == "unconfirmed"
    error_of(post)
    assert (await publication.attempts())[0]["state"] == "unconfirmed"


async def test_an_account_disconnected_after_the_deed_changes_nothing_about_it(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox, account_id: str
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.get_media", "kind": "status", "times": None})
    await engine.once()
    await desk.act("disconnect_account", account_id=account_id)
    await engine.until(publication.settled)
    post = await publication.post()
    assert (post["status"], post["platform_post_id"]) == ("posted", publication.live()[0]["id"])


async def test_a_token_that_does_not_open_fails_the_post_at_once(
    publish: Publish, engine: Engine, admin_url: str
) -> None:
    publication = await publish()
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("update studio.accounts set access_token = 'no seal of ours'")
    await engine.once()
    post = await publication.post()
    assert (post["status"], error_of(post)["code"]) == ("failed", "seal_broken")


async def test_words_that_cannot_be_stored_are_stored_without_what_is_wrong_with_them(
    publish: Publish, engine: Engine, sandbox: Sandbox
) -> None:
    publication = await publish()
    body = {"error": {"message": "Bad\x00ratio", "code": 36003, "error_subcode": 2207009}}
    fault = {"route": "instagram.create_container", "kind": "status", "status": 400, "body": body}
    sandbox.control("POST", "faults", fault)
    await engine.once()
    post = await publication.post()
    assert post["status"] == "failed"
    assert "ratio" in str(error_of(post)["message"])


@pytest.mark.parametrize("wait", ["1e300", "inf", "99999999999"])
async def test_a_wait_beyond_reason_is_cut(publish: Publish, engine: Engine, sandbox: Sandbox, wait: str) -> None:
    publication = await publish()
    fault = {"route": "instagram.create_container", "kind": "status", "status": 429, "headers": {"Retry-After": wait}}
    sandbox.control("POST", "faults", fault)
    await engine.once()
    post = await publication.post()
    assert post["status"] == "scheduled"
    pause = datetime.fromisoformat(str(post["next_attempt_at"])) - datetime.now(UTC)
    assert timedelta(hours=1) < pause <= timedelta(days=1)


async def test_a_quota_that_outlasts_the_grace_fails_with_the_networks_words(
    publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.create_container", "kind": "rate_limit", "times": None})
    await engine.once()
    clock.shift(timedelta(hours=3))
    await engine.once()
    post = await publication.post()
    assert (post["status"], error_of(post)["code"]) == ("failed", "attempts_used_up")
    assert "too many calls" in str(error_of(post)["message"])


async def test_tries_for_an_earlier_time_do_not_count_for_a_new_one(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.create_container", "kind": "status", "times": 4})
    for minutes in range(0, 20, 5):
        clock.shift(timedelta(minutes=minutes))
        await engine.once()
    assert (await publication.post())["attempts"] == 4
    moved = (await desk.act("move_post", post_id=publication.post_id, when="in 5 minutes"))["post"]
    assert isinstance(moved, dict)
    assert moved["attempts"] == 0
    # The first pause of the new time is the shortest again.
    sandbox.control("POST", "faults", {"route": "instagram.create_container", "kind": "status"})
    clock.shift(timedelta(minutes=21))
    await engine.once()
    post = await publication.post()
    wait = datetime.fromisoformat(str(post["next_attempt_at"])) - datetime.now(UTC) - timedelta(minutes=21)
    assert wait < timedelta(seconds=7)
    # And when nobody is there at the new time, it was missed: nothing was tried for it.
    await desk.act("move_post", post_id=publication.post_id, when="in 5 minutes")
    clock.shift(timedelta(hours=5))
    await engine.once()
    post = await publication.post()
    assert (post["status"], error_of(post)["code"]) == ("missed", "too_late")


async def test_a_video_that_is_gone_from_the_store_fails_with_a_way_out(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox, settings: Settings
) -> None:
    asset = await add_photo("pour.mp4", film())
    post = (await desk.act("create_draft", caption="Gone", media=[{"asset_id": asset.id}], publish_now=True))["post"]
    assert isinstance(post, dict)
    publication = Publication(desk=desk, sandbox=sandbox, post_id=str(post["id"]))
    shutil.rmtree(settings.data_dir / "media")
    await engine.once()
    failed = await publication.post()
    assert (failed["status"], error_of(failed)["code"]) == ("failed", "media_missing")


async def test_the_lease_is_kept_while_the_database_is_away_for_a_moment(
    publish: Publish, engine: Engine, sandbox: Sandbox, admin_url: str
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.create_container", "kind": "delay", "delay_seconds": 4})
    working = asyncio.create_task(engine.once())

    async def read(question: str) -> object:
        async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as connection:
            row = await (await connection.execute(question)).fetchone()
            return row[0] if row else None

    async with asyncio.timeout(3):
        while await read("select intent_at from studio.publish_attempts") is None:  # noqa: ASYNC110 - looked at until its deadline
            await asyncio.sleep(0.02)
    await read(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    while not working.done():
        assert await read("select lease_until > studio.studio_now() from studio.posts where status = 'publishing'") in {
            True,
            None,
        }
        await asyncio.sleep(0.05)
    await working
    await engine.until(publication.settled)
    assert (await publication.post())["status"] == "posted"


async def test_an_account_connected_anew_meanwhile_is_not_marked_broken(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox
) -> None:
    """The old token is refused after the person has connected the account again: the walk goes on with the new one."""
    publication = await publish()
    body = {"error": {"message": "The session was invalidated.", "code": 190, "error_subcode": 460}}
    fault = {"kind": "status", "status": 400, "body": body, "delay_seconds": 1.0}
    sandbox.control("POST", "faults", {"route": "instagram.create_container", **fault})
    account = {"platform": "instagram", "external_id": EXTERNAL_ID, "access_token": f"{TOKEN}-2"}
    sandbox.control("POST", "accounts", {**account, "handle": "roastery"})
    working = asyncio.create_task(engine.once())
    async with asyncio.timeout(3):
        while not (ledger := await publication.attempts()) or not ledger[0]["step"]:  # noqa: ASYNC110 - looked at until its deadline
            await asyncio.sleep(0.02)
    await desk.act("connect_account", **account, metadata={"login": "facebook"})
    await working
    post = await publication.post()
    assert post["status"] == "posted", post["last_error"]
    assert (await desk.act("list_accounts"))["items"][0]["status"] == "connected"  # type: ignore[index]


async def test_a_refused_token_marks_the_account(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox
) -> None:
    publication = await publish()
    sandbox.control("POST", "tokens", {"access_token": TOKEN, "revoked_subcode": 458})
    await engine.once()
    post = await publication.post()
    assert (post["status"], error_of(post)["code"]) == ("failed", "reconnect_needed")
    assert (await desk.act("list_accounts"))["items"][0]["status"] == "reconnect"  # type: ignore[index]
