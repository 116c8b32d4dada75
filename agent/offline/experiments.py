"""Clauses that set up an experiment on a post: "test three captions for it", "A/B test the image of K7RMD"."""

import re

from agent.offline.counting import NUMBER, number
from agent.offline.reading import Reading, Step, ask
from agent.offline.references import reference
from agent.offline.sentence import Sentence
from agent.offline.surroundings import Surroundings
from core.jsontypes import JsonValue

_VARIED = {
    "caption": r"captions?|texts?|wordings?|words|copy|copies",
    "image": r"images?|photos?|pictures?|pics?|visuals?",
    "time": r"(?:posting |publishing |publication )?(?:times?|hours?|slots?)(?: of (?:the )?day| to post)?",
}
_VARY = "(?P<vary>" + "|".join(_VARIED.values()) + ")"
_TEST = (
    r"(?:(?:a ?/ ?b|ab|split)[ -]?test(?:ing)?|test(?: out)?|compare|experiment with"
    r"|(?:run|create|start|set up|make|do|launch|begin)(?: me| us)? an? (?:new |quick |little )?(?:(?:a ?/ ?b|ab"
    r"|split)[ -]?)?"
    r"(?:test|experiment)(?: on| with| of| for| about)?|try(?: out)?(?= (?:\d|two|three|four|five|different|a few"
    r"|some)))"
)
_MANY = (
    rf"(?:(?P<count>{NUMBER}) )?(?:a few |some |several )?(?:different |alternative |other |new |versions of "
    rf"|variants of )*"
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_TEST} {_MANY}(?:the |its )?{_VARY}(?: (?:for|of|on|with|in|to) (?P<what>.{{1,70}}))?",
        (
            rf"{_TEST} (?:on |with |for |of )?(?P<what>.{{1,70}}?),? (?:with|varying|changing|using|on|by|and vary"
            rf"|to vary"
            rf"|by varying|by changing) {_MANY}(?:the |its )?{_VARY}"
        ),
        rf"vary (?:the |its )?{_VARY}(?: (?:for|of|on|in) (?P<what>.{{1,70}}))?",
    )
)
_OPEN = re.compile(
    r"(?:(?:a ?/ ?b|ab|split)[ -]?test|(?:run|create|start|set up|do) an? (?:(?:a ?/ ?b|ab|split)[ -]?)?(?:test"
    r"|experiment)"
    r"(?: on| with| for| of))\s+(?P<what>.{1,70})",
    re.IGNORECASE,
)


def read_experiment(clause: str, sentence: Sentence, around: Surroundings) -> Reading:
    """One post, one thing that varies; what varies is asked when it was not said."""
    if not around.has("create_experiment"):
        return Reading()
    found = next((match for pattern in _PATTERNS if (match := pattern.fullmatch(clause))), None)
    if found is None:
        return _read_open(clause, sentence)
    groups = found.groupdict()
    arguments: dict[str, JsonValue] = {"vary": varied(found["vary"])}
    if groups.get("count"):
        arguments["count"] = number(groups["count"])
    target = reference(groups["what"] or "it", sentence)
    step = Step(command="create_experiment", arguments=arguments)
    if target is None:
        return ask("Which post shall I run the experiment on?", "post", step)
    aimed = Step(command="create_experiment", arguments={"post_id": target.words, **arguments})
    if not target.sure:
        return ask(f"Shall I run the experiment on the post “{target.words}”?", "yes", aimed)
    return Reading(steps=(aimed,))


def varied(word: str) -> str | None:
    """What varies ("caption", "image", "time") by the word for it; None for any other word."""
    return next((name for name, words in _VARIED.items() if re.fullmatch(words, word, re.IGNORECASE)), None)


def _read_open(clause: str, sentence: Sentence) -> Reading:
    found = _OPEN.fullmatch(clause)
    target = reference(found["what"], sentence) if found else None
    if target is None or not target.sure:
        return Reading()
    step = Step(command="create_experiment", arguments={"post_id": target.words})
    return ask("What shall vary: the caption, the image or the time?", "vary", step)
