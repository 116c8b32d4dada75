"""Whole processes of Studio share one PostgreSQL, and are killed and started again while many posts come due.

python -m tests.chaos.many --posts 2000 --seconds 240 --seed 1        exits 1 unless 0 are doubled and 0 lost
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.chaos.crew import Crew, Studio, crew, torment
from tests.chaos.ground import Ground, end_in_order, free_port, ground, until
from tests.chaos.reckoning import Reckoning, lateness, reckon, show

# Seconds: a call that a killed process may have sent is looked for, and settled long after the network could do it.
LEASE, SETTLE = 4.0, 5.0


@dataclass(frozen=True, kw_only=True)
class Many:
    """One run: ``over`` seconds in which the posts come due, and a kill each ``kill`` seconds."""

    posts: int
    over: float
    accounts: int = 200
    seed: int = 1
    kill: tuple[float, float] = (6.0, 20.0)
    kills: int | None = None  # exactly so many, None: as many as there is time for
    patience: float = 1800.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it."""

    many: Many
    reckoning: Reckoning
    kills: int
    seconds: float
    late: list[tuple[str, object]]

    def __str__(self) -> str:
        done = [
            ("kill -9", self.kills),
            *self.late,
            ("seconds", f"{self.seconds:.0f}"),
            ("posts a second", f"{self.many.posts / self.seconds:.1f}"),
        ]
        title = f"one studio serve and two studio worker, seed {self.many.seed}"
        return "\n".join([show(title, [*self.reckoning.table(), *done]), *self.reckoning.complaints()])


def run(many: Many, place: Ground) -> Outcome:
    """Let posts come due while processes are killed, until all are out."""
    accounts = place.add_accounts(many.accounts)
    port = free_port()
    seats = [
        Studio(ground=place, command=command, log=place.folder / f"{number}.log", port=port)
        for number, command in enumerate(("serve", "worker", "worker"))
    ]
    with crew(list(seats), many.seed) as hands:
        until(lambda: _ready(port), 120, what="studio serve is ready")
        place.add_posts(accounts, many.posts, over=many.over)
        begin = time.monotonic()
        _torment(many, place, hands)
        until(lambda: place.waiting() == 0, many.patience, what="every post is settled", pause=0.3)
        seconds = time.monotonic() - begin
        until(lambda: _ready(port), 120, what="studio serve is ready again")
    reckoning = reckon(place)
    late = lateness(place, reckoning)
    return Outcome(many=many, reckoning=reckoning, kills=hands.kills, seconds=seconds, late=late)


def _torment(many: Many, place: Ground, hands: Crew) -> None:
    """Kill until all is out, or as often as was asked for."""
    begin, looked, waiting = time.monotonic(), 0.0, many.posts

    def going_on() -> bool:
        nonlocal looked, waiting
        assert time.monotonic() - begin < many.over + many.patience, f"{hands.kills} kills, {waiting} posts left"
        if many.kills is not None:
            return hands.kills < many.kills
        if time.monotonic() - looked > 0.5:
            looked, waiting = time.monotonic(), place.waiting()
        return waiting > 0

    torment(hands, [(*many.kill, hands.kill_one)], going_on)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def main() -> int:
    """Run it and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=240.0, help="in which they come due")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--accounts", type=int, default=200)
    given = parser.parse_args()
    end_in_order()
    many = Many(posts=given.posts, over=given.seconds, accounts=given.accounts, seed=given.seed)
    with (
        tempfile.TemporaryDirectory(prefix="studio-many-") as folder,
        ground(Path(folder), lease=LEASE, settle=SETTLE) as place,
    ):
        outcome = run(many, place)
    print(outcome)  # noqa: T201 - the table is what this program is for
    return 0 if outcome.reckoning.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
