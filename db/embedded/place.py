"""The folder of an embedded PostgreSQL: what lies where in it, and where its socket is."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from db.embedded import failures
from db.embedded.binaries import temporary_directories

PORT = 5432
# sun_path holds 107 bytes; "/.s.PGSQL.5432" is 14 of them, and a byte is kept in reserve.
_LONGEST_DIRECTORY = 107 - 15
# libpq splits hosts at commas, SQLAlchemy at colons, PostgreSQL's own list at commas and quotes.
_PLAIN = re.compile(r"/[\w /.+=~-]*")
_LARGEST_LOG = 5_000_000


@dataclass(frozen=True, kw_only=True)
class Place:
    """The folder ``<data dir>/postgres``: private (0700), with the database, the locks and the log in it.

    ``users.lock`` is shared by everybody who uses PostgreSQL. ``run.lock`` is taken by whoever starts it, then
    inherited by the watchdog and every process of PostgreSQL: free means that none of them lives or is being started.
    """

    root: Path

    @property
    def files(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """What PostgreSQL and its watchdog say."""
        return self.root / "postgres.log"

    @property
    def users_lock(self) -> Path:
        """Shared by everybody who uses PostgreSQL."""
        return self.root / "users.lock"

    @property
    def run_lock(self) -> Path:
        """Held by whoever starts PostgreSQL, then by everything of PostgreSQL that lives."""
        return self.root / "run.lock"

    @property
    def _socket_note(self) -> Path:
        return self.root / "socket.path"

    def make(self) -> None:
        """Make the folder and its locks when they are missing; never touches an existing parent."""
        self.root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.mkdir(mode=0o700, exist_ok=True)
        found = self.root.stat()
        if os.geteuid() not in {0, found.st_uid}:
            raise failures.not_ours(self.root)
        if found.st_mode & 0o077:
            self.root.chmod(0o700)
        for path in (self.users_lock, self.run_lock, self.log):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            self.give_to_owner(path)

    def give_to_owner(self, path: Path) -> None:
        """What root makes in somebody's folder is that somebody's, who may come back without root."""
        owner = self.root.stat()
        if os.geteuid() == 0 and path.lstat().st_uid != owner.st_uid:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)

    def socket(self) -> Path:
        """The directory of the socket: in the folder, else the one that the last start noted."""
        if self._fits(self.root / "socket"):
            return self.root / "socket"
        try:
            return Path(os.fsdecode(self._socket_note.read_bytes())) / "socket"
        except FileNotFoundError:
            return self.root / "socket"

    def make_socket(self, own: Callable[[Path], None]) -> Path:
        """The socket directory (0700), made when missing; ``own`` gives it to PostgreSQL's user."""
        directory = self.socket()
        if directory.parent != self.root and not (self._fits(directory) and self._private(directory.parent)):
            directory = self.root / "socket"
        if not self._fits(directory):
            directory = self._short_home() / "socket"
            self._socket_note.write_bytes(os.fsencode(directory.parent))
            self.give_to_owner(self._socket_note)
        directory.mkdir(mode=0o700, exist_ok=True)
        own(directory)
        return directory

    def forget_socket(self) -> None:
        """Remove a short socket directory from the temporary directory. Only for the holder of ``run.lock``."""
        home = self.socket().parent
        if home != self.root and self._private(home):
            shutil.rmtree(home, ignore_errors=True)
            self._socket_note.unlink(missing_ok=True)

    def open_log(self) -> int:
        """A descriptor to append to the log; a log that has grown large is set aside as postgres.log.1 first."""
        if self.log.stat().st_size > _LARGEST_LOG:
            self.log.replace(self.log.with_name("postgres.log.1"))
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self.give_to_owner(self.log)
        return descriptor

    def log_since(self, offset: int) -> str:
        """The log from a byte on, at most its last 20,000 bytes."""
        with self.log.open("rb") as file:
            file.seek(max(offset, self.log.stat().st_size - 20_000))
            return file.read().decode(errors="replace")

    def version(self) -> str | None:
        """The major version that made the database, None when there is none yet."""
        try:
            return (self.files / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            if self.files.is_dir() and any(self.files.iterdir()):
                raise failures.not_a_cluster(self.files) from None
            return None

    def clear_remains(self, socket: Path) -> None:
        """Remove the pid files of a PostgreSQL that was killed. Only for the holder of ``run.lock``.

        PostgreSQL would believe a pid that meanwhile belongs to somebody else. We know better: nobody of ours lives.
        """
        note = self.files / "postmaster.pid"
        if (pid := self._living_postmaster(note)) is not None:
            raise failures.stranger(pid, self.files)
        for path in (note, socket / f".s.PGSQL.{PORT}", socket / f".s.PGSQL.{PORT}.lock"):
            path.unlink(missing_ok=True)

    def _living_postmaster(self, note: Path) -> int | None:
        """The pid in postmaster.pid if it is a postgres in this data directory: one started by hand."""
        try:
            pid = int(note.read_text(encoding="utf-8").split("\n", 1)[0])
            program = Path(f"/proc/{pid}/exe").readlink().name
            here = Path(f"/proc/{pid}/cwd").stat()
        except (OSError, ValueError):
            return None
        return pid if program.startswith("postgres") and os.path.samestat(here, self.files.stat()) else None

    def _fits(self, directory: Path) -> bool:
        return len(os.fsencode(directory)) <= _LONGEST_DIRECTORY and _PLAIN.fullmatch(str(directory)) is not None

    def _private(self, home: Path) -> bool:
        try:
            found = home.lstat()
        except FileNotFoundError:
            return False
        return stat.S_ISDIR(found.st_mode) and found.st_uid == self.root.stat().st_uid and not found.st_mode & 0o077

    def _short_home(self) -> Path:
        for base in temporary_directories():
            if not self._fits(base / "studio-pg-12345678" / "socket"):
                continue
            try:
                home = Path(tempfile.mkdtemp(prefix="studio-pg-", dir=base))
            except OSError:
                continue
            self.give_to_owner(home)
            return home
        raise failures.socket_path_too_long(self.root, _LONGEST_DIRECTORY)
