"""Makes pictures that fit: decoded within limits, upright, in sRGB, cropped, scaled and written anew."""

import io
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import accumulate
from pathlib import Path

from PIL import Image, ImageCms, ImageFilter, ImageOps

from core.errors import InvalidInput
from core.threads import in_thread
from tools.media.fit import Crop, Recipe
from tools.media.inspect import DECODERS
from tools.media.kinds import Form, refused
from tools.media.pictures import MOST_PIXELS

_WRITERS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
_QUALITIES = (92, 85, 75, 65)
_SMALLEST = 64  # pixels: nothing smaller is a picture any more
_PAPER = (255, 255, 255)  # behind what is transparent, and the border
_LOOK = 256  # pixels along the axis that is searched for the most to see
_SPACES = {"RGB": "RGB", "CMYK": "CMYK", "GRAY": "L"}


async def render_picture(source: Path, form: Form, recipe: Recipe, target: Path) -> None:
    """Make the picture of a recipe. Raises ``InvalidInput``: ``media_unreadable``, ``media_bomb``, ``media_unfit``."""
    await in_thread(partial(_render, source, form, recipe, target), executor=DECODERS)


async def colours_of(head: bytes) -> str | None:
    """The colours of a JPEG by its beginning, None when they are the usual ones or cannot be told."""
    return await in_thread(partial(_colours, head), executor=DECODERS)


def _colours(head: bytes) -> str | None:
    with suppress(Exception), Image.open(io.BytesIO(head), formats=("JPEG",)) as picture:
        return None if picture.mode in {"RGB", "L"} else str(picture.mode)
    return None


def _render(source: Path, form: Form, recipe: Recipe, target: Path) -> None:
    try:
        picture = _upright(source, form, recipe)
    except (InvalidInput, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - Pillow raises whatever hostile bytes provoke
        raise refused("media_unreadable", "The picture is damaged.", "Open it and save it again as JPEG.") from None
    if recipe.width is not None and recipe.height is not None:
        picture = shaped(picture, (recipe.width, recipe.height), recipe.crop)
    target.write_bytes(_written(picture, recipe))


def _upright(source: Path, form: Form, recipe: Recipe) -> Image.Image:
    with Image.open(source, formats=(form.pillow_name,)) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            message = f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels."
            raise refused("media_bomb", message, "Resize it: no network shows more than a few thousand pixels a side.")
        if recipe.width is not None and recipe.height is not None:
            side = 2 * max(recipe.width, recipe.height)
            opened.draft(None, (side, side))  # a JPEG is decoded no larger than the quality needs
        opened.load()
        profile = opened.info.get("icc_profile")
        picture = ImageOps.exif_transpose(opened)
    return _in_srgb(_opaque(picture), profile if isinstance(profile, bytes) else None)


def _opaque(picture: Image.Image) -> Image.Image:
    """Without transparency, sixteen-bit greys and palettes: RGB, CMYK or L."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return picture.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
    if picture.has_transparency_data:
        layers = picture.convert("RGBA")
        paper = Image.new("RGBA", layers.size, (*_PAPER, 255))
        return Image.alpha_composite(paper, layers).convert("RGB")
    return picture if picture.mode in {"RGB", "CMYK", "L"} else picture.convert("RGB")


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours that the file's profile means, in sRGB, which is what networks take a picture without one for."""
    if profile is not None:
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if _SPACES.get(own.profile.xcolor_space.strip()) == picture.mode:
                srgb = ImageCms.createProfile("sRGB")
                seen = ImageCms.profileToProfile(picture, own, srgb, outputMode="RGB")
                if seen is not None:
                    return seen
    return picture.convert("RGB")


def shaped(picture: Image.Image, size: tuple[int, int], crop: Crop | None) -> Image.Image:
    """The picture in this size: scaled, cut from the middle or where there is most to see, or on a border."""
    if crop is None:
        return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)
    if crop is Crop.BORDER:
        return ImageOps.pad(picture, size, method=Image.Resampling.LANCZOS, color=_PAPER)
    centring = best_centring(picture, size) if crop is Crop.SMART else (0.5, 0.5)
    return ImageOps.fit(picture, size, method=Image.Resampling.LANCZOS, centering=centring)


def best_centring(picture: Image.Image, size: tuple[int, int]) -> tuple[float, float]:
    """Where to cut so that most edges are kept: shares of what is cut off on the left and at the top.

    The window of the wanted ratio slides along the one axis that is too long; what counts is how much contrast between
    neighbouring pixels it holds. Of equals the one nearest to the middle wins.
    """
    wide, high = picture.size
    ratio = size[0] / size[1]
    along_width = wide / high > ratio
    share = high * ratio / wide if along_width else wide / ratio / high
    look = picture.convert("L").resize((_LOOK, _LOOK), Image.Resampling.BOX)
    edges = look.filter(ImageFilter.FIND_EDGES).crop(
        (1, 1, _LOOK - 1, _LOOK - 1)
    )  # the filter leaves the rim as it was
    line = edges.resize((edges.width, 1) if along_width else (1, edges.height), Image.Resampling.BOX)
    at = _best_window(list(line.tobytes()), share)
    return (at, 0.5) if along_width else (0.5, at)


def _best_window(energies: Sequence[int], share: float) -> float:
    length = max(1, round(len(energies) * share))
    sums = [0, *accumulate(energies)]
    last = len(energies) - length
    if last <= 0:
        return 0.5
    middle = last / 2
    best = max(range(last + 1), key=lambda at: (sums[at + length] - sums[at], -abs(at - middle)))
    return best / last


def _written(picture: Image.Image, recipe: Recipe) -> bytes:
    """The file, of the best quality and size that the bytes allow, without EXIF (places, names, devices)."""
    form = _WRITERS[recipe.mime_type]
    while min(picture.size) >= min(_SMALLEST, recipe.width or _SMALLEST, recipe.height or _SMALLEST):
        for quality in _QUALITIES if form != "PNG" else _QUALITIES[:1]:
            written = io.BytesIO()
            picture.save(written, form, quality=quality, optimize=True)
            if written.tell() <= recipe.max_bytes:
                return written.getvalue()
        picture = picture.resize((max(1, picture.width * 4 // 5), max(1, picture.height * 4 // 5)))
    raise refused(
        "media_unfit", f"The picture cannot be made smaller than {recipe.max_bytes:,} bytes.", "Use another picture."
    )
