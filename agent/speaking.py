"""One answer of the model: streamed as events, stopped when asked, turned into a message the graph can rest on."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing
from typing import cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.runnables import Runnable

from agent import events
from agent.model_errors import as_studio_error
from agent.turn import Turn
from core.errors import StudioError

# What a message says when it ended before its first word.
STOPPED = "(stopped)"
_EMPTY = "The model gave an empty answer. Please say it again, perhaps in other words."

Speaker = Runnable[LanguageModelInput, AIMessage]


def new_message_id() -> str:
    """A short id, so that streams stay small; it has to be unique within a thread."""
    return secrets.token_urlsafe(9)


class Speech:
    """What the model has said so far in one answer."""

    def __init__(self, turn: Turn) -> None:
        self.message_id = new_message_id()
        self.text = ""
        self.chunks: list[AIMessageChunk | AIMessage] = []
        self._turn = turn

    def hear(self, chunk: AIMessageChunk | AIMessage) -> None:
        """Take a piece and pass its words on."""
        self.chunks.append(chunk)
        if words := str(chunk.text):
            self.say(words)

    def say(self, words: str) -> None:
        """Add words to the answer."""
        if not self.text:
            self._turn.log.emit(events.text_started(self.message_id))
        self.text += words
        self._turn.log.emit(events.text(self.message_id, words))

    def end(self) -> None:
        """No more words come."""
        if self.text:
            self._turn.log.emit(events.text_ended(self.message_id))


async def speak(
    model: Speaker, messages: Sequence[BaseMessage], turn: Turn, *, silence: float, used_ids: Collection[str]
) -> AIMessage:
    """Ask the model and stream what it says.

    ``silence`` is how many seconds may pass without a word; ``used_ids`` are call ids the thread has had before.
    Raises ``Unavailable`` or ``Misconfigured`` with a sentence for people when the endpoint does not serve.
    """
    speech = Speech(turn)
    listening = asyncio.create_task(_listen(model, messages, speech, silence))
    stopping = asyncio.create_task(turn.stop.wait())
    try:
        await asyncio.wait((listening, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopped = not listening.done()
        if stopped:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        else:
            listening.result()
    except StudioError:
        speech.end()
        raise
    except Exception as error:
        speech.end()
        raise as_studio_error(error, silence=silence) from error
    finally:
        # Cancelled, the run is handed over: whoever goes on with it tells readers that this was not the end.
        listening.cancel()
        stopping.cancel()
    speech.end()
    if stopped:
        return stopped_message(speech.message_id, speech.text)
    return _message(speech, used_ids)


def announce(turn: Turn, words: str) -> AIMessage:
    """A sentence of Studio's own in place of an answer of the model."""
    speech = Speech(turn)
    speech.say(words)
    speech.end()
    return AIMessage(id=speech.message_id, content=words)


def stopped_message(message_id: str, text: str) -> AIMessage:
    """What was said until somebody stopped it; calls it was about to make are gone."""
    return AIMessage(id=message_id, content=text or STOPPED, response_metadata={"stopped": True})


async def _listen(model: Speaker, messages: Sequence[BaseMessage], speech: Speech, silence: float) -> None:
    loop = asyncio.get_running_loop()
    stream = cast("AsyncIterator[AIMessageChunk]", model.astream(list(messages)))
    async with asyncio.timeout(silence) as limit, aclosing(stream) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            limit.reschedule(loop.time() + silence)
            speech.hear(chunk)


def _message(speech: Speech, used_ids: Collection[str]) -> AIMessage:
    first, rest = speech.chunks[0] if speech.chunks else AIMessage(content=""), speech.chunks[1:]
    whole = first + rest if isinstance(first, AIMessageChunk) and rest else first
    assert isinstance(whole, AIMessage)
    calls, malformed = _calls(whole, used_ids)
    if not calls and not speech.text.strip():
        speech.say(_EMPTY)
        speech.end()
    return AIMessage(
        id=speech.message_id,
        content=speech.text,
        tool_calls=calls,
        usage_metadata=whole.usage_metadata,
        response_metadata={"malformed": malformed} if malformed else {},
    )


def _calls(message: AIMessage, used_ids: Collection[str]) -> tuple[list[ToolCall], dict[str, str]]:
    """The calls in order, each with an id of its own; and by id the text of arguments that are not a JSON object.

    LangChain completes JSON that was cut off; a command must not run on half an argument, so the text is read here.
    """
    taken, calls, malformed = set(used_ids), [], {}
    for name, written, given in _written(message):
        call_id = _unique(given, taken)
        taken.add(call_id)
        arguments = _arguments(written)
        if arguments is None:
            malformed[call_id] = str(written)
        calls.append(ToolCall(name=name, args=arguments or {}, id=call_id, type="tool_call"))
    return calls, malformed


def _written(message: AIMessage) -> list[tuple[str, object, str]]:
    if isinstance(message, AIMessageChunk) and message.tool_call_chunks:
        return [(part["name"] or "", part["args"] or "", part["id"] or "") for part in message.tool_call_chunks]
    good = [(call["name"], dict(call["args"]), call["id"] or "") for call in message.tool_calls]
    bad = [(call["name"] or "", call["args"] or "", call["id"] or "") for call in message.invalid_tool_calls]
    return [*good, *bad]


def _arguments(written: object) -> dict[str, object] | None:
    if isinstance(written, dict):
        return written
    if written in ("", "null"):
        return {}
    try:
        value = json.loads(str(written))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _unique(given: str, taken: Collection[str]) -> str:
    base, number = given or "call", 1
    call_id = given or "call_1"
    while call_id in taken:
        number += 1
        call_id = f"{base}_{number}"
    return call_id
