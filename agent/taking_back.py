"""Taking runs back: their messages leave the agent's memory, and what their commands changed is undone."""

from collections.abc import Sequence
from uuid import UUID

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, RemoveMessage
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import StudioError
from db.engine import Database
from db.models.conversation import Run, ToolCall
from db.queries import calls
from memory import transcript
from memory.transcript import Line
from tools.context import Caller, Principal, Surface
from tools.dispatcher import Dispatcher

_NOTE = "-took-back"


class TakingBack:
    """Takes back what runs before this one did. Repeating it changes nothing and says the same."""

    def __init__(self, database: Database, dispatcher: Dispatcher) -> None:
        self._database = database
        self._dispatcher = dispatcher

    async def note(self, principal: Principal, run: Run, *, zone: str) -> AIMessage | None:
        """Undo what the runs named by ``run.takes_back`` changed; what came of it, None when they changed nothing.

        The note stands in the transcript, and in front of the run's message in the agent's memory.
        """
        said: list[str] = []
        # The newest first: only the last turn can be undone.
        for target in sorted(taken_back(run), reverse=True):
            said += await self._undo(principal, run, target, zone)
        if not said:
            return None
        note = AIMessage(id=f"{run.id}{_NOTE}", content="I took that back. " + " ".join(said))
        async with self._database.session(run.workspace_id) as session:
            await transcript.keep(
                session,
                workspace_id=run.workspace_id,
                thread_id=run.thread_id,
                run_id=run.id,
                lines=[Line(key=str(note.id), role="assistant", content=str(note.text))],
            )
        return note

    async def _undo(self, principal: Principal, run: Run, target: UUID, zone: str) -> list[str]:
        key = f"{run.id}:takes_back:{target}"
        async with self._database.session(run.workspace_id) as session:
            before = await calls.by_key(session, key)
            stands = await calls.of_run(session, target)
            is_last = await _is_last_turn(session, principal, run, target)
        said: list[str] = []
        if before is not None:
            said.append(_summary(before))
        elif is_last:
            # The person's own wish, in their conversation.
            caller = Caller(
                principal=principal,
                surface=Surface.REST,
                zone=zone,
                key=key,
                thread_id=run.thread_id,
                run_id=run.id,
            )
            try:
                said.append((await self._dispatcher.run("undo", {}, caller)).summary)
            except StudioError as error:
                said.append(f"{error.message} {error.action or ''}".rstrip())
        if kept := [_summary(call) for call in stands if not (is_last and call.changes)]:
            said.append(f"This cannot be undone and stays: {' '.join(kept)}")
        return said


def taken_back(run: Run) -> list[UUID]:
    """The ids of the runs that a run takes back."""
    return [UUID(str(target)) for target in run.takes_back]


def removals(messages: Sequence[AnyMessage], targets: Sequence[UUID]) -> list[BaseMessage]:
    """What removes the messages of runs from a conversation; notes on what was taken back stay."""
    wanted, inside = {str(target) for target in targets}, False
    found: list[BaseMessage] = []
    for message in messages:
        if isinstance(message, HumanMessage):
            inside = message.id in wanted
        if inside and not str(message.id).endswith(_NOTE):
            found.append(RemoveMessage(id=str(message.id)))
    return found


def note_of(messages: Sequence[BaseMessage], run_id: UUID) -> AIMessage | None:
    """The note that a run left in the agent's memory."""
    return next((one for one in messages if isinstance(one, AIMessage) and one.id == f"{run_id}{_NOTE}"), None)


async def _is_last_turn(session: AsyncSession, principal: Principal, run: Run, target: UUID) -> bool:
    newest = await calls.last_turn(session, user_id=principal.user_id, thread_id=run.thread_id, run_id=run.id)
    return bool(newest) and newest[0].run_id == target


def _summary(call: ToolCall) -> str:
    return str(call.result.get("summary", call.command))
