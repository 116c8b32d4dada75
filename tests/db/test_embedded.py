"""An embedded PostgreSQL lives as long as somebody uses it, whoever is killed, and loses nothing it acknowledged."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from db.embedded.cluster import Cluster, start
from tests.db.embedded_process import StudioProcess, is_alive, kill_9, postmaster_of, until, until_unused, watchdog_of


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a database in it that nobody uses; to be copied."""
    data_dir = tmp_path_factory.mktemp("made") / "studio"
    start(data_dir).close()
    return data_dir


@pytest.fixture
def data_dir(made: Path, short_path: Path) -> Iterator[Path]:
    """A database of the test's own; afterwards nobody of its PostgreSQL may live."""
    copy = short_path / "studio"
    shutil.copytree(made, copy, ignore=shutil.ignore_patterns("socket"))
    yield copy
    until_unused(copy)


def test_a_first_start_makes_the_database_and_the_next_finds_its_rows(tmp_path: Path) -> None:
    said: list[str] = []
    with start(tmp_path / "studio", on_progress=said.append) as cluster:
        assert cluster.owner
        assert cluster.data_dir == tmp_path / "studio" / "postgres"
        with psycopg.connect(cluster.dsn(database="studio")) as connection:
            connection.execute("create table kept (word text)")
            connection.execute("insert into kept values ('still here')")
    assert [line.split()[0] for line in said] == ["Creating", "Starting"]
    begin = time.monotonic()
    with start(tmp_path / "studio") as cluster:
        took = time.monotonic() - begin
        with psycopg.connect(cluster.dsn(database="studio")) as connection:
            assert connection.execute("select word from kept").fetchall() == [("still here",)]
    assert took < 5.0


async def test_the_url_serves_sqlalchemy_with_and_without_asyncio(data_dir: Path) -> None:
    with start(data_dir) as cluster:
        url = cluster.dsn(database="studio", user="postgres")
        engine = create_engine(url)
        with engine.connect() as connection:
            assert connection.scalar(text("select current_database()")) == "studio"
        engine.dispose()
        async_engine = create_async_engine(url)
        async with async_engine.connect() as async_connection:
            assert await async_connection.scalar(text("select current_user")) == "postgres"
        await async_engine.dispose()


def test_it_is_small_safe_and_listens_to_its_owner_alone(data_dir: Path) -> None:
    with start(data_dir, settings={"work_mem": "8MB", "listen_addresses": "127.0.0.1"}) as cluster:
        with psycopg.connect(cluster.dsn(database="studio")) as connection:
            rows = connection.execute("select name, setting from pg_settings").fetchall()
        settings: dict[str, str] = dict(rows)
        socket = psycopg.conninfo.conninfo_to_dict(cluster.dsn(database="studio"))["host"]
        assert settings["work_mem"] == "8192"  # kB
        # What is asked for does not open a port.
        assert settings["listen_addresses"] == ""
        assert psutil.Process(postmaster_of(data_dir)).net_connections(kind="inet") == []
        assert Path(str(socket)).stat().st_mode & 0o777 == 0o700
        assert cluster.data_dir.stat().st_mode & 0o777 == 0o700
        assert settings["fsync"] == settings["synchronous_commit"] == "on"
        assert settings["TimeZone"] == settings["log_timezone"] == "UTC"
        assert settings["jit"] == "off"
        assert settings["data_checksums"] == "on"
        assert settings["server_encoding"] == "UTF8"
        assert 0 < int(settings["idle_in_transaction_session_timeout"]) <= 300_000  # ms
        assert int(settings["shared_buffers"]) * 8192 <= 64 * 2**20
        assert 60 <= int(settings["max_connections"]) <= 100


def test_the_log_has_no_values(data_dir: Path) -> None:
    with start(data_dir) as cluster:
        with (
            psycopg.connect(cluster.dsn(database="studio"), autocommit=True) as connection,
            pytest.raises(psycopg.errors.InvalidTextRepresentation),
        ):
            connection.execute("select 'hunter2'::uuid")
        assert "ready to accept connections" in cluster.log.read_text()
        assert "hunter2" not in cluster.log.read_text()


