"""The words of time: names, units, numbers and parts of the day, and the forgiveness of a single wrong letter."""

from datetime import timedelta
from functools import lru_cache

WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

WEEKDAYS = {name.lower(): day for day, name in enumerate(WEEKDAY_NAMES)}
WEEKDAYS |= {name[:3].lower(): day for day, name in enumerate(WEEKDAY_NAMES)}
WEEKDAYS |= {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}

MONTHS = {name.lower(): number for number, name in enumerate(MONTH_NAMES, start=1)}
MONTHS |= {name[:3].lower(): number for number, name in enumerate(MONTH_NAMES, start=1)}
MONTHS |= {"sept": 9}

# Words that are a weekday or a month, and far more often something else.
DOUBTFUL_NAMES = frozenset({"sat", "sun", "wed", "mon", "may", "mar", "march", "jan"})

# What a part of the day means when no clock time is said with it, from local midnight.
DAYPARTS = {
    "morning": timedelta(hours=9),
    "lunchtime": timedelta(hours=12, minutes=30),
    "lunch": timedelta(hours=12, minutes=30),
    "afternoon": timedelta(hours=15),
    "evening": timedelta(hours=18),
    "tonight": timedelta(hours=20),
    "night": timedelta(hours=21),
}

# A window that names a part of the day, as hours from local midnight.
DAYPART_HOURS = {
    "morning": (6, 12),
    "lunchtime": (12, 14),
    "lunch": (12, 14),
    "afternoon": (12, 18),
    "evening": (18, 24),
    "tonight": (18, 24),
    "night": (18, 24),
}

UNITS = {
    "s": "second",
    "sec": "second",
    "secs": "second",
    "second": "second",
    "seconds": "second",
    "m": "minute",
    "min": "minute",
    "mins": "minute",
    "minute": "minute",
    "minutes": "minute",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "hour": "hour",
    "hours": "hour",
    "d": "day",
    "day": "day",
    "days": "day",
    "w": "week",
    "wk": "week",
    "wks": "week",
    "week": "week",
    "weeks": "week",
    "fortnight": "fortnight",
    "fortnights": "fortnight",
    "month": "month",
    "months": "month",
}

_ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
NUMBER_WORDS = {word: value for value, word in enumerate(f"{_ONES} eighteen nineteen".split(), start=1)}
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90}
ORDINAL_WORDS = {
    word: value
    for value, word in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth".split(), start=1)
}

# Misspellings that are two letters away and common all the same.
_KNOWN_MISSPELLINGS = {
    "tommorow": "tomorrow",
    "tommorrow": "tomorrow",
    "tomorow": "tomorrow",
    "tmrw": "tomorrow",
    "tmr": "tomorrow",
    "tomo": "tomorrow",
    "tonite": "tonight",
    "wendsday": "wednesday",
    "wensday": "wednesday",
    "febuary": "february",
    "tody": "today",
    "aprl": "april",
    "juen": "june",
    "jnue": "june",
    "jluy": "july",
    "juyl": "july",
    "marhc": "march",
    "macrh": "march",
    "mrach": "march",
}

# One letter away from two names at once: which of them was meant is asked.
UNSURE_NAMES = {
    "moday": ("monday", "today"),
    "tonday": ("monday", "today"),
    "munday": ("monday", "sunday"),
    "sonday": ("monday", "sunday"),
    "thuesday": ("tuesday", "thursday"),
    "tursday": ("tuesday", "thursday"),
    "juny": ("june", "july"),
    "jule": ("june", "july"),
}

# "march" is left out: match, marsh, merch and larch are all words of a caption.
_FORGIVEN = tuple(
    word
    for word in (*WEEKDAYS, *MONTHS, "today", "tomorrow", "tonight", "morning", "afternoon", "evening", "midnight")
    if len(word) > 4 and word not in {"march", "thurs"}  # noqa: PLR2004 - the brief length of a word that may be mended
)
_REAL_WORDS = frozenset({"sundae", "sundry", "toddy", "toady", "mourning", "moaning", "evenings", "thirst", "apron"})
_SHORTEST, _LONGEST = 5, 11


@lru_cache(maxsize=4096)
def canonical(word: str) -> str:
    """The word of the lexicon that a lower-case word is, or is one letter away from; else the word itself.

    One letter is one inserted, left out, replaced or swapped with its neighbour. A plural is no misspelling:
    "Fridays" says a repetition.
    """
    if word in _KNOWN_MISSPELLINGS:
        return _KNOWN_MISSPELLINGS[word]
    if not _SHORTEST <= len(word) <= _LONGEST or word in _REAL_WORDS or word in UNSURE_NAMES:
        return word
    for target in _FORGIVEN:
        if word in (target, f"{target}s"):
            return word
    return next((target for target in _FORGIVEN if _is_one_edit(word, target)), word)


def _is_one_edit(word: str, target: str) -> bool:
    """Whether one insertion, deletion, replacement or swap of neighbours makes one of the other (they differ)."""
    if abs(len(word) - len(target)) > 1:
        return False
    same = 0
    while same < min(len(word), len(target)) and word[same] == target[same]:
        same += 1
    rest, other = word[same:], target[same:]
    if len(rest) == len(other):
        swapped = rest[1:2] + rest[:1] + rest[2:]
        return rest[1:] == other[1:] or swapped == other
    return rest[1:] == other if len(rest) > len(other) else rest == other[1:]
