"""Clauses that move or cancel many posts at once, chosen by day, status, network or words."""

import re
from dataclasses import dataclass, field

from agent.offline.moments import TimePhrase, time_phrases
from agent.offline.networks import NETWORK, network_name
from agent.offline.reading import Reading, Step, ask, say
from agent.offline.sentence import Sentence
from agent.offline.surroundings import Surroundings
from agent.offline.talk import cannot_post_to
from core.ids import looks_like_code
from core.jsontypes import JsonValue

_MOVE = re.compile(
    r"(?P<verb>move|reschedule|re-schedule|shift|push|bump|bring|pull|delay|postpone|put off|put|slide)\b",
    re.IGNORECASE,
)
_CANCEL = re.compile(
    r"(?:cancel|scrap|delete|remove|kill|bin|trash|discard|ditch|axe|call off|unschedule|un-schedule|get rid of|drop"
    r"|dump|withdraw|clear)\b",
    re.IGNORECASE,
)
_MANY = re.compile(
    r"\b(?:everything|anything|all|every|both|each|posts|drafts|ones|reels|carousels|stories|videos)\b", re.IGNORECASE
)
_CLEARED = re.compile(r"clear (?:out )?(?:the|my|our) (?:calendar|schedule|queue)\b", re.IGNORECASE)
_STATUSES = {
    "scheduled": r"scheduled|planned|queued|upcoming|going out|due|lined up",
    "failed": r"failed|failing|that (?:have )?failed",
    "missed": r"missed|that were missed|that missed their (?:slot|time)s?",
    "unconfirmed": r"unconfirmed",
    "draft": r"drafts?|drafted|unscheduled",
    "posted": r"posted|published|live",
}
_STATUS = tuple((name, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for name, words in _STATUSES.items())
_NETWORK = re.compile(rf"(?:\b(?:on|for|from) (?:our |my |the )?)?\b({NETWORK})\b", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?:\b(?:of|on|for|from) )?(?<![\w.])@([A-Za-z0-9_](?:[\w.-]{0,60}\w)?)")
_QUERY = re.compile(
    r"\b(?:about|mentioning|that mention|containing|with the words?|on the topic of)\s+(?:the |our |my "
    r"|a )?(?P<words>.+)\Z",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\A\W*(?:(?:all|every|everything|both|of|the|my|our|those"
    r"|these)\s+)+(?P<words>(?!(?:of|\d+|two|three|four|five|last|next|first)\b)[\w' -]{2,40}?) (?:posts|drafts|ones"
    r"|reels)\b",
    re.IGNORECASE,
)
_DAY = re.compile(r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|weekend", re.IGNORECASE)
_CODES = re.compile(
    r"(?:(?:the )?posts? )?#?[A-Za-z0-9]{5}(?:(?:\s*,\s*|\s+)(?:(?:and|&|plus)\s+)?#?[A-Za-z0-9]{5})+", re.IGNORECASE
)
_SMALL = re.compile(
    r"(?:\W|\b(?:everything|all|every|of|the|my|our|this|those|these|single|whole|post|posts|draft|drafts|ones?|reels|carousels"
    r"|from|on|in|for|at|that|that's|which|are|is|were|have|has|been|to(?= go| be)|be|go|goes|stuff|things?"
    r"|content|us|we|i|got|out"
    r"|there|over|off|calendar|schedule|queue|currently|still|us)\b|(?<=\s)s\b)*",
    re.IGNORECASE,
)
_SAYS_LIVE = (
    "That is about posts that are out already. I delete live posts one at a time: “delete the live espresso post”."
)


@dataclass(kw_only=True)
class _Selection:
    """Which posts are meant, and the words that are left unread."""

    rest: str
    filters: dict[str, JsonValue] = field(default_factory=dict)

    def take(self, found: re.Match[str], name: str, value: JsonValue) -> None:
        self.filters[name] = value
        self.rest = f"{self.rest[: found.start()]} {self.rest[found.end() :]}"


def read_several(clause: str, sentence: Sentence, around: Surroundings) -> Reading:
    """Such as "move everything on Friday to Saturday", "cancel all posts this weekend"; all posts at all is asked."""
    move, cancel = _MOVE.match(clause), _CANCEL.match(clause)
    verb = cancel or move
    if verb is None or not around.has("cancel_posts" if cancel else "move_posts"):
        return Reading()
    text = clause[verb.end() :]
    when = None if cancel else _when(clause, verb.end())
    if when is not None:
        text = clause[verb.end() : when.start]
    if (codes := _codes(text)) is not None:
        return _step("cancel_posts" if cancel else "move_posts", {"post_ids": codes}, when)
    if (_CLEARED.match(clause) is None and (_MANY.search(text) is None)) or (
        verb.group().lower() == "put" and when is None
    ):
        return Reading()
    return _selected("cancel_posts" if cancel else "move_posts", _select(text, sentence), when, around)


def _selected(command: str, chosen: _Selection, when: TimePhrase | None, around: Surroundings) -> Reading:
    filters = chosen.filters
    if not filters or not _SMALL.fullmatch(chosen.rest):
        return Reading()
    network = filters.get("platform")
    if isinstance(network, str) and (missing := around.missing((network_name(network) or network,))):
        return say(cannot_post_to(missing, around.networks))
    if filters.get("status") == "posted":
        return say(_SAYS_LIVE)
    return _step(command, filters, when)


def _step(command: str, filters: dict[str, JsonValue], when: TimePhrase | None) -> Reading:
    step = Step(command=command, arguments=filters)
    if command == "cancel_posts":
        return Reading(steps=(step,))
    if when is None:
        return ask("To when shall I move them? For example “to Saturday” or “back by a day”.", "when", step)
    return Reading(steps=(step.having(when=when.words),))


def _when(clause: str, begin: int) -> TimePhrase | None:
    """The new time: the last phrase, at the clause's end, when it is a shift or comes after "to", "until", "for"."""
    found = [phrase for phrase in time_phrases(clause) if phrase.start >= begin]
    if not found or clause[found[-1].end :].strip(" ,.!?") not in {"", "instead"}:
        return None
    last = found[-1]
    aimed = last.is_shift or re.match(r"(?:to|until|till|into|in|by|for)\b", last.preposition) is not None
    # "move everything for Friday" names the posts, "everything for Friday for Saturday" is not said.
    named = last.preposition.startswith(("for", "in")) and len(found) == 1 and last.kind != "slot"
    return last if aimed and not named else None


def _codes(text: str) -> list[JsonValue] | None:
    """Two or more short codes: "K7RMD and P3QXT"."""
    if _CODES.fullmatch(text.strip(" ,.!?")) is None:
        return None
    words = [word for word in re.findall(r"[A-Za-z0-9]{5,}", text) if word.lower() != "posts"]
    typed = all(looks_like_code(word) and (word.isupper() or any(map(str.isdigit, word))) for word in words)
    return [word.upper() for word in words] if typed and len(words) > 1 else None


def _select(text: str, sentence: Sentence) -> _Selection:
    chosen = _Selection(rest=text)
    if (query := _QUERY.search(chosen.rest)) is not None and not time_phrases(query["words"]):
        chosen.take(query, "query", sentence.restored(query["words"]).strip(' ,.!?"“”'))
    for phrase in time_phrases(chosen.rest)[:1]:
        chosen.filters["window"] = phrase.words.removesuffix("'s")
        chosen.rest = f"{chosen.rest[: phrase.start]} {chosen.rest[phrase.end :]}"
    if (network := _NETWORK.search(chosen.rest)) is not None:
        chosen.take(network, "platform", (network_name(network[1]) or network[1]).lower())
    if (account := _ACCOUNT.search(chosen.rest)) is not None:
        chosen.take(account, "account", f"@{account[1]}")
    for name, words in _STATUS:
        if (status := words.search(chosen.rest)) is not None:
            chosen.take(status, "status", name)
            break
    if "query" not in chosen.filters and (named := _NAMED.search(chosen.rest)) is not None:
        words_said = named["words"].strip()
        if not _SMALL.fullmatch(words_said) and not re.search(r"\b(?:except|but|not|or|and|if|without)\b", words_said):
            chosen.filters["window" if _DAY.fullmatch(words_said) else "query"] = words_said
            chosen.rest = chosen.rest[named.end() :]
    return chosen
