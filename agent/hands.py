"""The agent's hands: one call of the model carried out through the door, stopping for a person where it must."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping
from datetime import timedelta

import psycopg
from langchain_core.messages import AIMessage, ToolCall, ToolMessage
from langgraph.types import interrupt
from sqlalchemy.exc import InterfaceError, OperationalError

from agent import conversation, events
from agent.tool_results import complained, told
from agent.turn import TOOL_SECONDS, Turn
from core import clock
from core.errors import Forbidden, InvalidInput, NotFound, StudioError, Unavailable
from core.ids import new_id, parse_id
from db.models.conversation import ApprovalRequest
from db.queries import approvals, runs
from tools.command import AnyCommand
from tools.dispatcher import ConsentNeeded, Dispatcher, Outcome, with_approval

# How long a question to a person stands.
APPROVAL_LIFETIME = timedelta(hours=24)
# The database is away: the run is not at fault, and another attempt goes on from the last step.
DATABASE_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError)

# A call that is under way when somebody stops the run may still end by itself for so long.
_STOP_SECONDS = 2.0

_log = logging.getLogger(__name__)


def shown(commands: Iterable[AnyCommand]) -> list[dict[str, object]]:
    """Commands as models are shown them."""
    return [
        {
            "type": "function",
            "function": {
                "name": command.name,
                "description": command.description,
                "parameters": command.schema(),
            },
        }
        for command in commands
    ]


class Hands:
    """Carries out calls. Every way a command can end becomes a message; only the database being away is raised."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._database = dispatcher.doors.database
        self._visible = {command.name: command for command in dispatcher.catalog.for_agent()}
        self._names = {name: known.name for known in self._visible.values() for name in (known.name, *known.aliases)}

    def tools(self) -> list[dict[str, object]]:
        """The commands as models are shown them."""
        return shown(self._visible.values())

    async def carry_out(self, turn: Turn, message: AIMessage, call: ToolCall) -> ToolMessage:
        """Do what one call says; ends the graph's step with an interrupt when a person has to decide first."""
        message_id, call_id = str(message.id), str(call["id"])
        malformed: Mapping[str, str] = message.response_metadata.get("malformed", {})
        written = malformed.get(call_id)
        self._announce(turn, message_id, call, written)
        name = self._names.get(call["name"], call["name"])
        try:
            outcome = await self._outcome(turn, message_id, {**call, "name": name}, written)
            answer = told(outcome, call_id=call_id, message_id=message_id)
        except Forbidden as error:
            answer = complained(error, command=name, call_id=call_id, message_id=message_id, status="refused")
        except StudioError as error:
            answer = complained(error, command=name, call_id=call_id, message_id=message_id)
        turn.log.emit(events.tool_result(call_id, str(answer.content)))
        return answer

    def _announce(self, turn: Turn, message_id: str, call: ToolCall, written: str | None) -> None:
        call_id = str(call["id"])
        if call_id not in turn.announced:
            turn.announced.add(call_id)
            arguments = written if written is not None else conversation.arguments(call)
            turn.log.emit(*events.tool_call(call_id, call["name"], arguments, message_id=message_id))

    async def _outcome(self, turn: Turn, message_id: str, call: ToolCall, written: str | None) -> Outcome:
        if written is not None:
            raise InvalidInput(
                f"The arguments of {call['name']} are not a JSON object: {written[:200]}",
                code="invalid_arguments",
                action="Call it again with one complete JSON object.",
            )
        if call["name"] not in self._visible:
            raise NotFound(
                f"There is no command called {call['name']!r}.",
                code="unknown_command",
                action=f"Use one of: {', '.join(sorted(self._visible))}.",
            )
        approval = await self._approval(turn, call)
        if approval is None:
            try:
                return await self._run(call["name"], call["args"], turn, message_id, call)
            except ConsentNeeded as needed:
                approval = await self._ask(turn, call, needed)
        return await self._decided(turn, message_id, call, approval)

    async def _run(
        self,
        name: str,
        arguments: Mapping[str, object],
        turn: Turn,
        message_id: str,
        call: ToolCall,
        approval: ApprovalRequest | None = None,
    ) -> Outcome:
        caller = turn.caller(message_id, str(call["id"]))
        if approval is not None:
            caller = with_approval(caller, approval.id)
        try:
            async with asyncio.timeout(TOOL_SECONDS):
                return await _unless_stopped(turn, self._dispatcher.run(name, dict(arguments), caller))
        except (StudioError, *DATABASE_AWAY):
            raise
        except TimeoutError:
            raise Unavailable(
                f"{name} did not come to an end within {TOOL_SECONDS:g} s and was stopped.",
                code="tool_timeout",
                action="Look at the state of things before you try again.",
            ) from None
        except Exception:  # noqa: BLE001 - whatever a command raises, the conversation goes on and says so
            _log.exception("%s failed in run %s", name, turn.run_id)
            raise Unavailable(
                f"{name} failed because of a mistake inside Studio; it changed nothing.",
                code="internal_error",
                action="Tell the person; do not try the same again.",
            ) from None

    async def _approval(self, turn: Turn, call: ToolCall) -> ApprovalRequest | None:
        """The question this call asked before, an expired one marked so."""
        async with self._database.session(turn.principal.workspace_id) as session:
            approval = await approvals.of_call(session, turn.run_id, str(call["id"]))
            if approval and approval.status == "pending" and approval.expires_at <= await clock.now(session):
                approval.status = "expired"
            return approval

    async def _ask(self, turn: Turn, call: ToolCall, needed: ConsentNeeded) -> ApprovalRequest:
        proposal = needed.proposal
        async with self._database.session(turn.principal.workspace_id) as session:
            await runs.ask_for_approval(
                session,
                {
                    "id": new_id(),
                    "workspace_id": turn.principal.workspace_id,
                    "run_id": turn.run_id,
                    "thread_id": turn.thread_id,
                    "tool_call_id": call["id"],
                    "command": needed.command,
                    "args": needed.arguments,
                    "summary": proposal.summary,
                    "post_id": parse_id(proposal.post_id) if proposal.post_id else None,
                    "content_hash": proposal.content_hash,
                    "status": "pending",
                    "requested_by": turn.principal.user_id,
                    "expires_at": await clock.now(session) + APPROVAL_LIFETIME,
                },
            )
            approval = await approvals.of_call(session, turn.run_id, str(call["id"]))
        assert approval is not None
        return approval

    async def _decided(self, turn: Turn, message_id: str, call: ToolCall, approval: ApprovalRequest) -> Outcome:
        """What came of the question. The row is the truth: the interrupt only stops the graph until it is answered.

        So a run goes on after an answer just as it does after a crash, and no answer is held twice.
        """
        while approval.status == "pending":
            interrupt({"approval_id": str(approval.id)})
            found = await self._approval(turn, call)
            assert found is not None
            approval = found
        if approval.status == "approved":
            return await self._run(approval.command, approval.args, turn, message_id, call, approval)
        if approval.status == "expired":
            raise Forbidden(
                "Nobody answered in time, so it was not done.",
                code="approval_expired",
                action="Call it again if the person still wants it.",
            )
        note = f": {approval.note}" if approval.note else "."
        raise Forbidden(
            f"It was rejected, so nothing was done{note}",
            code="approval_rejected",
            action="Do not try it again unless they ask for it.",
        )


async def _unless_stopped(turn: Turn, call: Coroutine[None, None, Outcome]) -> Outcome:
    """What a call comes to. Raises ``Forbidden`` when the run was stopped and the call did not end soon after."""
    calling, stopping = asyncio.create_task(call), asyncio.create_task(turn.stop.wait())
    try:
        await asyncio.wait((calling, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not calling.done():
            await asyncio.wait((calling,), timeout=_STOP_SECONDS)
    finally:
        stopping.cancel()
        calling.cancel()
        await asyncio.gather(calling, stopping, return_exceptions=True)
    if calling.cancelled():
        raise Forbidden("The person stopped the run before this was done.", code="stopped")
    return calling.result()
