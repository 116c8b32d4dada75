"""The composition root: builds every part, hands each what it needs, and owns their lifetimes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from importlib.metadata import version

from fastapi import FastAPI
from pydantic import SecretStr

from agent.agent import Agent
from agent.model import build_model, build_writer
from agent.runs import RunService, RunWork
from agent.threads import ThreadService
from api.app import create_app
from api.serving import GracefulServer, beside, config, listen
from core.settings import Settings
from db.engine import Database
from memory.checkpoints import open_saver
from sandbox.app import create_app as create_sandbox
from scheduler.clock import Clock
from tools.commands import catalog
from tools.context import Doors
from tools.counts.work import CountsWork
from tools.demo import reset
from tools.demo.seed import seed
from tools.dispatcher import Dispatcher
from tools.installation.prepare import Installation, Progress, prepare
from tools.media.fetch import MediaFetcher
from tools.networks import open_networks
from tools.preflight.work import CheckWork
from tools.publishing.engine import PostWork

# SIGTERM to exit 0 within 30 s: what runs gets this long to reach a recorded step.
_DRAIN = 18.0

# Told once everything is built: the terminal prints a new owner's key.
Started = Callable[[Installation], None]


@dataclass(frozen=True, kw_only=True)
class Studio:
    """A built process; ``app`` answers HTTP, ``clock`` does what is due."""

    installation: Installation
    doors: Doors
    dispatcher: Dispatcher
    clock: Clock
    app: FastAPI
    stopping: asyncio.Event


@contextlib.asynccontextmanager
async def build(
    settings: Settings, *, progress: Progress, publishes: bool = True, feed_url: str | None = None
) -> AsyncIterator[Studio]:
    """Build a process, and take it apart at the end. ``publishes`` False leaves due posts to others.

    ``feed_url`` is the sandbox's: with it this is the demo, which signs this machine's browser in.
    """
    async with contextlib.AsyncExitStack() as stack:
        installation = await prepare(settings, progress=progress)
        stack.callback(installation.close)
        keeper = asyncio.create_task(installation.keep_database())
        stack.callback(keeper.cancel)
        database, clock, stopping = Database(installation.app_url), Clock(), asyncio.Event()
        stack.push_async_callback(database.close)
        adapters = await stack.enter_async_context(open_networks(settings))
        model = build_model(settings, adapters)
        limit_bytes = settings.media_limit_mb * 1_000_000
        doors = Doors(
            settings=settings,
            database=database,
            vault=installation.vault,
            store=installation.store,
            fetcher=MediaFetcher(
                installation.store, allow_private=settings.allow_private_media, limit_bytes=limit_bytes
            ),
            adapters=adapters,
            writer=build_writer(settings, model),
            wake=clock.wake,
        )
        dispatcher = Dispatcher(doors, catalog())
        saver = await stack.enter_async_context(open_saver(installation.app_url))
        agent = Agent(model=model, dispatcher=dispatcher, saver=saver, settings=settings)
        runs = RunService(database=database, dispatcher=dispatcher, agent=agent, wake=clock.wake, settings=settings)
        clock.add(RunWork(database=database, agent=agent, stopping=stopping))
        if publishes:
            clock.add(PostWork(doors, stopping))
            clock.add(CountsWork(doors))
            clock.add(CheckWork(doors))
        app = create_app(
            doors=doors,
            dispatcher=dispatcher,
            runs=runs,
            threads=ThreadService(database=database, agent=agent),
            stopping=stopping,
            version=version("studio"),
            demo=feed_url is not None,
            demo_key=SecretStr(installation.owner_key) if feed_url and installation.owner_key else None,
            feed_url=feed_url,
        )
        yield Studio(
            installation=installation, doors=doors, dispatcher=dispatcher, clock=clock, app=app, stopping=stopping
        )


async def serve(settings: Settings, *, progress: Progress, publishes: bool = True, started: Started) -> None:
    """API and scheduler until a signal ends them."""
    async with build(settings, progress=progress, publishes=publishes) as studio:
        started(studio.installation)
        await _serve(studio, progress)


async def work(settings: Settings, *, progress: Progress) -> None:
    """The scheduler alone: it answers no HTTP but runs until a signal ends it."""
    async with build(settings, progress=progress) as studio:
        await studio.clock.start()
        progress("working on what is due; end with Ctrl-C")
        server = GracefulServer(config(studio.app), studio.stopping)
        with server.capture_signals():
            await studio.stopping.wait()
        await studio.clock.stop(patience=_DRAIN)


async def demo(settings: Settings, *, progress: Progress, sandbox_port: int) -> None:
    """The sandbox and Studio in one process, with example data."""
    reset.mark(settings)
    sandbox = create_sandbox(state_file=settings.data_dir / "sandbox.sqlite3")
    async with (
        beside(sandbox, sandbox_port) as sandbox_url,
        build(settings, progress=progress, feed_url=sandbox_url) as studio,
    ):
        await seed(studio.doors, studio.dispatcher, studio.installation, sandbox_url, progress)
        await _serve(studio, progress)


async def _serve(studio: Studio, progress: Progress) -> None:
    settings = studio.doors.settings
    listener = listen(settings.host, settings.port)
    await studio.clock.start()
    progress(f"Studio answers at {settings.public_base}")
    await GracefulServer(config(studio.app), studio.stopping).serve(sockets=[listener])
    await studio.clock.stop(patience=_DRAIN)
