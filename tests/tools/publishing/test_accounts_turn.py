"""One publish at a time for each account: the others wait, in their order, and go out right after."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from core.jsontypes import JsonObject
from db.engine import Database
from db.queries import publishing
from db.queries.publishing import Position
from platforms.base import Content, Done, Step
from platforms.instagram.adapter import InstagramAdapter
from tests.conftest import Sandbox, TestClock
from tests.tools.conftest import Desk
from tests.tools.publishing.conftest import Engine, Planned, Publication, Publish
from tools.context import Doors
from tools.publishing.engine import PostWork

LEASE = timedelta(seconds=30)
SECOND = {"platform": "instagram", "external_id": "17841400000000002", "access_token": "IGAA-second-account"}


def captions(publication: Publication) -> list[object]:
    """What is live, in the order in which it went out."""
    return [item["caption"] for item in reversed(publication.live())]


async def states(*publications: Publication) -> list[object]:
    return [(await each.post())["status"] for each in publications]


async def test_posts_of_one_account_go_out_one_after_another_in_their_order(planned: Planned, engine: Engine) -> None:
    third, first, second = [await planned(f"ago {ago}", ago=ago) for ago in (10, 30, 20)]
    for number in (1, 2, 3):
        assert await engine.once() == 1
        assert len(first.live()) == number
    assert await states(first, second, third) == ["posted"] * 3
    assert captions(first) == ["ago 30", "ago 20", "ago 10"]


async def test_while_one_is_prepared_the_others_of_its_account_call_nobody(
    planned: Planned, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    """For as long as the network prepares the first: what waits is shown as planned, and nothing is held against it."""
    slow = {"route": "instagram.create_container", "kind": "slow_processing", "delay_seconds": 3600, "times": 1}
    sandbox.control("POST", "faults", slow)
    first, second = await planned("first", ago=20), await planned("second", ago=10)
    for minutes in (0, 5, 10):
        clock.shift(timedelta(minutes=minutes))
        await engine.once()
    assert await states(first, second) == ["publishing", "scheduled"]
    assert len(first.calls("instagram.create_container")) == 1
    assert (await second.attempts(), (await second.post())["last_error"]) == ([], None)


async def test_one_in_doubt_is_waited_for(planned: Planned, engine: Engine, sandbox: Sandbox, clock: TestClock) -> None:
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_after"})
    fault = {"route": "instagram.container_status", "kind": "status", "skip": 1, "times": None}
    sandbox.control("POST", "faults", fault)
    first, second = await planned("first", ago=20), await planned("second", ago=10)
    await engine.once()
    assert await engine.once() == 0
    assert await states(first, second) == ["publishing", "scheduled"]
    for minutes in (10, 11, 12, 13):  # five looks over five settle times and more: a person is asked
        clock.shift(timedelta(minutes=minutes))
        await engine.once()
    assert await states(first, second) == ["unconfirmed", "scheduled"]
    sandbox.control("DELETE", "faults")
    await engine.until(second.settled)
    assert await states(first, second) == ["unconfirmed", "posted"]


async def test_one_that_tries_later_holds_nobody_up(planned: Planned, engine: Engine, sandbox: Sandbox) -> None:
    sandbox.control("POST", "faults", {"route": "instagram.create_container", "kind": "status", "times": 1})
    first, second = await planned("first", ago=20), await planned("second", ago=10)
    await engine.once()
    assert await engine.once() == 1
    assert await states(first, second) == ["scheduled", "posted"]


async def test_what_is_sent_now_waits_for_its_turn_too(
    publish: Publish, planned: Planned, engine: Engine, sandbox: Sandbox
) -> None:
    slow = {"route": "instagram.create_container", "kind": "slow_processing", "delay_seconds": 3600, "times": 1}
    sandbox.control("POST", "faults", slow)
    await planned("first", ago=20)
    await engine.once()
    now = await publish("now")
    await engine.once()
    assert await now.attempts() == []


async def moved_away(desk: Desk, post_id: str) -> None:
    await desk.act("move_post", post_id=post_id, when="in 2 hours")


async def cancelled(desk: Desk, post_id: str) -> None:
    await desk.act("cancel_post", post_id=post_id)


@pytest.mark.parametrize("deed", [moved_away, cancelled])
async def test_a_turn_that_a_person_takes_away_goes_to_the_next(
    desk: Desk, planned: Planned, engine: Engine, deed: Callable[[Desk, str], Awaitable[None]]
) -> None:
    """Between the claim and the first word of the work: whoever claimed it finds that it is not theirs any more."""
    first, second, third = [await planned(f"ago {ago}", ago=ago) for ago in (30, 20, 10)]
    (claim,) = await engine.work.claim(10, sweep=True)
    assert str(claim.id) == first.post_id
    await deed(desk, second.post_id)  # it waits: nobody's turn changes
    await deed(desk, first.post_id)
    await engine.work.work(claim)
    assert await engine.once() == 1
    assert captions(third) == ["ago 10"]


async def test_a_waiting_post_that_is_edited_keeps_its_place(desk: Desk, planned: Planned, engine: Engine) -> None:
    first, second, third = [await planned(f"ago {ago}", ago=ago) for ago in (30, 20, 10)]
    (claim,) = await engine.work.claim(10, sweep=True)
    await desk.act("edit_draft", post_id=second.post_id, caption="edited")
    assert await engine.work.claim(10, sweep=False) == []
    await engine.work.work(claim)
    while await engine.once():
        pass
    assert captions(third) == ["ago 30", "edited", "ago 10"]
    assert await states(first, second, third) == ["posted"] * 3


async def test_accounts_do_not_wait_for_each_other(
    desk: Desk, planned: Planned, engine: Engine, sandbox: Sandbox
) -> None:
    sandbox.control("POST", "accounts", {**SECOND, "handle": "second", "login": "instagram"})
    slow = {"route": "instagram.create_container", "kind": "slow_processing", "delay_seconds": 3600, "times": 1}
    first = await planned("first", ago=20)
    sandbox.control("POST", "faults", slow)
    await engine.once()
    await desk.act("connect_account", **SECOND, metadata={"login": "instagram"})
    other = await planned("other", ago=10, account_id="@second")
    await engine.until(other.settled)
    assert await states(first, other) == ["publishing", "posted"]


async def test_processes_that_claim_at_the_same_moment_never_have_two_of_one_account(
    planned: Planned, database: Database, admin_url: str
) -> None:
    """60 posts of 3 accounts, claimed and ended by 8 at once: of an account never two are on their way."""
    publication = await planned("copied", ago=10)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "with a as (insert into studio.accounts"
            "  (id, workspace_id, platform, external_id, handle, status, access_token)"
            "  select gen_random_uuid(), workspace_id, platform, 'x' || n, handle, status, access_token"
            "  from studio.accounts, generate_series(1, 3) n returning id, workspace_id)"
            " insert into studio.posts (id, workspace_id, code, account_id, platform, format, status, approval,"
            "  caption, scheduled_for, next_attempt_at)"
            " select gen_random_uuid(), a.workspace_id, 'X' || n || a.id, a.id, 'instagram', 'image', 'scheduled',"
            "  'none', '', now() - n * interval '1 s', now() - n * interval '1 s'"
            " from a, generate_series(1, 20) n"
        )
    on_their_way: set[UUID] = set()
    order: dict[UUID, list[datetime]] = {}
    ended = 0

    async def ended_one(row: publishing.ClaimedRow) -> None:
        async with database.session(row.workspace_id) as session:
            connection = await session.connection()
            found = await connection.exec_driver_sql(
                "select account_id, scheduled_for from posts where id = %s", (row.id,)
            )
            values = found.mappings().one()
            account_id, scheduled_for = values["account_id"], values["scheduled_for"]
            assert account_id not in on_their_way
            on_their_way.add(account_id)
            order.setdefault(account_id, []).append(scheduled_for)
        async with database.session(row.workspace_id) as session:
            connection = await session.connection()
            await connection.exec_driver_sql("update posts set status = 'publishing' where id = %s", (row.id,))
            on_their_way.discard(account_id)
            await connection.exec_driver_sql(
                "update posts set status = 'posted', next_attempt_at = null where id = %s", (row.id,)
            )

    async def worker() -> None:
        nonlocal ended
        while ended < 61:
            since = Position(due=datetime(2010, 1, 1, tzinfo=UTC))
            found = await publishing.claim(database, batch=5, lease=LEASE, since=since)
            for row in found.rows:
                await ended_one(row)
                ended += 1

    async with asyncio.timeout(30):
        await asyncio.gather(*(worker() for _ in range(8)))
    assert ended == 61
    assert all(times == sorted(times) for times in order.values())
    assert (await publication.post())["status"] == "posted"


async def test_a_process_that_wakes_after_its_lease_hands_no_turn_on(
    planned: Planned, engine: Engine, doors: Doors, clock: TestClock, admin_url: str
) -> None:
    """It was paused with the first claimed; another has claimed it again: what the sleeper does changes nothing."""
    first, second = await planned("first", ago=20), await planned("second", ago=10)
    (slept,) = await engine.work.claim(10, sweep=True)
    clock.shift(timedelta(minutes=1))
    other = PostWork(doors, asyncio.Event())
    (claim,) = await other.claim(10, sweep=True)
    assert claim.id == slept.id == UUID(first.post_id)
    before = turns(admin_url)
    await engine.work.work(slept)
    assert (turns(admin_url), first.live()) == (before, [])
    await other.work(claim)
    await engine.until(second.settled)
    assert captions(first) == ["first", "second"]


def turns(admin_url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        return connection.execute("select account_id, post_id, hold_until from studio.account_turns").fetchall()


async def test_a_turn_that_nobody_was_given_is_found_by_the_sweep(
    planned: Planned, engine: Engine, admin_url: str
) -> None:
    """Whatever went wrong: what waits although it is nobody's turn goes out within half a minute."""
    first, second = await planned("first", ago=20), await planned("second", ago=10)
    (claim,) = await engine.work.claim(10, sweep=True)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("update studio.account_turns set post_id = null")
        connection.execute("alter table studio.posts disable trigger hand_turn_on")
    await engine.work.work(claim)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("alter table studio.posts enable trigger hand_turn_on")
    assert await engine.work.claim(10, sweep=False) == []
    await engine.until(second.settled)
    assert await states(first, second) == ["posted", "posted"]


