"""The media store: content-addressed, streamed, whole or absent."""

import asyncio
import hashlib
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from core.errors import Misconfigured, NotFound, TooLarge
from core.storage import DirectoryStore, MediaStore

LIMIT = 10_000_000
WORDS = bytes(range(256)) * 9000  # 2.3 MB: more than two chunks of 1 MiB


def files_below(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def chunks_of(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def everything(store: MediaStore, key: str, *, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in store.read(key, start=start, end=end)])


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "data" / "media")


async def test_what_was_put_is_read_back_under_its_hash(store: DirectoryStore) -> None:
    stored = await store.put(chunks_of(WORDS), limit_bytes=LIMIT)
    assert stored.key == hashlib.sha256(WORDS).hexdigest()
    assert stored.size_bytes == len(WORDS) == await store.size(stored.key)
    assert await everything(store, stored.key) == WORDS
    assert await store.exists(stored.key)


async def test_the_same_bytes_are_one_file(store: DirectoryStore, tmp_path: Path) -> None:
    first = await store.put(WORDS, limit_bytes=LIMIT)
    second = await store.put(chunks_of(WORDS), limit_bytes=LIMIT)
    assert first == second
    assert len(files_below(tmp_path)) == 1


async def test_a_damaged_copy_is_healed_by_the_same_bytes(store: DirectoryStore, tmp_path: Path) -> None:
    stored = await store.put(b"espresso", limit_bytes=LIMIT)
    files_below(tmp_path)[0].write_bytes(b"damaged")
    await store.put(b"espresso", limit_bytes=LIMIT)
    assert await everything(store, stored.key) == b"espresso"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0, None),
        (0, 1),
        (5, 5),
        (7, 3),
        (1_048_575, 1_048_577),
        (2_000_000, None),
        (2_303_999, 9_999_999),
        (9_999_999, None),
    ],
)
async def test_byte_ranges_are_those_of_a_slice(store: DirectoryStore, start: int, end: int | None) -> None:
    stored = await store.put(WORDS, limit_bytes=LIMIT)
    assert await everything(store, stored.key, start=start, end=end) == WORDS[start:end]


async def test_a_reader_that_leaves_while_the_file_is_opened_leaves_no_file_open(
    store: DirectoryStore, tmp_path: Path
) -> None:
    stored = await store.put(b"espresso", limit_bytes=LIMIT)
    (path,) = files_below(tmp_path)
    path.unlink()
    os.mkfifo(path)  # opening it takes until somebody writes
    reading = asyncio.ensure_future(everything(store, stored.key))
    await asyncio.sleep(0)
    reading.cancel()
    writer = await asyncio.to_thread(os.open, path, os.O_WRONLY)
    with pytest.raises(asyncio.CancelledError):
        await reading
    with pytest.raises(BrokenPipeError):  # no reader is left
        os.write(writer, b"x")
    os.close(writer)


async def test_a_range_counts_from_the_beginning(store: DirectoryStore) -> None:
    stored = await store.put(WORDS, limit_bytes=LIMIT)
    with pytest.raises(ValueError, match="beginning"):
        await everything(store, stored.key, start=-1)


@pytest.mark.parametrize("key", ["0" * 64, "", "../../etc/passwd", "A" * 64, "0" * 63 + "/", "0" * 64 + "\n"])
async def test_what_is_not_there_is_not_found(store: DirectoryStore, key: str) -> None:
    assert not await store.exists(key)
    with pytest.raises(NotFound):
        await everything(store, key)
    with pytest.raises(NotFound):
        await store.size(key)


async def test_the_limit_ends_an_endless_stream_and_leaves_nothing(store: DirectoryStore, tmp_path: Path) -> None:
    sent = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield bytes(65_536)

    stream = endless()
    with pytest.raises(TooLarge) as refusal:
        await store.put(stream, limit_bytes=3_000_000)
    await stream.aclose()
    assert refusal.value.code == "media_too_large"
    assert "3 MB" in refusal.value.message
    assert sent <= 3_000_000 + 65_536
    assert files_below(tmp_path) == []


async def test_exactly_the_limit_is_allowed(store: DirectoryStore) -> None:
    assert (await store.put(b"12345", limit_bytes=5)).size_bytes == 5
    with pytest.raises(TooLarge):
        await store.put(b"123456", limit_bytes=5)


