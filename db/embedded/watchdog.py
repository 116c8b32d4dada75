"""The process between Studio and its PostgreSQL: it stops PostgreSQL when nobody uses it any more.

Every process of Studio holds a shared lock on the file ``users`` for as long as it lives; the kernel takes it away
however the process ends. The watchdog waits for the exclusive lock: when it gets it, nobody is left. Should the
watchdog itself be killed, the kernel sends PostgreSQL the same signal (``launch.die_with``), so nothing is orphaned.
Runs as `python -IS`, in a session of its own; only the standard library may be imported here.
"""

import fcntl
import json
import os
import signal
import sys
import threading
import time

from db.embedded.launch import execute

# A fast shutdown writes a checkpoint; then an immediate one, which the next start recovers from; then the end.
# Seconds of patience after each.
_ENDINGS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 60.0))


def main() -> None:
    """Start the postmaster that the JSON in the last argument orders, stay until it is gone."""
    order = json.loads(sys.argv[-1])
    users = os.open(order.pop("users"), os.O_RDWR | os.O_CLOEXEC)
    if os.fork():
        os._exit(0)  # the starter waits for this one; the watchdog is nobody's child
    os.setsid()
    watchdog = os.getpid()
    postmaster = os.fork()
    if postmaster == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        execute(**order, parent=watchdog, at_its_death=signal.SIGINT)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_stop_when_unused, args=(users, postmaster), daemon=True).start()
    # Not reaped: as long as it is a zombie its pid cannot be given to a stranger that the thread would then signal.
    os.waitid(os.P_PID, postmaster, os.WEXITED | os.WNOWAIT)
    os._exit(0)


def _stop_when_unused(users: int, postmaster: int) -> None:
    fcntl.flock(users, fcntl.LOCK_EX)
    for number, patience in _ENDINGS:
        try:
            os.kill(postmaster, number)
        except PermissionError:
            os._exit(1)  # root without CAP_KILL: the kernel's death signal needs no permission
        time.sleep(patience)
