"""Refusals and limits at the one call that counts, tokens that end there, and doubt that is found again late."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from platforms.base import Finding
from platforms.base import Publish as OnItsWay
from platforms.instagram.adapter import InstagramAdapter
from tests.conftest import Sandbox, TestClock
from tests.tools.conftest import AddPhoto, Desk
from tests.tools.publishing.conftest import Engine, Publish
from tests.tools.publishing.test_formats import sent
from tools.context import Doors
from tools.publishing.engine import PostWork
from tools.publishing.ledger import storable

SECOND_ID, SECOND_TOKEN = "17841400000000002", "IGAA-second-account"


def code_of(post: dict[str, object]) -> object:
    error = post["last_error"]
    assert isinstance(error, dict), post
    return error["code"]


async def test_a_limit_on_everything_is_waited_for_and_leaves_no_doubt(
    publish: Publish, engine: Engine, sandbox: Sandbox
) -> None:
    """Meta's limit holds for reading too: that nothing can be looked up does not make a clear answer unclear."""
    publication = await publish()
    for route, skip in (("media_publish", 0), ("container_status", 1)):
        fault = {"kind": "status", "status": 429, "headers": {"Retry-After": "1800"}, "skip": skip, "times": None}
        sandbox.control("POST", "faults", {"route": f"instagram.{route}", **fault})
    await engine.once()
    post = await publication.post()
    assert (post["status"], code_of(post), post["attempts"]) == ("scheduled", "rate_limited", 0)
    wait = datetime.fromisoformat(str(post["next_attempt_at"])) - datetime.now(UTC)
    assert timedelta(minutes=29) < wait <= timedelta(minutes=30)


async def test_a_limit_without_a_time_is_asked_after_less_and_less(
    publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await publish()
    body = {"error": {"message": "Too many calls.", "code": 80002}}
    fault = {"route": "instagram.create_container", "kind": "status", "status": 400, "body": body, "times": None}
    sandbox.control("POST", "faults", fault)
    for minutes in range(0, 40, 10):
        clock.shift(timedelta(minutes=minutes))
        await engine.once()
    wait = datetime.fromisoformat(str((await publication.post())["next_attempt_at"])) - datetime.now(UTC)
    assert wait - timedelta(minutes=30) > timedelta(seconds=55)  # 5 s, 10 s, 20 s, then a minute


async def test_a_limit_while_in_doubt_is_waited_for_before_a_person_is_asked(
    publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_after"})
    fault = {"kind": "status", "status": 429, "headers": {"Retry-After": "1200"}, "skip": 1, "times": 2}
    sandbox.control("POST", "faults", {"route": "instagram.container_status", **fault})
    await engine.once()
    assert await engine.once() == 0  # not before the network's time
    for minutes in (21, 42):
        clock.shift(timedelta(minutes=minutes))
        await engine.once()
    post = await publication.post()
    assert (post["status"], post["platform_post_id"]) == ("posted", publication.live()[0]["id"])


async def test_a_revoked_token_at_the_last_call_fails_at_once(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox
) -> None:
    publication = await publish()
    body = {"error": {"message": "The user removed the app.", "code": 190, "error_subcode": 458}}
    for route, skip in (("media_publish", 0), ("container_status", 1)):
        fault = {"kind": "status", "status": 400, "body": body, "skip": skip, "times": None}
        sandbox.control("POST", "faults", {"route": f"instagram.{route}", **fault})
    await engine.once()
    post = await publication.post()
    assert (post["status"], code_of(post)) == ("failed", "reconnect_needed")
    assert publication.live() == []
    assert (await desk.act("list_accounts"))["items"][0]["status"] == "reconnect"  # type: ignore[index]


async def test_a_token_that_runs_out_at_the_last_call_is_renewed_and_the_call_made(
    desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox
) -> None:
    """Every call is refused from then on, until there is a new token."""
    account = {"platform": "instagram", "external_id": SECOND_ID, "access_token": SECOND_TOKEN}
    sandbox.control("POST", "accounts", {**account, "handle": "second", "login": "instagram"})
    await desk.act("connect_account", **account, metadata={"login": "instagram"})
    publication = await sent(desk, sandbox, await add_photo(), account_id="@second")
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "expired_token"})
    sandbox.control("POST", "faults", {"route": "instagram.container_status", "kind": "expired_token", "skip": 1})
    await engine.until(publication.settled)
    post = await publication.post()
    assert post["status"] == "posted", post["last_error"]
    items = (await desk.act("list_accounts"))["items"]
    assert isinstance(items, list)
    assert {item["status"] for item in items} == {"connected"}


async def test_a_live_post_does_not_wait_for_days_for_its_address(
    publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await publish()
    fault = {"kind": "status", "status": 429, "headers": {"Retry-After": "86400"}, "times": None}
    sandbox.control("POST", "faults", {"route": "instagram.get_media", **fault})
    for minutes in range(0, 40, 5):
        clock.shift(timedelta(minutes=minutes))
        await engine.once()
    post = await publication.post()
    assert (post["status"], post["platform_post_id"]) == ("posted", publication.live()[0]["id"])


async def test_doubt_that_is_found_again_days_later_is_looked_up_first(
    publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_after"})
    sandbox.control("POST", "faults", {"route": "instagram.container_status", "kind": "status", "skip": 1})
    await engine.once()
    assert (await publication.post())["status"] == "publishing"
    clock.shift(timedelta(days=2))
    await engine.until(publication.settled)
    post = await publication.post()
    assert (post["status"], post["platform_post_id"]) == ("posted", publication.live()[0]["id"])


async def test_what_is_found_days_later_not_to_have_happened_is_not_sent_then(
    publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_before"})
    sandbox.control("POST", "faults", {"route": "instagram.container_status", "kind": "status", "skip": 1})
    await engine.once()
    shift = timedelta(days=2)

    async def settled() -> bool:
        nonlocal shift
        if (await publication.post())["status"] == "scheduled":
            shift += timedelta(minutes=1)
        clock.shift(shift)
        return await publication.settled()

    await engine.until(settled)
    post = await publication.post()
    assert post["status"] == "failed"
    assert publication.live() == []
    assert len(publication.calls("instagram.media_publish")) == 1


class Stumbling(InstagramAdapter):
    """An adapter with a mistake in it: looking fails in a way that nobody foresaw."""

    async def find(self, publish: OnItsWay) -> Finding:  # noqa: ARG002 - it never gets that far
        raise KeyError("a mistake")


async def test_a_mistake_in_looking_leaves_the_post_to_a_person_and_not_to_an_endless_loop(
    publish: Publish, sandbox: Sandbox, doors: Doors
) -> None:
    publication, settings = await publish(), doors.settings
    adapter = Stumbling(
        facebook_graph_url=settings.facebook_graph_url,
        instagram_graph_url=settings.instagram_graph_url,
        upload_url=settings.meta_upload_url,
    )
    engine = Engine(work=PostWork(replace(doors, adapters={"instagram": adapter}), asyncio.Event()))
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_after"})
    await engine.until(publication.settled, patience=40)
    assert (await publication.post())["status"] == "unconfirmed"
    await adapter.aclose()


def test_what_json_cannot_say_is_kept_as_what_it_can() -> None:
    given = {"a\x00": float("nan"), "b": [float("inf"), 1.5, True, None, 7], "c": timedelta(seconds=1), "d": "\ud800"}
    assert storable(given) == {"a": None, "b": [None, 1.5, True, None, 7], "c": "0:00:01", "d": "?"}
