"""Whether a WebM is all there, by the sizes of its two outer elements (RFC 8794, EBML)."""

from typing import BinaryIO

from tools.media.kinds import refused

_SEGMENT = b"\x18\x53\x80\x67"


def require_whole(file: BinaryIO, size_bytes: int) -> None:
    """Raise ``InvalidInput`` (``media_truncated``) when the film ends before it says it does.

    A recording that was streamed does not say: that is no fault.
    """
    file.seek(4)  # behind the EBML header's own name
    header = _size(file)
    if header is None:
        return
    file.seek(header, 1)
    if file.read(4) != _SEGMENT:
        raise refused("media_unreadable", "The video file is damaged.", "Export it again as MP4.")
    length = _size(file)
    if length is not None and file.tell() + length > size_bytes:
        raise refused(
            "media_truncated", "The video file is incomplete: its end is missing.", "Send it again, complete."
        )


def _size(file: BinaryIO) -> int | None:
    """A number whose leading zero bits say how many bytes it has; None when it is all ones, which means unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & ((1 << (7 - more)) - 1)]) + file.read(more))
    return None if value == (1 << 7 * (more + 1)) - 1 else value
