"""Conversations: listed, opened, shown with what was said, and deleted."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from api.caller import RestCaller, key_of
from api.front import FrontDoor
from api.once import Deed, once
from api.problems import no_such
from api.sign_in import SignedIn
from core.ids import parse_id

router = APIRouter(prefix="/v1/threads", tags=["threads"])


class NewThread(BaseModel):
    """An empty conversation; without a title it takes that of its first message."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    title: str = Field("", max_length=200)


def thread_id_of(given: str) -> UUID:
    """The id of a conversation in an address or a body; raises ``NotFound`` for what is no id."""
    thread_id = parse_id(given)
    if thread_id is None:
        raise no_such("thread", given)
    return thread_id


@router.get("")
async def list_threads(
    front: FrontDoor,
    principal: SignedIn,
    cursor: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> dict[str, object]:
    """Conversations, newest first, without their messages."""
    items, after = await front.threads.list_threads(principal, after=cursor, limit=limit)
    return {"items": list(items), "next_cursor": str(after) if after else None}


@router.post("", status_code=201)
async def create_thread(
    request: Request, front: FrontDoor, caller: RestCaller, new: NewThread | None = None
) -> JSONResponse:
    """Begin a conversation."""
    wanted = new or NewThread(title="")

    async def perform() -> dict[str, object]:
        return await front.threads.create_thread(caller.principal, title=wanted.title)

    deed = Deed(name="http.threads.create", arguments=wanted.model_dump(mode="json"), key=key_of(request))
    kept = await once(front.doors, caller.principal, deed, perform)
    headers = {"Location": f"/v1/threads/{kept.answer['id']}"}
    if kept.replayed:
        headers["Idempotency-Replayed"] = "true"
    return JSONResponse(kept.answer, status_code=201, headers=headers)


@router.get("/{thread_id}")
async def show_thread(front: FrontDoor, principal: SignedIn, thread_id: str) -> dict[str, object]:
    """A conversation with all that was said, and the run that goes on in it."""
    return await front.threads.get_thread(principal, thread_id_of(thread_id))


@router.delete("/{thread_id}", status_code=204)
async def delete_thread(front: FrontDoor, caller: RestCaller, thread_id: str) -> Response:
    """Delete a conversation and what the agent remembers of it; posts stay."""
    await front.threads.delete_thread(caller.principal, thread_id_of(thread_id))
    return Response(status_code=204)
