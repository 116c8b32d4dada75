"""The words in front of what a post is about: "a quick Instagram reel", "two posts", "the caption"."""

import re
from dataclasses import dataclass, field, replace

from agent.offline.networks import network_name

_ARTICLES = frozenset(
    "a an another the one some new quick short nice little fun our my first second more cute simple great good fresh"
    " small brief catchy lovely".split()
)
_INDEFINITE = frozenset("a an another some new something one".split())
_NOUNS = frozenset(
    "post draft something caption announcement teaser update message text copy promo one content".split()
)
_SEVERAL = frozenset("posts stories two three four five six seven several few couple 2 3 4 5 6 7 8 9 10".split())
_FORMATS = {
    "reel": "reel",
    "video": "reel",
    "clip": "reel",
    "carousel": "carousel",
    "slideshow": "carousel",
    "gallery": "carousel",
    "image": "image",
    "photo": "image",
    "picture": "image",
    "pic": "image",
}
# "a photo post" is any post with a photo, while a reel or a carousel is a wish.
_CHOSEN_FORMATS = frozenset({"reel", "carousel", "slideshow", "gallery"})
_ONE_AT_A_TIME = "I draft one post at a time."
_LONGEST = 160
_WORD = re.compile(r"\s*([\w']+)")
_NEXT_NETWORK = re.compile(r"\s*[,+&/]\s*([\w']+)")


@dataclass(frozen=True, kw_only=True)
class Head:
    """What stands before "about": ``noun`` that a post is named at all, ``indefinite`` that it is a new one.

    ``caveat`` says what cannot be had as asked ("two posts"); "" when all of it can.
    """

    rest: str
    noun: bool = True
    indefinite: bool = True
    networks: tuple[str, ...] = ()
    format: str | None = None
    caveat: str = ""

    def cut(self, length: int) -> "Head":
        """The same head with only so many letters of what follows it."""
        return replace(self, rest=self.rest[:length])


@dataclass(kw_only=True)
class _Found:
    noun: bool = False
    indefinite: bool = False
    networks: list[str] = field(default_factory=list)
    format: str | None = None
    caveat: str = ""

    def takes(self, word: str, following: str) -> bool:
        """Whether the word belongs to the head; notes what it says."""
        lower = word.lower()
        network = network_name(word) if word not in {"X", "Threads"} else None
        if lower == "story":
            self.noun, self.format = True, "story"
        elif lower == "posts" and len(self.networks) > 1:
            self.noun = True  # one for each of them
        elif lower in _SEVERAL:
            self.noun, self.caveat = self.noun or lower in {"posts", "stories"}, _ONE_AT_A_TIME
        elif lower in _NOUNS or network is not None:
            self.noun = True
            self.networks += [network] if network else []
        elif lower in _FORMATS:
            self.noun = True
            self.format = _FORMATS[lower] if lower in _CHOSEN_FORMATS else self.format
        elif not (lower in {"and", "or"} and self.networks and network_name(following)):
            return lower in _ARTICLES and self._indefinite(lower)
        return self._indefinite(lower)

    def _indefinite(self, lower: str) -> bool:
        self.indefinite = self.indefinite or lower in _INDEFINITE
        return True


def _next_network(text: str, at: int, found: _Found) -> re.Match[str] | None:
    """One more network after a comma or plus: "Instagram, Facebook + TikTok"."""
    word = _NEXT_NETWORK.match(text, at, _LONGEST) if found.networks else None
    return word if word is not None and network_name(word[1]) is not None else None


def read_head(text: str) -> Head:
    """Read articles, adjectives, networks, format and noun as far as they go."""
    found, at = _Found(), 0
    while (word := _next_network(text, at, found) or _WORD.match(text, at, _LONGEST)) is not None:
        following = _WORD.match(text, word.end())
        if not found.takes(word[1], following[1] if following else ""):
            break
        at = word.end()
    indefinite = found.indefinite or (found.noun and text.lstrip()[:3].lower() not in {"the", "my ", "our"})
    return Head(
        rest=text[at:],
        noun=found.noun,
        indefinite=indefinite,
        networks=tuple(found.networks),
        format=found.format,
        caveat=found.caveat,
    )
