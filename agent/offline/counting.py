"""Numbers as people say them: "3", "three", "the first two", "1 and 3"."""

import re

_WORDS = {
    word: number
    for number, words in enumerate(
        (
            "one first 1st",
            "two second 2nd couple",
            "three third 3rd",
            "four fourth 4th",
            "five fifth 5th",
            "six sixth 6th",
            "seven seventh 7th",
            "eight eighth 8th",
            "nine ninth 9th",
            "ten tenth 10th",
        ),
        start=1,
    )
    for word in words.split()
}
NUMBER = r"(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten)"
_ONE = (
    rf"(?:the )?(?:number |no\.? |item |post |#)?(?:\d{{1,2}}(?:st|nd|rd|th)?|{'|'.join(_WORDS)})"
    r"(?: one| post| item)?"
)
_LIST = re.compile(
    rf"(?:items |numbers |posts |ideas )?{_ONE}(?:(?:\s*,\s*|\s+)(?:and\s+|&\s+|plus\s+)?{_ONE})*", re.IGNORECASE
)
_NOUN_AFTER = re.compile(r"(?<=(?:st|nd|rd|th)) (?:one|post|item)\b", re.IGNORECASE)  # "the third one" is one number
_FIRST_FEW = re.compile(rf"(?:the )?first (?P<count>{NUMBER}|couple)(?: of them| ones| posts| items)?", re.IGNORECASE)


def number(word: str) -> int:
    """The number that a word says ("three", "3", "third")."""
    return _WORDS.get(word.lower()) or int(re.sub(r"\D", "", word))


def items(text: str) -> list[int] | None:
    """The entries of a list that are meant ("1 and 3", "the first two"); None when the words say anything else."""
    if (few := _FIRST_FEW.fullmatch(text)) is not None:
        return list(range(1, number(few["count"]) + 1))
    if _LIST.fullmatch(text) is None:
        return None
    words = re.findall(r"\w+", _NOUN_AFTER.sub("", text).lower())
    found = [number(word) for word in words if word in _WORDS or word[0].isdigit()]
    return list(dict.fromkeys(found)) or None
