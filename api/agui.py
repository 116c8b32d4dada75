"""POST /agui: the AG-UI protocol, as a projection of runs, so that any AG-UI client connects with no adapter."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid5

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse

from agent.busy import OnBusy
from agent.events import is_end
from agent.runs import RunTicket, title_of
from api import approvals
from api.caller import RestCaller
from api.front import Front, FrontDoor
from api.once import Deed, once, require_storable
from api.runs import LONGEST_TEXT
from api.streams import PING_SECONDS
from core.errors import InvalidInput, Problem
from core.ids import parse_id
from db.models.conversation import Thread
from tools.context import Caller

router = APIRouter(tags=["ag-ui"])


class Wire(BaseModel):
    """AG-UI's manner: camelCase, and fields we do not know are left alone."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class AgentMessage(Wire):
    """A message of the client's history; only its last one, the user's, starts a run."""

    role: str
    content: str | list[dict[str, object]] | None = None


class ResumeEntry(Wire):
    """The answer to an interrupt; ``payload`` is true, or an object with ``approved`` or ``decision``."""

    interrupt_id: str
    status: str
    payload: object = None


class ForwardedProps(Wire):
    """What Studio reads of the properties a client may send beside the protocol."""

    on_busy: OnBusy = "enqueue"


class RunAgentInput(Wire):
    """What an AG-UI client sends."""

    thread_id: str = Field(min_length=1, max_length=200)
    run_id: str = Field(min_length=1, max_length=200)
    messages: list[AgentMessage]
    resume: list[ResumeEntry] | None = None
    forwarded_props: ForwardedProps | None = None


@dataclass(frozen=True, kw_only=True)
class _Projection:
    """One of our runs under the client's own names; ``after`` is the last event it is not shown again."""

    ticket: RunTicket
    wire: RunAgentInput
    after: int = 0


@router.post("/agui")
async def run_agent(front: FrontDoor, caller: RestCaller, wire: RunAgentInput) -> Response:
    """Run the agent for an AG-UI client (RunAgentInput in, events out). A repeated runId streams the same run again."""
    projection = await (_resumed(front, caller, wire) if wire.resume else _begun(front, caller, wire))
    headers = {"X-Run-ID": str(projection.ticket.run_id), "X-Thread-ID": str(projection.ticket.thread_id)}
    events = _events(front, caller, projection)
    return EventSourceResponse(events, ping=PING_SECONDS, sep="\n", headers={"Cache-Control": "no-store", **headers})


async def _begun(front: Front, caller: Caller, wire: RunAgentInput) -> _Projection:
    text = text_of(wire.messages)
    require_storable({"thread": wire.thread_id, "run": wire.run_id, "messages": text})
    thread_id = await _thread(front, caller, wire.thread_id, text)

    async def start() -> dict[str, object]:
        zone = caller.zone if caller.zone != caller.principal.timezone else None
        on_busy = wire.forwarded_props.on_busy if wire.forwarded_props else "enqueue"
        ticket = await front.runs.start(caller.principal, text=text, thread_id=thread_id, zone=zone, on_busy=on_busy)
        return {"run_id": str(ticket.run_id), "thread_id": str(ticket.thread_id)}

    deed = Deed(name="http.agui", arguments={"thread": wire.thread_id, "text": text}, key=f"agui:{wire.run_id}")
    answer = (await once(front.doors, caller.principal, deed, start)).answer
    ticket = RunTicket(run_id=UUID(str(answer["run_id"])), thread_id=UUID(str(answer["thread_id"])))
    return _Projection(ticket=ticket, wire=wire)


async def _resumed(front: Front, caller: Caller, wire: RunAgentInput) -> _Projection:
    """Answer the interrupt that ended the run before; the client sees what follows as a run of its own."""
    assert wire.resume is not None
    if len(wire.resume) != 1:
        raise _wrong("resume", "A run waits for one answer at a time.")
    entry = wire.resume[0]
    approval = await approvals.find(front, caller.principal, entry.interrupt_id)
    if approval.run_id is None or approval.thread_id is None:
        raise _wrong("resume.0.interruptId", "This approval belongs to no run.")
    seen = 0
    if approval.status == "pending":
        async for event in front.runs.events(caller.principal, approval.run_id, after=0, stopping=front.stopping):
            seen = event.seq
    ticket = await front.runs.resume(caller.principal, approval.run_id, decision=decision_of(entry))
    return _Projection(ticket=ticket, wire=wire, after=seen)


async def _events(front: Front, caller: Caller, projection: _Projection) -> AsyncIterator[ServerSentEvent]:
    ticket, wire = projection.ticket, projection.wire
    names = {"threadId": wire.thread_id, "runId": wire.run_id}
    started = False
    async for event in front.runs.events(
        caller.principal, ticket.run_id, after=projection.after, stopping=front.stopping
    ):
        data = {key: names.get(key, value) for key, value in event.data.items()}
        if not started and data["type"] != "RUN_STARTED":
            # After an interrupt our run simply goes on; AG-UI calls that a new run.
            yield _encoded({"type": "RUN_STARTED", **names}, None)
        started = True
        yield _encoded(data, f"{ticket.run_id}:{event.seq}")
        if is_end(event.data):
            return  # what comes after an answer is another run to the client


def _encoded(data: dict[str, object], event_id: str | None) -> ServerSentEvent:
    return ServerSentEvent(
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str), id=event_id, sep="\n"
    )


def text_of(messages: list[AgentMessage]) -> str:
    """What the user said last; media parts with an address are named, so that the agent can fetch them."""
    if not messages or messages[-1].role != "user":
        raise _wrong("messages", "The last message must be the user's.")
    content = messages[-1].content
    if isinstance(content, str):
        text = content.strip()
    else:
        text = "\n".join(filter(None, (_part(part) for part in content or []))).strip()
    if not text or len(text) > LONGEST_TEXT:
        raise _wrong("messages", f"The last message must have 1 to {LONGEST_TEXT:,} characters.")
    return text


def _part(part: dict[str, object]) -> str:
    if part.get("type") == "text":
        return str(part.get("text", ""))
    source = part.get("source")
    if isinstance(source, dict) and source.get("type") == "url":
        return str(source.get("value", ""))
    raise _wrong("messages", "Media come as a URL, or are uploaded to POST /v1/media first.")


def decision_of(entry: ResumeEntry) -> Literal["approve", "reject"]:
    """What the answer comes to, "approve" or "reject": only a plain yes is a yes."""
    payload = entry.payload
    if entry.status != "resolved":
        return "reject"
    if isinstance(payload, dict):
        return "approve" if payload.get("approved") is True or payload.get("decision") == "approve" else "reject"
    return "approve" if payload is True or payload == "approve" else "reject"


async def _thread(front: Front, caller: Caller, name: str, text: str) -> UUID:
    """The conversation that a client's threadId means: one of ours by its id, else one made under that name."""
    workspace_id = caller.principal.workspace_id
    own = parse_id(name)
    async with front.doors.database.session(workspace_id) as session:
        if own is not None and await session.get(Thread, own) is not None:
            return own
        # The same name again is the same conversation, and no workspace can reach another's by a name.
        thread_id = uuid5(workspace_id, name)
        if await session.get(Thread, thread_id) is None:
            session.add(
                Thread(
                    id=thread_id,
                    workspace_id=workspace_id,
                    title=title_of(text),
                    focus=[],
                    created_by=caller.principal.user_id,
                )
            )
    return thread_id


def _wrong(path: str, message: str) -> InvalidInput:
    return InvalidInput(message, code="invalid_input", problems=[Problem(path=path, code="invalid", message=message)])
