"""Numbers and lengths of time, in digits and in words: "2", "twenty five", "an hour and a half", "1h 30m"."""

from dataclasses import dataclass
from fractions import Fraction

from core.when.lexicon import NUMBER_WORDS, TENS, UNITS
from core.when.tokens import Found, Line

_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_DAYS = {"day": 1, "week": 7, "fortnight": 14}
_HALF = Fraction(1, 2)


@dataclass(frozen=True, kw_only=True)
class Duration:
    """A length of time: months and days are counted on the calendar, seconds on the clock that never jumps."""

    months: int = 0
    days: int = 0
    seconds: int = 0

    def plus(self, other: "Duration") -> "Duration":
        """The two lengths one after the other."""
        return Duration(
            months=self.months + other.months, days=self.days + other.days, seconds=self.seconds + other.seconds
        )


def read_whole_number(line: Line, at: int) -> Found[int] | None:
    """A whole number in digits or in words up to ninety-nine."""
    digits = line.number(at)
    if digits is not None:
        return Found(digits, at + 1)
    word = line.word(at)
    if word in TENS:
        after = at + 2 if line.sign(at + 1) == "-" else at + 1
        ones = NUMBER_WORDS.get(line.word(after), 0)
        return Found(TENS[word] + ones, after + 1) if 0 < ones < 10 else Found(TENS[word], at + 1)  # noqa: PLR2004
    return Found(NUMBER_WORDS[word], at + 1) if word in NUMBER_WORDS else None


def read_duration(line: Line, at: int) -> Found[Duration] | None:
    """A length of time of one or more parts ("2 hours and 30 minutes", "6 d 14 h", "half an hour")."""
    first = _read_part(line, at)
    if first is None:
        return None
    total, end = first.part, first.end
    while True:
        nearer = line.skip(end + 1 if line.sign(end) == "," else end, "and")
        following = _read_part(line, nearer)
        if following is None or line.word(nearer) in ("a", "an"):
            return Found(total, end)
        total, end = total.plus(following.part), following.end


def _read_part(line: Line, at: int) -> Found[Duration] | None:
    amount = _read_fraction(line, at) or _read_amount(line, at)
    if amount is None:
        return None
    unit = UNITS.get(line.word(amount.end).removesuffix("'s"))
    # "5 m" is as likely metres or millions; "5m" glued together is minutes or a crowd: neither is taken alone.
    if unit is None or (line.word(amount.end) == "m" and not line.is_joined(amount.end)):
        return None
    quantity, end = amount.part, amount.end + 1
    minutes = line.digits(end)
    if unit == "hour" and len(minutes) == 2 and line.is_joined(end) and int(minutes) < 60:  # noqa: PLR2004 - "1h30"
        return Found(Duration(seconds=int(quantity * 3600) + int(minutes) * 60), end + 1)
    tail = line.after(end, "and a half")
    if tail is not None:
        quantity, end = quantity + _HALF, tail
    length = _length(quantity, unit)
    return None if length is None else Found(length, end)


def _read_fraction(line: Line, at: int) -> Found[Fraction] | None:
    for words, value in (
        ("half an", _HALF),
        ("half a", _HALF),
        ("a half", _HALF),
        ("three quarters of an", Fraction(3, 4)),
        ("a quarter of an", Fraction(1, 4)),
        ("quarter of an", Fraction(1, 4)),
    ):
        end = line.after(at, words)
        if end is not None:
            return Found(value, end)
    return None


def _read_amount(line: Line, at: int) -> Found[Fraction] | None:
    for words, value in (("a couple of", 2), ("a few", 0), ("an", 1), ("a", 1)):
        end = line.after(at, words)
        if end is not None:
            return Found(Fraction(value), end) if value else None
    whole = read_whole_number(line, at)
    if whole is None:
        return None
    if line.sign(whole.end) == "." and line.is_joined(whole.end) and line.is_joined(whole.end + 1):
        decimals = line.digits(whole.end + 1)
        if decimals:
            return Found(whole.part + Fraction(int(decimals), 10 ** len(decimals)), whole.end + 2)
    tail = line.after(whole.end, "and a half")
    return Found(whole.part + _HALF, tail) if tail is not None else Found(Fraction(whole.part), whole.end)


def _length(quantity: Fraction, unit: str) -> Duration | None:
    """The length of so many units; half a day is 12 hours, half a month is nothing anybody can say."""
    if unit in _SECONDS:
        return Duration(seconds=int(quantity * _SECONDS[unit]))
    whole, rest = divmod(quantity, 1)
    if unit in _DAYS:
        days = _DAYS[unit] * quantity
        return Duration(days=int(days // 1), seconds=int(days % 1 * 86400))
    return Duration(months=int(whole)) if rest == 0 else None
