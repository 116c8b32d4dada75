"""A run outlives kill -9 at any point: a sample of the points here, all with ``python -m tests.agent.sweep``."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator

import pytest

from core.settings import Settings
from tests.agent.house import open_house
from tests.agent.sweep import WHOLE, Sweep, table
from tests.agent.test_kill import orders
from tests.conftest import Sandbox
from tools.context import Doors, Principal


@pytest.fixture
async def sweep(
    doors: Doors, principal: Principal, admin_url: str, endpoint: Settings, sandbox: Sandbox
) -> AsyncIterator[Sweep]:
    """The same conversation, as often as it is killed."""
    nursery = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.agent.victim", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert nursery.stdin
    assert nursery.stdout
    nursery.stdin.write(json.dumps(orders(endpoint, principal, admin_url), default=str).encode() + b"\n")
    try:
        async with asyncio.timeout(60):
            assert await nursery.stdout.readline() == b"ready\n"
        async with open_house(doors, principal, admin_url, model=endpoint, loop=False) as house:
            yield Sweep(house, sandbox, nursery)
    finally:
        nursery.kill()
        await nursery.wait()


async def test_a_run_outlives_a_kill_at_any_point(sweep: Sweep) -> None:
    points = await sweep.points()
    # A sample: the middle one of each kind.
    kinds = dict.fromkeys(point.partition("#")[0] for point in points)
    samples = [[point for point in points if point.partition("#")[0] == kind] for kind in kinds]
    chosen = points if WHOLE in os.environ else [some[len(some) // 2] for some in samples]
    verdicts = [await sweep.trial(point) for point in chosen]
    sys.stdout.write(f"\n{table(verdicts)}\n")
    wrong = [verdict for verdict in verdicts if verdict.lost or verdict.doubled or verdict.missing]
    assert not wrong
    assert sum(verdict.died for verdict in verdicts) > len(verdicts) * 3 // 4


async def test_the_sweep_sees_what_happens_without_the_calls_keys(sweep: Sweep) -> None:
    verdict = await sweep.trial("after a tool's transaction#1", mutant=True)
    assert verdict.died
    assert "2 times keep_note:a" in verdict.doubled
