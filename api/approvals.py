"""What waits for a person: the list, the answer, and asking on behalf of a REST caller who may not decide alone."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from agent.deciding import as_json
from agent.hands import APPROVAL_LIFETIME
from api.caller import RestCaller, key_of
from api.front import Front, FrontDoor
from api.once import Deed, once, row
from api.problems import no_such
from api.sign_in import SignedIn
from core import clock
from core.errors import Conflict, Forbidden, InvalidInput, Problem
from core.ids import new_id, parse_id
from db.models.conversation import ApprovalRequest
from db.queries import approvals, calls
from tools.command import AnyCommand
from tools.context import Caller, Doors, Principal
from tools.dispatcher import ConsentNeeded, parse, with_approval

router = APIRouter(prefix="/v1/approvals", tags=["approvals"])


class ApprovalView(BaseModel):
    """A question for a person. ``run_id`` null = a REST caller asked; ``args`` is what would run after a yes."""

    model_config = ConfigDict(frozen=True)

    id: str
    status: str = Field(description="pending, approved, rejected, withdrawn or expired")
    command: str
    args: dict[str, object]
    summary: str
    post_id: str | None
    run_id: str | None
    thread_id: str | None
    tool_call_id: str | None
    requested_by: str | None
    decided_by: str | None
    note: str | None
    created_at: datetime
    decided_at: datetime | None
    expires_at: datetime


class ApprovalPage(BaseModel):
    """Approvals, newest first."""

    items: list[ApprovalView]
    next_cursor: str | None


class Decision(BaseModel):
    """The answer. ``args`` belong to "edit" alone: they replace the call's arguments."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    decision: Literal["approve", "reject", "edit"]
    args: dict[str, object] | None = None
    note: str | None = Field(None, max_length=2000)


def view(approval: ApprovalRequest) -> ApprovalView:
    """The record of an approval."""
    return ApprovalView.model_validate(as_json(approval))


async def ask(
    doors: Doors, command: AnyCommand, arguments: dict[str, object], caller: Caller, needed: ConsentNeeded
) -> dict[str, object]:
    """Keep the question; the answer to the REST caller. Under the same Idempotency-Key it is asked once."""
    principal, proposal = caller.principal, needed.proposal
    async with doors.database.session(principal.workspace_id) as session:
        now = await clock.now(session)
        approval = ApprovalRequest(
            id=new_id(),
            workspace_id=principal.workspace_id,
            command=needed.command,
            args=needed.arguments,
            summary=proposal.summary,
            post_id=parse_id(proposal.post_id) if proposal.post_id else None,
            content_hash=proposal.content_hash,
            status="pending",
            requested_by=principal.user_id,
            created_at=now,
            expires_at=now + APPROVAL_LIFETIME,
        )
        session.add(approval)
        await session.flush()
        shown = view(approval).model_dump(mode="json")
        answer: dict[str, object] = {"status": "waiting", "summary": needed.message, "approval": shown}
        if caller.key is not None:
            # Kept as this call's result: the door answers it when the same key comes again.
            given = parse(command, arguments).model_dump(mode="json", exclude_unset=True)
            await calls.record(
                session, row(principal, Deed(name=command.name, arguments=given, key=caller.key), answer)
            )
    return answer


