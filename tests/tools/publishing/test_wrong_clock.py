"""A process whose clock is wrong publishes at the right time: what decides is the database's clock."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.settings import Settings
from tests.conftest import Sandbox
from tests.tools.publishing.conftest import Planned
from tests.tools.publishing.killing import run_victim
from tests.tools.publishing.test_accounts_turn import states

ROOT = Path(__file__).parents[3]
OTHER_CLOCK = re.compile(r"\b(?:datetime\.(?:now|utcnow|today)|date\.today|time\.time)\(")
# The evidence of a call says when the process that made it made it; nothing is decided by that.
EVIDENCE = {"tools/publishing/ledger.py"}


@pytest.mark.parametrize("minutes", [-30, 30])
async def test_a_process_with_a_wrong_clock_sends_what_is_due_and_nothing_else(
    planned: Planned, settings: Settings, minutes: int
) -> None:
    due, soon = await planned("due", ago=10), await planned("soon", ago=-600)
    assert await run_victim(settings, "never", 0, skew=60.0 * minutes) == 0
    assert await states(due, soon) == ["posted", "scheduled"]
    post = await due.post()
    assert abs(datetime.fromisoformat(str(post["published_at"])) - datetime.now(UTC)) < timedelta(minutes=5)
    (attempt,) = await due.attempts()
    told = [datetime.fromisoformat(str(step["at"])) for step in attempt["steps"]]  # type: ignore[attr-defined]
    wrong_by = told[0] - datetime.fromisoformat(str(attempt["started_at"]))
    assert abs(wrong_by - timedelta(minutes=minutes)) < timedelta(minutes=1), "the child's clock was not wrong"


async def test_a_limit_is_waited_for_by_the_databases_clock(
    planned: Planned, settings: Settings, sandbox: Sandbox
) -> None:
    fault = {"kind": "status", "status": 429, "headers": {"Retry-After": "600"}, "times": 1}
    sandbox.control("POST", "faults", {"route": "instagram.create_container", **fault})
    first, second = await planned("first", ago=20), await planned("second", ago=10)
    assert await run_victim(settings, "never", 0, skew=1800.0) == 0
    for post in (await first.post(), await second.post()):
        wait = datetime.fromisoformat(str(post["next_attempt_at"])) - datetime.now(UTC)
        assert timedelta(minutes=9) < wait <= timedelta(minutes=10)


@pytest.mark.parametrize("folder", ["tools/publishing", "scheduler", "db/queries"])
def test_what_decides_about_posts_asks_no_clock_of_its_own(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        if str(path.relative_to(ROOT)) not in EVIDENCE:
            assert not OTHER_CLOCK.search(path.read_text(encoding="utf-8")), path