async def test_every_account_has_a_turn_from_the_beginning(planned: Planned, admin_url: str) -> None:
    await planned("one")
    with psycopg.connect(admin_url, autocommit=True) as connection:
        rows: Mapping[str, int] = dict(
            connection.execute(
                "select 'accounts', count(*) from studio.accounts"
                " union all select 'turns', count(*) from studio.account_turns"
            ).fetchall()
        )
    assert rows["accounts"] == rows["turns"] > 0


class Broken(InstagramAdapter):
    """An adapter with a mistake in it, that one content meets."""

    def next_step(self, content: Content, progress: JsonObject) -> Step | Done:
        if content.caption == "broken":
            raise KeyError("a mistake")
        return super().next_step(content, progress)


async def test_a_mistake_in_our_own_code_ends_with_the_grace_and_the_account_goes_on(
    planned: Planned, doors: Doors, clock: TestClock, caplog: pytest.LogCaptureFixture
) -> None:
    """What bounds the longest turn of all: nobody can end the post otherwise, and everybody waits behind it."""
    settings = doors.settings
    adapter = Broken(
        facebook_graph_url=settings.facebook_graph_url,
        instagram_graph_url=settings.instagram_graph_url,
        upload_url=settings.meta_upload_url,
    )
    engine = Engine(work=PostWork(replace(doors, adapters={"instagram": adapter}), asyncio.Event()))
    broken, second = await planned("broken", ago=settings.publish_grace - 60), await planned("second", ago=10)
    await engine.once()
    assert await states(broken, second) == ["scheduled", "scheduled"]
    clock.shift(timedelta(minutes=2))
    await engine.until(second.settled)
    assert await states(broken, second) == ["failed", "posted"]
    assert "unforeseen" in str((await broken.post())["last_error"])
    await adapter.aclose()


async def test_the_end_of_a_post_wakes_the_clock_for_those_that_wait(planned: Planned, doors: Doors) -> None:
    """So that the next one need not wait for a tick; without others, nobody is woken."""
    woken: list[str] = []

    def wake(topic: str) -> None:
        woken.append(topic)

    engine = Engine(work=PostWork(replace(doors, wake=wake), asyncio.Event()))
    await planned("first", ago=20)
    await planned("second", ago=10)
    await engine.once()
    assert woken == ["posts"]
    await engine.once()
    assert woken == ["posts"]
