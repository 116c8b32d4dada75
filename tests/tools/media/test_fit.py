"""Pictures of every kind, made to fit: real files in, what each network's rules make of them out."""

import io
from dataclasses import dataclass
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, ImageCms

from core.errors import InvalidInput
from platforms.base import FormatRules, ImageRules, Medium
from tests.tools.media.samples import moving_gif
from tools.media.fit import Action, Crop, framed, plan
from tools.media.inspect import inspect_now
from tools.media.kinds import Form
from tools.media.render import colours_of, render_picture

pillow_heif.register_heif_opener()

SQUARE = ImageRules(mime_types=frozenset({"image/jpeg"}), max_bytes=500_000, ratios=(4 / 5, 1.91), best_width=1440)
LOOSE = ImageRules(mime_types=frozenset({"image/jpeg", "image/png"}), max_bytes=60_000, max_width=800, max_height=800)
LOSSLESS = ImageRules(mime_types=frozenset({"image/png"}), max_bytes=400_000)
FORMS = {form.mime_type: form for form in Form}


def rules(image: ImageRules | None) -> FormatRules:
    return FormatRules(name="image", kinds=frozenset({"image"}), min_media=1, max_media=1, max_text=100, image=image)


def medium_of(path: Path) -> Medium:
    facts = inspect_now(path)
    return Medium(
        asset_id="",
        kind=facts.kind,
        mime_type=facts.mime_type,
        size_bytes=facts.size_bytes,
        width=facts.width,
        height=facts.height,
        duration_seconds=facts.duration_seconds,
        frame_rate=facts.frame_rate,
        video_codec=facts.video_codec,
        audio_codec=facts.audio_codec,
        bit_rate=facts.bit_rate,
    )


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, form, **options)
    return written.getvalue()


def plain(width: int = 600, height: int = 600, mode: str = "RGB") -> Image.Image:
    return Image.linear_gradient("L").resize((width, height)).convert(mode)


def noisy(width: int, height: int) -> Image.Image:
    return Image.effect_noise((width, height), 120).convert("RGB")


