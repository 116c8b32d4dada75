"""Runs over real HTTP: streaming, calls in order, mistakes of the model, bounds, and endpoints that are away."""

import json

import pytest

from agent import hands
from core.settings import Settings
from tests.agent.house import House, Json, Script, Told, calling, open_house, requests, tool_texts
from tests.conftest import Sandbox
from tools.context import Doors, Principal


def kinds(events: list[Told]) -> list[str]:
    """The types of events."""
    return [event.data["type"] for event in events]


async def test_a_text_is_streamed_and_kept(house: House, script: Script, sandbox: Sandbox) -> None:
    script("Hello, how can I help?")
    view = await house.ask("Hi there, what can you do for our roastery?")
    assert (view.status, view.reply, view.actions) == ("done", "Hello, how can I help?", [])
    events = await house.events(view.id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert kinds(events)[0] == "RUN_STARTED"
    assert kinds(events)[-1] == "RUN_FINISHED"
    assert events[-1].data["outcome"] == {"type": "success"}
    words = "".join(str(e.data["delta"]) for e in events if e.data["type"] == "TEXT_MESSAGE_CONTENT")
    assert words == "Hello, how can I help?"
    thread = await house.threads.get_thread(house.principal, view.thread_id)
    assert thread["title"] == "Hi there, what can you do for our roastery?"
    assert [(m["role"], m["content"]) for m in await house.lines(view.thread_id)] == [
        ("user", "Hi there, what can you do for our roastery?"),
        ("assistant", "Hello, how can I help?"),
    ]
    request = requests(sandbox)[0]
    assert request["stream"] is True
    assert {tool["function"]["name"] for tool in request["tools"]} >= {"keep_note", "publish"}
    assert "hidden" not in json.dumps(request["tools"])


async def test_a_thread_remembers_across_restarts(
    doors: Doors, principal: Principal, admin_url: str, endpoint: Settings, script: Script, sandbox: Sandbox
) -> None:
    script("First.", "Second.")
    async with open_house(doors, principal, admin_url, model=endpoint) as before:
        first = await before.ask("one")
    async with open_house(doors, principal, admin_url, model=endpoint) as after:
        await after.ask("two", thread_id=first.thread_id)
    sent = [(m["role"], m["content"]) for m in requests(sandbox)[-1]["messages"]]
    assert sent[1:] == [("user", "one"), ("assistant", "First."), ("user", "two")]


async def test_several_calls_in_a_turn_run_in_order(house: House, script: Script, sandbox: Sandbox) -> None:
    script(
        calling(("slow_note", {"text": "a", "seconds": 0.2}), ("keep_note", {"text": "b"}), content="On it."),
        "Both are kept.",
    )
    view = await house.ask("keep a and b")
    assert view.reply == "Both are kept."
    assert await house.calls() == ["slow_note:a", "keep_note:b"]
    assert [(a["command"], a["status"], a["result"]["text"]) for a in view.actions] == [
        ("slow_note", "ok", "a"),
        ("keep_note", "ok", "b"),
    ]
    assert [text["text"] for text in tool_texts(requests(sandbox)[1])] == ["a", "b"]
    seen = kinds(await house.events(view.id))
    assert seen.count("TOOL_CALL_START") == seen.count("TOOL_CALL_RESULT") == 2
    assert [m["role"] for m in await house.lines(view.thread_id)] == ["user", "assistant", "tool", "tool", "assistant"]


async def test_the_zone_of_a_request_reaches_the_command(house: House, script: Script) -> None:
    script(calling(("keep_note", {"text": "a"})), "Kept.", calling(("keep_note", {"text": "b"})), "Kept.")
    first = await house.ask("keep a", zone="Asia/Tokyo")
    second = await house.ask("keep b")
    assert first.actions[0]["result"]["summary"] == "Kept “a” in Asia/Tokyo."
    assert second.actions[0]["result"]["summary"] == "Kept “b” in Europe/Madrid."


async def test_call_ids_that_repeat_are_told_apart(house: House, script: Script) -> None:
    script(
        calling(("keep_note", {"text": "a"}), ("keep_note", {"text": "b"}), ids=("call_0", "call_0")),
        calling(("keep_note", {"text": "c"}), ids=("call_0",)),
        "Three.",
    )
    view = await house.ask("keep three")
    assert await house.calls() == ["keep_note:a", "keep_note:b", "keep_note:c"]
    assert len({action["tool_call_id"] for action in view.actions}) == 3


async def test_malformed_arguments_get_one_more_try(house: House, script: Script, sandbox: Sandbox) -> None:
    script(calling(("keep_note", '{"text": "cut o')), calling(("keep_note", {"text": "whole"})), "Kept.")
    view = await house.ask("keep it")
    assert [action["status"] for action in view.actions] == ["error", "ok"]
    assert tool_texts(requests(sandbox)[1])[0]["error"]["code"] == "invalid_arguments"
    # Arguments that were cut off are never completed by guessing.
    assert await house.calls() == ["keep_note:whole"]


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (("keep_note", "{not json"), "not a JSON object"),
        (("keep_note", {"txt": 1}), "arguments it cannot use"),
        (("dance", {}), "no command called 'dance'"),
        (("hidden", {}), "no command called 'hidden'"),
    ],
)
async def test_a_call_that_stays_unusable_ends_in_a_plain_sentence(
    house: House, script: Script, call: tuple[str, object], part: str
) -> None:
    script(calling(call), calling(call), "never said")
    view = await house.ask("do it")
    assert view.status == "done"
    assert view.reply.startswith("I could not turn that into a command that works.")
    assert part in view.reply
    assert await house.calls() == []


