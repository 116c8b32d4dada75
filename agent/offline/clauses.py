"""One message as the clauses it is made of: each asks for one thing, with greetings and politeness taken off."""

import re

from agent.offline.sentence import MARK

_GREETING = (
    r"(?:hey|hi|hello|hiya|heya|howdy|good (?:morning|afternoon|evening)|morning)(?: (?:there|studio|all|team|again))?"
)
_OPENERS = (
    r"ok(?:ay)?|okey|so|well|now|also|actually|and|then|but|oh|oops|ooh|um+|uh|hm+|right|great|perfect|nice|cool"
    r"|lovely|awesome|brilliant"
    r"|super|fine|good|excellent|looks? good|sounds good|thanks(?: a lot| so much)?|thank you(?: so much"
    r"| very much)?|thx|cheers|yes|yeah"
    r"|yep|yup|sure|alright|all right|please|pls|studio|sorry|wait|hang on|next|after that|afterwards|finally"
    r"|lastly|first|love it"
    r"|in that case|never ?mind|i changed my mind|i've changed my mind|changed my mind|on second thoughts?|no"
    r"|nope|no wait|quick one|question"
)
_REQUESTS = (
    r"(?:can|could|would|will) (?:you|we|i)(?: please| pls| maybe| just| quickly| kindly| also| then)*(?! (?:like"
    r"|have)\b)"
    r"|(?:i'?d|i would|we'?d|we would|i|we) (?:would )?(?:like|want|need|love)(?: you| us)? to"
    r"|let'?s|lets|let us|go ahead and|do me a favou?r and|help me(?: to)?|i think (?:you|we) should|you should"
    r"|we should"
    r"|i'm ready to|we're ready to|it'?s time to|time to|try to|try and|just|quickly|maybe|perhaps|kindly|you can"
    r"|we can|you may|feel free to|be so kind (?:as to|and)"
    r"|i was wondering if you could|i'm wondering if you could|do you think you could|is it possible to"
    r"|any chance you(?: could| can)"
    r"|would it be possible to|please could you|would you be able to|are you able to|simply|rather"
)
_LEADING = re.compile(rf"(?:{_GREETING}|{_OPENERS}|{_REQUESTS})(?![\w'-])[\s,.!:;…-]*", re.IGNORECASE)
_MIND = re.compile(r"(?:(?:(?:would|do) you )?mind|how about|what about) (?=\w+ing\b)", re.IGNORECASE)
_GERUND = re.compile(
    r"(schedul|mov|reschedul|publish|post|cancel|draft|writ|mak|creat|show|list|delet|remov|undo|shar|chang|us"
    r"|queu|push)ing\b",
    re.IGNORECASE,
)
_FINAL_E = frozenset("schedul mov reschedul writ mak creat delet remov shar chang us queu".split())
_TRAILING = re.compile(
    r"(?:[\s,.!…]*(?<![\w'])(?:please|pls|thanks(?: a lot| so much| a million| in advance)?|thank you(?: so much"
    r"| very much)?|thx|cheers|ta|ok(?:ay)?"
    r"|for me|for us|if you can|if you could|if you don't mind|if possible|would you|will you|could you|can you"
    r"|when you can|when you have a (?:moment|minute)|mate|love"
    r"|will ya|studio|again|then|though|(?<!right )now please|kindly))+[\s?!.…]*\Z",
    re.IGNORECASE,
)
_STOP = re.compile(r"(?<=[\w\ue000-\uf8ff)'%])[.!?;…]+(?:\s+|\Z)|\n+|(?<=[.!?])\s+")
_DOTTED = re.compile(r"\b(?:a\.m|p\.m|e\.g|i\.e|approx|no|st|mr|mrs|dr)\.\Z", re.IGNORECASE)
_SMILEY = re.compile(r"\s*[:;=]-?[)(DPp3]+\Z|\s*\bx+\Z")
_MOST_CLAUSES = 16
_MOST_COURTESIES = 5
_TAIL = 160  # characters: where the courtesies of a clause end

