"""Films made to fit by a bounded worker: real clips in, and what somebody hostile would send."""

import asyncio
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from core.errors import InvalidInput, Unavailable
from platforms.base import FormatRules, Medium, VideoRules
from tests.tools.media.clips import H264, VP9, clip
from tests.tools.media.test_fit import medium_of
from tools.media.films import Bounds, ffmpeg, probe, read_probe, source, worker
from tools.media.fit import Action, Crop, Recipe, plan
from tools.media.inspect import inspect_now
from tools.media.kinds import Form
from tools.media.transcode import render_film

REELS = VideoRules(
    mime_types=frozenset({"video/mp4"}),
    max_bytes=5_000_000,
    seconds=(3.0, 60.0),
    video_codecs=frozenset({"h264"}),
    audio_codecs=frozenset({"aac"}),
    frame_rates=(23.0, 60.0),
    ratios=(9 / 16, 16 / 9),
    max_width=1_080,
    max_bit_rate=5_000_000,
)
FORMS = {form.mime_type: form for form in Form}


def rules(video: VideoRules = REELS) -> FormatRules:
    return FormatRules(name="reel", kinds=frozenset({"video"}), min_media=1, max_media=1, max_text=100, video=video)


def vp9(folder: Path) -> Path:
    return clip(folder, "in.webm", *VP9)


def fast(folder: Path) -> Path:
    return clip(folder, "in.mp4", *H264, rate=120)


def odd(folder: Path) -> Path:
    return clip(folder, "in.webm", *VP9, size="181x321")


def silent(folder: Path) -> Path:
    return clip(folder, "in.webm", *VP9[:-2], sound=False)


def wide(folder: Path) -> Path:
    return clip(folder, "in.mp4", *H264, size="1920x1080", rate=25)


def quicktime(folder: Path) -> Path:
    return clip(folder, "in.mov", *H264)


def mp3_sound(folder: Path) -> Path:
    return clip(folder, "in.mp4", *H264[:-1], "libmp3lame")


def tower(folder: Path) -> Path:
    return clip(folder, "in.mp4", *H264, size="120x360")


Make = Callable[[Path], Path]


async def made(folder: Path, make: Make, crop: Crop | None = None) -> tuple[Recipe, Medium, list[int]]:
    """The recipe for a clip, what comes out of it, and the percents on the way."""
    path, target, heard = make(folder), folder / "target", list[int]()
    medium = medium_of(path)
    planned = plan(medium, rules(), crop)
    assert planned.action is Action.TRANSCODE
    assert planned.recipe is not None
    form, seconds = FORMS[medium.mime_type], medium.duration_seconds
    await render_film(path, form, planned.recipe, target, seconds=seconds, progress=heard.append)
    result = medium_of(target)
    assert plan(result, rules()).action is Action.NOTHING
    assert (result.mime_type, result.video_codec) == ("video/mp4", "h264")
    assert result.duration_seconds == pytest.approx(3.2, abs=0.15)
    return planned.recipe, result, heard


@pytest.mark.parametrize(
    ("make", "size", "sound"),
    [
        pytest.param(vp9, (180, 320), "aac", id="VP9 in WebM"),
        pytest.param(fast, (180, 320), "aac", id="120 frames a second"),
        pytest.param(odd, (180, 320), "aac", id="odd sides"),
        pytest.param(silent, (180, 320), "", id="no sound"),
        pytest.param(wide, (1080, 608), "aac", id="too wide"),
    ],
)
async def test_what_comes_out_fits(tmp_path: Path, make: Make, size: tuple[int, int], sound: str) -> None:
    recipe, result, heard = await made(tmp_path, make)
    assert recipe.video == "h264"
    assert (result.width, result.height, result.audio_codec) == (*size, sound)
    assert heard == sorted(heard)
    assert heard


@pytest.mark.parametrize("make", [quicktime, mp3_sound])
async def test_a_picture_that_is_taken_is_not_encoded_again(tmp_path: Path, make: Make) -> None:
    recipe, _, _ = await made(tmp_path, make)
    assert recipe.video == "copy"


@pytest.mark.parametrize(
    ("crop", "size"), [(Crop.FILL, (120, 212)), (Crop.BORDER, (204, 360)), (Crop.SMART, (120, 212))]
)
async def test_crops_of_a_film(tmp_path: Path, crop: Crop, size: tuple[int, int]) -> None:
    # 120 x 360 is 1:3; 9:16 is 120 x 213 or 203 x 360, in even pixels.
    _, result, _ = await made(tmp_path, tower, crop)
    assert (result.width, result.height) == size


def test_what_no_encoder_can_help_is_impossible() -> None:
    film = Medium(
        asset_id="", kind="video", mime_type="video/webm", size_bytes=10, duration_seconds=90, width=9, height=16
    )
    assert "too long" in plan(film, rules()).reason
    assert "too short" in plan(replace(film, duration_seconds=1), rules()).reason
    # 60 s within 1 MB are 133 kbit/s: mush.
    assert "too long" in plan(replace(film, duration_seconds=60), rules(replace(REELS, max_bytes=1_000_000))).reason


