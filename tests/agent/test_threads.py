"""Threads: one run at a time, stopping, queueing, and what each workspace may see."""

import asyncio
from typing import cast
from uuid import UUID, uuid4

import pytest

from core.errors import Conflict, InvalidInput, NotFound
from tests.agent.house import House, Script, Told, calling, requests, until
from tests.conftest import NewPrincipal, Sandbox


def slow(text: str, *, pause: float) -> dict[str, object]:
    """A turn that says a word every ``pause`` seconds."""
    return {"content": text, "chunk_delay_seconds": pause}


async def heard(house: House, run_id: UUID, words: str) -> None:
    """Wait until a reader of the run has heard some words."""
    said = ""
    async with asyncio.timeout(10):
        async for event in house.service.events(house.principal, run_id):
            said += str(event.data.get("delta", ""))
            if words in said:
                return
    raise AssertionError(f"never heard {words!r}")


async def test_a_second_message_queues_behind_the_first(house: House, script: Script, sandbox: Sandbox) -> None:
    script(slow("one two three four five six", pause=0.05), "Second.")
    first = await house.service.start(house.principal, text="a")
    second = await house.service.start(house.principal, text="b", thread_id=first.thread_id)
    done = await house.end_of(second.run_id)
    assert done.reply == "Second."
    before = await house.end_of(first.run_id)
    assert before.status == "done"
    assert before.ended_at <= done.ended_at
    assert [m["content"] for m in requests(sandbox)[1]["messages"][1:]] == ["a", "one two three four five six", "b"]


async def test_a_busy_thread_can_refuse(house: House, script: Script) -> None:
    script(slow("one two three four five six", pause=0.05))
    first = await house.service.start(house.principal, text="a")
    with pytest.raises(Conflict) as refused:
        await house.service.start(house.principal, text="b", thread_id=first.thread_id, on_busy="reject")
    assert refused.value.code == "thread_busy"
    assert (await house.end_of(first.run_id)).status == "done"


async def test_stopping_keeps_what_was_said(house: House, script: Script, sandbox: Sandbox) -> None:
    script(slow("one two three four five six seven eight nine ten", pause=0.2), "Here I am.")
    ticket = await house.service.start(house.principal, text="count")
    await heard(house, ticket.run_id, "two")
    await house.service.cancel(house.principal, ticket.run_id)
    view = await house.end_of(ticket.run_id)
    assert view.status == "cancelled"
    assert view.reply.startswith("one two")
    assert "ten" not in view.reply
    events = await house.events(ticket.run_id)
    assert events[-1].data["outcome"] == {"type": "cancelled"}
    again = await house.ask("still there?", thread_id=ticket.thread_id)
    assert again.reply == "Here I am."
    assert requests(sandbox)[1]["messages"][2]["content"] == view.reply


async def test_stopping_between_calls_leaves_the_rest_undone(house: House, script: Script) -> None:
    script(
        calling(("slow_note", {"text": "a", "seconds": 0.5}), ("keep_note", {"text": "b"})), "never said", "Here I am."
    )
    ticket = await house.service.start(house.principal, text="a and b")

    async def in_the_tool() -> bool:
        return any(data["type"] == "TOOL_CALL_START" for _, data in await house.log(ticket.run_id))

    await until(in_the_tool)
    await house.service.cancel(house.principal, ticket.run_id)
    view = await house.end_of(ticket.run_id)
    assert view.status == "cancelled"
    assert [action["status"] for action in view.actions] == ["ok", "refused"]
    assert await house.calls() == ["slow_note:a"]
    again = await house.ask("and now?", thread_id=ticket.thread_id)
    assert again.status == "done"


async def test_stopping_what_waits_or_is_over(house: House, script: Script) -> None:
    script(calling(("publish", {"text": "a"})), "Fine.")
    waiting = await house.ask("publish a")
    stopped = await house.service.cancel(house.principal, waiting.id)
    assert (stopped.status, stopped.actions[0]["status"]) == ("cancelled", "refused")
    done = await house.ask("something else", thread_id=waiting.thread_id)
    assert done.reply == "Fine."
    assert (await house.service.cancel(house.principal, done.id)).status == "done"