def test_a_log_that_has_grown_is_set_aside(data_dir: Path) -> None:
    log = data_dir / "postgres" / "postgres.log"
    log.write_text("an old line\n" * 500_000)
    with start(data_dir):
        assert log.stat().st_size < 10_000
        assert (data_dir / "postgres" / "postgres.log.1").stat().st_size == 6_000_000


def test_closing_the_last_claim_waits_for_the_end_and_closing_another_does_not(data_dir: Path) -> None:
    first, second = start(data_dir), start(data_dir)
    postmaster = postmaster_of(data_dir)
    assert (first.owner, second.owner) == (True, False)
    first.close()
    first.close()
    assert is_alive(postmaster)
    assert not second.ensure()
    second.close()
    assert not is_alive(postmaster)
    assert "database system is shut down" in second.log.read_text().splitlines()[-1]
    with pytest.raises(RuntimeError, match="closed"):
        second.ensure()


def test_nobody_is_left_a_second_after_studio_is_killed(data_dir: Path) -> None:
    with StudioProcess(data_dir) as studio:
        assert studio.started()["owner"]
        postmaster = postmaster_of(data_dir)
        family = [postmaster, watchdog_of(postmaster), *(child.pid for child in psutil.Process(postmaster).children())]
        studio.kill()
        until(lambda: not any(is_alive(pid) for pid in family), 1.0)


@pytest.mark.parametrize("victims", [("studio",), ("postmaster",), ("studio", "postmaster", "watchdog")])
def test_no_acknowledged_commit_is_lost(data_dir: Path, victims: tuple[str, ...]) -> None:
    acknowledged = 0
    for _ in range(3):
        with StudioProcess(data_dir) as studio:
            assert studio.started()["owner"]
            studio.order(f"write {acknowledged + 1}")
            target = acknowledged + 60
            while acknowledged < target:
                acknowledged = int(str(studio.hear()["acknowledged"]))
            postmaster = postmaster_of(data_dir)
            pids = {"studio": studio.pid, "postmaster": postmaster, "watchdog": watchdog_of(postmaster)}
            kill_9(*(pids[victim] for victim in victims))
            acknowledged = _last_heard(studio, acknowledged)
        with start(data_dir) as cluster, psycopg.connect(cluster.dsn(database="studio")) as connection:
            found = {number for (number,) in connection.execute("select id from kept")}
        assert found >= set(range(1, acknowledged + 1))
        # One commit may have been on its way: it is known to PostgreSQL alone.
        acknowledged = max(found)


def _last_heard(studio: StudioProcess, acknowledged: int) -> int:
    while True:
        try:
            acknowledged = int(str(studio.hear()["acknowledged"]))
        except AssertionError:  # the process is dead, and everything it said is read
            return acknowledged


def test_a_reused_pid_in_stale_files_harms_nobody(data_dir: Path) -> None:
    with StudioProcess(data_dir) as studio, subprocess.Popen(["/bin/sleep", "600"]) as innocent:
        try:
            studio.started()
            postmaster = postmaster_of(data_dir)
            pid_file = data_dir / "postgres" / "data" / "postmaster.pid"
            stale = pid_file.read_text()
            kill_9(studio.pid, watchdog_of(postmaster), postmaster)
            pid_file.write_text(stale.replace(str(postmaster), str(innocent.pid), 1))
            (data_dir / "postgres" / "socket" / ".s.PGSQL.5432.lock").write_text(f"{innocent.pid}\n")
            with start(data_dir) as cluster:
                assert cluster.owner
                assert postmaster_of(data_dir) != innocent.pid
            assert innocent.poll() is None
        finally:
            innocent.kill()


def test_a_start_right_after_postmaster_and_watchdog_were_killed(data_dir: Path) -> None:
    with StudioProcess(data_dir) as studio:
        studio.started()
        for _ in range(3):
            postmaster = postmaster_of(data_dir)
            kill_9(watchdog_of(postmaster), postmaster)
            assert studio.ask("ensure") == {"restarted": True, "owner": True}
            assert postmaster_of(data_dir) != postmaster
        kill_9(studio.pid, watchdog_of(postmaster_of(data_dir)), postmaster_of(data_dir))
        with start(data_dir) as cluster:
            assert cluster.owner


