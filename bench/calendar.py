"""Workspaces, accounts and posts for a benchmark, written straight into a fresh database."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg

from core.ids import new_id
from core.vault import Vault, token_context
from db import migrate
from db.embedded.cluster import start

WORKSPACES = 20
_FIRST_EXTERNAL_ID = 17_841_400_000_000_000


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account of the benchmark, with the picture its posts show."""

    id: UUID
    workspace_id: UUID
    asset_id: UUID
    external_id: str


@contextmanager
def fresh_database(folder: Path) -> Iterator[str]:
    """A migrated database of an embedded PostgreSQL in this folder; yields its URL as the role that owns the schema."""
    cluster = start(folder)
    try:
        with psycopg.connect(cluster.dsn(database="postgres"), autocommit=True) as connection:
            connection.execute("create database bench")
        url = cluster.dsn(database="bench")
        asyncio.run(_migrate(url))
        yield url
    finally:
        cluster.close()


async def _migrate(url: str) -> None:
    async with migrate.migration_lock(url):
        await migrate.upgrade(url)


def connect(url: str) -> psycopg.Connection:
    """A connection that sees every workspace."""
    return psycopg.connect(url, autocommit=True, options="-c search_path=studio -c timezone=UTC")


def add_accounts(url: str, vault: Vault, count: int) -> list[Account]:
    """Connected Instagram accounts, spread evenly over the workspaces."""
    workspaces = [new_id() for _ in range(WORKSPACES)]
    assets = {workspace: new_id() for workspace in workspaces}
    made = [
        Account(
            id=new_id(),
            workspace_id=(workspace := workspaces[number % WORKSPACES]),
            asset_id=assets[workspace],
            external_id=str(_FIRST_EXTERNAL_ID + number),
        )
        for number in range(count)
    ]
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into workspaces (id, name, timezone) values (%s, 'Bench', 'UTC')",
            [(workspace,) for workspace in workspaces],
        )
        cursor.executemany(
            "insert into assets (id, workspace_id, sha256, kind, mime_type, size_bytes, width, height, name)"
            " values (%s, %s, %s, 'image', 'image/jpeg', 400000, 1080, 1080, 'espresso.jpg')",
            [(asset, workspace, "ab" * 32) for workspace, asset in assets.items()],
        )
        cursor.executemany(
            "insert into accounts (id, workspace_id, platform, external_id, handle, status, login, access_token)"
            " values (%s, %s, 'instagram', %s, %s, 'connected', 'facebook', %s)",
            [
                (each.id, each.workspace_id, each.external_id, f"roastery{number}", _sealed(vault, each))
                for number, each in enumerate(made)
            ],
        )
    return made


def token_of(account: Account) -> str:
    """The account's access token; it means nothing."""
    return f"IGAA-bench-token-of-{account.external_id}"


def _sealed(vault: Vault, account: Account) -> bytes:
    context = token_context(account.workspace_id, account.id, "access_token")
    return vault.seal(token_of(account), context=context)


def caption_of(number: int) -> str:
    """The words of a post."""
    return (
        f"Espresso number {number}: sweet, round, and roasted yesterday. Come by before it is gone. #coffee #roastery"
    )


def add_posts(url: str, accounts: list[Account], *, each: int, first: int, due: datetime) -> None:
    """Scheduled image posts, ``each`` an account, all due at one moment; their codes count from ``first``."""
    posts = [(account, new_id()) for _ in range(each) for account in accounts]
    with connect(url) as connection, connection.cursor() as cursor, connection.transaction():
        cursor.executemany(
            "insert into posts (id, workspace_id, code, account_id, platform, format, status, approval, caption,"
            " scheduled_for, next_attempt_at)"
            " values (%s, %s, %s, %s, 'instagram', 'image', 'scheduled', 'none', %s, %s, %s)",
            [
                (post, account.workspace_id, f"B{first + number}", account.id, caption_of(first + number), due, due)
                for number, (account, post) in enumerate(posts)
            ],
        )
        cursor.executemany(
            "insert into post_media (workspace_id, post_id, position, asset_id) values (%s, %s, 0, %s)",
            [(account.workspace_id, post, account.asset_id) for account, post in posts],
        )
    with connect(url) as connection:
        connection.execute("analyze")
