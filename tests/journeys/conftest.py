"""A whole Studio as a person starts it: the demo as a child process, and a client that speaks to it over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(kw_only=True)
class Demo:
    """``studio demo`` in a child process; it can be killed, stopped and started again on the same data."""

    data_dir: Path
    port: int
    sandbox_port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def key(self) -> str:
        return (self.data_dir / "owner.key").read_text().strip()

    @property
    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("STUDIO_", "OPENAI_"))}
        return kept | {
            "STUDIO_DATA_DIR": str(self.data_dir),
            "STUDIO_PORT": str(self.port),
            "STUDIO_TIMEZONE": "Europe/Madrid",
            **self.environment,
        }

    def start(self, *options: str) -> float:
        """Start it and wait until it is ready; the seconds that took."""
        begun = time.monotonic()
        with (self.data_dir.parent / "demo.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "cli.py", "demo", "--sandbox-port", str(self.sandbox_port), *options],
                cwd=ROOT,
                env=self.variables,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        while True:
            assert self.process.poll() is None, self.log()
            assert time.monotonic() - begun < 60, self.log()
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return time.monotonic() - begun
            except httpx.HTTPError:
                time.sleep(0.05)

    def log(self) -> str:
        return (self.data_dir.parent / "demo.log").read_text()[-4000:]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to it and wait; its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=60)

    def ask(self, text: str, thread_id: str | None = None) -> dict[str, object]:
        """POST /v1/ask; its JSON."""
        with self.client() as client:
            answer = client.post(
                "/v1/ask", json={"text": text, "thread_id": thread_id} if thread_id else {"text": text}
            )
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert isinstance(body, dict)
        return body

    def studio(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `studio …` in a terminal beside it."""
        return subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), *arguments],
            cwd=ROOT,
            env=self.variables | {"COLUMNS": "200"},
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def feed(self) -> list[dict[str, object]]:
        """What is live in the sandbox, newest first."""
        items = httpx.get(f"{self.sandbox_url}/_sandbox/feed", timeout=10).json()["items"]
        assert isinstance(items, list)
        return items

    def wait_live(self, caption: str, *, patience: float = 20.0) -> dict[str, object]:
        """The live post with these words in its caption, as soon as there is one."""
        deadline = time.monotonic() + patience
        while True:
            for item in self.feed():
                if caption in str(item["caption"]):
                    return item
            assert time.monotonic() < deadline, f"{caption!r} is not live; {self.log()}"
            time.sleep(0.05)


def make_demo(folder: Path, **environment: str) -> Demo:
    (folder / "data").mkdir(mode=0o700)
    return Demo(data_dir=folder / "data", port=free_port(), sandbox_port=free_port(), environment=dict(environment))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo for the tests of one file."""
    running = make_demo(tmp_path_factory.mktemp("demo"))
    running.start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.end(signal.SIGKILL)


def events_of(stream: str) -> list[dict[str, object]]:
    """The AG-UI events of a stream of server-sent events."""
    return [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line.startswith("data: ")]
