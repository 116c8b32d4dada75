"""The schema arrives once, whoever starts at the same time, and it is what the models say."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from core.errors import Misconfigured, Unavailable
from db import migrate
from db.embedded.cluster import Cluster, start
from db.models import account, conversation, idea, notification, people, plan, post
from db.models.base import SCHEMA, Base
from tests.db.conftest import Admin

PROCESS = Path(__file__).with_name("migrating_process.py")
NewDatabase = Callable[[], str]


@pytest.fixture
def new_database(tmp_path: Path) -> Iterator[NewDatabase]:
    """Makes empty databases in a cluster where no role of Studio's exists yet."""
    made: list[str] = []
    with start(tmp_path) as cluster:

        def make() -> str:
            made.append(f"empty_{len(made)}")
            with psycopg.connect(cluster.dsn(database="postgres"), autocommit=True) as connection:
                connection.execute(f'create database "{made[-1]}"'.encode())
            return cluster.dsn(database=made[-1])

        yield make


async def migrating(admin_url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROCESS),
        admin_url,
        cwd=PROCESS.parents[2],
        env={**os.environ, "PYTHONPATH": str(PROCESS.parents[2])},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def answers(processes: list[asyncio.subprocess.Process]) -> list[str]:
    async with asyncio.timeout(60):
        said = await asyncio.gather(*(process.communicate() for process in processes))
    for process, (_, complaint) in zip(processes, said, strict=True):
        assert process.returncode == 0, complaint.decode()
    return sorted(spoken.decode().strip() for spoken, _ in said)


async def test_four_processes_that_start_at_once_migrate_once(new_database: NewDatabase) -> None:
    url, newest = new_database(), migrate.newest_revision()
    said = await answers([await migrating(url) for _ in range(4)])
    # One found nothing; three waited for it and found its work.
    assert said == sorted([f"None {newest}"] + 3 * [f"{newest} {newest}"])


async def test_databases_of_one_server_are_migrated_at_once(new_database: NewDatabase) -> None:
    """Roles belong to the whole server: those who make them at the same moment do not stumble over each other."""
    newest = migrate.newest_revision()
    said = await answers([await migrating(new_database()) for _ in range(4)])
    assert said == 4 * [f"None {newest}"]


async def test_migrating_again_changes_nothing(admin_url: str, admin: Admin) -> None:
    def schema() -> object:
        return admin.rows(
            "select table_schema, table_name, column_name, data_type from information_schema.columns"
            " where table_schema in ('studio', 'langgraph') order by 1, 2, 3"
        )

    before, rows = schema(), {table: admin.dump(table) for table in admin.tables()}
    async with migrate.migration_lock(admin_url):
        assert await migrate.upgrade(admin_url) == migrate.newest_revision()
    assert schema() == before
    assert {table: admin.dump(table) for table in admin.tables()} == rows
    assert await migrate.current_revision(admin_url) == migrate.newest_revision()


async def test_an_empty_database_has_no_revision(cluster: Cluster) -> None:
    assert await migrate.current_revision(cluster.dsn(database="postgres")) is None


def test_models_and_tables_agree(admin_url: str) -> None:
    """Every column of a model exists with its type and nullability, and every column that exists is in a model."""
    assert {account, conversation, idea, notification, people, plan, post}  # importing them fills the metadata

    def of_ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
        return kind in {"table", "column"} and name not in {"alembic_version", "test_clock"}

    engine = create_engine(admin_url, poolclass=NullPool, connect_args={"options": f"-c search_path={SCHEMA}"})
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": of_ours, "compare_type": True, "target_metadata": Base.metadata}
        )
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


async def test_a_lock_that_is_kept_is_waited_for_and_then_complained_about(admin_url: str) -> None:
    async with migrate.migration_lock(admin_url):
        with pytest.raises(Unavailable) as refused:
            async with migrate.migration_lock(admin_url, patience=0.3):
                raise AssertionError("two held the lock at once")
    assert refused.value.code == "migration_locked"
    # The lock ends with who held it.
    async with migrate.migration_lock(admin_url, patience=0.3):
        pass


async def test_a_holder_that_fails_gives_the_lock_back(admin_url: str) -> None:
    with pytest.raises(ZeroDivisionError):
        async with migrate.migration_lock(admin_url):
            raise ZeroDivisionError
    async with migrate.migration_lock(admin_url, patience=0.3):
        pass


async def cancelled_by_the_server(admin_url: str) -> None:
    async with migrate.migration_lock(admin_url) as connection:
        await connection.execute(text("set statement_timeout = '20ms'"))
        await connection.execute(text("select pg_sleep(10)"))


async def test_what_fails_under_the_lock_is_not_called_a_failure_to_connect(admin_url: str) -> None:
    """OperationalError is also "disk full" and "query cancelled", and a timeout may be anybody's."""
    with pytest.raises(OperationalError, match="statement timeout"):
        await cancelled_by_the_server(admin_url)
    with pytest.raises(TimeoutError):
        async with migrate.migration_lock(admin_url):
            raise TimeoutError
    async with migrate.migration_lock(admin_url, patience=0.3):
        pass


async def test_a_server_that_is_not_there_is_named(unused_tcp_port_factory: Callable[[], int]) -> None:
    url = f"postgresql+psycopg://studio:s3cret-word@127.0.0.1:{unused_tcp_port_factory()}/studio"
    with pytest.raises(Unavailable) as refused:
        async with migrate.migration_lock(url, patience=5):
            pass
    assert refused.value.code == "database_unreachable"
    assert "s3cret-word" not in f"{refused.value.message} {refused.value.action}"


async def test_a_server_that_says_nothing_is_not_waited_for_forever() -> None:
    """A firewall that swallows packets, or something else on that port."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://studio@127.0.0.1:{silent.getsockname()[1]}/studio"
        with pytest.raises(Unavailable) as refused:
            async with migrate.migration_lock(url, patience=0.3):
                pass
    assert refused.value.code == "database_unreachable"


async def test_a_postgres_below_the_floor_is_refused(admin_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The floor is raised above the server that is here, since no old one is."""
    assert migrate._OLDEST_POSTGRES == 15
    monkeypatch.setattr(migrate, "_OLDEST_POSTGRES", 99)
    with pytest.raises(Misconfigured) as refused:
        async with migrate.migration_lock(admin_url):
            raise AssertionError("an old server was let in")
    assert refused.value.code == "database_too_old"
    assert "99" in refused.value.message
