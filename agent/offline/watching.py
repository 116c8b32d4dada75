"""Clauses about what is to come and what has happened: "is everything ready for next week?", "what did I miss?"."""

import re

from agent.offline.moments import TimePhrase, time_phrases
from agent.offline.networks import NETWORK, network_name
from agent.offline.reading import Reading, act
from agent.offline.references import is_plural, reference
from agent.offline.sentence import Sentence
from core.jsontypes import JsonValue

_LONGEST = 200
_PAST = re.compile(r"\b(?:yesterday|last|ago|past|since)\b", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?:\s*\b(?:on|for)\s+)?(?<![\w.])@([A-Za-z0-9_](?:[\w.]{0,28}\w)?)")
_PLATFORM = re.compile(rf"(?P<lead>\b(?:on|for)\s+)?(?:(?:my|our|the)\s+)?\b(?P<name>{NETWORK})\b", re.IGNORECASE)

# What is planned, as a whole.
_PLANS = (
    r"(?:everything|it all|(?:all|all of|every one of)? ?(?:(?:the|my|our|these|those) )?(?:other )?"
    r"(?:planned |scheduled |upcoming |coming |next )?(?:posts|content|calendar|schedule|queue|pipeline|lineup))"
    r"(?: (?:that(?:'s| is| are) )?(?:planned|scheduled|coming up|lined up|on the calendar))?"
)
_FINE = (
    r"(?:(?:all|really|actually|still) )*(?:ready|set|ok(?:ay)?|fine|good|alright|all right|in order|in place"
    r"|sorted|prepared|healthy)(?: to go(?: out)?| to be (?:published|posted)| to (?:publish|post))?"
)
_GO_OUT = (
    r"(?:be able to )?(?:really |actually )?(?:go out|go live|go up|get (?:out|published)|be published|get posted"
    r"|be posted|work)(?: (?:ok(?:ay)?|fine|as planned|on time|as (?:it is|they are)|like (?:this|that)|properly))*"
)
_FAIL = r"(?:fail|go wrong|break|not go out|be refused|be rejected|get rejected|get refused|not work)"
_TROUBLE = r"(?:problems?|issues?|trouble|obstacles?|concerns?|mistakes?|errors?)"
_WRONG = r"(?:wrong|missing|broken|not ready|amiss|not ok|in the way)"
_SEE = r"(?:check|make sure|verify|see)(?: that| if| whether)"
_TO_FIX = (
    r"(?:that )?(?:to (?:fix|mend|sort out)|(?:i|we) (?:should|need to|have to|must|ought to) (?:fix|mend|sort out)"
    r"|that needs (?:fixing|mending|attention))"
)
_WILL_NOT = (
    r"(?:(?:won't|can't|cannot) go out|(?:are not|aren't) (?:yet )?(?:ready|ok|fine)"
    rf"|(?:would|will|could|might) {_FAIL})"
)

