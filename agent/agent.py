"""The agent of this process: the graph with its memory, and what goes on in it right now."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AnyMessage, BaseMessage
from langchain_core.runnables import RunnableConfig

from agent import conversation
from agent.event_log import ClaimLost
from agent.graph import STEPS, Conversation, Mind, build_graph
from agent.hands import Hands
from agent.live import LiveRuns
from agent.turn import Turn
from core.settings import Settings
from memory.checkpoints import checkpoint_thread, checkpoints_of
from memory.saver import WorkspaceSaver
from memory.scope import TakenOver
from tools.dispatcher import Dispatcher


class Agent:
    """Thinks and acts for runs. Built once by the composition root; safe for any number of runs at once."""

    def __init__(
        self, *, model: BaseChatModel, dispatcher: Dispatcher, saver: WorkspaceSaver, settings: Settings
    ) -> None:
        self.live = LiveRuns()
        self.dispatcher = dispatcher
        self._saver = saver
        mind = Mind(model, Hands(dispatcher), silence=settings.model_timeout)
        self._graph = build_graph(mind, saver)

    async def remembered(
        self, workspace_id: UUID, thread_id: UUID, *, going_on: UUID | None = None
    ) -> tuple[Sequence[AnyMessage], str | None]:
        """The messages of a thread, and the id of the run that stored them last; nothing for a new thread.

        Of the run ``going_on`` also what its last step stored before its process died: the graph goes on from there.
        """
        config: RunnableConfig = {"configurable": {"thread_id": checkpoint_thread(workspace_id, thread_id)}}
        with checkpoints_of(workspace_id):
            stored = await self._saver.aget_tuple(config)
        if stored is None:
            return (), None
        messages: Sequence[AnyMessage] = stored.checkpoint["channel_values"].get("messages", ())
        run_id = stored.metadata.get("run_id")
        if going_on is not None and run_id == str(going_on):
            writes = stored.pending_writes or ()
            messages = [*messages, *(each for _, channel, value in writes if channel == "messages" for each in value)]
        return messages, str(run_id) if run_id else None

    async def go_on(
        self, turn: Turn, text: str, *, owed: Sequence[BaseMessage]
    ) -> tuple[Sequence[AnyMessage], UUID | None]:
        """Run the graph until it ends or asks: the run's messages, and the approval it waits for.

        One recipe for every case: LangGraph compares the run id that is stored with the last step. A new one begins
        with the person's message (behind what the conversation is ``owed``); the same one goes on where it was.
        Raises ``ClaimLost`` when a step was not stored because the run is in other hands.
        """
        workspace_id = turn.principal.workspace_id
        config: RunnableConfig = {
            "configurable": {"thread_id": checkpoint_thread(workspace_id, turn.thread_id)},
            "metadata": {"run_id": str(turn.run_id)},
            "recursion_limit": STEPS,
        }
        try:
            with checkpoints_of(workspace_id, claim=turn.log.claim):
                result = await self._graph.ainvoke(
                    cast("Conversation", {"messages": [*owed, conversation.said_by_person(turn.run_id, text)]}),
                    config,
                    context=turn,
                    durability="sync",
                )
        except TakenOver as error:
            raise ClaimLost from error
        interrupts = result.get("__interrupt__", ())
        approval_id = UUID(str(interrupts[0].value["approval_id"])) if interrupts else None
        return conversation.of_run(result["messages"], turn.run_id), approval_id

    async def tidy(self, workspace_id: UUID, thread_id: UUID, run_id: UUID) -> None:
        """Keep of a run that is over, and of those before it, the last step alone."""
        with checkpoints_of(workspace_id):
            await self._saver.athin(checkpoint_thread(workspace_id, thread_id), str(run_id))

    async def forget(self, workspace_id: UUID, thread_id: UUID) -> None:
        """Delete what the model remembers of a thread."""
        with checkpoints_of(workspace_id):
            await self._saver.adelete_thread(checkpoint_thread(workspace_id, thread_id))
