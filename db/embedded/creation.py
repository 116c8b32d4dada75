"""Making the files of a new database: initdb beside its place, then one rename, so that a kill leaves no half."""

import os
import shutil
import subprocess

from db.embedded import failures
from db.embedded.identity import Programs, as_somebody, directories, environment, for_creation
from db.embedded.place import Place

_MAJOR_WITH_BUILTIN_LOCALE = 17
_MAJOR_WITH_SYNCFS = 17


def create(place: Place, programs: Programs, run_lock: int) -> None:
    """Make ``place.files``. ``run_lock`` is the descriptor of the held lock: initdb inherits it.

    Raises ``Unavailable`` on a full disk, ``Misconfigured`` when initdb refuses.
    """
    fresh = place.root / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)  # what a killed start left: the held lock says that nobody works in it
    fresh.mkdir(mode=0o700)
    programs.identity.own(fresh)
    identity = for_creation(programs.identity)
    with directories(identity, fresh) as ((name,), descriptors):
        done = subprocess.run(  # noqa: S603
            as_somebody(identity, _initdb(programs, name)),
            capture_output=True,
            cwd="/",
            env=environment(),
            pass_fds=(run_lock, *descriptors),
            check=False,
        )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")
        failure = failures.of_output(said, doing="create its files", directory=place.root)
        shutil.rmtree(fresh, ignore_errors=True)
        raise failure
    fresh.rename(place.files)
    descriptor = os.open(place.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _initdb(programs: Programs, name: str) -> list[str]:
    locale = ["--encoding=UTF8", "--locale=C"]
    if programs.major >= _MAJOR_WITH_BUILTIN_LOCALE:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return [
        str(programs.folder / "initdb"),
        "-D",
        name,
        "-U",
        "postgres",
        # Whoever reaches the socket is trusted: its directory is entered by its owner alone.
        "--auth=trust",
        "--data-checksums",
        *locale,
        # One flush instead of a thousand: a third of the time on a busy disk.
        *(["--sync-method=syncfs"] if programs.major >= _MAJOR_WITH_SYNCFS else []),
    ]
