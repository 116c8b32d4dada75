"""What a swept process does: it publishes what is due, says what it did in which order, and dies where it is told."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict, cast
from uuid import UUID

import httpx
import psycopg
from sqlalchemy import event

from core.settings import Settings
from db.engine import Database, TenantSession
from platforms.base import Adapter, Step
from tests.conftest import open_doors
from tests.sweep.course import Track, drive
from tests.sweep.mutants import mutate
from tools.publishing.engine import PostWork

Moment = Literal["before", "during", "after"]


class Orders(TypedDict):
    """What a swept process is told; as JSON. ``at`` None: it is to get through. ``report``: where its events go."""

    settings: dict[str, object]
    post_id: str
    at: int | None
    moment: Moment
    network: str  # the address of the pretend network
    fault: int | None  # whose arrival there tells that a call is under way
    report: str
    mutant: str


class Report(TypedDict):
    """What a process did that got through: its commits and outward calls in order, and its irreversible steps."""

    events: list[str]
    irreversible: list[str]


def plain_settings(settings: Settings) -> dict[str, object]:
    """Settings as JSON, secrets too."""
    plain: dict[str, object] = json.loads(settings.model_dump_json())
    for name in ("database_url", "secret_keys", "meta_app_secret", "tiktok_client_secret"):
        plain[name] = getattr(settings, name).get_secret_value()
    return plain


@dataclass(kw_only=True)
class Watch:
    """Every commit and every outward call of this process, in order: kills it at the one it is told."""

    at: int | None
    moment: Moment
    events: list[str] = field(default_factory=list)
    irreversible: set[str] = field(default_factory=set)

    def begins(self, name: str) -> bool:
        """Something is about to happen; answers whether to die in the midst of it."""
        self.events.append(name)
        self._die_if("before")
        return self.at == len(self.events) - 1 and self.moment == "during"

    def ended(self) -> None:
        """The last thing that began has happened."""
        self._die_if("after")

    def _die_if(self, moment: Moment) -> None:
        if self.at == len(self.events) - 1 and self.moment == moment:
            die()


def die() -> None:
    """End as nothing in this process can prevent."""
    os.kill(os.getpid(), signal.SIGKILL)


async def has_arrived(network: str, fault: int) -> None:
    """Wait until a call has met the fault."""
    async with httpx.AsyncClient(base_url=network, trust_env=False) as client:
        while True:
            faults = (await client.get("/_sandbox/faults")).json()["items"]
            if any(one["id"] == fault and one["hits"] for one in faults):
                return
            await asyncio.sleep(0.005)


def watch_calls(adapter: Adapter, watch: Watch, orders: Orders) -> None:
    """Let every outward call of an adapter be watched."""
    for name in ("perform", "find", "refresh"):
        original = cast("Callable[..., Awaitable[object]]", getattr(adapter, name))

        async def watched(
            *given: object, name: str = name, original: Callable[..., Awaitable[object]] = original
        ) -> object:
            step = given[0].name if isinstance(given[0], Step) else ""
            if isinstance(given[0], Step) and given[0].irreversible:
                watch.irreversible.add(step)
            if watch.begins(f"{name} {step}".strip()):
                call = asyncio.ensure_future(original(*given))
                assert orders["fault"] is not None
                arrived = asyncio.ensure_future(has_arrived(orders["network"], orders["fault"]))
                await asyncio.wait([call, arrived], return_when=asyncio.FIRST_COMPLETED)
                die()
            try:
                return await original(*given)
            finally:
                watch.ended()

        setattr(adapter, name, watched)


async def publish(orders: Orders) -> None:
    """Publish what is due, and report what was done."""
    mutate(orders["mutant"])
    settings = Settings(_env_file=None, **orders["settings"])  # type: ignore[arg-type]
    watch = Watch(at=orders["at"], moment=orders["moment"])
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    event.listen(TenantSession, "before_commit", lambda _session: watch.begins("commit"))
    event.listen(TenantSession, "after_commit", lambda _session: watch.ended())
    async with (
        await psycopg.AsyncConnection.connect(database.url, autocommit=True) as above,
        open_doors(settings, database) as doors,
    ):
        for adapter in doors.adapters.values():
            watch_calls(adapter, watch, orders)
        track = Track(connection=above, post_id=UUID(orders["post_id"]))
        await drive(track, PostWork(doors, asyncio.Event()))
    await database.close()
    report = Report(events=watch.events, irreversible=sorted(watch.irreversible))
    _write(Path(orders["report"]), report)


def _write(file: Path, report: Report) -> None:
    file.write_text(json.dumps(report), encoding="utf-8")
