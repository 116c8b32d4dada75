"""Clauses that send a post out at once or take the last act back."""

import re

from agent.offline.aiming import on_post, target_of, trimmed
from agent.offline.reading import Reading, Step, act, ask
from agent.offline.references import is_plural
from agent.offline.sentence import Sentence

_PUBLISH = re.compile(
    r"(?:publish|post|send out|send|share|release|launch|ship|upload|go live with|push live|push out|put out"
    r"|put live|put up|push|put|get|make|take)\b",
    re.IGNORECASE,
)
_NEEDS_LIVE = re.compile(r"(?:push|put|get|make|take|send)\b", re.IGNORECASE)
_LIVE = re.compile(r"\b(?:live|out there|out|up|online)\b", re.IGNORECASE)
NOW = re.compile(
    r"[\s,]*\b(?:right now|now|immediately|right away|straight ?away|at once|instantly|asap|as soon as possible"
    r"|this (?:very )?(?:minute|second|instant|moment)|without delay|already)\b",
    re.IGNORECASE,
)
_UNDO = re.compile(
    r"(?:un-?do|revert|roll ?back|reverse)(?: (?:it|that|this|all of that|all that|please|everything you just did"
    r"|(?:the |my |your |that |this )?(?:last|latest|previous) (?:thing|change|action|step|one|edit|move|command)s?"
    r"|what you (?:just )?did|(?:the |that )(?:change|cancellation|cancel|move|edit|scheduling|reschedule|deletion)))?"
    r"|take (?:that|it|this) back|roll (?:that|it|this) back|go back|bring it back|restore it"
    r"|put it back(?: (?:how|as|the way"
    r"|like) it was)?|ctrl[ +-]?z|undo undo",
    re.IGNORECASE,
)


def read_undo(clause: str) -> Reading:
    """Such as "undo that", "take it back"."""
    if _UNDO.fullmatch(clause):
        return act("undo")
    if re.match(r"(?:undo|revert)\b", clause, re.IGNORECASE):
        return ask("I can take back what was done last. Shall I undo that?", "yes", Step(command="undo"))
    return Reading()


def read_publish(clause: str, sentence: Sentence) -> Reading:
    """Such as "publish it now", "put it live": the runtime asks a person before it happens."""
    text = NOW.sub("", clause).strip(" ,.!")
    now = text != clause.strip(" ,.!")
    if re.fullmatch(r"(?:publish|go live|ship it|send it)", text, re.IGNORECASE) or (
        now and text.lower() in {"post", "share"}
    ):
        return act("publish_post", post_id="it")
    verb = _PUBLISH.match(text)
    if verb is None:
        return Reading()
    words = text[verb.end() :]
    if _NEEDS_LIVE.match(verb.group()) and not _LIVE.search(f"{verb.group()} {words}") and not now:
        return Reading()
    if _NEEDS_LIVE.fullmatch(verb.group()):
        words = _LIVE.sub("", words, count=1)
    target = target_of(words, sentence)
    if not trimmed(words) or (
        target is None and verb.group().lower() not in {"publish", "release"} and not is_plural(trimmed(words))
    ):
        return Reading()
    return on_post(Step(command="publish_post"), words, sentence, "publish")
