"""A conversation that goes the same way whoever carries it on: three answers a turn, and now and then an edit."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import cast
from uuid import UUID, uuid5

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import Messages, add_messages
from langgraph.graph.state import CompiledStateGraph

from memory.saver import WorkspaceSaver
from tests.memory.conftest import config_of

Graph = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]
_RUNS = UUID("6f6e6f6e-0000-4000-8000-000000000000")
ANSWERS = 3


def run_id(number: int) -> str:
    """The id of a turn."""
    return str(uuid5(_RUNS, str(number)))


def said(number: int) -> HumanMessage:
    """What a person says in a turn."""
    return HumanMessage(id=f"said {number}", content=f"this is turn {number}")


def answered(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The next answer; the second one of every third turn also edits the message before last."""
    turn, count = _position(messages)
    answer = AIMessage(id=f"answer {turn}.{count}", content=f"answer {count} to turn {turn}")
    if turn % 3 == 2 and count == 1:
        return [messages[-2].model_copy(update={"content": f"edited in turn {turn}"}), answer]
    return [answer]


def _position(messages: Sequence[AnyMessage]) -> tuple[int, int]:
    last = max(at for at, message in enumerate(messages) if isinstance(message, HumanMessage))
    return int(str(messages[last].id).removeprefix("said ")), len(messages) - last - 1


def graph_on(saver: WorkspaceSaver) -> Graph:
    """The conversation as a graph: one step per answer."""

    def answer(state: MessagesState) -> dict[str, list[AnyMessage]]:
        return {"messages": answered(state["messages"])}

    def after(state: MessagesState) -> str:
        return "answer" if _position(state["messages"])[1] < ANSWERS else "__end__"

    graph = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer")
    return graph.add_conditional_edges("answer", after).compile(checkpointer=saver)


def states() -> Iterator[list[AnyMessage]]:
    """Every state of the conversation, from the first words on, as messages alone make it."""
    messages: list[AnyMessage] = []
    number = 0
    while True:
        messages = _added(messages, [said(number)])
        yield messages
        for _ in range(ANSWERS):
            messages = _added(messages, answered(messages))
            yield messages
        number += 1


def _added(messages: list[AnyMessage], more: list[AnyMessage]) -> list[AnyMessage]:
    return cast("list[AnyMessage]", add_messages(cast("Messages", list(messages)), cast("Messages", more)))


def state_of(length: int) -> list[AnyMessage]:
    """The state that has so many messages: each of them adds one."""
    return next(islice(states(), length - 1, None)) if length else []


async def take_turn(graph: Graph, thread_id: str) -> int:
    """Go on where the thread is, as a run would after a crash: its number."""
    state = await graph.aget_state(config_of(thread_id))
    messages = state.values.get("messages") or ()
    turn, count = _position(messages) if messages else (-1, ANSWERS)
    number = turn if count < ANSWERS else turn + 1
    await graph.ainvoke({"messages": [said(number)]}, config(thread_id, number), durability="sync")
    return number


def config(thread_id: str, number: int) -> RunnableConfig:
    """The configuration of a turn."""
    return config_of(thread_id, run=run_id(number))
