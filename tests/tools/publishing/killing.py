"""Publishing in a real process that is killed after a commit or an outward call, or whose clock is wrong."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from core.settings import Settings

ROOT = Path(__file__).parents[3]


async def run_victim(
    settings: Settings, kind: str, at: int, *, platform: str = "instagram", skew: float | None = None
) -> int:
    """Publish in a child process that dies at the point; its exit status, negative = the signal.

    ``skew``: seconds by which the child's clock is wrong.
    """
    plain = json.loads(settings.model_dump_json())
    plain["database_url"] = settings.database_url.get_secret_value()
    plain["secret_keys"] = settings.secret_keys.get_secret_value()
    orders = json.dumps({"settings": plain, "kind": kind, "at": at, "platform": platform})
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *(["tests.tools.publishing.victim"] if skew is None else ["tests.tools.publishing.skewed", str(skew)]),
        orders,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode is not None
    assert child.returncode in {0, -signal.SIGKILL}, output.decode()
    return child.returncode
