"""The embedded PostgreSQL is killed, postmaster and backends, again and again, while people plan and posts go out.

python -m tests.chaos.postgres --seconds 600 --seed 1        exits 1 if a change that was acknowledged is lost
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import psutil

from tests.chaos.crew import Studio, crew
from tests.chaos.ground import Ground, end_in_order, free_port, ground, until
from tests.chaos.reckoning import Reckoning, reckon, show, spread

LEASE, SETTLE = 4.0, 5.0
PATIENCE = 120.0


@dataclass(frozen=True, kw_only=True)
class Deaths:
    """One run: ``seconds`` of load, and a kill of PostgreSQL each ``kill`` seconds."""

    seconds: float
    kill: tuple[float, float]
    posts: int
    seed: int = 1
    clients: int = 2


@dataclass(kw_only=True)
class Desk:
    """Somebody who makes posts and moves them over REST, and remembers what was acknowledged.

    A call that fails is repeated with its key until it is answered. ``planned`` is, by the post's id, what it says and
    when it goes out; ``answered`` are the calls that were, as the times they began and ended.
    """

    name: str
    url: str
    key: str
    accounts: int
    planned: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    answered: list[tuple[float, float]] = field(default_factory=list)
    failed: int = 0
    trouble: str | None = None
    closing: threading.Event = field(default_factory=threading.Event)

    def open(self) -> threading.Thread:
        """Work in a thread of its own until the desk closes."""
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        return thread

    def _work(self) -> None:
        with httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=20) as client:
            number = 0
            try:
                while not self.closing.is_set():
                    self._plan(client, number)
                    number += 1
            except AssertionError as error:
                self.trouble = str(error)

    def _plan(self, client: httpx.Client, number: int) -> None:
        """Make a post; every fourth is due at once, the others are moved about in a distant future."""
        words, soon = f"{self.name} {number:05d}", number % 4 == 0
        when = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3, days=0 if soon else 30 + number % 30)
        page = f"page{number % self.accounts}"
        asked = {"platform": "facebook", "account_id": page, "caption": words, "when": when.isoformat()}
        made = self._until_answered(client, "/v1/posts", asked)
        self.planned[str(made["id"])] = (words, datetime.fromisoformat(str(made["scheduled_for"])))
        if not soon:
            later = {"when": (when + timedelta(hours=1)).isoformat()}
            moved = self._until_answered(client, f"/v1/posts/{made['id']}/move", later)
            self.planned[str(made["id"])] = (words, datetime.fromisoformat(str(moved["scheduled_for"])))

    def _until_answered(self, client: httpx.Client, path: str, asked: dict[str, str]) -> dict[str, object]:
        headers = {"Idempotency-Key": uuid4().hex}
        while True:
            begun = time.monotonic()
            try:
                answer = client.post(path, json=asked, headers=headers)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.is_success:
                self.answered.append((begun, time.monotonic()))
                body: dict[str, object] = answer.json()
                return body
            # Nothing but a database that is away is a reason to refuse.
            assert answer is None or answer.status_code >= 500, f"{answer.status_code} {path}: {answer.text[:500]}"
            self.failed += 1
            time.sleep(0.05)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it. ``forgotten`` are acknowledged changes that are not there, ``amiss`` posts due at once that are
    not out exactly once; ``recoveries`` are seconds from a kill to the next call that was answered.
    """

    deaths: Deaths
    kills: int
    acknowledged: int
    failed: int
    recoveries: list[float]
    forgotten: list[str]
    amiss: list[str]
    trouble: list[str]
    reckoning: Reckoning

    @property
    def is_clean(self) -> bool:
        """Nothing that was acknowledged is lost, nothing doubled."""
        return self.reckoning.is_clean and not (self.forgotten or self.amiss or self.trouble)

    def __str__(self) -> str:
        table = [
            ("PostgreSQL killed", self.kills),
            ("calls acknowledged", self.acknowledged),
            ("calls repeated", self.failed),
            ("acknowledged and lost", len(self.forgotten)),
            ("planned and not out once", len(self.amiss)),
            ("kill -> next acknowledged call", spread(self.recoveries)),
            *self.reckoning.table(),
        ]
        said = [
            *self.trouble,
            *self.reckoning.complaints(),
            *(f"lost: {words}" for words in self.forgotten),
            *(f"amiss: {each}" for each in self.amiss),
        ]
        return "\n".join([show(f"the embedded PostgreSQL dies, seed {self.deaths.seed}", table), *said])


