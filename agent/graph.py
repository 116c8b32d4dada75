"""The mind as a graph: think, then act call by call, then think again. Why it is drawn by hand: docs/adr/0004."""

from typing import Annotated, Literal, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, SystemMessage
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agent import conversation
from agent.hands import Hands
from agent.prompt import system_prompt
from agent.speaking import Speaker, announce, new_message_id, speak, stopped_message
from agent.tool_results import complained
from agent.turn import MODEL_CALLS, TOOL_CALLS, Turn
from core.errors import Forbidden, StudioError, TooLarge
from memory.saver import WorkspaceSaver

# Every answer and every call is a step of its own; the bounds of a run end it long before LangGraph's would.
STEPS = 2 * (MODEL_CALLS + TOOL_CALLS) + 10


class Conversation(TypedDict):
    """What is kept of a thread between steps and between runs."""

    messages: Annotated[list[AnyMessage], add_messages]


class Update(TypedDict):
    """What one step adds."""

    messages: list[AnyMessage]


Graph = CompiledStateGraph[Conversation, Turn, Conversation, Conversation]


class Mind:
    """The graph's two nodes."""

    def __init__(self, model: BaseChatModel, hands: Hands, *, silence: float) -> None:
        self._speaker: Speaker = model.bind_tools(hands.tools())
        self._hands = hands
        self._silence = silence

    async def think(self, state: Conversation, runtime: Runtime[Turn]) -> Update:
        """Let the model answer, unless the run was stopped or has gone on for long enough."""
        turn, messages = runtime.context, state["messages"]
        if turn.stop.is_set():
            return {"messages": [stopped_message(new_message_id(), "")]}
        enough = conversation.why_enough(conversation.of_run(messages, turn.run_id))
        if enough is not None:
            return {"messages": [announce(turn, enough)]}
        answer = await speak(
            self._speaker,
            [SystemMessage(system_prompt(turn)), *messages],
            turn,
            silence=self._silence,
            used_ids=conversation.call_ids(messages),
        )
        # A process that was suspended may wake up long after another took the run over: what it heard is dropped.
        await turn.log.confirm()
        return {"messages": [answer]}

    async def act(self, state: Conversation, runtime: Runtime[Turn]) -> Update:
        """Carry out the first open call: each is a step, so that a crash or a question concerns that call alone."""
        turn = runtime.context
        found = conversation.open_calls(state["messages"])
        assert found is not None
        message, calls = found
        if turn.stop.is_set():
            refusal: StudioError = Forbidden("The person stopped the run before this was done.", code="stopped")
        elif conversation.calls_made(conversation.of_run(state["messages"], turn.run_id)) >= TOOL_CALLS:
            refusal = TooLarge("This run has made as many calls as it may.", code="too_many_calls")
        else:
            await turn.log.confirm()
            return {"messages": [await self._hands.carry_out(turn, message, calls[0])]}
        return {"messages": [_not_done(refusal, message, str(call["id"]), call["name"]) for call in calls]}


def _not_done(refusal: StudioError, message: AIMessage, call_id: str, name: str) -> AnyMessage:
    return complained(refusal, command=name, call_id=call_id, message_id=str(message.id), status="refused")


def _after_thinking(state: Conversation) -> Literal["act", "__end__"]:
    return "act" if conversation.open_calls(state["messages"]) else "__end__"


def _after_acting(state: Conversation) -> Literal["act", "think"]:
    return "act" if conversation.open_calls(state["messages"]) else "think"


def build_graph(mind: Mind, saver: WorkspaceSaver) -> Graph:
    """The graph with its memory. Run it with durability "sync": an answer is stored before any of its calls begins."""
    graph = StateGraph(Conversation, context_schema=Turn)
    graph.add_node("think", mind.think)
    graph.add_node("act", mind.act)
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", _after_thinking)
    graph.add_conditional_edges("act", _after_acting)
    return graph.compile(checkpointer=saver)
