"""No statement of every day reads a whole workspace, under row-level security: what PostgreSQL plans for 30,000 posts.

Row-level security hides the rows from operators that could leak them, and with that takes indexes away silently
(coalesce() is such a case): so the plans are looked at, for the statements as the application sends them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncSession

from core.ids import new_id
from db.engine import Database
from db.models.post import Post, Status
from db.queries import approvals, calls, experiments, plans, posts, publishing, runs, threads
from db.queries.posts import PostFilter
from tests.db.conftest import Admin, Neighbours

NOW = datetime.now(UTC)
WEEK = PostFilter(statuses=["scheduled", "publishing", "posted"], start=NOW, end=NOW + timedelta(days=7))
PLANNED = PostFilter(statuses=["scheduled"])
DRAFTS = PostFilter(statuses=["draft"])

# One workspace holds 20,000 of the 30,000 posts; one of 20 is still to come, as in a life of some years.
_MANY = """
insert into studio.posts (id, workspace_id, code, account_id, platform, format, status, approval, caption,
  scheduled_for, next_attempt_at, published_at, created_by)
select gen_random_uuid(), p.workspace_id, 'N' || n, p.account_id, p.platform, p.format, s.status, 'none',
  'Espresso ' || n, t.at, case when s.status = 'scheduled' then t.at end, case when s.status = 'posted' then t.at end,
  p.created_by
from studio.posts p cross join generate_series(1, %(many)s) n
cross join lateral (select now() + (n %% 20000 - 19000) * interval '1 hour' as at) t
cross join lateral (select case when n %% 50 = 0 then 'draft' when t.at > now() then 'scheduled' else 'posted' end
  as status) s
where p.id = %(post)s returning 1
"""
_CALLS = """
insert into studio.tool_calls (id, workspace_id, command, args, args_hash, result, user_id, surface, run_id, changes)
select gen_random_uuid(), workspace_id, 'edit_draft', '{}', '', '{}', created_by, 'agent', gen_random_uuid(),
  jsonb_build_array(jsonb_build_object('post_id', id)) from studio.posts returning 1
"""


@pytest.fixture
def many(admin: Admin, neighbours: Neighbours) -> None:
    """30,000 posts and as many recorded calls."""
    for filled, number in ((neighbours.ours, 20_000), (neighbours.theirs, 10_000)):
        admin.rows(_MANY, {"many": number, "post": filled.draft_id})
    admin.connection.execute(_CALLS)  # no parameters: its braces are JSON
    admin.connection.execute("analyze studio.posts, studio.tool_calls")


@dataclass(kw_only=True)
class Watched:
    """What statements of a session were, to be explained afterwards."""

    sent: list[tuple[str, object]] = field(default_factory=list)


@contextmanager
def watching(database: Database) -> Iterator[Watched]:
    watched = Watched()

    def note(_connection: Connection, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "set_config" not in statement:
            watched.sent.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield watched
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def read_rows(session: AsyncSession, statement: str, parameters: object) -> tuple[int, str]:
    """How many rows of posts and calls PostgreSQL touches for a statement, and its plan."""
    connection = await session.connection()
    answer = await connection.exec_driver_sql(f"explain (analyze, costs off, timing off) {statement}", parameters)  # type: ignore[arg-type]
    lines = [str(row[0]) for row in answer]
    touched = 0
    for line in lines:
        if " on posts" in line or " on tool_calls" in line:
            touched += round(float(line.partition("rows=")[2].split(" ")[0]))
        if "Rows Removed by Filter" in line:
            touched += int(float(line.rpartition(":")[2]))
    return touched, "\n".join(lines)


Ask = Callable[[AsyncSession, Neighbours], Awaitable[object]]


async def a_post(session: AsyncSession, of: Neighbours) -> Post:
    post = await posts.get(session, UUID(of.ours.planned_id))
    assert post is not None
    return post


async def near(session: AsyncSession, of: Neighbours) -> object:
    return await posts.neighbours(session, await a_post(session, of), NOW, within=timedelta(minutes=15))


STATEMENTS: dict[str, Ask] = {
    "newest": lambda s, _: posts.page(s, PostFilter(), limit=21, after=None, by_time=False),
    "newest, page 2": lambda s, _: posts.page(s, PostFilter(), limit=21, after=(None, new_id()), by_time=False),
    "drafts": lambda s, _: posts.page(s, DRAFTS, limit=21, after=None, by_time=False),
    "calendar": lambda s, _: posts.page(s, WEEK, limit=21, after=None, by_time=True),
    "calendar, page 2": lambda s, _: posts.page(s, WEEK, limit=21, after=(NOW, new_id()), by_time=True),
    "calendar, count": lambda s, _: posts.count(s, WEEK),
    "planned": lambda s, _: posts.page(s, PLANNED, limit=21, after=None, by_time=True),
    "by code": lambda s, of: posts.by_code(s, of.ours.draft_code),
    "by id": lambda s, of: posts.get(s, UUID(of.ours.draft_id)),
    "last draft": lambda s, _: posts.newest(s, statuses=[Status.DRAFT]),
    "last failed": lambda s, _: posts.newest(s, statuses=[Status.FAILED]),
    "last of mine": lambda s, of: posts.newest(s, user_id=of.ours.principal.user_id),
    "neighbours": near,
    "taken": lambda s, of: posts.taken_times(s, UUID(of.ours.account_id), NOW, NOW + timedelta(days=20)),
    "plan": lambda s, of: plans.get(s, UUID(of.ours.plan_id)),
    "last plan": lambda s, of: plans.newest(s, user_id=of.ours.principal.user_id),
    "items of a plan": lambda s, of: plans.items_of(s, UUID(of.ours.plan_id)),
    "release": lambda s, of: plans.release(s, UUID(of.ours.planned_id)),
    "variants": lambda s, of: experiments.variants_of(s, UUID(of.ours.experiment_id)),
    "call by key": lambda s, _: calls.by_key(s, "k"),
    "last turn": lambda s, of: calls.last_turn(s, user_id=of.ours.principal.user_id, thread_id=None, run_id=None),
    "last turn of a thread": lambda s, of: calls.last_turn(
        s, user_id=of.ours.principal.user_id, thread_id=of.ours.thread_id, run_id=None
    ),
    "calls of a post": lambda s, of: calls.touching_post(s, UUID(of.ours.draft_id)),
    "threads": lambda s, _: threads.page(s, after=None, limit=50),
    "runs of a thread": lambda s, of: runs.unfinished(s, of.ours.thread_id),
    "approvals": lambda s, _: approvals.page(s, status="pending", after=None, limit=50),
}


@pytest.fixture
async def session(database: Database, neighbours: Neighbours, many: None) -> AsyncIterator[AsyncSession]:
    async with database.session(neighbours.ours.workspace_id) as opened:
        yield opened


async def test_statements_touch_what_they_answer(
    session: AsyncSession, database: Database, neighbours: Neighbours
) -> None:
    """A page of 21 rows, a day's times, 500 calls at most: never the 20,000 posts of the workspace."""
    for name, ask in STATEMENTS.items():
        with watching(database) as watched:
            await ask(session, neighbours)
        assert watched.sent, name
        for statement, parameters in watched.sent:
            touched, plan = await read_rows(session, statement.replace("FOR UPDATE", ""), parameters)
            # The largest answers: 20 days of an hourly account (480 rows), 500 calls (twice: the scan, and its filter).
            assert touched <= 1_100, f"{name} touches {touched} rows:\n{plan}"


