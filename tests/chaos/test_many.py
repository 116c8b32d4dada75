"""Three whole processes for every day; the long run: python -m tests.chaos.many."""

from pathlib import Path

import pytest

from tests.chaos.ground import ground
from tests.chaos.many import LEASE, SETTLE, Many, run


@pytest.mark.timeout(900)
def test_processes_that_are_killed_double_and_lose_nothing(tmp_path: Path) -> None:
    with ground(tmp_path / "many", lease=LEASE, settle=SETTLE) as place:
        many = Many(posts=100, over=15, accounts=20, seed=3, kill=(0.5, 2.5), kills=4)
        outcome = run(many, place)
    assert outcome.reckoning.is_clean, outcome
    assert outcome.reckoning.posted + len(outcome.reckoning.unconfirmed) == 100, outcome
    assert outcome.kills == 4, outcome
