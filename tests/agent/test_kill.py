"""kill -9 in the middle of a run: it goes on in another process, and nothing happens twice."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import pytest

from agent import event_log, execution
from core.settings import Settings
from db.queries.runs import ClaimedRow
from tests.agent.house import House, Json, Script, calling, open_house, requests, until
from tests.conftest import Sandbox, TestClock
from tools.context import Doors, Principal

PLAIN = ("model", "openai_base_url", "model_timeout", "instagram_graph_url", "facebook_graph_url", "meta_upload_url")


def orders(settings: Settings, principal: Principal, admin_url: str) -> Json:
    """What another process is told, so that it works on the same database."""
    return {
        "settings": {
            **{name: getattr(settings, name) for name in PLAIN},
            "OPENAI_API_KEY": settings.openai_api_key.get_secret_value(),
            "OPENAI_BASE_URL": settings.openai_base_url,
            "secret_keys": settings.secret_keys.get_secret_value(),
            "data_dir": str(settings.data_dir),
        },
        "admin_url": admin_url,
        "principal": asdict(principal),
    }


@asynccontextmanager
async def worker(settings: Settings, principal: Principal, admin_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process that carries out runs; killed at the end if the test did not."""
    given = orders(settings, principal, admin_url)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.agent.worker", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(given, default=str).encode() + b"\n")
    try:
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def in_the_log(house: House, run_id: UUID, kind: str, part: str = "") -> Callable[[], Awaitable[bool]]:
    """A condition: the run's log holds an event of a kind with some text in it."""

    async def there() -> bool:
        return any(data["type"] == kind and part in json.dumps(data) for _, data in await house.log(run_id))

    return there


Case = tuple[list[str | Json], tuple[str, str], list[str]]

