"""An OpenAI-compatible model endpoint that says what tests have scripted."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import JSONResponse, Response, StreamingResponse

from sandbox.chat_script import NOTHING_SCRIPTED, ToolCall, Turn, TurnFault
from sandbox.connection import Dropped, Truncated, close_transport
from sandbox.faults import Fault, NamedRoute
from sandbox.world import World, world_of

COMPLETIONS = NamedRoute(name="chat.completions", dialect="openai", method="POST", does="POST /v1/chat/completions")
MODELS = NamedRoute(name="chat.models", dialect="openai", method="GET", does="GET /v1/models")
ROUTES = (COMPLETIONS, MODELS)

MODEL = "sandbox-model"
CHARACTERS_PER_TOKEN = 4
ARGUMENT_PIECE = 12

chat = APIRouter(prefix="/v1")


class _Lax(BaseModel):
    model_config = ConfigDict(extra="allow")


class Function(_Lax):
    """A function of a tool or of a tool call."""

    name: str


class RequestedCall(_Lax):
    """A tool call in an assistant's message."""

    id: str
    function: Function


class Message(_Lax):
    """One message of the conversation; ``content`` is text, parts, or None beside tool calls."""

    role: str
    content: str | list[dict[str, object]] | None = None
    tool_calls: list[RequestedCall] | None = None
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """Its words alone."""
        if isinstance(self.content, list):
            return "\n".join(str(part.get("text", "")) for part in self.content)
        return self.content or ""


class Tool(_Lax):
    """A tool the model may call."""

    function: Function


class StreamOptions(_Lax):
    """What the stream carries beside the answer."""

    include_usage: bool = False


class Completion(_Lax):
    """The request."""

    model: str
    messages: list[Message]
    stream: bool = False
    stream_options: StreamOptions | None = None
    tools: list[Tool] | None = None


class BadRequest(Exception):
    """A request the real endpoint would refuse with 400; ``param`` names what is wrong with it."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One turn on its way to the caller."""

    id: str
    created: int
    model: str
    turn: Turn
    usage: dict[str, object]

    @property
    def finish_reason(self) -> str:
        """Why the model stopped."""
        return self.turn.finish_reason or ("tool_calls" if self.turn.tool_calls else "stop")


@chat.get("/models")
async def models(request: Request) -> Response:
    """List the one model there is; any other name is served as well."""
    world = world_of(request)
    call = world.journal.open(route=MODELS.name, method="GET", path=request.url.path, account="", parameters={})

    async def do(_: Fault | None) -> Response:
        if not _has_key(request):
            return _no_key()
        model = {"id": MODEL, "object": "model", "created": 1_767_225_600, "owned_by": "studio-sandbox"}
        return JSONResponse({"object": "list", "data": [model]})

    return await world.perform(MODELS, call, do, text=request.url.path)


@chat.post("/chat/completions")
async def completions(request: Request) -> Response:
    """Answer with the next scripted turn, streamed or not."""
    world = world_of(request)
    body = await request.body()
    text = body.decode(errors="replace")
    call = world.journal.open(
        route=COMPLETIONS.name, method="POST", path=request.url.path, account="", parameters=_summary(text)
    )

    async def do(_: Fault | None) -> Response:
        if not _has_key(request):
            return _no_key()
        try:
            wanted = _checked(text)
        except BadRequest as error:
            detail = {"message": str(error), "type": "invalid_request_error", "param": error.param, "code": None}
            call.error = dict(detail)
            return JSONResponse({"error": detail}, 400)
        world.chat.received(json.loads(text))
        return await _spoken(world, request, wanted)

    return await world.perform(COMPLETIONS, call, do, text=text)


def _has_key(request: Request) -> bool:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return scheme == "Bearer" and bool(key.strip())


def _no_key() -> Response:
    message = "You didn't provide an API key. Send it as Authorization: Bearer YOUR_KEY."
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return JSONResponse({"error": error}, 401)


def _summary(text: str) -> dict[str, str]:
    try:
        body = json.loads(text)
        return {
            "model": str(body.get("model")),
            "stream": str(body.get("stream", False)).lower(),
            "messages": str(len(body.get("messages") or [])),
            "tools": str(len(body.get("tools") or [])),
        }
    except (ValueError, AttributeError, TypeError):
        return {}


def _checked(text: str) -> Completion:
    try:
        wanted = Completion.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise BadRequest(f"Invalid value for '{where}': {first['msg']}", where or None) from None
    if not wanted.messages:
        raise BadRequest("Invalid 'messages': empty array.", "messages")
    for tool in wanted.tools or ():
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool.function.name):
            raise BadRequest(f"Invalid function name: {tool.function.name!r}.", "tools")
    _check_tool_messages(wanted.messages)
    return wanted


