"""How fast due posts are claimed: in tables of every size, under an idle snapshot, and behind a blocked account.

Each scenario claims and ends posts on a throw-away PostgreSQL. Told is the time of a claim alone, as a ratio to the
first size, and what PostgreSQL computed for it (without waiting for the disk or a free core).

Run: .venv/bin/python -m bench.claims [--sizes 10000 100000 1000000] [--due 10000] [--batch 10]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from sqlalchemy import text

from db import migrate
from db.embedded.cluster import Cluster, start
from db.engine import Database
from db.queries import publishing
from db.queries.publishing import Position

_LEASE = timedelta(minutes=10)
_BEGINNING = Position(due=datetime(2000, 1, 1, tzinfo=UTC))
_ACCOUNTS = 10_000

_PEOPLE = """
insert into workspaces (id, name, timezone) values ('00000000-0000-7000-8000-000000000001', 'Bench', 'UTC');
insert into accounts (id, workspace_id, platform, external_id, handle, status, access_token)
  select gen_random_uuid(), w.id, 'instagram', n::text, 'a' || n, 'connected', decode(repeat('00', 200), 'hex')
  from workspaces w, generate_series(1, %(accounts)s) n;
"""
# Most posts are history, as in a life of some years; those that are due have been for an hour at most.
_POSTS = """
insert into posts (id, workspace_id, code, account_id, platform, format, status, approval, caption, scheduled_for,
                   next_attempt_at, published_at)
select gen_random_uuid(), a.workspace_id, %(code)s || n, a.id, a.platform, 'image', %(status)s, 'none',
       repeat('Espresso ', 20), t.at, case when %(status)s = 'scheduled' then t.at end,
       case when %(status)s = 'posted' then t.at end
from generate_series(1, %(posts)s) n
join accounts a on a.external_id = (1 + n %% %(spread)s)::text
cross join lateral (select studio_now() - %(begin)s + n * %(begin)s / %(posts)s as at) t
"""
_FINISH = "update posts set status = 'posted', next_attempt_at = null, lease_until = null where id = any(:ids)"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Claims of a scenario: how many posts, in how many seconds altogether, and each claim's milliseconds.

    ``computed``: the milliseconds that PostgreSQL's process was on a core for each claim.
    """

    posts: int
    seconds: float
    claims: list[float]
    computed: list[float]

    def line(self, name: str, baseline: "Measured | None") -> str:
        """One line of the table, as ratios to a baseline."""
        base = baseline or self
        p50, p99 = statistics.median(self.claims), statistics.quantiles(self.claims, n=100)[98]
        core, base_core = statistics.median(self.computed), statistics.median(base.computed)
        return (
            f"{name:38} {self.posts / self.seconds:7,.0f} posts/s   p50 {p50:5.2f} ms"
            f" ({p50 / statistics.median(base.claims):4.2f} x)   p99 {p99:6.2f} ms"
            f"   computed p50 {core:5.2f} ms ({core / base_core:4.2f} x)"
        )


class Bench:
    """A throw-away database, its owner's connection and the application's."""

    def __init__(self, cluster: Cluster, url: str, batch: int) -> None:
        self.cluster, self.url, self.batch = cluster, url, batch
        self.admin = psycopg.connect(url, autocommit=True, options="-c search_path=studio -c synchronous_commit=off")
        self.database = Database(url, pool_size=1)

    def fill(self, posts: int, *, status: str, code: str, spread: int = _ACCOUNTS, hours: float = 1.0) -> None:
        """Add posts that are spread over the past hours, and over the first ``spread`` accounts."""
        values = {"posts": posts, "status": status, "code": code, "spread": spread, "begin": timedelta(hours=hours)}
        self.admin.execute(_POSTS, values)
        self.admin.execute("analyze posts, accounts, account_turns")

    def reset(self, due: int) -> None:
        """Make history of what is due, and ``due`` posts due."""
        self.admin.execute("delete from posts where code not like 'H%'")
        self.admin.execute("update account_turns set post_id = null, hold_until = null")
        self.admin.execute("vacuum (analyze) posts, account_turns")
        self.fill(due, status="scheduled", code="D")

    async def work_off(self, posts: int) -> Measured:
        """Claim and end until this many posts went through, each look beginning where the last one ended."""
        claims: list[float] = []
        computed: list[float] = []
        backend = await self._backend()
        done, since, begun = 0, _BEGINNING, time.perf_counter()
        while done < posts:
            start_of_claim, used = time.perf_counter(), _on_core(backend)
            found = await publishing.claim(self.database, batch=self.batch, lease=_LEASE, since=since)
            claims.append(1000 * (time.perf_counter() - start_of_claim))
            computed.append(_on_core(backend) - used)
            if found.last is None:
                since = Position(due=datetime.now(UTC) - timedelta(minutes=1))
                if not await self._anything_due():
                    break
                continue
            since = found.last
            if found.rows:
                async with self.database.session(found.rows[0].workspace_id) as session:
                    await session.execute(text(_FINISH), {"ids": [row.id for row in found.rows]})
            done += len(found.rows)
        return Measured(posts=done, seconds=time.perf_counter() - begun, claims=claims, computed=computed)

    async def _backend(self) -> int:
        async with self.database.outside() as session:
            return int(await session.scalar(text("select pg_backend_pid()")) or 0)

    async def _anything_due(self) -> bool:
        statement = (
            "select 1 from posts where status in ('scheduled', 'publishing') and next_attempt_at <= studio_now()"
        )
        return self.admin.execute(statement + " limit 1").fetchone() is not None

    async def close(self) -> None:
        """Let go of the database."""
        await self.database.close()
        self.admin.close()


