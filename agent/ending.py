"""How an attempt at a run ends: what is written in the one transaction that does it, if the run is still ours."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from agent import conversation, events
from agent.event_log import EventLog
from agent.events import Event
from agent.speaking import STOPPED
from agent.tool_results import described
from core.errors import StudioError
from db.models.conversation import ApprovalRequest, Run
from db.queries import approvals, runs, threads
from db.queries.runs import ClaimedRow
from memory import transcript
from memory.transcript import Line


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What an attempt came to. ``messages`` are the run's own; ``approval_id`` says what a waiting run waits for."""

    status: Literal["done", "waiting", "failed", "cancelled"]
    messages: Sequence[AnyMessage]
    error: StudioError | None = None
    approval_id: UUID | None = None


async def write(session: AsyncSession, claimed: ClaimedRow, log: EventLog, ending: Ending) -> bool:
    """End the run's attempt: the last events, the transcript, the row. False, and nothing, when it is not ours."""
    await threads.lock_of_run(session, claimed.id)
    run = await runs.ours(session, claimed.id, claimed.fence)
    if run is None:
        return False
    if ending.status == "waiting" and run.cancel_requested:
        # Stopped between the question and this moment: nobody needs to answer it.
        await approvals.withdraw_of_run(session, run.id)
        ending = replace(ending, status="cancelled", approval_id=None)
    approval = await approvals.get(session, ending.approval_id, lock=True) if ending.approval_id else None
    log.emit(_last_event(run, ending, approval))
    first, last_events = log.take()
    await runs.append_events(session, claimed, first=first, events=last_events)
    await transcript.keep(
        session,
        workspace_id=run.workspace_id,
        thread_id=run.thread_id,
        run_id=run.id,
        lines=_lines(ending, approval),
    )
    _settle(run, ending, approval)
    await session.flush()
    return True


def _last_event(run: Run, ending: Ending, approval: ApprovalRequest | None) -> Event:
    if ending.status == "failed" and ending.error is not None:
        return events.failed(_sentence(ending.error), ending.error.code)
    if ending.status == "cancelled":
        return events.cancelled(run.thread_id, run.id)
    if ending.status == "waiting" and approval is not None:
        return events.interrupted(run.thread_id, run.id, approval)
    return events.finished(run.thread_id, run.id)


def _settle(run: Run, ending: Ending, approval: ApprovalRequest | None) -> None:
    run.status = ending.status
    run.actions = conversation.actions(ending.messages)
    if ending.status == "cancelled":
        run.actions = conversation.given_up(run.actions)
    run.lease_until = run.next_attempt_at = None
    run.error = described(ending.error) if ending.error is not None else None
    run.reply = reply_of(ending, approval)
    run.attempts = 0
    if ending.status != "waiting":
        run.ended_at = func.studio_now()
    elif approval is not None and approval.status == "pending":
        run.interrupt = {"approval_id": str(approval.id), "summary": approval.summary}
        run.next_attempt_at = approval.expires_at  # if nobody answers, the model is told then
    else:
        # Answered between the question and this moment: it goes on at once.
        run.status, run.next_attempt_at = "queued", func.studio_now()


def reply_of(ending: Ending, approval: ApprovalRequest | None) -> str | None:
    """What the person is answered; None when a stopped run had said nothing yet."""
    if ending.error is not None:
        return _sentence(ending.error)
    if approval is not None:
        return approval.summary
    said = conversation.reply([message for message in ending.messages if message.text != STOPPED])
    return str(said.text) if said is not None else None


def _sentence(error: StudioError) -> str:
    return f"{error.message} {error.action}" if error.action else error.message


def _lines(ending: Ending, approval: ApprovalRequest | None) -> list[Line]:
    lines: list[Line] = []
    actions = {action["tool_call_id"]: action for action in conversation.actions(ending.messages)}
    for message in ending.messages:
        if isinstance(message, AIMessage) and message.text and message.text != STOPPED:
            lines.append(Line(key=str(message.id), role="assistant", content=str(message.text)))
        elif isinstance(message, ToolMessage):
            details = _details(actions[message.tool_call_id])
            line = Line(key=str(message.id), role="tool", content=conversation.summary(message), details=details)
            lines.append(line)
    if approval is not None:
        details = {"approval_id": str(approval.id)}
        lines.append(Line(key=str(approval.id), role="assistant", content=approval.summary, details=details))
    if ending.error is not None:
        details = {"error": ending.error.code}
        lines.append(Line(key="error", role="assistant", content=_sentence(ending.error), details=details))
    return lines


def _details(action: dict[str, object]) -> dict[str, object]:
    """What a call did, short: the post it was about is named, for whoever shows the conversation later."""
    details = {name: action[name] for name in ("tool_call_id", "command", "status")}
    result = action["result"] if isinstance(action["result"], dict) else {}
    several = result.get("items", result.get("posts"))
    post = several[0] if isinstance(several, list) and len(several) == 1 else result.get("post")
    return details | ({"post_id": post["id"]} if isinstance(post, dict) and "caption" in post else {})
