"""A person's yes in tests: the question that a call raises, answered, and carried out on the answer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core import clock
from core.ids import new_id
from db.models.conversation import ApprovalRequest
from tests.tools.conftest import Desk
from tools.dispatcher import ConsentNeeded, Dispatcher, with_approval


def careful(desk: Desk) -> Desk:
    """The same door where everybody is asked before anything goes on the calendar."""
    doors = desk.dispatcher.doors
    strict = replace(doors, settings=doors.settings.model_copy(update={"approvals": "all"}))
    return replace(desk, dispatcher=Dispatcher(strict, desk.dispatcher.catalog))


async def ask(desk: Desk, command: str, **arguments: object) -> ConsentNeeded:
    """The question that a call raises."""
    with pytest.raises(ConsentNeeded) as asked:
        await desk.act(command, **arguments)
    return asked.value


async def say_yes(desk: Desk, asked: ConsentNeeded) -> dict[str, object]:
    """Approve what was asked and carry it out; the result."""
    principal, approval_id = desk.caller.principal, new_id()
    async with desk.dispatcher.doors.database.session(principal.workspace_id) as session:
        session.add(
            ApprovalRequest(
                id=approval_id,
                workspace_id=principal.workspace_id,
                command=asked.command,
                args=asked.arguments,
                summary=asked.proposal.summary,
                content_hash=asked.proposal.content_hash,
                status="approved",
                expires_at=await clock.now(session) + timedelta(days=1),
            )
        )
    caller = with_approval(desk.caller, approval_id)
    return (await desk.dispatcher.run(asked.command, asked.arguments, caller)).result
