"""A process like Studio's that uses an embedded PostgreSQL: tests give it orders, and kill it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pytest

from db.embedded.locks import is_free

ROOT = Path(__file__).parents[2]
NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else or mount")

_PROGRAM = """
import json, sys
from pathlib import Path
import psycopg
from core.errors import StudioError
from db.embedded.cluster import start

def say(**words):
    print(json.dumps(words), flush=True)

progress = []
try:
    cluster = start(Path(sys.argv[1]), on_progress=progress.append, **json.loads(sys.argv[2]))
except StudioError as error:
    say(error=type(error).__name__, code=error.code, message=error.message, action=error.action)
    sys.exit(3)
connection = psycopg.connect(cluster.dsn(database="studio"), autocommit=True)
say(owner=cluster.owner, dsn=cluster.dsn(database="studio"), progress=progress)
for line in sys.stdin:
    match line.split():
        case ["ensure"]:
            try:
                say(restarted=cluster.ensure(), owner=cluster.owner)
            except StudioError as error:
                say(error=type(error).__name__, code=error.code, message=error.message, action=error.action)
        case ["ask"]:
            say(answer=connection.execute("select 42").fetchone()[0])
        case ["write", first]:
            connection.execute("create table if not exists kept (id int primary key)")
            for number in range(int(first), 10**9):
                connection.execute("insert into kept values (%s)", (number,))
                say(acknowledged=number)
        case ["close"]:
            connection.close()
            cluster.close()
            cluster.close()
            say(closed=True)
"""


class StudioProcess:
    """A child Python that starts or joins the PostgreSQL of ``data_dir``; killed at the end of the with block."""

    def __init__(
        self,
        data_dir: Path,
        *,
        uid: int | None = None,
        environment: Mapping[str, str] | None = None,
        prelude: str = "",
        wrapper: tuple[str, ...] = (),
        options: Mapping[str, object] | None = None,
    ) -> None:
        kept = {name: value for name, value in os.environ.items() if name != "STUDIO_PG_BIN"}
        if uid is not None:
            wrapper = (*_user(uid), *wrapper)
        self._child = subprocess.Popen(
            [*wrapper, sys.executable, "-c", prelude + _PROGRAM, str(data_dir), json.dumps(options or {})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
        )
        self.pid = self._child.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            assert stream is not None
            stream.close()

    def hear(self) -> dict[str, object]:
        """The next thing the process says."""
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        line = self._child.stdout.readline()
        if not line:
            raise AssertionError(f"the process ended with {self._child.wait()}: {self._child.stderr.read()}")
        words: dict[str, object] = json.loads(line)
        return words

    def started(self) -> dict[str, object]:
        """What the process says when it has PostgreSQL."""
        words = self.hear()
        assert "error" not in words, words
        return words

    def order(self, text: str) -> None:
        """Give an order; what comes of it is heard."""
        assert self._child.stdin is not None
        self._child.stdin.write(text + "\n")
        self._child.stdin.flush()

    def ask(self, text: str) -> dict[str, object]:
        """Give an order and hear the answer."""
        self.order(text)
        return self.hear()

    def kill(self) -> None:
        """kill -9, and wait until it is over."""
        self._child.kill()
        self._child.wait()


def _user(uid: int) -> tuple[str, ...]:
    """The command that runs another as a user without any right but to read: this Python may be in a private home."""
    right = "+dac_read_search"
    who = (f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
    return ("setpriv", *who, f"--inh-caps={right}", f"--ambient-caps={right}")


def postmaster_of(data_dir: Path) -> int:
    """The pid of the PostgreSQL that runs in a data directory."""
    return int((data_dir / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[0])


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def watchdog_of(postmaster: int) -> int:
    """The pid of the process that guards a postmaster."""
    return psutil.Process(postmaster).ppid()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> float:
    """Wait for a condition; how many seconds it took. Fails after ``seconds``."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, f"not within {seconds} s"
        time.sleep(0.002)
    return time.monotonic() - begin


def until_unused(directory: Path) -> None:
    """Wait until no PostgreSQL below a directory lives."""
    for run_lock in directory.rglob("run.lock"):
        until(lambda lock=run_lock: is_free(lock))  # type: ignore[misc]


def kill_9(*pids: int) -> None:
    """Kill processes of ours, all before any can notice."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
