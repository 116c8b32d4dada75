"""How a medium is made to fit what a network takes: decided here from its facts, done in ``tools/media/render.py``."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from math import ceil, floor

from platforms.base import FormatRules, ImageRules, Medium, VideoRules
from platforms.media_rules import ratio_fits

MOST_SIDE = 4_096  # of what is rendered anew: no network shows more
_FEWEST_BITS = 300_000  # a second; below this a film is mush, whatever its size
_SOUND_BITS = 128_000
_BEST_BITS = 25_000_000
_MARGIN = 0.92  # of a limit: what holds a film together takes some, and an encoder overshoots
_NAMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "video/mp4": "MP4"}


class Crop(StrEnum):
    """What is done about a wrong ratio: cut from the middle, add a border, or cut where there is most to see."""

    FILL = "fill"
    BORDER = "border"
    SMART = "smart"


class Action(StrEnum):
    """What a medium needs before a network takes it."""

    NOTHING = "nothing"
    CONVERT = "convert"
    RESIZE = "resize"
    CROP = "crop"
    TRANSCODE = "transcode"
    CHOOSE = "choose"  # its ratio is wrong: a person says which crop
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One crop that would do, and the size in pixels it would come to."""

    crop: Crop
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the fitting medium is made. ``width`` and ``height`` None = as they are.

    For films: frames a second (None = as they are), the most bits a second of the picture, and per stream whether it is
    copied as it is or encoded.
    """

    mime_type: str
    width: int | None
    height: int | None
    max_bytes: int
    crop: Crop | None = None
    frame_rate: float | None = None
    bit_rate: int | None = None
    video: str | None = None  # "copy" | "h264"
    audio: str | None = None  # "copy" | "aac"

    def derivation(self, wanted_for: str) -> dict[str, object]:
        """The recipe as it is kept with the asset; ``wanted_for`` is "instagram/image"."""
        return {"for": wanted_for, **{name: value for name, value in asdict(self).items() if value is not None}}


@dataclass(frozen=True, kw_only=True)
class FitPlan:
    """What to do: ``recipe`` when something is to be made, ``offers`` to choose from, else ``reason`` why not.

    ``said`` completes "espresso.png was …".
    """

    action: Action
    said: str = ""
    recipe: Recipe | None = None
    offers: tuple[Offer, ...] = ()
    reason: str = ""


def plan(medium: Medium, rules: FormatRules, crop: Crop | None = None, *, colours: str | None = None) -> FitPlan:
    """What a medium needs for a format. ``colours`` are a picture's where they are not RGB ("CMYK")."""
    limits = rules.image if medium.kind == "image" else rules.video
    if medium.kind not in rules.kinds or limits is None:
        return FitPlan(action=Action.IMPOSSIBLE, reason=f"the format {rules.name} takes no {medium.kind}")
    wrong_ratio = _has_wrong_ratio(medium, limits)
    if isinstance(limits, VideoRules) and (reason := _hopeless(medium, limits)):
        return FitPlan(action=Action.IMPOSSIBLE, reason=reason)
    if wrong_ratio and crop is None:
        offers = tuple(_offer(medium, limits, each) for each in Crop)
        return FitPlan(action=Action.CHOOSE, offers=offers)
    crop = crop if wrong_ratio else None
    if isinstance(limits, VideoRules):
        return _film(medium, limits, crop)
    return _picture(medium, limits, crop, colours)


def framed(width: int, height: int, ratios: tuple[float, float], crop: Crop) -> tuple[int, int]:
    """The size that a crop gives a picture, in its own pixels: the nearest ratio that is taken."""
    narrowest, widest = ratios
    too_tall = width / height < narrowest
    if crop is Crop.BORDER:
        return (ceil(height * narrowest), height) if too_tall else (width, ceil(width / widest))
    return (width, max(1, floor(width / narrowest))) if too_tall else (max(1, floor(height * widest)), height)


def _has_wrong_ratio(medium: Medium, limits: ImageRules | VideoRules) -> bool:
    if not medium.width or not medium.height or limits.ratios is None:
        return False
    return not ratio_fits(medium.width, medium.height, limits.ratios)


