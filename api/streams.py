"""A run as server-sent events: its numbered events, each with an id that a client comes back with."""

import json
from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import Request
from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import AppStatus, EventSourceResponse

from api.front import Front
from core.errors import InvalidInput, Problem
from tools.context import Principal

PING_SECONDS = 15
# sse-starlette would cut streams off by itself when it sees the server exit; ours end at ``Front.stopping``, between
# two events, so that the last id a client has is right.
AppStatus.enable_automatic_graceful_drain = False


def stream(
    front: Front, principal: Principal, run_id: UUID, *, after: int = 0, headers: dict[str, str] | None = None
) -> EventSourceResponse:
    """The events of a run after ``after``, until it ends, waits, or the process drains.

    A client that goes away ends the stream, never the run.
    """

    async def events() -> AsyncIterator[ServerSentEvent]:
        # First a comment: proxies and clients see at once that the stream stands.
        yield ServerSentEvent(comment="studio", sep="\n")
        async for event in front.runs.events(principal, run_id, after=after, stopping=front.stopping):
            data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"), default=str)
            yield ServerSentEvent(data=data, id=f"{run_id}:{event.seq}", sep="\n")

    return EventSourceResponse(
        events(), ping=PING_SECONDS, sep="\n", headers={"Cache-Control": "no-store", **(headers or {})}
    )


def wants_stream(request: Request) -> bool:
    """Whether the client asked for server-sent events."""
    accepted = request.headers.get("accept", "")
    return any(part.partition(";")[0].strip().lower() == "text/event-stream" for part in accepted.split(","))


def last_seen(request: Request, run_id: UUID) -> int:
    """The number of the last event a client has, from Last-Event-ID (header, else ?last_event_id=); 0 without one."""
    given = request.headers.get("last-event-id") or request.query_params.get("last_event_id") or ""
    if not given:
        return 0
    run, _, number = given.rpartition(":")
    if (run and run != str(run_id)) or not (number.isascii() and number.isdecimal()) or len(number) > 18:  # noqa: PLR2004 - a bigint
        message = f"Last-Event-ID is the id of an event of this run, such as {run_id}:7."
        raise InvalidInput(
            message,
            code="invalid_event_id",
            action="Leave it out to get the whole run again.",
            problems=[Problem(path="Last-Event-ID", code="invalid_event_id", message=message)],
        )
    return int(number)