def _check_tool_messages(messages: list[Message]) -> None:
    """Every tool call is answered at once, and nothing else is: providers refuse a conversation that is not so."""
    open_calls: set[str] = set()
    for position, message in enumerate(messages):
        if message.role not in ("system", "developer", "user", "assistant", "tool"):
            raise BadRequest(f"Invalid role: {message.role!r}.", f"messages.[{position}].role")
        if message.role == "tool":
            if message.tool_call_id not in open_calls:
                complaint = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
                raise BadRequest(f"Invalid parameter: {complaint}", f"messages.[{position}].role")
            open_calls.discard(message.tool_call_id)
            continue
        _refuse_unanswered(open_calls)
        open_calls = {call.id for call in message.tool_calls or ()}
    _refuse_unanswered(open_calls)


def _refuse_unanswered(open_calls: set[str]) -> None:
    if open_calls:
        raise BadRequest(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_calls)}",
            "messages",
        )


async def _spoken(world: World, request: Request, wanted: Completion) -> Response:
    last = next((message.text for message in reversed(wanted.messages) if message.role == "user"), "")
    turn = world.chat.next_turn(last) or Turn(content=NOTHING_SCRIPTED)
    fault = turn.fault or TurnFault(kind="delay")
    if fault.kind == "delay":
        await asyncio.sleep(fault.delay_seconds)
    if fault.kind == "drop_before":
        return Dropped()
    if fault.kind == "status":
        error = {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}
        return JSONResponse(fault.body or {"error": error}, fault.status, fault.headers)
    reply = Reply(
        id=f"chatcmpl-{uuid.uuid4().hex}",
        created=int(time.time()),
        model=wanted.model,
        turn=turn.model_copy(update={"tool_calls": tuple(map(_with_id, turn.tool_calls))}),
        usage=_usage(wanted, turn),
    )
    if wanted.stream:
        include_usage = wanted.stream_options is not None and wanted.stream_options.include_usage
        return StreamingResponse(
            _stream(request, reply, include_usage=include_usage), media_type="text/event-stream; charset=utf-8"
        )
    whole = JSONResponse(_whole(reply))
    return Truncated(whole) if fault.kind in ("drop_midway", "error_midway") else whole


def _with_id(call: ToolCall) -> ToolCall:
    return call if call.id is not None else call.model_copy(update={"id": f"call_{uuid.uuid4().hex[:24]}"})


def _arguments(call: ToolCall) -> str:
    return call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)


def _usage(wanted: Completion, turn: Turn) -> dict[str, object]:
    if turn.usage is not None:
        asked, said = turn.usage.prompt_tokens, turn.usage.completion_tokens
    else:
        asked = 1 + sum(len(message.text) for message in wanted.messages) // CHARACTERS_PER_TOKEN
        words = turn.content + "".join(call.name + _arguments(call) for call in turn.tool_calls)
        said = 1 + len(words) // CHARACTERS_PER_TOKEN
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def _whole(reply: Reply) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": reply.turn.content or None, "refusal": None}
    if reply.turn.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _arguments(call)}}
            for call in reply.turn.tool_calls
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}
    return {**_head(reply, "chat.completion"), "choices": [choice], "usage": reply.usage}


def _head(reply: Reply, kind: str) -> dict[str, object]:
    return {
        "id": reply.id,
        "object": kind,
        "created": reply.created,
        "model": reply.model,
        "service_tier": "default",
        "system_fingerprint": "fp_sandbox",
    }


def _deltas(turn: Turn) -> Iterator[dict[str, object]]:
    """The pieces of an answer in the order a model says them: the words, then call after call."""
    yield {"role": "assistant", "content": None if turn.tool_calls and not turn.content else "", "refusal": None}
    for piece in re.findall(r"\s*\S+\s*$|\s*\S+|\s+", turn.content):
        yield {"content": piece}
    for index, call in enumerate(turn.tool_calls):
        function = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]}
        text = _arguments(call)
        for start in range(0, len(text), ARGUMENT_PIECE):
            piece = text[start : start + ARGUMENT_PIECE]
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _chunks(reply: Reply, *, include_usage: bool) -> Iterator[dict[str, object]]:
    head = _head(reply, "chat.completion.chunk")
    tail: dict[str, object] = {"usage": None} if include_usage else {}
    for delta in _deltas(reply.turn):
        yield {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}], **tail}
    last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": reply.finish_reason}
    yield {**head, "choices": [last], **tail}
    if include_usage:
        yield {**head, "choices": [], "usage": reply.usage}


async def _stream(request: Request, reply: Reply, *, include_usage: bool) -> AsyncIterator[bytes]:
    fault = reply.turn.fault
    for position, chunk in enumerate(_chunks(reply, include_usage=include_usage)):
        if fault is not None and position == fault.after_chunks:
            if fault.kind == "stall":
                await asyncio.sleep(fault.delay_seconds)
            elif fault.kind == "drop_midway":
                close_transport(request.scope)
                return
            elif fault.kind == "error_midway":
                error = {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}
                yield _event(json.dumps(fault.body or {"error": error}))
                return
        yield _event(json.dumps(chunk))
        if reply.turn.chunk_delay_seconds:
            await asyncio.sleep(reply.turn.chunk_delay_seconds)
    if fault is None or fault.kind != "no_done":
        yield _event("[DONE]")


def _event(data: str) -> bytes:
    return f"data: {data}\n\n".encode()
