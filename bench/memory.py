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
    """Seconds of turns around the tenth and of the last; bytes of LangGraph's tables with their indexes; their rows.

    ``written`` is what the files hold as the turns left them, ``vacuumed`` after VACUUM.
    """

    early: Sequence[float]
    late: Sequence[float]
    written: int
    vacuumed: int
    rows: dict[str, int]


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


async def _seconds(turn: Turn, messages: Sequence[AnyMessage]) -> float:
    begun = time.perf_counter()
    await turn(messages)
    return time.perf_counter() - begun


async def measure(long: Turn, short: Turn, said: Sequence[Sequence[AnyMessage]], url: str) -> Cost:
    """Let a long conversation and a short one grow, and time their last turns by turns: both meet the same machine."""
    for messages in said[:-AROUND]:
        await long(messages)
    for messages in said[: AROUND // 2]:
        await short(messages)
    early, late = [], []
    for number in range(AROUND):
        early.append(await _seconds(short, said[AROUND // 2 + number]))
        late.append(await _seconds(long, said[number - AROUND]))
    tables = _checkpoint_tables(url)
    written, rows = _tables(url, "langgraph", tables)
    _vacuum(url, "langgraph", tables)
    vacuumed, _ = _tables(url, "langgraph", tables)
    return Cost(early=early, late=late, written=written, vacuumed=vacuumed, rows=rows)


def _config(thread_id: str, run_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id}, "metadata": {"run_id": run_id}}


@asynccontextmanager
async def _ours(url: str, said: Sequence[Sequence[AnyMessage]]) -> AsyncIterator[Turn]:
    """A conversation with Studio's saver, and what is done when a run is over."""
    workspace_id = uuid4()
    thread_id = checkpoint_thread(workspace_id, uuid4())
    async with open_saver(url) as saver:
        graph = graph_on(saver, said)

        async def turn(messages: Sequence[AnyMessage]) -> None:
            run_id = str(uuid4())
            config = _config(thread_id, run_id)
            with checkpoints_of(workspace_id):
                await saver.aget_tuple(config)
                await graph.ainvoke({"messages": [messages[0]]}, config, durability="sync")
                await saver.athin(thread_id, run_id)

        yield turn


@asynccontextmanager
async def _stock(url: str, said: Sequence[Sequence[AnyMessage]]) -> AsyncIterator[Turn]:
    """A conversation with LangGraph's own saver."""
    thread_id = str(uuid4())
    pool = AsyncConnectionPool(
        url,
        connection_class=AsyncConnection[DictRow],
        min_size=1,
        max_size=8,
        open=False,
        kwargs={
            "autocommit": True,
            "prepare_threshold": 0,
            "row_factory": dict_row,
            "options": "-c search_path=langgraph",
        },
    )
    async with pool:
        async with pool.connection() as connection:
            await connection.execute("create schema langgraph")
        saver = AsyncPostgresSaver(conn=pool)
        await saver.setup()
        graph = graph_on(saver, said)

        async def turn(messages: Sequence[AnyMessage]) -> None:
            config = _config(thread_id, str(uuid4()))
            await saver.aget_tuple(config)
            await graph.ainvoke({"messages": [messages[0]]}, config, durability="sync")

        yield turn


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
    early, late = statistics.median(cost.early), statistics.median(cost.late)
    print(f"{name}: {cost.written / 1e6:.2f} MB as written, {cost.vacuumed / 1e6:.2f} MB after VACUUM ({rows})")
    print(
        f"  a turn takes {early * 1e3:.1f} ms around turn 10 and {late * 1e3:.1f} ms around turn {turns}:"
        f" {late / early:.2f} times as long"
    )


def _new_database(cluster: Cluster, name: str) -> str:
    with psycopg.connect(cluster.dsn(database="postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    return cluster.dsn(database=name)


async def _prepared(url: str) -> str:
    async with migrate.migration_lock(url):
        await migrate.upgrade(url)
        await checkpoints.setup(url)
    return url


async def main(cluster: Cluster, turns: int) -> None:
    """Measure both, the one after the other, and print."""
    said = script(turns)
    words = sum(len(str(message.content)) for messages in said for message in messages) + turns * SAID[1]
    print(
        f"{turns} turns of 4 messages, {words / 1e6:.2f} MB of words; tables with their indexes, medians of {AROUND}:"
    )
    url, other = [await _prepared(_new_database(cluster, name)) for name in ("ours_long", "ours_short")]
    async with _ours(url, said) as long, _ours(other, said) as short:
        ours = await measure(long, short, said, url)
    _say("Studio's saver", ours, turns)
    stock_url, stock_other = [_new_database(cluster, name) for name in ("stock_long", "stock_short")]
    async with _stock(stock_url, said) as long, _stock(stock_other, said) as short:
        stock = await measure(long, short, said, stock_url)
    _say("LangGraph's own", stock, turns)
    print(
        f"Studio's is {stock.written / ours.written:.0f} times smaller and, around turn {turns},"
        f" {statistics.median(stock.late) / statistics.median(ours.late):.1f} times faster"
    )
    await beside(url, said, *await _new_workspace(url))
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
