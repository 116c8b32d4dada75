"""How fast one process publishes, how late, and what a post costs, beside a bare loop that makes the same calls.

One process, real adapters, a real PostgreSQL, 1,000 Instagram accounts in 20 workspaces with one image post after
another; the network is bench/network.py, a lean stand-in whose every call takes 200 ms (the sandbox's journal would be
the bottleneck on two cores), for Studio and for the bare loop alike. Quotas are off.

Run: .venv/bin/python -m bench.publish
"""

import contextlib
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
ROUNDS = 3
CALL_MS = 200
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
    """Posts a second, and per post: CPU of the process in ms and statements; its peak memory in MB.

    ``first_calls``: seconds from the beginning until each account's first call had arrived, sorted.
    """

    rate: float
    cpu_ms: float
    statements: float
    peak_mb: float
    first_calls: list[float]


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
    _report(stage)
    begun = time.time()
    publisher.tell()
    assert publisher.hear() == "done\n"
    return _round(stage, publisher.end(), seconds=None, begun=begun)


def studio_round(stage: Stage, number: int) -> Round:
    """Studio over posts that are due when it begins."""
    posts = ACCOUNTS * EACH
    due = datetime.now(UTC) - timedelta(seconds=1)
    add_posts(stage.url, stage.accounts, each=EACH, first=number * posts, due=due)
    publisher = Publisher(stage, "studio")
    _report(stage)
    begun = time.time()
    publisher.tell()
    last = await_posted(stage, (number + 1) * posts)
    return _round(stage, publisher.end(), seconds=last.timestamp() - begun, begun=begun)


def _round(stage: Stage, said: Mapping[str, float], *, seconds: float | None, begun: float) -> Round:
    posts = ACCOUNTS * EACH
    return Round(
        rate=posts / (seconds if seconds is not None else said["seconds"]),
        cpu_ms=said["cpu"] / posts * 1000,
        statements=said["statements"] / posts,
        peak_mb=said["peak_mb"],
        first_calls=_since(stage, begun),
    )


def lateness(stage: Stage, *, posted: int) -> list[float]:
    """Seconds from due to the arrival of the first call, of one post an account, all due in the same second; sorted."""
    publisher = Publisher(stage, "studio")
    publisher.tell()
    _report(stage)
    due = datetime.now(UTC) + timedelta(seconds=4)
    add_posts(stage.url, stage.accounts, each=1, first=posted, due=due)
    await_posted(stage, posted + ACCOUNTS)
    late = _since(stage, due.timestamp())
    publisher.end()
    return late


def _since(stage: Stage, begun: float) -> list[float]:
    """Seconds from a moment until the first call of each account, sorted."""
    accounts = {each.external_id for each in stage.accounts}
    found = sorted(at - begun for account, at in _report(stage).items() if account in accounts)
    assert len(found) == ACCOUNTS
    return found


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
        first_calls=min((each.first_calls for each in rounds), key=lambda each: quantile(each, 0.99)),
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
    pairs = sorted(one.rate / other.rate for one, other in zip(studio, bare, strict=True))
    print(
        f"Studio to the bare loop: {statistics.median(pairs):.2f} x the posts/s ({pairs[0]:.2f} to {pairs[-1]:.2f}),"
        f" {base.cpu_ms / ours.cpu_ms:.2f} x the posts per CPU second;"
        f" to 50 posts a minute: {ours.rate * 60 / 50:.0f} x"
    )
    print(told("Studio, due in the same second", lateness(stage, posted=ROUNDS * ACCOUNTS * EACH)))
    print(told("bare loop, begun in the same second", base.first_calls))


def told(name: str, seconds: list[float]) -> str:
    """When the first calls of a crowd arrived."""
    p50, p99 = quantile(seconds, 0.5), quantile(seconds, 0.99)
    return f"{name}: first calls of {len(seconds)} posts p50 {p50:.2f} s, p99 {p99:.2f} s, max {seconds[-1]:.2f} s late"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, network() as address, fresh_database(Path(folder) / "data") as url:
        key = generate_key()
        accounts = add_accounts(url, Vault([key]), ACCOUNTS)
        run(Stage(url=url, network=address, key=key, folder=Path(folder), accounts=accounts))
    if (ROOT / "bench" / "claims.py").exists():
        subprocess.run([sys.executable, "-m", "bench.claims"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