def test_postgresql_never_outlives_its_watchdog(data_dir: Path) -> None:
    with StudioProcess(data_dir) as studio:
        studio.started()
        postmaster = postmaster_of(data_dir)
        kill_9(watchdog_of(postmaster))
        until(lambda: not is_alive(postmaster), 2.0)
        assert "database system is shut down" in (data_dir / "postgres" / "postgres.log").read_text().splitlines()[-1]
        assert studio.ask("ensure")["restarted"]


def test_who_joined_keeps_postgresql_when_the_owner_is_killed(data_dir: Path) -> None:
    with StudioProcess(data_dir) as owner, StudioProcess(data_dir) as joiner:
        owners = [owner.started()["owner"], joiner.started()["owner"]]
        assert sorted(map(bool, owners)) == [False, True]
        first, last = (owner, joiner) if owners[0] else (joiner, owner)
        postmaster = postmaster_of(data_dir)
        first.kill()
        for _ in range(20):
            # The connection that was open before is still served, by the same PostgreSQL.
            assert last.ask("ask") == {"answer": 42}
        assert postmaster_of(data_dir) == postmaster
        with start(data_dir) as third:
            assert not third.owner
        assert last.ask("ask") == {"answer": 42}
        last.kill()
        until(lambda: not is_alive(postmaster), 1.0)


def test_three_that_start_at_the_same_moment_in_a_new_directory_share_one(tmp_path: Path) -> None:
    data_dir = tmp_path / "studio"
    with StudioProcess(data_dir) as one, StudioProcess(data_dir) as two, StudioProcess(data_dir) as three:
        heard = [process.hear() for process in (one, two, three)]
        assert sorted(bool(words["owner"]) for words in heard) == [False, False, True]
        assert [process.ask("ask") for process in (one, two, three)] == [{"answer": 42}] * 3


def test_ensure_starts_a_killed_postgresql_once_for_everybody(data_dir: Path) -> None:
    with StudioProcess(data_dir) as one, StudioProcess(data_dir) as two:
        one.hear()
        two.hear()
        assert one.ask("ensure")["restarted"] is False
        kill_9(postmaster_of(data_dir))
        for process in (one, two):
            process.order("ensure")
        heard = [one.hear(), two.hear()]
        assert sorted(bool(words["restarted"]) for words in heard) == [False, True]
        postmaster = postmaster_of(data_dir)
        one.kill()
        assert is_alive(postmaster)
        two.kill()
        until(lambda: not is_alive(postmaster), 1.0)


def test_a_kill_while_the_files_are_made_leaves_no_half(tmp_path: Path) -> None:
    data_dir = tmp_path / "studio"
    with StudioProcess(data_dir) as studio:
        until((data_dir / "postgres" / "data.new" / "base" / "1").exists)
        studio.kill()
    assert not (data_dir / "postgres" / "data").exists()
    with start(data_dir) as cluster:
        assert cluster.owner
        assert not (data_dir / "postgres" / "data.new").exists()


def test_a_kill_during_the_start_leaves_nobody(data_dir: Path) -> None:
    pid_file = data_dir / "postgres" / "data" / "postmaster.pid"
    with StudioProcess(data_dir) as studio:
        until(pid_file.exists)
        studio.kill()
    until(lambda: not pid_file.exists(), 2.0)
    _works(start(data_dir))


def test_the_environment_of_postgresql_is_not_ours(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-others")
    monkeypatch.setenv("PGDATA", "/nowhere")
    with start(data_dir):
        seen = psutil.Process(postmaster_of(data_dir)).environ()
    assert "OPENAI_API_KEY" not in seen
    assert seen.get("PGDATA") != "/nowhere"
    assert set(os.environ) > {"OPENAI_API_KEY", "PGDATA"}


def _works(cluster: Cluster) -> None:
    with cluster, psycopg.connect(cluster.dsn(database="studio")) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
