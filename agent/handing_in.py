"""One answer from the model in a shape that is checked: by a call of one tool, repaired once, or refused as a whole."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, ValidationError

from agent.model_errors import as_studio_error
from core.errors import Unavailable

_TRIES = 2
AnswerT = TypeVar("AnswerT", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Task(Generic[AnswerT]):
    """What the model is to hand in. ``noun`` completes "the model wrote no … that can be used"; ``check`` answers what
    is wrong with an answer of the right shape, "" when nothing is.
    """

    tool: str
    shows: str
    noun: str
    answer: type[AnswerT]
    check: Callable[[AnswerT], str]


async def hand_in(model: BaseChatModel, task: Task[AnswerT], *, system: str, text: str, silence: float) -> AnswerT:
    """The model's answer to a task. Raises ``Unavailable`` when it is away, or wrong twice. ``silence`` in seconds."""
    described = {"name": task.tool, "description": task.shows, "parameters": task.answer.model_json_schema()}
    bound = model.bind_tools([{"type": "function", "function": described}], tool_choice=task.tool)
    messages: list[BaseMessage] = [SystemMessage(system), HumanMessage(text)]
    for _ in range(_TRIES):
        try:
            async with asyncio.timeout(silence):
                answer = await bound.ainvoke(list(messages))
        except Exception as error:
            raise as_studio_error(error, silence=silence) from error
        read, problem = _read(answer, task)
        if read is not None:
            return read
        messages = [*messages, answer, *_complaints(answer, f"{problem} Call {task.tool} again.")]
    raise Unavailable(
        f"The model wrote no {task.noun} that can be used.",
        code="model_unusable",
        action=f"Say the {task.noun} yourself, or try again.",
    )


def _read(answer: AIMessage, task: Task[AnswerT]) -> tuple[AnswerT | None, str]:
    """The answer, or None and what is wrong with it."""
    given: object = answer.tool_calls[0]["args"] if answer.tool_calls else None
    try:
        # Some endpoints ignore tool_choice and write the object as text.
        read = task.answer.model_validate(given) if given is not None else task.answer.model_validate_json(answer.text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return None, f"That is no {task.noun}: {place and f'{place}: '}{first['msg']}."
    problem = task.check(read)
    return (None, problem) if problem else (read, "")


def _complaints(answer: AIMessage, problem: str) -> Sequence[BaseMessage]:
    """What is wrong, in the form the conversation needs: every call has to be answered."""
    calls = [str(call["id"]) for call in (*answer.tool_calls, *answer.invalid_tool_calls)]
    if not calls:
        return [HumanMessage(problem)]
    return [ToolMessage(content=problem, tool_call_id=call_id) for call_id in calls]
