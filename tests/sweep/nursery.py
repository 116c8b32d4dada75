"""Where swept processes are born: a process that has imported everything, and forks one for every order it reads.

It has no loop, no thread and no connection: what it forks is a process of its own from its first line on. Run as a
program it reads orders from its standard input, a line of JSON each, and writes how every process ended.
"""

import asyncio
import contextlib
import gc
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from platforms.http import new_client
from tests.sweep.victim import Orders, publish


def nurse() -> None:
    """Fork for every line, until standard input ends and the last process has."""
    alive: dict[int, int] = {}
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pending, ended = b"", False
    new_client(timeout=1.0)  # what every client reads from the disk is read once
    gc.collect()
    gc.freeze()
    while alive or not ended:
        ready, _, _ = select.select([wake] if ended else [wake, 0], [], [])
        if 0 in ready:
            piece = os.read(0, 65_536)
            ended = not piece
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                order = json.loads(line)
                alive[_fork(order["orders"])] = order["number"]
        if wake in ready:
            os.read(wake, 4_096)
            _tell_the_dead(alive)


def _fork(orders: Orders) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(0)
        os.dup2(2, 1)
        asyncio.run(publish(orders))
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is: the process that forked must not run on in here
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _tell_the_dead(alive: dict[int, int]) -> None:
    while alive:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        line = json.dumps({"number": alive.pop(child), "status": os.waitstatus_to_exitcode(status)})
        os.write(1, line.encode() + b"\n")


@dataclass(kw_only=True)
class Nursery:
    """The running nursery, for many who ask at once."""

    process: asyncio.subprocess.Process
    waiting: dict[int, asyncio.Future[int]] = field(default_factory=dict)
    asked: int = 0

    async def run(self, orders: Orders) -> int:
        """A process with these orders; its exit status, negative = the signal that ended it."""
        assert self.process.stdin is not None
        self.asked += 1
        self.waiting[self.asked] = future = asyncio.get_running_loop().create_future()
        line = json.dumps({"number": self.asked, "orders": orders})
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()
        return await asyncio.wait_for(future, 120)

    async def listen(self) -> None:
        """Hand every answer to whoever waits for it."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            told = json.loads(line)
            future = self.waiting.pop(told["number"])
            if not future.done():  # whoever asked may have been interrupted
                future.set_result(told["status"])


@contextlib.asynccontextmanager
async def open_nursery() -> AsyncIterator[Nursery]:
    """A nursery, as long as the context is open."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.sweep.nursery",
        cwd=Path(__file__).parents[2],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    nursery = Nursery(process=process)
    listening = asyncio.create_task(nursery.listen())
    try:
        yield nursery
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 30)
        await listening


if __name__ == "__main__":
    nurse()
