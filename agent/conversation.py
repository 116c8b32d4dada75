"""Reading a conversation: which messages belong to a run, which calls are open, what came of each."""

import json
from collections.abc import Sequence
from typing import cast
from uuid import UUID

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall, ToolMessage

from agent.tool_results import is_unusable
from agent.turn import MODEL_CALLS, TOOL_CALLS, UNUSABLE_ANSWERS


def said_by_person(run_id: UUID, text: str) -> HumanMessage:
    """A run's message; its id is the run's, so that it stands in the conversation once."""
    return HumanMessage(id=str(run_id), content=text)


def of_run(messages: Sequence[AnyMessage], run_id: UUID) -> Sequence[AnyMessage]:
    """What came after a run's message."""
    for position in range(len(messages) - 1, -1, -1):
        if isinstance(messages[position], HumanMessage) and messages[position].id == str(run_id):
            return messages[position + 1 :]
    return ()


def run_of(messages: Sequence[AnyMessage]) -> str | None:
    """The id of the run that spoke last."""
    return next((message.id for message in reversed(messages) if isinstance(message, HumanMessage)), None)


def open_calls(messages: Sequence[AnyMessage]) -> tuple[AIMessage, Sequence[ToolCall]] | None:
    """The model's newest answer and those of its calls that have no result yet; None when all have."""
    answered: set[str] = set()
    for message in reversed(messages):
        if isinstance(message, ToolMessage):
            answered.add(message.tool_call_id)
        elif isinstance(message, AIMessage):
            waiting = [call for call in message.tool_calls if call["id"] not in answered]
            return (message, waiting) if waiting else None
        else:
            return None
    return None


def call_ids(messages: Sequence[AnyMessage]) -> set[str]:
    """The ids of all calls that were ever made."""
    return {str(call["id"]) for message in messages if isinstance(message, AIMessage) for call in message.tool_calls}


def calls_made(messages: Sequence[AnyMessage]) -> int:
    """How many calls have a result."""
    return sum(isinstance(message, ToolMessage) for message in messages)


def why_enough(messages: Sequence[AnyMessage]) -> str | None:
    """The sentence that ends a run which does not come to an end by itself; None while it may go on.

    ``messages`` are the run's own.
    """
    answers = [message for message in messages if isinstance(message, AIMessage)]
    if len(answers) >= MODEL_CALLS or calls_made(messages) >= TOOL_CALLS:
        return (
            f"I stopped after {calls_made(messages)} commands without coming to an end. "
            "What they did is kept; tell me in smaller steps how to go on."
        )
    problem = _unusable_in_a_row(messages, answers)
    if problem is not None:
        return f"I could not turn that into a command that works. {problem} Please say it differently."
    return None


def _unusable_in_a_row(messages: Sequence[AnyMessage], answers: Sequence[AIMessage]) -> str | None:
    if len(answers) < UNUSABLE_ANSWERS:
        return None
    problem = None
    for answer in answers[-UNUSABLE_ANSWERS:]:
        results = [one for one in messages if isinstance(one, ToolMessage) and _answers(one, answer)]
        unusable = [one for one in results if is_unusable(one)]
        if not results or len(unusable) < len(results):
            return None
        problem = str(_error(unusable[0]).get("message", ""))
    return problem


def _answers(result: ToolMessage, answer: AIMessage) -> bool:
    return any(call["id"] == result.tool_call_id for call in answer.tool_calls)


def _error(result: ToolMessage) -> dict[str, object]:
    content = _parsed(str(result.content))
    error = content.get("error")
    return error if isinstance(error, dict) else {}


def actions(messages: Sequence[AnyMessage]) -> list[dict[str, object]]:
    """What a run did, call by call: command, arguments, result, and ok, error, refused or waiting."""
    results = {message.tool_call_id: message for message in messages if isinstance(message, ToolMessage)}
    return [
        _action(call, results.get(str(call["id"])))
        for message in messages
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    ]


def given_up(actions: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """The actions of a run that was stopped: what waited will not happen."""
    return [{**action, "status": "refused"} if action["status"] == "waiting" else action for action in actions]


def _action(call: ToolCall, result: ToolMessage | None) -> dict[str, object]:
    action: dict[str, object] = {
        "tool_call_id": call["id"],
        "command": call["name"],
        "args": call["args"],
        "result": None,
        "status": "waiting",
    }
    if result is not None:
        artifact = cast("dict[str, object]", result.artifact or {})
        action["command"] = artifact.get("command", call["name"])
        action["args"] = artifact.get("args", call["args"])
        action["result"] = artifact.get("result") or _parsed(str(result.content))
        action["status"] = artifact.get("status", "ok")
    return action


def _parsed(content: str) -> dict[str, object]:
    value = json.loads(content)
    return value if isinstance(value, dict) else {"value": value}


def reply(messages: Sequence[AnyMessage]) -> AIMessage | None:
    """The last thing the model said in a run, None when it said nothing."""
    return next((message for message in reversed(messages) if isinstance(message, AIMessage) and message.text), None)


def was_stopped(messages: Sequence[AnyMessage]) -> bool:
    """Whether the run ended because somebody stopped it."""
    last = messages[-1] if messages else None
    return isinstance(last, AIMessage) and bool(last.response_metadata.get("stopped"))


def summary(result: ToolMessage) -> str:
    """What a call came to, in a sentence for people."""
    content = _parsed(str(result.content))
    return str(content.get("summary") or _error(result).get("message") or result.content)


def arguments(call: ToolCall) -> str:
    """A call's arguments as JSON."""
    return json.dumps(call["args"], ensure_ascii=False)