def _offer(medium: Medium, limits: ImageRules | VideoRules, crop: Crop) -> Offer:
    size = _size(medium, limits, crop, anew=True)
    assert size is not None
    return Offer(crop=crop, width=size[0], height=size[1])


def _size(medium: Medium, limits: ImageRules | VideoRules, crop: Crop | None, *, anew: bool) -> tuple[int, int] | None:
    """The size to make, None when it is unknown; ``anew``: it is rendered anyway, so the network's best will do."""
    if not medium.width or not medium.height:
        return None
    width, height = medium.width, medium.height
    if crop is not None and limits.ratios is not None:
        width, height = framed(width, height, limits.ratios, crop)
    most_wide, most_high = limits.max_width or width, limits.max_height or height
    if anew:
        best = limits.best_width if isinstance(limits, ImageRules) else None
        most_wide, most_high = min(most_wide, best or MOST_SIDE, MOST_SIDE), min(most_high, MOST_SIDE)
    scale = min(1.0, most_wide / width, most_high / height)
    if isinstance(limits, VideoRules):
        least = max((limits.min_width or 0) / width, (limits.min_height or 0) / height)
        return _settled(width * max(scale, least), height * max(scale, least), limits.ratios if crop else None, 2)
    if scale == 1.0:
        return width, height
    return _settled(width * scale, height * scale, limits.ratios if crop else None, 1)


def _settled(width: float, height: float, ratios: tuple[float, float] | None, step: int) -> tuple[int, int]:
    """Whole pixels (even ones for a film), and a ratio that rounding has not pushed out of what is taken."""
    wide, high = (max(step, round(side / step) * step) for side in (width, height))
    if ratios is None:
        return wide, high
    while wide / high < ratios[0] and high > step and not ratio_fits(wide, high, ratios):
        high -= step
    while wide / high > ratios[1] and wide > step and not ratio_fits(wide, high, ratios):
        wide -= step
    return wide, high


def _picture(medium: Medium, limits: ImageRules, crop: Crop | None, colours: str | None) -> FitPlan:
    foreign = medium.mime_type not in limits.mime_types
    heavy = medium.size_bytes > limits.max_bytes
    size = _size(medium, limits, crop, anew=False)
    smaller = size is not None and size != (medium.width, medium.height)
    if not (foreign or heavy or smaller or crop or colours):
        return FitPlan(action=Action.NOTHING)
    mime_type = next((name for name in ("image/jpeg", "image/png", "image/webp") if name in limits.mime_types), None)
    if mime_type is None:
        return FitPlan(action=Action.IMPOSSIBLE, reason="it takes no kind of picture that Studio can write")
    size = _size(medium, limits, crop, anew=True)
    recipe = Recipe(
        mime_type=mime_type,
        width=size[0] if size else None,
        height=size[1] if size else None,
        max_bytes=limits.max_bytes,
        crop=crop,
    )
    said: list[str] = []
    if mime_type != medium.mime_type:
        said.append(f"converted to {_NAMES[mime_type]}" + (" (its first frame)" * (medium.mime_type == "image/gif")))
    elif colours:
        said.append(f"converted from {colours} to RGB colours")
    said += _sized(medium, size, crop)
    if heavy and not said:
        said.append(f"compressed to less than {limits.max_bytes:,} bytes")
    action = Action.CROP if crop else Action.CONVERT if foreign or colours else Action.RESIZE
    return FitPlan(action=action, recipe=recipe, said=" and ".join(said))


def _sized(medium: Medium, size: tuple[int, int] | None, crop: Crop | None) -> list[str]:
    if size is None or size == (medium.width, medium.height):
        return []
    done = {None: "scaled", Crop.BORDER: "given a border", Crop.FILL: "cropped", Crop.SMART: "cropped"}[crop]
    return [f"{done}{',' if crop is Crop.BORDER else ''} to {size[0]} x {size[1]} pixels"]


