"""Clauses that only look: lists of posts, one post and what became of it, the connected accounts."""

import re

from agent.offline.aiming import around_time
from agent.offline.moments import TimePhrase, time_phrases
from agent.offline.networks import NETWORK, network_name
from agent.offline.reading import Reading, Step, act, ask
from agent.offline.references import is_plural, reference
from agent.offline.sentence import MARK, Sentence
from core.jsontypes import JsonValue

_LOOK = re.compile(
    r"(?:show|list|see|view|display|find|search|give|get|pull up|bring up|look up|look for|look at|tell|check"
    r"|read|open|preview|review|which|what|what'?s|whats|how many|how much|how|any|anything|do we|do i|have we|have i"
    r"|did we|did i|are there|is there|are any|who|where|when|have any|did any|did anything|has anything"
    r"|is anything|were there|was there|my|our|all|the|remind|calendar|agenda|drafts|upcoming|everything)\b",
    re.IGNORECASE,
)
_THINGS = re.compile(
    r"\b(?:posts|drafts|reels|carousels|ones|everything|anything|something|content|calendar|schedule|queue|agenda"
    r"|pipeline|lined up|coming up|up next|planned|scheduled|queued|going out|go out|went out|gone out|goes out"
    r"|fail(?:ed|ures?)?|posted|published|go(?:ne|es)? wrong|went wrong"
    r"|unfinished|missed|cancelled|canceled|post (?:last|this|yesterday|today|in|on)|publish (?:last|this"
    r"|yesterday|today)|what's next|what is next|unconfirmed|plan for|plans for|the plan|on for|got on|have on"
    r"|for the week|drafted|posting)\b",
    re.IGNORECASE,
)
# "The espresso post was cancelled last year" tells; it asks for no list.
_TELLS = re.compile(
    r"(?:the|my|our|all|everything)\b.*\b(?:was|were|has been|have been|got)\b"
    r"|(?:the|my|our)\b.*\b(?:post|draft|one|reel) (?:has |have |just )*failed\b",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"\b(?:posts|drafts|reels|carousels|ones|everything|calendar|schedule)\b", re.IGNORECASE)
