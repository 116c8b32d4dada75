"""Captions from templates that use a brief's own words and add no facts."""

import hashlib
import re
from collections.abc import Sequence

from core.ports import CaptionBrief

# Openings and closings say nothing that the brief does not: no price, no date, no praise that could be checked.
_OPENINGS = {
    "news": (
        "Something new to share: {about}.",
        "News from us: {about}.",
        "Just in: {about}.",
        "Say hello to {about}.",
    ),
    "event": ("Save the date: {about}.", "Coming up: {about}.", "Join us: {about}."),
    "people": ("Meet the people behind it: {about}.", "A word about {about}.", "Let us introduce {about}."),
    "notice": ("Good to know: {about}.", "Please note: {about}.", "A quick note: {about}."),
    "hiring": ("Looking for somebody like you: {about}.", "We have news for job seekers: {about}."),
    "plain": (
        "Today's topic: {about}.",
        "Let's talk about {about}.",
        "A few words about {about}.",
        "On our minds: {about}.",
    ),
}
_CLOSINGS = {
    "news": ("What would you like to know about it?", "Come and see for yourself.", "Tell us what you think."),
    "event": ("Who are you bringing along?", "Tell us if you'll be there.", "See you there?"),
    "people": ("Say hello next time you see us.", "Leave a kind word below."),
    "notice": ("Thank you for reading.", "Questions? Write to us.", "Tell your friends, too."),
    "hiring": ("Know somebody? Tag them.", "Write to us if that's you."),
    "plain": ("What do you think?", "Tell us in the comments.", "How about you?"),
}
_KINDS = (
    ("hiring", r"\b(?:hiring|job|jobs|vacanc\w+|join our team|wanted|apprentice\w*)\b"),
    ("notice", r"\b(?:clos(?:ed|ing)|opening hours|hours|holiday\w*|notice|delay\w*|sold out|moved|moving)\b"),
    (
        "event",
        (
            r"\b(?:event|party|tasting|workshop|course|concert|jazz|live music|market|festival|brunch|open mic|sale"
            r"|night|fair|opening day|contest)\b"
        ),
    ),
    ("people", r"\b(?:team|barista|chef|roaster|staff|colleague|founder|owner|baker|regulars?)\b"),
    ("news", r"\b(?:new|now|launch\w*|introducing|just|fresh|latest|first|arriv\w+|announc\w+|back)\b"),
)
_STOP_WORDS = frozenset(
    "a an and are as at be by for from has have how in into is it its new now of on or our so that the their them"
    " they this to us was we were what when which who why will with you your"
    " about out got get just more some all can comes come it's we're than then too".split()
)
_EMOJI = (
    (r"coffee|espresso|latte|brew|barista|beans?|roast\w*|cappuccino", "☕"),
    (r"cake|pastry|croissants?|brownies?|cookies?", "🍰"),
    (r"tea|matcha|chai", "🍵"),
    (r"music|jazz|concert|open mic", "🎶"),
)
_HASHTAGS = 3
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


def parts_of(about: str, brief: CaptionBrief) -> tuple[str, ...]:
    """Opening, closing and hashtags, the most needed first."""
    kind = next((name for name, words in _KINDS if re.search(words, about, re.IGNORECASE)), "plain")
    seed = hashlib.sha256(f"{about}|{brief.platform}|{brief.format}".encode()).digest()
    if _is_told(about):
        # Several sentences, or one with its own verb, are already told: they stand as they are.
        opening = _sentence_case(about) + ("" if about.endswith(("!", "?", "…")) else ".")
    else:
        opening = _pick(_OPENINGS[kind], seed[0]).format(about=_ours(about))
    emoji = next((sign for words, sign in _EMOJI if re.search(rf"\b(?:{words})\b", about, re.IGNORECASE)), "")
    closing = f"{_pick(_CLOSINGS[kind], seed[1])} {emoji}".strip()
    return (opening, closing, " ".join(hashtags(about)))


def _is_told(about: str) -> bool:
    """Whether the brief is already a sentence ("we're closed on Monday") rather than a topic."""
    return (
        _SENTENCE_END.search(about) is not None
        or re.match(r"(?:we|we're|it's|there|they|you|i|come|try|join|meet)\b", about, re.IGNORECASE) is not None
    )


def _ours(about: str) -> str:
    """The topic in the brand's voice: "my" is the person's word, "our" the brand's."""
    return re.sub(r"\Amy\b", "our", about, flags=re.IGNORECASE)


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def _pick(choices: Sequence[str], seed: int) -> str:
    return choices[seed % len(choices)]


def hashtags(about: str) -> tuple[str, ...]:
    """At most three hashtags, each a telling word of the brief."""
    words = [word.lower() for word in re.findall(r"[^\W\d_]{4,24}", about) if word.lower() not in _STOP_WORDS]
    return tuple(f"#{word}" for word in dict.fromkeys(words))[:_HASHTAGS]


def fitted(parts: Sequence[str], limit: int) -> str:
    """The parts that fit within ``limit`` characters, as paragraphs; the first is cut at a word if it must be."""
    first = _sentence_case(parts[0])
    if len(first) > limit:
        return f"{_cut(first, limit - 1)}…"
    text = first
    for part in parts[1:]:
        if part and len(text) + 2 + len(part) <= limit:
            text = f"{text}\n\n{part}"
    return text


def _cut(text: str, length: int) -> str:
    """The text cut to ``length`` characters, at a space when there is one in its second half."""
    short = text[:length]
    space = short.rfind(" ")
    return (short[:space] if space > length // 2 else short).rstrip(" ,.;:-")
