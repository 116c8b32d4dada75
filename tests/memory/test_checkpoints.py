"""LangGraph's tables: set up once, seen one workspace at a time, closed to whoever names none."""

from uuid import UUID, uuid4

import psycopg
import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import MessagesState, StateGraph
from psycopg.errors import InsufficientPrivilege

from memory import checkpoints
from memory.checkpoints import checkpoint_thread, checkpoints_of, open_saver
from memory.saver import WorkspaceSaver

TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_messages")


def config_of(workspace_id: UUID, thread_id: UUID) -> RunnableConfig:
    return {"configurable": {"thread_id": checkpoint_thread(workspace_id, thread_id)}}


async def say(saver: WorkspaceSaver, workspace_id: UUID, thread_id: UUID, text: str) -> list[str]:
    """Say something to a graph that only remembers; what it remembers."""
    graph = StateGraph(MessagesState).add_node("keep", lambda _state: {}).set_entry_point("keep")
    compiled = graph.compile(checkpointer=saver)
    with checkpoints_of(workspace_id):
        state = await compiled.ainvoke(
            {"messages": [HumanMessage(text)]}, config_of(workspace_id, thread_id), durability="sync"
        )
    return [message.content for message in state["messages"]]


async def test_a_thread_is_remembered_by_the_next_process(admin_url: str) -> None:
    workspace_id, thread_id = uuid4(), uuid4()
    async with open_saver(admin_url) as saver:
        assert await say(saver, workspace_id, thread_id, "one") == ["one"]
    async with open_saver(admin_url) as saver:
        assert await say(saver, workspace_id, thread_id, "two") == ["one", "two"]


async def test_another_workspace_sees_and_writes_nothing(admin_url: str) -> None:
    mine, theirs, thread_id = uuid4(), uuid4(), uuid4()
    # One connection, so that a workspace left over from the call before would show.
    async with open_saver(admin_url, pool_size=1) as saver:
        await say(saver, mine, thread_id, "secret")
        with checkpoints_of(theirs):
            assert await saver.aget_tuple(config_of(mine, thread_id)) is None
            assert [found async for found in saver.alist(None)] == []
            await saver.adelete_thread(checkpoint_thread(mine, thread_id))
        with checkpoints_of(theirs), pytest.raises(InsufficientPrivilege):
            await saver.aput_writes(
                {
                    "configurable": {
                        **config_of(mine, thread_id)["configurable"],
                        "checkpoint_ns": "",
                        "checkpoint_id": "1",
                    }
                },
                [("messages", "forged")],
                "task",
            )
        assert await say(saver, mine, thread_id, "still there") == ["secret", "still there"]


async def test_without_a_workspace_nothing_is_read(admin_url: str) -> None:
    async with open_saver(admin_url) as saver:
        with pytest.raises(RuntimeError, match="checkpoints_of"):
            await saver.aget_tuple(config_of(uuid4(), uuid4()))


async def test_setting_up_again_changes_nothing_and_every_table_is_guarded(admin_url: str) -> None:
    workspace_id, thread_id = uuid4(), uuid4()
    async with open_saver(admin_url) as saver:
        await say(saver, workspace_id, thread_id, "one")
    await checkpoints.setup(admin_url)
    async with open_saver(admin_url) as saver:
        assert await say(saver, workspace_id, thread_id, "two") == ["one", "two"]
    async with await psycopg.AsyncConnection.connect(admin_url) as connection:
        rows = await connection.execute(
            "select relname, relrowsecurity and relforcerowsecurity from pg_class"
            " where relnamespace = 'langgraph'::regnamespace and relkind = 'r' and relname <> 'checkpoint_migrations'"
        )
        assert dict(await rows.fetchall()) == dict.fromkeys(TABLES, True)
        await connection.execute("set role studio_app")
        with pytest.raises(InsufficientPrivilege):
            await connection.execute("create table langgraph.mine (id int)")