_TARGET = (
    r"(?:(?:it|this|that|them|these|those|me)\b|(?-i:#?[A-Z0-9]{5})\b|#\w{5}\b"
    r"|(?:\S+ ){0,6}?(?:post|draft|one|reel|carousel|photo|picture|image|video|caption|calendar|everything)s?\b)"
)
_COMMAND = (
    r"(?:please |also |then |can you |could you |just |maybe |let'?s ){0,4}"
    rf"(?:(?:draft|write|create|make|compose|prepare|schedule|reschedule|queue|move|push|shift|postpone|delay"
    rf"|cancel|delete|scrap|remove|publish|post|send|put|use|add|attach|change|set|bring|book|share|discard|take"
    rf"|announce|retry|repurpose|adapt|crop|fit|turn|test|cross-post|take down|try) {_TARGET}"
    r"|plan (?:out )?(?:(?:my|our|the|next|this) )?(?:next )?week\b|accept (?:the plan|\d)"
    r"|undo\b|publish now\b|post now\b|(?:show|list|tell) (?:me )?|what'?s\b|what is\b|which\b|(?:schedule"
    r"|reschedule|move) (?:it|for|to|on)\b|(?:another |one |a second )(?:one |post |reel )?(?:about|on|for)\b"
    r"|(?:don't|do not) (?:post|publish|schedule|cancel)\b)"
)
_JOINT = re.compile(
    rf"(?:,|;| -| \u2013)?\s+(?:and then|and|then|but|&|\+)\s+(?={_COMMAND})|,\s+(?={_COMMAND})", re.IGNORECASE
)


def clauses(text: str) -> tuple[str, ...]:
    """The clauses of a message in order, each as it was typed; a very long message's end is one clause."""
    found = [piece for sentence in _sentences(text) for piece in _JOINT.split(sentence)]
    cleaned = [piece.strip() for piece in found if bare(piece) or re.search(r"\w", piece)]
    if len(cleaned) > _MOST_CLAUSES:
        cleaned[_MOST_CLAUSES:] = [" ".join(cleaned[_MOST_CLAUSES:])]
    return tuple(cleaned)


def _sentences(text: str) -> list[str]:
    """The text cut at full stops, question marks and line ends, but not after an abbreviation."""
    parts: list[str] = []
    start = 0
    for stop in _STOP.finditer(text):
        if _DOTTED.search(text[max(0, stop.start() - 8) : stop.start() + 1]) and stop.end() < len(text):
            continue
        parts.append(text[start : stop.end()])
        start = stop.end()
    return [*parts, text[start:]]


def bare(clause: str) -> str:
    """A clause without greeting, politeness and ornaments; "" when it was nothing else."""
    start = 0
    text = without_ornaments(clause)
    while (lead := _LEADING.match(text, start)) is not None and lead.end() > start:
        start = lead.end()
    text = text[start:]
    if (mind := _MIND.match(text)) is not None:
        text = _GERUND.sub(_imperative, text[mind.end() :], count=1)
    return _without_trailing(text)


def _without_trailing(text: str) -> str:
    """The text without "please", thanks and smileys at its end, as far as people pile them up."""
    for _ in range(_MOST_COURTESIES):
        head, tail = text[:-_TAIL], text[-_TAIL:]
        shorter = without_ornaments(head + _TRAILING.sub("", _SMILEY.sub("", tail)))
        if shorter == text:
            break
        text = shorter
    return text


def without_ornaments(text: str) -> str:
    """The text without emoji and stops around it; stand-ins for quotes and links count as words."""
    start, end = 0, len(text)
    while start < end and not _is_kept(text[start], "#@$'"):
        start += 1
    while start < end and not _is_kept(text[end - 1], ")'%+"):
        end -= 1
    return text[start:end]


def _is_kept(letter: str, signs: str) -> bool:
    return letter.isalnum() or letter == "_" or letter in signs or re.match(MARK, letter) is not None


def _imperative(found: re.Match[str]) -> str:
    stem = found[1].lower()
    return f"{stem}e" if stem in _FINAL_E else stem


def is_question(clause: str) -> bool:
    """Whether a clause asks rather than tells; politeness ("can you …?") tells."""
    return clause.rstrip().endswith("?")
