"""How long the demo takes to answer at a first and a second start, and its memory, beside a bare FastAPI server.

Run: .venv/bin/python -m bench.start
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_BARE = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
app.get("/readyz")(lambda: {"status": "ok"})
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
"""


@dataclass(frozen=True, kw_only=True)
class Started:
    """Seconds until it answered, and its resident memory in MB (its children apart)."""

    seconds: float
    resident_mb: float
    children_mb: float


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def measure(command: list[str], port: int, environment: dict[str, str]) -> Started:
    """Start a server, wait until it answers, and end it."""
    begun = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        seconds = time.monotonic() - begun
        return Started(seconds=seconds, resident_mb=_resident(process.pid), children_mb=_children(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _resident(pid: int) -> float:
    """Proportional set size: shared pages are counted once among those that share them."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1000


def _children(pid: int) -> float:
    """The memory of a process's descendants: PostgreSQL and its watchdog."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
    family = {pid}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(_resident(each) for each in family - {pid})


def main() -> None:
    """Measure and print, each as a ratio to the bare server."""
    port = free_port()
    bare = measure([sys.executable, "-c", _BARE, str(port)], port, {})
    print(f"bare FastAPI    {bare.seconds:6.2f} s          {bare.resident_mb:6.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first start", "second start"):
            port = free_port()
            environment = {"STUDIO_DATA_DIR": folder, "STUDIO_PORT": str(port)}
            command = [sys.executable, "cli.py", "demo", "--sandbox-port", str(free_port())]
            started = measure(command, port, environment)
            print(
                f"{name:14}  {started.seconds:6.2f} s ({started.seconds / bare.seconds:4.1f} x)"
                f" {started.resident_mb:6.0f} MB ({started.resident_mb / bare.resident_mb:3.1f} x)"
                f" + PostgreSQL {started.children_mb:4.0f} MB"
            )


if __name__ == "__main__":
    main()