_SAYS_PLANNED = re.compile(r"schedul|plan|queue|coming|going", re.IGNORECASE)
_NEXT_ONE = re.compile(r"when(?:'?s| is| are| does| do| will) (?:the|our|my) next (?:posts?|ones?)\b", re.IGNORECASE)
_STATUSES = (
    ("failed", r"fail\w*|go(?:ne|es)? wrong|went wrong|errors?|problems?|broken|didn't go out|did not go out|rejected"),
    ("missed", r"missed"),
    ("unconfirmed", r"unconfirmed|uncertain"),
    ("cancelled", r"cancell?ed|scrapped|deleted"),
    ("draft", r"drafts?|drafted|unfinished|not scheduled|unscheduled|work in progress"),
    ("publishing", r"being published|publishing(?! (?:this|next|tomorrow|on|today))|being posted"),
    (
        "scheduled",
        (
            r"scheduled?|planned|plans?|coming up|upcoming|up next|what's next|what is next|queued?|lined up"
            r"|going out|go out|goes out|calendar|agenda|on for|got on|have on|pipeline"
            r"|posting|(?:will|to) be (?:posted|published)|publishing"
        ),
    ),
    (
        "posted",
        (
            r"posted|published|went out|gone out|went live|gone live|been posted|(?:did|have) (?:we|i) (?:post"
            r"|publish|share)\w*|already live|are live|is live|live posts"
        ),
    ),
)
_STATUS = tuple((status, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for status, words in _STATUSES)
_QUERY = re.compile(
    r"\b(?:about|mentioning|mention|containing|contain|with the words?|talking about|on the topic of|regarding"
    r"|related to|that say|saying|matching)\s+(?:the |our |my |a )?(?P<words>.+)\Z",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\b(?:last|latest|first|next|newest|recent|top|most recent|past)\s+(\d{1,2}|two|three|four|five|six|seven"
    r"|eight|nine|ten)\b(?!\s*(?:days?|weeks?|hours?|months?))|\b(\d{1,2}) (?:latest|newest|most recent|next|last)\b",
    re.IGNORECASE,
)
_NUMBERS = {word: number for number, word in enumerate("two three four five six seven eight nine ten".split(), start=2)}
_ACCOUNT = re.compile(r"(?<![\w.])@([A-Za-z0-9_](?:[\w.-]{0,60}\w)?)")
_PLATFORM = re.compile(rf"\b({NETWORK})\b", re.IGNORECASE)

_ACCOUNTS = re.compile(
    r".*\b(?:accounts?|profiles?|pages?|channels?|networks?|handles?)\b.*\b(?:connected|linked|have|available"
    r"|set up|hooked up|there|working|manage|use|do|got|work|ok|fine|healthy|expired|are)\b.*"
    r"|(?:show|list|see|view|display|give|get|check|what|which|what'?s|my|our|all)\b(?: me)?(?: (?:all|the|my|our"
    r"|of|connected|linked|are|is|instagram|ig|insta|facebook|tiktok|bluesky|a list of))* (?:accounts?|connections"
    r"|handles?|networks?|profiles?)"
    r"|(?:is|are|am|have) (?:my |our |the |we |i |you )?(?:still )?(?:connected to |linked to |logged in to "
    r"|signed in to "
    r"|logged into |hooked up to )?(?:my |our |the )?(?:instagram|insta|ig|facebook|fb"
    r"|tiktok|bluesky)(?: account)?(?: (?:still |properly |already )?(?:connected|linked|working|set up|hooked up|ok"
    r"|logged in|there))?"
    r"|who (?:am i|are we|do (?:i|we)) (?:posting|post|publish|publishing|connected|logged in) (?:as|to|with)"
    r"|am i connected|are we connected|who(?:'s| is) connected|where (?:can|do|will) (?:i|we|you) post(?: to)?"
    r"|what(?:'s| is) connected|(?:what|which) (?:are|is) connected|connected accounts?|accounts?",
    re.IGNORECASE,
)

_POST_QUESTION = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            r"what(?:'?s| is| has| did)?\s*(?:happened|happen|happening|become|became|been happening|going on"
            r"|up)?\s*(?:to|with|of)\s+(?P<what>.+)"
        ),
        (
            r"(?:what(?:'?s| is)|tell me|check|get|show me|show|give me)\s+(?:the )?(?:current )?(?:status|state"
            r"|progress|outcome|result|time|date)\s+(?:of|on|for)\s+(?P<what>.+)"
        ),
        r"(?:status|state)(?: of| on| for)?\s+(?P<what>.+)",
        r"(?P<what>.+?)(?:'s)? status",
        (
            r"how(?:'?s| is| are| did| has| was)\s+(?P<what>.+?)\s*(?:doing|going|do|go|getting on|coming along"
            r"|been doing|performing|perform|look|looking)?"
        ),
        (
            r"(?:is|was|are|were)\s+(?P<what>.+? (?:post|draft|one|reel|carousel))\s+(?:already |yet |now |still )*"
            r"(?:live|up|out|online|there|scheduled|posted|published|sent|done|ready)(?:\s+(?:yet|already|now))*"
        ),
        (
            r"(?:did|has|have|was|is|does|were)\s+(?P<what>.+?)\s+(?:already |yet |been |actually |still |ever |get "
            r"|got |now )*(?:go|gone|going|went|publish|published|post|posted|scheduled|live|up|out|sent|fail|failed"
            r"|cancelled|ready|make it|done|there|ok|online)\b(?:\s+(?:to go )?(?:out|live|up|online"
            r"|through))?(?:\s+(?:yet|already|ok|okay|fine|now|successfully|properly))*"
        ),
        (
            r"(?:did|have|has) (?:you|we|i|it|they) (?:already |just |actually )?(?:publish|published|post|posted"
            r"|send|sent|schedule|scheduled|cancel|cancelled|move|moved|put out|share"
            r"|shared)\s+(?P<what>.+?)(?:\s+(?:yet|already|out))*"
        ),
        (
            r"when(?:'s| is| does| did| will| was| are| do| has)\s+(?P<what>.+?)\s+(?:be |been |being |supposed to "
            r"|set to |meant to |due to |get )*(?:go|going|goes|went|gone|scheduled|posted|published|planned|publish"
            r"|post|live|due|out|up)\b(?:\s+(?:to (?:go|be) )?(?:out|live|up|online|published|posted|for|again))*"
        ),
        (
            r"what time (?:is|does|did|will|was)\s+(?P<what>.+?)\s+(?:be |being )?(?:go|going|goes|scheduled|posted"
            r"|published|planned|publish|post|live|due|out|up)\b(?:\s+(?:out|live|up|for))*"
        ),
        (
            r"why (?:did|has|is|was|hasn't|didn't|isn't|wasn't|won't|does)\s+(?P<what>.+?)\s+(?:not |been |go |gone "
            r"|get )*(?:fail|failed|failing|posted|published|out|live|scheduled|cancelled|missed|up|work|post"
            r"|publish)\b(?:\s+(?:out|yet))*"
        ),
        r"where(?:'?s| is| did| has)\s+(?P<what>.+?)(?:\s+(?:now|go|gone|at))?",
        r"(?:what does|how does)\s+(?P<what>.+?)\s+(?:say|look like|look|read)(?:\s+(?:like|now|right now))*",
        (
            r"what(?:'?s| is| was)\s+(?:in\s+)?(?:the )?(?:caption|text|link|permalink|url|photo)\s*(?:of|for|to|on"
            r"|in)\s+(?P<what>.+)"
        ),
        (
            r"(?:read me|read out|read|show me|show|see|view|open|open up|preview|review|display|pull up|bring up"
            r"|look at|have a look at|find|check on|check|let me see|let me have a look at|see what's in|get me"
            r"|give me)\s+(?:me )?(?:the )?(?:(?:caption|text|details|preview|link|permalink)\s+(?:of|for"
            r"|on)\s+)?(?P<what>.+)"
        ),
        (
            r"(?:tell me|what|anything|any news|any update|any updates|update me|news|info"
            r"|details)\s*(?:more )?(?:about|on|of|from)\s+(?P<what>.+)"
        ),
        r"(?P<what>#?[A-Za-z0-9]{5})",
    )
)
_CAPTION_OF_IT = re.compile(
    r"(?:read me|show me|what'?s|what is|show|read|see)\s+(?:me )?(?:the|its) (?:caption|text|draft|preview|post"
    r"|copy)(?: (?:now|so far|again|say))?|what (?:do we|have we|did you) (?:have so far|got so far|write|written"
    r"|wrote|draft(?:ed)?|come up with)|preview|show|read (?:it|this|that)(?: out| aloud| back)?(?: to (?:me|us))?",
    re.IGNORECASE,
)
_LONGEST = 400


