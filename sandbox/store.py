"""One SQLite file that holds the pretend world, so that it is still there after a restart."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Ids look like Meta's 17 digits and start from the clock: a new world never repeats the ids of the one before.
FIRST_ID = 17_900_000_000_000_000
IDS_PER_SECOND = 100_000

SCHEMA = """
create table if not exists nodes (
    id integer primary key autoincrement,
    kind text not null,
    platform text not null,
    account text not null
);
create table if not exists accounts (
    platform text not null,
    external_id text not null,
    handle text not null,
    name text not null,
    login text not null,
    primary key (platform, external_id)
);
create table if not exists tokens (
    token text primary key,
    issued_at real not null,
    expires_at real,
    revoked_subcode integer
);
create table if not exists token_accounts (
    token text not null references tokens on delete cascade,
    platform text not null,
    external_id text not null,
    primary key (token, platform, external_id)
);
create table if not exists assets (
    id integer primary key autoincrement,
    content_type text not null,
    content blob not null
);
create table if not exists posts (
    id text primary key,
    platform text not null,
    account text not null,
    kind text not null,
    caption text not null,
    published_at real not null,
    like_count integer not null default 0,
    details text not null default '{}'
);
create table if not exists post_counts (
    post_id text not null references posts on delete cascade,
    name text not null,
    value integer not null,
    primary key (post_id, name)
);
create index if not exists posts_newest on posts (platform, account, published_at);
create table if not exists pictures (
    post_id text not null references posts on delete cascade,
    position integer not null,
    node_id text not null,
    asset_id integer not null references assets,
    alt_text text not null default '',
    primary key (post_id, position)
);
create table if not exists comments (
    id text primary key,
    post_id text not null references posts on delete cascade,
    parent_id text,
    author text not null,
    message text not null,
    written_at real not null,
    hidden integer not null default 0
);
"""


@dataclass(frozen=True, kw_only=True)
class Node:
    """What an id stands for; ``account`` is the external id of its owner."""

    id: str
    kind: str
    platform: str
    account: str


class Store:
    """The connection and the ids; ``state_file`` None keeps everything in memory for the life of the object."""

    def __init__(self, state_file: Path | None, *, schemas: Sequence[str] = ()) -> None:
        if state_file is not None:
            state_file.parent.mkdir(parents=True, exist_ok=True)
        # The server may run in another thread than the one that built the app; it is the only one that uses it.
        self.connection = sqlite3.connect(
            state_file or ":memory:", isolation_level=None, check_same_thread=False, timeout=10
        )
        self.connection.row_factory = sqlite3.Row
        self.connection.executescript(
            "pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on;"
        )
        for schema in (SCHEMA, *schemas):
            self.connection.executescript(schema)
        self._start_ids()

    def _start_ids(self) -> None:
        if self.one("select 1 from sqlite_sequence where name = 'nodes'") is None:
            first = FIRST_ID + int(time.time()) % 1_000_000_000 * IDS_PER_SECOND
            self.run("insert into sqlite_sequence (name, seq) values ('nodes', ?)", first)

    def run(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Execute one statement; it is committed at once unless ``transaction`` is open."""
        return self.connection.execute(statement, values)

    def one(self, statement: str, *values: object) -> sqlite3.Row | None:
        """The first row, or None."""
        row: sqlite3.Row | None = self.run(statement, *values).fetchone()
        return row

    def all(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Every row."""
        return self.run(statement, *values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; never await inside it, the connection is shared."""
        self.run("begin immediate")
        try:
            yield
        except BaseException:
            self.run("rollback")
            raise
        self.run("commit")

    def new_node(self, kind: str, *, platform: str, account: str) -> str:
        """Take the next id for something that belongs to an account."""
        cursor = self.run("insert into nodes (kind, platform, account) values (?, ?, ?)", kind, platform, account)
        return str(cursor.lastrowid)

    def node(self, node_id: str) -> Node | None:
        """What an id stands for; None for an id that was never given out (accounts are not nodes)."""
        if not node_id.isdecimal() or len(node_id) > len(str(FIRST_ID)):
            return None
        row = self.one("select kind, platform, account from nodes where id = ?", int(node_id))
        return (
            None
            if row is None
            else Node(id=node_id, kind=row["kind"], platform=row["platform"], account=row["account"])
        )

    def forget_everything(self) -> None:
        """Empty every table; ids go on from where they were."""
        names = [row["name"] for row in self.all("select name from sqlite_master where type = 'table'")]
        self.run("pragma foreign_keys = off")
        with self.transaction():
            for name in names:
                if not name.startswith("sqlite_"):
                    self.run(f'delete from "{name}"')  # noqa: S608 - a name from the schema itself
        self.run("pragma foreign_keys = on")

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
