"""Short real films made for tests by the ffmpeg that Studio uses."""

import subprocess
from pathlib import Path

from tools.media.films import ffmpeg


def clip(
    folder: Path,
    name: str,
    *options: str,
    size: str = "180x320",
    seconds: float = 3.2,
    rate: int = 30,
    sound: bool = True,
) -> Path:
    """A moving test picture with a tone, written as ``options`` say."""
    program = ffmpeg()
    assert program is not None
    inputs = ["-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}:duration={seconds}"]
    if sound:
        inputs += ["-f", "lavfi", "-i", f"sine=duration={seconds}"]
    target = folder / name
    command = [program, "-v", "error", "-nostdin", *inputs, "-pix_fmt", "yuv420p", *options, "-y", str(target)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)
    return target


VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "300k", "-c:a", "libopus")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac")
