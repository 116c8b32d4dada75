"""One process that publishes: Studio's due work with its ledger, or a bare loop that makes the same calls without one.

Run by bench.publish, with its orders as JSON on the command line. It says "ready", begins at a line of input, ends at
the next one, and then says what it took as JSON.
"""

import asyncio
import contextlib
import json
import resource
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import psycopg
import uvloop
from pydantic import SecretStr
from sqlalchemy import event

from agent.offline.writer import OfflineWriter
from bench.calendar import Account, caption_of, token_of
from core.log import configure
from core.settings import Settings
from core.storage import DirectoryStore
from core.vault import Vault
from db.engine import Database
from db.models.account import Asset
from platforms.base import Adapter, Content, Credentials, Manifest, Medium, Publish, Step
from scheduler.clock import Clock
from tools.context import Doors
from tools.media.fetch import MediaFetcher
from tools.networks import open_networks
from tools.publishing.door import PostMedia
from tools.publishing.engine import PostWork


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What to publish with: "studio" or "bare", the database, the network, and for the bare loop what to send."""

    kind: str
    database_url: str
    network_url: str
    secret_key: str
    folder: str
    in_flight: int
    each: int

    def settings(self) -> Settings:
        """Studio's settings, quotas and faults aside."""
        return Settings(
            _env_file=None,
            database_url=SecretStr(self.database_url),
            data_dir=Path(self.folder),
            secret_keys=SecretStr(self.secret_key),
            public_url="http://127.0.0.1:9",
            facebook_graph_url=self.network_url,
            instagram_graph_url=self.network_url,
            meta_upload_url=self.network_url,
            model="offline",
        )


class CountingCursor(psycopg.AsyncCursor[Any]):
    """Counts what is sent to PostgreSQL, in pipelines too."""

    sent = 0

    async def execute(self, *given: Any, **named: Any) -> "CountingCursor":  # noqa: ANN401 - psycopg's own
        """One statement more."""
        CountingCursor.sent += 1
        return await super().execute(*given, **named)


def count_statements(database: Database) -> None:
    """Count every statement of the engine's connections, whoever makes it."""

    @event.listens_for(database.engine.sync_engine, "connect")
    def counting(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's adapter
        connection.driver_connection.cursor_factory = CountingCursor


class Unlimited:
    """An adapter whose network takes any number of posts: what is measured is Studio, not its patience."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.manifest: Manifest = replace(adapter.manifest, quotas=())

    def __getattr__(self, name: str) -> object:
        return getattr(self._adapter, name)


@contextlib.asynccontextmanager
async def open_doors(settings: Settings) -> AsyncIterator[Doors]:
    """Every door of a process, as server.py opens them."""
    store = DirectoryStore(settings.data_dir / "media")
    database = Database(settings.database_url.get_secret_value())
    count_statements(database)
    async with open_networks(settings) as adapters:
        yield Doors(
            settings=settings,
            database=database,
            vault=Vault([settings.secret_keys.get_secret_value()]),
            store=store,
            fetcher=MediaFetcher(store, allow_private=True, limit_bytes=1),
            adapters={name: cast("Adapter", Unlimited(adapter)) for name, adapter in adapters.items()},
            writer=OfflineWriter(),
            wake=lambda _topic: None,
        )
    await database.close()


class Bare:
    """The same calls of the same adapters with the same concurrency, and nothing written down."""

    def __init__(self, doors: Doors, accounts: list[Account], orders: Orders) -> None:
        self._doors = doors
        self._todo = [(account, number) for number in range(orders.each) for account in accounts]
        self._in_flight = orders.in_flight

    async def run(self) -> None:
        """Publish everything."""
        numbered = enumerate(self._todo)
        workers = (self._work(numbered) for _ in range(self._in_flight))
        await asyncio.gather(*workers)

    async def _work(self, numbered: "enumerate[tuple[Account, int]]") -> None:
        for number, (account, _) in numbered:
            await self._publish(self._doors.adapters["instagram"], account, number)

    async def _publish(self, adapter: Adapter, account: Account, number: int) -> None:
        medium = Medium(
            asset_id=str(account.asset_id), kind="image", mime_type="image/jpeg", size_bytes=400_000, width=1080,
            height=1080,
        )  # fmt: skip
        asset = Asset(id=account.asset_id, sha256="ab" * 32, mime_type="image/jpeg")
        publish = Publish(
            content=Content(format="image", caption=caption_of(number), media=(medium,)),
            credentials=Credentials(
                external_id=account.external_id, handle="roastery", access_token=token_of(account), login="facebook"
            ),
            progress={},
            media=PostMedia(
                store=self._doors.store,
                vault=self._doors.vault,
                public_base=self._doors.settings.public_base,
                assets={medium.asset_id: asset},
            ),
            started_at=datetime.now(UTC),
        )
        while isinstance(step := adapter.next_step(publish.content, publish.progress), Step):
            learned = await adapter.perform(step, publish)
            publish = replace(publish, progress={**publish.progress, **learned})


async def _line() -> None:
    await asyncio.to_thread(sys.stdin.readline)


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def main(orders: Orders, accounts: list[Account]) -> Mapping[str, float]:
    """Publish between the two lines of input; seconds of CPU and of the bare loop, statements, the peak in MB."""
    configure("WARNING")
    async with open_doors(orders.settings()) as doors:
        async with doors.database.outside() as session:
            await session.connection()  # the first connection of a process is no part of publishing
        stopping = asyncio.Event()
        clock = Clock()
        clock.add(PostWork(doors, stopping))
        print("ready", flush=True)
        await _line()
        CountingCursor.sent, used, begun = 0, _used(), time.monotonic()
        if orders.kind == "bare":
            await Bare(doors, accounts, orders).run()
            seconds = time.monotonic() - begun
            print("done", flush=True)
            await _line()
        else:
            await clock.start()
            await _line()
            seconds = time.monotonic() - begun
        cpu, statements = _used() - used, CountingCursor.sent
        stopping.set()
        await clock.stop(patience=18)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return {"seconds": seconds, "cpu": cpu, "statements": statements, "peak_mb": peak}


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    listed = [Account(**each) for each in json.loads(sys.stdin.readline())]
    print(json.dumps(uvloop.run(main(Orders(**given), listed))), flush=True)
