"""What the model is told about a call: the result or the error as JSON, short enough to keep in mind."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from langchain_core.messages import ToolMessage

from core.errors import Ambiguous, Conflict, InvalidInput, StudioError
from tools.dispatcher import Outcome
from tools.outside import quoted

Status = Literal["ok", "error", "refused"]

# The longest result that is told whole, in characters of JSON (about 3,000 tokens).
_LONGEST = 12_000
# Cut to these in turn until the result fits: items of a list, characters of a text.
_CUTS = ((50, 2_000), (20, 600), (8, 200), (3, 80))
# Codes of errors that say the call itself was unusable, not that the world refused it.
_UNUSABLE = {"invalid_arguments", "unknown_command"}


def told(outcome: Outcome, *, call_id: str, message_id: str) -> ToolMessage:
    """The message for a call that worked; people and programs get the whole result even when it is cut here."""
    result = quoted(outcome.result, outcome.outside)
    assert isinstance(result, dict)
    whole = _json(result)
    content = whole if len(whole) <= _LONGEST else _cut(result)
    artifact: dict[str, object] = {"status": "ok", "command": outcome.command, "args": outcome.arguments}
    if content is not whole or outcome.outside:
        artifact["result"] = outcome.result
    return _message(content, call_id, message_id, artifact)


def complained(
    error: StudioError, *, command: str, call_id: str, message_id: str, status: Status = "error"
) -> ToolMessage:
    """The message for a call that did not work: what is wrong and the way out, so that the model can do better."""
    artifact = {"status": status, "command": command, "unusable": error.code in _UNUSABLE}
    return _message(_json({"error": described(error)}), call_id, message_id, artifact)


def described(error: StudioError) -> dict[str, object]:
    """An error as JSON."""
    description: dict[str, object] = {"code": error.code, "message": error.message}
    if error.action is not None:
        description["action"] = error.action
    if isinstance(error, InvalidInput) and error.problems:
        description["problems"] = [
            {"path": problem.path, "code": problem.code, "message": problem.message} for problem in error.problems
        ]
    if isinstance(error, Ambiguous):
        description["candidates"] = [{"id": one.id, "label": one.label} for one in error.candidates]
    if isinstance(error, Conflict) and error.changed:
        description["changed"] = error.changed
    return description


def is_unusable(message: ToolMessage) -> bool:
    """Whether the call it answers could not be understood at all."""
    return isinstance(message.artifact, dict) and bool(message.artifact.get("unusable"))


def _message(content: str, call_id: str, message_id: str, artifact: Mapping[str, object]) -> ToolMessage:
    # The id follows from the call's: when a step is repeated after a crash, its message replaces itself.
    return ToolMessage(
        id=f"{message_id}:{call_id}",
        content=content,
        tool_call_id=call_id,
        status="success" if artifact["status"] == "ok" else "error",
        artifact=dict(artifact),
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _cut(result: Mapping[str, object]) -> str:
    content = ""
    for items, characters in _CUTS:
        content = _json({**_shortened_fields(result, items, characters), "shortened": True})
        if len(content) <= _LONGEST:
            return content
    summary = str(result.get("summary", ""))[:_LONGEST]
    return _json({"summary": summary, "shortened": True})


def _shortened(value: object, items: int, characters: int) -> object:
    match value:
        case str():
            return value if len(value) <= characters else f"{value[:characters]}…"
        case Mapping():
            return _shortened_fields(value, items, characters)
        case Sequence():
            kept = [_shortened(one, items, characters) for one in value[:items]]
            return kept if len(value) <= items else [*kept, f"… and {len(value) - items} more"]
        case _:
            return value


def _shortened_fields(fields: Mapping[str, object], items: int, characters: int) -> dict[str, object]:
    return {str(name): _shortened(value, items, characters) for name, value in fields.items()}
