"""An example film: a slow walk towards a drawn picture, encoded by ffmpeg as every network takes it."""

import asyncio
import tempfile
from pathlib import Path

import imageio_ffmpeg

from tools.demo.pictures import Picture, draw

SECONDS = 6
STILL = Picture(name="pouring reel.jpg", top=(46, 30, 24), bottom=(196, 124, 74), motif="cup", height=1920)
_ZOOM = "zoompan=z='1+0.0012*on':x='(iw-iw/zoom)/2':y='(ih-ih/zoom)/2':d=1:s=720x1280:fps=24"


async def film() -> bytes:
    """The film as MP4: 720 x 1280 pixels, 24 frames a second, H.264 with a silent AAC track, its index in front."""
    with tempfile.TemporaryDirectory() as folder:
        still, target = Path(folder) / "still.jpg", Path(folder) / "film.mp4"
        await asyncio.to_thread(still.write_bytes, draw(STILL))
        process = await asyncio.create_subprocess_exec(
            imageio_ffmpeg.get_ffmpeg_exe(),
            *("-hide_banner", "-loglevel", "error", "-nostdin", "-threads", "1"),
            *("-loop", "1", "-framerate", "24", "-i", str(still), "-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo"),
            *("-t", str(SECONDS), "-vf", _ZOOM, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
            *("-c:a", "aac", "-shortest", "-movflags", "+faststart", str(target)),
            stdout=asyncio.subprocess.DEVNULL,
        )
        if await process.wait() != 0:
            raise RuntimeError("ffmpeg did not make the example film")
        return await asyncio.to_thread(target.read_bytes)
