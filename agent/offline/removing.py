"""Clauses that take a post off the calendar, or a live one down."""

import re

from agent.offline.aiming import PLACE, on_post, trimmed
from agent.offline.networks import NETWORK, mentioned
from agent.offline.reading import Reading, Step, ask, say
from agent.offline.references import is_plural
from agent.offline.sentence import Sentence
from agent.offline.surroundings import Surroundings
from agent.offline.talk import cannot_post_to

_CANCEL = re.compile(
    r"(?:cancel|scrap|delete|remove|kill|bin|trash|discard|ditch|axe|call off|unschedule|un-schedule|get rid of"
    r"|dump|withdraw|abandon|throw away|throw out|forget about|erase)\b",
    re.IGNORECASE,
)
_TAKE_OFF = re.compile(
    r"(?:take|pull|drop|get|remove|throw|delete|cancel|erase)\s+(?P<what>.{1,70}?)\s+(?:off|away|out of"
    r"|from)(?:\s+(?:the|my"
    r"|our) (?:calendar|schedule|queue|plan|list))?\Z",
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"\b(?:photos?|pictures?|images?|captions?|hashtags?|emojis?|links?|text|accounts?|alt text|comments?"
    r"|collaborators?|co-?authors?|cover|borders?|music|sound)\Z",
    re.IGNORECASE,
)

_LIVE = r"(?:live|published|posted|public)"
_DELETE = r"(?:delete|remove|erase|unpublish|un-publish|take down|pull down|get rid of)"
_FROM = rf"(?: (?:from|off|on)(?: of)? (?:our |my |the )?(?:{NETWORK}|feed|page|internet)(?: page| account| feed)?)"
_TAKE_DOWN = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:take|pull|bring) (?P<what>.{{1,70}}?) down(?:{_FROM})?",
        rf"(?:take|pull) down (?P<what>.{{1,70}}?)(?:{_FROM})?",
        rf"(?:unpublish|un-publish) (?P<what>.{{1,70}}?)(?:{_FROM})?",
        rf"(?:take|pull|get) (?P<what>.{{1,70}}?){_FROM}",
        rf"{_DELETE} (?P<what>.{{1,70}}?){_FROM}",
        rf"{_DELETE} (?P<what>(?:the |my |our |that |this )?(?:\S+ ){{0,4}}?{_LIVE}\b.{{0,70}}?)",
        rf"{_DELETE} (?P<what>.{{1,70}}? that(?:'s| is| went| was) (?:already |now )*(?:live|published|posted|out))",
    )
)
_LIVE_WORD = re.compile(
    rf"\b{_LIVE} |\bthat(?:'s| is| went| was) (?:already |now )*(?:live|published|posted|out)\b", re.IGNORECASE
)


def read_delete(clause: str, sentence: Sentence, around: Surroundings) -> Reading:
    """Such as "take it down from Instagram", "delete the live espresso post"; a draft is cancelled instead."""
    found = next((match for pattern in _TAKE_DOWN if (match := pattern.fullmatch(clause))), None)
    if found is None or re.search(r"\b(?:draft|scheduled|planned)\b", clause, re.IGNORECASE):
        return Reading()
    if missing := around.missing(mentioned(clause[found.end("what") :])):
        return say(cannot_post_to(missing, around.networks))
    what = _LIVE_WORD.sub("", found["what"]).strip()
    if re.search(r"\baccounts?\Z", what, re.IGNORECASE) or _PARTS.search(what):
        return Reading()
    if is_plural(what):
        return ask("I delete live posts one at a time. Which one first?", "post", Step(command="delete_post"))
    return on_post(Step(command="delete_post"), what, sentence, "delete")


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