_CHECKS_ALL = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:is|are|will) {_PLANS}(?: be)? {_FINE}",
        rf"(?:will|can|would) {_PLANS} {_GO_OUT}",
        rf"{_SEE}? {_PLANS} (?:(?:is|are) {_FINE}|(?:will|can) {_GO_OUT})",
        rf"(?:check|double-check|go over|verify|look over) {_PLANS}(?: for (?:any )?{_TROUBLE})?",
        r"(?:(?:do|run|make|start|give me) )?(?:a |the |another )?pre-?flight(?: check)?(?: (?:of|on|for) .{0,30})?",
        rf"(?:is|are|will) there (?:be )?(?:anything|something|any) (?:{_WRONG}|{_TROUBLE}) (?:with|in) {_PLANS}",
        rf"(?:is |do we have |do i have )?(?:anything|something|any) (?:{_WRONG}|{_TROUBLE}) (?:with|in) {_PLANS}",
        rf"(?:are there |is there |do we have |will there be )?any {_TROUBLE} (?:ahead|coming up|to expect|waiting)",
        rf"what (?:would|will|could|might|is going to|is about to) {_FAIL}",
        rf"(?:will|would|could|might|is) anything (?:going to )?{_FAIL}",
        rf"what(?:'?s| is) {_WRONG} (?:with|in) {_PLANS}",
        r"what(?:'?s| is| stands) in the way(?: of .{0,30})?",
        rf"(?:is )?everything (?:is )?{_FINE}(?: (?:with|on|for) {_PLANS})?",
        rf"(?:do|does) (?:any of )?{_PLANS} have (?:any )?{_TROUBLE}",
        r"(?:does anything|do any posts|what|which posts) needs? (?:fixing|mending|attention|my attention)",
        rf"(?:is there |do we have )?(?:anything|something|any posts) {_TO_FIX}",
        r"what (?:do|should|must) (?:i|we) (?:need to |have to )?(?:fix|mend|sort out)",
        rf"(?:which|what) posts {_WILL_NOT}",
        rf"are there (?:any )?posts that {_WILL_NOT}",
    )
)
# These ask about what is planned only together with a time that is to come.
_CHECKS_A_TIME = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:are|will) (?:we|i|things|all)(?: be)? {_FINE}",
        rf"am i {_FINE}",
        rf"(?:is there |is )?(?:anything|something) {_WRONG}",
        rf"what(?:'?s| is) (?:still )?{_WRONG}",
        rf"(?:are there |do we have |will there be |do you see )?any {_TROUBLE}",
        r"check",
        rf"(?:{_SEE} )?(?:is |are )?(?:all |everything )?{_FINE}",
        rf"(?:is|are) {_PLANS}",  # "… ok?": the end is politeness elsewhere
    )
)
_READY = (
    r"(?:good to go|(?:ready|set|ok(?:ay)?|fine|safe) to (?:go(?: out| live)?|be (?:published|posted)|publish|post))"
)
_CHECKS_ONE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:is|are) (?P<what>.+?) (?:all |really |now )*{_READY}",
        rf"(?:will|would|can) (?P<what>.+?) {_GO_OUT}",
        r"(?:will|would|could|might) (?P<what>.+?) (?:fail|be refused|be rejected|get rejected)",
        rf"(?:is |is there |are there )?(?:anything|something|any) (?:{_WRONG}|{_TROUBLE}) with (?P<what>.+)",
        rf"{_SEE} (?P<what>.+?) (?:is (?:{_READY}|ready|fine|ok)|(?:will|can) {_GO_OUT})",
        rf"check (?P<what>.+?) for (?:any )?{_TROUBLE}",
        rf"does (?P<what>.+?) have (?:any )?{_TROUBLE}",
    )
)

_NEWS = re.compile(
    r"(?:so )?(?:what(?:'?s| is| has)?(?: been)? (?:happened|happening|new|going on|changed)"
    r"|what did happen|(?:did|has) anything (?:happen|happened|new)|anything (?:new|happened|to report)"
    r"|(?:is there )?any(?:thing)? (?:news|updates?)|(?:any )?news|(?:tell me|show me) what(?:'?s| has| is)?"
    r" (?:happened|new)|(?:give me )?(?:an |the )?(?:update|updates))",
    re.IGNORECASE,
)
_MISSED = re.compile(
    r"(?:what (?:did|have) (?:i|we) (?:miss|missed)|(?:did|have) (?:i|we) (?:miss|missed) (?:anything|something)"
    r"|(?:what|did anything) happen(?:ed)?|catch me up|fill me in|bring me up to date)"
    r"(?P<away> while (?:i|we) (?:was|were) (?:away|out|offline|gone|asleep))?",
    re.IGNORECASE,
)
_NOTIFICATIONS = re.compile(
    r"(?:(?:show|list|see|read|give|get|open|check|any|are there|do i have|do we have|have i got|what are|what)"
    r" )*(?:me )?(?:any |the |my |our |all )*(?P<unread>new |unread )?(?:notifications?|alerts?)"
    r"(?: (?:are there|do i have|i have|there are|have i got))?",
    re.IGNORECASE,
)
_BECAME = (
    (("published",), r"published|posted|gone (?:out|live|up)|went (?:out|live|up)|go (?:out|live)"),
    (("failed", "missed", "unconfirmed"), r"wrong|problems?|errors?|issues?|trouble"),
    (("failed",), r"fail(?:ed|ures?)?|rejected|refused"),
    (("missed",), r"missed"),
)
_OUTCOME = re.compile(
    r"(?:what(?:'?s| has| have| was| did| were)?|which (?:posts|ones)|anything|did anything|did any (?:posts|post)"
    r"|has anything|have any (?:posts|post)|any(?: posts)?|show me what(?:'?s| has)?|list what(?:'?s| has)?|were there"
    r" any|(?:show me )?(?:all |the )?posts that)"
    r"(?: been| gone| went| go| has| have| got)*(?P<what> [a-z]+(?: [a-z]+)?)",
    re.IGNORECASE,
)


