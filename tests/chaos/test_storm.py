"""The storm for every day: nothing is doubled and nothing lost, and without a part of the protocol something is.

The long ones, with every part taken out in its turn: python -m tests.chaos.storm.
"""

from collections.abc import Iterator

import pytest

from tests.chaos.ground import Ground, ground
from tests.chaos.storm import LEASE, SETTLE, Storm, Weather, rage

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground(tmp_path_factory.mktemp("storm"), lease=LEASE, settle=SETTLE) as made:
        yield made


def test_nothing_is_doubled_and_nothing_lost(place: Ground) -> None:
    storm = Storm(
        posts=120,
        over=8,
        accounts=20,
        workers=3,
        seed=20,
        weather=Weather(fails=0.05, drops=0.1, late=0.05),
        kill=(1.0, 3.0),
        stop=(1.5, 4.0),
    )
    outcome = rage(storm, place)
    assert outcome.is_clean, outcome
    assert outcome.reckoning.posted + len(outcome.reckoning.unconfirmed) == 120, outcome
    assert min(outcome.kills, outcome.stops) >= 2, outcome
    # 120 calls of which 20 % are not answered in time: that none was looked for has a chance of 0.8 ** 120 = 2e-12.
    assert outcome.reckoning.doubts > 0, outcome


def test_without_the_settle_time_posts_are_doubled(place: Ground) -> None:
    # Every second call is done without an answer, until ten were, and lists lag for longer than anybody looks: each of
    # these calls is sent again. That none of the first calls of 40 posts is one has a chance of 0.5 ** 40 = 9e-13.
    weather = Weather(fails=0, drops=0.5, late=0, lag=120, most=10)
    quiet = (600.0, 600.0)
    storm = Storm(
        posts=40, over=1, accounts=20, workers=2, mutant="settle", weather=weather, settle=1, kill=quiet, stop=quiet
    )
    outcome = rage(storm, place)
    assert len(outcome.reckoning.doubled) > 0, outcome
    assert outcome.reckoning.lost == (), outcome