def kill_postgres(place: Ground) -> None:
    """kill -9 of the postmaster that Studio started in this data directory, and of all its children."""
    pid_file = Path(place.environment["STUDIO_DATA_DIR"]) / "postgres" / "data" / "postmaster.pid"
    postmaster = psutil.Process(int(pid_file.read_text().split("\n")[0]))
    assert (postmaster.name(), postmaster.cwd()) == ("postgres", str(pid_file.parent)), "this is no PostgreSQL of ours"
    postmaster.suspend()  # so that it starts no backend while they are counted
    for victim in (*postmaster.children(recursive=True), postmaster):
        victim.kill()


def run(deaths: Deaths, place: Ground) -> Outcome:
    """Plan and publish while PostgreSQL dies, then look whether everything is there."""
    accounts, port, dice = place.add_accounts(20), free_port(), random.Random(deaths.seed)
    seats = [
        Studio(ground=place, command=command, log=place.folder / f"{command}.log", port=port)
        for command in ("serve", "worker")
    ]
    url = f"http://127.0.0.1:{port}"
    desks = [
        Desk(name=f"Desk {number}", url=url, key=place.key, accounts=len(accounts)) for number in range(deaths.clients)
    ]
    kills: list[float] = []
    with crew(list(seats), deaths.seed) as hands, ExitStack() as stack:
        until(lambda: all(seat.is_up() for seat in seats), PATIENCE, what="studio serve and studio worker are up")
        place.add_posts(accounts, deaths.posts, over=deaths.seconds)
        threads = [desk.open() for desk in desks]
        for desk in desks:
            stack.callback(desk.closing.set)
        end = time.monotonic() + deaths.seconds
        while (pause := dice.uniform(*deaths.kill)) < end - time.monotonic():
            time.sleep(pause)
            kills.append(time.monotonic())
            kill_postgres(place)
            until(lambda: _answered_since(desks, kills[-1]), PATIENCE, what="Studio recovers")
            hands.wake()
        for desk, thread in zip(desks, threads, strict=True):
            desk.closing.set()
            thread.join(PATIENCE)
            assert not thread.is_alive(), f"{desk.name} is still waiting for an answer"
        until(lambda: _on_their_way(place) == 0, PATIENCE, what="every post that is due is settled", pause=0.3)
    return _outcome(deaths, place, desks, kills)


def _answered_since(desks: list[Desk], moment: float) -> bool:
    assert not any(desk.trouble for desk in desks), [desk.trouble for desk in desks]
    return any(desk.answered and desk.answered[-1][0] >= moment for desk in desks)


def _on_their_way(place: Ground) -> int:
    due = "status = 'publishing' or (status = 'scheduled' and scheduled_for < now() + interval '1 day')"
    return int(str(place.one(f"select count(*) as n from studio.posts where {due}")["n"]))


def _outcome(deaths: Deaths, place: Ground, desks: list[Desk], kills: list[float]) -> Outcome:
    reckoning = reckon(place)
    live: list[str] = [str(item["caption"]) for item in place.items("feed")]
    rows = {str(row["id"]): row for row in place.rows("select id, caption, scheduled_for, status from studio.posts")}
    captions = [str(row["caption"]) for row in rows.values()]
    forgotten, amiss = [], []
    for post_id, (words, when) in ((each, kept) for desk in desks for each, kept in desk.planned.items()):
        row = rows.get(post_id)
        if row is None or (row["caption"], row["scheduled_for"]) != (words, when) or captions.count(words) != 1:
            forgotten.append(f"{words} at {when}: {row}")
        elif when < datetime.now(UTC) + timedelta(days=1) and (row["status"] != "posted" or live.count(words) != 1):
            amiss.append(f"{words}: {row['status']}, live {live.count(words)} times")
    ends = sorted(pair for desk in desks for pair in desk.answered)
    return Outcome(
        deaths=deaths,
        kills=len(kills),
        acknowledged=len(ends),
        failed=sum(desk.failed for desk in desks),
        recoveries=[min(end for begun, end in ends if begun >= kill) - kill for kill in kills],
        forgotten=forgotten,
        amiss=amiss,
        trouble=[desk.trouble for desk in desks if desk.trouble],
        reckoning=reckoning,
    )


def main() -> int:
    """Run it and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--posts", type=int, default=600, help="that come due meanwhile, besides what is planned")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    end_in_order()
    deaths = Deaths(seconds=given.seconds, kill=(5.0, 40.0), posts=given.posts, seed=given.seed)
    with (
        tempfile.TemporaryDirectory(prefix="studio-pg-") as folder,
        ground(Path(folder), lease=LEASE, settle=SETTLE, embedded=True) as place,
    ):
        outcome = run(deaths, place)
    print(outcome)  # noqa: T201 - the table is what this program is for
    return 0 if outcome.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
