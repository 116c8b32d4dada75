"""A worker process that publishes what is due and kills itself at a given point: after its n-th commit or outward call.

Run as a program with its orders as JSON on the command line; exits 0 when it got through without reaching the point.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event

from core.settings import Settings
from db.engine import Database, TenantSession
from db.together import Together
from tests.conftest import open_doors
from tools.publishing.engine import PostWork


class Countdown:
    """Kills this process, as nothing in it can prevent, when the n-th thing of a kind has happened."""

    def __init__(self, kind: str, at: int) -> None:
        self.kind, self.left = kind, at

    def happened(self, kind: str) -> None:
        if kind == self.kind:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def count_commits(countdown: Countdown) -> None:
    """Count every transaction, of one session or of many lines. Reaches inside: no other place sees all of them."""
    event.listen(TenantSession, "after_commit", lambda _session: countdown.happened("commit"))
    original: Any = Together._transaction

    async def counted(self: Any, asks: Any) -> Any:  # noqa: ANN401
        answers = await original(self, asks)
        countdown.happened("commit")
        return answers

    Together._transaction = counted  # type: ignore[method-assign]


def count_calls(adapter: Any, countdown: Countdown) -> None:  # noqa: ANN401 - any adapter
    """Count every outward call of an adapter once it has been answered."""
    for name in ("perform", "find"):
        original = getattr(adapter, name)

        async def counted(*given: object, original: Any = original) -> object:  # noqa: ANN401
            answer = await original(*given)
            countdown.happened("call")
            return answer

        setattr(adapter, name, counted)


async def work(orders: dict[str, Any]) -> None:
    settings = Settings(_env_file=None, **orders["settings"])
    countdown = Countdown(orders["kind"], orders["at"])
    database = Database(settings.database_url.get_secret_value(), pool_size=4)
    count_commits(countdown)
    async with open_doors(settings, database) as doors:
        count_calls(doors.adapters[orders["platform"]], countdown)
        engine = PostWork(doors, asyncio.Event())
        while claims := await engine.claim(10, sweep=True):
            await asyncio.gather(*(engine.work(claim) for claim in claims))
    await database.close()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))
    asyncio.run(work(json.loads(sys.argv[1])))
