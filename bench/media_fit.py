"""Prints what becomes of common media on every installed network: the table of the documentation.

Run: .venv/bin/python -m bench.media_fit
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from platforms.base import FormatRules, Manifest, Medium
from tools.media.fit import Action, FitPlan, plan

PLATFORMS = Path(__file__).parents[1] / "platforms"


def picture(mime_type: str, width: int, height: int, megabytes: float = 2) -> Medium:
    """A picture of these facts."""
    size_bytes = int(megabytes * 1e6)
    return Medium(asset_id="", kind="image", mime_type=mime_type, size_bytes=size_bytes, width=width, height=height)


def film(
    mime_type: str = "video/mp4",
    *,
    size: tuple[int, int] = (1080, 1920),
    seconds: float = 20,
    frame_rate: float = 30,
    codecs: tuple[str, str] = ("h264", "aac"),
    megabits: float = 8,
) -> Medium:
    """A film of these facts."""
    return Medium(
        asset_id="",
        kind="video",
        mime_type=mime_type,
        size_bytes=int(megabits * seconds / 8 * 1e6),
        width=size[0],
        height=size[1],
        duration_seconds=seconds,
        frame_rate=frame_rate,
        video_codec=codecs[0],
        audio_codec=codecs[1],
        bit_rate=int(megabits * 1e6),
    )


MEDIA = (
    ("JPEG 1080 x 1350, 2 MB", picture("image/jpeg", 1080, 1350)),
    ("JPEG 1440 x 1800, 12 MB", picture("image/jpeg", 1440, 1800, 12)),
    ("JPEG 8000 x 6000, 30 MB", picture("image/jpeg", 8000, 6000, 30)),
    ("JPEG 1000 x 3000 (1:3)", picture("image/jpeg", 1000, 3000)),
    ("JPEG 3000 x 1000 (3:1)", picture("image/jpeg", 3000, 1000)),
    ("PNG 1200 x 1200", picture("image/png", 1200, 1200)),
    ("WebP 1200 x 1200", picture("image/webp", 1200, 1200)),
    ("HEIC 4032 x 3024", picture("image/heic", 4032, 3024)),
    ("AVIF 1200 x 1200", picture("image/avif", 1200, 1200)),
    ("GIF 500 x 500", picture("image/gif", 500, 500)),
    ("MP4 H.264 9:16, 20 s", film()),
    ("MOV HEVC 9:16, 20 s", film("video/quicktime", codecs=("hevc", "aac"))),
    ("WebM VP9 16:9, 20 s", film("video/webm", size=(1920, 1080), codecs=("vp9", "opus"))),
    ("MP4 120 frames a second", film(frame_rate=120)),
    ("MP4 4K 16:9, 50 Mbit/s", film(size=(3840, 2160), megabits=50)),
    ("MP4 with MP3 sound", film(codecs=("h264", "mp3"))),
    ("MP4 of 20 minutes", film(seconds=1200)),
    ("MP4 of 2 seconds", film(seconds=2)),
)


def manifests() -> Iterator[Manifest]:
    """Those of the installed adapters, by name."""
    for path in sorted(PLATFORMS.glob("*/manifest.py")):
        manifest = import_module(f"platforms.{path.parent.name}.manifest").MANIFEST
        assert isinstance(manifest, Manifest)
        yield manifest


def told(planned: FitPlan) -> str:
    """The plan in words."""
    match planned.action:
        case Action.NOTHING:
            return "as it is"
        case Action.CHOOSE:
            return "offers " + ", ".join(f"{each.crop} {each.width} x {each.height}" for each in planned.offers)
        case Action.IMPOSSIBLE:
            return f"not taken: {planned.reason}"
        case _:
            return planned.said


def rows() -> Iterator[tuple[str, str, str]]:
    """Medium, network/format, result; a format that does not take the kind at all is left out."""
    for name, medium in MEDIA:
        for manifest in manifests():
            for rules in manifest.formats:
                if medium.kind in rules.kinds and _limits(rules, medium) is not None:
                    yield name, f"{manifest.platform}/{rules.name}", told(plan(medium, rules))


def _limits(rules: FormatRules, medium: Medium) -> object | None:
    return rules.image if medium.kind == "image" else rules.video


def main() -> None:
    """Print the table."""
    print("| medium | for | result |\n| --- | --- | --- |")
    for row in rows():
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
