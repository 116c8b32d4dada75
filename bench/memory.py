"""What a long conversation costs in memory: bytes stored and time per turn, beside LangGraph's own saver.

Run: .venv/bin/python -m bench.memory --turns 400
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from agent import events
from agent.events import Event
from core import keys
from db import migrate
from db.embedded.cluster import Cluster, start
from db.engine import Database, as_migrating_role
from db.models.conversation import Run, Thread
from db.queries import people, runs
from memory import checkpoints, transcript
from memory.checkpoints import checkpoint_thread, checkpoints_of, open_saver
from memory.transcript import Line

# What is said in a turn, in characters: the person, the call's argument, the tool's result, the answer.
SAID = (200, 150, 850, 400)
AROUND = 10

Graph = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]
Turn = Callable[[Sequence[AnyMessage]], Awaitable[None]]


def _words(dice: random.Random, length: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz     "
    return "".join(dice.choice(letters) for _ in range(length))


def script(turns: int) -> list[list[AnyMessage]]:
    """What is said, turn by turn: four messages of 1.6 kB of words together."""
    dice = random.Random(7)
    said: list[list[AnyMessage]] = []
    for _ in range(turns):
        person, argument, result, answer = (_words(dice, length) for length in SAID)
        call = f"call_{dice.getrandbits(96):024x}"
        model = {"model_name": "some-model", "finish_reason": "stop"}
        ids = [str(uuid4()) for _ in SAID]
        said.append(
            [
                HumanMessage(id=ids[0], content=person),
                AIMessage(
                    id=ids[1],
                    content="",
                    tool_calls=[{"name": "find_posts", "args": {"about": argument}, "id": call}],
                    response_metadata=model,
                ),
                ToolMessage(id=ids[2], content=result, tool_call_id=call, name="find_posts"),
                AIMessage(id=ids[3], content=answer, response_metadata=model),
            ]
        )
    return said


def graph_on(saver: BaseCheckpointSaver[str], said: Sequence[Sequence[AnyMessage]]) -> Graph:
    """Think, act, think, as the agent does, with a model that answers at once."""

    def next_message(state: MessagesState) -> dict[str, list[AnyMessage]]:
        turn, position = divmod(len(state["messages"]), len(SAID))
        return {"messages": [said[turn][position]]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", next_message)
    graph.add_node("act", next_message)
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", lambda state: "__end__" if len(state["messages"]) % len(SAID) == 0 else "act")
    graph.add_edge("act", "think")
    return graph.compile(checkpointer=saver)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds of each turn; bytes of LangGraph's tables with their indexes, as written and after VACUUM; their rows."""

    seconds: Sequence[float]
    written: int
    vacuumed: int
    rows: dict[str, int]

    def early(self) -> float:
        """The median of the turns around the tenth."""
        return statistics.median(self.seconds[AROUND // 2 : AROUND // 2 + AROUND])

    def late(self) -> float:
        """The median of the last ten turns."""
        return statistics.median(self.seconds[-AROUND:])


def _tables(url: str, schema: str, names: Sequence[str]) -> tuple[int, dict[str, int]]:
    with psycopg.connect(url, autocommit=True) as connection:
        rows = {}
        total = 0
        for name in names:
            found = connection.execute(f"select count(*) from {schema}.{name}".encode()).fetchone()
            size = connection.execute("select pg_total_relation_size(%s)", (f"{schema}.{name}",)).fetchone()
            assert found is not None
            assert size is not None
            rows[name], total = found[0], total + size[0]
        return total, rows


def _vacuum(url: str, schema: str, names: Sequence[str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:
            connection.execute(f"vacuum {schema}.{name}".encode())


def _checkpoint_tables(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select tablename from pg_tables where schemaname = 'langgraph' and tablename <> 'checkpoint_migrations'"
            " order by 1"
        )
        return [str(name) for (name,) in found]


async def measure(turn: Turn, said: Sequence[Sequence[AnyMessage]], url: str) -> Cost:
    """Go through a conversation, turn by turn."""
    seconds = []
    for messages in said:
        begun = time.perf_counter()
        await turn(messages)
        seconds.append(time.perf_counter() - begun)
    tables = _checkpoint_tables(url)
    written, rows = _tables(url, "langgraph", tables)
    _vacuum(url, "langgraph", tables)
    return Cost(seconds=seconds, written=written, vacuumed=_tables(url, "langgraph", tables)[0], rows=rows)


def _config(thread_id: str, run_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id}, "metadata": {"run_id": run_id}}


async def ours(url: str, said: Sequence[Sequence[AnyMessage]], workspace_id: UUID) -> Cost:
    """Studio's saver, and what is done when a run is over."""
    thread_id = checkpoint_thread(workspace_id, uuid4())
    async with open_saver(url) as saver:
        graph = graph_on(saver, said)

        async def turn(messages: Sequence[AnyMessage]) -> None:
            run_id = str(uuid4())
            with checkpoints_of(workspace_id):
                await saver.aget_tuple(_config(thread_id, run_id))
                await graph.ainvoke({"messages": [messages[0]]}, _config(thread_id, run_id), durability="sync")
                await saver.athin(thread_id, run_id)

        return await measure(turn, said, url)


@asynccontextmanager
async def _stock_saver(url: str) -> AsyncIterator[AsyncPostgresSaver]:
    options = {
        "autocommit": True,
        "prepare_threshold": 0,
        "row_factory": dict_row,
        "options": "-csearch_path=langgraph",
    }
    pool = AsyncConnectionPool(
        url, connection_class=AsyncConnection[DictRow], min_size=1, max_size=8, open=False, kwargs=options
    )
    async with pool:
        async with pool.connection() as connection:
            await connection.execute("create schema langgraph")
        saver = AsyncPostgresSaver(conn=pool)
        await saver.setup()
        yield saver


async def stock(url: str, said: Sequence[Sequence[AnyMessage]]) -> Cost:
    """LangGraph's own saver."""
    thread_id = str(uuid4())
    async with _stock_saver(url) as saver:
        graph = graph_on(saver, said)

        async def turn(messages: Sequence[AnyMessage]) -> None:
            config = _config(thread_id, str(uuid4()))
            await saver.aget_tuple(config)
            await graph.ainvoke({"messages": [messages[0]]}, config, durability="sync")

        return await measure(turn, said, url)


async def _new_workspace(url: str) -> tuple[UUID, UUID]:
    """A workspace and its owner."""
    key = keys.generate()
    owner = people.FirstOwner(
        workspace_name="Roastery",
        timezone="Europe/Madrid",
        user_name="Owner",
        key_prefix=keys.prefix(key),
        key_digest=keys.digest(key),
    )
    async with as_migrating_role(url) as connection:
        workspace_id = await people.create_first_owner(connection, owner)
        await connection.commit()
    with psycopg.connect(url) as admin:
        found = admin.execute("select user_id from studio.memberships").fetchone()
    assert found is not None
    return workspace_id, found[0]


def _told(said: Sequence[AnyMessage], thread_id: UUID, run_id: UUID) -> list[Event]:
    """The events of a run as they end up in its log, with the answer in joined pieces of 100 characters."""
    _, call, result, answer = said
    assert isinstance(call, AIMessage)
    assert isinstance(result, ToolMessage)
    name, call_id = call.tool_calls[0]["name"], result.tool_call_id
    arguments = str(call.tool_calls[0]["args"])
    words, answer_id = str(answer.content), str(answer.id)
    return [
        events.run_started(thread_id, run_id),
        *events.tool_call(call_id, name, arguments, message_id=str(call.id)),
        events.tool_result(call_id, str(result.content)),
        events.text_started(answer_id),
        *[events.text(answer_id, words[at : at + 100]) for at in range(0, len(words), 100)],
        events.text_ended(answer_id),
        events.finished(thread_id, run_id),
    ]


async def beside(url: str, said: Sequence[Sequence[AnyMessage]], workspace_id: UUID, user_id: UUID) -> None:
    """The transcript and the events of the same conversation."""
    database = Database(url, pool_size=2)
    async with database.session(workspace_id) as session:
        thread = Thread(workspace_id=workspace_id, title="a chat", focus=[], created_by=user_id)
        session.add(thread)
        await session.flush()
        for messages in said:
            made = {"workspace_id": workspace_id, "thread_id": thread.id, "user_id": user_id, "surface": "rest"}
            run = Run(id=uuid4(), **made, status="done", text=str(messages[0].content), actions=[])
            session.add(run)
            await session.flush()
            roles = ("user", None, "tool", "assistant")
            lines = [
                Line(key=str(message.id), role=role, content=str(message.content))
                for role, message in zip(roles, messages, strict=True)
                if role is not None
            ]
            await transcript.keep(session, workspace_id=workspace_id, thread_id=thread.id, run_id=run.id, lines=lines)
            await runs.add_events(session, run, _told(messages, thread.id, run.id))
    await database.close()


def _say(name: str, cost: Cost, turns: int) -> None:
    rows = ", ".join(f"{count} {table.removeprefix('checkpoint_')}" for table, count in cost.rows.items())
    print(f"{name}: {cost.written / 1e6:.2f} MB as written, {cost.vacuumed / 1e6:.2f} MB after VACUUM ({rows})")
    print(
        f"  a turn takes {cost.early() * 1e3:.1f} ms around turn 10, {cost.late() * 1e3:.1f} ms around turn {turns}:"
        f" {cost.late() / cost.early():.2f} times as long"
    )


async def main(cluster: Cluster, turns: int) -> None:
    """Measure both, the one after the other, and print."""
    for name in ("ours", "stock"):
        with psycopg.connect(cluster.dsn(database="postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name}".encode())
    url, said = cluster.dsn(database="ours"), script(turns)
    async with migrate.migration_lock(url):
        await migrate.upgrade(url)
        await checkpoints.setup(url)
    workspace_id, user_id = await _new_workspace(url)
    words = sum(len(str(message.content)) for messages in said for message in messages) + turns * SAID[1]
    print(f"{turns} turns of 4 messages, {words / 1e6:.2f} MB of words; the tables with their indexes:")
    mine = await ours(url, said, workspace_id)
    _say("Studio's saver", mine, turns)
    theirs = await stock(cluster.dsn(database="stock"), said)
    _say("LangGraph's own", theirs, turns)
    print(
        f"Studio's is {theirs.written / mine.written:.0f} times smaller,"
        f" and {theirs.late() / mine.late():.1f} times faster around turn {turns}"
    )
    await beside(url, said, workspace_id, user_id)
    for what, table in (("transcript", "messages"), ("events", "run_events")):
        size, rows = _tables(url, "studio", [table])
        print(f"apart from that, the {what}: {size / 1e6:.2f} MB ({rows[table]} rows)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        running = start(Path(directory))
        try:
            asyncio.run(main(running, given.turns))
        finally:
            running.close()