@router.get("")
async def list_approvals(
    front: FrontDoor,
    principal: SignedIn,
    status: Literal["pending", "approved", "rejected", "withdrawn", "expired"] | None = None,
    cursor: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> ApprovalPage:
    """What waits for a person, and what was decided."""
    async with front.doors.database.session(principal.workspace_id) as session:
        await approvals.expire(session)
        found = await approvals.page(session, status=status, after=cursor, limit=limit + 1)
        shown = [view(approval) for approval in found[:limit]]
    return ApprovalPage(items=shown, next_cursor=shown[-1].id if len(found) > limit else None)


@router.get("/{approval_id}")
async def show_approval(front: FrontDoor, principal: SignedIn, approval_id: str) -> ApprovalView:
    """One approval."""
    return view(await find(front, principal, approval_id))


@router.post("/{approval_id}")
async def decide(
    request: Request, front: FrontDoor, caller: RestCaller, approval_id: str, answer: Decision
) -> JSONResponse:
    """Say yes or no. A yes carries out exactly what was shown; a post that changed meanwhile is refused."""
    approval = await find(front, caller.principal, approval_id)

    async def perform() -> dict[str, object]:
        if approval.run_id is not None:
            return await front.runs.decide(
                caller.principal, approval.id, decision=answer.decision, args=answer.args, note=answer.note
            )
        return await _decide_direct(front, caller, approval, answer)

    arguments = {"approval_id": str(approval.id), **answer.model_dump(mode="json", exclude_none=True)}
    kept = await once(
        front.doors,
        caller.principal,
        Deed(name="http.approvals.decide", arguments=arguments, key=key_of(request)),
        perform,
    )
    return JSONResponse(kept.answer, headers={"Idempotency-Replayed": "true"} if kept.replayed else None)


def _require_right(principal: Principal, approval: ApprovalRequest, answer: Decision) -> None:
    """Raise ``Forbidden`` unless the caller may say this; whoever asked may always take it back."""
    if principal.role.may_approve or (answer.decision == "reject" and approval.requested_by == principal.user_id):
        return
    raise Forbidden(
        f"Your role here is {principal.role}, which may not approve.",
        code="may_not_approve",
        action="Ask an owner or an approver of the workspace.",
    )


async def find(front: Front, principal: Principal, given: str) -> ApprovalRequest:
    """The approval with this id; raises ``NotFound``."""
    approval_id = parse_id(given)
    if approval_id is None:
        raise no_such("approval", given)
    async with front.doors.database.session(principal.workspace_id) as session:
        await approvals.expire(session)
        approval = await approvals.get(session, approval_id)
    if approval is None:
        raise no_such("approval", given)
    return approval


async def _decide_direct(
    front: Front, caller: Caller, approval: ApprovalRequest, answer: Decision
) -> dict[str, object]:
    """Answer a question that a REST caller asked: the call is carried out with the approver as its author."""
    _require_right(caller.principal, approval, answer)
    if answer.decision == "edit":
        message = "Only what the agent asked for can be edited; change the post itself, then ask again."
        raise InvalidInput(
            message, code="edit_not_here", problems=[Problem(path="decision", code="edit_not_here", message=message)]
        )
    if answer.decision == "approve":
        await _require_fresh(front, caller, approval.id)
    approval = await _settle(front, caller.principal, approval.id, answer)
    result: dict[str, object] | None = None
    if approval.status == "approved":
        # The key makes a repeated yes, also after a crash right here, carry it out once.
        approved = with_approval(replace(caller, key=f"approval:{approval.id}"), approval.id)
        result = (await front.dispatcher.run(approval.command, approval.args, approved)).result
    summary = result["summary"] if result is not None else f"Refused: {approval.summary}"
    return {"summary": summary, "approval": view(approval).model_dump(mode="json"), "result": result}


async def _require_fresh(front: Front, caller: Caller, approval_id: UUID) -> None:
    """Raise ``Conflict`` when what would happen now is not what was shown; the question is closed then."""
    async with front.doors.database.session(caller.principal.workspace_id) as session:
        approval = await approvals.get(session, approval_id)
    if approval is None or approval.status != "pending":
        return
    current = await front.dispatcher.propose(approval.command, approval.args, caller)
    if current.arguments == approval.args and current.proposal.content_hash == approval.content_hash:
        return
    async with front.doors.database.session(caller.principal.workspace_id) as session:
        stale = await approvals.get(session, approval_id, lock=True)
        if stale is not None and stale.status == "pending":
            stale.status = "withdrawn"
    raise Conflict(
        "The post changed after this was asked, so nothing was done.",
        code="approval_stale",
        action="Look at the post as it is now and ask again.",
    )


async def _settle(front: Front, principal: Principal, approval_id: UUID, answer: Decision) -> ApprovalRequest:
    """Write the decision down; the same decision again is no error, another one is."""
    wanted = "approved" if answer.decision == "approve" else "rejected"
    async with front.doors.database.session(principal.workspace_id) as session:
        approval = await approvals.get(session, approval_id, lock=True)
        assert approval is not None
        now = await clock.now(session)
        if approval.status == "pending" and approval.expires_at > now:
            approval.status, approval.note = wanted, answer.note
            approval.decided_by, approval.decided_at = principal.user_id, now
            return approval
    status = "expired" if approval.status == "pending" else approval.status
    if status != wanted:
        raise Conflict(
            f"This was {status} already.",
            code=f"approval_{status}",
            action="Ask again if it is still wanted.",
            changed={"status": status},
        )
    return approval
