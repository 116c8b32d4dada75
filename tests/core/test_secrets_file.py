"""Secrets in the data directory: made once, whole, and for one user only."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import Misconfigured
from core.secrets_file import amend, load_or_create


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret_keys"
    first = load_or_create(path, lambda: "first")
    again = load_or_create(path, lambda: "second")
    assert (first.value, first.is_new) == ("first", True)
    assert (again.value, again.is_new) == ("first", False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["secret_keys"]


def test_a_secret_does_not_print(tmp_path: Path) -> None:
    assert "hunter2" not in repr(load_or_create(tmp_path / "key", lambda: "hunter2"))


def test_of_processes_that_start_at_once_one_wins_for_all(tmp_path: Path) -> None:
    script = """
import secrets, sys
from pathlib import Path
from core.secrets_file import load_or_create
sys.stdin.read()  # the gate: all start when it closes
made = load_or_create(Path(sys.argv[1]), lambda: secrets.token_hex(16))
print(made.value, made.is_new)
"""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "key")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.close()
        racer.stdin = None
    said = [racer.communicate(timeout=60)[0].split() for racer in racers]
    assert len({value for value, _ in said}) == 1
    assert [is_new for _, is_new in said].count("True") == 1


def test_a_rotation_puts_a_key_in_front(tmp_path: Path) -> None:
    path = tmp_path / "secret_keys"
    load_or_create(path, lambda: "old")
    assert amend(path, lambda keys: f"new,{keys}") == "new,old"
    assert load_or_create(path, lambda: "other").value == "new,old"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    load_or_create(path, lambda: "hunter2")
    path.chmod(0o640)
    with pytest.raises(Misconfigured, match="other users") as refusal:
        load_or_create(path, lambda: "other")
    assert "chmod 600" in str(refusal.value.action)
    assert "hunter2" not in refusal.value.message


@pytest.mark.parametrize(("content", "code"), [(b"\n", "secret_empty"), (b"\xff\xfe", "secret_unreadable")])
def test_a_spoilt_secret_is_not_replaced_in_silence(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(Misconfigured) as refusal:
        load_or_create(path, lambda: "other")
    assert refusal.value.code == code
    assert path.read_bytes() == content


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(Misconfigured, match="data/key"):
        load_or_create(tmp_path / "data" / "key", lambda: "x")
