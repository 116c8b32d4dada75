"""Processes of Studio that are killed, stopped and started again."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from tests.chaos.ground import ROOT, Ground


def is_alive(pid: int) -> bool:
    """Whether a process runs or is stopped; a zombie does neither."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Nursery:
    """Forks workers at an order (see ``tests.chaos.worker``)."""

    def __init__(self, ground: Ground) -> None:
        self.log = ground.folder / "workers.log"
        with self.log.open("ab") as log:
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.worker"],
                cwd=ROOT,
                env=dict(ground.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._hear() == "ready"

    def _hear(self) -> str:
        assert self._parent.stdout is not None
        line = self._parent.stdout.readline().strip()
        assert line, f"the parent of the workers ended: {self.log.read_text()[-2000:]}"
        return line

    def fork(self, mutant: str = "none", *, ahead: float = 0.0, capacity: int = 0) -> int:
        """Start a worker; its pid. ``ahead``: seconds that its local clock is wrong by. ``capacity`` 0: the usual."""
        assert self._parent.stdin is not None
        self._parent.stdin.write(f"fork {mutant} {ahead} {capacity}\n")
        self._parent.stdin.flush()
        return int(self._hear())

    def close(self) -> None:
        """Kill the parent; the kernel kills its children."""
        for stream in (self._parent.stdin, self._parent.stdout):
            assert stream is not None
            stream.close()
        self._parent.kill()
        self._parent.wait()


@contextmanager
def nursery(ground: Ground) -> Iterator[Nursery]:
    """A nursery whose children do not outlive the block."""
    made = Nursery(ground)
    try:
        yield made
    finally:
        made.close()


# Who kills faster than processes start sees nothing happen.
MIN_UP = 2


class Seat(Protocol):
    """A place in the crew: whoever is killed in it is replaced."""

    def start(self) -> int:
        """Start a process; its pid."""

    def bury(self) -> None:
        """Take note that the process is dead."""

    def is_up(self) -> bool:
        """Whether the process has got as far as working."""


@dataclass(kw_only=True)
class Forked:
    """A worker of the nursery."""

    nursery: Nursery
    mutant: str = "none"
    ahead: float = 0.0
    capacity: int = 0

    def start(self) -> int:
        """Fork one."""
        return self.nursery.fork(self.mutant, ahead=self.ahead, capacity=self.capacity)

    def bury(self) -> None:
        """The nursery's parent does that."""

    def is_up(self) -> bool:
        """As soon as it is there."""
        return True


@dataclass(kw_only=True)
class Studio:
    """A whole process of Studio: ``studio serve`` or ``studio worker``."""

    ground: Ground
    command: str
    log: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    _logged: int = 0

    def start(self) -> int:
        """Start it; it is not waited for."""
        self._logged = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "cli.py"), self.command],
                cwd=self.ground.folder,
                env={**self.ground.environment, "STUDIO_PORT": str(self.port)},
                stdout=log,
                stderr=log,
            )
        return self.process.pid

    def bury(self) -> None:
        """Wait for the dead."""
        if self.process is not None:
            self.process.wait()

    def is_up(self) -> bool:
        """Whether it has said so."""
        said = self.log.read_bytes()[self._logged :]
        return b"working on what is due" in said or b"Studio answers at" in said


@dataclass(kw_only=True)
class Crew:
    """Processes in their seats, and what was done to them."""

    seats: list[Seat]
    dice: random.Random
    kills: int = 0
    stops: int = 0
    _pids: dict[int, int] = field(default_factory=dict)
    _waking: dict[int, float] = field(default_factory=dict)

    def start(self) -> None:
        """Fill every seat."""
        for number, seat in enumerate(self.seats):
            self._pids[number] = seat.start()

    def kill_one(self) -> None:
        """kill -9 at random, at work or still starting, and somebody else takes the seat; not if nobody were left."""
        if sum(seat.is_up() for seat in self.seats) < MIN_UP:
            return
        number = self.dice.randrange(len(self.seats))
        os.kill(self._pids[number], signal.SIGKILL)
        self.seats[number].bury()
        self._waking.pop(number, None)
        self._pids[number] = self.seats[number].start()
        self.kills += 1

    def stop_one(self, shortest: float, longest: float) -> None:
        """SIGSTOP somebody who is awake, to be continued after a while."""
        awake = [number for number in self._pids if number not in self._waking]
        if len(awake) > 1:
            number = self.dice.choice(awake)
            os.kill(self._pids[number], signal.SIGSTOP)
            self._waking[number] = time.monotonic() + self.dice.uniform(shortest, longest)
            self.stops += 1

    def wake(self, *, everybody: bool = False) -> None:
        """Continue whoever has stood still long enough; replace whoever ended without being told to."""
        for number, moment in list(self._waking.items()):
            if everybody or time.monotonic() >= moment:
                os.kill(self._pids[number], signal.SIGCONT)
                del self._waking[number]
        for number, pid in self._pids.items():
            assert is_alive(pid), f"process {pid} of seat {number} ended by itself"

    def dismiss(self) -> None:
        """kill -9 everybody."""
        for number, pid in self._pids.items():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self.seats[number].bury()
        self._pids.clear()


@contextmanager
def crew(seats: list[Seat], seed: int) -> Iterator[Crew]:
    """A crew at work; nobody of it outlives the block."""
    made = Crew(seats=seats, dice=random.Random(seed))
    try:
        made.start()
        yield made
    finally:
        made.dismiss()


def torment(crew: Crew, deeds: list[tuple[float, float, Callable[[], None]]], going_on: Callable[[], bool]) -> None:
    """Do every deed at random moments, each ``(shortest, longest, deed)`` seconds after its last, while it goes on."""
    due = [time.monotonic() + crew.dice.uniform(shortest, longest) for shortest, longest, _ in deeds]
    while going_on():
        for number, (shortest, longest, deed) in enumerate(deeds):
            if time.monotonic() >= due[number]:
                deed()
                due[number] = time.monotonic() + crew.dice.uniform(shortest, longest)
        crew.wake()
        time.sleep(0.05)
    crew.wake(everybody=True)
