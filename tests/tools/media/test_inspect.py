"""What a file really is, by its content."""

import asyncio
import hashlib
import io
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import InvalidInput
from tests.tools.media.samples import (
    QUARTER_TURN,
    archive,
    box,
    file_type,
    film,
    movie,
    moving_gif,
    picture,
    png_of,
)
from tools.media.inspect import MediaFacts, inspect, inspect_now


def facts_of(data: bytes, folder: Path, name: str = "file.bin") -> MediaFacts:
    path = folder / name
    path.write_bytes(data)
    return inspect_now(path)


def refusal_of(data: bytes, folder: Path, name: str = "file.bin") -> InvalidInput:
    with pytest.raises(InvalidInput) as refusal:
        facts_of(data, folder, name)
    assert refusal.value.action, "a refusal says what to do"
    return refusal.value


@pytest.mark.parametrize(
    ("form", "mime_type"),
    [
        ("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", "image/gif"),
        ("AVIF", "image/avif"),
    ],
)  # fmt: skip
async def test_pictures_are_known_whatever_their_name(tmp_path: Path, form: str, mime_type: str) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(picture(form))
    facts = await inspect(path)
    assert facts == MediaFacts(
        kind="image", mime_type=mime_type, size_bytes=path.stat().st_size, width=64, height=48,
        duration_seconds=None, sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )  # fmt: skip


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("orientation", "shown"), [(1, (64, 48)), (3, (64, 48)), (6, (48, 64)), (8, (48, 64))])
def test_width_and_height_are_those_that_people_see(
    tmp_path: Path, form: str, orientation: int, shown: tuple[int, int]
) -> None:
    facts = facts_of(picture(form, orientation=orientation), tmp_path)
    assert (facts.width, facts.height) == shown


def test_a_large_photo_passes_and_a_moving_gif_too(tmp_path: Path) -> None:
    assert facts_of(picture(size=(4000, 3000)), tmp_path).width == 4000
    assert facts_of(moving_gif(), tmp_path).mime_type == "image/gif"


def test_bytes_after_a_photo_are_no_offence(tmp_path: Path) -> None:
    # Motion photos and gain maps append a film or a second picture.
    assert facts_of(picture() + film(), tmp_path).mime_type == "image/jpeg"
    assert facts_of(picture() + picture(), tmp_path).mime_type == "image/jpeg"
    assert facts_of(picture() + b"PK\x05\x06" + bytes(40), tmp_path).mime_type == "image/jpeg"


@pytest.mark.parametrize(
    ("brand", "mime_type"), [(b"isom", "video/mp4"), (b"mp42", "video/mp4"), (b"qt  ", "video/quicktime")]
)
def test_films_say_their_size_and_length(tmp_path: Path, brand: bytes, mime_type: str) -> None:
    facts = facts_of(film(brand=brand), tmp_path, "photo.jpg")
    assert (facts.kind, facts.mime_type) == ("video", mime_type)
    assert (facts.width, facts.height, facts.duration_seconds) == (1080, 1920, 12.5)


def test_films_in_other_shapes(tmp_path: Path) -> None:
    turned = facts_of(film(index=movie(size=(1920, 1080), matrix=QUARTER_TURN)), tmp_path)
    assert (turned.width, turned.height) == (1080, 1920)
    assert facts_of(film(index=movie(version=1)), tmp_path).duration_seconds == 12.5
    assert facts_of(film(index=movie(seconds=None)), tmp_path).duration_seconds is None
    index_last = file_type() + box(b"free", b"") + box(b"mdat", bytes(500)) + movie()
    assert facts_of(index_last, tmp_path).duration_seconds == 12.5
    large = file_type() + movie() + struct.pack(">I4sQ", 1, b"mdat", 16 + 500) + bytes(500)
    assert facts_of(large, tmp_path).height == 1920
    to_the_end = file_type() + movie() + struct.pack(">I4s", 0, b"mdat") + bytes(500)
    assert facts_of(to_the_end, tmp_path).height == 1920


