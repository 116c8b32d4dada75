"""Clauses that ask for a plan of a week, or take one over: "plan next week", "accept the first two as drafts"."""

import re

from agent.offline.counting import NUMBER, items, number
from agent.offline.networks import PLACES, mentioned
from agent.offline.reading import Reading, act, say
from agent.offline.sentence import Sentence
from agent.offline.surroundings import Surroundings
from agent.offline.talk import cannot_post_to
from core.jsontypes import JsonValue

_KIND = r"(?:content |posting |social(?: media)? |editorial |post )*"
_WEEK = (
    r"(?:(?:the |this )?week ahead|(?P<week>(?:this|next|the (?:coming|following|next)|coming|the week after next"
    r"|the rest of the"
    r" rest of this)(?: work| working)? week|week after next|the week after next|the next (?:7|seven) days"
    r"|tomorrow|the weekend|this weekend|next weekend)|(?:the|my|our|a|your) (?:whole )?week)"
)
_MAKE = (
    r"(?:plan(?: out)?|map out|lay out|sketch(?: out)?|fill(?: up)?|propose|suggest|come up with|prepare|make|give"
    r"|build"
    r"|create|draw up|draft|put together|work out|set up|show|need|want|get)(?: me| us)?"
)
_PLAN_WEEK = re.compile(
    rf"(?:plan(?: out)?|map out|lay out|sketch(?: out)?|fill(?: up)?|work out)(?: me| us)?"
    rf" (?:my |our |the |some )?{_KIND}(?:posts |content |something )?(?:for )?{_WEEK}(?:'s)?(?: {_KIND}(?:content"
    rf"|posts|plan|calendar"
    rf"|schedule))?"
    r"(?P<rest>\b.*)",
    re.IGNORECASE,
)
_PLAN_FOR = re.compile(
    rf"{_MAKE} (?:a |the |my |our )?(?:{_KIND}(?:plan|calendar|schedule)|week plan|weekly plan)(?P<middle> .*?)?"
    rf" (?:for|of) {_WEEK}(?P<rest>\b.*)",
    re.IGNORECASE,
)
_SO_MANY = re.compile(
    rf"(?:(?:i |we )?(?:need|want)(?= .*\bideas\b)|give(?= .*\bideas\b)|plan(?: out)?|propose|suggest|come up with"
    rf"|map out|work out)(?: me| us)? (?:ideas for )?(?P<count>{NUMBER})"
    rf"(?: {NUMBER})? (?:new |more |different )*(?:{_KIND}ideas|posts?|pieces)(?P<middle> .*?)? (?:for|in|over|across)"
    rf" {_WEEK}(?P<rest>\b.*)",
    re.IGNORECASE,
)
_WHAT_TO_POST = re.compile(
    rf"what (?:should|could|can|shall|do|might) (?:we|i) (?:be )?post(?:ing)?(?P<middle> .*?)?(?: for| in)? {_WEEK}"
    r"(?P<rest>\b.*)",
    re.IGNORECASE,
)
_WEEKLY = re.compile(rf"{_MAKE} a (?:weekly {_KIND}plan|week plan|plan for the week)(?P<rest>\b.*)", re.IGNORECASE)
_COUNT = re.compile(
    rf"(?:with |of |, )*\b(?P<count>{NUMBER}) (?:posts?|ideas?|pieces)(?: of content)?\b", re.IGNORECASE
)
_NETWORKS = re.compile(rf"\b(?:on|for|to|across) {PLACES}", re.IGNORECASE)
_THEMES = re.compile(
    r"\b(?:about|around|with (?:the |a )?(?:themes?|topics?)(?: of)?:?|on the (?:themes?|topics?) (?:of )?"
    r"|themed(?: around)?"
    r"|focus(?:ed|ing|sed)?(?: it)? on|featuring|covering|(?:themes?|topics?)(?: are| is)?:?)\s+(?P<themes>.+)",
    re.IGNORECASE,
)
_LEFT = re.compile(r"(?:\W|\b(?:for (?:us|me|the (?:cafe|shop|team))|please|posts?|with|of|and|it)\b)*", re.IGNORECASE)
_ACCEPT = re.compile(
    r"(?:accept|approve|save|take|use|keep|go with|confirm|schedule|book|adopt|apply|i'?ll (?:take|have)"
    r"|we'?ll take|draft"
    r"|turn|put|make|add|pick|choose|go ahead with)\b\s*(?:only|just)?\s*(?P<what>.*?)"
    r"(?:\s+(?:as|into|to|in|on)\s+(?:(?:the |my |our )?(?P<as>drafts?|calendar|schedule|queue)|(?P<planned>scheduled)"
    r"(?: posts)?))?",
    re.IGNORECASE,
)
_THE_PLAN = re.compile(
    r"(?:the |this |that |your |my |our )?(?:whole |entire |full )?plan(?: for (?:this|next|the) week)?|(?:all of"
    r"|everything in)"
    r" (?:the|that|this|your) plan",
    re.IGNORECASE,
)
_AGREES = re.compile(r"(?:accept|approve|go ahead with|go with|take|use|adopt|confirm)(?: it| that)?", re.IGNORECASE)
_ALL = re.compile(
    r"(?:them(?: all)?|all|all of (?:them|it)|everything|it all|the lot|all (?:the )?posts)", re.IGNORECASE
)
_OF_PLAN = re.compile(r" (?:of|from|in) (?:the|that|this|your) plan\Z", re.IGNORECASE)
_CHOICES = re.compile(r"(?:entries|entry|items?|numbers?|posts?|ideas?)\b", re.IGNORECASE)


