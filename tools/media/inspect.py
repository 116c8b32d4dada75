"""What a file really is: told by its content, never by its name or by what a server says."""

import hashlib
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

from core.threads import in_thread
from tools.media.boxes import Film, read_film
from tools.media.films import Probed, probe
from tools.media.kinds import HEAD_BYTES, Form, recognise, refused
from tools.media.pictures import look_at_picture
from tools.media.webm import require_whole

# Decoding takes a core and up to 200 MB: two at a time, apart from the loop's own threads.
DECODERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="media")
_ZIP_END = b"PK\x05\x06"
_ZIP_DIRECTORY = b"PK\x01\x02"
_ZIP64_LOCATOR = b"PK\x06\x07"
_ZIP_LOCATOR, _ZIP_RECORD = 20, 22  # bytes: the ZIP64 locator stands right before the end record
_ZIP_TAIL = _ZIP_LOCATOR + _ZIP_RECORD + 65_535  # and the longest comment


@dataclass(frozen=True, kw_only=True)
class MediaFacts:
    """A medium by its content. Pixels as shown; None = the file does not say. Pictures have no duration.

    Frames a second, bits a second, codecs by ffmpeg's names; ``audio_codec`` is "" for a film without sound.
    """

    kind: Literal["image", "video"]
    mime_type: str
    size_bytes: int
    width: int | None
    height: int | None
    duration_seconds: float | None
    sha256: str
    frame_rate: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    bit_rate: int | None = None


async def inspect(path: Path, *, sha256: str | None = None) -> MediaFacts:
    """The facts of a file; its hash is computed when it is not known yet.

    Raises ``InvalidInput`` with the code ``media_empty``, ``media_type``, ``media_truncated``, ``media_bomb`` or
    ``media_unreadable``, or ``TooLarge``.
    """
    return await in_thread(partial(inspect_now, path, sha256=sha256), executor=DECODERS)


def inspect_now(path: Path, *, sha256: str | None = None) -> MediaFacts:
    """``inspect``, in the calling thread."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        form = recognise(file.read(HEAD_BYTES))
        _refuse_archive(file, size_bytes)
        film = read_film(file, size_bytes) if form in {Form.MP4, Form.MOV} else None
        if form is Form.WEBM:
            require_whole(file, size_bytes)
        file.seek(0)
        sha256 = sha256 or hashlib.file_digest(file, "sha256").hexdigest()
    if form.pillow_name:
        width, height = look_at_picture(path, form)
        return MediaFacts(
            kind="image",
            mime_type=form.mime_type,
            size_bytes=size_bytes,
            width=width,
            height=height,
            duration_seconds=None,
            sha256=sha256,
        )
    return _film_facts(path, form, film, sha256)


def _film_facts(path: Path, form: Form, film: Film | None, sha256: str) -> MediaFacts:
    """What the boxes of an MP4 or MOV say, and what ffmpeg adds; a WebM is known by ffmpeg alone."""
    probed = probe(path, form)
    if film is None and probed is None:
        raise refused("media_unreadable", "The video cannot be read: it is damaged or incomplete.", "Send it as MP4.")
    probed = probed or Probed()
    return MediaFacts(
        kind="video",
        mime_type=form.mime_type,
        size_bytes=path.stat().st_size,
        width=film.width if film and film.width else probed.width,
        height=film.height if film and film.height else probed.height,
        duration_seconds=film.duration_seconds if film and film.duration_seconds else probed.duration_seconds,
        sha256=sha256,
        frame_rate=probed.frame_rate,
        video_codec=probed.video_codec,
        audio_codec=probed.audio_codec,
        bit_rate=probed.bit_rate,
    )


def _refuse_archive(file: BinaryIO, size_bytes: int) -> None:
    """Refuse a file that is an archive too: a zip (jar, office document) is read from its end, a picture is not.

    Other bytes after a picture are common and harmless (motion photos, gain maps).
    """
    start = max(0, size_bytes - _ZIP_TAIL)
    file.seek(start)
    tail = file.read()
    at = tail.find(_ZIP_END)
    while at >= 0:
        if _is_archive_end(file, start + at, tail[max(0, at - _ZIP_LOCATOR) : at + _ZIP_RECORD]):
            raise refused("media_type", "The file is a picture or video and a zip archive at once.")
        at = tail.find(_ZIP_END, at + 1)


def _is_archive_end(file: BinaryIO, position: int, around: bytes) -> bool:
    if around.startswith(_ZIP64_LOCATOR):
        return True
    if len(around) < _ZIP_RECORD:
        return False
    (directory_bytes,) = struct.unpack_from("<I", around[-_ZIP_RECORD:], 12)
    if not 0 < directory_bytes <= position:
        return False
    file.seek(position - directory_bytes)
    return file.read(4) == _ZIP_DIRECTORY
