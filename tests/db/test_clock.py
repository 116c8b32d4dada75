"""Now is studio_now(), for every statement: a database whose clock was moved writes no other time and claims by it."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from core.errors import InvalidInput
from db.engine import Database
from db.queries import people, publishing, runs
from tests.conftest import NewPrincipal, Sandbox, TestClock
from tests.db.conftest import Admin, Neighbours
from tests.db.filled import fill
from tools.commands import catalog
from tools.context import Caller, Doors, Surface
from tools.dispatcher import Dispatcher

AHEAD = timedelta(days=40)
# Times that come from elsewhere: what the fixture was given by hand, and the evidence of an outward call, which says
# when the process that made the call made it.
NOT_OURS = {"browser_tokens.expires_at", "approvals.expires_at", "publish_attempts.steps.at"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


async def test_every_time_that_is_written_is_the_databases(
    new_workspace: NewPrincipal, doors: Doors, sandbox: Sandbox, clock: TestClock, admin: Admin
) -> None:
    """A whole life of a workspace, 40 days ahead: no column of any table holds a time of the real clock."""
    clock.shift(AHEAD)
    began = datetime.now(UTC) + AHEAD - timedelta(minutes=1)
    filled = await fill(doors, await new_workspace("Later"), sandbox, number=3)
    seen = 0
    for table, rows in admin.everything(filled.workspace_id).items():
        if table.startswith("langgraph."):
            continue
        for row in rows:
            for name, value in _moments(json.loads(row)):
                if f"{table.partition('.')[2]}.{name}" in NOT_OURS:
                    continue
                seen += 1
                assert value >= began, (table, name, value)
    assert seen > 50


def _moments(given: object, path: str = "") -> list[tuple[str, datetime]]:
    """Every time in a row, also within its JSON; a time without a zone is a wall time, which is up to a day away."""
    if isinstance(given, dict):
        return [each for name, value in given.items() for each in _moments(value, f"{path}.{name}".lstrip("."))]
    if isinstance(given, list):
        return [each for value in given for each in _moments(value, path)]
    if isinstance(given, str) and MOMENT.match(given):
        moment = datetime.fromisoformat(given)
        return [(path, moment if moment.tzinfo else moment.replace(tzinfo=UTC) + timedelta(days=1))]
    return []


def test_the_schema_asks_no_other_clock(admin: Admin) -> None:
    other = re.compile(
        r"\b(?<!studio_)now\(\)|current_timestamp|localtime|clock_timestamp|statement_timestamp", re.IGNORECASE
    )
    for row in admin.rows(
        "select c.relname || '.' || a.attname as place, pg_get_expr(d.adbin, d.adrelid) as body from pg_attrdef d"
        " join pg_class c on c.oid = d.adrelid join pg_namespace n on n.oid = c.relnamespace"
        " join pg_attribute a on a.attrelid = c.oid and a.attnum = d.adnum where n.nspname = 'studio'"
        " union all select p.proname, p.prosrc from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname = 'studio' and p.proname <> 'studio_now'"
    ):
        assert not other.search(str(row["body"])), row


async def test_the_past_is_refused_by_the_databases_clock(
    new_workspace: NewPrincipal, doors: Doors, sandbox: Sandbox, clock: TestClock
) -> None:
    filled = await fill(doors, await new_workspace("Later"), sandbox, number=4)
    door = Dispatcher(doors, catalog())
    caller = Caller(principal=filled.principal, surface=Surface.REST, zone="Europe/Madrid")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    clock.shift(timedelta(days=2))
    with pytest.raises(InvalidInput) as refused:
        await door.run("schedule_post", {"post_id": filled.draft_id, "when": tomorrow}, caller)
    assert "past" in refused.value.message.lower()
    result = (await door.run("schedule_post", {"post_id": filled.draft_id, "when": "in 2 hours"}, caller)).result[
        "post"
    ]
    assert isinstance(result, dict)
    planned = datetime.fromisoformat(str(result["scheduled_for"]))
    assert timedelta(0) < planned - (datetime.now(UTC) + timedelta(days=2)) <= timedelta(hours=2)
    # Back in time, what was refused is in the future again.
    clock.shift(timedelta(0))
    await door.run("schedule_post", {"post_id": filled.draft_id, "when": tomorrow}, caller)


async def claimed(database: Database, *, sweep: bool = True) -> set[UUID]:
    since = publishing.Position(due=datetime.min.replace(tzinfo=UTC) if sweep else datetime.now(UTC))
    found = await publishing.claim(database, batch=10, lease=timedelta(seconds=30), since=since)
    return {row.id for row in found.rows}


async def test_claims_are_due_by_the_databases_clock(
    neighbours: Neighbours, database: Database, clock: TestClock
) -> None:
    """Planned in 3 hours: due after 3 hours, leased for 30 s, due again when the lease is over."""
    planned = {UUID(neighbours.ours.planned_id), UUID(neighbours.theirs.planned_id)}
    clock.shift(timedelta(hours=2, minutes=50))
    assert not planned & await claimed(database)
    clock.shift(timedelta(hours=3, minutes=10))
    assert planned <= await claimed(database)
    clock.shift(timedelta(hours=3, minutes=10, seconds=20))
    assert not planned & await claimed(database)
    clock.shift(timedelta(hours=3, minutes=11))
    assert planned <= await claimed(database)


async def test_a_batch_and_a_lower_bound_limit_a_claim(
    neighbours: Neighbours, database: Database, clock: TestClock
) -> None:
    clock.shift(timedelta(hours=4))
    recently = publishing.Position(due=datetime.now(UTC) + timedelta(hours=3, minutes=59))
    late = await publishing.claim(database, batch=10, lease=timedelta(seconds=30), since=recently)
    assert late.rows == []  # due for an hour: only the sweep finds it
    since = publishing.Position(due=datetime.now(UTC))
    one = await publishing.claim(database, batch=1, lease=timedelta(seconds=30), since=since)
    assert len(one.rows) == 1


async def test_many_claim_at_once_and_each_post_is_had_once(
    neighbours: Neighbours, database: Database, admin: Admin, clock: TestClock
) -> None:
    """60 due posts on 20 accounts: each account's turn is had by one of its posts, and each post by one claim."""
    admin.rows(
        "with a as (insert into studio.accounts (id, workspace_id, platform, external_id, handle, status, access_token)"
        " select gen_random_uuid(), workspace_id, platform, 'many-' || n, handle, status, access_token"
        " from studio.accounts, generate_series(1, 20) n where id = %(account)s returning id, workspace_id, platform)"
        " select id from a",
        {"account": neighbours.ours.account_id},
    )
    admin.rows(
        "insert into studio.posts (id, workspace_id, code, account_id, platform, format, status, approval, caption,"
        " scheduled_for, next_attempt_at) select gen_random_uuid(), workspace_id, 'C' || n || external_id, id,"
        " platform, 'image', 'scheduled', 'none', '', now(), now() from studio.accounts, generate_series(1, 3) n"
        " where external_id like 'many-%%' returning id",
        {},
    )

    async def one() -> publishing.Claimed:
        since = publishing.Position(due=datetime.now(UTC) - timedelta(hours=1))
        return await publishing.claim(database, batch=5, lease=timedelta(seconds=30), since=since)

    found = await asyncio.gather(*(one() for _ in range(48)))
    rows = [row for each in found for row in each.rows]
    assert len(rows) == len({row.id for row in rows}) == 20
    assert {row.fence for row in rows} == {1}
    assert sum(each.passed for each in found) == 40
    (turns,) = admin.rows("select count(*) from studio.account_turns where post_id is not null")
    assert turns["count"] == 20


