"""What a clause about one post is aimed at: the post, and the time around its name."""

import re
from dataclasses import dataclass

from agent.offline.moments import TimePhrase, time_phrases
from agent.offline.reading import Reading, Step, ask
from agent.offline.references import Reference, is_plural, reference
from agent.offline.sentence import Sentence

PLACE = re.compile(
    r"\s*\b(?:on|in|to|into|onto) (?:the|my|our) (?:calendar|schedule|queue|plan|agenda|feed)\b", re.IGNORECASE
)
_PARTICLES = re.compile(
    r"\A(?:up|out|live|in|back|forward|over)\b\s*|\s*\b(?:up|out|live|in|back|forwards?|over|instead|online|there"
    r"|sharp|rather|for|to|at|on|by)\Z",
    re.IGNORECASE,
)
_PHRASES_TRIED = 4
FOR_EXAMPLE = "For example “Friday at 9am”."
ONE_AT_A_TIME = (
    "I change one post at a time. Which one do you mean? A code such as K7RMD or a few of its words will do."
)


@dataclass(frozen=True, kw_only=True)
class Timed:
    """The words around a phrase of time: what is left when it is taken out names the post."""

    what: str
    phrase: TimePhrase | None


def around_time(text: str, begin: int = 0) -> Timed:
    """Take the time out of the end (or beginning) of a clause from ``begin`` on; a day inside a name is no time.

    The whole clause is looked at, because "push it back by a day" is read together with its verb.
    """
    found = time_phrases(text)
    for phrase in (*found[:-_PHRASES_TRIED:-1], *found[:1]):
        start = max(phrase.start, begin)
        before, after = text[begin:start], text[phrase.end :]
        if phrase.end <= begin or after.startswith("'s") or phrase.words.endswith("'s"):
            continue
        if not trimmed(after):
            return Timed(what=_without_old_time(before), phrase=phrase)
        if not trimmed(before):
            return Timed(what=after, phrase=phrase)
    return Timed(what=text[begin:], phrase=None)


def _without_old_time(words: str) -> str:
    """Such as "it from Friday" in "move it from Friday to Saturday": the old time is no part of the name."""
    old = next((phrase for phrase in time_phrases(words) if phrase.preposition.startswith("from")), None)
    return words[: old.start] if old is not None and not words[old.end :].strip(" ,.") else words


def trimmed(words: str) -> str:
    """What names a post, without "on the calendar", "out", "live" and the like around it."""
    text = PLACE.sub("", words).strip(" ,.:!?")
    while (shorter := _PARTICLES.sub("", text).strip(" ,.:!?")) != text:
        text = shorter
    return text


def target_of(words: str, sentence: Sentence) -> Reference | None:
    """The post these words name; none at all means the one being spoken of."""
    text = trimmed(words)
    return reference(text, sentence) if text else Reference(words="it")


def on_post(step: Step, words: str, sentence: Sentence, verb: str) -> Reading:
    """The step on the post that is named, or the question which one is meant."""
    target = target_of(words, sentence)
    if target is None:
        text = (
            ONE_AT_A_TIME
            if is_plural(trimmed(words))
            else f"Which post shall I {verb}? A code such as K7RMD or a few of its words will do."
        )
        return ask(text, "post", step)
    aimed = Step(command=step.command, arguments={"post_id": target.words, **step.arguments})
    if not target.sure:
        return ask(f"Shall I {verb} the post “{target.words}”?", "yes", aimed)
    return Reading(steps=(aimed,))


def at_time(command: str, words: str, phrase: TimePhrase | None, sentence: Sentence, verb: str) -> Reading:
    """The command on the post that is named at that time, or the question which post or when."""
    if phrase is None:
        aimed = on_post(Step(command=command), words, sentence, verb)
        if not aimed.steps:
            return aimed
        return ask(f"When shall I {verb} it? {FOR_EXAMPLE}", "when", *aimed.steps)
    return on_post(Step(command=command, arguments={"when": phrase.words}), words, sentence, verb)
