"""Where chaos happens: a PostgreSQL and a sandbox of the run's own, accounts, and posts that come due."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
from psycopg.rows import dict_row

from core.ids import new_id
from core.keys import generate as new_key
from core.vault import Vault, generate_key, token_context
from db.embedded.cluster import start

ROOT = Path(__file__).parents[2]
ALPHABET = "CDFGHJKMNPQRTVWX34679"
Row = dict[str, object]

_ACCOUNT = """
insert into studio.accounts (id, workspace_id, platform, external_id, handle, status, access_token, counts_due)
values (%s, %s, 'facebook', %s, %s, 'connected', %s, now() + interval '1 day')
"""
_POST = """
insert into studio.posts (id, workspace_id, code, account_id, platform, format, status, approval, caption,
  scheduled_for, wall_time, zone, next_attempt_at)
values (%s, %s, %s, %s, 'facebook', 'text', 'scheduled', 'none', %s, %s, %s at time zone 'UTC', 'UTC', %s)
"""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A database, a sandbox, and the environment that every process on it is started with."""

    folder: Path
    admin_url: str
    sandbox_url: str
    environment: Mapping[str, str]
    key: str

    def rows(self, statement: str, *values: object) -> Sequence[Row]:
        """What a statement answers, as the role that owns the schema."""
        with psycopg.connect(self.admin_url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def run(self, statement: str, *values: object) -> None:
        """Execute a statement as that role."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(statement.encode(), values)

    def one(self, statement: str, *values: object) -> Row:
        """Its only row."""
        (row,) = self.rows(statement, *values)
        return row

    def control(self, method: str, path: str, body: object | None = None) -> object:
        """One call of the sandbox's control routes; its JSON."""
        answer = httpx.request(method, f"{self.sandbox_url}/_sandbox/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def items(self, path: str) -> list[Row]:
        """The list that a control route of the sandbox answers."""
        answer = self.control("GET", path)
        assert isinstance(answer, dict)
        return list(answer["items"])

    def fault(self, route: str, kind: str, **more: object) -> None:
        """Plant a fault."""
        self.control("POST", "faults", {"route": route, "kind": kind, **more})

    def add_accounts(self, count: int) -> list[UUID]:
        """Connect so many Pages, which the sandbox knows too."""
        workspace = self.one("select id from studio.workspaces")["id"]
        vault, ids = Vault(self.environment["STUDIO_SECRET_KEYS"].split(",")), [new_id() for _ in range(count)]
        with psycopg.connect(self.admin_url) as connection, httpx.Client(timeout=30) as client:
            for number, account_id in enumerate(ids):
                external_id, token = f"{1_000_000_000 + number}", f"token-of-page-{number}"
                seeded = {"platform": "facebook", "external_id": external_id, "handle": f"page{number}"}
                url = f"{self.sandbox_url}/_sandbox/accounts"
                client.post(url, json={**seeded, "access_token": token}).raise_for_status()
                sealed = vault.seal(token, context=token_context(str(workspace), str(account_id), "access_token"))
                connection.execute(_ACCOUNT, (account_id, workspace, external_id, f"page{number}", sealed))
        return ids

    def add_posts(self, accounts: Sequence[UUID], count: int, *, over: float, delay: float = 2.0) -> datetime:
        """Put so many posts on the calendar, one account after another; when the first is due.

        They come due evenly over ``over`` seconds, from ``delay`` seconds on. Every caption is said once.
        """
        with psycopg.connect(self.admin_url) as connection:
            row = connection.execute("select now(), (select id from studio.workspaces)").fetchone()
            assert row is not None
            first = row[0] + timedelta(seconds=delay)
            with connection.cursor() as cursor:
                cursor.executemany(
                    _POST,
                    [
                        (
                            new_id(),
                            row[1],
                            code(number),
                            accounts[number % len(accounts)],
                            caption(number),
                            due,
                            due,
                            due,
                        )
                        for number in range(count)
                        for due in (first + timedelta(seconds=over * number / count),)
                    ],
                )
        assert isinstance(first, datetime)
        return first

    def waiting(self) -> int:
        """How many posts are still on their way."""
        row = self.one("select count(*) as n from studio.posts where status in ('scheduled', 'publishing')")
        return int(str(row["n"]))


def end_in_order() -> None:
    """Let SIGTERM end a run as Ctrl-C does: with every process that it started."""

    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)  # a shell's background jobs ignore it


def caption(number: int) -> str:
    """What the n-th post says."""
    return f"Post {number:05d} of the storm"


def code(number: int) -> str:
    """The n-th short code."""
    letters = []
    for _ in range(5):
        number, digit = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return "".join(reversed(letters))


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def until(condition: Callable[[], bool], seconds: float, *, what: str, pause: float = 0.05) -> float:
    """Poll until a condition is true; how many seconds it took. Fails after ``seconds``."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, f"{what}: not within {seconds} s"
        time.sleep(pause)
    return time.monotonic() - begin


@contextmanager
def ground(folder: Path, *, lease: float, settle: float, embedded: bool = False) -> Iterator[Ground]:
    """Start everything but the processes of Studio; all of it is gone at the end.

    ``embedded`` leaves PostgreSQL to Studio itself: then ``admin_url`` reaches the one it starts in its data directory.
    """
    port, key = free_port(), new_key()
    url = f"http://127.0.0.1:{port}"
    data = folder / "data"
    data.mkdir(parents=True, mode=0o700)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("STUDIO_", "OPENAI_"))},
        "PYTHONPATH": str(ROOT),
        "STUDIO_DATA_DIR": str(data),
        "STUDIO_SECRET_KEYS": generate_key(),
        "STUDIO_BOOTSTRAP_KEY": key,
        "STUDIO_FACEBOOK_GRAPH_URL": f"{url}/facebook-graph",
        "STUDIO_INSTAGRAM_GRAPH_URL": f"{url}/instagram-graph",
        "STUDIO_META_UPLOAD_URL": f"{url}/meta-upload",
        "STUDIO_TIKTOK_API_URL": f"{url}/tiktok",
        "STUDIO_MODEL": "offline",
        "STUDIO_TIMEZONE": "UTC",
        "STUDIO_PUBLISH_LEASE": str(lease),
        "STUDIO_SETTLE_TIME": str(settle),
    }
    with ExitStack() as stack:
        # Embedded: this process joins the PostgreSQL of the data directory, and keeps it between two of Studio's.
        cluster = stack.enter_context(
            start(data if embedded else folder / "outside", settings={"max_connections": "200"})
        )
        admin_url = cluster.dsn(database="studio")
        if not embedded:
            environment["STUDIO_DATABASE_URL"] = admin_url
        log = stack.enter_context((folder / "sandbox.log").open("wb"))
        sandbox = subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), "sandbox", "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
        stack.callback(sandbox.wait)
        stack.callback(sandbox.kill)
        migrated = [sys.executable, str(ROOT / "cli.py"), "migrate"]
        subprocess.run(migrated, cwd=folder, env=environment, check=True, capture_output=True)
        until(lambda: _answers(f"{url}/_sandbox/health"), 60, what="the sandbox answers")
        yield Ground(folder=folder, admin_url=admin_url, sandbox_url=url, environment=environment, key=key)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
