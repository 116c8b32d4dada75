"""Publishing workers that cost little to start: a parent that has imported everything, and forks one at an order.

Each is the product's own clock and engine, as `studio worker` runs them, without the agent beside it. It may be told to
be a mutant: an engine from which one part of the protocol was taken out, to show that the part is needed.

    fork MUTANT CLOCK CAPACITY    start a worker, its local clock CLOCK seconds ahead; answers its pid
"""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self, cast

import uvloop
from sqlalchemy.orm import configure_mappers

from agent.offline.writer import OfflineWriter
from core.settings import Settings
from core.storage import DirectoryStore
from core.vault import Vault
from db.embedded.launch import die_with
from db.engine import Database
from platforms.base import Adapter, Finding, Publish, Step
from platforms.http import new_client
from scheduler.clock import Clock
from tools.context import Doors
from tools.media.fetch import MediaFetcher
from tools.networks import open_networks
from tools.publishing.engine import PostWork
from tools.publishing.job import Job
from tools.publishing.ledger import Ledger


class Forgetful(Ledger):
    """A ledger without write-ahead: what is about to be sent is not written down."""

    async def intend(self, job: Job, step: Step, *, irreversible: bool, entry: Mapping[str, object]) -> None:
        """Write down what may have happened, as ever, but nothing before a call."""
        if entry["event"] != "sending":
            await super().intend(job, step, irreversible=irreversible, entry=entry)
        else:
            job.step, job.step_irreversible, job.intent_at = step.name, irreversible, datetime.now(UTC)


class ForgetfulWork(PostWork):
    """The engine with that ledger."""

    def __init__(self, doors: Doors, stopping: asyncio.Event) -> None:
        super().__init__(doors, stopping)
        self._ledger = Forgetful(doors.database)


class Blind:
    """An adapter that never looks: what did not answer did not happen."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter

    def __getattr__(self, name: str) -> object:
        return getattr(self._adapter, name)

    async def find(self, publish: Publish) -> Finding:  # noqa: ARG002 - that it does not look is the mutation
        """Say without asking that it is not there."""
        return Finding(outcome="not_posted", evidence={})


class Hasty(PostWork):
    """An engine that is frozen for a while between the line in the ledger and the call that it announces."""

    def __init__(self, doors: Doors, stopping: asyncio.Event) -> None:
        super().__init__(doors, stopping)
        self._ledger = Frozen(doors.database)


class Frozen(Ledger):
    """A ledger that stops its process once, right after it has written down what is about to be sent."""

    async def intend(self, job: Job, step: Step, *, irreversible: bool, entry: Mapping[str, object]) -> None:
        """As ever; then the process stands still until somebody continues it."""
        await super().intend(job, step, irreversible=irreversible, entry=entry)
        if irreversible:
            os.kill(os.getpid(), signal.SIGSTOP)


def engine(doors: Doors, stopping: asyncio.Event, mutant: str) -> PostWork:
    """The engine, or the engine without one part."""
    match mutant:
        case "settle":
            settings = doors.settings.model_copy(update={"settle_time": 0.0})
            return PostWork(replace(doors, settings=settings), stopping)
        case "find":
            blind = {name: cast("Adapter", Blind(adapter)) for name, adapter in doors.adapters.items()}
            return PostWork(replace(doors, adapters=blind), stopping)
        case "intent":
            return ForgetfulWork(doors, stopping)
        case "frozen":
            return Hasty(doors, stopping)
        case _:
            assert mutant == "none", mutant
            return PostWork(doors, stopping)


async def work(mutant: str, capacity: int) -> None:
    """Publish what is due until this process is killed."""
    settings = Settings(_env_file=None)
    database = Database(settings.database_url.get_secret_value(), pool_size=8)
    store = DirectoryStore(settings.data_dir / "media")
    async with open_networks(settings) as adapters:
        doors = Doors(
            settings=settings,
            database=database,
            vault=Vault(settings.secret_keys.get_secret_value().split(",")),
            store=store,
            fetcher=MediaFetcher(store, allow_private=True, limit_bytes=50_000_000),
            adapters=adapters,
            writer=OfflineWriter(),
            wake=lambda _topic: None,
        )
        clock, posts = Clock(), engine(doors, asyncio.Event(), mutant)
        posts.capacity = capacity or posts.capacity
        clock.add(posts)
        await clock.start()
        await asyncio.Event().wait()


class _AnyDatetime(type):
    """Lets every datetime be one of the class."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class _AheadOfTime(datetime, metaclass=_AnyDatetime):
    """The local clock of a machine whose time is wrong."""

    ahead = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """The wrong time."""
        return super().now(tz) + cls.ahead


def shift_clock(seconds: float) -> None:
    """Let everything of ours that asks this machine for the time hear a wrong one."""
    _AheadOfTime.ahead = timedelta(seconds=seconds)
    for name, module in list(sys.modules.items()):
        ours = name.split(".")[0] in {"core", "db", "platforms", "scheduler", "tools"}
        if ours and getattr(module, "datetime", None) is datetime:
            setattr(module, "datetime", _AheadOfTime)  # noqa: B010 - a module has no such attribute for the checker


def child(parent: int, mutant: str, ahead: float, capacity: int) -> None:
    """What a forked process does; never returns."""
    die_with(parent, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s [{os.getpid()}] %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    if ahead:
        shift_clock(ahead)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(mutant, capacity))


def main() -> None:
    """Fork at every order; end, with all that were forked, when nobody gives orders any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    parent = os.getpid()
    # What every worker would do first, done once.
    configure_mappers()
    asyncio.run(new_client(timeout=1.0).aclose())
    gc.freeze()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        _, mutant, ahead, capacity = line.split()
        pid = os.fork()
        if pid == 0:
            try:
                child(parent, mutant, float(ahead), int(capacity))
            finally:
                os._exit(1)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
