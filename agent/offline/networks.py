"""Which social network a message means, and whether this installation can post there."""

import re
from dataclasses import dataclass

_NAMES = {
    "instagram": "Instagram",
    "insta": "Instagram",
    "ig": "Instagram",
    "the gram": "Instagram",
    "facebook": "Facebook",
    "fb": "Facebook",
    "tiktok": "TikTok",
    "tik tok": "TikTok",
    "twitter": "Twitter",
    "tweet": "Twitter",
    "linkedin": "LinkedIn",
    "linked in": "LinkedIn",
    "myspace": "MySpace",
    "my space": "MySpace",
    "pinterest": "Pinterest",
    "youtube": "YouTube",
    "snapchat": "Snapchat",
    "bluesky": "Bluesky",
    "bsky": "Bluesky",
    "mastodon": "Mastodon",
    "reddit": "Reddit",
    "whatsapp": "WhatsApp",
    "telegram": "Telegram",
    "tumblr": "Tumblr",
    "google business": "Google Business",
    "discord": "Discord",
    "friendster": "Friendster",
    "vimeo": "Vimeo",
    "yelp": "Yelp",
}
_TITLE_ONLY = {"Threads": "Threads", "X": "X", "Google": "Google", "Snap": "Snapchat"}
NETWORK = "(?:" + "|".join(sorted(_NAMES, key=len, reverse=True)) + ")"
_TAIL = r"(?:\s+(?:page|account|feed|profile|wall|followers))?"
_PLACE = rf"(?:(?:the |our |my |a |an )?{NETWORK}(?: page| account| feed| profile| post| video| reel| one)?)"
# One network or several: "Facebook and our TikTok account".
PLACES = rf"(?P<places>(?:both )?{_PLACE}(?:(?:\s*,\s*|\s+)(?:(?:and|&|plus|or)\s+)?{_PLACE})*)"
_AIMED = re.compile(
    rf"(?:^|\s)(?:for|on|to|in|via|onto|(?<=instagram )and|(?<=facebook )and)\s+(?:the |our "
    rf"|my )?(?:(?P<name>{NETWORK})\b|(?-i:(?P<title>Threads|X|Google|Snap)\b)){_TAIL}(?=\s*(?:$|[,.!?]| and "
    rf"| about | with | for | at | on | now| saying| that ))",
    re.IGNORECASE,
)
_SITE = rf"(?:(?:the |our |my )?{NETWORK}{_TAIL})"
_AIMED_AT_MANY = re.compile(
    rf"(?:^|\s)(?:for|on|to|in|via|onto)\s+(?:both )?{_SITE}(?:(?:\s*,\s*|\s+)(?:(?:and|&|plus)\s+)?{_SITE})+"
    r"(?=\s*(?:$|[,.!?]| and | about | with | for | at | on | now| saying| that ))",
    re.IGNORECASE,
)
_WORD = re.compile(rf"\b{NETWORK}\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Aimed:
    """The networks that a clause is aimed at, by their names for people, and the clause without them."""

    names: tuple[str, ...]
    rest: str


def network_name(word: str) -> str | None:
    """The network's name for people, None for any other word."""
    return _NAMES.get(word.lower()) or _TITLE_ONLY.get(word)


def aimed_at(text: str) -> Aimed:
    """Take "on Instagram", "for our Facebook page" out of a clause; "about TikTok trends" stays."""
    names: list[str] = []
    if (many := _AIMED_AT_MANY.search(text)) is not None:
        names += mentioned(many.group())
        text = f"{text[: many.start()]}{text[many.end() :]}"
    names += [
        _NAMES[found["name"].lower()] if found["name"] else _TITLE_ONLY[found["title"]]
        for found in _AIMED.finditer(text)
    ]
    return Aimed(names=tuple(dict.fromkeys(names)), rest=_AIMED.sub("", text).strip() if names else text)


def mentioned(text: str) -> tuple[str, ...]:
    """Every network a text names, wherever."""
    return tuple(dict.fromkeys(_NAMES[found.group().lower()] for found in _WORD.finditer(text)))


def listed(names: tuple[str, ...]) -> str:
    """Names as a person lists them: "Instagram, Facebook and TikTok"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "no network"


def display(platform: str) -> str:
    """A platform's name for people: "instagram" is Instagram."""
    return _NAMES.get(platform.lower(), platform.capitalize())
