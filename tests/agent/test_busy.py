"""A message to a busy conversation: it waits, is refused, stops what goes on, or takes it back."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast
from uuid import UUID

import pytest

from agent.busy import OnBusy
from agent.runs import RunTicket
from core.settings import Settings
from db.models.conversation import Run, Thread
from db.queries import runs, threads
from tests.agent.commands import keep_note, publish, slow_note
from tests.agent.house import House, Json, Script, calling, open_house, requests, until
from tests.agent.test_kill import in_the_log
from tests.conftest import Sandbox
from tools.catalog import Catalog
from tools.commands import catalog
from tools.context import Caller, Doors, Principal, Surface
from tools.dispatcher import Dispatcher

LONG = {"content": "one two three four five six seven eight nine ten", "chunk_delay_seconds": 0.2}


@pytest.fixture
async def office(
    doors: Doors, principal: Principal, admin_url: str, endpoint: Settings, sandbox: Sandbox
) -> AsyncIterator[House]:
    """An agent with an account, commands that can be undone, and some that cannot."""
    real = catalog()
    account = {"platform": "instagram", "external_id": "17841400000000001"}
    sandbox.control("POST", "accounts", {**account, "handle": "roastery", "access_token": "IGAA-sandbox"})
    await Dispatcher(doors, real).run(
        "connect_account",
        {**account, "access_token": "IGAA-sandbox", "metadata": {"login": "facebook"}},
        Caller(principal=principal, surface=Surface.REST, zone="Europe/Madrid"),
    )
    more = Catalog(
        (real.find("create_draft"), real.find("list_posts"), real.find("undo"), keep_note, slow_note, publish)
    )
    async with open_house(doors, principal, admin_url, model=endpoint, catalog=more) as opened:
        yield opened


async def busy(house: House, text: str, kind: str, part: str, thread_id: UUID | None = None) -> RunTicket:
    """A run that has come as far as an event."""
    ticket = await house.service.start(house.principal, text=text, thread_id=thread_id)
    await until(in_the_log(house, ticket.run_id, kind, part))
    return ticket


async def send(house: House, ticket: RunTicket, text: str, on_busy: OnBusy) -> RunTicket:
    return await house.service.start(house.principal, text=text, thread_id=ticket.thread_id, on_busy=on_busy)


def spoken(sandbox: Sandbox, at: int = -1) -> list[tuple[str, object]]:
    """What the model was sent behind its instructions."""
    return [(message["role"], message["content"]) for message in requests(sandbox)[at]["messages"][1:]]


async def drafts(house: House) -> list[str]:
    """The states of the posts that there are."""
    caller = Caller(principal=house.principal, surface=Surface.REST, zone="Europe/Madrid")
    outcome = await house.agent.dispatcher.run("list_posts", {}, caller)
    return [str(post["status"]) for post in cast("list[Json]", outcome.result["items"])]


async def test_interrupting_keeps_what_was_said_and_cancels_the_queue(
    house: House, script: Script, sandbox: Sandbox
) -> None:
    script(LONG, "Second.")
    first = await busy(house, "a", "TEXT_MESSAGE_CONTENT", "two")
    queued = await send(house, first, "b", "enqueue")
    last = await send(house, first, "c", "interrupt")
    assert (await house.end_of(last.run_id)).reply == "Second."
    stopped = await house.end_of(first.run_id)
    assert stopped.status == "cancelled"
    assert stopped.reply.startswith("one two")
    assert "ten" not in stopped.reply
    assert (await house.end_of(queued.run_id)).status == "cancelled"
    assert spoken(sandbox) == [("user", "a"), ("assistant", stopped.reply), ("user", "c")]
    assert [line["content"] for line in await house.lines(first.thread_id) if line["role"] == "user"] == ["a", "b", "c"]


async def test_rolling_back_undoes_what_was_done_and_leaves_no_memory(
    office: House, script: Script, sandbox: Sandbox
) -> None:
    script("Hello.", calling(("create_draft", {"caption": "Beans"})), LONG, "Second.", "Third.")
    hello = await office.ask("hi")
    first = await busy(office, "draft beans", "TEXT_MESSAGE_CONTENT", "two", hello.thread_id)
    assert await drafts(office) == ["draft"]
    second = await send(office, first, "rather not", "rollback")
    assert (await office.end_of(second.run_id)).reply == "Second."
    assert (await office.end_of(first.run_id)).status == "cancelled"
    assert await drafts(office) == ["cancelled"]
    lines = await office.lines(first.thread_id)
    (note,) = [str(line["content"]) for line in lines if "took that back" in str(line["content"])]
    assert "cancelled again" in note
    before = [("user", "hi"), ("assistant", "Hello."), ("assistant", note), ("user", "rather not")]
    assert spoken(sandbox) == before
    events = await office.events(second.run_id)
    assert note in [event.data.get("delta") for event in events]
    # Recorded as any other change is: it can itself be undone.
    assert "undo" in [call.partition(":")[0] for call in await office.calls()]
    await office.ask("and now?", thread_id=first.thread_id)
    assert spoken(sandbox) == [*before, ("assistant", "Second."), ("user", "and now?")]


async def test_what_cannot_be_taken_back_is_told(office: House, script: Script, sandbox: Sandbox) -> None:
    script(calling(("create_draft", {"caption": "Beans"}), ("keep_note", {"text": "forever"})), LONG, "Second.")
    first = await busy(office, "do both", "TEXT_MESSAGE_CONTENT", "two")
    second = await send(office, first, "no", "rollback")
    await office.end_of(second.run_id)
    role, note = spoken(sandbox)[0]
    assert role == "assistant"
    assert "This cannot be undone and stays: Kept “forever”" in str(note)
    assert await drafts(office) == ["cancelled"]


async def test_rolling_back_leaves_the_turns_before_alone(office: House, script: Script, sandbox: Sandbox) -> None:
    script(calling(("create_draft", {"caption": "Beans"})), "Drafted.", LONG, "Second.")
    before = await office.ask("draft beans")
    first = await busy(office, "count", "TEXT_MESSAGE_CONTENT", "two", before.thread_id)
    second = await send(office, first, "stop counting", "rollback")
    await office.end_of(second.run_id)
    assert await drafts(office) == ["draft"]
    assert spoken(sandbox)[0] == ("user", "draft beans")
    assert spoken(sandbox)[-1] == ("user", "stop counting")
    assert "count" not in [content for _, content in spoken(sandbox)]


async def test_a_question_is_rolled_back_too(office: House, script: Script, sandbox: Sandbox) -> None:
    script(calling(("create_draft", {"caption": "Beans"}), ("publish", {"text": "a"})), "Second.")
    waiting = await office.ask("publish a")
    assert waiting.status == "waiting"
    ticket = RunTicket(run_id=waiting.id, thread_id=waiting.thread_id)
    second = await send(office, ticket, "forget it", "rollback")
    assert (await office.end_of(second.run_id)).reply == "Second."
    assert (await office.end_of(waiting.id)).status == "cancelled"
    assert await drafts(office) == ["cancelled"]
    assert [role for role, _ in spoken(sandbox)] == ["assistant", "user"]


async def test_a_rollback_that_is_interrupted_before_it_begins_is_not_forgotten(office: House, script: Script) -> None:
    script(calling(("create_draft", {"caption": "Beans"}), ("slow_note", {"text": "a", "seconds": 0.7})), "Last.")
    first = await busy(office, "draft beans", "TOOL_CALL_START", "slow_note")
    second = await send(office, first, "rather not", "rollback")
    last = await send(office, first, "hello?", "interrupt")
    assert (await office.end_of(last.run_id)).reply == "Last."
    assert (await office.end_of(second.run_id)).status == "cancelled"
    assert await drafts(office) == ["cancelled"]


async def test_a_run_that_ends_and_a_message_that_comes_do_not_lock_each_other_out(
    doors: Doors, principal: Principal, admin_url: str, endpoint: Settings, script: Script
) -> None:
    script("Done.")
    async with open_house(doors, principal, admin_url, model=endpoint, loop=False) as house:
        ticket = await house.service.start(principal, text="do it")
        (claim,) = await house.work.claim(1, sweep=True)
        # What whoever speaks in a thread does: the thread's row first, then its runs.
        async with doors.database.session(principal.workspace_id) as session:
            assert isinstance(await threads.get(session, ticket.thread_id, lock=True), Thread)
            work = asyncio.create_task(house.work.work(claim))
            # What it says may be written with its end, which waits for the thread here.
            await until(in_the_log(house, ticket.run_id, "RUN_STARTED"))
            await asyncio.wait((work,), timeout=1.0)
            async with asyncio.timeout(0.5):
                assert all(isinstance(run, Run) for run in await runs.unfinished(session, ticket.thread_id))
        await work
        assert (await house.end_of(ticket.run_id)).reply == "Done."
