"""When an embedded PostgreSQL cannot be had, the error says what is wrong and the way out; nothing is left behind."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from core.errors import Misconfigured, Unavailable
from db.embedded.binaries import find_binaries
from db.embedded.cluster import Cluster, start
from db.embedded.failures import telling_lines
from db.embedded.identity import Identity, as_somebody
from tests.db.embedded_process import ROOT, StudioProcess, is_alive, needs_root, postmaster_of, until


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a database in it that nobody uses; to be copied."""
    data_dir = tmp_path_factory.mktemp("made") / "studio"
    start(data_dir).close()
    return data_dir


def _copy(made: Path, data_dir: Path) -> None:
    shutil.copytree(made, data_dir, ignore=shutil.ignore_patterns("socket"), dirs_exist_ok=True)


def _socket_of(cluster: Cluster) -> Path:
    return Path(str(conninfo_to_dict(cluster.dsn(database="studio"))["host"]))


@contextmanager
def _small_disk(path: Path, size: str) -> Iterator[Path]:
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(path)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"root may not mount here: {done.stderr.decode()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


@pytest.mark.parametrize("name", ["l" * 100, "comma, quote' 100% & more", "a space, too"])
def test_a_path_that_no_socket_can_have_gets_a_short_private_one(made: Path, tmp_path: Path, name: str) -> None:
    data_dir = tmp_path / name / "studio"
    _copy(made, data_dir)
    with start(data_dir) as cluster:
        socket = _socket_of(cluster)
        assert not socket.is_relative_to(tmp_path)
        assert len(bytes(socket)) < 60
        assert socket.parent.stat().st_mode & 0o777 == socket.stat().st_mode & 0o777 == 0o700
        with StudioProcess(data_dir, environment={"TMPDIR": "/var/tmp"}) as joiner:
            # The way is noted with the data: another TMPDIR does not matter.
            assert joiner.started()["owner"] is False
            assert joiner.ask("ask") == {"answer": 42}
    assert not socket.parent.exists()


def test_a_path_with_spaces_and_letters_of_any_language_is_fine(made: Path, short_path: Path) -> None:
    data_dir = short_path / "Éva" / "mi año"
    _copy(made, data_dir)
    with start(data_dir) as cluster, psycopg.connect(cluster.dsn(database="studio")) as connection:
        assert _socket_of(cluster).is_relative_to(short_path)
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_short_directory_of_somebody_else_is_not_trusted(made: Path, tmp_path: Path) -> None:
    data_dir = tmp_path / ("l" * 100)
    _copy(made, data_dir)
    with StudioProcess(data_dir) as studio:
        studio.started()
        studio.kill()
    until(lambda: not (data_dir / "postgres" / "data" / "postmaster.pid").exists())
    note = data_dir / "postgres" / "socket.path"
    theirs = Path(note.read_text())
    theirs.chmod(0o777)
    with start(data_dir) as cluster:
        assert _socket_of(cluster).parent != theirs
    shutil.rmtree(theirs)


@needs_root
def test_no_place_for_the_socket_at_all(tmp_path: Path) -> None:
    # /tmp and /var/tmp become read-only in a mount namespace of the process; the data stay writable under /mnt.
    # Read-only and not covered: this checkout itself may lie in /tmp.
    read_only = " && ".join(
        f"mount --bind {place} {place} && mount -o remount,ro,bind {place}" for place in ("/tmp", "/var/tmp")
    )
    script = f"mount --bind '{tmp_path}' /mnt && {read_only}" + ' && exec "$@"'
    if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], check=False).returncode != 0:
        pytest.skip("root may not mount here")
    with StudioProcess(Path("/mnt") / ("l" * 100), wrapper=("unshare", "-m", "sh", "-c", script, "sh")) as studio:
        heard = studio.hear()
    assert (heard["error"], heard["code"]) == ("Misconfigured", "socket_path_too_long")
    assert "STUDIO_DATA_DIR" in str(heard["action"])
    assert "TMPDIR" in str(heard["action"])


@needs_root
def test_a_disk_too_small_for_the_files(tmp_path: Path) -> None:
    with _small_disk(tmp_path / "disk", "24m") as disk:
        with pytest.raises(
            Unavailable, match=rf"the disk that holds {disk}/studio/postgres is full .*\d MB free"
        ) as told:
            start(disk / "studio")
        assert told.value.code == "disk_full"
        assert "Free at least" in str(told.value.action)
        # Nothing half-made is left to fill it.
        assert {path.name for path in (disk / "studio" / "postgres").iterdir()} <= {
            "postgres.log",
            "run.lock",
            "users.lock",
        }


@needs_root
def test_a_disk_that_has_filled_up_meanwhile_and_is_freed_again(tmp_path: Path) -> None:
    with _small_disk(tmp_path / "disk", "120m") as disk:
        start(disk / "studio").close()
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free)
        with pytest.raises(Unavailable) as told:
            start(disk / "studio")
        assert told.value.code == "disk_full"
        assert "0 MB free" in told.value.message
        ballast.unlink()
        with start(disk / "studio") as cluster:
            assert cluster.owner