def _hopeless(medium: Medium, limits: VideoRules) -> str:
    """Why no encoder can help; empty when one can."""
    seconds, (shortest, longest) = medium.duration_seconds, limits.seconds
    if seconds is not None and seconds > longest:
        return f"it is too long: {seconds:g} s, and at most {longest:g} s are taken; cut it first"
    if seconds is not None and seconds < shortest:
        return f"it is too short: {seconds:g} s, and at least {shortest:g} s are needed"
    return ""


def _film(medium: Medium, limits: VideoRules, crop: Crop | None) -> FitPlan:
    reasons = _why_encode(medium, limits)
    size = _size(medium, limits, crop, anew=False)
    # An odd side is the encoder's trouble, not the network's.
    resized = size is not None and not _same(medium, size)
    sound = bool(medium.audio_codec) and medium.audio_codec not in limits.audio_codecs
    foreign = medium.mime_type not in limits.mime_types
    if not (reasons or resized or sound or foreign or crop):
        return FitPlan(action=Action.NOTHING)
    if not {"video/mp4"} <= limits.mime_types or "h264" not in limits.video_codecs:
        return FitPlan(action=Action.IMPOSSIBLE, reason="it takes no kind of video that Studio can write")
    anew = bool(reasons or resized or crop) or medium.video_codec not in {"h264", "hevc"}
    bits = _bits(medium, limits)
    if anew and bits < _FEWEST_BITS:
        reason = f"it is too long to be good within {limits.max_bytes:,} bytes; cut it first"
        return FitPlan(action=Action.IMPOSSIBLE, reason=reason)
    size = _size(medium, limits, crop, anew=True) if anew else None
    recipe = Recipe(
        mime_type="video/mp4",
        width=size[0] if size else None,
        height=size[1] if size else None,
        max_bytes=limits.max_bytes,
        crop=crop,
        frame_rate=_frame_rate(medium, limits) if anew else None,
        bit_rate=bits if anew else None,
        video="h264" if anew else "copy",
        audio="copy" if medium.audio_codec == "aac" and "aac" in limits.audio_codecs else "aac",
    )
    made = "converted to MP4 (H.264)" if anew else "put into an MP4 file" if foreign else "given AAC sound"
    said = [made, *reasons, *(_sized(medium, size, crop) if resized or crop else [])]
    return FitPlan(action=Action.TRANSCODE, recipe=recipe, said=", ".join(said))


def _why_encode(medium: Medium, limits: VideoRules) -> list[str]:
    reasons: list[str] = []
    if medium.video_codec and medium.video_codec not in limits.video_codecs:
        reasons.append(f"from {medium.video_codec}")
    if (frames := _frame_rate(medium, limits)) is not None:
        reasons.append(f"at {frames:g} frames a second (it had {medium.frame_rate:g})")
    if medium.bit_rate is not None and limits.max_bit_rate is not None and medium.bit_rate > limits.max_bit_rate:
        reasons.append(f"with less than {limits.max_bit_rate / 1e6:g} Mbit/s")
    if medium.size_bytes > limits.max_bytes:
        reasons.append(f"with less than {limits.max_bytes:,} bytes")
    return reasons


def _frame_rate(medium: Medium, limits: VideoRules) -> float | None:
    """The frames a second to make, None when those it has are taken (give or take 23.976 for 24)."""
    if medium.frame_rate is None or limits.frame_rates is None:
        return None
    slowest, fastest = limits.frame_rates
    if medium.frame_rate > fastest + 0.1:
        return fastest
    return slowest if medium.frame_rate < slowest - 0.1 else None


def _bits(medium: Medium, limits: VideoRules) -> int:
    """The most bits a second that the picture may have, so that rate and size stay within the limits."""
    most = min(limits.max_bit_rate or _BEST_BITS, _BEST_BITS)
    if medium.duration_seconds:
        most = min(most, int(8 * limits.max_bytes / medium.duration_seconds))
    return int(most * _MARGIN) - _SOUND_BITS


def _same(medium: Medium, size: tuple[int, int]) -> bool:
    assert medium.width is not None
    assert medium.height is not None
    return abs(size[0] - medium.width) <= 1 and abs(size[1] - medium.height) <= 1
