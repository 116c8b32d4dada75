"""An embedded PostgreSQL: started by the first process that needs it, joined by others, stopped after the last.

What happens when somebody is killed (-9):

- a process of Studio: the others keep PostgreSQL; after the last one the watchdog stops it within milliseconds;
- the watchdog: the kernel stops PostgreSQL cleanly, connections break, ``Cluster.ensure`` starts it again;
- PostgreSQL: connections break, nothing restarts it by itself, ``Cluster.ensure`` does. No committed row is lost.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg

from core.errors import StudioError
from db.embedded import failures, locks, readiness
from db.embedded.creation import create
from db.embedded.identity import Programs, choose, directories, environment, small_python
from db.embedded.parameters import arguments
from db.embedded.place import PORT, Place

Say = Callable[[str], None]
# A server that replays its log answers "starting": that is progress, and may take minutes after a crash.
_RECOVERY = 900.0
# The watchdog's own patience with a postmaster is 30 s; who closes need not wait for all of it.
_STOP = 15.0


class Cluster:
    """A running PostgreSQL and this process's claim on it; made by ``start``. Its methods may be called by any thread.

    The claim ends with ``close`` or with the process, however that ends.
    """

    def __init__(self, place: Place, *, settings: Mapping[str, str], patience: float, say: Say) -> None:
        self._place = place
        self._settings = settings
        self._patience = patience
        self._say = say
        self._mutex = threading.Lock()
        self._claim: int | None = None
        self._closed = False
        self._owner = False

    @property
    def data_dir(self) -> Path:
        """The folder of the database, its locks and its log: ``<STUDIO_DATA_DIR>/postgres``."""
        return self._place.root

    @property
    def log(self) -> Path:
        """PostgreSQL's log."""
        return self._place.log

    @property
    def owner(self) -> bool:
        """Whether this process started PostgreSQL (the last time), else it joined one that was running."""
        return self._owner

    def dsn(self, *, database: str, user: str = "postgres") -> str:
        """The URL for psycopg 3 and for SQLAlchemy, sync and async. There is no password: the directory is the lock."""
        host = quote(str(self._place.socket()))
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={host}&port={PORT}"

    def ensure(self) -> bool:
        """Start PostgreSQL again if it died; False when it was alive. Blocks up to some seconds: use a thread.

        To be called when connections fail. Any number of processes may do so at once: one starts, the others join.
        Raises ``Unavailable`` or ``Misconfigured``, as ``start`` does.
        """
        with self._mutex:
            if self._closed:
                raise RuntimeError("This Cluster was closed: call start() for a new one")
            try:
                return self._ensure()
            except OSError as error:
                raise failures.of_system(error, self._place.root) from error
            except psycopg.errors.DiskFull as error:
                raise failures.disk_full(self._place.root, "create the database") from error

    def close(self) -> None:
        """Give up the claim; whoever is last waits until PostgreSQL has stopped (a fast shutdown). Idempotent.

        Close pools first: connections that are still open are cut off when this was the last claim.
        """
        with self._mutex:
            self._closed = True
            claim, self._claim = self._claim, None
            if claim is None:
                return
            last = locks.only_holder(claim)
            os.close(claim)
            # The attempt can lose to the watchdog that waits for exactly this: then nobody can share the lock.
            if last or not locks.is_shareable(self._place.users_lock):
                self._await_stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ensure(self) -> bool:
        if self._claim is not None and readiness.ask(self._place.socket()) in {"ready", "busy"}:
            return False
        self._place.make()
        patience = locks.Patience(self._patience)
        if self._claim is None:
            # Refused while a watchdog stops PostgreSQL for lack of users: some milliseconds.
            self._claim = locks.wait(self._place.users_lock, patience, shared=True)
        if self._claim is None:
            raise self._too_slow("stop, after its last user left")
        return self._join_or_launch(patience)

    def _join_or_launch(self, patience: locks.Patience) -> bool:
        """Who gets ``run_lock`` starts PostgreSQL; who does not waits until it answers, or until the lock is free."""
        recovery, told = locks.Patience(_RECOVERY), False
        while (answer := readiness.ask(self._place.socket())) != "ready":
            run_lock = locks.attempt(self._place.run_lock)
            if run_lock is not None:
                self._launch(run_lock)
                return True
            if not told:
                self._say("Another process is starting PostgreSQL: waiting for it")
                told = True
            if answer == "starting" and recovery.pause():
                patience.renew()
            elif not patience.pause():
                raise self._too_slow("give a connection (all are in use)" if answer == "busy" else "answer")
        self._owner = False
        self._say("Joined the PostgreSQL that is running already")
        return False

    def _launch(self, run_lock: int) -> None:
        """Start PostgreSQL behind a watchdog; takes the descriptor of the held ``run_lock``."""
        place = self._place
        try:
            programs = choose(place)
            version = place.version()
            if version is None:
                self._say(f"Creating the database files in {place.root} (once)")
                create(place, programs, run_lock)
            elif version != str(programs.major):
                raise failures.other_version(version, programs.major, place.files)
            programs.identity.own(place.files)
            socket = place.make_socket(programs.identity.own)
            place.clear_remains(socket)
            self._say(f"Starting PostgreSQL {programs.major}")
            said_from = self._spawn(programs, socket, run_lock)
        finally:
            os.close(run_lock)
        self._await_ready(socket, said_from)
        self._owner = True

    def _spawn(self, programs: Programs, socket: Path, run_lock: int) -> int:
        """Start the watchdog, which starts PostgreSQL; returns where in the log their words begin."""
        identity, place = programs.identity, self._place
        log = place.open_log()
        try:
            said_from = place.log.stat().st_size
            with directories(identity, place.files, socket) as ((files, listening), descriptors):
                postgres = [str(programs.folder / "postgres"), "-D", files, "-p", str(PORT)]
                order = {
                    "users": str(place.users_lock),
                    "kind": identity.kind,
                    "uid": identity.uid,
                    "gid": identity.gid,
                    "argv": [*postgres, *arguments(programs.major, listening, self._settings)],
                }
                subprocess.run(  # noqa: S603
                    small_python("watchdog", order),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    env=environment(),
                    pass_fds=(run_lock, *descriptors),
                    check=False,
                )
        finally:
            os.close(log)
        return said_from

    def _await_ready(self, socket: Path, said_from: int) -> None:
        place = self._place
        patience, recovery = locks.Patience(self._patience), locks.Patience(_RECOVERY)
        told = False
        while (answer := readiness.ask(socket)) != "ready":
            if answer == "silent" and locks.is_free(place.run_lock):
                raise self._failed(said_from)
            if answer == "starting" and recovery.pause():
                patience.renew()
                if not told and "automatic recovery in progress" in place.log_since(said_from):
                    self._say("PostgreSQL was killed the last time: it is recovering what was committed")
                    told = True
            elif not patience.pause():
                raise self._too_slow("start")

    def _await_stop(self) -> None:
        with suppress(FileNotFoundError):  # somebody removed the folder
            run_lock = locks.wait(self._place.run_lock, locks.Patience(_STOP))
            if run_lock is not None:
                self._place.forget_socket()
                os.close(run_lock)

    def _failed(self, said_from: int) -> StudioError:
        place = self._place
        return failures.of_output(place.log_since(said_from), doing="start", directory=place.root, log=place.log)

    def _too_slow(self, doing: str) -> StudioError:
        return failures.too_slow(doing, self._place.log_since(0), self._place.log)


def start(
    data_dir: Path,
    *,
    on_progress: Say | None = None,
    settings: Mapping[str, str] | None = None,
    patience: float = 60.0,
) -> Cluster:
    """Start or join the PostgreSQL of a data directory (STUDIO_DATA_DIR); it has a database ``studio`` then.

    Synchronous: some 30 ms when it exists, a second when it is new. ``on_progress`` gets sentences for people.
    ``settings`` are PostgreSQL's own names and values, added to ours; who joins takes what is running.
    ``patience`` is how many seconds a start may last without a sign of progress.

    Raises ``Misconfigured`` for what a person has to change (no programs, a database of another version or owner, no
    place for the socket), ``Unavailable`` for a full disk and for what did not end in time.
    """
    if sys.platform != "linux":
        raise failures.not_linux(sys.platform)
    place = Place(root=Path(data_dir).absolute() / "postgres")
    cluster = Cluster(place, settings=settings or {}, patience=patience, say=on_progress or (lambda _: None))
    try:
        cluster.ensure()
    except BaseException:
        cluster.close()
        raise
    return cluster