def transparent() -> Image.Image:
    image = Image.new("RGBA", (600, 600), (200, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 300, 600))
    return image


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "a camera that knows where it was"
    return saved(plain(900, 700), "PNG", exif=exif)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file, the limits, an optional crop; what is to be done, and what comes out."""

    data: bytes
    limits: ImageRules
    action: Action
    crop: Crop | None = None
    form: str = "image/jpeg"
    size: tuple[int, int] | None = None


CASES = {
    "jpeg that fits": Case(data=saved(plain(), "JPEG"), limits=SQUARE, action=Action.NOTHING),
    "png": Case(data=saved(plain(), "PNG"), limits=SQUARE, action=Action.CONVERT, size=(600, 600)),
    "png with alpha": Case(data=saved(transparent(), "PNG"), limits=SQUARE, action=Action.CONVERT, size=(600, 600)),
    "png with a palette": Case(data=saved(plain(mode="P"), "PNG"), limits=SQUARE, action=Action.CONVERT),
    "sixteen-bit png": Case(data=saved(plain(mode="I;16"), "PNG"), limits=SQUARE, action=Action.CONVERT),
    "png where it is taken": Case(data=saved(plain(), "PNG"), limits=LOOSE, action=Action.NOTHING),
    "jpeg where only png is taken": Case(
        data=saved(plain(), "JPEG"), limits=LOSSLESS, action=Action.CONVERT, form="image/png"
    ),
    "webp": Case(data=saved(plain(), "WEBP"), limits=SQUARE, action=Action.CONVERT),
    "avif": Case(data=saved(plain(), "AVIF"), limits=SQUARE, action=Action.CONVERT),
    "heic": Case(data=saved(plain(), "HEIF"), limits=SQUARE, action=Action.CONVERT, size=(600, 600)),
    "gif": Case(data=moving_gif(), limits=SQUARE, action=Action.CONVERT, size=(40, 30)),
    # 900 x 700 stored sideways is 700 x 900 as shown: narrower than 4:5, so it is cut to 700 x 875.
    "turned by exif": Case(data=turned(), limits=SQUARE, action=Action.CROP, crop=Crop.FILL, size=(700, 875)),
    # 8000 wide, the network scales to 1440: 1440 x 1080.
    "8000 x 6000 png": Case(
        data=saved(plain(8000, 6000), "PNG"), limits=SQUARE, action=Action.CONVERT, size=(1440, 1080)
    ),
    "too wide": Case(data=saved(plain(1600, 400), "JPEG"), limits=LOOSE, action=Action.RESIZE, size=(800, 200)),
    "too tall": Case(data=saved(plain(400, 1600), "JPEG"), limits=LOOSE, action=Action.RESIZE, size=(200, 800)),
    "too many bytes": Case(data=saved(noisy(700, 700), "JPEG", quality=95), limits=LOOSE, action=Action.RESIZE),
    "1:3": Case(data=saved(plain(500, 1500), "JPEG"), limits=SQUARE, action=Action.CHOOSE),
    "1:3 filled": Case(
        data=saved(plain(500, 1500), "JPEG"), limits=SQUARE, action=Action.CROP, crop=Crop.FILL, size=(500, 625)
    ),
    "1:3 with a border": Case(
        data=saved(plain(500, 1500), "JPEG"), limits=SQUARE, action=Action.CROP, crop=Crop.BORDER, size=(1200, 1500)
    ),
    "1:3 smart": Case(
        data=saved(plain(500, 1500), "JPEG"), limits=SQUARE, action=Action.CROP, crop=Crop.SMART, size=(500, 625)
    ),
    "3:1 filled": Case(
        data=saved(plain(1500, 500), "PNG"), limits=SQUARE, action=Action.CROP, crop=Crop.FILL, size=(955, 500)
    ),
    "a crop that nobody needs": Case(
        data=saved(plain(), "JPEG"), limits=SQUARE, action=Action.NOTHING, crop=Crop.BORDER
    ),
    "cmyk jpeg": Case(data=saved(plain(mode="CMYK"), "JPEG"), limits=SQUARE, action=Action.CONVERT, size=(600, 600)),
}


async def made(folder: Path, case: Case) -> tuple[Action, Path | None]:
    """What is planned for a case, and the file that comes out when one is made."""
    source, target = folder / "source", folder / "target"
    source.write_bytes(case.data)
    medium = medium_of(source)
    colours = await colours_of(case.data[:1_000_000]) if medium.mime_type == "image/jpeg" else None
    planned = plan(medium, rules(case.limits), case.crop, colours=colours)
    if planned.recipe is None:
        return planned.action, None
    await render_picture(source, FORMS[medium.mime_type], planned.recipe, target)
    assert planned.said
    return planned.action, target


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_what_comes_out_fits(tmp_path: Path, case: Case) -> None:
    action, target = await made(tmp_path, case)
    assert action is case.action
    if target is None:
        return
    result = medium_of(target)
    assert plan(result, rules(case.limits)).action is Action.NOTHING
    assert result.mime_type == case.form
    if case.size is not None:
        assert (result.width, result.height) == case.size
    with Image.open(target) as picture:
        assert picture.mode == "RGB"
        assert not picture.getexif()


async def test_what_was_transparent_is_white_and_what_was_not_keeps_its_colour(tmp_path: Path) -> None:
    _, target = await made(tmp_path, CASES["png with alpha"])
    assert target is not None
    with Image.open(target) as picture:
        left, right = picture.getpixel((50, 300)), picture.getpixel((550, 300))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert min(left) > 250
    assert abs(right[0] - 200) < 8


async def test_a_turned_picture_is_upright_in_its_pixels(tmp_path: Path) -> None:
    image = Image.new("RGB", (400, 300), (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, 40, 300))  # the left edge, which a quarter turn clockwise puts on top
    exif = Image.Exif()
    exif[0x0112] = 6
    case = Case(data=saved(image, "PNG", exif=exif), limits=LOSSLESS_JPEG, action=Action.CONVERT)
    _, target = await made(tmp_path, case)
    assert target is not None
    with Image.open(target) as picture:
        assert picture.size == (300, 400)
        top, bottom = picture.getpixel((150, 10)), picture.getpixel((150, 390))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200
    assert bottom[0] < 50


LOSSLESS_JPEG = ImageRules(mime_types=frozenset({"image/jpeg"}), max_bytes=500_000)


async def test_a_profile_is_carried_out_and_left_behind(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    data = saved(Image.new("RGB", (64, 64), (10, 200, 90)), "PNG", icc_profile=lab.tobytes())
    _, target = await made(tmp_path, Case(data=data, limits=LOSSLESS_JPEG, action=Action.CONVERT))
    assert target is not None
    with Image.open(target) as picture:
        assert "icc_profile" not in picture.info
        pixel = picture.getpixel((32, 32))
    assert isinstance(pixel, tuple)
    assert all(abs(is_ - was) < 6 for is_, was in zip(pixel, (10, 200, 90), strict=True))


async def test_smart_keeps_the_part_with_most_to_see(tmp_path: Path) -> None:
    image = Image.new("RGB", (400, 1200), (120, 120, 120))
    image.paste(noisy(400, 200), (0, 950))
    case = Case(data=saved(image, "PNG"), limits=SQUARE, action=Action.CROP, crop=Crop.SMART)
    _, target = await made(tmp_path, case)
    assert target is not None
    with Image.open(target) as picture:
        assert picture.size == (400, 500)
        # The noise is within the window: its rows differ, those of the plain grey do not.
        rows = picture.convert("L").resize((1, 500))
        assert len(set(rows.tobytes())) > 5
    with Image.open(target) as picture:
        grey = picture.convert("L").crop((0, 0, 400, 100)).getextrema()
    assert isinstance(grey[0], int | float)
    assert isinstance(grey[1], int | float)
    assert grey[1] - grey[0] < 20


@pytest.mark.parametrize(
    ("size", "crop", "wanted"),
    [
        ((1000, 3000), Crop.FILL, (1000, 1250)),  # 1000 / 0.8
        ((1000, 3000), Crop.BORDER, (2400, 3000)),  # 3000 * 0.8
        ((3000, 1000), Crop.FILL, (1910, 1000)),  # 1000 * 1.91
        ((3000, 1000), Crop.BORDER, (3000, 1571)),  # 3000 / 1.91, rounded up
    ],
)
def test_a_crop_goes_to_the_nearest_ratio(size: tuple[int, int], crop: Crop, wanted: tuple[int, int]) -> None:
    assert framed(*size, (4 / 5, 1.91), crop) == wanted


def test_offers_name_their_sizes_and_a_kind_that_is_not_taken_is_impossible() -> None:
    tall = Medium(asset_id="", kind="image", mime_type="image/jpeg", size_bytes=9, width=1000, height=3000)
    offers = {each.crop: (each.width, each.height) for each in plan(tall, rules(SQUARE)).offers}
    assert offers == {Crop.FILL: (1000, 1250), Crop.BORDER: (1440, 1800), Crop.SMART: (1000, 1250)}
    assert plan(tall, rules(None)).action is Action.IMPOSSIBLE


async def test_damaged_bytes_are_refused_with_a_reason(tmp_path: Path) -> None:
    source = tmp_path / "cut"
    whole = saved(noisy(300, 300), "PNG")
    source.write_bytes(whole)
    planned = plan(medium_of(source), rules(SQUARE))
    assert planned.recipe is not None
    source.write_bytes(whole[:2000])
    with pytest.raises(InvalidInput) as refusal:
        await render_picture(source, Form.PNG, planned.recipe, tmp_path / "target")
    assert refusal.value.code == "media_unreadable"


@pytest.mark.parametrize("keep", [0.5, 0.98])
def test_a_heic_that_was_cut_is_refused(tmp_path: Path, keep: float) -> None:
    whole = saved(noisy(300, 300), "HEIF")
    path = tmp_path / "cut.heic"
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(InvalidInput) as refusal:
        inspect_now(path)
    assert refusal.value.code == "media_truncated"
