"""Secrets that Studio makes for itself and keeps in its data directory, each in a file for its user only."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import Misconfigured

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, kw_only=True)
class Persisted:
    """A secret from a file; ``is_new``: this process made it just now (so this one prints it)."""

    value: str = field(repr=False)
    is_new: bool


def load_or_create(path: Path, make: Callable[[], str]) -> Persisted:
    """The secret in ``path``, made by ``make`` when there is none; of processes that start at once one wins, for all.

    The file is whole or absent after a crash. Raises ``Misconfigured``: empty, readable by others, not reachable.
    """
    with _explained(path):
        if path.exists():
            return Persisted(value=_read(path), is_new=False)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        value = make()
        is_new = _publish(path, value)
        return Persisted(value=_read(path), is_new=is_new)


def amend(path: Path, change: Callable[[str], str]) -> str:
    """Replace the secret in ``path`` by ``change`` of it (a rotation puts a key in front); one process at a time."""
    with _explained(path), _locked(path.with_name(path.name + ".lock")):
        value = change(_read(path))
        temporary = _written(path, value)
        temporary.replace(path)
        _sync_directory(path.parent)
        return value


def _publish(path: Path, value: str) -> bool:
    """Give the file its name, whole; False when another process was first."""
    temporary = _written(path, value)
    try:
        os.link(temporary, path)  # fails when the name is taken: the O_EXCL of a finished file
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    _sync_directory(path.parent)
    return True


def _written(path: Path, value: str) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _read(path: Path) -> str:
    if path.stat().st_mode & _OTHERS:
        raise Misconfigured(
            f"{path} holds a secret and other users of this machine may read it.",
            code="secret_exposed",
            action=f"Run `chmod 600 {path}`; if others could have read it, replace the secret too.",
        )
    value = path.read_text(encoding="utf-8").strip()
    if not value:
        raise Misconfigured(
            f"{path} is empty, and should hold a secret.",
            code="secret_empty",
            action="Restore it from a backup; without it, what it sealed is lost.",
        )
    return value


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Misconfigured(
            f"The secret in {path} cannot be read or written: {error.strerror or type(error).__name__}.",
            code="secret_unreachable",
            action="Make STUDIO_DATA_DIR writable for the user that runs Studio, or free space.",
        ) from error
    except UnicodeDecodeError as error:
        raise Misconfigured(
            f"{path} does not hold text.", code="secret_unreadable", action="Restore it from a backup."
        ) from error