CASES: dict[str, Case] = {
    "in the middle of the answer": (
        [{"content": "one two three four five six seven eight", "chunk_delay_seconds": 0.3}, "Done."],
        ("TEXT_MESSAGE_CONTENT", "two"),
        [],
    ),
    "inside a tool, before its transaction": (
        [calling(("slow_note", {"text": "a", "seconds": 1.5})), "Done."],
        ("TOOL_CALL_START", "slow_note"),
        ["slow_note:a"],
    ),
    "between the tools of one turn": (
        [
            calling(("keep_note", {"text": "a"}), ("slow_note", {"text": "b", "seconds": 1.5}), content="On it."),
            "Done.",
        ],
        ("TOOL_CALL_START", "slow_note"),
        ["keep_note:a", "slow_note:b"],
    ),
    "in the answer after a tool": (
        [
            calling(("keep_note", {"text": "a"})),
            {"content": "one two three four five six", "chunk_delay_seconds": 0.3},
            "Done.",
        ],
        ("TEXT_MESSAGE_CONTENT", "two"),
        ["keep_note:a"],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_a_killed_run_goes_on_elsewhere(
    doors: Doors,
    principal: Principal,
    admin_url: str,
    endpoint: Settings,
    clock: TestClock,
    script: Script,
    sandbox: Sandbox,
    case: Case,
) -> None:
    turns, (kind, part), effects = case
    script(*turns)
    async with open_house(doors, principal, admin_url, model=endpoint, loop=False) as house:
        ticket = await house.service.start(principal, text="do it")
        async with worker(endpoint, principal, admin_url) as process:
            await until(in_the_log(house, ticket.run_id, kind, part))
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        before = await house.log(ticket.run_id)
        assert (await house.service.view(principal, ticket.run_id)).status == "running"
    clock.shift(timedelta(seconds=20))  # past the end of the dead process's lease
    async with open_house(doors, principal, admin_url, model=endpoint) as after:
        view = await after.end_of(ticket.run_id)
        assert (view.status, view.reply) == ("done", "Done.")
        assert await after.calls() == effects
        said = [line["content"] for line in await after.lines(ticket.thread_id) if line["role"] == "user"]
        assert said == ["do it"]
        rest = await after.events(ticket.run_id, after=before[-1][0])
        whole = await after.events(ticket.run_id)
        assert [(event.seq, event.data) for event in whole] == [
            *before,
            *((event.seq, event.data) for event in rest),
        ]
        check_log([event.data for event in whole], calls=len(effects))
    assert [message["role"] for message in requests(sandbox)[-1]["messages"]].count("user") == 1


def check_log(events: list[Json], *, calls: int) -> None:
    """The log is whole: one start and one end, every message ends once, every call and result is told once."""
    kinds = [event["type"] for event in events]
    assert kinds.count("RUN_STARTED") == 1
    assert kinds.count("RUN_FINISHED") == 1
    assert kinds[-1] == "RUN_FINISHED"
    assert kinds.count("TOOL_CALL_START") == kinds.count("TOOL_CALL_RESULT") == calls
    started = [event["messageId"] for event in events if event["type"] == "TEXT_MESSAGE_START"]
    ended = [event["messageId"] for event in events if event["type"] == "TEXT_MESSAGE_END"]
    assert sorted(started) == sorted(ended)
    assert len(set(started)) == len(started)
    dropped = [event["value"]["droppedMessageId"] for event in events if event["type"] == "CUSTOM"]
    said = dict.fromkeys(started, "")
    for event in events:
        if event["type"] == "TEXT_MESSAGE_CONTENT":
            said[event["messageId"]] += str(event["delta"])
    assert [words for message, words in said.items() if message not in dropped][-1] == "Done."


async def test_a_run_handed_back_at_a_drain_goes_on_at_once(
    doors: Doors, principal: Principal, admin_url: str, endpoint: Settings, script: Script
) -> None:
    script({"content": "one two three four five six", "chunk_delay_seconds": 0.3}, "Done.")
    async with open_house(doors, principal, admin_url, model=endpoint) as before:
        ticket = await before.service.start(principal, text="do it")
        await until(in_the_log(before, ticket.run_id, "TEXT_MESSAGE_CONTENT", "two"))
    async with open_house(doors, principal, admin_url, model=endpoint) as after, asyncio.timeout(5):
        assert (await after.end_of(ticket.run_id)).reply == "Done."


async def test_a_run_that_kills_every_process_is_given_up(
    doors: Doors, principal: Principal, admin_url: str, endpoint: Settings, clock: TestClock
) -> None:
    async with open_house(doors, principal, admin_url, model=endpoint, loop=False) as house:
        ticket = await house.service.start(principal, text="poison")
        for attempt in range(5):
            clock.shift(timedelta(seconds=20 * (attempt + 1)))
            claims = await house.work.claim(1, sweep=True)
            assert [claim.id for claim in claims] == [ticket.run_id]
            # What a process does before it dies: it begins.
            claimed = ClaimedRow(id=claims[0].id, workspace_id=claims[0].workspace_id, fence=claims[0].fence)
            await house.work._execution._begin(claimed)
        clock.shift(timedelta(seconds=200))
        for claim in await house.work.claim(1, sweep=True):
            await house.work.work(claim)
        view = await house.end_of(ticket.run_id)
        assert view.status == "failed"
        assert view.error["code"] == "run_gave_up"


async def test_whoever_lost_the_run_writes_nothing(
    doors: Doors, principal: Principal, admin_url: str, endpoint: Settings, clock: TestClock, script: Script
) -> None:
    script({"content": "one two three four five six", "chunk_delay_seconds": 0.3}, "Done.")
    async with open_house(doors, principal, admin_url, model=endpoint, loop=False) as house:
        ticket = await house.service.start(principal, text="do it")
        (first,) = await house.work.claim(1, sweep=True)
        stale = asyncio.create_task(house.work.work(first))
        await until(in_the_log(house, ticket.run_id, "TEXT_MESSAGE_CONTENT", "two"))
        clock.shift(timedelta(seconds=20))
        (second,) = await house.work.claim(1, sweep=True)
        assert second.fence == first.fence + 1
        await house.work.work(second)
        await stale
        view = await house.end_of(ticket.run_id)
        assert (view.status, view.reply) == ("done", "Done.")
        check_log([event.data for event in await house.events(ticket.run_id)], calls=0)


async def test_a_process_that_wakes_up_late_calls_nothing(
    doors: Doors,
    principal: Principal,
    admin_url: str,
    endpoint: Settings,
    clock: TestClock,
    script: Script,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Suspended, a process neither looks whether the run is still its own nor finds out by writing.
    monkeypatch.setattr(execution, "_LOOK_SECONDS", 60.0)
    monkeypatch.setattr(event_log, "BATCH_SECONDS", 60.0)
    # Its model thinks for so long, in silence, that the run is taken over meanwhile.
    late = {**calling(("keep_note", {"text": "late"})), "fault": {"kind": "delay", "delay_seconds": 1.5}}
    script(late, calling(("keep_note", {"text": "once"})), "Done.")
    async with open_house(doors, principal, admin_url, model=endpoint, loop=False) as house:
        ticket = await house.service.start(principal, text="do it")
        (first,) = await house.work.claim(1, sweep=True)
        stale = asyncio.create_task(house.work.work(first))

        async def is_asked() -> bool:
            return len(requests(sandbox)) == 1

        await until(is_asked)
        clock.shift(timedelta(seconds=20))
        (second,) = await house.work.claim(1, sweep=True)
        await asyncio.gather(stale, house.work.work(second))
        assert (await house.end_of(ticket.run_id)).reply == "Done."
        assert await house.calls() == ["keep_note:once"]
