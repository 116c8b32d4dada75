"""Which kinds of media are taken, told by their first bytes, and how a refusal is worded."""

from enum import Enum

import filetype

from core.errors import InvalidInput
from tools.media.heif import reads_heic

HEAD_BYTES = 4096  # as much as ``recognise`` looks at
_TAKEN = "Use a JPEG, PNG, WebP, GIF, AVIF or HEIC picture, or an MP4, MOV or WebM video."
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_FOREIGN_BRANDS = {b"crx ", b"jp2 ", b"jpx ", b"jxl "}
_MATROSKA = b"\x1aE\xdf\xa3"
_OLD_QUICKTIME = {b"moov", b"mdat", b"wide", b"free", b"skip"}
_TEXTS = (
    (b"<svg", "an SVG drawing"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<head", "a web page"),
    (b"<script", "a web page"),
    (b"<?xml", "an XML document"),
    (b"{", "JSON text"),
)


class Form(Enum):
    """A kind of file that is taken: its MIME type, and Pillow's name for it (empty: a video)."""

    JPEG = ("image/jpeg", "JPEG")
    PNG = ("image/png", "PNG")
    WEBP = ("image/webp", "WEBP")
    GIF = ("image/gif", "GIF")
    AVIF = ("image/avif", "AVIF")
    HEIC = ("image/heic", "HEIF")
    MP4 = ("video/mp4", "")
    MOV = ("video/quicktime", "")
    WEBM = ("video/webm", "")

    @property
    def mime_type(self) -> str:
        """What the file is served as."""
        return self.value[0]

    @property
    def pillow_name(self) -> str:
        """The only reader that Pillow may try; empty for a video."""
        return self.value[1]


def recognise(head: bytes) -> Form:
    """The form of a file by its first ``HEAD_BYTES``. Raises ``InvalidInput``: ``media_empty`` or ``media_type``."""
    if not head:
        raise refused("media_empty", "The file is empty (0 bytes).", "Send it again; it was perhaps not yet complete.")
    if b"%PDF-" in head[:1024]:
        raise _other("a PDF document")
    if head.startswith(b"\xff\xd8\xff"):
        return Form.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Form.PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Form.GIF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Form.WEBP
    if head.startswith(_MATROSKA) and b"webm" in head[:64]:
        return Form.WEBM
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    raise _other(_describe(head))


def refused(code: str, message: str, action: str = _TAKEN) -> InvalidInput:
    """A refusal of a file: what it is, and what to send instead."""
    return InvalidInput(message, code=code, action=action)


def _by_brand(head: bytes) -> Form:
    length = min(int.from_bytes(head[:4]), len(head))
    brands = [head[8:12]] + [head[at : at + 4] for at in range(16, length - 3, 4)]
    if b"avif" in brands or b"avis" in brands:
        return Form.AVIF
    if not _HEIC_BRANDS.isdisjoint(brands):
        if not reads_heic():
            raise refused(
                "media_type", "The file is a HEIC photo, which this server cannot read.", "Export it as JPEG."
            )
        return Form.HEIC
    if not _FOREIGN_BRANDS.isdisjoint(brands):
        raise _other("a picture of a kind that no network takes")
    return Form.MOV if brands[0] == b"qt  " else Form.MP4


def _other(what: str) -> InvalidInput:
    return refused("media_type", f"The file is {what}, not a picture or a video.")


def _describe(head: bytes) -> str:
    if head[4:8] in _OLD_QUICKTIME:
        return "a film without a type header (export it as MP4)"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for beginning, what in _TEXTS:
        if text.startswith(beginning):
            return "an SVG drawing" if b"<svg" in text else what
    known = filetype.guess(head)
    return f"of the type {known.mime}" if known else "of an unknown type"
