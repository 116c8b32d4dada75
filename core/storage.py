"""Where media are kept: a port addressed by content, and its implementation in a directory."""

import errno
import hashlib
import os
import re
import secrets
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Protocol, TypeVar

from core.errors import Misconfigured, NotFound, StudioError, TooLarge, Unavailable
from core.threads import in_thread

_CHUNK = 1 << 20  # bytes per hop into a thread
_KEY = re.compile(r"[0-9a-f]{64}")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_ABANDONED_SECONDS = 86_400

_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A file of the store: ``key`` is the SHA-256 of its bytes, in 64 hexadecimal digits."""

    key: str
    size_bytes: int


class Staged(Protocol):
    """A file on its way into the store, local to this machine; gone with its context unless it was kept."""

    @property
    def path(self) -> Path:
        """Where its bytes can be looked at, once ``finish`` was called."""

    async def write(self, chunk: bytes) -> None:
        """Add bytes. Raises ``TooLarge`` as soon as the limit is passed, ``Unavailable`` when the disk is full."""

    async def finish(self) -> Stored:
        """No more bytes: what the file's key and size are. It is not in the store yet."""

    async def keep(self) -> Stored:
        """Put it into the store, so that it survives a crash of the machine."""


class MediaStore(Protocol):
    """Keeps files under the hash of their content; the same bytes again are the same file. Any process may share it."""

    def stage(self, *, limit_bytes: int) -> AbstractAsyncContextManager[Staged]:
        """A new file, to be written, looked at, and then kept or dropped."""

    async def put(self, data: bytes | AsyncIterable[bytes], *, limit_bytes: int) -> Stored:
        """Keep these bytes, whatever they are. Raises ``TooLarge``, or ``Unavailable`` when the disk is full."""

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from ``start`` up to, not including, ``end`` (None = to the end), in chunks of at most 1 MiB.

        A range beyond the file gives what there is of it, perhaps nothing. Raises ``NotFound`` at the first chunk.
        """

    async def size(self, key: str) -> int:
        """The file's size in bytes. Raises ``NotFound``."""

    async def exists(self, key: str) -> bool:
        """Whether the store has this file."""

    async def probe(self) -> None:
        """Write, read and delete a marker. Raises ``Misconfigured`` when the store cannot be used."""


class DirectoryStore:
    """A ``MediaStore`` in a directory that all processes see: ``ab/cd/abcd…`` by hash, ``staging/`` for arrivals."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._staging = _staging(root)

    @asynccontextmanager
    async def stage(self, *, limit_bytes: int) -> AsyncIterator[Staged]:
        """A file in ``staging/``; it vanishes at the end unless it was kept."""
        staged = _StagedFile(self._root, limit_bytes)
        try:
            yield staged
        finally:
            await in_thread(staged.discard)

    async def put(self, data: bytes | AsyncIterable[bytes], *, limit_bytes: int) -> Stored:
        """Keep these bytes without holding more than a few chunks of a stream in memory."""
        async with self.stage(limit_bytes=limit_bytes) as staged:
            if isinstance(data, bytes):
                await staged.write(data)
            else:
                async for chunk in data:
                    await staged.write(chunk)
            return await staged.keep()

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of a range, in chunks; the file is open only while they are being read."""
        if start < 0 or (end is not None and end < 0):
            raise ValueError("a byte range counts from the beginning of the file")
        path = _path(self._root, key)
        with ExitStack() as held:  # entered in the thread: a caller that is cancelled meanwhile loses no open file
            file = await _attempt(lambda: held.enter_context(path.open("rb", buffering=0)))
            file.seek(start)
            left = None if end is None else end - start
            while left is None or left > 0:
                chunk = await _attempt(partial(file.read, _CHUNK if left is None else min(_CHUNK, left)))
                if not chunk:
                    return
                left = None if left is None else left - len(chunk)
                yield chunk

    async def size(self, key: str) -> int:
        """The file's size in bytes."""
        path = _path(self._root, key)
        return (await _attempt(path.stat)).st_size

    async def exists(self, key: str) -> bool:
        """Whether the file is there; what is no key at all is not there either."""
        try:
            await self.size(key)
        except NotFound:
            return False
        return True

    async def probe(self) -> None:
        """Prove that files can be written, read and deleted; clears what a killed process left in ``staging/``."""
        try:
            await in_thread(self._probe)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise Misconfigured(
                f"The media store {self._root} cannot be used: {reason}.",
                code="media_store_unreachable",
                action="Make the directory writable for the user that runs Studio (STUDIO_DATA_DIR), or free space.",
            ) from error

    def _probe(self) -> None:
        file, marker = _new_file(self._root)
        try:
            words = secrets.token_bytes(32)
            with file:
                file.write(words)
                os.fsync(file.fileno())
            if marker.read_bytes() != words:
                raise OSError(errno.EIO, "what was written is not what is read back")
        finally:
            marker.unlink()
        self._sweep()

    def _sweep(self) -> None:
        oldest = time.time() - _ABANDONED_SECONDS
        for path in self._staging.iterdir():
            with suppress(FileNotFoundError):  # another process sweeps too
                if path.stat().st_mtime < oldest:
                    path.unlink()


