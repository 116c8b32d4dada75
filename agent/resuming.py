"""Taking up a conversation where it was left: results that a stopped run still owes, events that a crash swallowed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from sqlalchemy.ext.asyncio import AsyncSession

from agent import conversation, events
from agent.events import Event
from agent.tool_results import complained, told
from agent.turn import call_key
from core.errors import Forbidden
from db.queries import calls
from tools.dispatcher import Outcome


async def owed_results(session: AsyncSession, messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Results for calls that an earlier run left open: providers refuse a conversation that has such.

    What the record of calls knows to be done is told as done; the rest was not carried out.
    """
    found = conversation.open_calls(messages)
    if found is None:
        return []
    message, waiting = found
    message_id, run_id = str(message.id), conversation.run_of(messages)
    results: list[AnyMessage] = []
    for call in waiting:
        call_id = str(call["id"])
        done = await calls.by_key(session, call_key(str(run_id), message_id, call_id))
        if done is not None:
            outcome = Outcome(command=done.command, arguments=done.args, result=done.result, replayed=True)
            results.append(told(outcome, call_id=call_id, message_id=message_id))
            continue
        refusal = Forbidden("This was not carried out: the person went on with something else.", code="withdrawn")
        results.append(
            complained(refusal, command=call["name"], call_id=call_id, message_id=message_id, status="refused")
        )
    return results


@dataclass
class Heard:
    """What the event log of a run holds: words by message, messages that ended, calls and results."""

    running: bool = False
    words: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    announced: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)


def hear(log: Sequence[Mapping[str, object]]) -> Heard:
    """Read a run's events from the first on. ``running``: it was not told yet how the last attempt ended."""
    heard = Heard()
    for event in log:
        message_id, call_id = str(event.get("messageId")), str(event.get("toolCallId"))
        match event["type"]:
            case "RUN_STARTED":
                heard.running = True
            case "RUN_FINISHED" | "RUN_ERROR":
                heard.running = False
            case "TEXT_MESSAGE_CONTENT":
                heard.words[message_id] = heard.words.get(message_id, "") + str(event["delta"])
            case "TEXT_MESSAGE_END":
                heard.ended.add(message_id)
            case "TOOL_CALL_START":
                heard.announced.add(call_id)
            case "TOOL_CALL_RESULT":
                heard.answered.add(call_id)
            case _:
                pass
    return heard


def missing_events(
    heard: Heard, messages: Sequence[AnyMessage], *, thread_id: UUID, run_id: UUID, number: int
) -> Iterator[Event]:
    """What has to be told before an attempt goes on, so that the log says all that the run's ``messages`` say.

    ``number`` counts the attempts since the last answer of a person, from 1.
    """
    kept = {str(message.id) for message in messages}
    if not heard.running:
        yield events.run_started(thread_id, run_id)
    for message_id in heard.words.keys() - heard.ended - kept:
        yield events.text_ended(message_id)
        yield events.attempt(number, message_id)
    for message in messages:
        if isinstance(message, AIMessage):
            yield from missing_words(heard, message)
        elif isinstance(message, ToolMessage) and message.tool_call_id not in heard.answered:
            yield from _missing_call(heard, messages, message)


def missing_words(heard: Heard, message: AIMessage) -> Iterator[Event]:
    """What readers have not heard of a message yet."""
    message_id, text = str(message.id), str(message.text)
    said = heard.words.get(message_id)
    if not text or message_id in heard.ended:
        return
    if said is None:
        yield events.text_started(message_id)
    if rest := text[len(said or "") :]:
        yield events.text(message_id, rest)
    yield events.text_ended(message_id)


def _missing_call(heard: Heard, messages: Sequence[AnyMessage], result: ToolMessage) -> Iterator[Event]:
    if result.tool_call_id not in heard.announced:
        for message in messages:
            for call in message.tool_calls if isinstance(message, AIMessage) else ():
                if call["id"] == result.tool_call_id:
                    yield from events.tool_call(
                        result.tool_call_id,
                        call["name"],
                        conversation.arguments(call),
                        message_id=str(message.id),
                    )
    yield events.tool_result(result.tool_call_id, str(result.content))