def read_accounts(clause: str) -> Reading:
    """Such as "which accounts are connected?", "is Instagram connected?"."""
    if len(clause) > _LONGEST or not _ACCOUNTS.fullmatch(clause):
        return Reading()
    platform = _PLATFORM.search(clause)
    name = network_name(platform[1]) if platform else None
    return act("list_accounts", platform=name.lower()) if name else act("list_accounts")


def read_list(clause: str, sentence: Sentence) -> Reading:
    """Such as "what's scheduled this week?", "show me the drafts", "any failed posts?"."""
    if len(clause) > _LONGEST or not _LOOK.match(clause):
        return Reading()
    if _NEXT_ONE.match(clause):
        return act("list_posts", status="scheduled")
    text = clause
    arguments: dict[str, JsonValue] = {}
    if (query := _QUERY.search(text)) is not None and not time_phrases(query["words"]):
        arguments["query"] = _plain(query["words"], sentence)
        text = text[: query.start()]
    window = _window(text)
    rest = f"{text[: window.start]} {text[window.end :]}" if window else text
    plans = window is not None and _asks_for_plans(rest)
    if not (_THINGS.search(text) or plans) or _asks_for_more(rest):
        return Reading()
    arguments |= _filters(rest, is_query="query" in arguments, plans=plans)
    if window is not None:
        arguments["window"] = window.words
    return Reading(steps=(Step(command="list_posts", arguments=arguments),))