RECIPE = Recipe(
    mime_type="video/mp4", width=64, height=64, max_bytes=1_000_000, bit_rate=900_000, video="h264", audio="aac"
)


@pytest.mark.parametrize("form", [Form.MP4, Form.WEBM])
@pytest.mark.parametrize("data", [b"", b"not a film at all", b"ffconcat version 1.0\nfile /etc/hostname\n"])
async def test_bytes_that_are_no_film_are_refused(tmp_path: Path, form: Form, data: bytes) -> None:
    path = tmp_path / "in"
    path.write_bytes(data)
    with pytest.raises(InvalidInput) as refusal:
        await render_film(path, form, RECIPE, tmp_path / "out", seconds=1, progress=lambda _percent: None)
    assert refusal.value.code == "media_unfit"
    assert probe(path, form) is None


@pytest.mark.parametrize("keep", [0.01, 0.5, 0.99])
def test_a_webm_that_was_cut_is_refused(tmp_path: Path, keep: float) -> None:
    whole = vp9(tmp_path).read_bytes()
    path = tmp_path / "cut.webm"
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(InvalidInput) as refusal:
        inspect_now(path)
    assert refusal.value.code == "media_truncated"


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{target}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {target}\n",
    ],
    ids=["playlist", "concat"],
)
@pytest.mark.parametrize("where", ["file", "url"])
def test_a_playlist_reads_nothing_else(tmp_path: Path, playlist: str, where: str) -> None:
    film = clip(tmp_path, "secret.mp4", *H264)
    target = f"file:{film}" if where == "file" else "http://127.0.0.1:9/secret.mp4"
    path = tmp_path / "in.mp4"
    path.write_text(playlist.format(target=target))
    with pytest.raises(InvalidInput) as refusal:
        inspect_now(path)
    assert refusal.value.code == "media_type"
    # Not even when the first gate is passed: the worker is told what the file is.
    assert probe(path, Form.MP4) is None


def test_the_worker_has_limits_and_an_empty_environment(tmp_path: Path) -> None:
    look = "import os, resource as r; print(r.getrlimit(r.RLIMIT_FSIZE)[0], r.getrlimit(r.RLIMIT_CPU)[0], os.nice(0))"
    script = tmp_path / "ffmpeg"
    script.write_text(f"#!/usr/bin/python3 -IS\n{look}\nprint(sorted(os.environ))\n")
    script.chmod(0o755)
    command = worker(str(script), [], Bounds(processor_seconds=7, file_bytes=1234))
    done = subprocess.run(command, capture_output=True, text=True, env={}, check=True)
    limits, environment = done.stdout.splitlines()
    assert limits.split()[:2] == ["1234", "7"]
    assert int(limits.split()[2]) >= 10
    assert "'PATH'" not in environment


async def test_a_conversion_that_takes_too_long_is_ended_and_says_so(tmp_path: Path) -> None:
    path = wide(tmp_path)
    with pytest.raises(Unavailable) as late:
        await render_film(
            path, Form.MP4, RECIPE, tmp_path / "out", seconds=3, progress=lambda _percent: None, within=0.01
        )
    assert late.value.code == "media_too_slow"


async def test_a_cancelled_conversion_leaves_no_process(tmp_path: Path) -> None:
    path = clip(tmp_path, "in.mp4", *H264, size="1920x1080", seconds=30, rate=25)
    begun = asyncio.Event()
    work = asyncio.create_task(
        render_film(path, Form.MP4, RECIPE, tmp_path / "out", seconds=30, progress=lambda _percent: begun.set())
    )
    await begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    children = psutil.Process().children(recursive=True)
    assert not [each for each in children if any(str(tmp_path) in word for word in each.cmdline())]


def test_what_ffmpeg_says_is_read() -> None:
    said = """
  Duration: 00:01:02.50, start: 0.000000, bitrate: 16042 kb/s
  Stream #0:0[0x1](und): Video: mjpeg, yuvj420p, 90x90, 90k tbr (attached pic)
  Stream #0:1[0x1](und): Video: hevc (Main 10) (hvc1 / 0x31637668), yuv420p10le(tv), 1920x1080, 15k kb/s, 1k fps, 60 tbr
      Side data:
        Display Matrix: rotation of -90.00 degrees
  Stream #0:2[0x2](und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp, 189 kb/s
"""
    facts = read_probe(said)
    assert facts is not None
    assert (facts.width, facts.height, facts.duration_seconds) == (1080, 1920, 62.5)
    assert (facts.video_codec, facts.audio_codec, facts.frame_rate, facts.bit_rate) == ("hevc", "aac", 1000, 16_042_000)
    assert read_probe("in: Invalid data found when processing input") is None


def test_the_source_is_named_as_what_it_is(tmp_path: Path) -> None:
    assert ffmpeg() is not None
    assert source(tmp_path / "x", Form.WEBM)[:2] == ["-f", "matroska"]
    assert source(tmp_path / "x", Form.MOV)[:2] == ["-f", "mov"]
