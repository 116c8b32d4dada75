"""What the saver answers is what LangGraph's own answers, whatever is said, edited and branched."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import StateSnapshot

from memory.checkpoints import checkpoints_of
from memory.saver import WorkspaceSaver
from tests.memory.conftest import Memory, config_of

Graph = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]
# What is done, to which message, from which step of the past (0 = from the newest), and in which of two processes.
Act = tuple[str, int, int, bool]
ACTS = some.tuples(
    some.sampled_from(["say", "say", "say two", "append", "replace", "replace last", "remove", "begin anew"]),
    some.integers(0, 50),
    some.one_of(some.just(0), some.just(0), some.integers(0, 12)),
    some.booleans(),
)


def graph_on(saver: BaseCheckpointSaver[str]) -> Graph:
    """A graph that answers whatever was said last."""

    def answer(state: MessagesState) -> dict[str, list[AnyMessage]]:
        last = state["messages"][-1] if state["messages"] else None
        said = f"{last.id}: {last.content}" if last else "nothing"
        return {"messages": [AIMessage(id=f"answer to {said} ({len(state['messages'])})", content=said)]}

    graph = StateGraph(MessagesState).add_node("answer", answer).set_entry_point("answer").set_finish_point("answer")
    return graph.compile(checkpointer=saver)


@dataclass
class Conversation:
    """One thread, on graphs that take turns (as processes do)."""

    graphs: Sequence[Graph]
    thread_id: str
    steps: list[StateSnapshot] = field(default_factory=list)

    async def do(self, number: int, act: Act) -> None:
        """Carry out an act, and read back all there is."""
        what, position, back, other = act
        graph = self.graphs[other % len(self.graphs)]
        config = config_of(self.thread_id)
        if back and self.steps:
            config = self.steps[back % len(self.steps)].config
        state = await graph.aget_state(config)
        now = cast("list[AnyMessage]", state.values.get("messages", []))
        written = _written(what, number, now, position)
        if what.startswith("say"):
            await graph.ainvoke({"messages": written}, config, durability="sync")
        else:
            await graph.aupdate_state(config, {"messages": written}, as_node="answer")
        self.steps = [step async for step in graph.aget_state_history(config_of(self.thread_id))]

    async def seen(self) -> list[object]:
        """The whole past, free of ids that chance gave; the newest state is also read by itself."""
        order = {_id(step): number for number, step in enumerate(reversed(self.steps))}
        seen: list[object] = []
        for step in self.steps:
            parent = step.parent_config["configurable"]["checkpoint_id"] if step.parent_config else None
            told = {name: (step.metadata or {}).get(name) for name in ("step", "source", "run_id")}
            seen.append((step.values, step.next, told, order.get(parent), [task.result for task in step.tasks]))
        # The newest and the oldest by themselves, as every process reads them.
        for graph in self.graphs:
            newest = await graph.aget_state(config_of(self.thread_id))
            assert newest.values == self.steps[0].values
            oldest = await graph.aget_state(self.steps[-1].config)
            assert oldest.values == self.steps[-1].values
        return seen


def _id(step: StateSnapshot) -> object:
    return step.config["configurable"]["checkpoint_id"]


def _written(what: str, number: int, now: Sequence[AnyMessage], position: int) -> list[AnyMessage]:
    new = HumanMessage(id=f"new {number}", content=f"said {number}")
    chosen = now[position % len(now)].id if now else None
    match what:
        case "say two":
            return [new, AIMessage(id=f"more {number}", content="", tool_calls=[{"name": "a", "args": {}, "id": "1"}])]
        case "replace" if chosen:
            return [HumanMessage(id=chosen, content=f"edited {number}")]
        case "replace last" if now:
            return [AIMessage(id=now[-1].id, content=f"edited {number}"), new]
        case "remove" if chosen:
            return [cast("AnyMessage", RemoveMessage(id=chosen))]
        case "begin anew":
            return [cast("AnyMessage", RemoveMessage(id=REMOVE_ALL_MESSAGES)), new]
        case _:
            return [new]


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=some.lists(ACTS, min_size=1, max_size=8))
async def test_it_answers_as_langgraphs_own(
    memory: Memory, another: WorkspaceSaver, stock: AsyncPostgresSaver, acts: list[Act]
) -> None:
    ours = Conversation(graphs=[graph_on(memory.saver), graph_on(another)], thread_id=memory.thread())
    theirs = Conversation(graphs=[graph_on(stock)], thread_id=memory.thread())
    with checkpoints_of(memory.workspace_id):
        for number, act in enumerate(acts):
            await ours.do(number, act)
            await theirs.do(number, act)
            assert await ours.seen() == await theirs.seen()


async def test_a_thread_of_langgraphs_own_is_read_and_goes_on(memory: Memory, stock: AsyncPostgresSaver) -> None:
    before = Conversation(graphs=[graph_on(stock)], thread_id=memory.thread())
    for number in range(3):
        await before.do(number, ("say", 0, 0, False))
    after = Conversation(graphs=[graph_on(memory.saver)], thread_id=before.thread_id, steps=before.steps)
    with checkpoints_of(memory.workspace_id):
        assert memory.count("checkpoint_messages", before.thread_id) == 0
        read = await after.graphs[0].aget_state(config_of(before.thread_id))
        assert read.values == before.steps[0].values
        await after.do(3, ("say", 0, 0, False))
        # Every message is a row now, and the steps of before are there as they were.
        assert memory.count("checkpoint_messages", before.thread_id) == len(after.steps[0].values["messages"]) == 8
        assert [step.values for step in after.steps[3:]] == [step.values for step in before.steps]
        # From a step that LangGraph's saver stored, too, a branch goes on.
        branch = before.steps[4]
        told = await after.graphs[0].ainvoke({"messages": [HumanMessage("again")]}, branch.config, durability="sync")
        assert told["messages"][: len(branch.values["messages"])] == branch.values["messages"]
