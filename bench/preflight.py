"""How long it takes to check a week of 30,000 planned posts of 1,000 accounts, beside reading the same rows bare.

Run: .venv/bin/python -m bench.preflight
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import psycopg
from pydantic import SecretStr
from sqlalchemy import event, text

from agent.offline.writer import OfflineWriter
from core.settings import Settings
from core.storage import DirectoryStore
from core.vault import Vault, generate_key, token_context
from db import migrate
from db.embedded.cluster import start
from db.engine import Database
from memory import checkpoints
from tools.context import Doors
from tools.media.fetch import MediaFetcher
from tools.networks import open_networks
from tools.preflight.work import CheckWork

ACCOUNTS, WORKSPACES, POSTS_EACH = 1_000, 100, 30

_FILL = """
insert into workspaces (id, name, timezone) select gen_random_uuid(), 'w' || n, 'Europe/Madrid'
  from generate_series(1, {workspaces}) n;
insert into accounts (id, workspace_id, platform, external_id, handle, status, login, access_token)
  select gen_random_uuid(), w.id, 'instagram', w.name || '-' || n, 'h' || n, 'connected', 'facebook', ''
  from workspaces w, generate_series(1, {accounts} / {workspaces}) n;
insert into assets (id, workspace_id, sha256, kind, mime_type, size_bytes, width, height, name)
  select gen_random_uuid(), id, '{sha256}', 'image', 'image/jpeg', 90000, 1080, 1080, 'a.jpg' from workspaces;
insert into posts (id, workspace_id, code, account_id, platform, format, status, approval, caption, scheduled_for,
    next_attempt_at)
  select gen_random_uuid(), a.workspace_id, right(a.id::text, 12) || n, a.id, 'instagram', 'image', 'scheduled', 'none',
    'Post number ' || n, studio_now() + n * interval '5 hours', studio_now() + n * interval '5 hours'
  from accounts a, generate_series(1, {posts}) n;
insert into post_media (workspace_id, post_id, position, asset_id)
  select p.workspace_id, p.id, 0, s.id from posts p join assets s on s.workspace_id = p.workspace_id;
analyze;
"""


@asynccontextmanager
async def installation(directory: Path) -> AsyncIterator[Doors]:
    """A Studio of its own with the whole week in it; no network is asked, since every account was a moment ago."""
    cluster = start(directory / "pg")
    url = cluster.dsn(database="postgres")
    async with migrate.migration_lock(url):
        await migrate.upgrade(url)
        await checkpoints.setup(url)
    settings = Settings(_env_file=None, data_dir=directory, secret_keys=SecretStr(generate_key()))
    vault, store = Vault([settings.secret_keys.get_secret_value()]), DirectoryStore(directory / "media")
    stored = await store.put(b"a picture", limit_bytes=100)
    fill = _FILL.format(workspaces=WORKSPACES, accounts=ACCOUNTS, posts=POSTS_EACH, sha256=stored.key)
    with psycopg.connect(url, autocommit=True, options="-c search_path=studio") as connection:
        connection.execute(fill.encode())
        _seal(connection, vault)
    database = Database(url)
    async with open_networks(settings) as adapters:
        yield Doors(
            settings=settings,
            database=database,
            vault=vault,
            store=store,
            fetcher=MediaFetcher(store, allow_private=True, limit_bytes=1_000),
            adapters=adapters,
            writer=OfflineWriter(),
            wake=lambda _topic: None,
        )
    await database.close()
    cluster.close()


def _seal(connection: psycopg.Connection[tuple[object, ...]], vault: Vault) -> None:
    rows = connection.execute("select id, workspace_id from accounts").fetchall()
    sealed = [
        (vault.seal("token", context=token_context(str(workspace_id), str(account_id), "access_token")), account_id)
        for account_id, workspace_id in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany("update accounts set access_token = %s where id = %s", sealed)
        cursor.execute("update accounts set asked_at = studio_now()")


async def bare(doors: Doors) -> float:
    """Seconds to read the same rows, one statement a workspace."""
    begun = time.monotonic()
    async with doors.database.outside() as session:
        claimed = await session.execute(text("select distinct workspace_id from claim_counts(100000, interval '1 s')"))
        workspaces: list[UUID] = list(claimed.scalars())
    for workspace_id in workspaces:
        async with doors.database.session(workspace_id) as session:
            wanted = "select p.*, m.*, a.* from posts p join post_media m on m.post_id = p.id join assets a"
            (await session.execute(text(f"{wanted} on a.id = m.asset_id where p.status = 'scheduled'"))).all()
    return time.monotonic() - begun


async def checked(doors: Doors) -> tuple[int, int, float]:
    """Check every account that is due: how many accounts, how many statements, and seconds."""
    statements = 0

    def count(*_call: object) -> None:
        nonlocal statements
        statements += 1

    event.listen(doors.database.engine.sync_engine, "before_cursor_execute", count)
    work, accounts, begun = CheckWork(doors), 0, time.monotonic()
    while claims := await work.claim(work.capacity, sweep=True):
        await asyncio.gather(*(work.work(claim) for claim in claims))
        accounts += len(claims)
    return accounts, statements, time.monotonic() - begun


async def main() -> None:
    """Print both, and their ratio."""
    with tempfile.TemporaryDirectory() as directory:
        async with installation(Path(directory)) as doors:
            baseline = await bare(doors)
            accounts, statements, seconds = await checked(doors)
            told = await _told(doors)
    posts = ACCOUNTS * POSTS_EACH
    print(f"read bare: {baseline:.1f} s for {posts:,} posts")
    print(
        f"checked:   {seconds:.1f} s for {accounts:,} accounts, {statements / accounts:.1f} statements an account,"
        f" {told:,} problems told"
    )
    print(f"ratio:     {seconds / baseline:.1f}; {seconds / 86_400:.3%} of a day")


async def _told(doors: Doors) -> int:
    with psycopg.connect(doors.database.url, options="-c search_path=studio") as connection:
        row = connection.execute("select count(*) from notifications where kind = 'preflight'").fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    asyncio.run(main())
