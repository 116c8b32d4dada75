"""Runs of the agent: started in a thread, watched, stopped, and answered when they wait for a person."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from agent.busy import OnBusy
from agent.runs import RunTicket, RunView
from api.approvals import Decision
from api.caller import RestCaller, checked_zone, key_of
from api.front import Front, FrontDoor
from api.once import Deed, once
from api.problems import no_such
from api.sign_in import SignedIn
from api.streams import last_seen, stream, wants_stream
from api.threads import thread_id_of
from core.ids import parse_id
from tools.context import Caller, Principal

router = APIRouter(prefix="/v1", tags=["runs"])

LONGEST_TEXT = 20_000
ON_BUSY = (
    "When the conversation is still busy: enqueue waits behind it, reject answers 409, interrupt stops it and keeps "
    "what it said, rollback stops it and takes back what it said and did. The last two cancel messages queued before."
)


class NewRun(BaseModel):
    """A message to a thread; ``on_busy`` says what it does to the run that is going on there."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    text: str = Field(min_length=1, max_length=LONGEST_TEXT)
    on_busy: OnBusy = Field("enqueue", description=ON_BUSY)
    timezone: str | None = Field(None, description="IANA zone of this message; else the workspace's")


def zone_of(timezone: str | None, caller: Caller) -> str | None:
    """The zone of one message: the body's, else X-Timezone's; None = the workspace's."""
    if timezone is not None:
        return checked_zone(timezone, path="timezone")
    return caller.zone if caller.zone != caller.principal.timezone else None


def shown(run: RunView) -> dict[str, object]:
    """A run as JSON."""
    return {
        "id": str(run.id),
        "thread_id": str(run.thread_id),
        "status": run.status,
        "text": run.text,
        "reply": run.reply,
        "actions": run.actions,
        "approval": run.approval,
        "error": run.error,
        "created_at": run.created_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
    }


async def ticket_once(
    request: Request,
    front: Front,
    caller: Caller,
    deed: tuple[str, dict[str, object]],
    start: Callable[[], Awaitable[RunTicket]],
) -> tuple[RunTicket, bool]:
    """Start a run, or find the one that this Idempotency-Key started before (True)."""
    name, arguments = deed

    async def perform() -> dict[str, object]:
        ticket = await start()
        return {"run_id": str(ticket.run_id), "thread_id": str(ticket.thread_id)}

    wanted = Deed(name=name, arguments=arguments, key=key_of(request))
    kept = await once(front.doors, caller.principal, wanted, perform)
    answer = kept.answer
    ticket = RunTicket(run_id=UUID(str(answer["run_id"])), thread_id=UUID(str(answer["thread_id"])))
    return ticket, kept.replayed


def started(front: Front, principal: Principal, ticket: RunTicket, *, replayed: bool) -> Response:
    """The stream of a run that was just started; a replay streams it again from its first event."""
    headers = {"Location": f"/v1/runs/{ticket.run_id}", "X-Run-ID": str(ticket.run_id)}
    headers |= {"X-Thread-ID": str(ticket.thread_id)}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return stream(front, principal, ticket.run_id, headers=headers)


def run_id_of(given: str) -> UUID:
    """The id of a run in an address; raises ``NotFound`` for what is no id."""
    run_id = parse_id(given)
    if run_id is None:
        raise no_such("run", given)
    return run_id


@router.post("/threads/{thread_id}/runs", status_code=200)
async def start_run(request: Request, front: FrontDoor, caller: RestCaller, thread_id: str, new: NewRun) -> Response:
    """Say something in a conversation; answers with the stream of the run (server-sent events, AG-UI)."""
    thread = thread_id_of(thread_id)
    zone = zone_of(new.timezone, caller)
    deed = ("http.threads.run", {"thread_id": str(thread), **new.model_dump(mode="json", exclude_unset=True)})
    ticket, replayed = await ticket_once(
        request,
        front,
        caller,
        deed,
        lambda: front.runs.start(caller.principal, text=new.text, thread_id=thread, zone=zone, on_busy=new.on_busy),
    )
    return started(front, caller.principal, ticket, replayed=replayed)


@router.get("/runs/{run_id}")
async def show_run(front: FrontDoor, principal: SignedIn, run_id: str) -> dict[str, object]:
    """A run: its state, its reply, what it did, and what it waits for."""
    return shown(await front.runs.view(principal, run_id_of(run_id)))


@router.get("/runs/{run_id}/events")
async def watch_run(
    request: Request,
    front: FrontDoor,
    principal: SignedIn,
    run_id: str,
    last_event_id: Annotated[str | None, Query(description="where to go on, for clients without headers")] = None,  # noqa: ARG001 - read with the header
) -> Response:
    """The stream of a run, whole or from Last-Event-ID on: nothing is missed and nothing comes twice."""
    run = run_id_of(run_id)
    after = last_seen(request, run)
    await front.runs.view(principal, run)  # an unknown run is a 404, not an empty stream
    return stream(front, principal, run, after=after)


@router.post("/runs/{run_id}/cancel")
async def cancel_run(front: FrontDoor, caller: RestCaller, run_id: str) -> dict[str, object]:
    """Stop a run; stopping one that is over changes nothing."""
    return shown(await front.runs.cancel(caller.principal, run_id_of(run_id)))


@router.post("/runs/{run_id}/resume")
async def resume_run(request: Request, front: FrontDoor, caller: RestCaller, run_id: str, answer: Decision) -> Response:
    """Answer what a run waits for. The run goes on: as a stream when you accept one, else told by GET /v1/runs/{id}."""
    run = run_id_of(run_id)
    before = await front.runs.view(caller.principal, run)
    deed = ("http.runs.resume", {"run_id": str(run), **answer.model_dump(mode="json", exclude_none=True)})
    ticket, replayed = await ticket_once(
        request,
        front,
        caller,
        deed,
        lambda: front.runs.resume(caller.principal, run, decision=answer.decision, args=answer.args, note=answer.note),
    )
    if wants_stream(request):
        return stream(front, caller.principal, ticket.run_id, after=last_seen(request, run))
    view = await front.runs.view(caller.principal, ticket.run_id) if not replayed else before
    return JSONResponse(shown(view), headers={"Idempotency-Replayed": "true"} if replayed else None)