def test_a_fragmented_film_has_the_length_of_its_fragments(tmp_path: Path) -> None:
    index = movie(seconds=0)
    mehd = box(b"mvex", box(b"mehd", bytes(4) + struct.pack(">I", 7500)))
    index = box(b"moov", index[8:] + mehd)
    assert facts_of(film(index=index), tmp_path).duration_seconds == 7.5  # 7500 units, 1000 a second


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [
        pytest.param(b"", "media_empty", "0 bytes", id="nothing"),
        pytest.param(b"<!DOCTYPE html><html><img></html>", "media_type", "web page", id="html"),
        pytest.param(b"\n  <HTML>", "media_type", "web page", id="html without doctype"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "media_type", "SVG", id="svg"),
        pytest.param(b"<?xml version='1.0'?><svg onload='x()'/>", "media_type", "SVG", id="svg as xml"),
        pytest.param(archive(), "media_type", "zip", id="zip"),
        pytest.param(b"%PDF-1.7\n", "media_type", "PDF", id="pdf"),
        pytest.param(b"GIF89a" + b"%PDF-1.7\n", "media_type", "PDF", id="gif that is a pdf"),
        pytest.param(b'{"error": "not found"}', "media_type", "JSON", id="json"),
        pytest.param(b"\x1aE\xdf\xa3" + b"\x42\x82\x84webm" + bytes(50), "media_unreadable", "damaged", id="webm head"),
        pytest.param(b"ID3\x03" + bytes(50), "media_type", "audio", id="mp3"),
        pytest.param(b"\x7fELF" + bytes(60), "media_type", "not a picture", id="program"),
        pytest.param(b"just some words", "media_type", "unknown", id="text"),
        pytest.param(b"BM" + bytes(60), "media_type", "bmp", id="bitmap"),
        pytest.param(file_type(b"heic", b"mif1"), "media_unreadable", "recognised", id="heic without a picture"),
        pytest.param(box(b"mdat", bytes(9)) + movie(), "media_type", "type header", id="old quicktime"),
        pytest.param(moving_gif() + archive(), "media_type", "zip", id="gif that is a zip"),
        pytest.param(picture() + archive(), "media_type", "zip", id="jpeg that is a jar"),
        pytest.param(film() + archive(), "media_type", "zip", id="film that is a zip"),
        pytest.param(film(index=movie(handler=b"soun")), "media_type", "no picture", id="sound only"),
        pytest.param(picture()[:1500], "media_truncated", "incomplete", id="half a jpeg"),
        pytest.param(picture("PNG")[:-30], "media_truncated", "incomplete", id="png cut"),
        pytest.param(picture("PNG")[:-12], "media_truncated", "incomplete", id="png without its end"),
        pytest.param(picture("WEBP")[:-30], "media_truncated", "incomplete", id="webp cut"),
        pytest.param(moving_gif()[:-1], "media_truncated", "incomplete", id="gif without its end"),
        pytest.param(moving_gif()[:900], "media_truncated", "incomplete", id="gif cut"),
        pytest.param(film()[:-1], "media_truncated", "incomplete", id="film cut"),
        pytest.param(file_type() + box(b"mdat", bytes(500)), "media_truncated", "index", id="film without moov"),
        pytest.param(file_type() + movie(), "media_truncated", "incomplete", id="film without media"),
        pytest.param(file_type(), "media_truncated", "incomplete", id="film header alone"),
        pytest.param(png_of(60_000, 60_000), "media_bomb", "50 million", id="png bomb"),
        pytest.param(png_of(10_000, 9_999), "media_bomb", "50 million", id="png of 100 megapixels"),
        pytest.param(png_of(7_100, 7_100), "media_bomb", "50 million", id="png a little too large"),
        pytest.param(png_of(200, 200), "media_truncated", "incomplete", id="png with too little data"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(100), "media_unreadable", "JPEG", id="jpeg by its first bytes only"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(3), "media_truncated", "incomplete", id="png header alone"),
        pytest.param(b"GIF89a" + b"\xff" * 60, "media_truncated", "incomplete", id="gif of noise"),
        pytest.param(file_type() + struct.pack(">I4s", 3, b"moov"), "media_unreadable", "damaged", id="box of 3 bytes"),
        pytest.param(
            film(index=box(b"moov", b"\x7f\xff\xff\xfftrak")), "media_unreadable", "damaged", id="child beyond"
        ),
    ],
)
def test_everything_else_is_refused_with_its_reason(tmp_path: Path, data: bytes, code: str, word: str) -> None:
    refusal = refusal_of(data, tmp_path, "photo.jpg")
    assert refusal.code == code
    assert word in refusal.message + str(refusal.action)


def test_a_broken_check_sum_is_seen(tmp_path: Path) -> None:
    data = bytearray(picture("PNG"))
    data[data.index(b"IDAT") + 30] ^= 0xFF
    assert refusal_of(bytes(data), tmp_path).code == "media_unreadable"


def test_a_picture_beyond_every_network_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    path.write_bytes(picture())
    with path.open("r+b") as file:
        file.truncate(65_000_000)
    with pytest.raises(InvalidInput) as refusal:
        inspect_now(path)
    assert refusal.value.code == "media_too_large"


GOOD = [picture("JPEG"), picture("PNG"), picture("WEBP"), moving_gif(), picture("AVIF"), film()]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_done_to_a_file_it_is_known_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(GOOD)))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(1, len(damaged)))]
    path = tmp_path / "damaged"
    path.write_bytes(damaged)
    try:
        assert inspect_now(path).size_bytes == len(damaged)
    except InvalidInput as refusal:
        assert refusal.code in {"media_type", "media_truncated", "media_unreadable", "media_bomb"}  # noqa: PT017


async def test_many_at_once_leave_the_loop_free(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(picture("PNG", size=(1200, 900)))
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0)
            beats += 1

    heart = asyncio.create_task(beat())
    facts = await asyncio.gather(*(inspect(path) for _ in range(6)))
    heart.cancel()
    assert len(set(facts)) == 1
    assert beats > 100


def test_a_film_of_200_mb_and_a_photo_of_40_megapixels_take_little_memory(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(file_type() + movie() + struct.pack(">I4s", 0, b"mdat"))
    with (tmp_path / "film.mp4").open("r+b") as file:
        file.truncate(200_000_000)
    written = io.BytesIO()
    Image.new("RGB", (8000, 5000), "tan").save(written, "JPEG")
    (tmp_path / "photo.jpg").write_bytes(written.getvalue())
    script = """
import re, sys
from pathlib import Path
from tools.media.inspect import inspect_now
def peak():  # KiB; ru_maxrss would include the parent's before exec
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
before = peak()
film = inspect_now(Path(sys.argv[1], "film.mp4"))
photo = inspect_now(Path(sys.argv[1], "photo.jpg"))
print(film.size_bytes, photo.width, peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    size, width, growth = (int(word) for word in done.stdout.split())
    assert (size, width) == (200_000_000, 8000)
    assert growth < 40_000  # KiB; the photo decoded in full would be 120 MB