def test_a_limit_on_the_size_of_files_reads_like_a_full_disk(tmp_path: Path) -> None:
    prelude = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8_000_000, 8_000_000))\n"
    with StudioProcess(tmp_path / "studio", prelude=prelude) as studio:
        assert studio.hear()["code"] == "disk_full"


def test_a_database_of_another_version_is_left_alone(made: Path, tmp_path: Path) -> None:
    _copy(made, tmp_path)
    version = tmp_path / "postgres" / "data" / "PG_VERSION"
    version.write_text("13\n")
    with pytest.raises(Misconfigured, match="made by PostgreSQL 13; this installation brings PostgreSQL 18") as told:
        start(tmp_path)
    assert told.value.code == "postgres_version"
    assert "STUDIO_PG_BIN" in str(told.value.action)
    version.write_text("18\n")
    start(tmp_path).close()


def test_a_directory_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    diary = tmp_path / "postgres" / "data" / "diary.txt"
    diary.write_text("mine")
    with pytest.raises(Misconfigured, match="not a PostgreSQL database") as told:
        start(tmp_path)
    assert told.value.code == "not_a_database"
    assert diary.read_text() == "mine"


def test_a_file_in_the_place_of_the_data_directory(tmp_path: Path) -> None:
    (tmp_path / "studio").write_text("")
    with pytest.raises(Misconfigured, match="is a file") as told:
        start(tmp_path / "studio")
    assert told.value.code == "data_dir_unusable"


def test_a_wrong_folder_of_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_PG_BIN", str(tmp_path))
    with pytest.raises(Misconfigured, match="no postgres and initdb in it") as told:
        start(tmp_path / "studio")
    assert told.value.code == "postgres_missing"


def test_without_the_wheel_the_system_serves_or_the_error_names_the_wheel() -> None:
    # -S: no site-packages, so no wheel.
    code = (
        f"import sys; sys.path.append({str(ROOT)!r}); from db.embedded.binaries import find_binaries as f; print(f())"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    if any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        assert done.stdout.startswith("/usr/lib/postgresql/")
    else:
        assert "the wheel that brings one is not installed" in done.stderr


def test_programs_for_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("postgres", "initdb"):
        (tmp_path / program).write_text(
            "#!/bin/sh\necho \"postgres: /lib/libc.so.6: version 'GLIBC_2.99' not found\" >&2; exit 1\n"
        )
        (tmp_path / program).chmod(0o755)
    tmp_path.chmod(0o755)
    monkeypatch.setenv("STUDIO_PG_BIN", str(tmp_path))
    with pytest.raises(Misconfigured, match=r"GLIBC_2\.99") as told:
        start(tmp_path / "studio")
    assert told.value.code == "postgres_incompatible"


def test_the_last_telling_lines_of_the_log_are_quoted(made: Path, tmp_path: Path) -> None:
    _copy(made, tmp_path)
    with pytest.raises(Misconfigured, match=r'FATAL: .*invalid value for parameter "max_connections"') as told:
        start(tmp_path, settings={"max_connections": "plenty"})
    assert told.value.code == "postgres_failed"
    assert str(tmp_path / "postgres" / "postgres.log") in told.value.message
    start(tmp_path).close()


def test_lines_that_tell_nothing_are_not_quoted() -> None:
    log = (
        "2026-11-21 11:34:31.996 UTC [5] LOG:  starting PostgreSQL 18.4\n"
        "2026-11-21 11:34:31.998 UTC [6] FATAL:  the database system is starting up\n"
        "2026-11-21 11:34:31.999 UTC [5] FATAL:  could not map memory\n"
        "2026-11-21 11:34:31.999 UTC [5] HINT:  Use less.\n"
        "2026-11-21 11:34:32.000 UTC [5] LOG:  database system is shut down\n"
    )
    assert telling_lines(log) == "FATAL:  could not map memory / HINT:  Use less."
    assert telling_lines("one\ntwo\n") == "one / two"
    assert telling_lines("") == ""


def test_a_postgresql_that_somebody_started_by_hand_is_not_disturbed(made: Path, tmp_path: Path) -> None:
    _copy(made, tmp_path)
    files, elsewhere = tmp_path / "postgres" / "data", tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    command = [str(find_binaries() / "postgres"), "-D", str(files), "-c", f"unix_socket_directories={elsewhere}"]
    by_hand = Identity(kind="namespace" if os.geteuid() == 0 else "self", uid=os.geteuid(), gid=os.getegid())
    with subprocess.Popen(
        as_somebody(by_hand, [*command, "-c", "listen_addresses="]), stderr=subprocess.DEVNULL, cwd="/"
    ) as postgres:
        try:
            until((elsewhere / ".s.PGSQL.5432").exists)
            assert postmaster_of(tmp_path) == postgres.pid
            with pytest.raises(Misconfigured, match=f"process {postgres.pid}") as told:
                start(tmp_path)
            assert told.value.code == "postgres_foreign"
            assert is_alive(postgres.pid)
        finally:
            postgres.terminate()
