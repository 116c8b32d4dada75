"""The saver beyond what LangGraph's own does: branches, claims, tidying up, and what one process remembers."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import psycopg
import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.base.id import uuid6
from langgraph.graph import MessagesState, StateGraph
from langgraph.types import interrupt
from sqlalchemy import func

from core.ids import new_id
from db.engine import Database
from db.models.conversation import Run, Thread
from memory.checkpoints import checkpoint_thread, checkpoints_of
from memory.saver import WorkspaceSaver
from memory.scope import Claim, TakenOver
from tests.memory import talk
from tests.memory.conftest import Memory, config_of
from tools.context import Principal


async def loaded(saver: WorkspaceSaver, thread_id: str, checkpoint_id: str | None = None) -> CheckpointTuple:
    """A checkpoint that is there."""
    found = await saver.aget_tuple(config_of(thread_id, checkpoint_id))
    assert found is not None
    return found


def words(found: CheckpointTuple) -> list[str]:
    """What its messages say."""
    return [str(message.content) for message in found.checkpoint["channel_values"]["messages"]]


async def go_on(saver: WorkspaceSaver, after: CheckpointTuple, *said: str) -> str:
    """Store a checkpoint that adds messages to another one, as a graph would; its id."""
    messages = [*after.checkpoint["channel_values"]["messages"], *[HumanMessage(text, id=text) for text in said]]
    version = saver.get_next_version(str(after.checkpoint["channel_versions"]["messages"]), None)
    checkpoint = after.checkpoint.copy()
    checkpoint["id"] = str(uuid6())
    checkpoint["channel_values"] = {"messages": messages}
    checkpoint["channel_versions"] = {"messages": version}
    config = after.config
    await saver.aput(config, checkpoint, {"source": "loop", "step": 9}, {"messages": version})
    return checkpoint["id"]


async def begun(memory: Memory) -> str:
    """A thread in which a turn was taken."""
    thread_id = memory.thread()
    await talk.take_turn(talk.graph_on(memory.saver), thread_id)
    return thread_id


async def test_two_who_go_on_from_the_same_step_do_not_mix(memory: Memory, another: WorkspaceSaver) -> None:
    with checkpoints_of(memory.workspace_id):
        thread_id = await begun(memory)
        mine, theirs = await loaded(memory.saver, thread_id), await loaded(another, thread_id)
        before = words(mine)
        first = await go_on(memory.saver, mine, "mine", "and more of mine")
        second = await go_on(another, theirs, "theirs")
        for saver in (memory.saver, another):
            assert words(await loaded(saver, thread_id, first)) == [*before, "mine", "and more of mine"]
            # The newest counts, as it does with LangGraph's own.
            assert words(await loaded(saver, thread_id)) == [*before, "theirs"]
            listed = [words(each) async for each in saver.alist(config_of(thread_id), limit=2)]
            assert listed == [[*before, "theirs"], [*before, "mine", "and more of mine"]]
        # And both go on.
        third = await go_on(memory.saver, await loaded(memory.saver, thread_id, first), "still mine")
        assert words(await loaded(another, thread_id, third)) == [*before, "mine", "and more of mine", "still mine"]
        assert words(await loaded(memory.saver, thread_id, second)) == [*before, "theirs"]
        # What they share is there once.
        assert memory.count("checkpoint_messages", thread_id) == len(before) + 4


async def test_what_it_goes_on_from_may_be_deleted_meanwhile(memory: Memory, another: WorkspaceSaver) -> None:
    with checkpoints_of(memory.workspace_id):
        thread_id = await begun(memory)
        known = await loaded(memory.saver, thread_id)
        await another.adelete_thread(thread_id)
        await go_on(memory.saver, known, "alone")
        assert words(await loaded(another, thread_id)) == [*words(known), "alone"]
        assert memory.count("checkpoint_messages", thread_id) == len(words(known)) + 1


async def test_a_message_that_was_changed_in_place_and_handed_in_is_stored(
    memory: Memory, another: WorkspaceSaver
) -> None:
    def mark(state: MessagesState) -> dict[str, object]:
        state["messages"][0].content = "marked"
        return {"messages": [state["messages"][0], AIMessage("done", id="done")]}

    graph = StateGraph(MessagesState).add_node("mark", mark).set_entry_point("mark").compile(checkpointer=memory.saver)
    with checkpoints_of(memory.workspace_id):
        thread_id = await begun(memory)
        await graph.ainvoke({"messages": [HumanMessage("go", id="go")]}, config_of(thread_id), durability="sync")
        told = words(await loaded(another, thread_id))
        assert (told[0], told[-1]) == ("marked", "done")
        assert words(await loaded(memory.saver, thread_id)) == told


async def test_what_is_known_is_not_read_again(memory: Memory, another: WorkspaceSaver) -> None:
    with checkpoints_of(memory.workspace_id):
        thread_id = await begun(memory)
        first = (await loaded(another, thread_id)).checkpoint["channel_values"]["messages"]
        await talk.take_turn(talk.graph_on(memory.saver), thread_id)
        second = (await loaded(another, thread_id)).checkpoint["channel_values"]["messages"]
        assert len(second) == 2 * len(first)
        assert all(one is other for one, other in zip(first, second, strict=False))


async def test_conversations_do_not_wait_for_each_other(memory: Memory) -> None:
    busy, free = memory.thread(), memory.thread()
    graph = talk.graph_on(memory.saver)
    async with await psycopg.AsyncConnection.connect(memory.admin_url, autocommit=True) as holder:
        await holder.execute("select pg_advisory_lock(hashtextextended(%s, 0))", (busy,))
        with checkpoints_of(memory.workspace_id):
            stuck = asyncio.create_task(talk.take_turn(graph, busy))
            assert await asyncio.wait_for(talk.take_turn(graph, free), 30) == 0
            assert not stuck.done()
        await holder.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", (busy,))
        assert await asyncio.wait_for(stuck, 30) == 0


# --- claims ----------------------------------------------------------------------------------------------------------


async def claimed(database: Database, principal: Principal) -> tuple[UUID, UUID]:
    """A thread and a run in it that is claimed with fence 1."""
    run_id = new_id()
    async with database.session(principal.workspace_id) as session:
        thread = Thread(workspace_id=principal.workspace_id, title="", focus=[], created_by=principal.user_id)
        session.add(thread)
        await session.flush()
        session.add(
            Run(
                id=run_id,
                workspace_id=principal.workspace_id,
                thread_id=thread.id,
                user_id=principal.user_id,
                surface="rest",
                status="running",
                fence=1,
                next_attempt_at=func.studio_now(),
                text="hello",
                actions=[],
            )
        )
    return thread.id, run_id


async def test_whoever_lost_the_run_stores_nothing(
    memory: Memory, another: WorkspaceSaver, database: Database, principal: Principal
) -> None:
    conversation, run_id = await claimed(database, principal)
    thread_id = checkpoint_thread(principal.workspace_id, conversation)
    with checkpoints_of(principal.workspace_id, claim=Claim(run_id=run_id, fence=1)):
        await talk.take_turn(talk.graph_on(memory.saver), thread_id)
        known = await loaded(memory.saver, thread_id)
    # Another process takes the run over, and ends it.
    async with database.session(principal.workspace_id) as session:
        run = await session.get_one(Run, run_id)
        run.fence = 2
    with checkpoints_of(principal.workspace_id, claim=Claim(run_id=run_id, fence=2)):
        await go_on(another, await loaded(another, thread_id), "theirs")
    before = memory.counts(thread_id)
    with checkpoints_of(principal.workspace_id, claim=Claim(run_id=run_id, fence=1)):
        with pytest.raises(TakenOver):
            await go_on(memory.saver, known, "too late")
        with pytest.raises(TakenOver):
            await memory.saver.aput_writes(known.config, [("messages", "too late")], "task")
        # From inside a graph it comes out as it is.
        talking = talk.graph_on(memory.saver)
        with pytest.raises(TakenOver):
            await talking.ainvoke({"messages": [talk.said(1)]}, talk.config(thread_id, 1), durability="sync")
    assert memory.counts(thread_id) == before
    with checkpoints_of(principal.workspace_id):
        assert words(await loaded(memory.saver, thread_id))[-1] == "theirs"
    async with database.session(principal.workspace_id) as session:
        run = await session.get_one(Run, run_id)
        run.status, run.ended_at = "done", func.studio_now()
    with (
        checkpoints_of(principal.workspace_id, claim=Claim(run_id=run_id, fence=2)),
        pytest.raises(TakenOver),
    ):
        await go_on(another, await loaded(another, thread_id), "after the end")


# --- tidying up ------------------------------------------------------------------------------------------------------


async def test_of_a_run_that_is_over_its_last_step_stays(memory: Memory, another: WorkspaceSaver) -> None:
    thread_id, turns = memory.thread(), 4
    graph = talk.graph_on(memory.saver)
    with checkpoints_of(memory.workspace_id):
        for number in range(turns):
            await talk.take_turn(graph, thread_id)
            await memory.saver.athin(thread_id, talk.run_id(number))
        # The third turn replaced an edited message's row: nothing points at the old one but the steps between turns.
        counts = memory.counts(thread_id)
        assert (counts["checkpoints"], counts["checkpoint_blobs"], counts["checkpoint_writes"]) == (turns, 0, 0)
        await memory.saver.athin(thread_id, talk.run_id(turns - 1))
        assert memory.counts(thread_id) == counts

        steps = [step async for step in talk.graph_on(another).aget_state_history(config_of(thread_id))]
        assert [len(step.values["messages"]) for step in steps] == [16, 12, 8, 4]
        assert all(step.values["messages"] == talk.state_of(len(step.values["messages"])) for step in steps)
        parents = [step.parent_config["configurable"]["checkpoint_id"] for step in steps if step.parent_config]
        assert parents == [step.config["configurable"]["checkpoint_id"] for step in steps[1:]]

        # A branch from the past, and the newest turn after it.
        past = config_of(thread_id, steps[2].config["configurable"]["checkpoint_id"], run=talk.run_id(70))
        branched = await graph.ainvoke({"messages": [talk.said(70)]}, past, durability="sync")
        assert branched["messages"][:9] == [*talk.state_of(8), talk.said(70)]
        await memory.saver.athin(thread_id, talk.run_id(70))
        again = [step async for step in talk.graph_on(another).aget_state_history(config_of(thread_id))]
        assert [step.values for step in again[1:]] == [step.values for step in steps]
        assert again[0].values["messages"] == branched["messages"]


async def test_what_a_crash_left_is_tidied_up_by_the_next_run(memory: Memory) -> None:
    thread_id = memory.thread()
    graph = talk.graph_on(memory.saver)
    with checkpoints_of(memory.workspace_id):
        for _ in range(2):
            await talk.take_turn(graph, thread_id)
        # As if a process had died between storing a write and the step that it was for.
        await memory.saver.aput_writes(config_of(thread_id, str(uuid6())), [("messages", HumanMessage("lost"))], "task")
        await talk.take_turn(graph, thread_id)
        assert memory.count("checkpoints", thread_id) == 3 * 5
        await memory.saver.athin(thread_id, talk.run_id(2))
        counts = memory.counts(thread_id)
        assert (counts["checkpoints"], counts["checkpoint_blobs"], counts["checkpoint_writes"]) == (3, 0, 0)


async def test_a_step_that_another_branch_goes_on_from_stays(memory: Memory, another: WorkspaceSaver) -> None:
    thread_id = memory.thread()
    graph = talk.graph_on(memory.saver)
    with checkpoints_of(memory.workspace_id):
        await talk.take_turn(graph, thread_id)
        steps = [step async for step in graph.aget_state_history(config_of(thread_id))]
        fork = steps[1].config["configurable"]["checkpoint_id"]
        assert len(steps[1].values["messages"]) == 3
        beside = config_of(thread_id, fork, run=talk.run_id(80))
        # Another run goes on from the middle of the turn, and then one from the newest step of the turn.
        for number, start in (
            (80, beside),
            (90, config_of(thread_id, steps[0].config["configurable"]["checkpoint_id"])),
        ):
            start["metadata"] = {"run_id": talk.run_id(number)}
            await graph.ainvoke({"messages": [talk.said(number)]}, start, durability="sync")
        await memory.saver.athin(thread_id, talk.run_id(90))
        left = [step async for step in talk.graph_on(another).aget_state_history(config_of(thread_id))]
        ids = [step.config["configurable"]["checkpoint_id"] for step in left]
        assert fork in ids
        told = {len(step.values["messages"]): step.values["messages"] for step in left}
        # The middle of the turn, its end, and what was said after each.
        assert told[3] == talk.state_of(3)
        assert told[4][:3] == talk.state_of(3)
        assert [message.id for message in left[0].values["messages"]][:5] == [*_ids(talk.state_of(4)), "said 90"]
        again = await talk.graph_on(another).aget_state(config_of(thread_id, fork))
        assert again.values["messages"] == talk.state_of(3)


def _ids(messages: Sequence[AnyMessage]) -> list[str | None]:
    return [message.id for message in messages]


async def test_the_next_run_is_not_disturbed(memory: Memory) -> None:
    """Tidying up may come late, when the next run is under way already, even waiting for an answer."""

    def ask(state: MessagesState) -> dict[str, object]:
        assert state["messages"]
        return {"messages": [AIMessage(str(interrupt("may I?")), id="asked")]}

    graph = StateGraph(MessagesState).add_node("ask", ask).set_entry_point("ask").compile(checkpointer=memory.saver)
    with checkpoints_of(memory.workspace_id):
        thread_id = await begun(memory)
        config = config_of(thread_id, run="next")
        asked = await graph.ainvoke({"messages": [HumanMessage("do it", id="do it")]}, config, durability="sync")
        assert asked["__interrupt__"][0].value == "may I?"
        pending = (await loaded(memory.saver, thread_id)).pending_writes
        await memory.saver.athin(thread_id, talk.run_id(0))
        # One step of the first run; the second one's input, and its first step.
        assert memory.count("checkpoints", thread_id) == 3
        assert (await loaded(memory.saver, thread_id)).pending_writes == pending


async def test_messages_that_nothing_points_at_are_deleted(memory: Memory, another: WorkspaceSaver) -> None:
    thread_id = memory.thread()
    graph = talk.graph_on(memory.saver)
    with checkpoints_of(memory.workspace_id):
        for _ in range(3):
            await talk.take_turn(graph, thread_id)
        # The edit of the third turn left a row that only steps within that turn held.
        assert memory.count("checkpoint_messages", thread_id) > 12
        await memory.saver.athin(thread_id, talk.run_id(2))
        assert memory.count("checkpoint_messages", thread_id) == 12
        await memory.saver.aprune([thread_id])
        assert words(await loaded(another, thread_id)) == [str(message.content) for message in talk.state_of(12)]
        assert memory.count("checkpoints", thread_id) == 1
        await memory.saver.adelete_thread(thread_id)
        assert set(memory.counts(thread_id).values()) == {0}
        assert await memory.saver.aget_tuple(config_of(thread_id)) is None
        await talk.take_turn(graph, thread_id)
        assert words(await loaded(another, thread_id)) == [str(message.content) for message in talk.state_of(4)]


async def test_tidying_up_stays_in_the_workspace(memory: Memory) -> None:
    with checkpoints_of(memory.workspace_id):
        thread_id = await begun(memory)
    before = memory.counts(thread_id)
    with checkpoints_of(uuid4()):
        await memory.saver.athin(thread_id, talk.run_id(0))
        await memory.saver.aprune([thread_id])
        await memory.saver.adelete_thread(thread_id)
    assert memory.counts(thread_id) == before