def _on_core(pid: int) -> float:
    """Milliseconds that a process has been on a core since it began."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6


async def measure(bench: Bench, sizes: list[int], due: int) -> None:
    """Every scenario, a line each."""
    bench.admin.execute(_PEOPLE.replace("%(accounts)s", str(_ACCOUNTS)))
    bench.fill(due, status="scheduled", code="W")
    await bench.work_off(due // 4)  # warm
    history = 0
    baseline: Measured | None = None
    for size in sizes:
        bench.fill(size - due - history or 1, status="posted", code=f"H{size}-", hours=20_000)
        history = size - due
        bench.reset(due)
        measured = await bench.work_off(due)
        baseline = baseline or measured
        print(measured.line(f"{size:,} posts, {due:,} due", baseline), flush=True)
    assert baseline is not None
    await _under_a_snapshot(bench, 5 * due, baseline)
    await _behind_a_blocked_account(bench, due, baseline)


async def _under_a_snapshot(bench: Bench, posts: int, baseline: Measured) -> None:
    for name, is_held in (("no snapshot", False), ("idle snapshot", True)):
        bench.reset(posts)
        with psycopg.connect(bench.url) as holder:
            if is_held:
                holder.execute("set transaction isolation level repeatable read")
                holder.execute("set local idle_in_transaction_session_timeout = 0")
                holder.execute("select 1")
            measured = await bench.work_off(posts)
        print(measured.line(f"{name}, {posts:,} went through", baseline), flush=True)
        for said, values in (("p50", measured.claims), ("computed", measured.computed)):
            tenth = len(values) // 10
            tenths = [statistics.median(values[n * tenth : (n + 1) * tenth]) for n in range(10)]
            print(f"   {said:8} by tenths, ms: " + " ".join(f"{each:.2f}" for each in tenths), flush=True)


async def _behind_a_blocked_account(bench: Bench, due: int, baseline: Measured) -> None:
    """5,000 due posts of one account at the head: while another of its posts is on its way, and while it is held."""
    for name, statement in (
        ("busy", "update account_turns set post_id = gen_random_uuid() where account_id = %(account)s"),
        ("held", "update account_turns set hold_until = studio_now() + '1 hour' where account_id = %(account)s"),
    ):
        bench.reset(due)
        bench.fill(5_000, status="scheduled", code="B", spread=1, hours=3)
        (account,) = bench.admin.execute("select account_id from posts where code = 'B1'").fetchone() or (None,)
        bench.admin.execute("delete from posts where account_id = %s and code like 'D%%'", (account,))
        bench.admin.execute(statement, {"account": account})
        measured = await bench.work_off(due - 5)
        print(measured.line(f"5,000 of a {name} account at the head", baseline), flush=True)


async def run(folder: Path, arguments: argparse.Namespace) -> None:
    """Start a PostgreSQL of its own, migrate it, measure, and leave nothing."""
    cluster = start(folder, settings={"shared_buffers": "256MB", "max_wal_size": "4GB"})
    try:
        url = cluster.dsn(database="studio")
        async with migrate.migration_lock(url):
            await migrate.upgrade(url)
        bench = Bench(cluster, url, arguments.batch)
        await measure(bench, arguments.sizes, arguments.due)
        await bench.close()
    finally:
        cluster.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="posts in the table")
    parser.add_argument("--due", type=int, default=10_000, help="how many of them are due")
    parser.add_argument("--batch", type=int, default=10, help="posts of one claim")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), arguments))


if __name__ == "__main__":
    main()
