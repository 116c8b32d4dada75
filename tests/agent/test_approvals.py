"""What cannot be taken back waits for a person, and goes on with exactly what that person answered."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from core.errors import Conflict, Forbidden, NotFound
from core.settings import Settings
from tests.agent import commands
from tests.agent.house import House, Json, Script, calling, open_house, requests, tool_texts, until
from tests.conftest import NewPrincipal, Sandbox, TestClock
from tools.context import Doors, Principal, Role


def last_tools(sandbox: Sandbox) -> list[Json]:
    """The tool messages of the newest request to the model."""
    return tool_texts(requests(sandbox)[-1])


async def test_it_asks_is_approved_and_happens(house: House, script: Script) -> None:
    script(calling(("keep_note", {"text": "a"}), ("publish", {"text": "it"})), "It is out.")
    view = await house.ask("publish it now")
    assert view.status == "waiting"
    assert view.reply == "Publish “it” now?"
    assert view.approval["command"] == "publish"
    assert view.approval["args"] == {"text": "post 1"}  # what "it" meant is pinned
    assert [action["status"] for action in view.actions] == ["ok", "waiting"]
    assert await house.calls() == ["keep_note:a"]
    before = await house.events(view.id)
    outcome = before[-1].data["outcome"]
    assert outcome["type"] == "interrupt"
    assert outcome["interrupts"][0]["id"] == view.approval["id"]
    assert outcome["interrupts"][0]["toolCallId"] == view.actions[1]["tool_call_id"]

    done = await house.answer(view.id, "approve")
    assert (done.status, done.reply) == ("done", "It is out.")
    assert not done.approval
    assert await house.calls() == ["keep_note:a", "publish:post 1"]
    assert [action["status"] for action in done.actions] == ["ok", "ok"]
    after = await house.events(view.id, after=before[-1].seq)
    assert after[0].seq == before[-1].seq + 1
    kinds = [event.data["type"] for event in after]
    assert kinds[0] == "RUN_STARTED"
    assert kinds.count("TOOL_CALL_START") == 0  # it was told before the question
    assert kinds.count("TOOL_CALL_RESULT") == 1
    assert kinds[-1] == "RUN_FINISHED"


async def test_a_no_is_told_to_the_model_with_its_reason(house: House, script: Script, sandbox: Sandbox) -> None:
    script(calling(("publish", {"text": "a"})), "All right, I left it.")
    view = await house.ask("publish a")
    done = await house.answer(view.id, "reject", note="the photo is dark")
    assert done.status == "done"
    assert [action["status"] for action in done.actions] == ["refused"]
    assert "the photo is dark" in str(last_tools(sandbox)[0]["error"])
    assert await house.calls() == []


async def test_an_edit_approves_other_arguments(house: House, script: Script) -> None:
    script(calling(("publish", {"text": "a"})), "Out.")
    view = await house.ask("publish a")
    await house.service.decide(
        house.principal, id_of(view.approval), decision="edit", args={"text": "b"}, note="shorter"
    )
    done = await house.end_of(view.id)
    assert done.status == "done"
    assert await house.calls() == ["publish:b"]
    assert done.actions[0]["args"] == {"text": "b"}


def id_of(approval: Json) -> UUID:
    """The id of an approval."""
    return UUID(approval["id"])


async def test_content_that_changed_after_the_yes_is_not_published(
    house: House, script: Script, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(calling(("publish", {"text": "a"})), "It changed; shall I ask again?")
    view = await house.ask("publish a")
    monkeypatch.setitem(commands.CONTENT, "text", "something else")
    done = await house.answer(view.id, "approve")
    assert last_tools(sandbox)[0]["error"]["code"] == "approval_stale"
    assert done.actions[0]["status"] == "error"
    assert await house.calls() == []


async def test_two_questions_in_one_turn_are_asked_one_after_the_other(house: House, script: Script) -> None:
    script(calling(("publish", {"text": "a"}), ("publish", {"text": "b"})), "One of two.")
    view = await house.ask("publish both")
    assert view.approval["args"] == {"text": "a"}
    view = await house.answer(view.id, "approve")
    assert view.status == "waiting"
    assert view.approval["args"] == {"text": "b"}
    assert await house.calls() == ["publish:a"]
    done = await house.answer(view.id, "reject")
    assert [action["status"] for action in done.actions] == ["ok", "refused"]
    assert await house.calls() == ["publish:a"]


async def test_of_two_answers_one_wins(house: House, script: Script) -> None:
    script(calling(("publish", {"text": "a"})), "Out.")
    view = await house.ask("publish a")
    approval_id = id_of(view.approval)
    answers = await asyncio.gather(
        *[house.service.decide(house.principal, approval_id, decision="approve") for _ in range(4)],
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "Conflict", "Conflict", "dict"]
    done = await house.end_of(view.id)
    assert done.status == "done"
    assert await house.calls() == ["publish:a"]
    with pytest.raises(Conflict, match="waits for nobody"):
        await house.service.resume(house.principal, view.id, decision="approve")


async def test_only_who_may_approve_does(
    house: House,
    script: Script,
    add_member: Callable[[UUID, Role], Awaitable[tuple[Principal, str]]],
    new_workspace: NewPrincipal,
) -> None:
    script(calling(("publish", {"text": "a"})), "Out.")
    view = await house.ask("publish a")
    editor, _ = await add_member(house.principal.workspace_id, Role.EDITOR)
    approver, _ = await add_member(house.principal.workspace_id, Role.APPROVER)
    with pytest.raises(Forbidden):
        await house.service.resume(editor, view.id, decision="approve")
    with pytest.raises(Forbidden):
        await house.service.resume(editor, view.id, decision="reject")
    stranger = await new_workspace("Elsewhere")
    with pytest.raises(NotFound):
        await house.service.decide(stranger, id_of(view.approval), decision="approve")
    done = await house.end_of((await house.service.resume(approver, view.id, decision="approve")).run_id)
    assert done.status == "done"
    assert await house.calls() == ["publish:a"]


async def test_a_question_expires(house: House, script: Script, sandbox: Sandbox, clock: TestClock) -> None:
    script(calling(("publish", {"text": "a"})), "Nobody answered, so I left it.")
    view = await house.ask("publish a")
    clock.shift(timedelta(hours=25))
    with pytest.raises(Conflict, match="expired"):
        await house.service.resume(house.principal, view.id, decision="approve")
    done = await house.end_of(view.id)
    assert done.reply == "Nobody answered, so I left it."
    assert last_tools(sandbox)[0]["error"]["code"] == "approval_expired"
    assert await house.calls() == []


async def test_a_run_whose_question_expires_goes_on_by_itself(
    house: House, script: Script, sandbox: Sandbox, clock: TestClock
) -> None:
    script(calling(("publish", {"text": "a"})), "Nobody answered, so I left it.")
    view = await house.ask("publish a")
    assert await house.work.claim(4, sweep=True) == []  # until then it waits
    clock.shift(timedelta(hours=25))

    async def is_over() -> bool:
        return (await house.service.view(house.principal, view.id)).status == "done"

    await until(is_over)
    done = await house.end_of(view.id)
    assert done.reply == "Nobody answered, so I left it."
    assert last_tools(sandbox)[0]["error"]["code"] == "approval_expired"
    assert await house.calls() == []
    with pytest.raises(Conflict, match="expired"):
        await house.service.decide(house.principal, id_of(view.approval), decision="approve")


async def test_a_new_message_withdraws_the_question(house: House, script: Script, sandbox: Sandbox) -> None:
    script(calling(("keep_note", {"text": "a"}), ("publish", {"text": "b"})), "Fine, something else.")
    waiting = await house.ask("publish b")
    done = await house.ask("no, wait: what is new?", thread_id=waiting.thread_id)
    assert done.reply == "Fine, something else."
    results = last_tools(sandbox)
    assert results[0]["text"] == "a"
    assert results[1]["error"]["code"] == "withdrawn"
    old = await house.service.view(house.principal, waiting.id)
    assert (old.status, old.approval) == ("cancelled", None)
    assert [action["status"] for action in old.actions] == ["ok", "refused"]
    assert (await house.events(waiting.id))[-1].data["outcome"] == {"type": "cancelled"}
    with pytest.raises(Conflict, match="withdrawn"):
        await house.service.decide(house.principal, id_of(waiting.approval), decision="approve")
    assert await house.calls() == ["keep_note:a"]


async def test_an_answer_after_a_restart(
    doors: Doors, principal: Principal, admin_url: str, endpoint: Settings, script: Script
) -> None:
    script(calling(("publish", {"text": "a"})), "Out.")
    async with open_house(doors, principal, admin_url, model=endpoint) as before:
        view = await before.ask("publish a")
    async with open_house(doors, principal, admin_url, model=endpoint) as after:
        done = await after.answer(view.id, "approve")
        assert done.reply == "Out."
        assert await after.calls() == ["publish:a"]
