"""What becomes of a post when the network does, or does not, do what it is told."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.conftest import Sandbox, TestClock
from tests.tools.conftest import AddPhoto, Desk
from tests.tools.publishing.conftest import Engine, Publication, Publish
from tools.context import Doors
from tools.publishing.engine import PostWork

SENDING = [
    pytest.param("drop_after", {}, id="answer dropped after the deed"),
    pytest.param("status_after", {"status": 500}, id="500 although done"),
    pytest.param("status_after", {"status": 503}, id="503 although done"),
    pytest.param("drop_before", {}, id="dropped before the deed"),
    pytest.param("status", {"status": 500}, id="500 and not done"),
]


async def test_a_post_goes_live_with_its_id_and_permalink(publish: Publish, engine: Engine) -> None:
    publication = await publish()
    await engine.until(publication.settled)
    post = await publication.post()
    assert post["status"] == "posted", post["last_error"]
    (live,) = publication.live()
    assert post["platform_post_id"] == live["id"]
    assert post["permalink"] == live["permalink"]
    assert post["attempts"] == 1
    (attempt,) = await publication.attempts()
    assert attempt["state"] == "posted"
    steps = attempt["steps"]
    assert isinstance(steps, list)
    assert [step["step"] for step in steps if step["event"] == "sending"][-2:] == ["publish", "read_permalink"]
    assert "IGAA" not in str(attempt), "a token is in the ledger"


@pytest.mark.parametrize(("kind", "values"), SENDING)
@pytest.mark.parametrize("route", ["instagram.create_container", "instagram.media_publish", "instagram.get_media"])
async def test_an_unclear_answer_never_doubles_a_post(
    publish: Publish,
    engine: Engine,
    sandbox: Sandbox,
    clock: TestClock,
    route: str,
    kind: str,
    values: dict[str, object],
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": route, "kind": kind, "times": 1, **values})

    async def settled() -> bool:
        post = await publication.post()
        if post["status"] == "scheduled":
            clock.shift(timedelta(minutes=1))  # the pause before the next attempt
        return post["status"] not in {"publishing", "scheduled"}

    await engine.until(settled)
    post = await publication.post()
    assert post["status"] == "posted", post["last_error"]
    assert len(publication.live()) == 1


async def test_a_definite_refusal_fails_with_the_networks_words_and_a_way_out(
    publish: Publish, engine: Engine, sandbox: Sandbox
) -> None:
    publication = await publish()
    body = {
        "error": {
            "message": "Application request limit reached for this user: spam.",
            "type": "OAuthException",
            "code": 4,
            "error_subcode": 2207051,
            "fbtrace_id": "x",
        }
    }
    fault = {"route": "instagram.media_publish", "kind": "status", "status": 400, "body": body}
    sandbox.control("POST", "faults", fault)
    await engine.until(publication.settled)
    post = await publication.post()
    assert post["status"] == "failed"
    error = post["last_error"]
    assert isinstance(error, dict)
    assert error["message"]
    assert error["action"]
    assert publication.live() == []


async def test_a_rate_limit_waits_and_counts_no_attempt(publish: Publish, engine: Engine, sandbox: Sandbox) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.create_container", "kind": "rate_limit"})

    async def waits() -> bool:
        return (await publication.post())["status"] == "scheduled"

    await engine.until(waits)
    post = await publication.post()
    assert post["attempts"] == 0
    assert datetime.fromisoformat(str(post["next_attempt_at"])) > datetime.now(UTC)
    assert post["scheduled_for"] is not None


async def test_what_cannot_be_settled_is_left_to_a_person(publish: Publish, engine: Engine, sandbox: Sandbox) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_before", "times": None})
    sandbox.control(
        "POST", "faults", {"route": "instagram.container_status", "kind": "status", "skip": 1, "times": None}
    )
    await engine.until(publication.settled, patience=40)
    post = await publication.post()
    assert post["status"] == "unconfirmed"
    (attempt,) = await publication.attempts()
    assert attempt["state"] == "unconfirmed"
    assert any("looked" in str(step["event"]) for step in attempt["steps"])  # type: ignore[attr-defined]


async def test_a_post_found_too_late_is_missed_and_not_sent(
    desk: Desk, add_photo: AddPhoto, engine: Engine, clock: TestClock, sandbox: Sandbox
) -> None:
    asset = await add_photo()
    result = await desk.act("create_draft", caption="Late", media=[{"asset_id": asset.id}], when="in 10 minutes")
    post = result["post"]
    assert isinstance(post, dict)
    publication = Publication(desk=desk, sandbox=sandbox, post_id=str(post["id"]))
    clock.shift(timedelta(hours=3))  # the grace of these tests is one hour
    await engine.until(publication.settled)
    missed = await publication.post()
    assert missed["status"] == "missed"
    assert missed["scheduled_for"] == post["scheduled_for"]
    assert publication.calls("instagram.create_container") == []
    # It can be moved to a new time, and then goes out.
    await desk.act("move_post", post_id=post["id"], when="in 5 minutes")
    clock.shift(timedelta(hours=3, minutes=6))
    await engine.until(publication.settled)
    assert (await publication.post())["status"] == "posted"


async def test_a_claim_that_was_lost_writes_nothing(publish: Publish, engine: Engine, clock: TestClock) -> None:
    publication = await publish()
    (claim,) = await engine.work.claim(10, sweep=True)
    clock.shift(timedelta(seconds=30))  # the lease of 2 s ends while its owner is paused
    (newer,) = await engine.work.claim(10, sweep=True)
    assert newer.fence == claim.fence + 1
    await engine.work.work(claim)
    assert publication.calls("instagram.create_container") == []
    await engine.work.work(newer)
    await engine.until(publication.settled)
    assert (await publication.post())["status"] == "posted"
    assert len(publication.live()) == 1


async def test_two_engines_publish_a_post_once(publish: Publish, engine: Engine, doors: Doors) -> None:
    publications = [await publish(f"Post {number}") for number in range(4)]
    other = Engine(work=PostWork(doors, asyncio.Event()))

    async def all_settled() -> bool:
        return all([await publication.settled() for publication in publications])

    await asyncio.gather(engine.until(all_settled), other.until(all_settled))
    assert [(await publication.post())["status"] for publication in publications] == ["posted"] * 4
    assert len(publications[0].live()) == 4


async def test_an_approval_that_no_longer_fits_stops_the_worker(
    desk: Desk, publish: Publish, engine: Engine, admin_url: str
) -> None:
    """Reaches inside: no command can change a granted post without making its approval stale, so a row is changed."""
    publication = await publish()
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "update studio.posts set approval = 'granted', approved_hash = 'of something else' where id = %s",
            (publication.post_id,),
        )
    await engine.until(publication.settled)
    post = await publication.post()
    error = post["last_error"]
    assert isinstance(error, dict)
    assert (post["status"], error["code"]) == ("missed", "approval_needed")
    assert publication.live() == []
