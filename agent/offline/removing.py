"""Clauses that take a post off the calendar, or a live one down."""

import re

from agent.offline.aiming import PLACE, on_post, trimmed
from agent.offline.reading import Reading, Step, ask, say
from agent.offline.sentence import Sentence

_CANCEL = re.compile(
    r"(?:cancel|scrap|delete|remove|kill|bin|trash|discard|ditch|axe|call off|unschedule|un-schedule|get rid of"
    r"|dump|withdraw|abandon|throw away|throw out|forget about|erase)\b",
    re.IGNORECASE,
)
_TAKE_OFF = re.compile(
    r"(?:take|pull|drop|get|remove|throw)\s+(?P<what>.{1,70}?)\s+(?:off|down|away|out of|from)(?:\s+(?:the|my"
    r"|our) (?:calendar|schedule|queue|plan|list))?\Z",
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"\b(?:photos?|pictures?|images?|captions?|hashtags?|emojis?|links?|text|accounts?|alt text|music|sound)\Z",
    re.IGNORECASE,
)


def read_cancel(clause: str, sentence: Sentence) -> Reading:
    """Such as "cancel it", "scrap the brunch post", "take K7RMD off the calendar"."""
    off = _TAKE_OFF.fullmatch(clause)
    verb = _CANCEL.match(clause)
    if off is None and verb is None:
        return Reading()
    words = off["what"] if off else clause[verb.end() :] if verb else ""
    if not trimmed(words) and off is None:
        return ask(
            "Which post shall I cancel? A code such as K7RMD or a few of its words will do.",
            "post",
            Step(command="cancel_post"),
        )
    if re.search(r"\baccounts?\Z", words, re.IGNORECASE):
        return say("I can't delete accounts. I can cancel a post, for example “cancel the espresso post”.")
    if _PARTS.search(PLACE.sub("", words).strip()):
        return say(
            "I can't remove a part of a post. I can change a draft's caption or photo, or cancel the whole post."
        )
    return on_post(Step(command="cancel_post"), words, sentence, "cancel")
