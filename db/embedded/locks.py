"""File locks (flock) that the kernel takes back when a process dies, and patience with a limit."""

import fcntl
import os
import time
from pathlib import Path

_PAUSE = 0.004


class Patience:
    """A limit on waiting, in seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def pause(self) -> bool:
        """Wait a moment; False when the time is used up."""
        if time.monotonic() >= self._end:
            return False
        time.sleep(_PAUSE)
        return True

    def renew(self) -> None:
        """Begin again: there was progress."""
        self._end = time.monotonic() + self._seconds


def attempt(path: Path, *, shared: bool = False) -> int | None:
    """A file descriptor that holds the lock until it is closed, None when somebody else holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BaseException as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor


def wait(path: Path, patience: Patience, *, shared: bool = False) -> int | None:
    """As ``attempt``, but waits for the lock; None when patience is used up."""
    while (descriptor := attempt(path, shared=shared)) is None:
        if not patience.pause():
            return None
    return descriptor


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock at all; a file that is gone is free."""
    return _could_be_had(path, shared=False)


def is_shareable(path: Path) -> bool:
    """Whether nobody holds the lock for himself; a file that is gone is shareable."""
    return _could_be_had(path, shared=True)


def only_holder(descriptor: int) -> bool:
    """Whether a shared lock could be made exclusive. Afterwards the lock may be lost: close the descriptor."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _could_be_had(path: Path, *, shared: bool) -> bool:
    try:
        descriptor = attempt(path, shared=shared)
    except FileNotFoundError:
        return True
    if descriptor is None:
        return False
    os.close(descriptor)
    return True