async def test_what_the_world_refuses_is_told_to_the_model(house: House, script: Script, sandbox: Sandbox) -> None:
    script(calling(("choose", {"text": "it"}), ("choose", {"text": "past"})), "Which one do you mean?")
    view = await house.ask("move it")
    ambiguous, past = tool_texts(requests(sandbox)[1])
    assert [one["label"] for one in ambiguous["error"]["candidates"]] == ["the espresso", "it"]
    assert past["error"] == {
        "code": "time_in_the_past",
        "message": "That time is over.",
        "action": "Say a time that is ahead.",
    }
    assert [action["status"] for action in view.actions] == ["error", "error"]
    assert view.reply == "Which one do you mean?"


async def test_a_command_that_breaks_is_contained(house: House, script: Script, sandbox: Sandbox) -> None:
    script(calling(("break_down", {})), "That did not work.")
    view = await house.ask("break")
    assert view.status == "done"
    assert tool_texts(requests(sandbox)[1])[0]["error"]["code"] == "internal_error"
    assert "secret of the inside" not in json.dumps(requests(sandbox)[1])


async def test_a_megabyte_is_told_in_short_and_kept_whole(house: House, script: Script, sandbox: Sandbox) -> None:
    script(calling(("read_much", {})), "Much.")
    view = await house.ask("read")
    told = tool_texts(requests(sandbox)[1])[0]
    assert len(json.dumps(told)) < 13_000
    assert told["shortened"] is True
    assert len(view.actions[0]["result"]["items"]) == 1000


async def test_an_endless_loop_is_bounded(house: House, script: Script) -> None:
    script(calling(("keep_note", {"text": "again"})), repeat=True)
    view = await house.ask("go on for ever")
    assert view.status == "done"
    assert view.reply.startswith("I stopped after 12 commands")
    assert len(await house.calls()) == 12


async def test_too_many_calls_at_once_are_bounded(house: House, script: Script) -> None:
    script(calling(*[("keep_note", {"text": str(n)}) for n in range(40)]), "never said")
    view = await house.ask("forty")
    assert view.reply.startswith("I stopped after")
    assert len(await house.calls()) == 24
    assert [action["status"] for action in view.actions].count("refused") == 16


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_before"},
        {"kind": "delay", "delay_seconds": 4},
        {"kind": "status", "status": 500},
        {"kind": "drop_midway", "after_chunks": 3},
        {"kind": "stall", "after_chunks": 3, "delay_seconds": 4},
        {"kind": "error_midway", "after_chunks": 3},
    ],
    ids=lambda fault: str(fault["kind"]),
)
async def test_a_dead_or_slow_endpoint_fails_clearly_and_the_thread_lives_on(
    doors: Doors,
    principal: Principal,
    admin_url: str,
    endpoint: Settings,
    script: Script,
    sandbox: Sandbox,
    fault: Json,
) -> None:
    impatient = endpoint.model_copy(update={"model_timeout": 1.0})
    broken = [{"content": "I am about to say a lot.", "fault": fault}] * 3
    script(calling(("keep_note", {"text": "a"})), *broken)
    async with open_house(doors, principal, admin_url, model=impatient) as house:
        view = await house.ask("keep a and tell me")
        assert view.status == "failed"
        assert view.error["code"] == "model_unavailable"
        assert view.error["message"].startswith("The model endpoint")
        assert kinds(await house.events(view.id))[-1] == "RUN_ERROR"
        assert [action["status"] for action in view.actions] == ["ok"]
        sandbox.control("DELETE", "chat/script")  # turns that the SDK's repeats did not use up
        script("Here I am.")
        again = await house.ask("and now?", thread_id=view.thread_id)
        assert (again.status, again.reply) == ("done", "Here I am.")


async def test_a_command_that_hangs_is_stopped_and_the_run_goes_on(
    house: House, script: Script, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "TOOL_SECONDS", 0.3)
    script(calling(("slow_note", {"text": "a", "seconds": 60})), "That took too long.", "Here I am.")
    view = await house.ask("keep it slowly")
    assert (view.status, view.reply) == ("done", "That took too long.")
    assert tool_texts(requests(sandbox)[-1])[0]["error"]["code"] == "tool_timeout"
    assert await house.calls() == []
    assert (await house.ask("still there?", thread_id=view.thread_id)).reply == "Here I am."
