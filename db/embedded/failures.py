"""What goes wrong with an embedded PostgreSQL, in plain words and with the way out."""

import errno
import os
import re
import shutil
from pathlib import Path

from core.errors import Misconfigured, StudioError, Unavailable

_MB = 1_000_000
# Below this PostgreSQL cannot write the files of a start; its log, on the same disk, may then say nothing.
_FULL_BELOW = 4 * _MB
_FULL = re.compile(r"No space left on device|Disk quota exceeded|File too large", re.IGNORECASE)
_PREFIX = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \w+ \[\d+\] ")
_TELLING = re.compile(r"^(initdb: |\S*postgres: )?(FATAL|PANIC|ERROR|DETAIL|HINT|error|detail|hint):|not found|cannot ")
# Our own question whether it answers yet.
_NOISE = "the database system is starting up"
_ELSEWHERE = "set STUDIO_DATA_DIR to another directory, or STUDIO_DATABASE_URL to a running PostgreSQL"


def telling_lines(text: str, *, limit: int = 4) -> str:
    """The last lines of a log that say what is wrong, joined into one; all of its last lines when none does."""
    lines = [_PREFIX.sub("", line).strip() for line in text.splitlines() if line.strip() and _NOISE not in line]
    telling = [line for line in lines if _TELLING.search(line)] or lines
    return " / ".join(telling[-limit:])


def disk_full(directory: Path, doing: str) -> Unavailable:
    """The disk under ``directory`` has no room; ``doing`` completes "PostgreSQL cannot …"."""
    free = _free(directory)
    return Unavailable(
        f"PostgreSQL cannot {doing}: the disk that holds {directory} is full or over its quota "
        f"({free / _MB:.0f} MB free).",
        code="disk_full",
        action="Free at least 200 MB there, or set STUDIO_DATA_DIR to a directory on another disk, then start again.",
    )


def of_output(text: str, *, doing: str, directory: Path, log: Path | None = None) -> StudioError:
    """The error for a program that gave up with ``text``; ``log`` is where a person can read on."""
    if _FULL.search(text) or _free(directory) < _FULL_BELOW:
        return disk_full(directory, doing)
    if "could not look up effective user ID" in text:
        return Misconfigured(
            f"User {os.geteuid()} has no name on this machine, and PostgreSQL's initdb needs one.",
            code="user_without_name",
            action="Add the user to /etc/passwd, run Studio as another user, or set STUDIO_DATABASE_URL.",
        )
    if "GLIBC_" in text or "cannot open shared object" in text:
        return Misconfigured(
            f"The PostgreSQL programs do not run on this machine: {telling_lines(text)}",
            code="postgres_incompatible",
            action="Use a newer Linux (glibc 2.27 or newer), name the bin folder of another PostgreSQL in "
            "STUDIO_PG_BIN, or set STUDIO_DATABASE_URL.",
        )
    if "FATAL:  cannot become" in text:
        return _no_identity(telling_lines(text), directory)
    where = f" The whole log is {log}." if log else ""
    return Misconfigured(
        f"PostgreSQL could not {doing}: {telling_lines(text) or 'it said nothing'}.{where}",
        code="postgres_failed",
        action=f"Change what the message names; else {_ELSEWHERE}.",
    )


def of_system(error: OSError, directory: Path) -> StudioError:
    """The error for what the operating system refused under ``directory``."""
    what = error.filename or directory
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return disk_full(directory, "write its files")
        case errno.EACCES | errno.EPERM:
            return not_ours(Path(os.fsdecode(what)))
        case errno.EROFS:
            reason = f"{directory} is on a file system that is read-only."
        case errno.ENOTDIR | errno.EEXIST:
            reason = f"{os.fsdecode(what)} is a file, where a directory is needed."
        case errno.ENOLCK | errno.EOPNOTSUPP | errno.ENOSYS:
            reason = f"The file system of {directory} has no file locks."
        case _:
            reason = f"{os.fsdecode(what)} cannot be used: {error.strerror or error}."
    return Misconfigured(reason, code="data_dir_unusable", action=f"Repair it, {_ELSEWHERE}.")


def not_ours(path: Path) -> Misconfigured:
    """A file or directory that belongs to another user."""
    try:
        owner = f"It belongs to user {path.lstat().st_uid}"
    except OSError:
        owner = "It belongs to somebody else"
    return Misconfigured(
        f"Studio runs as user {os.geteuid()}, which may not use {path}. {owner}.",
        code="data_dir_owner",
        action=f"Run Studio as the owner, give the directory to the user that runs it (chown -R), or {_ELSEWHERE}.",
    )


def other_version(found: str, ours: int, directory: Path) -> Misconfigured:
    """A data directory that another major version of PostgreSQL made."""
    return Misconfigured(
        f"The database in {directory} was made by PostgreSQL {found}; this installation brings PostgreSQL {ours}, "
        "which cannot read it.",
        code="postgres_version",
        action=f"Name the bin folder of PostgreSQL {found} in STUDIO_PG_BIN; or dump the database with that version's "
        f"pg_dump, move {directory} away, start Studio and load the dump.",
    )


def not_a_cluster(directory: Path) -> Misconfigured:
    """A directory in the place of the database that is none."""
    return Misconfigured(
        f"{directory} is not empty and not a PostgreSQL database (it has no PG_VERSION).",
        code="not_a_database",
        action=f"Move it away, {_ELSEWHERE}.",
    )


def stranger(pid: int, directory: Path) -> Misconfigured:
    """A PostgreSQL that Studio did not start runs in the data directory."""
    return Misconfigured(
        f"A PostgreSQL that Studio did not start (process {pid}) is running in {directory}.",
        code="postgres_foreign",
        action=f"Stop it (`pg_ctl stop -D {directory}`), then start Studio again.",
    )


def socket_path_too_long(directory: Path, limit: int) -> Misconfigured:
    """No place for the socket: paths of sockets are limited by the kernel, and no temporary directory would do."""
    return Misconfigured(
        f"The path {directory} cannot hold PostgreSQL's socket (at most {limit} bytes, no special characters), and no "
        "short private directory could be made in the temporary directory.",
        code="socket_path_too_long",
        action="Set STUDIO_DATA_DIR to a shorter path, or TMPDIR to a short directory that Studio may write to.",
    )


def not_linux(platform: str) -> Misconfigured:
    """The supervisor rests on Linux: death signals, flock, /proc."""
    return Misconfigured(
        f"The embedded PostgreSQL runs on Linux; this is {platform}.",
        code="platform_unsupported",
        action="Run Studio in a container (see compose.yaml), or set STUDIO_DATABASE_URL to a running PostgreSQL.",
    )


def too_slow(doing: str, text: str, log: Path) -> Unavailable:
    """Patience is used up; ``doing`` names what did not end."""
    said = telling_lines(text)
    return Unavailable(
        f"PostgreSQL took too long to {doing}." + (f" It says: {said}" if said else ""),
        code="postgres_slow",
        action=f"Try again; if it stays so, read {log} and end the processes that use its directory.",
        retry_after=5.0,
    )


def _no_identity(said: str, directory: Path) -> Misconfigured:
    return Misconfigured(
        f"Studio runs as root, which PostgreSQL refuses, and giving up root did not work: {said}.",
        code="root_refused",
        action=f"Run Studio as a normal user who owns {directory}, allow user namespaces, or set STUDIO_DATABASE_URL.",
    )


def _free(directory: Path) -> int:
    """Bytes that are free for us on the disk of a directory, or of the nearest parent that exists."""
    for path in (directory, *directory.parents):
        try:
            return shutil.disk_usage(path).free
        except OSError:
            continue
    return 0
