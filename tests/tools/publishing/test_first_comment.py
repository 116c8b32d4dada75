"""After the post is live: its first comment goes out once, or the post is live without it and says so."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.conftest import Sandbox, TestClock
from tests.tools.conftest import AddPhoto, Desk
from tests.tools.publishing.conftest import Engine, Publication

WORDS = "Ask us about the beans."
COMMENT = "instagram.comment"
REFUSAL = {"error": {"message": "(#10) Comments are disabled on this media.", "code": 10}}

Commented = Callable[[], Awaitable[Publication]]


@pytest.fixture
def commented(desk: Desk, add_photo: AddPhoto, sandbox: Sandbox) -> Commented:
    """Sends a post that has a first comment."""

    async def begin() -> Publication:
        media = [{"asset_id": (await add_photo()).id}]
        options = {"first_comment": WORDS}
        drafted = await desk.act("create_draft", caption="Beans", media=media, options=options, publish_now=True)
        post = drafted["post"]
        assert isinstance(post, dict)
        return Publication(desk=desk, sandbox=sandbox, post_id=str(post["id"]))

    return begin


def comments(publication: Publication) -> list[str]:
    (live,) = publication.live()
    written = live["comments"]
    assert isinstance(written, list)
    return [comment["message"] for comment in written]


async def run(engine: Engine, publication: Publication, clock: TestClock, *, leap: timedelta) -> dict[str, object]:
    """Until nothing is left to do, with a leap of the clock after every turn."""
    ahead = timedelta(0)
    for _ in range(30):
        await engine.once()
        if await publication.settled():
            break
        ahead += leap
        clock.shift(ahead)
    return await publication.post()


async def test_the_comment_goes_out_after_the_post(
    commented: Commented, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await commented()
    post = await run(engine, publication, clock, leap=timedelta(seconds=3))
    assert (post["status"], post["last_error"]) == ("posted", None)
    assert comments(publication) == [WORDS]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "status", "status_after", "truncate", "drop_late"])
async def test_an_unknown_answer_is_looked_up(
    commented: Commented, engine: Engine, sandbox: Sandbox, clock: TestClock, kind: str
) -> None:
    publication = await commented()
    sandbox.control("POST", "faults", {"route": COMMENT, "kind": kind})
    post = await run(engine, publication, clock, leap=timedelta(seconds=3))
    assert (post["status"], post["last_error"]) == ("posted", None)
    assert post["permalink"]
    assert comments(publication) == [WORDS]


async def test_an_outcome_that_stays_unknown_leaves_the_post_live_and_says_so(
    commented: Commented, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await commented()
    sandbox.control("POST", "faults", {"route": COMMENT, "kind": "drop_after"})
    sandbox.control("POST", "faults", {"route": "instagram.list_comments", "kind": "status", "times": None})
    post = await run(engine, publication, clock, leap=timedelta(seconds=3))
    error = post["last_error"]
    assert isinstance(error, dict)
    assert (post["status"], error["code"]) == ("posted", "first_comment_failed")
    assert "not known" in error["message"]
    assert [post["platform_post_id"], post["permalink"]] == [
        publication.live()[0]["id"],
        publication.live()[0]["permalink"],
    ]
    assert len(publication.calls(COMMENT)) == 1, "nothing is sent again without evidence"


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 400, "body": REFUSAL}, {"kind": "expired_token"}])
async def test_a_refused_comment_leaves_the_post_live_and_says_so(
    commented: Commented, engine: Engine, sandbox: Sandbox, clock: TestClock, fault: dict[str, object]
) -> None:
    publication = await commented()
    sandbox.control("POST", "faults", {"route": COMMENT, "times": None, **fault})
    post = await run(engine, publication, clock, leap=timedelta(seconds=3))
    error = post["last_error"]
    assert isinstance(error, dict)
    assert (post["status"], error["code"]) == ("posted", "first_comment_failed")
    assert error["action"]
    assert post["permalink"] == publication.live()[0]["permalink"]
    assert comments(publication) == []
    (attempt,) = await publication.attempts()
    kept = attempt["error"]
    assert isinstance(kept, dict)
    assert (attempt["state"], kept["code"]) == ("posted", "first_comment_failed")


async def test_a_network_that_takes_no_comment_is_given_up(
    commented: Commented, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await commented()
    sandbox.control("POST", "faults", {"route": COMMENT, "kind": "status", "times": None})
    post = await run(engine, publication, clock, leap=timedelta(minutes=5))
    error = post["last_error"]
    assert isinstance(error, dict)
    assert (post["status"], error["code"]) == ("posted", "first_comment_failed")
    assert 1 < len(publication.calls(COMMENT)) < 10
    assert comments(publication) == []


async def test_a_disconnected_account_leaves_the_post_live_and_says_so(
    desk: Desk, commented: Commented, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await commented()
    sandbox.control("POST", "faults", {"route": COMMENT, "kind": "drop_before"})
    await engine.once()
    accounts = (await desk.act("list_accounts"))["items"]
    assert isinstance(accounts, list)
    await desk.act("disconnect_account", account_id=accounts[0]["id"])
    post = await run(engine, publication, clock, leap=timedelta(seconds=3))
    error = post["last_error"]
    assert isinstance(error, dict)
    assert (post["status"], error["code"]) == ("posted", "first_comment_failed")
    assert post["platform_post_id"] == publication.live()[0]["id"]
