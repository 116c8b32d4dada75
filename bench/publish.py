"""How fast one process publishes, how late, and what a post costs, beside a bare loop that makes the same calls.

One process, real adapters, a real PostgreSQL, 1,000 Instagram accounts in 20 workspaces with one image post after
another; the network is bench/network.py, a lean stand-in whose every call takes 200 ms (the sandbox's journal would be
the bottleneck on two cores), for Studio and for the bare loop alike. Quotas are off.

Run: .venv/bin/python -m bench.publish
"""

import contextlib
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.calendar import Account, add_accounts, add_posts, connect, fresh_database
from core.vault import Vault, generate_key

ROOT = Path(__file__).parents[1]
ACCOUNTS = 1000
EACH = 2
ROUNDS = 1
CALL_MS = 200
# Posts a second of a job that takes 50 posts a run, once a minute.
_FIFTY_A_MINUTE = 50 / 60
_PATIENCE = 300.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What all rounds share."""

    url: str
    network: str
    key: str
    folder: Path
    accounts: list[Account]


@dataclass(frozen=True, kw_only=True)
class Round:
    """Posts a second, and per post: CPU of the process in ms and statements; its peak memory in MB."""

    rate: float
    cpu_ms: float
    statements: float
    peak_mb: float


@contextlib.contextmanager
def network() -> Iterator[str]:
    """The stand-in in a process of its own; yields its address."""
    command = [sys.executable, "-m", "bench.network", str(CALL_MS)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"


class Publisher:
    """A process of bench/publisher.py, ready to begin."""

    def __init__(self, stage: Stage, kind: str) -> None:
        orders = {
            "kind": kind,
            "database_url": stage.url,
            "network_url": stage.network,
            "secret_key": stage.key,
            "folder": str(stage.folder),
            "in_flight": ACCOUNTS,
            "each": EACH,
        }
        command = [sys.executable, "-m", "bench.publisher", json.dumps(orders)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.tell(json.dumps([vars(each) for each in stage.accounts], default=str))
        self.hear()

    def tell(self, line: str = "") -> None:
        """One line to the process."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        """One line from the process."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def end(self) -> Mapping[str, float]:
        """End it; what it took."""
        self.tell()
        said: Mapping[str, float] = json.loads(self.hear())
        self._process.communicate(timeout=60)
        return said


def await_posted(stage: Stage, wanted: int) -> datetime:
    """Wait until so many posts are live; when the last one was."""
    deadline = time.monotonic() + _PATIENCE
    with connect(stage.url) as connection:
        while time.monotonic() < deadline:
            row = connection.execute("select count(*), max(published_at) from posts where status = 'posted'").fetchone()
            assert row is not None
            if row[0] >= wanted:
                last: datetime = row[1]
                return last
            time.sleep(0.1)
        rows = connection.execute("select status, count(*) from posts group by status").fetchall()
    raise SystemExit(f"not everything was posted: {rows}")


def bare_round(stage: Stage) -> Round:
    """The bare loop over as many posts."""
    publisher = Publisher(stage, "bare")
    publisher.tell()
    assert publisher.hear() == "done\n"
    return _round(publisher.end(), seconds=None, posts=ACCOUNTS * EACH)


def studio_round(stage: Stage, number: int) -> Round:
    """Studio over posts that are due when it begins."""
    posts = ACCOUNTS * EACH
    due = datetime.now(UTC) - timedelta(seconds=1)
    add_posts(stage.url, stage.accounts, each=EACH, first=number * posts, due=due)
    publisher = Publisher(stage, "studio")
    begun = datetime.now(UTC)
    publisher.tell()
    last = await_posted(stage, (number + 1) * posts)
    return _round(publisher.end(), seconds=(last - begun).total_seconds(), posts=posts)


def _round(said: Mapping[str, float], *, seconds: float | None, posts: int) -> Round:
    return Round(
        rate=posts / (seconds if seconds is not None else said["seconds"]),
        cpu_ms=said["cpu"] / posts * 1000,
        statements=said["statements"] / posts,
        peak_mb=said["peak_mb"],
    )


def lateness(stage: Stage, *, posted: int) -> list[float]:
    """Seconds from due to the arrival of the first call, of one post an account, all due in the same second; sorted."""
    publisher = Publisher(stage, "studio")
    publisher.tell()
    _report(stage)
    due = datetime.now(UTC) + timedelta(seconds=4)
    add_posts(stage.url, stage.accounts, each=1, first=posted, due=due)
    await_posted(stage, posted + ACCOUNTS)
    first_calls = _report(stage)
    publisher.end()
    assert len(first_calls) >= ACCOUNTS
    wanted = {each.external_id for each in stage.accounts}
    return sorted(at - due.timestamp() for account, at in first_calls.items() if account in wanted)


def _report(stage: Stage) -> Mapping[str, float]:
    with urllib.request.urlopen(f"{stage.network}/report", timeout=10) as answer:
        first_calls: Mapping[str, float] = json.load(answer)["first_calls"]
        return first_calls


def quantile(values: list[float], share: float) -> float:
    """The value that this share of sorted values does not exceed."""
    return values[min(len(values) - 1, int(len(values) * share))]


def show(name: str, rounds: list[Round]) -> Round:
    """Print the rounds and their median; answers it."""
    median = Round(
        rate=statistics.median(each.rate for each in rounds),
        cpu_ms=statistics.median(each.cpu_ms for each in rounds),
        statements=statistics.median(each.statements for each in rounds),
        peak_mb=max(each.peak_mb for each in rounds),
    )
    rates = ", ".join(f"{each.rate:.0f}" for each in rounds)
    print(
        f"{name:8} {median.rate:6.0f} posts/s (rounds: {rates})  CPU {median.cpu_ms:5.2f} ms/post"
        f"  {median.statements:5.2f} statements/post  peak {median.peak_mb:4.0f} MB"
    )
    return median


def run(stage: Stage) -> None:
    """All rounds, Studio and the bare loop in turn, then the lateness."""
    bare, studio = [], []
    for number in range(ROUNDS):
        bare.append(bare_round(stage))
        studio.append(studio_round(stage, number))
    print(f"{ACCOUNTS} accounts, {ACCOUNTS * EACH} image posts a round, 4 calls of {CALL_MS} ms each, one process")
    base, ours = show("bare loop", bare), show("Studio", studio)
    print(
        f"ratio to the bare loop: {ours.rate / base.rate:.2f}; to 50 posts a minute: {ours.rate / _FIFTY_A_MINUTE:.0f}"
    )
    late = lateness(stage, posted=ROUNDS * ACCOUNTS * EACH)
    print(
        f"{len(late)} posts due in the same second, first call: p50 {quantile(late, 0.5):.2f} s,"
        f" p99 {quantile(late, 0.99):.2f} s, max {late[-1]:.2f} s after its time"
    )


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, network() as address, fresh_database(Path(folder) / "data") as url:
        key = generate_key()
        accounts = add_accounts(url, Vault([key]), ACCOUNTS)
        run(Stage(url=url, network=address, key=key, folder=Path(folder), accounts=accounts))
    if importlib.util.find_spec("bench.claims") is not None:
        subprocess.run([sys.executable, "-m", "bench.claims"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
