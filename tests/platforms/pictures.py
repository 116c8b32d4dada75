"""Images and videos for tests: as small as they may be, and real where somebody looks."""

import io
from functools import cache

from PIL import Image

from platforms.base import Medium
from tests.platforms.world import FileServer


@cache
def picture_bytes(width: int, height: int, kind: str = "JPEG") -> bytes:
    """A plain image of this size."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (111, 78, 55)).save(buffer, kind)
    return buffer.getvalue()


def image(
    files: FileServer,
    width: int = 1080,
    height: int = 1080,
    *,
    kind: str = "JPEG",
    alt_text: str | None = None,
    padding: int = 0,
) -> Medium:
    """An image on the file server; ``padding`` bytes behind its end make it heavier."""
    content = picture_bytes(width, height, kind) + b"\0" * padding
    return Medium(
        asset_id=files.add(content),
        kind="image",
        mime_type=f"image/{kind.lower()}",
        size_bytes=len(content),
        width=width,
        height=height,
        alt_text=alt_text,
    )


def video(
    files: FileServer, *, size_bytes: int = 200_000, seconds: float = 12.0, mime_type: str = "video/mp4"
) -> Medium:
    """The first box of an MP4 file and then noise: the sandbox looks no further."""
    content = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42" + b"\1" * (size_bytes - 24)
    return Medium(
        asset_id=files.add(content),
        kind="video",
        mime_type=mime_type,
        size_bytes=size_bytes,
        width=1080,
        height=1920,
        duration_seconds=seconds,
    )
