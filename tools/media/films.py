"""ffmpeg at arm's length: a bounded worker process, told what a file is, with nothing of ours in its hands."""

import importlib
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.media.kinds import Form

_PROBE_SECONDS = 20
_MEGABYTE = 1_000_000
# What runs before ffmpeg in its process: less priority, hard limits, and an end when we end. In a process of its own,
# because code between fork and exec must not run in a program with threads.
_LIMITED = """
import os, resource, sys
processor, memory, file = map(int, sys.argv[1:4])
os.nice(10)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
resource.setrlimit(resource.RLIMIT_FSIZE, (file, file))
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
os.execv(sys.argv[4], sys.argv[4:])
"""
_UNKNOWN = "none"  # what ffmpeg calls a codec that it cannot name
_DURATION = re.compile(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)")
_BIT_RATE = re.compile(r"Duration: .*bitrate: (\d+) kb/s")
_VIDEO = re.compile(r"Stream #\d+:\d+.*?: Video: (\w+).*")
_AUDIO = re.compile(r"Stream #\d+:\d+.*?: Audio: (\w+)")
_SIZE = re.compile(r", (\d{2,5})x(\d{2,5})[, ]")
_FRAMES = re.compile(r", (\d+(?:\.\d+)?)(k?) fps")
_TURN = re.compile(r"Display Matrix: rotation of (-?\d+(?:\.\d+)?) degrees", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a worker may use: processor seconds, bytes of memory, bytes of one file that it writes."""

    processor_seconds: int
    memory_bytes: int = 2_000 * _MEGABYTE
    file_bytes: int = _MEGABYTE


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What ffmpeg says of a film; pixels as shown, None = it does not say, ``audio_codec`` "" = no sound."""

    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    frame_rate: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    bit_rate: int | None = None


@cache
def ffmpeg() -> str | None:
    """The path of the ffmpeg that came with ``imageio-ffmpeg``, None where that is not installed."""
    try:
        return str(importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


def worker(program: str, arguments: Sequence[str], bounds: Bounds) -> list[str]:
    """The command line that runs ffmpeg within bounds; start it in a session of its own and an empty environment."""
    limits = (bounds.processor_seconds, bounds.memory_bytes, bounds.file_bytes)
    common = ("-hide_banner", "-nostdin", "-protocol_whitelist", "file,pipe", "-threads", "2")
    return [sys.executable, "-ISc", _LIMITED, *map(str, limits), program, *common, *arguments]


def source(path: Path, form: Form) -> list[str]:
    """How ffmpeg is told to read a file: as what it is and nothing else, so that no playlist can name other files."""
    return ["-f", "matroska" if form is Form.WEBM else "mov", "-i", f"file:{path}"]


def probe(path: Path, form: Form) -> Probed | None:
    """What ffmpeg makes of a film; None when it finds no picture in it, or is not here. In the calling thread."""
    program = ffmpeg()
    if program is None:
        return None
    command = worker(program, source(path, form), Bounds(processor_seconds=_PROBE_SECONDS))
    try:
        done = subprocess.run(  # noqa: S603 - our own command line; the file is named by us
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={},
            start_new_session=True,
            timeout=_PROBE_SECONDS,
            check=False,  # 1 is how it says that no output was asked for
        )
    except subprocess.TimeoutExpired:
        return None
    return read_probe(done.stderr.decode("utf-8", "replace"))


def read_probe(said: str) -> Probed | None:
    """The facts in what ``ffmpeg -i`` says on stderr; None when it speaks of no picture."""
    videos = [found for found in _VIDEO.finditer(said) if "(attached pic)" not in found[0]]  # that is cover art
    video = videos[0] if videos else None
    if video is None or video[1] == _UNKNOWN:
        return None
    size, frames, audio = _SIZE.search(video[0]), _FRAMES.search(video[0]), _AUDIO.search(said)
    duration, bit_rate, turn = _DURATION.search(said), _BIT_RATE.search(said), _TURN.search(said)
    width, height = (int(size[1]), int(size[2])) if size else (None, None)
    if turn and round(float(turn[1])) % 180:
        width, height = height, width
    seconds = 3600 * int(duration[1]) + 60 * int(duration[2]) + float(duration[3]) if duration else 0.0
    return Probed(
        width=width,
        height=height,
        duration_seconds=seconds or None,
        frame_rate=float(frames[1]) * (1000 if frames[2] else 1) if frames else None,
        video_codec=video[1],
        audio_codec=None if audio and audio[1] == _UNKNOWN else audio[1] if audio else "",
        bit_rate=int(bit_rate[1]) * 1000 if bit_rate else None,
    )
