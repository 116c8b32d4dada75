"""Clauses that bring a post to another network: "same for Facebook", "turn it into a TikTok", "put it on both"."""

import re

from agent.offline.aiming import trimmed
from agent.offline.moments import time_phrases
from agent.offline.networks import NETWORK, PLACES, listed, mentioned
from agent.offline.reading import MADE, Missing, Reading, Step, ask, say
from agent.offline.references import is_plural, reference
from agent.offline.sentence import MARK, Sentence
from agent.offline.surroundings import Surroundings
from agent.offline.talk import cannot_post_to
from core.jsontypes import JsonValue

_TOO = r"(?:too|as well|also|in addition)"
_ADAPT = (
    r"(?:repurpose|re-purpose|adapt|convert|re-?use|rework|tailor|remake|copy|duplicate|cross-?post|cross post|mirror"
    r"|recycle|re-?share|re-?post)"
)
_ONTO = r"(?:for|to|on|onto|into|over to|as)"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_ADAPT} (?P<what>.{{1,70}}?)(?: over)? {_ONTO} {PLACES}(?: {_TOO})?",
        rf"(?:turn|make|convert|change) (?P<what>.{{1,70}}?) (?:into )?(?:a |an ){PLACES}(?: {_TOO})?",
        (
            rf"(?:make|create|do|write|draft|prepare|give me|get me|want|need|have|add)(?: me| us)? (?:a |an |the )?"
            rf"{PLACES} (?:version|copy|edition|variant|adaptation)s?"
            r"(?: (?:of|for|from|out of) (?P<what>.{1,70}?))?"
        ),
        (
            r"(?:make|create|do|write|draft|prepare|give me|want|need|have|add)(?: me| us)? (?:a |an |another )?"
            r"(?:version|copy|edition|variant|adaptation)s?"
            rf"(?: of (?P<what>.{{1,70}}?))? {_ONTO} {PLACES}(?: {_TOO})?"
        ),
        (
            r"(?:put|post|share|publish|send|have|want|do|use|schedule|get|run|bring|i'?d like|we'?d like|i want"
            rf"|we want|i need) (?P<what>.{{1,70}}?) (?:on|to|for|onto|over to) {PLACES} {_TOO}"
        ),
        (
            rf"(?:make|create|do|get|give me|build)(?: me| us)? (?:a |an |another )?{PLACES} (?:out of|from)"
            r" (?P<what>.{1,70})"
        ),
        rf"(?:do )?(?:the )?same(?: thing| post| one| again)? (?:for|on|to|with) {PLACES}(?: {_TOO})?",
        rf"(?:for |on |to )?{PLACES} {_TOO}",
        rf"(?:and |also )?(?:another|one)(?: one)? (?:for|on) {PLACES}",
    )
)
_BESIDES = re.compile(
    r"(?:put|post|share|publish|send|schedule|get|run|upload|move|(?:i |we )?(?:want|need|have)|(?:i"
    r"|we)'d like) (?P<what>.{1,70}?) (?:on|to|for|onto) " + PLACES,
    re.IGNORECASE,
)
_NOW = re.compile(r",? (?:right now|now|immediately|asap|right away)\b", re.IGNORECASE)
_MEDIA = re.compile(
    r"(?:the|our|my) (?:new )?(?P<about>\w[\w' -]{1,40}?) (?P<noun>reel|video|clip|film|photo|picture|image)",
    re.IGNORECASE,
)
_UPLOAD = re.compile(
    r"(?:the|our|my) (?:new )?(?P<about>\w[\w' -]{1,40}?) (?P<noun>video|clip|film|photo|picture|image)", re.IGNORECASE
)
_AS_DRAFT = re.compile(r",? as (?:a |an )?(?:unposted )?draft\b", re.IGNORECASE)
_OPEN = re.compile(rf"{_ADAPT} (?P<what>.{{1,70}})", re.IGNORECASE)
_ADDS = re.compile(r"\balso\b\s*", re.IGNORECASE)
_AND_FOR = re.compile(rf"\s*(?:and|also|plus)\s+(?:on |for |to )?{PLACES}[\s.!?]*", re.IGNORECASE)
_NETWORK = re.compile(rf"\b{NETWORK}\b", re.IGNORECASE)
_WHICH_NETWORK: Missing = "platforms"


