"""Bringing the schema up to date at start: one process does it, the others wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from core.errors import Misconfigured, Unavailable
from db.engine import APP_ROLE
from db.models.base import SCHEMA

# Any fixed number: it names the lock "somebody migrates Studio's schema" in this database.
_LOCK = 0x57D10
_OLDEST_POSTGRES = 15


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def newest_revision() -> str:
    """The revision this version of Studio works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


@asynccontextmanager
async def migration_lock(admin_url: str, *, patience: float = 120.0) -> AsyncIterator[AsyncConnection]:
    """Hold the lock under which schemas are changed; yields an AUTOCOMMIT connection of the migrating role.

    Polls ``pg_try_advisory_lock``: waiting inside PostgreSQL and CREATE INDEX CONCURRENTLY (LangGraph's tables) would
    stall each other. Raises ``Unavailable`` when another process keeps the lock for ``patience`` seconds.
    """
    engine = create_async_engine(admin_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        await _probe(engine, patience)
        async with engine.connect() as connection:
            await _lock(connection, patience)
            try:
                yield connection
            finally:
                await connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _LOCK})
    finally:
        await engine.dispose()


async def _probe(engine: AsyncEngine, patience: float) -> None:
    """Raise ``Unavailable`` unless PostgreSQL answers within ``patience`` seconds, ``Misconfigured`` when it is old."""
    try:
        async with asyncio.timeout(patience), engine.connect() as connection:
            await _check_version(connection)
    except TimeoutError as error:
        raise _unreachable(f"it did not answer within {patience:g} s") from error
    except OperationalError as error:
        raise _unreachable((str(error.orig).splitlines() or ["the connection failed"])[0]) from error


def _unreachable(why: str) -> Unavailable:
    return Unavailable(
        f"PostgreSQL cannot be reached: {why}",
        code="database_unreachable",
        action="Check STUDIO_DATABASE_URL, or leave it empty to use the embedded PostgreSQL.",
    )


async def _check_version(connection: AsyncConnection) -> None:
    version = int(await connection.scalar(text("show server_version_num")) or 0) // 10000
    if version < _OLDEST_POSTGRES:
        raise Misconfigured(
            f"PostgreSQL {version} is too old: Studio needs {_OLDEST_POSTGRES} or newer.",
            code="database_too_old",
            action="Upgrade PostgreSQL, or leave STUDIO_DATABASE_URL empty to use the embedded one.",
        )


async def _lock(connection: AsyncConnection, patience: float) -> None:
    deadline = asyncio.get_running_loop().time() + patience
    while not await connection.scalar(text("select pg_try_advisory_lock(:key)"), {"key": _LOCK}):
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable(
                "Another process has been changing the database schema for too long.",
                code="migration_locked",
                action="Wait for the other process, or end it, then start again.",
            )
        await asyncio.sleep(0.1)


async def upgrade(admin_url: str) -> str:
    """Run what is missing of the migrations, inside ``migration_lock``; returns the revision reached."""
    engine = create_async_engine(
        admin_url, poolclass=NullPool, connect_args={"options": f"-c search_path={SCHEMA} -c timezone=UTC"}
    )
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"create schema if not exists {SCHEMA}"))
            await connection.commit()
            await connection.run_sync(_upgrade)
            await connection.commit()
    finally:
        await engine.dispose()
    return newest_revision()


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def let_app_log_in(admin_url: str) -> None:
    """Let the application's role log in by itself; for the embedded PostgreSQL, where nobody else reaches the socket.

    Its connections are then not a superuser's that took a lesser role: no statement can take the role off again.
    """
    engine = create_async_engine(admin_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"alter role {APP_ROLE} login"))
    finally:
        await engine.dispose()


async def current_revision(admin_url: str) -> str | None:
    """The revision the database is at, None before the first migration."""
    engine = create_async_engine(admin_url, poolclass=NullPool, connect_args={"options": f"-c search_path={SCHEMA}"})
    try:
        async with engine.connect() as connection:
            if await connection.scalar(text("select to_regclass('alembic_version')")) is None:
                return None
            revision = await connection.scalar(text("select version_num from alembic_version"))
            return str(revision) if revision else None
    finally:
        await engine.dispose()
