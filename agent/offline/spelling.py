"""Forgiveness for mistyped command words; words that could be part of what a post is about are left alone."""

import re
from functools import lru_cache

_KNOWN = {
    wrong: right
    for right, wrongs in {
        "draft": "drafft drfat darft draf dratf drft",
        "drafts": "drafs drfats dratfs darfts",
        "post": "psot posst pst",
        "posts": "psots",
        "photo": "foto phto pohto photot",
        "caption": "captoin capton captin capiton",
        "publish": "publsh plublish pubish publis publich pubblish",
        "schedule": "sechdule schedual skedule shedul sched schedlue sheduel",
        "scheduled": "shceduled scheduald skeduled sheduled scheduld",
        "instagram": "instgram insatgram instagrm intagram",
        "facebook": "facebok facbook facebbok facebool fcebook",
        "tiktok": "ticktok tiktock tictok",
        "bluesky": "bluski blusky bleusky blueski",
        "account": "acount accont acccount",
        "accounts": "acounts acconts acccounts accouts",
        "connected": "conected connnected",
        "about": "abuot abotu abt",
        "cancel": "cancl cancle cancell canel",
        "please": "plese plz pls pleas",
        "undo": "undoo",
        "what": "wat waht",
        "what's": "wats whats wots",
        "who's": "whos",
        "happened": "happend happned hapened hapend",
        "coming": "comming",
        "don't": "dont",
        "can't": "cant",
        "write": "wrtie wirte",
        "show": "shwo hsow",
        "make": "mkae amke",
        "move": "mvoe moev",
        "photos": "fotos",
        "the": "teh hte",
        "you": "yuo u",
        "your": "ur",
    }.items()
    for wrong in wrongs.split()
}
_LONG = ("schedule", "scheduled", "reschedule", "publish", "published", "instagram", "carousel", "calendar")
_SHORTEST, _LONGEST = 6, 11
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def mend(text: str) -> str:
    """The text with mistyped command words put right; every other word stays as it was typed."""
    return _WORD.sub(lambda found: _mended(found.group()), text)


def _mended(word: str) -> str:
    lower = word.lower()
    if word.isupper() and len(word) > 1:  # "ABT" is a name, not slips
        return word
    return _right_word(lower) or word


@lru_cache(maxsize=4096)
def _right_word(lower: str) -> str | None:
    if lower in _KNOWN:
        return _KNOWN[lower]
    if not _SHORTEST <= len(lower) <= _LONGEST or lower in _LONG:
        return None
    # "schedules" and "publisher" are words: one letter more at the end is no slip.
    return next((right for right in _LONG if not lower.startswith(right) and is_one_slip(lower, right)), None)


def is_one_slip(word: str, other: str) -> bool:
    """Whether one letter put in, left out, replaced or swapped with its neighbour makes one word of the other."""
    if word == other or abs(len(word) - len(other)) > 1:
        return False
    same = 0
    while same < min(len(word), len(other)) and word[same] == other[same]:
        same += 1
    rest, left = word[same:], other[same:]
    if len(rest) != len(left):
        return rest[1:] == left if len(rest) > len(left) else rest == left[1:]
    return rest[1:] == left[1:] or rest[1:2] + rest[:1] + rest[2:] == left
