"""Processes that kill themselves at one point of a run: a parent that has imported everything forks one at an order.

Reads one line of JSON (as ``tests.agent.worker`` does), then orders, each a line of JSON: ``point`` is where to die,
such as "before the model call#2", "" nowhere; ``mutant`` takes out the calls' keys. Answers the points that were
reached and whether the process died.
"""

import asyncio
import functools
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

from agent import execution, graph, turn
from agent.agent import Agent
from agent.event_log import EventLog
from agent.hands import Hands
from agent.speaking import Speech
from core.settings import Settings
from db.engine import Database
from db.queries import calls
from memory.saver import WorkspaceSaver
from tests.agent.house import Json, open_house
from tests.agent.worker import principal_of
from tests.conftest import open_doors
from tools.dispatcher import Dispatcher

# What is wrapped: a point stands before and after each.
STEPS: tuple[tuple[object, str, str], ...] = (
    (Agent, "remembered", "reading the memory"),
    (graph, "speak", "the model call"),
    (Hands, "carry_out", "a tool"),
    (Dispatcher, "_apply", "a tool's transaction"),
    (calls, "record", "the record of a call"),
    (WorkspaceSaver, "aput", "a checkpoint"),
    (WorkspaceSaver, "aput_writes", "a step's writes"),
    (EventLog, "_write", "a batch of events"),
    (execution, "write", "the final write"),
    (execution.Execution, "_tidy", "tidying"),
)


class Points:
    """Counts the points that are reached, and dies at one of them."""

    def __init__(self, last: str) -> None:
        self.reached: list[str] = []
        self._counts: Counter[str] = Counter()
        self._last = last

    def reach(self, name: str) -> None:
        """Come to a point."""
        self._counts[name] += 1
        self.reached.append(f"{name}#{self._counts[name]}")
        if self.reached[-1] == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: object, attribute: str, name: str) -> None:
        """Put a point before and after a coroutine function."""
        original: Callable[..., Awaitable[object]] = getattr(owner, attribute)

        @functools.wraps(original)
        async def wrapped(*given: object, **named: object) -> object:
            self.reach(f"before {name}")
            result = await original(*given, **named)
            self.reach(f"after {name}")
            return result

        setattr(owner, attribute, wrapped)

    def plant(self) -> None:
        """Put all points."""
        for owner, attribute, name in STEPS:
            self.around(owner, attribute, name)
        hear = Speech.hear

        def heard(speech: Speech, chunk: object) -> None:
            hear(speech, chunk)  # type: ignore[arg-type]
            self.reach("in the middle of an answer")

        Speech.hear = heard  # type: ignore[method-assign, assignment]


async def work(given: Json, order: Json) -> list[str]:
    """Carry out one run, as far as the point; the points that were reached."""
    points = Points(str(order["point"]))
    points.plant()
    if order["mutant"]:
        turn.call_key = lambda *_: uuid4().hex
    settings = Settings(_env_file=None, **given["settings"])
    database = Database(given["admin_url"], pool_size=4)
    principal, url = principal_of(given["principal"]), str(given["admin_url"])
    async with (
        open_doors(settings, database) as doors,
        open_house(doors, principal, url, model=settings, loop=False) as house,
    ):
        for claim in await house.work.claim(1, sweep=True):
            await house.work.work(claim)
    await database.close()
    return points.reached


def main() -> None:
    """Fork at every order."""
    given = json.loads(sys.stdin.readline())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        order = json.loads(line)
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder) / "points"
            child = os.fork()
            if child == 0:
                told.write_text(json.dumps(asyncio.run(work(given, order))))
                os._exit(0)
            _, status = os.waitpid(child, 0)
            reached = json.loads(told.read_text()) if told.exists() else []
        sys.stdout.write(json.dumps({"status": os.waitstatus_to_exitcode(status), "reached": reached}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
