"""A person's answer to what a run asked: one wins, the run goes on, and the row says who said what."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, StudioError
from core.ids import parse_id
from db.engine import Database
from db.models.conversation import ApprovalRequest, Run
from db.queries import approvals, runs
from tools.context import Caller, Principal, Surface
from tools.dispatcher import ConsentNeeded, Dispatcher

Decision = Literal["approve", "reject", "edit"]

_VERDICTS = {"approve": "approved", "edit": "approved", "reject": "rejected"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a person says. ``args`` are the arguments to approve instead, with "edit" alone."""

    decision: Decision
    args: dict[str, object] | None = None
    note: str | None = None


class Deciding:
    """Takes answers to what runs ask."""

    def __init__(self, database: Database, dispatcher: Dispatcher) -> None:
        self._database = database
        self._dispatcher = dispatcher

    async def pending(self, principal: Principal, run_id: UUID) -> UUID:
        """The approval that a run waits for; raises ``Conflict`` when it waits for none."""
        async with self._database.session(principal.workspace_id) as session:
            run = await runs.get(session, run_id)
            if run is None:
                raise NotFound(f"There is no run {run_id}.", action="Check the id.")
            approval_id = parse_id(str((run.interrupt or {}).get("approval_id", "")))
            if run.status != "waiting" or approval_id is None:
                raise Conflict(
                    f"This run waits for nobody: it is {run.status}.",
                    code="run_not_waiting",
                    action="What it asked before is answered or withdrawn; if it is still wanted, ask for it again.",
                )
        return approval_id

    async def decide(self, principal: Principal, approval_id: UUID, answer: Answer) -> ApprovalRequest:
        """Write the answer and let the run go on. Raises ``Forbidden``, ``NotFound`` or ``Conflict``."""
        shown = await self._read(principal, approval_id)
        _require_right(principal, shown, answer)
        instead = await self._edited(principal, shown, answer)
        async with self._database.session(principal.workspace_id) as session:
            # The run's row first, as whoever speaks in the thread does: so that the two never wait for each other.
            run = await runs.get(session, shown.run_id, lock=True) if shown.run_id else None
            approval = await approvals.get(session, approval_id, lock=True)
            assert approval is not None
            refusal = await _settle(session, principal, approval, answer, instead)
            if run is not None and run.status == "waiting":
                _go_on(run, approval)
        if refusal is not None:
            raise refusal
        return approval

    async def _read(self, principal: Principal, approval_id: UUID) -> ApprovalRequest:
        async with self._database.session(principal.workspace_id) as session:
            approval = await approvals.get(session, approval_id)
        if approval is None:
            raise NotFound(f"There is no approval {approval_id}.", action="List what waits and take an id from there.")
        return approval

    async def _edited(self, principal: Principal, approval: ApprovalRequest, answer: Answer) -> ConsentNeeded | None:
        """What would be done with the edited arguments, as the door describes it."""
        if answer.decision != "edit":
            return None
        if answer.args is None:
            raise InvalidInput("An edit needs args.", action="Send the arguments to approve instead.")
        async with self._database.session(principal.workspace_id) as session:
            run = await runs.get(session, approval.run_id) if approval.run_id else None
        caller = Caller(
            principal=principal,
            surface=Surface.AGENT,
            zone=(run.zone if run else None) or principal.timezone,
            thread_id=approval.thread_id,
            run_id=approval.run_id,
            tool_call_id=approval.tool_call_id,
        )
        return await self._dispatcher.propose(approval.command, answer.args, caller)


def _require_right(principal: Principal, approval: ApprovalRequest, answer: Answer) -> None:
    if principal.role.may_approve:
        return
    if answer.decision == "reject" and approval.requested_by == principal.user_id:
        return  # whoever asked may always take it back
    raise Forbidden(
        f"Your role here is {principal.role}, which may not approve.",
        code="may_not_approve",
        action="Ask an owner or an approver of the workspace.",
    )


async def _settle(
    session: AsyncSession,
    principal: Principal,
    approval: ApprovalRequest,
    answer: Answer,
    instead: ConsentNeeded | None,
) -> StudioError | None:
    """Write the answer on the locked row; an error to raise once the row is committed, when it came too late."""
    if approval.status != "pending":
        raise Conflict(
            f"This was already answered: it is {approval.status}.",
            code="approval_decided",
            action="Nothing more is needed; ask again to have it asked anew.",
            changed={"status": approval.status},
        )
    if approval.expires_at <= await clock.now(session):
        approval.status = "expired"
        return Conflict("This question has expired.", code="approval_expired", action="Ask for it again.")
    approval.status = _VERDICTS[answer.decision]
    approval.decided_by, approval.decided_at, approval.note = principal.user_id, func.studio_now(), answer.note
    if instead is not None:
        proposal = instead.proposal
        approval.args, approval.summary = instead.arguments, proposal.summary
        approval.content_hash = proposal.content_hash
        approval.post_id = parse_id(proposal.post_id) if proposal.post_id else None
    await session.flush()
    await session.refresh(approval)
    return None


def _go_on(run: Run, approval: ApprovalRequest) -> None:
    run.status, run.next_attempt_at = "queued", func.studio_now()
    run.resume = {"approval_id": str(approval.id), "status": approval.status}


def as_json(approval: ApprovalRequest) -> dict[str, object]:
    """An approval for people and programs."""

    def text(value: UUID | None) -> str | None:
        return str(value) if value else None

    return {
        "id": str(approval.id),
        "status": approval.status,
        "command": approval.command,
        "args": approval.args,
        "summary": approval.summary,
        "post_id": text(approval.post_id),
        "run_id": text(approval.run_id),
        "thread_id": text(approval.thread_id),
        "tool_call_id": approval.tool_call_id,
        "requested_by": text(approval.requested_by),
        "decided_by": text(approval.decided_by),
        "note": approval.note,
        "created_at": approval.created_at.isoformat(),
        "decided_at": approval.decided_at.isoformat() if approval.decided_at else None,
        "expires_at": approval.expires_at.isoformat(),
    }
