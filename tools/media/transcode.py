"""Makes films that fit: ffmpeg in a bounded worker, one at a time in this process, with its progress to read."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from PIL import Image

from core.errors import Misconfigured, Unavailable
from core.threads import in_thread
from tools.media.films import Bounds, ffmpeg, source, worker
from tools.media.fit import Crop, Recipe
from tools.media.kinds import Form, refused
from tools.media.render import best_centring

MOST_SECONDS = 900.0
_ONE_AT_A_TIME = asyncio.Semaphore(1)
_MIDDLE = (0.5, 0.5)
_LOOK_SECONDS = 30.0
_EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2"

Progress = Callable[[int], None]


async def render_film(
    film: Path,
    form: Form,
    recipe: Recipe,
    target: Path,
    *,
    seconds: float | None,
    progress: Progress,
    within: float = MOST_SECONDS,
) -> None:
    """Make the film of a recipe; ``progress`` hears whole percents, ``within`` is the limit in seconds of real time.

    A caller that is cancelled takes the worker with it. Raises ``InvalidInput`` (``media_unfit``: ffmpeg cannot read
    the film, or it came out too large), ``Unavailable`` (``media_too_slow``) or ``Misconfigured`` (no ffmpeg here).
    """
    program = ffmpeg()
    if program is None:
        raise Misconfigured(
            "Videos cannot be converted here: ffmpeg is missing.",
            code="ffmpeg_missing",
            action="Install imageio-ffmpeg, or send the video as the network takes it (MP4, H.264, AAC).",
        )
    async with _ONE_AT_A_TIME:
        centring = _MIDDLE
        if recipe.crop is Crop.SMART and recipe.width and recipe.height:
            centring = await _look(program, film, form, (recipe.width, recipe.height), seconds)
        arguments = [*source(film, form), *_arguments(recipe, centring), f"file:{target}"]
        # A limit of its own behind the clock's, never before it.
        bounds = Bounds(processor_seconds=2 + int(2 * within), file_bytes=recipe.max_bytes)
        code = await _run(worker(program, arguments, bounds), progress, seconds, within)
    if code != 0:
        raise refused(
            "media_unfit",
            "The video could not be converted: it is damaged, or even compressed it is too large.",
            "Export it again as MP4 with H.264 and AAC, and shorter if it is long.",
        )


async def _run(command: list[str], progress: Progress, seconds: float | None, within: float) -> int:
    # A session of its own, so that the whole of it can be ended at once; nothing of our environment.
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env={}, start_new_session=True
    )
    try:
        async with asyncio.timeout(within):
            await _listen(process, progress, seconds)
            return await process.wait()
    except TimeoutError:
        raise Unavailable(
            f"Converting the video took longer than {within:g} seconds.",
            code="media_too_slow",
            action="Send a shorter or smaller video, or one that the network takes as it is (MP4, H.264, AAC).",
        ) from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _listen(process: Process, progress: Progress, seconds: float | None) -> None:
    assert process.stdout is not None
    furthest = 0  # the time that ffmpeg tells can go back: its streams are not even
    async for line in process.stdout:
        name, _, value = line.decode("ascii", "replace").strip().partition("=")
        if name == "out_time_us" and seconds and value.isdigit():
            furthest = max(furthest, min(99, int(int(value) / 10_000 / seconds)))
            progress(furthest)


async def _look(
    program: str, film: Path, form: Form, size: tuple[int, int], seconds: float | None
) -> tuple[float, float]:
    """Where the picture in the middle of the film has most to see; the middle when there is none to look at."""
    still = film.with_suffix(".look.png")
    arguments = ["-ss", f"{(seconds or 0) / 2:.3f}", *source(film, form), "-map", "0:V:0", "-frames:v", "1"]
    arguments += ["-vf", "scale=640:-2", "-f", "image2", "-update", "1", "-y", f"file:{still}"]
    bounds = Bounds(processor_seconds=int(_LOOK_SECONDS), file_bytes=10_000_000)
    if await _run(worker(program, arguments, bounds), lambda _percent: None, None, _LOOK_SECONDS) != 0:
        return _MIDDLE
    return await in_thread(lambda: _centring(still, size))


def _centring(still: Path, size: tuple[int, int]) -> tuple[float, float]:
    with suppress(OSError), Image.open(still, formats=("PNG",)) as picture:
        return best_centring(picture, size)
    return _MIDDLE


def _arguments(recipe: Recipe, centring: tuple[float, float]) -> list[str]:
    # "V" leaves cover pictures out; what is written about the film (places, devices, chapters) stays behind.
    chosen = ["-map", "0:V:0", "-map", "0:a:0?", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"]
    if recipe.video == "copy":
        picture = ["-c:v", "copy"]
    else:
        rate = recipe.bit_rate or 0
        picture = ["-vf", _filters(recipe, centring), "-c:v", "libx264", "-preset", "veryfast", "-crf", "21"]
        picture += ["-maxrate", str(rate), "-bufsize", str(rate), "-profile:v", "high", "-threads:v", "2"]
    sound = ["-c:a", "copy"] if recipe.audio == "copy" else "-c:a aac -b:a 128k -ar 48000 -ac 2".split()
    end = ["-movflags", "+faststart", "-progress", "pipe:1", "-nostats", "-loglevel", "error", "-f", "mp4", "-y"]
    return [*chosen, *picture, *sound, *end]


def _filters(recipe: Recipe, centring: tuple[float, float]) -> str:
    size = f"{recipe.width}:{recipe.height}"
    match recipe.crop:
        case _ if recipe.width is None or recipe.height is None:
            shape = _EVEN
        case None:
            shape = f"scale={size}"
        case Crop.BORDER:
            shape = f"scale={size}:force_original_aspect_ratio=decrease,pad={size}:(ow-iw)/2:(oh-ih)/2:color=black"
        case Crop.FILL | Crop.SMART:
            left, top = centring
            place = f"(iw-ow)*{left:.4f}:(ih-oh)*{top:.4f}"
            shape = f"scale={size}:force_original_aspect_ratio=increase,crop={size}:{place}"
    frames = f",fps={recipe.frame_rate:g}" if recipe.frame_rate else ""
    return f"{shape},setsar=1{frames},format=yuv420p"