def _asks_for_more(rest: str) -> bool:
    """Whether a clause asks about one post ("when is it going out"), or for advice, which is no list."""
    if re.match(r"(?:when|what time|where|why|who|how(?! many))\b", rest, re.IGNORECASE) and not _SEVERAL.search(rest):
        return True
    if _TELLS.match(rest) or re.match(r"did (?:i|we|you) (?:accept|approve)\b", rest, re.IGNORECASE):
        return True
    return re.search(r"\b(?:best|ideas?|should|why|how (?:do|can|to))\b", rest, re.IGNORECASE) is not None


def _filters(rest: str, *, is_query: bool, plans: bool) -> dict[str, JsonValue]:
    """What a list is narrowed to: status, network, account, number."""
    arguments: dict[str, JsonValue] = {}
    status = next((name for name, words in _STATUS if words.search(rest)), "scheduled" if plans else None)
    if status is not None and not (is_query and status == "scheduled" and not _SAYS_PLANNED.search(rest)):
        arguments["status"] = status
    if (platform := _PLATFORM.search(rest)) and (name := network_name(platform[1])):
        arguments["platform"] = name.lower()
    if (account := _ACCOUNT.search(rest)) is not None:
        arguments["account"] = f"@{account[1]}"
    if (limit := _limit(rest)) is not None:
        arguments["limit"] = limit
    return arguments


def _asks_for_plans(rest: str) -> bool:
    """Such as "what have we got for Friday?" means what is to go out then."""
    return (
        re.match(
            r"(?:what|what'?s|show(?: me)?|list|see|anything|is there anything|do (?:we|i) have|have (?:we|i) got"
            r"|are there)\b(?:'?s| is| do| have| we| i| got| there| anything| on| for| a| the| else| happening"
            r"| up)*[\s?]*\Z",
            rest.strip(),
            re.IGNORECASE,
        )
        is not None
    )


def _limit(text: str) -> int | None:
    found = _LIMIT.search(text)
    if found is None:
        return None
    said = (found[1] or found[2]).lower()
    return _NUMBERS.get(said) or int(said) if said in _NUMBERS or said.isdigit() else None


def _window(text: str) -> TimePhrase | None:
    found = time_phrases(text)
    return found[-1] if found else None


def _plain(words: str, sentence: Sentence) -> str:
    mark = sentence.mark(words.strip()) if re.fullmatch(MARK, words.strip()) else None
    return mark.words if mark else sentence.restored(words).strip(" ?.!,")


def read_show(clause: str, sentence: Sentence) -> Reading:
    """Such as "what happened to the espresso post?", "did it go out?", "when is it going out?", a code alone."""
    if len(clause) > _LONGEST:
        return Reading()
    if _CAPTION_OF_IT.fullmatch(clause):
        return act("show_post", post_id="it")
    half_understood = None
    for pattern in _POST_QUESTION:
        found = pattern.fullmatch(clause)
        if found is None or is_plural(found["what"]):
            continue
        timed = around_time(found["what"])
        target = reference(found["what"], sentence) or (reference(timed.what, sentence) if timed.phrase else None)
        if target is not None and target.sure:
            return act("show_post", post_id=target.words)
        if target is not None and re.match(r"(?:what|show|open|view|find|preview)\b", clause, re.IGNORECASE):
            half_understood = half_understood or target.words
    if half_understood is not None:
        step = Step(command="show_post", arguments={"post_id": half_understood})
        return ask(f"Do you mean the post “{half_understood}”?", "yes", step)
    return Reading()
