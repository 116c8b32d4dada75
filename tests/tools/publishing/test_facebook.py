"""Facebook behind the real engine: what comes after a post is live, and words that are there already."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from platforms.facebook.adapter import FacebookAdapter
from tests.conftest import Sandbox, TestClock
from tests.tools.conftest import Desk
from tests.tools.publishing.conftest import Engine, Publication
from tools.commands import catalog
from tools.context import Caller, Doors
from tools.dispatcher import Dispatcher
from tools.publishing.engine import PostWork

ACCOUNT = {"platform": "facebook", "external_id": "104000000000001", "access_token": "EAAG-of-the-roastery"}
REVOKED = {"error": {"message": "The session was ended by the user.", "code": 190, "error_subcode": 458}}


@pytest.fixture
async def doors(doors: Doors, sandbox: Sandbox) -> AsyncIterator[Doors]:
    """The doors of a Studio that knows Facebook alone."""
    adapter = FacebookAdapter(
        facebook_graph_url=f"{sandbox.url}/facebook-graph", upload_url=f"{sandbox.url}/meta-upload"
    )
    yield replace(doors, adapters={"facebook": adapter})
    await adapter.aclose()


@pytest.fixture
def engine(doors: Doors) -> Engine:
    stopping = asyncio.Event()
    return Engine(work=PostWork(doors, stopping), stopping=stopping)


@pytest.fixture
async def desk(doors: Doors, caller: Caller, sandbox: Sandbox) -> Desk:
    """The owner at the door, with a Page."""
    sandbox.control("POST", "accounts", {**ACCOUNT, "handle": "Roastery"})
    desk = Desk(dispatcher=Dispatcher(doors, catalog()), caller=caller)
    await desk.act("connect_account", **ACCOUNT)
    return desk


async def said(desk: Desk, sandbox: Sandbox, words: str, **options: str) -> Publication:
    drafted = (await desk.act("create_draft", caption=words, options=options, publish_now=True))["post"]
    assert isinstance(drafted, dict)
    return Publication(desk=desk, sandbox=sandbox, post_id=str(drafted["id"]))


def live(sandbox: Sandbox) -> list[dict[str, object]]:
    feed = sandbox.control("GET", "feed")
    assert isinstance(feed, dict)
    return list(feed["items"])


def comments(sandbox: Sandbox) -> list[str]:
    (post,) = live(sandbox)
    written = post["comments"]
    assert isinstance(written, list)
    return [comment["message"] for comment in written]


async def ended(publication: Publication, engine: Engine, clock: TestClock, *, leap: timedelta) -> dict[str, object]:
    for turn in range(40):
        clock.shift(leap * turn)
        await engine.once()
        if await publication.settled():
            break
    return await publication.post()


def error_of(post: dict[str, object]) -> dict[str, object]:
    error = post["last_error"]
    assert isinstance(error, dict), post
    return error


async def test_words_that_are_there_already_are_not_tried_for_hours(
    desk: Desk, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    first = await said(desk, sandbox, "Open until eight")
    assert (await ended(first, engine, clock, leap=timedelta(seconds=3)))["status"] == "posted"
    twin = await said(desk, sandbox, "Open until eight")
    post = await ended(twin, engine, clock, leap=timedelta(seconds=3))
    assert (post["status"], error_of(post)["code"]) == ("failed", "duplicate")
    assert error_of(post)["action"]
    assert len(live(sandbox)) == 1
    assert len(await twin.attempts()) == 1


async def test_a_comment_goes_out_though_the_address_is_never_told(
    desk: Desk, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    sandbox.control("POST", "faults", {"route": "facebook.get_post", "kind": "status", "times": None})
    publication = await said(desk, sandbox, "New beans", first_comment="From Huila")
    post = await ended(publication, engine, clock, leap=timedelta(minutes=5))
    assert (post["status"], post["platform_post_id"]) == ("posted", live(sandbox)[0]["id"])
    assert comments(sandbox) == ["From Huila"]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "forbid"}, "connected"),  # everything else still works
        ({"kind": "status", "status": 400, "body": REVOKED}, "reconnect"),  # nothing does
    ],
)
async def test_a_comment_that_is_not_allowed_says_what_to_do(
    desk: Desk, engine: Engine, sandbox: Sandbox, clock: TestClock, fault: dict[str, object], status: str
) -> None:
    sandbox.control("POST", "faults", {"route": "facebook.comment", "times": None, **fault})
    publication = await said(desk, sandbox, "New beans", first_comment="From Huila")
    post = await ended(publication, engine, clock, leap=timedelta(minutes=5))
    assert (post["status"], error_of(post)["code"]) == ("posted", "first_comment_failed")
    assert "Connect the account again" in str(error_of(post)["action"])
    accounts = (await desk.act("list_accounts"))["items"]
    assert isinstance(accounts, list)
    assert accounts[0]["status"] == status
