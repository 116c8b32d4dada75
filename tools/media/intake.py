"""One way in for uploads and downloads: stream, recognise, look, keep."""

from collections.abc import AsyncIterable

from core.storage import MediaStore, Staged
from tools.media.inspect import MediaFacts, inspect
from tools.media.kinds import HEAD_BYTES, recognise


async def take_in(store: MediaStore, chunks: AsyncIterable[bytes], *, limit_bytes: int) -> MediaFacts:
    """Keep a file of which the bytes arrive in chunks, if it is a medium that is taken; its ``sha256`` is its key.

    What is refused leaves nothing behind, and what is no medium is refused at its first bytes. Raises what
    ``inspect`` raises, ``TooLarge`` past ``limit_bytes``, and ``Unavailable`` when the disk is full.
    """
    async with store.stage(limit_bytes=limit_bytes) as staged:
        await _receive(staged, chunks)
        stored = await staged.finish()
        facts = await inspect(staged.path, sha256=stored.key)
        await staged.keep()
    return facts


async def _receive(staged: Staged, chunks: AsyncIterable[bytes]) -> None:
    head = b""
    async for chunk in chunks:
        if len(head) < HEAD_BYTES:
            head += chunk[: HEAD_BYTES - len(head)]
            if len(head) == HEAD_BYTES:
                recognise(head)
        await staged.write(chunk)
