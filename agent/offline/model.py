"""The offline model as a chat model: deterministic, without a network, with tool calls and streaming."""

import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from agent.offline.dialogue import next_move
from agent.offline.networks import display

# The model's name in settings, in runs and in usage records.
NAME = "offline"
_PIECES = re.compile(r"\s*\S+\s*\Z|\s*\S+")


class OfflineModel(BaseChatModel):
    """Reads commands in plain English by rules; keeps nothing between calls. It is not a language model.

    ``networks`` are the platforms this installation can post to, as in commands ("instagram").
    """

    tools: tuple[dict[str, Any], ...] = ()
    networks: tuple[str, ...] = ("instagram",)

    @property
    def _llm_type(self) -> str:
        return NAME

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,  # noqa: ARG002 - rules choose by what was said
        **_kwargs: object,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same model with these tools at hand."""
        return self.model_copy(update={"tools": tuple(map(convert_to_openai_tool, tools))})

    def reply(self, messages: Sequence[BaseMessage]) -> AIMessage:
        """The next message: one tool call, or the words that end the turn."""
        bound = frozenset(str(tool["function"]["name"]) for tool in self.tools)
        move = next_move(messages, tuple(display(name) for name in self.networks), bound)
        calls = []
        if move.step is not None:
            arguments = dict(move.step.arguments)
            calls.append(
                ToolCall(name=move.step.command, args=arguments, id=_call_id(messages, move.step.command, arguments))
            )
        usage = _usage(messages, move.answer)
        metadata = {"model_name": NAME, "finish_reason": "tool_calls" if calls else "stop"}
        return AIMessage(content=move.answer, tool_calls=calls, usage_metadata=usage, response_metadata=metadata)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - there is nothing to stop early
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - called by name
        **_kwargs: object,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.reply(messages))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - there is nothing to stop early
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - called by name
        **_kwargs: object,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.reply(messages))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - there is nothing to stop early
        run_manager: CallbackManagerForLLMRun | None = None,
        **_kwargs: object,
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in _chunks(self.reply(messages)):
            if run_manager is not None:
                run_manager.on_llm_new_token(str(chunk.message.text), chunk=chunk)
            yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - there is nothing to stop early
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **_kwargs: object,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in _chunks(self.reply(messages)):
            if run_manager is not None:
                await run_manager.on_llm_new_token(str(chunk.message.text), chunk=chunk)
            yield chunk


def _call_id(messages: Sequence[BaseMessage], command: str, arguments: dict[str, Any]) -> str:
    """An id that is the same for the same conversation, and no other call of it has."""
    said = json.dumps([len(messages), command, arguments], sort_keys=True, ensure_ascii=False)
    return f"call_{hashlib.sha256(said.encode()).hexdigest()[:20]}"


def _usage(messages: Sequence[BaseMessage], answer: str) -> UsageMetadata:
    """Words, for want of tokens: nothing is paid for here."""
    read = sum(len(str(message.text).split()) for message in messages)
    written = len(answer.split())
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)


def _chunks(message: AIMessage) -> Iterator[ChatGenerationChunk]:
    """The message piece by piece: words as they would be typed, a call as its name and then its arguments."""
    for piece in _PIECES.findall(str(message.text)):
        yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
    for index, call in enumerate(message.tool_calls):
        named = tool_call_chunk(name=call["name"], args="", id=call["id"], index=index)
        filled = tool_call_chunk(args=json.dumps(call["args"], ensure_ascii=False), index=index)
        for piece_of_call in (named, filled):
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[piece_of_call]))
    last = AIMessageChunk(
        content="",
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        chunk_position="last",
    )
    yield ChatGenerationChunk(message=last)