async def test_a_reader_comes_back_where_it_left(house: House, script: Script) -> None:
    script(slow("one two three four five six", pause=0.05))
    ticket = await house.service.start(house.principal, text="count")
    seen: list[Told] = []
    async for event in house.service.events(house.principal, ticket.run_id):
        seen.append(cast("Told", event))
        if len(seen) == 3:
            break
    rest = await house.events(ticket.run_id, after=seen[-1].seq)
    assert [event.seq for event in (*seen, *rest)] == list(range(1, len(seen) + len(rest) + 1))
    whole = await house.events(ticket.run_id)
    assert whole == [*seen, *rest]
    assert await house.events(ticket.run_id, after=whole[-1].seq) == []


async def test_a_draining_process_ends_streams(house: House, script: Script) -> None:
    script(slow("one two three four five six", pause=0.3))
    ticket = await house.service.start(house.principal, text="count")
    stopping = asyncio.Event()

    async def read() -> list[str]:
        stream = house.service.events(house.principal, ticket.run_id, stopping=stopping)
        return [str(event.data["type"]) async for event in stream]

    reader = asyncio.create_task(read())
    await heard(house, ticket.run_id, "one")
    stopping.set()
    async with asyncio.timeout(0.5):
        kinds = await reader
    assert "TEXT_MESSAGE_CONTENT" in kinds
    assert "RUN_FINISHED" not in kinds


async def test_one_workspace_sees_nothing_of_another(house: House, script: Script, new_workspace: NewPrincipal) -> None:
    script("Hello.")
    view = await house.ask("hi")
    stranger = await new_workspace("Elsewhere")
    with pytest.raises(NotFound):
        await house.service.view(stranger, view.id)
    with pytest.raises(NotFound):
        await house.service.start(stranger, text="hi", thread_id=view.thread_id)
    with pytest.raises(NotFound):
        await house.service.cancel(stranger, view.id)
    with pytest.raises(NotFound):
        await anext(aiter(house.service.events(stranger, view.id)))
    assert await house.threads.list_threads(stranger) == ([], None)


async def test_threads_are_made_listed_and_deleted(house: House, script: Script) -> None:
    script("Hello.", "Who are you?")
    empty = await house.threads.create_thread(house.principal)
    view = await house.ask("First words\nof a very long message that goes on and on for more than a line")
    listed, cursor = await house.threads.list_threads(house.principal, limit=1)
    assert listed[0]["id"] == str(view.thread_id)
    assert listed[0]["title"] == "First words of a very long message that goes on and on for…"
    assert listed[0]["active_run"] is None
    listed, cursor = await house.threads.list_threads(house.principal, limit=1, after=cursor)
    assert [thread["id"] for thread in listed] == [empty["id"]]
    assert cursor is None
    await house.threads.delete_thread(house.principal, view.thread_id)
    with pytest.raises(NotFound):
        await house.threads.get_thread(house.principal, view.thread_id)
    assert await house.agent.remembered(house.principal.workspace_id, view.thread_id) == ((), None)


async def test_what_cannot_be_started(house: House) -> None:
    with pytest.raises(NotFound):
        await house.service.start(house.principal, text="hi", thread_id=uuid4())
    with pytest.raises(InvalidInput):
        await house.service.start(house.principal, text="  ")
    with pytest.raises(InvalidInput):
        await house.service.start(house.principal, text="hi", zone="Mars/Olympus")


async def test_stopping_ends_a_command_that_hangs(house: House, script: Script) -> None:
    script(calling(("slow_note", {"text": "a", "seconds": 60}), content="On it."), "Here I am.")
    ticket = await house.service.start(house.principal, text="keep it slowly")

    async def in_the_tool() -> bool:
        return any(data["type"] == "TOOL_CALL_START" for _, data in await house.log(ticket.run_id))

    await until(in_the_tool)
    await house.service.cancel(house.principal, ticket.run_id)
    view = await house.end_of(ticket.run_id)
    assert (view.status, view.reply) == ("cancelled", "On it.")
    assert await house.calls() == []
    assert (await house.ask("still there?", thread_id=ticket.thread_id)).reply == "Here I am."
