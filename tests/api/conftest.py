"""A real server on loopback for the tests of the HTTP surface, and a client per person."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from PIL import Image
from pydantic import SecretStr

from agent.agent import Agent
from agent.offline.model import OfflineModel
from agent.runs import RunService, RunWork
from agent.threads import ThreadService
from api.app import create_app
from core.settings import Settings
from db.engine import Database
from memory.checkpoints import open_saver
from scheduler.clock import Clock
from tests.conftest import Sandbox
from tools.commands import catalog
from tools.context import Doors, Principal, Role
from tools.dispatcher import Dispatcher
from tools.publishing.engine import PostWork

AddMember = Callable[[UUID, Role], Awaitable[tuple[Principal, str]]]
TOKEN = "sandbox-token-roastery"


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running server. Setting ``stopping`` is what SIGTERM does to its streams."""

    url: str
    stopping: asyncio.Event
    app: FastAPI


class QuietServer(uvicorn.Server):
    """uvicorn without its signal handlers: the tests' process keeps its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port of the test's own, taken before anything has to name it."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


@pytest.fixture
def settings(settings: Settings, listener: socket.socket) -> Settings:
    """Networks fetch our media from the server of this test."""
    return settings.model_copy(update={"public_url": f"http://127.0.0.1:{listener.getsockname()[1]}"})


@asynccontextmanager
async def listening(app: FastAPI, listener: socket.socket, stopping: asyncio.Event) -> AsyncIterator[Served]:
    """Serve an application until the end of the block."""
    server = QuietServer(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.005)
    try:
        yield Served(url=f"http://127.0.0.1:{listener.getsockname()[1]}", stopping=stopping, app=app)
    finally:
        stopping.set()
        server.should_exit = True
        await task


@dataclass(frozen=True, kw_only=True)
class Mind:
    """The agent with the offline model, and a clock that carries out runs and posts."""

    doors: Doors
    dispatcher: Dispatcher
    runs: RunService
    threads: ThreadService
    clock: Clock
    stopping: asyncio.Event


@pytest.fixture
async def mind(doors: Doors, database: Database, admin_url: str) -> AsyncIterator[Mind]:
    """A working agent and scheduler, as the composition root builds them."""
    clock, stopping = Clock(tick=0.1), asyncio.Event()
    doors = replace(doors, wake=clock.wake)
    dispatcher = Dispatcher(doors, catalog())
    async with open_saver(admin_url, pool_size=2) as saver:
        agent = Agent(model=OfflineModel(), dispatcher=dispatcher, saver=saver, settings=doors.settings)
        runs = RunService(
            database=database, dispatcher=dispatcher, agent=agent, wake=clock.wake, settings=doors.settings
        )
        clock.add(RunWork(database=database, agent=agent, stopping=stopping))
        clock.add(PostWork(doors, stopping))
        await clock.start()
        yield Mind(
            doors=doors,
            dispatcher=dispatcher,
            runs=runs,
            threads=ThreadService(database=database, agent=agent),
            clock=clock,
            stopping=stopping,
        )
        await clock.stop(patience=5)


@pytest.fixture
def serve(mind: Mind, sandbox: Sandbox, listener: socket.socket) -> Serve:
    """Serves the whole application; arguments are those of ``create_app`` that a test wants otherwise."""

    @asynccontextmanager
    async def start(*, demo: bool = False, demo_key: SecretStr | None = None) -> AsyncIterator[Served]:
        app = create_app(
            doors=mind.doors,
            dispatcher=mind.dispatcher,
            runs=mind.runs,
            threads=mind.threads,
            stopping=mind.stopping,
            version="0.0.test",
            demo=demo,
            demo_key=demo_key,
            feed_url=sandbox.url,
        )
        async with listening(app, listener, mind.stopping) as served:
            yield served

    return start


@pytest.fixture
async def served(serve: Serve) -> AsyncIterator[Served]:
    """The application, served."""
    async with serve() as running:
        yield running


@asynccontextmanager
async def client_of(url: str, key: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
async def owner_key(principal: Principal, add_member: AddMember) -> str:
    """An API key of a second owner of the principal's workspace."""
    _, key = await add_member(principal.workspace_id, Role.OWNER)
    return key


@pytest.fixture
async def owner(served: Served, owner_key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an owner's key."""
    async with client_of(served.url, owner_key) as client:
        yield client


@pytest.fixture
async def editor(served: Served, principal: Principal, add_member: AddMember) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an editor's key, in the same workspace."""
    _, key = await add_member(principal.workspace_id, Role.EDITOR)
    async with client_of(served.url, key) as client:
        yield client


@pytest.fixture
async def viewer(served: Served, principal: Principal, add_member: AddMember) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a viewer's key, in the same workspace."""
    _, key = await add_member(principal.workspace_id, Role.VIEWER)
    async with client_of(served.url, key) as client:
        yield client


def jpeg(width: int = 1080, height: int = 1080, colour: str = "#6f4e37") -> bytes:
    """A picture that Instagram takes."""
    buffer = BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
async def account_id(sandbox: Sandbox, owner: httpx.AsyncClient) -> str:
    """The roastery's Instagram account, known to the sandbox and connected over REST."""
    external_id = "17841400000000001"
    account = {"platform": "instagram", "external_id": external_id, "handle": "roastery", "access_token": TOKEN}
    sandbox.control("POST", "accounts", account)
    answer = await owner.post("/v1/accounts", json={**account, "metadata": {"login": "facebook"}})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.fixture
async def asset_id(owner: httpx.AsyncClient) -> str:
    """A picture, uploaded."""
    answer = await owner.post("/v1/media", files={"file": ("espresso.jpg", jpeg(), "image/jpeg")})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.fixture
def unused_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    assert isinstance(port, int)
    return port