async def test_a_stream_that_fails_leaves_nothing(store: DirectoryStore, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(2_000_000)
        raise ConnectionError("the other side is gone")

    with pytest.raises(ConnectionError):
        await store.put(broken(), limit_bytes=LIMIT)
    assert files_below(tmp_path) == []


async def test_a_cancelled_put_leaves_nothing(store: DirectoryStore, tmp_path: Path) -> None:
    under_way = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield bytes(2_000_000)
        under_way.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.put(stuck(), limit_bytes=LIMIT))
    await under_way.wait()
    assert len(files_below(tmp_path)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_below(tmp_path) == []


async def test_what_is_staged_can_be_looked_at_and_is_dropped_unless_kept(
    store: DirectoryStore, tmp_path: Path
) -> None:
    async with store.stage(limit_bytes=LIMIT) as staged:
        await staged.write(b"latte")
        stored = await staged.finish()
        assert staged.path.read_bytes() == b"latte"
        assert not await store.exists(stored.key)
    assert files_below(tmp_path) == []


async def test_an_empty_file_is_a_file(store: DirectoryStore) -> None:
    stored = await store.put(b"", limit_bytes=LIMIT)
    assert stored.size_bytes == 0
    assert await everything(store, stored.key) == b""


async def test_only_the_user_may_look_in(store: DirectoryStore, tmp_path: Path) -> None:
    await store.put(WORDS, limit_bytes=LIMIT)
    for path in (tmp_path / "data").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o600 if path.is_file() else 0o700), path


async def test_many_at_once_end_as_one_file(store: DirectoryStore, tmp_path: Path) -> None:
    stored = await asyncio.gather(*(store.put(chunks_of(WORDS), limit_bytes=LIMIT) for _ in range(8)))
    assert len(set(stored)) == 1
    assert len(files_below(tmp_path)) == 1
    assert await everything(store, stored[0].key) == WORDS


async def test_the_probe_leaves_nothing_and_clears_what_was_abandoned(store: DirectoryStore, tmp_path: Path) -> None:
    await store.probe()
    assert files_below(tmp_path) == []
    staging = tmp_path / "data" / "media" / "staging"
    (staging / "recent").write_bytes(b"still arriving")
    (staging / "abandoned").write_bytes(b"left by a killed process")
    os.utime(staging / "abandoned", (1_000_000_000, 1_000_000_000))
    await store.probe()
    assert [path.name for path in files_below(tmp_path)] == ["recent"]


async def test_a_store_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands where the directory should be")
    with pytest.raises(Misconfigured, match="data/media cannot be used") as refusal:
        await DirectoryStore(tmp_path / "data" / "media").probe()
    assert refusal.value.code == "media_store_unreachable"


def in_a_process(script: str, *arguments: str) -> str:
    """What a fresh interpreter prints, so that its memory and limits are its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_full_disk_is_told_in_plain_words(tmp_path: Path) -> None:
    # A process that may write 1 MB a file meets what a full disk looks like: a short write, then an error.
    said = in_a_process(
        """
        import asyncio, resource, sys
        from pathlib import Path
        from core.errors import Unavailable
        from core.storage import DirectoryStore

        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        try:
            asyncio.run(DirectoryStore(Path(sys.argv[1])).put(bytes(3_000_000), limit_bytes=10_000_000))
        except Unavailable as error:
            print(error.code, error.message, error.action)
        """,
        str(tmp_path),
    )
    assert said.startswith("storage_full The disk that holds the media is full")
    assert "STUDIO_DATA_DIR" in said
    assert files_below(tmp_path) == []


def test_two_hundred_megabytes_pass_with_flat_memory(tmp_path: Path) -> None:
    said = in_a_process(
        """
        import asyncio, re, sys
        from pathlib import Path
        from core.storage import DirectoryStore

        def peak():  # KiB; ru_maxrss would include the parent's before exec
            return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

        async def stream():
            for _ in range(3200):
                yield bytes(65_536)

        async def main():
            store = DirectoryStore(Path(sys.argv[1]))
            await store.put(bytes(2_000_000), limit_bytes=300_000_000)
            before = peak()
            stored = await store.put(stream(), limit_bytes=300_000_000)
            read = 0
            async for chunk in store.read(stored.key):
                read += len(chunk)
            assert read == stored.size_bytes == 3200 * 65_536
            print(peak() - before)

        asyncio.run(main())
        """,
        str(tmp_path),
    )
    assert int(said) < 16_000