def read_repurpose(part: str, clause: str, sentence: Sentence, around: Surroundings) -> Reading:
    """The post for other networks; ``part`` still has the "also" that ``clause`` lost."""
    if _NETWORK.search(clause) is None:
        return _read_open(clause, sentence, around)
    text, when = _without_time(_ADDS.sub("", clause))
    besides = _BESIDES.fullmatch(_AS_DRAFT.sub("", _NOW.sub("", text)))
    adds = besides if _ADDS.search(part) else None
    found = adds or next((match for pattern in _PATTERNS if (match := pattern.fullmatch(text))), None)
    if found is None and not _AND_FOR.fullmatch(part):
        return (
            _elsewhere(besides, when, sentence, around, as_draft=_AS_DRAFT.search(text) is not None)
            if besides is not None
            else Reading()
        )
    what = (found.groupdict().get("what") if found else None) or "it"
    names = mentioned(text[found.start("places") :] if found else text)
    if missing := around.missing(names):
        return say(cannot_post_to(missing, around.networks))
    return repurposed(what, names, when, sentence)


def _elsewhere(
    besides: re.Match[str], when: str | None, sentence: Sentence, around: Surroundings, *, as_draft: bool
) -> Reading:
    """The post on several networks, or on another than its own: "put the espresso reel on Instagram and TikTok"."""
    names = mentioned(besides["places"])
    if not around.has("repurpose_post") or around.missing(names):
        return Reading()
    several = len(names) > 1
    if not several and (upload := _UPLOAD.fullmatch(besides["what"])) is not None:
        made = _new_on(names, upload["about"], f"{upload['about']} {upload['noun']}", when)
        words = f"Shall I draft a post with the {upload['about']} {upload['noun']} for {names[0]}?"
        return made if as_draft else ask(words, "yes", *made.steps)
    if several and (media := _MEDIA.fullmatch(besides["what"])) is not None:
        return _new_on(names, media["about"], f"{media['about']} {media['noun']}", when)
    others = tuple(name for name in names if name != around.current)
    target = reference(besides["what"], sentence)
    if re.search(MARK, besides["what"]) or not others or target is None or not target.sure or len(around.networks) == 1:
        return Reading()
    made = repurposed(besides["what"], others, when, sentence)
    if several and around.current is not None:
        return made
    # "Publish it on Facebook", where it is Instagram's: that is another post, which nobody has seen yet.
    known = f"It is a post for {around.current}. " if around.current and target.words == "it" else ""
    return ask(f"{known}Shall I make a version of it for {listed(others)}?", "yes", *made.steps)


def _new_on(names: tuple[str, ...], about: str, asset: str, when: str | None) -> Reading:
    """A new post with that film or photo on the first network, brought to the others."""
    more: dict[str, JsonValue] = {} if when is None else {"when": when}
    first: dict[str, JsonValue] = {"platform": names[0].lower(), "about": about, "media": [{"asset_id": asset}]}
    if asset.lower().endswith("reel") and names[0] != "TikTok":
        first["format"] = "reel"
    made = Step(command="create_draft", arguments={**first, **more})
    others = Step(command="repurpose_post", arguments={"post_id": MADE, **_platforms(names[1:]), **more})
    return Reading(steps=(made, others) if len(names) > 1 else (made,))


def _platforms(names: tuple[str, ...]) -> dict[str, JsonValue]:
    return {"platforms": [name.lower() for name in names]}


def repurposed(what: str, names: tuple[str, ...], when: str | None, sentence: Sentence) -> Reading:
    """The post that ``what`` names for these networks, or the question which post."""
    more = _platforms(names)
    if when is not None:
        more["when"] = when
    return _on(what, more, sentence)


def _on(what: str, more: dict[str, JsonValue], sentence: Sentence) -> Reading:
    target = reference(what, sentence)
    if target is None:
        words = "I do that with one post at a time. Which one" if is_plural(trimmed(what)) else "Which post"
        return ask(f"{words} shall I repurpose?", "post", Step(command="repurpose_post", arguments=more))
    step = Step(command="repurpose_post", arguments={"post_id": target.words, **more})
    if not target.sure:
        return ask(f"Shall I repurpose the post “{target.words}”?", "yes", step)
    return Reading(steps=(step,))


def _read_open(clause: str, sentence: Sentence, around: Surroundings) -> Reading:
    found = _OPEN.fullmatch(clause)
    if found is None or not around.has("repurpose_post") or reference(found["what"], sentence) is None:
        return Reading()
    asked = _on(found["what"], {}, sentence)
    return ask("For which network?", _WHICH_NETWORK, *asked.steps) if asked.steps else asked


def _without_time(clause: str) -> tuple[str, str | None]:
    """The clause without a time at either end, and that time."""
    for phrase in time_phrases(clause):
        before, after = clause[: phrase.start].strip(" ,"), clause[phrase.end :].strip(" ,.!?")
        if phrase.is_shift:
            continue
        if not after or not before:
            return before or after, phrase.words
        if re.fullmatch(_TOO, after, re.IGNORECASE):
            return f"{before} {after}", phrase.words
    return clause, None
