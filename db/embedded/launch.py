"""How a PostgreSQL program stops being root: a small Python (`python -IS`) becomes somebody, then the program.

PostgreSQL refuses to run as root. Before the program is executed, this process either enters a user namespace in which
its user is called 65534 (files keep their owner, nobody else gets a way in), or gives up root for another user.
Only the standard library may be imported here.
"""

import ctypes
import json
import os
import signal
import sys

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
NOBODY = 65534


def become(kind: str, uid: int, gid: int) -> None:
    """Change who this process is: "namespace", "user" (``uid`` and ``gid``), or "self" for no change."""
    os.umask(0o077)
    if kind == "namespace":
        _enter_namespace()
    elif kind == "user":
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def die_with(parent: int, signum: signal.Signals) -> None:
    """Let the kernel send this process ``signum`` when ``parent`` dies, however it dies; survives exec.

    Call it after ``become``: a change of user clears it. Ends the process when the parent is dead already.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    """Run what the JSON in the last argument orders, never outliving its parent."""
    execute(**json.loads(sys.argv[-1]), at_its_death=signal.SIGKILL)


def execute(*, argv: list[str], kind: str, uid: int, gid: int, parent: int, at_its_death: signal.Signals) -> None:
    """Turn this process into ``argv`` run by a user (see ``become``); never returns, a failure is said on stderr."""
    doing = f"become another user ({kind} {uid})"
    try:
        become(kind, uid, gid)
        die_with(parent, at_its_death)
        doing = f"run {argv[0]}"
        os.execv(argv[0], argv)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.stderr.write(f"FATAL:  cannot {doing}: {error.strerror}\n")
        sys.stderr.flush()
    finally:
        os._exit(127)


def _enter_namespace() -> None:
    # Both must be read before: inside, they are the overflow ids until the maps are written.
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)  # os.unshare exists from Python 3.12 only
    if libc.unshare(_CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")
    # Without "deny" the kernel lets nobody but a privileged process write a group map.
    _write("/proc/self/setgroups", b"deny")
    _write("/proc/self/uid_map", b"%d %d 1" % (NOBODY, uid))
    _write("/proc/self/gid_map", b"%d %d 1" % (NOBODY, gid))


def _write(path: str, content: bytes) -> None:
    # Not pathlib: a text file would load a codec, from a directory that may be out of reach by now.
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)
