"""Nothing goes out twice: late answers, wrong answers, changes in between, and a live post that is asked about."""

from datetime import timedelta

import pytest

from core.errors import Conflict
from tests.conftest import Sandbox, TestClock
from tests.tools.conftest import AddPhoto, Desk
from tests.tools.publishing.conftest import Engine, Publication, Publish

REFUSAL = {"error": {"message": "The aspect ratio is not supported.", "code": 36003, "error_subcode": 2207009}}


async def settle(engine: Engine, publication: Publication, clock: TestClock, *, ahead: timedelta) -> dict[str, object]:
    """Run until the post is somewhere final, moving the clock over every pause before a next attempt."""

    async def settled() -> bool:
        nonlocal ahead
        status = (await publication.post())["status"]
        if status == "scheduled":
            ahead += timedelta(minutes=1)
            clock.shift(ahead)
        return status not in {"publishing", "scheduled"}

    await engine.until(settled)
    return await publication.post()


async def test_a_live_post_is_not_open_to_edits_while_its_address_is_asked_for(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.get_media", "kind": "status", "times": None})
    await engine.once()
    assert len(publication.live()) == 1
    assert (await publication.post())["status"] == "publishing"
    with pytest.raises(Conflict):
        await desk.act("edit_draft", post_id=publication.post_id, caption="Other words")
    sandbox.control("DELETE", "faults")
    clock.shift(timedelta(minutes=1))
    await engine.until(publication.settled)
    post = await publication.post()
    (live,) = publication.live()
    assert (post["status"], post["platform_post_id"], post["permalink"]) == ("posted", live["id"], live["permalink"])


async def test_an_address_that_is_never_told_keeps_no_live_post_waiting(
    publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.get_media", "kind": "status", "times": None})
    for minutes in range(0, 600, 30):
        clock.shift(timedelta(minutes=minutes))
        await engine.once()
    post = await publication.post()
    assert (post["status"], post["permalink"]) == ("posted", None)
    assert [post["platform_post_id"]] == [live["id"] for live in publication.live()]


async def test_a_token_that_dies_while_we_look_does_not_make_the_post_a_failure(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_after"})
    sandbox.control(
        "POST", "faults", {"route": "instagram.container_status", "kind": "expired_token", "skip": 1, "times": None}
    )
    await engine.until(publication.settled, patience=40)
    assert len(publication.live()) == 1
    assert (await publication.post())["status"] == "unconfirmed"


async def test_a_post_is_found_when_the_account_is_connected_again_in_time(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_after"})
    sandbox.control(
        "POST", "faults", {"route": "instagram.container_status", "kind": "expired_token", "skip": 1, "times": 2}
    )
    await engine.until(publication.settled, patience=40)
    post = await publication.post()
    assert (post["status"], post["platform_post_id"]) == ("posted", publication.live()[0]["id"])


async def test_a_network_that_fails_for_good_is_not_hammered(
    publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "status", "times": None})

    async def given_up_for_now() -> bool:
        return (await publication.post())["status"] == "scheduled"

    await engine.until(given_up_for_now)
    post = await publication.post()
    assert len(publication.calls("instagram.media_publish")) == 2  # the first, and one more after looking
    assert post["attempts"] == 1
    assert post["last_error"]
    sandbox.control("DELETE", "faults")
    post = await settle(engine, publication, clock, ahead=timedelta(0))
    assert post["status"] == "posted", post["last_error"]
    assert len(publication.live()) == 1
    assert len(publication.calls("instagram.create_container")) == 1  # what was prepared was carried on


async def test_a_late_first_call_and_an_edit_do_not_make_two_posts(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    """The first call lands 1.5 s late (less than the settle time), the second is refused, and a person is quick."""
    publication = await publish()
    for fault in ({"kind": "drop_late", "delay_seconds": 1.5}, {"kind": "rate_limit"}):
        sandbox.control("POST", "faults", {"route": "instagram.media_publish", **fault})
    await engine.once()
    with pytest.raises(Conflict) as refused:
        await desk.act("edit_draft", post_id=publication.post_id, caption="Other words")
    assert refused.value.code == "post_publishing"
    post = await settle(engine, publication, clock, ahead=timedelta(0))
    assert post["status"] == "posted", post["last_error"]
    assert len(publication.live()) == 1


@pytest.mark.parametrize(
    ("status", "body"), [pytest.param(400, REFUSAL, id="refused"), pytest.param(429, None, id="too many calls")]
)
async def test_a_refusal_of_what_was_done_all_the_same_is_seen_through(
    publish: Publish, engine: Engine, sandbox: Sandbox, status: int, body: object
) -> None:
    publication = await publish()
    fault = {"route": "instagram.media_publish", "kind": "status_after", "status": status, "body": body}
    sandbox.control("POST", "faults", fault)
    await engine.once()
    post = await publication.post()
    assert post["status"] == "posted", post["last_error"]
    assert [post["platform_post_id"]] == [live["id"] for live in publication.live()]


async def planned(desk: Desk, add_photo: AddPhoto, sandbox: Sandbox, when: str = "in 10 minutes") -> Publication:
    asset = await add_photo()
    post = (await desk.act("create_draft", caption="Planned", media=[{"asset_id": asset.id}], when=when))["post"]
    assert isinstance(post, dict)
    return Publication(desk=desk, sandbox=sandbox, post_id=str(post["id"]))


async def test_a_post_moved_between_claim_and_work_is_not_sent(
    desk: Desk, add_photo: AddPhoto, sandbox: Sandbox, engine: Engine, clock: TestClock
) -> None:
    publication = await planned(desk, add_photo, sandbox)
    clock.shift(timedelta(minutes=11))
    (claim,) = await engine.work.claim(10, sweep=True)
    await desk.act("move_post", post_id=publication.post_id, when="in 2 days")
    await engine.work.work(claim)
    assert (await publication.post())["status"] == "scheduled"
    assert publication.calls("instagram.create_container") == []
    assert await engine.work.claim(10, sweep=True) == []


async def test_a_move_taken_back_between_claim_and_work_sends_nothing(
    desk: Desk, add_photo: AddPhoto, sandbox: Sandbox, engine: Engine, clock: TestClock
) -> None:
    publication = await planned(desk, add_photo, sandbox, when="in 2 days")
    await desk.act("move_post", post_id=publication.post_id, when="in 10 minutes")
    clock.shift(timedelta(minutes=11))
    (claim,) = await engine.work.claim(10, sweep=True)
    await desk.act("undo")
    await engine.work.work(claim)
    assert (await publication.post())["status"] == "scheduled"
    assert publication.calls("instagram.create_container") == []
    assert await engine.work.claim(10, sweep=True) == []


async def test_how_old_a_call_is_goes_by_the_databases_clock(
    publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    """This machine's clock is three hours behind the database's: a call just made is not taken for an old one."""
    clock.shift(timedelta(hours=3))
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_before"})
    sandbox.control("POST", "faults", {"route": "instagram.container_status", "kind": "status", "skip": 1, "times": 2})
    await engine.until(publication.settled)
    post = await publication.post()
    assert post["status"] == "posted", post["last_error"]


async def test_what_a_crash_left_half_done_is_not_sent_days_later(
    publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    publication = await publish()
    sandbox.control(
        "POST", "faults", {"route": "instagram.create_container", "kind": "slow_processing", "delay_seconds": 1}
    )
    await engine.once()
    assert (await publication.post())["status"] == "publishing"
    clock.shift(timedelta(days=2))
    await engine.until(publication.settled)
    post = await publication.post()
    error = post["last_error"]
    assert isinstance(error, dict)
    assert (post["status"], error["code"]) == ("failed", "too_late")
    assert publication.live() == []


async def test_one_look_that_fails_after_an_outage_is_not_the_last(
    publish: Publish, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    """The machine was off for longer than anybody looks, and the network is not there at once when it is back."""
    publication = await publish()
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_late", "delay_seconds": 600})
    sandbox.control("POST", "faults", {"route": "instagram.container_status", "kind": "status", "times": 2, "skip": 1})
    await engine.once()
    sandbox.control("DELETE", "faults?route=instagram.media_publish")
    clock.shift(timedelta(hours=1))
    await engine.once()
    assert (await publication.post())["status"] == "publishing"
    await engine.until(publication.settled)
    post = await publication.post()
    assert (post["status"], post["platform_post_id"]) == ("posted", publication.live()[0]["id"])
