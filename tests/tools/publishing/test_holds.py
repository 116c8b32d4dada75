"""A network's limit holds its account until the time that it named: all that is due waits, and nobody else does."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from db.queries.publishing import Ending
from platforms.base import Step
from tests.conftest import Sandbox, TestClock
from tests.tools.conftest import Desk
from tests.tools.publishing.conftest import Engine, Planned, Publication, Publish
from tests.tools.publishing.test_accounts_turn import SECOND, captions, states
from tests.tools.publishing.test_limits import code_of
from tools.context import Doors
from tools.publishing.engine import PostWork
from tools.publishing.job import Changed, new_reader, take_up
from tools.publishing.ledger import Ledger, LostLease

USAGE = (
    '{"17841400000000001": [{"type": "instagram", "call_count": 100, "total_cputime": 25, "total_time": 25,'
    ' "estimated_time_to_regain_access": 19}]}'
)


def limited(sandbox: Sandbox, headers: dict[str, str], route: str = "instagram.create_container") -> None:
    fault = {"route": route, "kind": "status", "status": 429, "headers": headers, "times": 1}
    sandbox.control("POST", "faults", fault)


async def wait_of(publication: Publication) -> timedelta:
    return datetime.fromisoformat(str((await publication.post())["next_attempt_at"])) - datetime.now(UTC)


@pytest.mark.parametrize(
    ("headers", "minutes"), [({"Retry-After": "1800"}, 30), ({"X-Business-Use-Case-Usage": USAGE}, 19)]
)
async def test_a_limit_holds_all_that_is_due_on_the_account(
    planned: Planned, engine: Engine, sandbox: Sandbox, clock: TestClock, headers: dict[str, str], minutes: int
) -> None:
    """Also what becomes due before the hold ends; not what is planned for later. Then all go out in their order."""
    first, second, third = [await planned(f"ago {ago}", ago=ago) for ago in (30, 20, 10)]
    soon, later = await planned("soon", ago=-300), await planned("later", ago=-7200)
    limited(sandbox, headers)
    assert await engine.once() == 1
    for held in (first, second, third, soon):
        post = await held.post()
        assert (post["status"], code_of(post), post["attempts"]) == ("scheduled", "rate_limited", 0)
        assert timedelta(minutes=minutes - 1) < await wait_of(held) <= timedelta(minutes=minutes)
    error = (await second.post())["last_error"]
    assert isinstance(error, dict)
    assert f"{datetime.now(UTC) + timedelta(minutes=minutes):%H:}" in error["action"]
    assert (await later.post())["last_error"] is None
    clock.shift(timedelta(minutes=minutes - 1))
    assert await engine.once() == 0
    clock.shift(timedelta(minutes=minutes, seconds=5))
    await engine.until(soon.settled)
    assert captions(first) == ["ago 30", "ago 20", "ago 10", "soon"]
    assert (await second.post())["last_error"] is None
    assert len(await first.attempts()) == 2
    assert len(await second.attempts()) == 1


async def test_a_limit_of_one_account_holds_up_no_other(
    desk: Desk, planned: Planned, engine: Engine, sandbox: Sandbox
) -> None:
    first = await planned("first", ago=20)
    limited(sandbox, {"Retry-After": "1800"})
    await engine.once()
    sandbox.control("POST", "accounts", {**SECOND, "handle": "second", "login": "instagram"})
    await desk.act("connect_account", **SECOND, metadata={"login": "instagram"})
    other = await planned("other", ago=10, account_id="@second")
    await engine.once()
    assert await states(first, other) == ["scheduled", "posted"]


async def test_what_is_sent_while_an_account_is_held_waits_for_the_end_of_it(
    desk: Desk, publish: Publish, planned: Planned, engine: Engine, sandbox: Sandbox, clock: TestClock
) -> None:
    """Also when whoever met the limit is cancelled meanwhile: the hold is the account's."""
    first = await planned("first", ago=20)
    limited(sandbox, {"Retry-After": "1800"})
    await engine.once()
    now = await publish("now")
    assert await engine.once() == 0
    await desk.act("cancel_post", post_id=first.post_id)
    assert await engine.once() == 0
    another = await publish("another")
    assert await engine.once() == 0
    for each in (now, another):
        assert timedelta(minutes=29) < await wait_of(each) <= timedelta(minutes=30)
    clock.shift(timedelta(minutes=31))
    await engine.until(another.settled)
    assert captions(now) == ["now", "another"]


async def test_a_process_that_wakes_after_its_lease_holds_nobody(
    planned: Planned, engine: Engine, doors: Doors, clock: TestClock, admin_url: str
) -> None:
    """Fenced: neither the hold, nor the use of a quota, nor the end of the attempt is written."""
    await planned("second", ago=10)
    first = await planned("first", ago=20)
    (slept,) = await engine.work.claim(10, sweep=True)
    job = await take_up(doors, new_reader(doors.database), slept)
    assert job is not None
    clock.shift(timedelta(minutes=1))
    (claim,) = await PostWork(doors, asyncio.Event()).claim(10, sweep=True)
    assert claim.id == slept.id == UUID(first.post_id)
    ledger, before = Ledger(doors.database), everything(admin_url)
    error: dict[str, object] = {"code": "rate_limited", "message": "Slow down."}
    ending = Ending(
        attempt_state="retry", post_status="scheduled", error=error, next_attempt_in=timedelta(hours=1), counts=False
    )
    step = job.adapter.next_step(job.content, {})
    assert isinstance(step, Step)
    for deed in (ledger.end_and_hold(job, ending), ledger.begin(job, step, {})):
        with pytest.raises((LostLease, Changed)):
            await deed
    assert everything(admin_url) == before


def everything(admin_url: str) -> list[object]:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        return [
            connection.execute(f"select to_jsonb(t) from studio.{table} t order by 1").fetchall()
            for table in ("posts", "publish_attempts", "account_turns", "quota_uses", "accounts")
        ]
