"""When parts of a running Studio die: it comes back by itself, and nothing that was acknowledged is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.journeys.conftest import ROOT, Demo, free_port


def test_postgres_that_is_killed_comes_back_with_everything(demo: Demo) -> None:
    before = demo.ask("Draft an Instagram post saying “Kept through a crash”")
    postmaster = int((demo.data_dir / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while True:
        assert time.monotonic() < deadline, demo.log()
        try:
            if httpx.get(f"{demo.url}/readyz", timeout=5).status_code == 200:
                break
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    after = demo.ask("show me the drafts", str(before["thread_id"]))
    assert "Kept through a crash" in str(after["reply"])


def test_killing_studio_leaves_no_postgres_behind(demo: Demo) -> None:
    postmaster = int((demo.data_dir / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
    demo.end(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{postmaster}").exists():
        assert time.monotonic() < deadline, "PostgreSQL outlived Studio"
        time.sleep(0.02)
    demo.start()


def test_the_terminal_says_what_to_do_when_no_server_runs(demo: Demo) -> None:
    demo.end()
    asked = demo.studio("ask", "which accounts are connected?")
    assert asked.returncode == 1
    assert "studio serve" in asked.stdout + asked.stderr or "make run" in asked.stdout + asked.stderr
    demo.start()


def test_doctor_and_keys(demo: Demo) -> None:
    checked = demo.studio("doctor")
    assert "PostgreSQL: embedded, schema 0009" in checked.stdout
    assert demo.key not in checked.stdout
    made = demo.studio("keys", "create", "for a test", "--user", "Robin", "--role", "viewer")
    key = made.stdout.strip()
    assert key.startswith("studio_")
    assert httpx.get(f"{demo.url}/v1/posts", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    denied = httpx.post(f"{demo.url}/v1/posts", headers={"Authorization": f"Bearer {key}"}, json={"caption": "x"})
    assert denied.status_code == 403
    assert denied.json()["code"] == "forbidden"
    listed = demo.studio("keys", "list").stdout
    prefix = next(word for word in listed.split() if word.startswith("studio_") and key.startswith(word))
    assert demo.studio("keys", "revoke", prefix).returncode == 0
    assert httpx.get(f"{demo.url}/v1/posts", headers={"Authorization": f"Bearer {key}"}).status_code == 401
    link = demo.studio("keys", "link").stdout.strip()
    assert link.startswith(f"{demo.url}/sign-in?token=")


def test_a_second_process_on_the_same_data_joins_and_takes_over(demo: Demo) -> None:
    """`studio serve --no-scheduler` beside the demo: it shares the PostgreSQL, and keeps it when the demo is killed."""
    port = free_port()
    beside = subprocess.Popen(
        [sys.executable, "cli.py", "serve", "--no-scheduler"],
        cwd=ROOT,
        env=demo.variables | {"STUDIO_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            try:
                return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
            except httpx.HTTPError:
                return False

        deadline = time.monotonic() + 30
        while not ready():
            assert time.monotonic() < deadline
            assert beside.poll() is None
            time.sleep(0.05)
        demo.end(signal.SIGKILL)
        answer = httpx.get(f"{url}/v1/posts", headers={"Authorization": f"Bearer {demo.key}"}, timeout=10)
        assert answer.status_code == 200
        assert answer.json()["items"]
    finally:
        beside.terminate()
        assert beside.wait(timeout=30) == 0
        demo.start()
