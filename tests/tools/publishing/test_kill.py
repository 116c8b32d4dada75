"""A real process is killed after each commit and after each outward call of the image path: the post goes out once."""

import asyncio
import json
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from core.settings import Settings
from tests.conftest import TestClock
from tests.tools.publishing.conftest import Engine, Publish

ROOT = Path(__file__).parents[3]
# More points than the path has: a run that gets through ends the sweep, and says that no point was left out.
TOO_MANY = 60


async def run_victim(settings: Settings, kind: str, at: int, *, platform: str = "instagram") -> int:
    """Publish in a child process that dies at the point; its exit status, negative = the signal."""
    plain = json.loads(settings.model_dump_json())
    plain["database_url"] = settings.database_url.get_secret_value()
    plain["secret_keys"] = settings.secret_keys.get_secret_value()
    orders = json.dumps({"settings": plain, "kind": kind, "at": at, "platform": platform})
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.tools.publishing.victim",
        orders,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode is not None
    assert child.returncode in {0, -signal.SIGKILL}, output.decode()
    return child.returncode


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("kind", "least"), [("commit", 8), ("call", 4)])
async def test_a_kill_at_any_point_neither_doubles_nor_loses(
    publish: Publish, engine: Engine, settings: Settings, clock: TestClock, kind: str, least: int
) -> None:
    shift = timedelta(0)
    for at in range(1, TOO_MANY):
        publication = await publish(f"Killed after {kind} {at}")
        status = await run_victim(settings, kind, at)
        if status == 0:
            break
        shift += timedelta(seconds=settings.publish_lease + 1)  # the dead process's lease ends
        clock.shift(shift)
        await engine.until(publication.settled, patience=30)
        post = await publication.post()
        assert post["status"] == "posted", (at, post["last_error"])
        live = [item for item in publication.live() if item["caption"] == post["caption"]]
        assert [item["id"] for item in live] == [post["platform_post_id"]], at
        assert post["permalink"] == live[0]["permalink"]
    assert status == 0, "the path is longer than the sweep"
    assert at > least, f"only {at - 1} points of {kind} were killed at"
