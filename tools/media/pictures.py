"""What a picture file says about itself, proven by decoding it within limits."""

import struct
from pathlib import Path
from typing import BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError

from core.errors import InvalidInput, TooLarge
from tools.media.boxes import last_box_end
from tools.media.kinds import Form, refused

MOST_PIXELS = 50_000_000  # a 48-megapixel phone photo passes; four bytes a pixel are decoded
MOST_BYTES = 64_000_000  # no network takes a larger picture; some readers hold the whole file
_QUARTER_TURNS = {5, 6, 7, 8}  # EXIF orientations that swap width and height
_PNG_END = b"IEND"
_GIF_EXTENSION, _GIF_FRAME, _GIF_END = 0x21, 0x2C, 0x3B


def look_at_picture(path: Path, form: Form) -> tuple[int, int]:
    """Width and height in pixels as shown (EXIF orientation applied).

    Raises ``InvalidInput`` (``media_truncated``, ``media_unreadable``, ``media_bomb``) or ``TooLarge``.
    """
    size_bytes = path.stat().st_size
    if size_bytes > MOST_BYTES:
        raise TooLarge(
            f"The picture has {size_bytes / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:g} MB are taken.",
            code="media_too_large",
            action="Save it smaller, for example as JPEG.",
        )
    with path.open("rb") as file:
        try:
            _require_end(file, form, size_bytes)
            return _decode(file, form)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise _bomb() from None
        except (EOFError, struct.error):
            raise _cut() from None
        except (InvalidInput, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - Pillow raises whatever hostile bytes provoke
            raise _reason(error) from None


def _decode(file: BinaryIO, form: Form) -> tuple[int, int]:
    with Image.open(file, formats=(form.pillow_name,)) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise _bomb()
        picture.verify()  # the check sums of PNG; afterwards Pillow wants the file opened anew
    file.seek(0)
    with Image.open(file, formats=(form.pillow_name,)) as picture:
        width, height = picture.size
        picture.draft(None, (max(1, width // 8), max(1, height // 8)))  # JPEG: the whole stream, 1/64 of the memory
        picture.load()
        turned = picture.getexif().get(ExifTags.Base.Orientation) in _QUARTER_TURNS
    return (height, width) if turned else (width, height)


def _require_end(file: BinaryIO, form: Form, size_bytes: int) -> None:
    """Where Pillow is content with a part of the file, find the end by the format's own structure."""
    if form is Form.PNG:
        _find_png_end(file)
    elif form is Form.GIF:
        _find_gif_end(file)
    elif form is Form.WEBP:
        file.seek(4)
        if struct.unpack("<I", file.read(4))[0] + 8 > size_bytes:
            raise EOFError
    elif form in {Form.AVIF, Form.HEIC} and last_box_end(file, size_bytes) > size_bytes:
        raise EOFError
    file.seek(0)


def _find_png_end(file: BinaryIO) -> None:
    file.seek(8)
    while True:
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind == _PNG_END:
            return
        file.seek(length + 4, 1)  # data and check sum; beyond the end the next read is short


def _find_gif_end(file: BinaryIO) -> None:
    file.seek(10)
    _skip_colours(file, _byte(file))
    file.seek(2, 1)
    while (block := _byte(file)) != _GIF_END:
        if block == _GIF_EXTENSION:  # label, then data
            _byte(file)
        elif block == _GIF_FRAME:  # place and size, its colours, code size, then data
            file.seek(8, 1)
            _skip_colours(file, _byte(file))
            _byte(file)
        else:
            raise ValueError("no GIF block begins like this")
        while (length := _byte(file)) != 0:
            file.seek(length, 1)


def _skip_colours(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        file.seek(3 << ((flags & 7) + 1), 1)


def _byte(file: BinaryIO) -> int:
    byte = file.read(1)
    if not byte:
        raise EOFError
    return byte[0]


def _reason(error: Exception) -> InvalidInput:
    # Pillow tells a cut file only by its words.
    if "truncated" in str(error).lower():
        return _cut()
    what = "cannot be recognised" if isinstance(error, UnidentifiedImageError) else "is damaged"
    return refused("media_unreadable", f"The picture {what}.", "Open it in an image editor and save it again as JPEG.")


def _cut() -> InvalidInput:
    return refused("media_truncated", "The picture is incomplete: its end is missing.", "Send it again, complete.")


def _bomb() -> InvalidInput:
    return refused(
        "media_bomb",
        f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels.",
        "Resize it: no network shows more than a few thousand pixels a side.",
    )
