"""The events of a run in the shapes of AG-UI 1.0: what every surface is told."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from db.models.conversation import ApprovalRequest

Event = dict[str, object]

PROTOCOL_VERSION = "1.0"

# What answers an approval: the body of POST /v1/runs/{id}/resume.
DECISION_SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "decision": {"type": "string", "enum": ["approve", "reject", "edit"]},
        "args": {"type": "object", "description": "with edit: the arguments to approve instead"},
        "note": {"type": "string", "description": "with reject: why"},
    },
    "required": ["decision"],
}


def run_started(thread_id: UUID, run_id: UUID) -> Event:
    """The run goes on, for the first time or after an answer."""
    return {
        "type": "RUN_STARTED",
        "threadId": str(thread_id),
        "runId": str(run_id),
        "protocolVersion": PROTOCOL_VERSION,
    }


def text_started(message_id: str) -> Event:
    """The agent begins to speak."""
    return {"type": "TEXT_MESSAGE_START", "messageId": message_id, "role": "assistant"}


def text(message_id: str, delta: str) -> Event:
    """A piece of what it says."""
    return {"type": "TEXT_MESSAGE_CONTENT", "messageId": message_id, "delta": delta}


def text_ended(message_id: str) -> Event:
    """It has said it."""
    return {"type": "TEXT_MESSAGE_END", "messageId": message_id}


def tool_call(call_id: str, name: str, arguments: str, *, message_id: str) -> Sequence[Event]:
    """A command is called; ``arguments`` is the JSON that the model wrote."""
    return (
        {"type": "TOOL_CALL_START", "toolCallId": call_id, "toolCallName": name, "parentMessageId": message_id},
        {"type": "TOOL_CALL_ARGS", "toolCallId": call_id, "delta": arguments},
        {"type": "TOOL_CALL_END", "toolCallId": call_id},
    )


def tool_result(call_id: str, content: str) -> Event:
    """What the command came to, as the model is told."""
    return {
        "type": "TOOL_CALL_RESULT",
        "messageId": f"{call_id}-result",
        "toolCallId": call_id,
        "content": content,
        "role": "tool",
    }


def attempt(number: int, dropped: str | None) -> Event:
    """Another process took the run over; the message it was in the middle of (``dropped``) is said again."""
    return {"type": "CUSTOM", "name": "attempt", "value": {"number": number, "droppedMessageId": dropped}}


def finished(thread_id: UUID, run_id: UUID) -> Event:
    """The run is done."""
    return {"type": "RUN_FINISHED", **_ids(thread_id, run_id), "outcome": {"type": "success"}}


def cancelled(thread_id: UUID, run_id: UUID) -> Event:
    """Somebody stopped the run."""
    return {"type": "RUN_FINISHED", **_ids(thread_id, run_id), "outcome": {"type": "cancelled"}}


def interrupted(thread_id: UUID, run_id: UUID, approval: ApprovalRequest) -> Event:
    """The run waits for a person; the interrupt's id is the approval's."""
    interrupt: dict[str, object] = {
        "id": str(approval.id),
        "reason": "tool_call",
        "message": approval.summary,
        "responseSchema": dict(DECISION_SCHEMA),
        "expiresAt": approval.expires_at.isoformat(),
        "metadata": {"command": approval.command, "args": approval.args},
    }
    if approval.tool_call_id is not None:
        interrupt["toolCallId"] = approval.tool_call_id
    outcome = {"type": "interrupt", "interrupts": [interrupt]}
    return {"type": "RUN_FINISHED", **_ids(thread_id, run_id), "outcome": outcome}


def failed(message: str, code: str) -> Event:
    """The run ended without an answer."""
    return {"type": "RUN_ERROR", "message": message, "code": code}


def is_end(event: Mapping[str, object]) -> bool:
    """Whether a stream may end here."""
    return event.get("type") in {"RUN_FINISHED", "RUN_ERROR"}


def _ids(thread_id: UUID, run_id: UUID) -> dict[str, str]:
    return {"threadId": str(thread_id), "runId": str(run_id)}
