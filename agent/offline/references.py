"""Which post a person means, as the server is told it: "it", a code, "last draft" or words of the post."""

import re
from dataclasses import dataclass

from agent.offline.networks import NETWORK
from agent.offline.sentence import MARK, Sentence
from core.ids import looks_like_code, parse_id

POST_NOUN = r"(?:post|draft|one|reel|carousel|announcement|teaser|photo post|picture|story|caption|thing)"
_KIND = r"(?:instagram|insta|ig|scheduled|planned|drafted|image|photo|carousel|new|latest|old)"
_MADE_KIND = r"(?:instagram|insta|ig|image|photo|carousel)"
_PRONOUN = re.compile(
    rf"(?:it|this|that|(?:this|that|the|my|our|said)(?: {_MADE_KIND})? {POST_NOUN}|its|thing|one|(?:this|that"
    rf"|the) (?:instagram|insta|ig|one))(?: now)?",
    re.IGNORECASE,
)
_PLURAL = re.compile(
    r"(?:them|these|those|both|everything|all|(?:all|both|every|each|the|my|our|these|those|any|two|three|four"
    r"|five|\d+)\b.*\b(?:posts|drafts|ones|reels|carousels|everything|of (?:them|it))"
    r"|every(?:thing| one)?\b.*|all\b.*|each\b.*)",
    re.IGNORECASE,
)
_LAST = re.compile(
    r"(?:the |my |our )?(?:very )?((?:last|latest|newest|most recent|previous) (?:(?:draft|scheduled|posted"
    r"|published|failed|cancelled|missed|unconfirmed) )?(?:post|draft|one))",
    re.IGNORECASE,
)
_RECENT = re.compile(
    r"(?:the |my |our )?(?:one|post|draft) (?:i|we|you) (?:just )?(?:made|wrote|drafted|created|did"
    r"|have)(?: just now| now| last)?",
    re.IGNORECASE,
)
_CODE = re.compile(
    rf"(?:the |my |our )?(?:{POST_NOUN} )?(?:(?:number|code|no\.?|nr\.?) )?#?([A-Za-z0-9]{{5}})(?: {POST_NOUN})?",
    re.IGNORECASE,
)
_NAMED_AFTER = re.compile(
    rf"(?:the |my |our |that |this )?(?:{_KIND} )*{POST_NOUN} (?:that's |that is |which is |that was )?"
    r"(?:about|on|with|of|for|from|called|titled|named|saying|that says|mentioning|announcing|at|scheduled for"
    r"|scheduled on|scheduled|due|going out|planned for|set for)"
    r" (?:the |our |my |a |an )?(.+)",
    re.IGNORECASE,
)
_NAMED_BEFORE = re.compile(rf"(?:the |my |our |that |this |your )?(.+?)(?:'s)? {POST_NOUN}", re.IGNORECASE)
_ARTICLE = re.compile(r"(?:the|my|our|that|this|your|a|an) ", re.IGNORECASE)
_TRAILING_NOUN = re.compile(rf"(?:^|\s)(?:{_KIND}|{POST_NOUN})\Z", re.IGNORECASE)
_LEADING_KIND = re.compile(rf"(?:{_KIND}|{POST_NOUN})(?:\s|\Z)", re.IGNORECASE)
# A name of a post never holds these: they change what is asked, so that the words were not understood.
_GUARDS = frozenset(
    "if unless as by from until when whenever while because but or not no never except without instead only and it"
    " they all every any"
    " should would could will before after once than then now immediately asap today please".split()
)
_ELSEWHERE = re.compile(rf"\A{NETWORK}\Z|\bversion\b", re.IGNORECASE)
_MOST_WORDS, _MOST_LETTERS = 7, 70


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A post as it was named. ``sure`` is False when the words might be no post at all ("cancel the lease")."""

    words: str
    sure: bool = True


def reference(said: str, sentence: Sentence) -> Reference | None:
    """The post that these words, and all of them, name; None when they are something else or more than that."""
    text = " ".join(said.split()).strip(" ,.:!?-")
    if not text or len(text) > _MOST_LETTERS:
        return None
    if parse_id(text) is not None:
        return Reference(words=text)
    if _PRONOUN.fullmatch(text) or _RECENT.fullmatch(text):
        return Reference(words="it")
    if (code := _CODE.fullmatch(text)) and looks_like_code(code[1]) and _is_typed_as_code(text, code[1]):
        return Reference(words=code[1].upper())
    if (last := _LAST.fullmatch(text)) is not None:
        return Reference(words=last[1].lower())
    return None if _PLURAL.fullmatch(text) else _by_words(text, sentence)


def is_plural(said: str) -> bool:
    """Whether the words name several posts at once."""
    return len(said) <= _MOST_LETTERS and _PLURAL.fullmatch(" ".join(said.split()).strip(" ,.:!?-")) is not None


def _is_typed_as_code(text: str, code: str) -> bool:
    """Five letters are a code when typed in capitals, with a digit or with a "#": "cancel CRRMD", not "crypt"."""
    return code.isupper() or any(letter.isdigit() for letter in code) or f"#{code}" in text


def _by_words(text: str, sentence: Sentence) -> Reference | None:
    if (quoted := re.search(MARK, text)) is not None:
        return _quoted(text, quoted, sentence)
    named = _NAMED_AFTER.fullmatch(text) or _NAMED_BEFORE.fullmatch(text)
    words = _core(named[1] if named else text)
    if not words or len(words.split()) > _MOST_WORDS or _GUARDS & {word.lower().strip(",") for word in words.split()}:
        return None
    # "The Facebook one" is no piece of a caption: it is asked about.
    return Reference(words=words, sure=named is not None and _ELSEWHERE.search(words) is None)


def _quoted(text: str, quoted: re.Match[str], sentence: Sentence) -> Reference | None:
    """A post by a piece of its caption in quotes: the post "Espresso Week"."""
    around = f"{text[: quoted.start()]} {text[quoted.end() :]}"
    mark = sentence.mark(quoted.group())
    if (
        mark is None
        or mark.kind != "quote"
        or _core(re.sub(r"\b(?:about|called|titled|named|saying|on|with|that says)\b", "", around))
    ):
        return None
    return Reference(words=mark.words)


def _core(words: str) -> str:
    """The telling words: without article, "post", and the network's name at either end."""
    text = words.strip()
    while (article := _ARTICLE.match(text)) is not None:
        text = text[article.end() :]
    while (kind := _LEADING_KIND.match(text)) is not None:
        text = text[kind.end() :]
    while (noun := _TRAILING_NOUN.search(text)) is not None:
        text = text[: noun.start()]
    return text.strip().removesuffix("'s")