def read_check(clause: str, sentence: Sentence) -> Reading:
    """Such as "is everything ready for next week?", "anything wrong with Friday's posts?", "will it go out?"."""
    if len(clause) > _LONGEST:
        return Reading()
    arguments: dict[str, JsonValue] = {}
    rest, window = _without_window(clause)
    if (account := _ACCOUNT.search(rest)) is not None:
        arguments["account"] = f"@{account[1]}"
        rest = _cut(rest, account.start(), account.end())
    whole = rest
    if (platform := _PLATFORM.search(rest)) and (name := network_name(platform["name"])):
        arguments["platform"] = name.lower()
        rest = _cut(rest, platform.start(), platform.end())
    if window is not None and _PAST.search(window.words):
        return Reading()
    if window is not None:
        arguments["window"] = window.words.removesuffix("'s")
    wanted = (*_CHECKS_ALL, *(_CHECKS_A_TIME if window is not None else ()))
    if any(pattern.fullmatch(rest) for pattern in wanted):
        return act("check_posts", **arguments)
    return _read_one(whole, sentence) if window is None else Reading()


def _read_one(clause: str, sentence: Sentence) -> Reading:
    for pattern in _CHECKS_ONE:
        found = pattern.fullmatch(clause)
        if found is None or is_plural(found["what"]):
            continue
        target = reference(found["what"], sentence)
        if target is not None and target.sure:
            return act("check_posts", post_id=target.words)
    return Reading()


def _without_window(clause: str) -> tuple[str, TimePhrase | None]:
    found = time_phrases(clause)
    if len(found) != 1:
        return clause, None
    return _cut(clause, found[0].start, found[0].end), found[0]


def _cut(text: str, start: int, end: int) -> str:
    return " ".join(f"{text[:start]} {text[end:]}".split()).strip(" ,")


def read_news(clause: str) -> Reading:
    """Such as "what happened since yesterday?", "what did I miss?", "any unread notifications?"."""
    if len(clause) > _LONGEST:
        return Reading()
    rest, window = _without_window(clause)
    has_since = rest.lower().endswith(" since")
    rest = rest[: -len(" since")].rstrip() if has_since else rest
    since = {} if window is None else {"since": window.words.removesuffix("'s")}
    if (found := _NOTIFICATIONS.fullmatch(rest)) is not None:
        return act("list_notifications", **since, **({"unread": True} if found["unread"] else {}))
    if window is not None and not has_since and not _PAST.search(window.words) and not _is_under_way(window.words):
        return Reading()  # "what's happening next week?" asks for what is planned
    if _NEWS.fullmatch(rest):
        return act("list_notifications", **since)
    if (found := _MISSED.fullmatch(rest)) is not None:
        is_unread = window is None and not rest.lower().startswith("what happen")
        return act("list_notifications", **since, **({"unread": True} if is_unread or found["away"] else {}))
    return _read_outcomes(rest, since) if has_since else Reading()


def _is_under_way(words: str) -> bool:
    return re.fullmatch(r"(?:today|this (?:morning|week|month|afternoon|weekend))", words, re.IGNORECASE) is not None


def _read_outcomes(rest: str, since: dict[str, str]) -> Reading:
    """What came to one kind of end since then: "anything failed since Monday?"."""
    found = _OUTCOME.fullmatch(rest)
    if found is None:
        return Reading()
    for kinds, words in _BECAME:
        if re.search(rf"\b(?:{words})\b", rest, re.IGNORECASE):
            return act("list_notifications", kind=list(kinds), **since)
    return Reading()
