"""Who runs PostgreSQL: ourselves, or, when we are root, somebody whom PostgreSQL accepts."""

import json
import os
import pwd
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from db.embedded import failures
from db.embedded.binaries import find_binaries, reachable_copies
from db.embedded.launch import NOBODY
from db.embedded.place import Place

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_SOURCES = str(Path(__file__).parents[2])


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A way to be somebody else than root; ``uid`` and ``gid`` are whom PostgreSQL's files belong to."""

    kind: Literal["self", "namespace", "user"]
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give a directory of ours, and what is in it, to PostgreSQL's user."""
        if path.lstat().st_uid == self.uid:
            return
        for folder, _, names in os.walk(path):
            for inner in (folder, *(os.path.join(folder, name) for name in names)):  # noqa: PTH118 - os.walk gives text
                os.chown(inner, self.uid, self.gid, follow_symlinks=False)


@dataclass(frozen=True, kw_only=True)
class Programs:
    """PostgreSQL's programs, their major version, and who runs them; proven by running one."""

    folder: Path
    major: int
    identity: Identity


def small_python(module: str, order: Mapping[str, object]) -> list[str]:
    """The command that runs ``main`` of a module of this package without site-packages or the environment's ideas."""
    code = f"import sys; sys.path.append({_SOURCES!r}); from db.embedded.{module} import main; main()"
    return [sys.executable, "-I", "-S", "-c", code, json.dumps(order)]


def as_somebody(identity: Identity, argv: Sequence[str]) -> list[str]:
    """The command that runs ``argv`` as an identity, for as long as this process lives."""
    order = {"kind": identity.kind, "uid": identity.uid, "gid": identity.gid, "parent": os.getpid(), "argv": argv}
    return small_python("launch", order)


def environment() -> dict[str, str]:
    """What PostgreSQL may know of our environment: no secret, no PG… variable, no language."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


@contextmanager
def directories(identity: Identity, *paths: Path) -> Iterator[tuple[list[str], list[int]]]:
    """Names for directories by which the identity finds them, and the descriptors its process must inherit.

    Somebody who is not root may be unable to enter the parents (a private home). An inherited descriptor opens the
    directory itself, so no parent's mode matters and none has to be changed.
    """
    if identity.kind == "self":
        yield [str(path) for path in paths], []
        return
    descriptors = [os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for path in paths]
    try:
        yield [f"/proc/self/fd/{descriptor}" for descriptor in descriptors], descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def choose(place: Place) -> Programs:
    """Find the programs and somebody who can run them.

    Raises ``Misconfigured`` when there are none, or when they do not run here.
    """
    folder = find_binaries()
    reasons: list[str] = []
    candidates = _candidates(place)
    for identity in candidates:
        major, said = _probe(folder, identity)
        if major is not None:
            return Programs(folder=folder, major=major, identity=identity)
        if "FATAL:  cannot" not in said:  # our own words: without them the program ran, and does not work here
            raise failures.of_output(said, doing="run", directory=place.root)
        reasons.append(said)
    # Only somebody who is not let in is helped by a copy elsewhere.
    copies = reachable_copies(folder) if any("Permission denied" in said for said in reasons) else ()
    for copy in copies:
        for identity in candidates:
            major, said = _probe(copy, identity)
            if major is not None:
                return Programs(folder=copy, major=major, identity=identity)
            reasons.append(said)
    raise failures.of_output("\n".join(dict.fromkeys(reasons)), doing="run", directory=place.root)


def for_creation(identity: Identity) -> Identity:
    """Who runs initdb, which wants its user to have a name: in a namespace everybody is called ``nobody``."""
    if identity.kind == "self":
        try:
            pwd.getpwuid(identity.uid)
        except KeyError:
            return Identity(kind="namespace", uid=identity.uid, gid=identity.gid)
    return identity


def _candidates(place: Place) -> list[Identity]:
    uid, gid = os.geteuid(), os.getegid()
    owner = (place.files if place.files.is_dir() else place.root).stat()
    if uid != 0:
        if owner.st_uid != uid:
            raise failures.not_ours(place.files)
        return [Identity(kind="self", uid=uid, gid=gid)]
    if owner.st_uid != 0:
        # Made by a normal user, or by root where namespaces are forbidden: it stays that user's.
        return [Identity(kind="user", uid=owner.st_uid, gid=owner.st_gid)]
    return [Identity(kind="namespace", uid=0, gid=gid), Identity(kind="user", uid=NOBODY, gid=NOBODY)]


def _probe(folder: Path, identity: Identity) -> tuple[int | None, str]:
    """The major version of the programs when the identity can run them, and what was said."""
    command = [str(folder / "postgres"), "--version"]
    if identity.kind != "self":
        command = as_somebody(identity, command)
    try:
        done = subprocess.run(command, capture_output=True, cwd="/", env=environment(), check=False, timeout=30)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"FATAL:  cannot run {folder / 'postgres'}: {error}"
    said = (done.stdout + done.stderr).decode(errors="replace").strip()
    match = _VERSION.search(said)
    return (int(match[1]) if match and done.returncode == 0 else None), said
