"""Workers are killed and frozen while a network without idempotency keys fails, drops answers, and commits late.

python -m tests.chaos.storm --posts 4000 --seconds 420 --seed 1            the engine: exits 1 unless 0 and 0
python -m tests.chaos.storm --posts 1000 --seconds 100 --mutant intent     exits 1 unless posts are doubled
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from tests.chaos.crew import Crew, Forked, crew, nursery, torment
from tests.chaos.ground import Ground, end_in_order, ground, until
from tests.chaos.reckoning import Reckoning, reckon, show

# Seconds. A client gives up after 0.7 of a lease; what it gave up on is committed later all the same. Together with the
# longest freeze between a line in the ledger and its call (0.8 of a lease) that is less than the settle time:
# 0.8 * 2 + 1.9 + 0.3 (what the list lags) = 3.8 < 6; the rest is for a machine that is slow.
LEASE, SETTLE, LATE = 2.0, 6.0, 1.9
STOP = (1.2, 3.0)
ROUTE = "facebook.create_post"


@dataclass(frozen=True, kw_only=True)
class Weather:
    """How often a call fails before it is done, is done without an answer, is done after its caller has gone.

    ``lag`` is how many seconds the network takes to list what is live; after ``most`` of a kind the sky clears.
    """

    fails: float = 0.03
    drops: float = 0.03
    late: float = 0.02
    lag: float = 0.3
    most: int | None = None


@dataclass(frozen=True, kw_only=True)
class Storm:
    """One run: ``over`` seconds in which the posts come due; a kill and a freeze each ``kill`` / ``stop`` seconds.

    ``pace`` stretches every time but ``over``: a machine that is busy with other things needs more of it.
    """

    posts: int
    over: float
    accounts: int = 200
    workers: int = 4
    seed: int = 1
    mutant: str = "none"
    weather: Weather = Weather()
    settle: float = SETTLE
    pace: float = 1.0
    capacity: int | None = None  # posts that a worker has in hand at once, None: as many as ever
    kill: tuple[float, float] = (2.0, 6.0)
    stop: tuple[float, float] = (2.0, 7.0)
    patience: float = 1800.0  # seconds after the last kill


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a storm; ``unforeseen`` are errors that the workers had no answer to."""

    storm: Storm
    unforeseen: int
    reckoning: Reckoning
    kills: int
    stops: int
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Nothing doubled, nothing lost, and no worker was taken by surprise."""
        return self.reckoning.is_clean and self.unforeseen == 0

    def __str__(self) -> str:
        done = [
            ("unforeseen errors", self.unforeseen),
            ("kill -9", self.kills),
            ("SIGSTOP", self.stops),
            ("seconds", f"{self.seconds:.0f}"),
            ("posts a second", f"{self.storm.posts / self.seconds:.1f}"),
        ]
        title = "the engine" if self.storm.mutant == "none" else f"the engine without {self.storm.mutant}"
        table = show(f"storm over {title}, seed {self.storm.seed}", [*self.reckoning.table(), *done])
        return "\n".join([table, *(self.reckoning.complaints() if self.storm.mutant == "none" else ())])


def brew(place: Ground, weather: Weather, seed: int, pace: float) -> None:
    """Let the network be as bad as it gets."""
    conditions = {"facebook_list_lag_seconds": weather.lag * pace, "facebook_refuses_duplicates": False}
    place.control("POST", "conditions", conditions)
    place.fault(ROUTE, "drop_before", times=weather.most, chance=weather.fails, seed=seed)
    place.fault(ROUTE, "drop_after", times=weather.most, chance=weather.drops, seed=seed + 1)
    place.fault(ROUTE, "delay", times=weather.most, chance=weather.late, seed=seed + 2, delay_seconds=LATE * pace)


def rage(storm: Storm, place: Ground) -> Outcome:
    """Run a storm over a place to its end; of what was there before, nothing is left."""
    pace = {"STUDIO_PUBLISH_LEASE": str(LEASE * storm.pace), "STUDIO_SETTLE_TIME": str(storm.settle * storm.pace)}
    place = replace(place, environment={**place.environment, **pace})
    place.run("truncate studio.accounts cascade")
    place.control("POST", "reset", {"only": ["state", "faults", "calls", "conditions"]})
    accounts = place.add_accounts(storm.accounts)
    brew(place, storm.weather, storm.seed, storm.pace)
    (place.folder / "workers.log").unlink(missing_ok=True)
    with nursery(place) as kindergarten:
        # One machine's clock is an hour wrong: nobody asks it for anything that counts.
        seats = [
            Forked(
                nursery=kindergarten,
                mutant=storm.mutant,
                ahead=3600.0 if number == 0 else 0.0,
                capacity=storm.capacity or 0,
            )
            for number in range(storm.workers)
        ]
        place.add_posts(accounts, storm.posts, over=storm.over)
        begin = time.monotonic()
        with crew(list(seats), storm.seed) as hands:
            _rage(storm, place, hands)
            until(lambda: place.waiting() == 0, storm.patience, what="every post is settled", pause=0.3)
            seconds = time.monotonic() - begin
        return Outcome(
            storm=storm,
            unforeseen=kindergarten.log.read_text().count("unforeseen error"),
            reckoning=reckon(place),
            kills=hands.kills,
            stops=hands.stops,
            seconds=seconds,
        )


def _rage(storm: Storm, place: Ground, hands: Crew) -> None:
    """Kill and freeze until nearly everything is out: the last posts are waited for in peace."""
    few, begin = max(storm.posts // 25, 1), time.monotonic()
    looked, waiting = 0.0, storm.posts

    def going_on() -> bool:
        nonlocal looked, waiting
        if time.monotonic() - looked > 0.5:
            looked, waiting = time.monotonic(), place.waiting()
        return waiting > few and time.monotonic() - begin < storm.over + storm.patience

    kill, stop, length = (
        (shortest * storm.pace, longest * storm.pace) for shortest, longest in (storm.kill, storm.stop, STOP)
    )
    torment(hands, [(*kill, hands.kill_one), (*stop, lambda: hands.stop_one(*length))], going_on)


def main() -> int:
    """Run one storm and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=420.0, help="in which they come due")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--mutant", choices=("none", "settle", "find", "intent"), default="none")
    parser.add_argument("--pace", type=float, default=1.0, help="2 = all times twice as long, for a busy machine")
    parser.add_argument("--capacity", type=int, help="posts that a worker has in hand at once")
    given = parser.parse_args()
    end_in_order()
    storm = Storm(
        posts=given.posts,
        over=given.seconds,
        accounts=given.accounts,
        seed=given.seed,
        mutant=given.mutant,
        pace=given.pace,
        capacity=given.capacity,
    )
    if given.mutant != "none":
        # What a mutant does wrong shows within minutes where calls are often late and processes often killed.
        storm = replace(storm, weather=Weather(drops=0.1, late=0.2, most=100), kill=(0.7, 2.0))
    with (
        tempfile.TemporaryDirectory(prefix="studio-storm-") as folder,
        ground(Path(folder), lease=LEASE, settle=SETTLE) as place,
    ):
        outcome = rage(storm, place)
    print(outcome)  # noqa: T201 - the table is what this program is for
    if given.mutant == "none":
        return 0 if outcome.is_clean else 1
    return 0 if outcome.reckoning.doubled else 1


if __name__ == "__main__":
    sys.exit(main())
