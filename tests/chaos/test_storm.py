"""The storm for every day: nothing is doubled and nothing lost, and without a part of the protocol something is.

The long ones: python -m tests.chaos.storm.
"""

from collections.abc import Iterator

import pytest

from tests.chaos.ground import Ground, ground
from tests.chaos.storm import LEASE, SETTLE, Storm, Weather, rage

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground(tmp_path_factory.mktemp("storm"), lease=LEASE, settle=SETTLE) as made:
        yield made


def test_nothing_is_doubled_and_nothing_lost(place: Ground) -> None:
    storm = Storm(
        posts=150,
        over=12,
        accounts=20,
        workers=3,
        seed=20,
        weather=Weather(fails=0.05, drops=0.1, late=0.05),
        kill=(1.0, 3.0),
        stop=(1.5, 4.0),
    )
    outcome = rage(storm, place)
    assert outcome.reckoning.is_clean, outcome
    assert (outcome.reckoning.posted, len(outcome.reckoning.unconfirmed)) == (150, 0), outcome
    assert min(outcome.kills, outcome.stops) >= 2, outcome
    # 150 calls of which 20 % are not answered in time: that none was looked for has a chance of 0.8 ** 150 = 3e-15.
    assert outcome.reckoning.doubts > 0, outcome


@pytest.mark.parametrize("part", ["settle", "find"])
def test_without_a_part_of_the_protocol_posts_are_doubled(place: Ground, part: str) -> None:
    # Every second call is done without an answer, until ten were, and lists lag for longer than anybody looks: each such
    # call is sent again. That none of the first calls of 40 posts is one has a chance of 0.5 ** 40 = 9e-13.
    weather = Weather(fails=0, drops=0.5, late=0, lag=120 if part == "settle" else 0, most=10)
    quiet = (600.0, 600.0)
    storm = Storm(
        posts=40, over=1, accounts=20, workers=2, mutant=part, weather=weather, settle=1, kill=quiet, stop=quiet
    )
    outcome = rage(storm, place)
    assert len(outcome.reckoning.doubled) > 0, outcome
    assert outcome.reckoning.lost == (), outcome