class _StagedFile:
    """One file in ``staging/``: hashed and counted while it is written."""

    def __init__(self, root: Path, limit_bytes: int) -> None:
        self._root = root
        self._opened: tuple[FileIO, Path] | None = None
        self._limit = limit_bytes
        self._hash = hashlib.sha256()
        self._size = 0
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    @property
    def path(self) -> Path:
        assert self._opened is not None, "finish() comes before looking at the file"
        return self._opened[1]

    async def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._limit:
            raise TooLarge(
                f"The file is larger than {self._limit / 1e6:g} MB, the most this server takes.",
                code="media_too_large",
                action="Send a smaller file, or raise STUDIO_MEDIA_LIMIT_MB.",
            )
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk)
        if self._waiting_bytes >= _CHUNK:
            await _attempt(self._append)

    async def finish(self) -> Stored:
        await _attempt(self._append)
        return Stored(key=self._hash.hexdigest(), size_bytes=self._size)

    async def keep(self) -> Stored:
        stored = await self.finish()
        await _attempt(partial(self._move, _path(self._root, stored.key)))
        return stored

    def _append(self) -> None:
        # Opened here, in the thread: a caller cancelled meanwhile still discards it.
        self._opened = self._opened or _new_file(self._root)
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for chunk in waiting:
            self._hash.update(chunk)
            left = memoryview(chunk)
            while left:
                left = left[self._opened[0].write(left) :]

    def _move(self, target: Path) -> None:
        assert self._opened is not None
        file, path = self._opened
        os.fsync(file.fileno())
        _make_directory(target.parent)
        # Also over a file that is there: the content is the same, and a damaged copy is healed.
        path.replace(target)
        _sync_directory(target.parent)

    def discard(self) -> None:
        """Close, and remove what was not kept."""
        if self._opened is not None:
            file, path = self._opened
            file.close()
            path.unlink(missing_ok=True)


def _staging(root: Path) -> Path:
    return root / "staging"


def _new_file(root: Path) -> tuple[FileIO, Path]:
    _make_directory(_staging(root))
    handle, name = tempfile.mkstemp(dir=_staging(root))  # 0600
    return FileIO(handle, "wb"), Path(name)


def _path(root: Path, key: str) -> Path:
    # Checked here, where a key becomes a path, so that none can lead out of the store.
    if not _KEY.fullmatch(key):
        raise _missing()
    return root / key[:2] / key[2:4] / key


def _make_directory(path: Path) -> None:
    """Make the directory and its parents for this user only, each new one known to the disk."""
    if path.is_dir():
        return
    _make_directory(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def _attempt(work: Callable[[], _Result]) -> _Result:
    try:
        return await in_thread(work)
    except OSError as error:
        raise _explained(error) from error


def _explained(error: OSError) -> StudioError:
    if isinstance(error, FileNotFoundError):
        return _missing()
    if error.errno in _FULL:
        return Unavailable(
            "The disk that holds the media is full: nothing was kept.",
            code="storage_full",
            action="Free space under STUDIO_DATA_DIR, then send the file again.",
        )
    return Unavailable(
        f"The media store does not work: {error.strerror or type(error).__name__}.",
        code="storage_unreachable",
        action="Run `studio doctor` where Studio runs.",
    )


def _missing() -> NotFound:
    return NotFound(
        "The stored file is not there.",
        code="media_missing",
        action="Upload it again, or check that every process uses the same media store.",
    )
