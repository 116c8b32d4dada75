"""Root, a normal user and a user without a name can all have an embedded PostgreSQL, and nobody else gets near it."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import psutil
import psycopg
import pytest

from db.embedded.binaries import find_binaries
from db.embedded.cluster import start
from tests.db.embedded_process import (
    NOBODY,
    StudioProcess,
    is_alive,
    needs_root,
    postmaster_of,
    until,
    until_unused,
)

NAMELESS = 54321

# What Docker's default seccomp profile does to a container's root: unshare is not permitted.
WITHOUT_NAMESPACES = """
import ctypes, platform, struct
number = {"x86_64": 272, "aarch64": 97}[platform.machine()]
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code)))
assert ctypes.CDLL(None).prctl(22, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) == 0
"""


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A directory that every user may enter; pytest's own are private."""
    path = Path(mkdtemp(prefix="studio-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    until_unused(path)
    shutil.rmtree(path)


def _home_of(uid: int, open_dir: Path) -> Path:
    home = open_dir / str(uid)
    home.mkdir(mode=0o700)
    os.chown(home, uid, uid)
    return home


def _connect_as(uid: int, dsn: str) -> str:
    """What another user hears who tries to connect."""
    code = (
        f"import os, sys, psycopg; os.setgroups([]); os.setgid({uid}); os.setuid({uid});"
        "psycopg.connect(sys.argv[1]); print('came in')"
    )
    done = subprocess.run([sys.executable, "-c", code, dsn], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@needs_root
def test_as_root_it_stays_inside_and_changes_nothing_outside(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    passwd = Path("/etc/passwd").read_bytes()
    with start(private / "studio") as cluster:
        postmaster = psutil.Process(postmaster_of(private / "studio"))
        assert postmaster.uids().real == 0 or postmaster.uids().real == NOBODY
        with psycopg.connect(cluster.dsn(database="studio")) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    assert private.stat().st_mode & 0o777 == 0o700
    assert private.stat().st_uid == 0
    assert Path("/etc/passwd").read_bytes() == passwd


@needs_root
def test_another_user_cannot_reach_the_socket_of_root(open_dir: Path) -> None:
    (open_dir / "studio").mkdir(mode=0o755)
    with start(open_dir / "studio") as cluster:
        assert "Permission denied" in _connect_as(NOBODY, cluster.dsn(database="studio"))


@needs_root
@pytest.mark.parametrize("uid", [NOBODY, NAMELESS])
def test_a_normal_user_with_or_without_a_name(open_dir: Path, uid: int) -> None:
    data_dir = _home_of(uid, open_dir) / "studio"
    for _ in range(2):
        with StudioProcess(data_dir, uid=uid) as studio:
            assert studio.started()["owner"]
            assert studio.ask("ask") == {"answer": 42}
            postmaster = postmaster_of(data_dir)
            assert psutil.Process(postmaster).uids().real == uid
            studio.kill()
            until(lambda pid=postmaster: not is_alive(pid), 1.0)  # type: ignore[misc]
    with pytest.raises(KeyError):
        pwd.getpwuid(NAMELESS)


@needs_root
def test_root_in_a_container_without_user_namespaces_gives_up_root(tmp_path: Path) -> None:
    # tmp_path is root's and private: the user that PostgreSQL becomes could not walk to it.
    data_dir = tmp_path / "studio"
    with StudioProcess(data_dir, prelude=WITHOUT_NAMESPACES) as studio:
        assert studio.started()["owner"]
        postmaster = postmaster_of(data_dir)
        assert psutil.Process(postmaster).uids().real == NOBODY
        assert (data_dir / "postgres" / "data").stat().st_uid == NOBODY
        assert (data_dir / "postgres").stat().st_uid == 0
        studio.kill()
        until(lambda: not is_alive(postmaster), 1.0)
    # The same files on a machine that has namespaces: they stay that user's.
    with start(data_dir):
        assert psutil.Process(postmaster_of(data_dir)).uids().real == NOBODY


@needs_root
def test_files_of_a_root_with_namespaces_are_taken_over_where_there_are_none(tmp_path: Path) -> None:
    data_dir = tmp_path / "studio"
    with start(data_dir) as cluster, psycopg.connect(cluster.dsn(database="studio"), autocommit=True) as connection:
        connection.execute("create table kept as select 42 as answer")
    with StudioProcess(data_dir, prelude=WITHOUT_NAMESPACES) as studio:
        dsn = str(studio.started()["dsn"])
        with psycopg.connect(dsn) as connection:
            assert connection.execute("select answer from kept").fetchone() == (42,)


@needs_root
def test_another_process_of_the_user_that_root_became_cannot_reach_the_socket(open_dir: Path) -> None:
    with StudioProcess(open_dir / "studio", prelude=WITHOUT_NAMESPACES) as studio:
        dsn = str(studio.started()["dsn"])
        assert psutil.Process(postmaster_of(open_dir / "studio")).uids().real == NOBODY
        assert "Permission denied" in _connect_as(NOBODY, dsn)


@needs_root
def test_programs_in_a_private_home_are_copied_where_they_can_be_run(tmp_path: Path, open_dir: Path) -> None:
    folder = find_binaries()
    package = folder.parents[1]
    private = tmp_path / "site-packages"
    private.mkdir(mode=0o700)
    shutil.copytree(folder.parent, private / package.name / folder.parent.name, symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), private / f"{package.name}.libs")
    programs = private / package.name / folder.parent.name / folder.name
    environment = {"STUDIO_PG_BIN": str(programs), "TMPDIR": str(open_dir)}
    for _ in range(2):
        with StudioProcess(tmp_path / "studio", environment=environment, prelude=WITHOUT_NAMESPACES) as studio:
            assert studio.started()["owner"]
            program = Path(psutil.Process(postmaster_of(tmp_path / "studio")).exe())
            assert program.is_relative_to(open_dir)
            assert studio.ask("close")["closed"]
    assert len(list(open_dir.iterdir())) == 1  # the second start used the copy of the first
    assert private.stat().st_mode & 0o777 == 0o700


@needs_root
def test_root_leaves_the_database_of_a_normal_user_to_that_user(open_dir: Path) -> None:
    data_dir = _home_of(NOBODY, open_dir) / "studio"
    with StudioProcess(data_dir, uid=NOBODY) as studio:
        studio.started()
        studio.ask("close")
    with start(data_dir) as cluster:
        assert cluster.owner
        assert psutil.Process(postmaster_of(data_dir)).uids().real == NOBODY
    assert {path.lstat().st_uid for path in data_dir.rglob("*")} == {NOBODY}
    with StudioProcess(data_dir, uid=NOBODY) as studio:
        assert studio.started()["owner"]
        assert studio.ask("ask") == {"answer": 42}


@needs_root
def test_a_normal_user_is_told_whose_the_directory_is(open_dir: Path) -> None:
    home = _home_of(NOBODY, open_dir)
    (home / "studio").mkdir(mode=0o755)
    start(home / "studio").close()
    with StudioProcess(home / "studio", uid=NOBODY) as studio:
        heard = studio.hear()
    assert (heard["error"], heard["code"]) == ("Misconfigured", "data_dir_owner")
    assert f"user {NOBODY}" in str(heard["message"])
    assert "belongs to user 0" in str(heard["message"])
    assert "chown" in str(heard["action"])
