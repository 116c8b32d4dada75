"""Words out of words, without a model: a post's own sentences for another network, topics of a plan, other captions."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from agent.offline.captions import fitted, hashtags
from core.ports import Adapted, NetworkBrief, Topic

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_TAG = re.compile(r"(?<!\w)#\w+")
# Topics that claim nothing: each is a question or a look that any brand can give.
_STANDBY = (
    "a look behind the scenes",
    "a question for you",
    "what we are working on",
    "a thank-you to everybody who reads along",
    "what you would like to see more of",
    "how a day here begins",
    "the people behind it",
)
_ASPECTS = ("{theme}", "a closer look at {theme}", "your questions about {theme}", "behind the scenes: {theme}")
_OPENINGS = ("A few words about it: {text}", "In short: {text}", "On our minds: {text}", "Worth a look: {text}")


def taken_apart(text: str) -> tuple[str, str, tuple[str, ...]]:
    """A post's first sentence, the rest of it, and its hashtags."""
    tags = tuple(dict.fromkeys(_TAG.findall(text)))
    body = "\n".join(line for line in (" ".join(_TAG.sub("", line).split()) for line in text.splitlines()) if line)
    parts = re.split(r"(?<=[.!?…])\s+|\n+", body, maxsplit=1)
    return parts[0], (parts[1] if len(parts) > 1 else ""), tags


def adapted(text: str, network: NetworkBrief) -> Adapted:
    """A network's version in the post's own words: what does not fit is left out, the least needed first."""
    hook, rest, tags = taken_apart(text)
    tags = tags or hashtags(text)

    def version(*, caption: str, tags: Sequence[str]) -> Adapted:
        return Adapted(
            platform=network.platform,
            format=network.formats[0],
            hook=hook,
            caption=caption,
            call_to_action="",
            hashtags=tuple(tags),
        )

    sentences = _SENTENCE_END.split(rest) if rest else []
    tries = [version(caption=rest, tags=tags), version(caption=rest, tags=())]
    tries += [version(caption=" ".join(sentences[:kept]), tags=()) for kept in range(len(sentences) - 1, -1, -1)]
    for each in tries:
        if network.count(each.text) <= network.limit:
            return each
    hook = cut(hook or " ".join(tags), network)  # from here on ``version`` speaks of the shortened one
    return version(caption="", tags=())


def cut(text: str, network: NetworkBrief) -> str:
    """The text, cut at a word until the network's own count lets it pass."""
    length = min(len(text), network.limit)
    short = fitted((text,), length) if length > 1 else text[:length]
    while network.count(short) > network.limit and length > 1:
        length -= 1
        short = fitted((text,), length)
    return short


def topic_words(themes: Sequence[str], history: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Topics without end, each once, with the reason: the themes, then what recent posts spoke of, then stand-bys."""
    # A hashtag is what its author called the topic; any other word could be anything.
    known = Counter(tag.lstrip("#").lower() for text in history for tag in _TAG.findall(text))
    sources = [(theme, f"you named “{theme}” as a theme") for theme in themes]
    if not sources:
        sources = [(word, f"your recent posts speak of “{word}”") for word, _ in known.most_common(3)]
    for aspect in _ASPECTS:
        for theme, why in sources:
            yield aspect.format(theme=theme), why
    for topic in _STANDBY:
        yield topic, "a topic that fits any brand, as there is little to go by"
    number = 2
    while True:
        for topic in _STANDBY:
            yield f"{topic} ({number})", "a topic that fits any brand, as there is little to go by"
        number += 1


def topics(
    places: Sequence[NetworkBrief], words: Iterator[tuple[str, str]], write: Callable[[str], str]
) -> list[Topic]:
    """A topic for every place; ``write`` makes a caption of a topic."""
    return [
        Topic(topic=topic, caption=cut(write(topic.partition(" (")[0]), place), why=why)
        for place, (topic, why) in zip(places, words, strict=False)
    ]


def variants(text: str, count: int, network: NetworkBrief) -> list[str]:
    """Other captions of the same words: shorter, without hashtags, with another beginning."""
    hook, rest, tags = taken_apart(text)
    whole = f"{hook}\n\n{rest}" if rest else hook
    candidates = [
        *([hook] if rest else []),
        *(f"{hook} {rest}".strip() for _ in tags[:1]),
        *([f"{rest}\n\n{hook}"] if rest else []),
        *(opening.format(text=whole) for opening in _OPENINGS),
    ]
    found = dict.fromkeys(cut(candidate, network) for candidate in candidates)
    found.pop(text.strip(), None)
    return list(found)[:count]