async def test_a_claim_touches_what_it_claims(database: Database, admin: Admin, many: None) -> None:
    """Through the narrow function no plan is shown: its statement is explained, as the role that owns the function."""
    body = str(admin.rows("select prosrc from pg_proc where proname = 'claim_posts'")[0]["prosrc"])
    statement = body.replace("coalesce(wide, batch)", "20").replace("limit batch", "limit 20")
    statement = statement.replace("+ lease", "+ interval '30 s'")
    admin.connection.execute("update studio.posts set next_attempt_at = now() where status = 'scheduled'")
    admin.connection.execute("analyze studio.posts")
    admin.rows("select set_config('role', 'studio_claim', false), set_config('search_path', 'studio', false)")
    for since in ("'-infinity'::timestamptz", "now() - interval '1 minute'"):
        from_there = statement.replace("(since, after)", f"({since}, '{UUID(int=0)}')").replace("since <", f"{since} <")
        plan = [str(row["QUERY PLAN"]) for row in admin.rows(f"explain (analyze, costs off, timing off) {from_there}")]
        assert any("posts_due" in line for line in plan), "\n".join(plan)
        for table in ("posts", "account_turns"):
            assert not any(f"Seq Scan on {table}" in line and "never executed" not in line for line in plan), "\n".join(
                plan
            )


async def test_a_busy_account_with_thousands_of_due_posts_is_passed_over_once(
    database: Database, neighbours: Neighbours, admin: Admin, many: None
) -> None:
    """They stand in front of the posts of somebody else: those are claimed at once, and each is met by one claim."""
    ours, theirs = (UUID(each.account_id) for each in (neighbours.ours, neighbours.theirs))
    admin.connection.execute("update studio.posts set status = 'draft' where status <> 'draft'")
    for account, ago, posts_of_it in ((ours, "2 hours", 3_000), (theirs, "1 hour", 1)):
        admin.rows(
            "update studio.posts set status = 'scheduled', scheduled_for = studio.studio_now() - %(ago)s::interval,"
            " next_attempt_at = studio.studio_now() - %(ago)s::interval where id in"
            " (select id from studio.posts where account_id = %(account)s limit %(many)s) returning 1",
            {"ago": ago, "account": account, "many": posts_of_it},
        )
    admin.connection.execute("analyze studio.posts")

    async def look(since: publishing.Position, wide: int) -> publishing.Claimed:
        lease = timedelta(seconds=30)
        return await publishing.claim(database, batch=5, lease=lease, since=since, wide=wide)

    beginning = publishing.Position(due=NOW - timedelta(days=1))
    looks = [await look(beginning, 500) for _ in range(7)]
    assert [each.passed for each in looks] == [499, 500, 500, 500, 500, 500, 0]
    assert [row.workspace_id for each in looks for row in each.rows] == [
        neighbours.ours.workspace_id,
        neighbours.theirs.workspace_id,
    ]
    (left,) = admin.rows("select count(*) from studio.posts where waits", {})
    assert left["count"] == 2_999