def read_week(clause: str, sentence: Sentence, around: Surroundings) -> Reading:
    """Such as "plan next week", "what should we post this week?", "suggest 4 posts for next week on Instagram"."""
    patterns = (_PLAN_WEEK, _PLAN_FOR, _SO_MANY, _WHAT_TO_POST, _WEEKLY)
    found = next((match for pattern in patterns if (match := pattern.fullmatch(clause))), None)
    if found is None or not around.has("plan_week"):
        return Reading()
    groups = found.groupdict()
    rest = f"{groups.get('middle') or ''} {groups['rest']}"
    arguments: dict[str, JsonValue] = {}
    if groups.get("week"):
        arguments["week"] = re.sub(r"\Athe (?=next|coming|following)|\Athe (?=weekend)", "", groups["week"]).strip()
    if groups.get("count"):
        arguments["posts"] = number(groups["count"])
    rest = _take_themes(rest, arguments, sentence)
    networks = _NETWORKS.search(rest)
    if networks is not None:
        names = mentioned(networks["places"])
        if missing := around.missing(names):
            return say(cannot_post_to(missing, around.networks))
        arguments["platforms"] = [name.lower() for name in names]
        rest = f"{rest[: networks.start()]} {rest[networks.end() :]}"
    if (count := _COUNT.search(rest)) is not None:
        arguments["posts"] = number(count["count"])
        rest = f"{rest[: count.start()]} {rest[count.end() :]}"
    return act("plan_week", **arguments) if _LEFT.fullmatch(rest) else Reading()


def _take_themes(rest: str, arguments: dict[str, JsonValue], sentence: Sentence) -> str:
    """Note the themes that are named, and give back the words before and after them."""
    found = _THEMES.search(rest)
    if found is None:
        return rest
    words, after = found["themes"], ""
    if (later := _NETWORKS.search(words)) is not None:
        words, after = words[: later.start()], words[later.start() :]
    if (count := re.search(rf",? (?:with )?{NUMBER} posts\b", words, re.IGNORECASE)) is not None:
        words, after = words[: count.start()], f"{words[count.start() :]} {after}"
    themes = [
        sentence.restored(theme).strip(" ,.!?\"“”'") for theme in re.split(r",\s*(?:and\s+)?|\s+(?:and|&)\s+", words)
    ]
    arguments["themes"] = [theme for theme in themes if theme]
    return f"{rest[: found.start()]} {after}"


def read_acceptance(clause: str, around: Surroundings) -> Reading:
    """Such as "accept the plan", "take 1 and 3 as drafts"; entries alone mean a plan only after one was made."""
    found = _ACCEPT.fullmatch(clause)
    if found is None or not around.has("accept_plan"):
        return Reading()
    said, of_plan = _OF_PLAN.subn("", re.sub(r"\s+only\Z", "", found["what"].strip()))
    if _AGREES.fullmatch(clause) is not None:
        said = "all"
    is_plan = _THE_PLAN.fullmatch(said) is not None
    if not is_plan and not of_plan and not around.plan_is_open:
        return Reading()
    arguments: dict[str, JsonValue] = {"plan_id": "it"}
    if not is_plan and _ALL.fullmatch(said) is None:
        chosen = items(said)
        if chosen is None:
            asks = of_plan or _CHOICES.search(said)
            return say("Which entries of the plan? For example “take 1 and 3”.") if asks else Reading()
        arguments["items"] = list(chosen)
    wished = _wished(clause, found)
    return act("accept_plan", **arguments, **({"as": wished} if wished else {}))


def _wished(clause: str, found: re.Match[str]) -> str | None:
    """Whether drafts or scheduled posts were asked for; None when neither was said."""
    word = (found["as"] or found["planned"] or "").lower()
    if word.startswith("draft") or (not word and clause.lower().startswith("draft")):
        return "drafts"
    return "scheduled" if word or re.match(r"schedule|book", clause, re.IGNORECASE) else None
