"""kill -9 at every point of a run, and what the next process makes of it: ``python -m tests.agent.sweep``."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from memory.checkpoints import checkpoint_thread, checkpoints_of
from tests.agent.house import House, Json, calling
from tests.agent.test_kill import check_log
from tests.conftest import Sandbox

# Set by ``main``: not a sample of the points but all.
WHOLE = "STUDIO_TEST_SWEEP_WHOLE"
EFFECTS = ["keep_note:a", "keep_note:b"]
TURNS: list[Json] = [
    calling(("keep_note", {"text": "a"}), ("keep_note", {"text": "b"}), content="On it."),
    {"content": "Done."},
]
_LAPSE = "update studio.runs set next_attempt_at = studio.studio_now(), lease_until = null where status = 'running'"
_CALLS = "select command, args ->> 'text' from studio.tool_calls where run_id = %s order by id"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of one kill; ``died`` is False when the point was not reached that time."""

    point: str
    died: bool
    lost: Sequence[str]
    doubled: Sequence[str]
    missing: Sequence[str]

    @property
    def kind(self) -> str:
        """The point without its number."""
        return self.point.partition("#")[0]


class Sweep:
    """Runs the same conversation again and again, killed at another point each time."""

    def __init__(self, house: House, sandbox: Sandbox, nursery: asyncio.subprocess.Process) -> None:
        self._house = house
        self._sandbox = sandbox
        self._nursery = nursery

    async def points(self) -> list[str]:
        """All points of a run that nobody disturbs."""
        self._script(0)
        await self._house.service.start(self._house.principal, text="do it")
        return [str(point) for point in (await self._order("", mutant=False))["reached"]]

    async def trial(self, point: str, *, mutant: bool = False) -> Verdict:
        """Kill a run at a point, let another process go on, and look."""
        house = self._house
        self._script(0)
        ticket = await house.service.start(house.principal, text="do it")
        first = await self._order(point, mutant=mutant)
        before = await house.log(ticket.run_id)
        kept = await self._stored(ticket.thread_id)
        answers = sum(isinstance(message, AIMessage) for message in kept)
        results = sum(isinstance(message, ToolMessage) for message in kept)
        self._script(answers)
        async with await psycopg.AsyncConnection.connect(house.admin_url) as connection:
            await connection.execute(_LAPSE)
        second = await self._order("", mutant=mutant)
        again = sum(str(each).startswith("before a tool#") for each in second["reached"]) - (2 - results)
        if not answers:
            again = 0
        died = first["status"] != 0
        lost, doubled = await self._effects(ticket.run_id, ticket.thread_id)
        if died and again > 0:
            doubled.append(f"{again} tools that had finished were run again")
        missing = await self._missing(ticket.run_id, before)
        return Verdict(point=point, died=died, lost=lost, doubled=doubled, missing=missing)

    def _script(self, used: int) -> None:
        self._sandbox.control("DELETE", "chat/script")
        if TURNS[used:]:
            self._sandbox.control("POST", "chat/script", {"turns": TURNS[used:]})

    async def _order(self, point: str, *, mutant: bool) -> Json:
        assert self._nursery.stdin
        assert self._nursery.stdout
        self._nursery.stdin.write(json.dumps({"point": point, "mutant": mutant}).encode() + b"\n")
        async with asyncio.timeout(60):
            answer: Json = json.loads(await self._nursery.stdout.readline())
        return answer

    async def _stored(self, thread_id: UUID) -> list[BaseMessage]:
        """The messages that a step has stored, whether or not its checkpoint followed."""
        workspace_id = self._house.principal.workspace_id
        config: RunnableConfig = {"configurable": {"thread_id": checkpoint_thread(workspace_id, thread_id)}}
        with checkpoints_of(workspace_id):
            stored = await self._house.agent._saver.aget_tuple(config)
        if stored is None:
            return []
        kept = {str(each.id): each for each in stored.checkpoint["channel_values"].get("messages", ())}
        for _, channel, value in stored.pending_writes or ():
            kept.update({str(each.id): each for each in (value if channel == "messages" else ())})
        return list(kept.values())

    async def _effects(self, run_id: UUID, thread_id: UUID) -> tuple[list[str], list[str]]:
        house = self._house
        async with await psycopg.AsyncConnection.connect(house.admin_url) as connection:
            rows = await (await connection.execute(_CALLS, (run_id,))).fetchall()
        did = Counter(f"{command}:{text}" for command, text in rows)
        said = Counter(line["content"] for line in await house.lines(thread_id))
        heard = [each for each in await self._stored(thread_id) if isinstance(each, HumanMessage)]
        view = await house.service.view(house.principal, run_id)
        lost = [f"no effect of {each}" for each in EFFECTS if not did[each]]
        lost += [f"{each!r} is not in the transcript" for each in ("do it", "On it.", "Done.") if not said[each]]
        if (view.status, view.reply) != ("done", "Done."):
            lost.append(f"the run is {view.status}: {view.reply}")
        doubled = [f"{count} times {each}" for each, count in (did + said).items() if count > 1]
        if len(heard) != 1:
            doubled.append(f"the agent remembers {len(heard)} messages of the person")
        return lost, doubled

    async def _missing(self, run_id: UUID, before: list[tuple[int, Json]]) -> list[str]:
        """What a client lacks that had read all events of the process that died and comes back to another."""
        house = self._house
        rest = [(each.seq, each.data) for each in await house.events(run_id, after=before[-1][0] if before else 0)]
        whole = [(each.seq, each.data) for each in await house.events(run_id)]
        wrong = []
        if [*before, *rest] != whole or [seq for seq, _ in whole] != list(range(1, len(whole) + 1)):
            wrong.append("the numbers of the events have gaps, or an event has changed")
        try:
            check_log([data for _, data in whole], calls=len(EFFECTS))
        except AssertionError as error:
            wrong.append(f"the log is not whole: {error}")
        return wrong


def table(verdicts: Sequence[Verdict]) -> str:
    """What was found, a line for each kind of point."""
    lines = [f"{'killed':<36}{'cases':>7}{'lost':>7}{'doubled':>9}{'events missing':>16}"]
    for kind in [*dict.fromkeys(each.kind for each in verdicts), ""]:
        some = [each for each in verdicts if kind in {"", each.kind} and each.died]
        counts = [sum(bool(found) for found in (getattr(each, name) for each in some)) for name in _COUNTED]
        lines.append(f"{kind or 'all':<36}{len(some):>7}{counts[0]:>7}{counts[1]:>9}{counts[2]:>16}")
    return "\n".join(lines)


_COUNTED = ("lost", "doubled", "missing")


def main() -> int:
    """Sweep over every point; the exit status."""
    place = f"{Path(__file__).parent / 'test_sweep.py'}::test_a_run_outlives_a_kill_at_any_point"
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", place]
    return subprocess.run(command, env={**os.environ, WHOLE: "1"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
