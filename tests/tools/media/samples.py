"""Media files made for tests: good ones, and what somebody hostile would send."""

import io
import struct
import zipfile
import zlib

from PIL import Image

UPRIGHT = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
QUARTER_TURN = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)


def picture(form: str = "JPEG", *, size: tuple[int, int] = (64, 48), orientation: int = 1) -> bytes:
    """A picture with content that does not compress to nothing, so that a cut is within its data."""
    image = Image.effect_noise(size, 80).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    written = io.BytesIO()
    image.save(written, form, exif=exif)
    return written.getvalue()


def moving_gif(frames: int = 3) -> bytes:
    images = [Image.effect_noise((40, 30), 80).convert("P") for _ in range(frames)]
    written = io.BytesIO()
    images[0].save(written, "GIF", save_all=True, append_images=images[1:], duration=100)
    return written.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        file.writestr("Main.class", "not a picture at all")
    return written.getvalue()


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def file_type(brand: bytes = b"isom", *others: bytes) -> bytes:
    return box(b"ftyp", brand + bytes(4) + b"".join(others))


def movie(
    *,
    seconds: float | None = 12.5,
    size: tuple[int, int] = (1080, 1920),
    matrix: tuple[int, ...] = UPRIGHT,
    handler: bytes = b"vide",
    version: int = 0,
) -> bytes:
    """A moov box: 1000 units a second, one track."""
    wide = version == 1
    length = 0xFFFFFFFF if seconds is None else int(seconds * 1000)
    times = struct.pack(">QQ" if wide else ">II", 0, 0)
    header = bytes([version, 0, 0, 0]) + times + struct.pack(">IQ" if wide else ">II", 1000, length) + bytes(80)
    track = bytes([version, 0, 0, 7]) + times + struct.pack(">II", 1, 0) + struct.pack(">Q" if wide else ">I", length)
    track += bytes(16) + struct.pack(">9i", *matrix) + struct.pack(">II", size[0] << 16, size[1] << 16)
    media = box(b"mdia", box(b"mdhd", bytes(24)) + box(b"hdlr", bytes(8) + handler + bytes(13)))
    return box(b"moov", box(b"mvhd", header) + box(b"trak", box(b"tkhd", track) + media))


def film(*, brand: bytes = b"isom", data: bytes = bytes(2000), index: bytes | None = None) -> bytes:
    """An MP4 with its index in front."""
    return file_type(brand, b"mp42") + (movie() if index is None else index) + box(b"mdat", data)
