"""A run on two real servers with one PostgreSQL: SIGTERM hands it over at once, kill -9 when its lease ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.agent.house import Json
from tests.chaos.ground import ROOT, Ground, free_port, ground, until

WORDS = " ".join(f"word{number}" for number in range(100))


@dataclass(kw_only=True)
class Server:
    """``studio serve`` in a process of its own."""

    ground: Ground
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            **self.ground.environment,
            "STUDIO_PORT": str(self.port),
            "STUDIO_MODEL": "sandbox-model",
            "OPENAI_API_KEY": "sk-sandbox",
            "OPENAI_BASE_URL": f"{self.ground.sandbox_url}/v1",
        }
        with (self.ground.folder / "servers.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "cli.py"), "serve"], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        until(self._is_ready, 60, what="the server is ready")

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        os.kill(self.process.pid, number)
        return self.process.wait(timeout=30)

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.ground.key}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=60)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Ground]:
    with ground(tmp_path, lease=30, settle=120) as made:
        yield made


@contextmanager
def servers(place: Ground) -> Iterator[tuple[Server, Server]]:
    pair = Server(ground=place), Server(ground=place)
    try:
        yield pair
    finally:
        for server in pair:
            if server.process is not None and server.process.poll() is None:
                server.process.kill()
                server.process.wait()


Log = list[tuple[str, Json]]


def read(server: Server, run_id: str, log: Log, enough: Callable[[Json], bool]) -> float:
    """Read a run's events behind those in the log into it, until one is ``enough``; when that came."""
    headers = {"Last-Event-ID": log[-1][0]} if log else {}
    with server.client() as client, client.stream("GET", f"/v1/runs/{run_id}/events", headers=headers) as stream:
        fields: dict[str, str] = {}
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            fields[name] = value
            if not line and "data" in fields:
                log.append((fields["id"], json.loads(fields["data"])))
                fields = {}
                if enough(log[-1][1]):
                    return time.monotonic()
    raise AssertionError(f"the stream ended before it was enough: {log[-3:]}")


def says(word: str) -> Callable[[Json], bool]:
    return lambda event: word in str(event.get("delta", ""))


def is_attempt(event: Json) -> bool:
    return bool(event["type"] == "CUSTOM" and event["name"] == "attempt")


def test_a_run_is_handed_over_at_once_and_outlives_a_kill(place: Ground) -> None:
    slow = {"content": WORDS, "chunk_delay_seconds": 0.6}
    place.control("POST", "chat/script", {"turns": [slow, slow, {"content": "Done."}]})
    with servers(place) as (first, second):
        first.start()
        with first.client() as client:
            thread = client.post("/v1/threads", json={}).json()["id"]
            with client.stream("POST", f"/v1/threads/{thread}/runs", json={"text": "count"}) as begun:
                run_id = begun.headers["X-Run-ID"]
        log: Log = []
        read(first, run_id, log, says("word"))  # the stream above was closed: that stops nothing
        second.start()
        read(first, run_id, log, says("word"))

        told = time.monotonic()
        assert first.process is not None
        os.kill(first.process.pid, signal.SIGTERM)
        assert read(second, run_id, log, is_attempt) - told < 3
        assert first.process.wait(timeout=30) == 0
        read(second, run_id, log, says("word"))

        second.end(signal.SIGKILL)
        first.start()
        restarted = time.monotonic()
        left = place.one("select extract(epoch from lease_until - now())::float as s from studio.runs")["s"]
        seconds = read(first, run_id, log, is_attempt) - restarted
        assert seconds < 30
        assert seconds < max(0.0, float(str(left))) + 5
        read(first, run_id, log, lambda event: event["type"] == "RUN_FINISHED")

        whole: Log = []
        read(first, run_id, whole, lambda event: event["type"] == "RUN_FINISHED")
        with first.client() as client:
            messages = client.get(f"/v1/threads/{thread}").json()["messages"]
    assert whole == log
    assert [event_id for event_id, _ in log] == [f"{run_id}:{number}" for number in range(1, len(log) + 1)]
    dropped = [event["value"]["droppedMessageId"] for _, event in log if is_attempt(event)]
    assert len(set(dropped)) == 2
    kept = [e["delta"] for _, e in log if e["type"] == "TEXT_MESSAGE_CONTENT" and e["messageId"] not in dropped]
    assert "".join(kept) == "Done."
    assert [(line["role"], line["content"]) for line in messages] == [("user", "count"), ("assistant", "Done.")]
