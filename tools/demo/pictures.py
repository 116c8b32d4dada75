"""Example pictures, drawn here: warm gradients with a cup, a bag or a sun on them, as JPEG."""

import io
import math
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
_SIDE = 1080


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One example picture. ``motif`` is cup, bag or sun; ``height`` in pixels, its width is 1080."""

    name: str
    top: Colour
    bottom: Colour
    motif: str
    height: int = _SIDE


PICTURES = (
    Picture(name="espresso cup.jpg", top=(74, 44, 31), bottom=(181, 116, 72), motif="cup"),
    Picture(name="latte photo.jpg", top=(236, 214, 186), bottom=(190, 140, 98), motif="cup"),
    Picture(name="coffee bag.jpg", top=(28, 58, 60), bottom=(92, 128, 116), motif="bag"),
    Picture(name="morning light.jpg", top=(250, 203, 140), bottom=(222, 122, 92), motif="sun"),
)


def draw(picture: Picture) -> bytes:
    """The picture as a JPEG, 1080 pixels wide, with its motif in the middle."""
    image = _gradient(picture.top, picture.bottom, picture.height)
    shade = Image.new("RGBA", (_SIDE, _SIDE), (0, 0, 0, 0))
    _MOTIFS[picture.motif](ImageDraw.Draw(shade))
    soft = shade.filter(ImageFilter.GaussianBlur(1.2))
    image.paste(soft, (0, (picture.height - _SIDE) // 2), soft)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=86)
    return buffer.getvalue()


def _gradient(top: Colour, bottom: Colour, height: int) -> Image.Image:
    column = Image.new("RGB", (1, height))
    for y in range(height):
        part = y / (height - 1)
        column.putpixel((0, y), tuple(round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True)))
    return column.resize((_SIDE, height))


def _cup(pen: ImageDraw.ImageDraw) -> None:
    pen.ellipse((230, 760, 850, 880), fill=(0, 0, 0, 60))
    pen.ellipse((250, 730, 830, 840), fill=(250, 246, 240, 255))
    pen.arc((690, 470, 880, 690), 250, 110, fill=(250, 246, 240, 255), width=44)
    pen.rounded_rectangle((320, 420, 760, 780), radius=150, fill=(250, 246, 240, 255))
    pen.rectangle((320, 420, 760, 560), fill=(250, 246, 240, 255))
    pen.ellipse((320, 370, 760, 470), fill=(238, 230, 220, 255))
    pen.ellipse((345, 385, 735, 458), fill=(88, 52, 34, 255))
    pen.ellipse((430, 402, 650, 442), fill=(196, 144, 96, 255))
    for offset in (-70, 0, 70):
        points = [(540 + offset + 16 * math.sin(y / 24), 340 - y) for y in range(0, 170, 6)]
        pen.line(points, fill=(255, 255, 255, 90), width=10, joint="curve")


def _bag(pen: ImageDraw.ImageDraw) -> None:
    pen.ellipse((270, 880, 810, 950), fill=(0, 0, 0, 70))
    pen.polygon([(330, 260), (750, 260), (790, 910), (290, 910)], fill=(226, 206, 170, 255))
    pen.polygon([(330, 260), (750, 260), (742, 350), (338, 350)], fill=(198, 172, 130, 255))
    pen.rounded_rectangle((400, 480, 680, 740), radius=24, fill=(40, 70, 66, 255))
    pen.ellipse((480, 540, 600, 680), fill=(226, 206, 170, 255))
    pen.arc((500, 540, 580, 680), 300, 120, fill=(40, 70, 66, 255), width=12)


def _sun(pen: ImageDraw.ImageDraw) -> None:
    pen.ellipse((390, 300, 690, 600), fill=(255, 240, 210, 220))
    for row in range(5):
        y = 660 + row * 78
        points = [(x, y + 18 * math.sin(x / 90 + row)) for x in range(-20, _SIDE + 40, 20)]
        pen.line(points, fill=(255, 255, 255, 60 + row * 14), width=22)


_MOTIFS = {"cup": _cup, "bag": _bag, "sun": _sun}
