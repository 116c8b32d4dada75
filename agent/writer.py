"""The writer behind ``core.ports.Writer``: words from the model, checked against a schema, repaired once or refused."""

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.model_errors import as_studio_error
from core.errors import Unavailable
from core.ports import CaptionBrief, Written

_TRIES = 2


class _Caption(BaseModel):
    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    text: str = Field(min_length=1, description="the caption, ready to be posted")


_TOOL = {
    "type": "function",
    "function": {
        "name": "write_caption",
        "description": "Hand in the caption.",
        "parameters": _Caption.model_json_schema(),
    },
}


@cache
def _words() -> str:
    return (Path(__file__).parent / "prompts" / "caption.md").read_text(encoding="utf-8").strip()


class ModelWriter:
    """Writes with a chat model. Raises ``Unavailable`` when it gives nothing usable: nothing half-made is returned."""

    def __init__(self, model: BaseChatModel, *, name: str, silence: float) -> None:
        self._model = model.bind_tools([_TOOL], tool_choice="write_caption")
        self._name = name
        self._silence = silence

    async def caption(self, brief: CaptionBrief) -> Written:
        """A caption within the brief's limit (characters)."""
        voice = f"The brand's voice: {brief.voice}" if brief.voice else ""
        system = _words().format(platform=brief.platform, format=brief.format, limit=brief.limit, voice=voice)
        messages: list[BaseMessage] = [SystemMessage(system), HumanMessage(brief.about)]
        for _ in range(_TRIES):
            answer = await self._ask(messages)
            text, problem = _read(answer, brief.limit)
            if text is not None:
                return Written(text=text, rests_on=f"written by {self._name}")
            messages = [*messages, answer, *_complaints(answer, problem)]
        raise Unavailable(
            "The model wrote no caption that can be used.",
            code="model_unusable",
            action="Say the caption yourself, or try again.",
        )

    async def _ask(self, messages: Sequence[BaseMessage]) -> AIMessage:
        try:
            async with asyncio.timeout(self._silence):
                return await self._model.ainvoke(list(messages))
        except Exception as error:
            raise as_studio_error(error, silence=self._silence) from error


def _read(answer: AIMessage, limit: int) -> tuple[str | None, str]:
    """The caption, or None and what is wrong with the answer."""
    given: object = answer.tool_calls[0]["args"] if answer.tool_calls else None
    try:
        # Some endpoints ignore tool_choice and write the object as text.
        caption = _Caption.model_validate(given) if given is not None else _Caption.model_validate_json(answer.text)
    except ValidationError as error:
        return None, f"That is no caption: {error.errors(include_url=False)[0]['msg']}."
    if len(caption.text) > limit:
        return None, f"That has {len(caption.text)} characters; at most {limit} are allowed."
    return caption.text, ""


def _complaints(answer: AIMessage, problem: str) -> list[BaseMessage]:
    """What is wrong, in the form the conversation needs: every call has to be answered."""
    calls = [str(call["id"]) for call in (*answer.tool_calls, *answer.invalid_tool_calls)]
    if not calls:
        return [HumanMessage(f"{problem} Call write_caption again.")]
    return [ToolMessage(content=f"{problem} Call write_caption again.", tool_call_id=call_id) for call_id in calls]
