"""PostgreSQL dies a few times a minute for every day; ten minutes of it: python -m tests.chaos.postgres."""

import tempfile
from pathlib import Path

import pytest

from tests.chaos.ground import ground
from tests.chaos.postgres import LEASE, SETTLE, Deaths, run


@pytest.mark.timeout(900)
def test_no_acknowledged_change_is_lost_when_postgresql_is_killed() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="studio-pg-") as folder,  # short, for the path of the socket
        ground(Path(folder), lease=LEASE, settle=SETTLE, embedded=True) as place,
    ):
        outcome = run(Deaths(seconds=60, kill=(5.0, 12.0), posts=100), place)
    assert outcome.is_clean, outcome
    assert outcome.kills >= 2, outcome
    assert outcome.acknowledged > 0, outcome
    assert outcome.reckoning.posted + len(outcome.reckoning.unconfirmed) == 100, outcome
