"""A medium against the limits that a manifest declares for images and videos: one reading of them for every network.

What is unknown about a medium (``None``) is left to the network to judge.
"""

from collections.abc import Iterator

from core.errors import Problem
from platforms.base import Content, FormatRules, ImageRules, Medium, VideoRules

# A ratio is a rounded number: 1200 x 628 (1.9108) is what everybody calls 1.91:1.
RATIO_TOLERANCE = 0.002
_MEBIBYTE = 1024 * 1024
_NAMES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WebP",
    "image/gif": "GIF",
    "video/mp4": "MP4",
    "video/quicktime": "MOV",
    "video/webm": "WebM",
}


def broken_by_count(title: str, rules: FormatRules, content: Content) -> Iterator[Problem]:
    """Too few or too many media for a format; ``title`` is the network's name for people."""
    count = len(content.media)
    if count < rules.min_media:
        kinds = " or ".join("photo" if kind == "image" else kind for kind in sorted(rules.kinds))
        wanted = f"a {kinds}" if rules.min_media == 1 else f"at least {rules.min_media} media"
        message = f"{title} needs {wanted} for the format {rules.name}; this post has {count or 'none'}."
        yield Problem(path="media", code="too_few_media", message=message)
    if count > rules.max_media:
        most = f"at most {rules.max_media}" if rules.max_media else "none"
        message = f"{count} media; {title}'s format {rules.name} takes {most}."
        yield Problem(path="media", code="too_many_media", message=message)


def broken_by_media(title: str, rules: FormatRules, content: Content) -> Iterator[Problem]:
    """The rules that the media break one by one; where a format takes none, that there are any is one problem."""
    for position, medium in enumerate(content.media if rules.max_media else ()):
        yield from broken_by_medium(title, rules, medium, f"media.{position}")


def option_unknown(title: str, rules: FormatRules, name: str) -> Problem:
    """An option that a format does not have, with those it has."""
    known = ", ".join(sorted(rules.options)) or "none"
    message = f"{title}'s format {rules.name} has no option {name!r} here; it has: {known}."
    return Problem(path=f"options.{name}", code="option_unknown", message=message)


def broken_by_medium(title: str, rules: FormatRules, medium: Medium, path: str) -> Iterator[Problem]:
    """Every limit of the format that one medium breaks; ``title`` is the network's, ``path`` the medium's."""
    limits = {"image": rules.image, "video": rules.video}[medium.kind]
    if medium.kind not in rules.kinds or limits is None:
        wanted = " or ".join(sorted(rules.kinds)) or "no media"
        message = f"{title}'s format {rules.name} takes {wanted}, not {medium.kind}."
        yield Problem(path=path, code="wrong_kind", message=message)
        return
    yield from _file(title, limits, medium, path)
    yield from _sides(title, limits, medium, path)
    if isinstance(limits, VideoRules):
        yield from _film(title, limits, medium, path)


def ratio_fits(width: int, height: int, ratios: tuple[float, float]) -> bool:
    """Whether width / height lies within the ratios, give or take their rounding."""
    narrowest, widest = ratios
    return height > 0 and narrowest - RATIO_TOLERANCE <= width / height <= widest + RATIO_TOLERANCE


def _file(title: str, limits: ImageRules | VideoRules, medium: Medium, path: str) -> Iterator[Problem]:
    if medium.mime_type not in limits.mime_types:
        taken = " or ".join(sorted(_NAMES.get(name, name) for name in limits.mime_types))
        message = f"{title} takes {taken} {medium.kind}s only, not {_NAMES.get(medium.mime_type, medium.mime_type)}."
        yield Problem(path=f"{path}.mime_type", code="wrong_type", message=message)
    if medium.size_bytes > limits.max_bytes:
        most = f"{limits.max_bytes / _MEBIBYTE:.4g} MiB"
        message = f"{medium.size_bytes} bytes; {title} takes {medium.kind}s up to {limits.max_bytes} ({most})."
        yield Problem(path=f"{path}.size_bytes", code="too_big", message=message)


def _sides(title: str, limits: ImageRules | VideoRules, medium: Medium, path: str) -> Iterator[Problem]:
    smallest = (limits.min_width, limits.min_height) if isinstance(limits, VideoRules) else (None, None)
    for side, value, least, most in (
        ("width", medium.width, smallest[0], limits.max_width),
        ("height", medium.height, smallest[1], limits.max_height),
    ):
        if value is not None and most is not None and value > most:
            message = f"{side} {value} pixels; {title} takes {medium.kind}s up to {most}."
            yield Problem(path=f"{path}.{side}", code="too_wide" if side == "width" else "too_tall", message=message)
        if value is not None and least is not None and value < least:
            message = f"{side} {value} pixels; {title} takes {medium.kind}s from {least} on."
            yield Problem(path=f"{path}.{side}", code="too_small", message=message)
    if medium.width is None or medium.height is None or limits.ratios is None:
        return
    if not ratio_fits(medium.width, medium.height, limits.ratios):
        narrowest, widest = limits.ratios
        taken = f"{_ratio(narrowest)} to {_ratio(widest)}"
        message = f"{medium.width} x {medium.height}; {title} takes ratios from {taken} (width to height)."
        yield Problem(path=path, code="wrong_ratio", message=message)


def _ratio(value: float) -> str:
    """0.8 -> "4:5", 0.5625 -> "9:16", 1.91 -> "1.91:1"."""
    known = {4 / 5: "4:5", 3 / 4: "3:4", 9 / 16: "9:16", 16 / 9: "16:9", 1.0: "1:1"}
    return known.get(value, f"{value:g}:1")


def _film(title: str, limits: VideoRules, medium: Medium, path: str) -> Iterator[Problem]:
    shortest, longest = limits.seconds
    if medium.duration_seconds is not None and not shortest <= medium.duration_seconds <= longest:
        message = f"{medium.duration_seconds:g} s; {title} takes videos from {shortest:g} s to {_length(longest)}."
        yield Problem(path=f"{path}.duration_seconds", code="wrong_duration", message=message)
    if medium.frame_rate is not None and limits.frame_rates is not None:
        slowest, fastest = limits.frame_rates
        # 23.976 frames a second are what films call 24, and what a limit of 23 or 24 means.
        if not slowest - 0.1 <= medium.frame_rate <= fastest + 0.1:
            message = f"{medium.frame_rate:g} frames a second; {title} takes {slowest:g} to {fastest:g}."
            yield Problem(path=f"{path}.frame_rate", code="wrong_frame_rate", message=message)
    if medium.bit_rate is not None and limits.max_bit_rate is not None and medium.bit_rate > limits.max_bit_rate:
        message = f"{medium.bit_rate / 1e6:.1f} Mbit/s; {title} takes up to {limits.max_bit_rate / 1e6:g}."
        yield Problem(path=f"{path}.bit_rate", code="wrong_bit_rate", message=message)
    for stream, codec, taken in (
        ("video", medium.video_codec, limits.video_codecs),
        ("audio", medium.audio_codec, limits.audio_codecs),
    ):
        if codec and codec not in taken:
            message = f"{stream} in {codec}; {title} takes {' or '.join(sorted(taken))}."
            yield Problem(path=f"{path}.{stream}_codec", code="wrong_codec", message=message)


def _length(seconds: float) -> str:
    """90 -> "90 s", 900 -> "15 min"."""
    minutes = seconds / 60
    return f"{minutes:g} min" if minutes.is_integer() and minutes > 1 else f"{seconds:g} s"
