"""kill -9 while a conversation is stored or tidied up: what is there is whole, and the next process goes on."""

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from langgraph.types import StateSnapshot

from memory.checkpoints import checkpoints_of, open_saver
from tests.memory import talk
from tests.memory.conftest import Memory, config_of

KILLS = 5


@asynccontextmanager
async def worker(memory: Memory, thread_id: str, act: str, turn: int = 0) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process at work in the thread; killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.memory.worker", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    given = {
        "admin_url": memory.admin_url,
        "workspace_id": str(memory.workspace_id),
        "thread_id": thread_id,
        "act": act,
        "turn": turn,
    }
    process.stdin.write(json.dumps(given).encode() + b"\n")
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def check_whole(memory: Memory, thread_id: str) -> int:
    """Every step that is there holds what was said up to then; how many steps those are."""
    async with open_saver(memory.admin_url, pool_size=1) as fresh:
        graph = talk.graph_on(fresh)
        steps = [step async for step in graph.aget_state_history(config_of(thread_id))]
        for step in steps:
            check_valid(step)
        # With what was written since its step was stored.
        check_valid(await graph.aget_state(config_of(thread_id)))
    return len(steps)


def check_valid(step: StateSnapshot) -> None:
    """A step holds what the conversation holds when it is as long."""
    messages = step.values.get("messages", [])
    assert messages == talk.state_of(len(messages))


async def test_killed_at_any_moment(memory: Memory) -> None:
    thread_id, dice = memory.thread(), random.Random(11)
    with checkpoints_of(memory.workspace_id):
        for _ in range(KILLS):
            before = memory.count("checkpoint_messages", thread_id)
            async with (
                worker(memory, thread_id, "talk") as process,
                await psycopg.AsyncConnection.connect(memory.admin_url, autocommit=True) as looking,
            ):
                await _until(looking, f"count(*) > {before + 1} from langgraph.checkpoint_messages")
                # Anywhere within a turn, which takes some 50 ms.
                await asyncio.sleep(dice.random() / 10)
                process.kill()
                await process.wait()
            await check_whole(memory, thread_id)
        # The next process ends what was begun, and tidies up what the killed ones left.
        graph = talk.graph_on(memory.saver)
        for _ in range(2):
            number = await talk.take_turn(graph, thread_id)
            await memory.saver.athin(thread_id, talk.run_id(number))
        assert await check_whole(memory, thread_id) == number + 1
        state = await graph.aget_state(config_of(thread_id))
        assert state.values["messages"] == talk.state_of(4 * (number + 1))
        assert memory.count("checkpoint_writes", thread_id) == 0


async def _until(connection: psycopg.AsyncConnection[tuple[object, ...]], true: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        row = await (await connection.execute(f"select {true}".encode())).fetchone()
        if row is not None and row[0]:
            return
        assert time.monotonic() < deadline, "it did not become true in time"
        await asyncio.sleep(0.01)


_OURS = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"


@pytest.mark.parametrize("act", ["thin", "turn"])
async def test_killed_between_two_statements(memory: Memory, act: str) -> None:
    """The lock that stands between the statements of both is held while the other process is killed at it."""
    thread_id = memory.thread()
    graph = talk.graph_on(memory.saver)
    with checkpoints_of(memory.workspace_id):
        # The third turn edits a message, so there are rows to collect.
        for _ in range(3):
            await talk.take_turn(graph, thread_id)
        before, steps = memory.counts(thread_id), await check_whole(memory, thread_id)
        async with await psycopg.AsyncConnection.connect(memory.admin_url, autocommit=True) as holder:
            await holder.execute("select pg_advisory_lock(hashtextextended(%s, 0))", (thread_id,))
            async with worker(memory, thread_id, act, turn=2) as process:
                await _until(
                    holder, f"exists (select {_OURS} and wait_event_type = 'Lock' and wait_event = 'advisory')"
                )
                process.kill()
                await process.wait()
            await holder.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", (thread_id,))
            await _until(holder, f"not exists (select {_OURS} and wait_event_type = 'Lock')")
            await _until(holder, f"not exists (select {_OURS} and state = 'active')")
        if act == "thin":
            assert memory.counts(thread_id) == before
            assert await check_whole(memory, thread_id) == steps
            await memory.saver.athin(thread_id, talk.run_id(2))
            assert await check_whole(memory, thread_id) == 3
        else:
            assert await check_whole(memory, thread_id) in {steps, steps + 1}
            assert await talk.take_turn(graph, thread_id) == 3
            state = await graph.aget_state(config_of(thread_id))
            assert state.values["messages"] == talk.state_of(16)
