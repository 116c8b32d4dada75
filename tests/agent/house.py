"""An agent at work in this process: real graph, real door, real database, the sandbox's model endpoint."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, cast
from uuid import UUID

import psycopg
from langchain_core.language_models import BaseChatModel

from agent.agent import Agent
from agent.deciding import Decision
from agent.model import build_model
from agent.runs import RunService, RunWork
from agent.threads import ThreadService
from core.settings import Settings
from db.engine import Database
from db.queries import runs
from memory.checkpoints import open_saver
from tests.agent.commands import catalog_of_tests
from tests.conftest import Sandbox
from tools.catalog import Catalog
from tools.context import Doors, Principal
from tools.dispatcher import Dispatcher

Json = dict[str, Any]
Script = Callable[..., None]


class Seen(Protocol):
    """A run as tests look at it: JSON whose shape the test knows."""

    id: UUID
    thread_id: UUID
    status: str
    reply: str
    actions: list[Json]
    approval: Json
    error: Json
    ended_at: datetime


class Told(Protocol):
    """An event as tests look at it."""

    seq: int
    data: Json


@dataclass(kw_only=True)
class House:
    """Studio without its HTTP front: runs start here, and a loop claims and carries them out."""

    service: RunService
    threads: ThreadService
    work: RunWork
    agent: Agent
    database: Database
    principal: Principal
    admin_url: str
    news: asyncio.Event
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def claim_loop(self) -> None:
        """Claim whatever is due, at once when woken and every 50 ms."""
        while True:
            self.news.clear()
            for claim in await self.work.claim(16, sweep=True):
                task = asyncio.create_task(self.work.work(claim))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await self.news.wait()

    async def ask(self, text: str, *, thread_id: UUID | None = None, zone: str | None = None) -> Seen:
        """Say something and wait for what comes of it."""
        ticket = await self.service.start(self.principal, text=text, thread_id=thread_id, zone=zone)
        return await self.end_of(ticket.run_id)

    async def answer(self, run_id: UUID, decision: Decision, **more: Any) -> Seen:  # noqa: ANN401 - passed on
        """Answer what a run waits for, as the owner, and wait for what comes of it."""
        ticket = await self.service.resume(self.principal, run_id, decision=decision, **more)
        assert ticket.run_id == run_id
        return await self.end_of(run_id)

    async def end_of(self, run_id: UUID) -> Seen:
        """The run once it ended or waits."""
        view = await self.service.finished(self.principal, run_id, patience=20)
        assert view.status not in {"queued", "running"}, view
        return cast("Seen", view)

    async def events(self, run_id: UUID, after: int = 0) -> list[Told]:
        """All events up to the current end."""
        events = self.service.events(self.principal, run_id, after=after)
        return [cast("Told", event) async for event in events]

    async def log(self, run_id: UUID) -> list[tuple[int, Json]]:
        """The events that are there now, whether or not more will come."""
        async with self.database.session(self.principal.workspace_id) as session:
            return [(seq, dict(data)) for seq, data in await runs.events_after(session, run_id, 0, limit=10_000)]

    async def lines(self, thread_id: UUID) -> list[Json]:
        """What people see of a thread."""
        thread = await self.threads.get_thread(self.principal, thread_id)
        return cast("list[Json]", thread["messages"])

    async def calls(self) -> list[str]:
        """The commands that had an effect, in order, with their texts."""
        async with await psycopg.AsyncConnection.connect(self.admin_url) as connection:
            rows = await connection.execute("select command, args ->> 'text' from studio.tool_calls order by id")
            return [f"{command}:{text}" for command, text in await rows.fetchall()]


async def until(true: Callable[[], Awaitable[bool]], *, seconds: float = 15) -> None:
    """Wait for a condition, at most so long."""
    deadline = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < deadline, "it did not become true in time"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def open_house(
    doors: Doors,
    principal: Principal,
    admin_url: str,
    *,
    model: Settings | None = None,
    loop: bool = True,
    mind: BaseChatModel | None = None,
    catalog: Catalog | None = None,
) -> AsyncIterator[House]:
    """Open an agent on the test's database; ``model`` holds the settings of its model, None those of the doors.

    ``mind`` is used in place of that model, ``catalog`` in place of the small commands of these tests.
    """
    settings = model or doors.settings
    news = asyncio.Event()
    async with AsyncExitStack() as stack:
        saver = await stack.enter_async_context(open_saver(admin_url))
        dispatcher = Dispatcher(doors, catalog or catalog_of_tests())
        agent = Agent(model=mind or build_model(settings), dispatcher=dispatcher, saver=saver, settings=settings)
        house = House(
            service=RunService(
                database=doors.database,
                dispatcher=dispatcher,
                agent=agent,
                wake=lambda _topic: news.set(),
                settings=settings,
            ),
            threads=ThreadService(database=doors.database, agent=agent),
            work=RunWork(database=doors.database, agent=agent, stopping=asyncio.Event()),
            agent=agent,
            database=doors.database,
            principal=principal,
            admin_url=admin_url,
            news=news,
        )
        claiming = asyncio.create_task(house.claim_loop()) if loop else None
        try:
            yield house
        finally:
            tasks = [*house.tasks, *([claiming] if claiming else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def calling(*calls: tuple[str, object], content: str = "", ids: Sequence[str | None] = ()) -> dict[str, object]:
    """A turn that calls commands."""
    given = [*ids, *[None] * len(calls)]
    return {
        "content": content,
        "tool_calls": [
            {"name": name, "arguments": arguments, **({"id": given[at]} if given[at] else {})}
            for at, (name, arguments) in enumerate(calls)
        ],
    }


def requests(sandbox: Sandbox) -> list[Json]:
    """What the model was sent, request by request."""
    answer = cast("Json", sandbox.control("GET", "chat/requests"))
    return cast("list[Json]", answer["items"])


def tool_texts(request: Json) -> list[Json]:
    """The tool messages of a request, parsed."""
    return [json.loads(message["content"]) for message in request["messages"] if message["role"] == "tool"]
