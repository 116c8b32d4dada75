"""What an MP4 or MOV file says about itself in its boxes (ISO/IEC 14496-12), read without decoding anything."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from core.errors import InvalidInput
from tools.media.kinds import refused

_MOST_BOXES = 200_000  # a fragmented film of an hour has some ten thousand
_MOST_BYTES = 4096  # of a header box that is read into memory
_UNKNOWN = {0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF}


@dataclass(frozen=True, kw_only=True)
class Film:
    """Width and height in pixels as shown, duration in seconds; None when the file does not say."""

    width: int | None
    height: int | None
    duration_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class _Box:
    kind: bytes
    start: int  # of the payload
    end: int


class _Malformed(Exception):
    """A box that contradicts itself or its parent."""


def read_film(file: BinaryIO, size_bytes: int) -> Film:
    """The facts of a film. Raises ``InvalidInput``: ``media_truncated``, ``media_unreadable``, ``media_type``."""
    try:
        return _film(file, _movie(file, size_bytes))
    except (_Malformed, struct.error):
        raise refused("media_unreadable", "The video file is damaged.", "Export it again as MP4.") from None


def last_box_end(file: BinaryIO, size_bytes: int) -> int:
    """Where the last box of a file says that it ends: beyond the file when that was cut."""
    try:
        return max((box.end for box in _boxes(file, 0, size_bytes)), default=size_bytes + 1)
    except (_Malformed, struct.error):
        raise refused("media_unreadable", "The file is damaged.", "Export it again.") from None


def _movie(file: BinaryIO, size_bytes: int) -> _Box:
    movie: _Box | None = None
    has_media = False
    for box in _boxes(file, 0, size_bytes):
        if box.end > size_bytes:
            raise _cut()
        movie = movie or (box if box.kind == b"moov" else None)
        has_media = has_media or box.kind == b"mdat"
    if movie is None or not has_media:
        raise _cut()
    return movie


def _film(file: BinaryIO, movie: _Box) -> Film:
    duration: float | None = None
    fragments: int | None = None
    timescale = 0
    picture: tuple[int, int] | None = None
    has_picture = False
    for box in _children(file, movie):
        if box.kind == b"mvhd":
            timescale, length = _movie_header(_payload(file, box))
            duration = length / timescale if timescale and length not in _UNKNOWN else None
        elif box.kind == b"mvex":
            fragments = _fragments_length(file, box)
        elif box.kind == b"trak" and not has_picture:
            has_picture, picture = _track(file, box)
    if not has_picture:
        raise refused("media_type", "The file has sound but no picture.", "Send a video, or a picture with a caption.")
    if duration is None and timescale and fragments not in {None, *_UNKNOWN}:
        assert fragments is not None
        duration = fragments / timescale
    width, height = picture or (None, None)
    return Film(width=width, height=height, duration_seconds=duration)


def _movie_header(payload: bytes) -> tuple[int, int]:
    """Timescale (units a second) and duration in units; version 1 has 64-bit times."""
    if payload[:1] == b"\x01":
        timescale, length = struct.unpack_from(">IQ", payload, 20)
    else:
        timescale, length = struct.unpack_from(">II", payload, 12)
    return timescale, length


def _fragments_length(file: BinaryIO, parent: _Box) -> int | None:
    for box in _children(file, parent):
        if box.kind == b"mehd":
            payload = _payload(file, box)
            length: int = struct.unpack_from(">Q" if payload[:1] == b"\x01" else ">I", payload, 4)[0]
            return length
    return None


def _track(file: BinaryIO, track: _Box) -> tuple[bool, tuple[int, int] | None]:
    """Whether a track is a picture, and its width and height as shown."""
    shown: tuple[int, int] | None = None
    is_picture = False
    for box in _children(file, track):
        if box.kind == b"tkhd":
            shown = _track_size(_payload(file, box))
        elif box.kind == b"mdia":
            handlers = [_payload(file, inner)[8:12] for inner in _children(file, box) if inner.kind == b"hdlr"]
            is_picture = b"vide" in handlers
    return is_picture, shown


def _track_size(payload: bytes) -> tuple[int, int] | None:
    matrix_at = 52 if payload[:1] == b"\x01" else 40
    a, b, _, c, d = struct.unpack_from(">5i", payload, matrix_at)
    width, height = (side >> 16 for side in struct.unpack_from(">II", payload, matrix_at + 36))  # 16.16 fixed point
    if not width or not height:
        return None
    # A phone held upright films sideways and stores a quarter turn: 0 on the diagonal of the matrix.
    return (height, width) if a == d == 0 and b and c else (width, height)


def _children(file: BinaryIO, parent: _Box) -> Iterator[_Box]:
    for box in _boxes(file, parent.start, parent.end):
        if box.end > parent.end:
            raise _Malformed
        yield box


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[_Box]:
    """The boxes between two offsets; the last may claim to end beyond. Fewer than 8 bytes at the end are padding."""
    at = start
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        file.seek(at)
        head = file.read(16)
        size, kind = struct.unpack_from(">I4s", head)
        header = 8
        if size == 1:
            size, header = struct.unpack_from(">Q", head, 8)[0], 16
        elif size == 0:
            size = end - at
        if size < header:
            raise _Malformed
        yield _Box(kind=kind, start=at + header, end=at + size)
        at += size
    raise _Malformed


def _payload(file: BinaryIO, box: _Box) -> bytes:
    file.seek(box.start)
    return file.read(min(box.end - box.start, _MOST_BYTES))


def _cut() -> InvalidInput:
    return refused(
        "media_truncated",
        "The video file is incomplete: its index or its end is missing.",
        "Send it again once it is fully written; export it as MP4 with the index in front (fast start).",
    )
