"""Notifications: every way a post can end tells of it once, in the same transaction, in its own workspace alone."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import psycopg
import pytest

from core.errors import InvalidInput, NotFound
from tests.conftest import Sandbox, TestClock
from tests.tools.conftest import TOKEN, AddPhoto, Desk
from tests.tools.publishing.conftest import Engine, Publication, Publish
from tools.context import Principal

REFUSAL = {"error": {"message": "The aspect ratio is not supported.", "code": 36003, "error_subcode": 2207009}}
NewPrincipal = Callable[..., Awaitable[Principal]]


async def told(desk: Desk, **arguments: object) -> list[dict[str, object]]:
    items = (await desk.act("list_notifications", **arguments))["items"]
    assert isinstance(items, list)
    return items


async def kinds(desk: Desk) -> list[object]:
    return [one["kind"] for one in await told(desk)]


def totals(admin_url: str) -> dict[str, float]:
    """What was counted of Instagram, by the function that /metrics reads."""
    with psycopg.connect(admin_url, options="-c search_path=studio -c role=studio_app") as connection:
        rows = connection.execute("select measure, value from measure_publishing() where platform = 'instagram'")
        return dict(rows.fetchall())


async def failed(engine: Engine, publication: Publication, sandbox: Sandbox) -> None:
    fault = {"route": "instagram.media_publish", "kind": "status", "status": 400, "body": REFUSAL}
    sandbox.control("POST", "faults", fault)
    await engine.until(publication.settled)
    assert (await publication.post())["status"] == "failed"
    sandbox.control("DELETE", "faults")


async def test_a_published_post_is_told_with_its_link(
    desk: Desk, publish: Publish, engine: Engine, admin_url: str
) -> None:
    publication = await publish()
    assert await kinds(desk) == []
    await engine.until(publication.settled)
    (one,) = await told(desk)
    (live,) = publication.live()
    assert (one["kind"], one["link"], one["post_code"]) == (
        "published",
        live["permalink"],
        (await publication.post())["code"],
    )
    assert "is live on Instagram @roastery" in str(one["text"])
    assert one["action"] == ""
    assert totals(admin_url) == {"published": 1.0}


async def test_a_failed_post_is_told_with_cause_and_action_until_it_is_settled(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox, admin_url: str
) -> None:
    publication = await publish()
    await failed(engine, publication, sandbox)
    (one,) = await told(desk)
    error = (await publication.post())["last_error"]
    assert isinstance(error, dict)
    assert (one["kind"], one["resolved_at"], one["code"]) == ("failed", None, error["code"])
    assert str(error["message"]) in str(one["text"])
    assert one["action"] == error["action"]
    await desk.act("retry_post", post_id=publication.post_id)
    (one,) = await told(desk)
    assert one["resolved_at"] is not None
    await engine.until(publication.settled)
    assert await kinds(desk) == ["published", "failed"]
    assert totals(admin_url) == {"failed": 1.0, "published": 1.0}


async def test_what_undo_brings_back_is_open_again_and_counted_once(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox, admin_url: str
) -> None:
    publication = await publish()
    await failed(engine, publication, sandbox)
    await desk.act("move_post", post_id=publication.post_id, when="in 3 hours")
    assert (await told(desk))[0]["resolved_at"] is not None
    await desk.act("undo")
    assert (await publication.post())["status"] == "failed"
    (one,) = await told(desk)
    assert (one["kind"], one["resolved_at"]) == ("failed", None)
    assert totals(admin_url) == {"failed": 1.0}


async def test_a_missed_post_is_told(
    desk: Desk, engine: Engine, add_photo: AddPhoto, clock: TestClock, admin_url: str
) -> None:
    media = [{"asset_id": (await add_photo()).id}]
    post = (await desk.act("create_draft", caption="Late", media=media))["post"]
    assert isinstance(post, dict)
    await desk.act("schedule_post", post_id=post["id"], when="in 3 hours")
    clock.shift(timedelta(hours=9))
    assert await engine.once() == 1
    (one,) = await told(desk, kind=["missed"])
    assert "missed its time" in str(one["text"])
    assert "Move it to a new time" in str(one["action"])
    assert totals(admin_url) == {"missed": 1.0}


async def test_a_post_in_doubt_is_told_and_settled_by_a_person(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox, admin_url: str
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_after"})
    silent = {"route": "instagram.container_status", "kind": "expired_token", "skip": 1, "times": None}
    sandbox.control("POST", "faults", silent)
    await engine.until(publication.settled, patience=40)
    sandbox.control("DELETE", "faults")
    # The token was called dead meanwhile, so that the account has to be connected again as well.
    assert max(map(str, await kinds(desk))) == "unconfirmed"
    assert totals(admin_url) == {"unconfirmed": 1.0}
    await desk.act("resolve_post", post_id=publication.post_id, outcome="posted")
    (doubt,) = await told(desk, kind=["unconfirmed"])
    assert doubt["resolved_at"] is not None
    assert len(await told(desk, kind=["published"])) == 1
    assert totals(admin_url) == {"unconfirmed": 1.0, "published": 1.0}


async def test_an_account_that_asks_to_be_connected_again_is_told_once(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox
) -> None:
    first = await publish()
    sandbox.control("POST", "tokens", {"access_token": TOKEN, "revoked_subcode": 458})
    await engine.until(first.settled)
    second = await publish("Another")
    await engine.until(second.settled)
    (one,) = await told(desk, kind=["reconnect"])
    assert (one["account"], one["post_id"], one["resolved_at"]) == ("roastery", None, None)
    assert "Connect the account again" in str(one["action"])
    assert len(await told(desk, kind=["failed"])) == 2
    sandbox.control("POST", "tokens", {"access_token": TOKEN, "revoked_subcode": None})
    known = {"platform": "instagram", "external_id": "17841400000000001", "access_token": TOKEN}
    await desk.act("connect_account", **known, metadata={"login": "facebook"})
    (one,) = await told(desk, kind=["reconnect"])
    assert one["resolved_at"] is not None


async def test_a_change_that_is_rolled_back_tells_nothing(desk: Desk, publish: Publish, admin_url: str) -> None:
    publication = await publish()
    with psycopg.connect(admin_url) as connection:
        connection.execute("update studio.posts set status = 'failed' where id = %s", (publication.post_id,))
        connection.rollback()
    assert await kinds(desk) == []
    assert totals(admin_url) == {}


async def test_pages_filters_and_what_was_read(desk: Desk, publish: Publish, engine: Engine, clock: TestClock) -> None:
    for number in range(3):
        await engine.until((await publish(f"Blend {number}")).settled)
    page = await desk.act("list_notifications", limit=2)
    assert (page["total"], page["unread"]) == (3, 3)
    rest = await told(desk, limit=2, cursor=page["next_cursor"])
    first = page["items"]
    assert isinstance(first, list)
    assert [str(one["text"])[7:14] for one in (*first, *rest)] == ["Blend 2", "Blend 1", "Blend 0"]
    marked = await desk.act("read_notifications", notification_ids=[first[0]["id"]])
    assert (marked["marked"], marked["unread"]) == (1, 2)
    assert [one["id"] for one in await told(desk, unread=True)] == [first[1]["id"], rest[0]["id"]]
    assert (await desk.act("read_notifications", until_id=rest[0]["id"]))["marked"] == 1
    assert (await desk.act("read_notifications"))["marked"] == 1
    assert await told(desk, unread=True) == []
    assert await told(desk, kind=["failed", "missed"]) == []
    assert len(await told(desk, since="yesterday")) == 3
    clock.shift(timedelta(days=9))
    assert await told(desk, since="yesterday") == []
    with pytest.raises(InvalidInput):
        await told(desk, cursor="nonsense")
    with pytest.raises(NotFound):
        await desk.act("read_notifications", notification_ids=["nonsense"])


async def test_nobody_else_reads_or_marks_them(
    desk: Desk, publish: Publish, engine: Engine, new_workspace: NewPrincipal
) -> None:
    await engine.until((await publish()).settled)
    (one,) = await told(desk)
    stranger = desk.as_(await new_workspace("Bakery"))
    assert await told(stranger) == []
    assert (await stranger.act("read_notifications"))["marked"] == 0
    assert (await stranger.act("read_notifications", notification_ids=[one["id"]]))["marked"] == 0
    assert (await told(desk))[0]["read_at"] is None


async def test_many_that_end_at_once_are_all_counted(desk: Desk, add_photo: AddPhoto, admin_url: str) -> None:
    """Sixteen connections, each with a post of its own that fails twenty times: nobody waits in a circle."""
    media = [{"asset_id": (await add_photo()).id}]
    posts = [(await desk.act("create_draft", caption=f"Post {n}", media=media))["post"] for n in range(16)]

    def fail(post: object) -> None:
        assert isinstance(post, dict)
        with psycopg.connect(admin_url, autocommit=True, options="-c search_path=studio") as connection:
            for minute in range(20):
                change = "update posts set status = %s, scheduled_for = studio_now() + %s where id = %s"
                for status in ("failed", "draft"):
                    connection.execute(change, (status, timedelta(minutes=minute), post["id"]))

    await asyncio.gather(*(asyncio.to_thread(fail, post) for post in posts))
    assert totals(admin_url) == {"failed": 320.0}  # 16 * 20
    assert (await desk.act("list_notifications"))["total"] == 320
