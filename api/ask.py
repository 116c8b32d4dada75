"""POST /v1/ask: one sentence in, what came of it out."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from agent.busy import OnBusy
from agent.runs import RunTicket, RunView
from api.caller import RestCaller
from api.front import Front, FrontDoor
from api.problems import problem
from api.runs import LONGEST_TEXT, ON_BUSY, started, ticket_once, zone_of
from api.streams import wants_stream
from api.threads import thread_id_of
from tools.context import Caller

router = APIRouter(prefix="/v1", tags=["ask"])

# A turn is a few answers of the model with commands between them; a run that takes longer goes on without us.
_MODEL_TURNS = 3
_AT_LEAST_SECONDS = 30.0
_OVER = {"done": "done", "waiting": "waiting", "failed": "failed", "cancelled": "failed"}


class Ask(BaseModel):
    """A sentence. Without ``thread_id`` it opens a new conversation."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    text: str = Field(min_length=1, max_length=LONGEST_TEXT)
    thread_id: str | None = None
    on_busy: OnBusy = Field("enqueue", description=ON_BUSY)
    timezone: str | None = Field(None, description="IANA zone of this request; else the workspace's")


@router.post("/ask")
async def ask(request: Request, front: FrontDoor, caller: RestCaller, question: Ask) -> Response:
    """Do what a sentence says, and answer when it is done, waits for a person, or failed.

    With `Accept: text/event-stream` the same run comes as a stream. A run that is still going after the wait answers
    504 with its id, and goes on.
    """
    thread = thread_id_of(question.thread_id) if question.thread_id is not None else None
    zone = zone_of(question.timezone, caller)
    ticket, replayed = await ticket_once(
        request,
        front,
        caller,
        ("http.ask", question.model_dump(mode="json", exclude_unset=True, exclude_none=True)),
        lambda: front.runs.start(
            caller.principal, text=question.text, thread_id=thread, zone=zone, on_busy=question.on_busy
        ),
    )
    if wants_stream(request):
        return started(front, caller.principal, ticket, replayed=replayed)
    return await _answer(front, caller, ticket, replayed=replayed)


async def _answer(front: Front, caller: Caller, ticket: RunTicket, *, replayed: bool) -> Response:
    run = await _awaited(front, caller, ticket)
    if run.status not in _OVER:
        return problem(
            504,
            "still_running",
            "This takes longer than one request waits; it goes on.",
            action=f"Look at GET /v1/runs/{run.id}, or follow GET /v1/runs/{run.id}/events.",
            run_id=str(run.id),
            thread_id=str(run.thread_id),
        )
    headers = {"Idempotency-Replayed": "true"} if replayed else None
    return JSONResponse(answer_of(run), headers=headers)


async def _awaited(front: Front, caller: Caller, ticket: RunTicket) -> RunView:
    """The run when it is over, or as it stands when patience ends or the process drains: the run itself goes on."""
    patience = max(_AT_LEAST_SECONDS, _MODEL_TURNS * front.doors.settings.model_timeout)
    finished = asyncio.ensure_future(front.runs.finished(caller.principal, ticket.run_id, patience=patience))
    draining = asyncio.ensure_future(front.stopping.wait())
    try:
        await asyncio.wait({finished, draining}, return_when=asyncio.FIRST_COMPLETED)
        return finished.result() if finished.done() else await front.runs.view(caller.principal, ticket.run_id)
    finally:
        finished.cancel()
        draining.cancel()


def answer_of(run: RunView) -> dict[str, object]:
    """The answer to a sentence; ``error`` says why when it failed, ``approval`` what waits."""
    answer: dict[str, object] = {
        "run_id": str(run.id),
        "thread_id": str(run.thread_id),
        "status": _OVER[run.status],
        "reply": run.reply,
        "actions": run.actions,
    }
    if run.approval is not None:
        answer["approval"] = run.approval
    if run.error is not None:
        answer["error"] = run.error
    return answer