async def test_runs_of_one_thread_are_claimed_one_after_another(
    neighbours: Neighbours, database: Database, admin: Admin, clock: TestClock
) -> None:
    """Of two queued messages the first goes; a lease that ran out is had again, by the same order."""
    made = admin.rows(
        "insert into studio.runs (id, workspace_id, thread_id, user_id, status, text, surface, next_attempt_at)"
        " select lpad(n::text, 32, '0')::uuid, workspace_id, thread_id, user_id, 'queued', 'hi', 'rest', now()"
        " from studio.runs, generate_series(1, 2) n where id = %(run)s returning id",
        {"run": neighbours.ours.run_id},
    )
    first, second = sorted(UUID(str(row["id"])) for row in made)

    async def claim() -> list[UUID]:
        async with database.outside() as session:
            return [row.id for row in await runs.claim(session, batch=10, lease=timedelta(seconds=30))]

    assert await claim() == [first]
    assert await claim() == []
    clock.shift(timedelta(minutes=1))
    assert await claim() == [first]
    admin.rows("update studio.runs set status = 'done' where id = %(id)s returning id", {"id": first})
    assert await claim() == [second]


async def test_a_sign_in_ends_by_the_databases_clock(
    neighbours: Neighbours, database: Database, clock: TestClock
) -> None:
    digest = neighbours.ours.run_id.bytes * 2  # the session that the fixture made, good for a day
    async with database.outside() as session:
        assert await people.find_principal(session, digest) is not None
    clock.shift(timedelta(days=2))
    async with database.outside() as session:
        assert await people.find_principal(session, digest) is None
