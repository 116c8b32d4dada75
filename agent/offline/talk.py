"""What is answered with words alone: greetings, thanks, help, who it is, and what it cannot do."""

import re

from agent.offline.moments import time_phrases
from agent.offline.networks import aimed_at, listed
from agent.offline.reading import Reading, Step, ask, say

CAN_DO = (
    "I can draft a post (“draft an Instagram post about our new espresso blend”, with a photo by link, upload or"
    " name), schedule it (“schedule it for Friday at 9am”), move it, cancel it, publish it now (a person says yes"
    " first), check whether what is planned will go out,"
    " change a draft's caption or photo, fit its photo, bring it to another network (“same for Facebook”), try"
    " a failed one again, take a live one down, plan a week, move or cancel many posts at once, undo, and show you"
    " drafts, the calendar, a post's fate, what happened lately and the connected accounts."
)
_WHO = (
    "I am the offline model: rules built into Studio that read commands in plain English, not a large language model."
)
_GREETING = re.compile(
    r"(?:hey+|hi+|hel+o+|hiya|heya|howdy|yo|good (?:morning|afternoon|evening|day)|morning|evening|hola|greetings)\b.*",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r".*\b(?:thanks|thank you|thx|ta|cheers|ty|much appreciated|appreciate it|merci|gracias)\b.*", re.IGNORECASE
)
_BYE = re.compile(
    r"(?:bye|goodbye|good ?night|see you|see ya|later|cya|that's all|that is all|that'?s it|i'm done|nothing else"
    r"|nothing|no more)(?: (?:then|for now|now|thanks|all|studio|mate|everyone|today|you|soon|tomorrow))*",
    re.IGNORECASE,
)
_PRAISE = re.compile(
    r"(?:ok(?:ay)?|great|perfect|nice|cool|lovely|awesome|brilliant|wonderful|excellent|fantastic|good(?: job"
    r"| work)?|well done|love it|looks? (?:good|great|nice)|sounds good|i like it|beautiful|amazing|super|fine"
    r"|sorry|haha|lol|wow|got it|understood|sweet|all good)(?:[\s,!.]+(?:ok|great|perfect|nice|cool|thanks|one"
    r"|work|job))*",
    re.IGNORECASE,
)
_YES_ALONE = re.compile(
    r"(?:yes|yeah|yep|yup|sure|go ahead|do it|go for it|ok do it|yes do it|yes please|please do|confirm(?:ed)?"
    r"|approved?|y|absolutely|of course|correct|right|that's right|exactly|make it so)\b",
    re.IGNORECASE,
)
_NO_ALONE = re.compile(
    r"(?:no|nope|nah|never ?mind|forget it|forget about it|leave it|leave it as it is|don't|do not|stop|not now"
    r"|not yet|n|no way|drop it|skip it|cancel that thought)\b",
    re.IGNORECASE,
)
_HOW_ARE_YOU = re.compile(
    r"(?:how are you|how's it going|how is it going|how are things|what's up|wassup|sup|how do you do|you ok"
    r"|are you (?:there|ok|awake))(?: (?:today|there|doing|studio|mate|buddy|then))*",
    re.IGNORECASE,
)
_WHO_ARE_YOU = re.compile(
    r".*\b(?:who|what) (?:are|r) you\b.*|.*\bare you (?:an? )?(?:ai|bot|robot|llm|human|person|real|gpt|chatgpt"
    r"|claude|gemini|language model|machine|computer|smart|chat gpt).*"
    r"|.*\b(?:what|which) (?:language )?(?:model|llm|ai)\b.*|.*\bwho (?:made|built|created) you\b.*"
    r"|.*\byour name\b.*|.*\b(?:chatgpt|gpt-?\d|openai|claude|gemini)\b.*",
    re.IGNORECASE,
)
_HELP = re.compile(
    r"(?:help|help me|help please|what can (?:you|i|we) (?:do|ask|say|tell you).*|what do you do"
    r"|what (?:else )?can i ask.*|how does (?:this|it) work|how do (?:i|you) use (?:this|it|you).*|commands"
    r"|options|menu|what are (?:my|the) options|what now|how do i start|how do i get started|getting started"
    r"|i need help|can you help(?: me)?|instructions|\?+|what are you able to do|what are your (?:skills|commands"
    r"|features).*)",
    re.IGNORECASE,
)
_HOW_TO = re.compile(
    r"(?:how (?:do|can|would|should|could) (?:i|we|you)|how to|what(?:'s| is) the (?:best )?way to"
    r"|is it possible to|can (?:i|we))\s+(?:also |still )?(?:draft|write|create|make|schedule|move|reschedule"
    r"|cancel|delete|publish|post|undo|edit|change|connect|upload|add|approve)\b.*",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"(?:please )?(?:don't|do not|never|not yet|hold off|hold on|stop|wait|no need to|you don't need to"
    r"|don't you dare|hold|pause)\b.*|.*\b(?:don't|do not|not) (?:publish|post|schedule|send|cancel|delete|move"
    r"|share|touch|change|do|forget)\b.*",
    re.IGNORECASE,
)
_WEIGHING = re.compile(
    r"(?:should (?:i|we|it|you)|shall (?:i|we)|what if|what would happen if|what happens if|what'?ll happen"
    r"|would it be (?:better|ok|good)|is it (?:ok|a good idea|better|too (?:late|early|soon))|do you think"
    r"|would you (?:recommend|suggest|publish|post)|suppose|if (?:i|we|you|it)|when should|what time should"
    r"|what should|which (?:one )?should|maybe (?:we|i) should|i wonder|are we allowed|might|i might|we might"
    r"|could we maybe|can't you|why (?:don't|not|can't|won't|should|do))\b.*",
    re.IGNORECASE,
)
_OTHER_WORK = re.compile(
    r".*\b(?:weather|joke|recipe|news|stocks?|football|score|translate|poem|song|directions|email|e-mail"
    r"|followers?|ads?|advert\w*|boost|dm|dms|comments?|repl(?:y|ies)|hashtags?|analytics|insights|metrics|stats"
    r"|statistics|likes|reach|competitors?|stor(?:y|ies)|invoice|order|book a table|menu prices?|website|logo"
    r"|draw|generate an? (?:image|photo|picture|video)|best time|plan (?:my|the|our) (?:week|month)|experiment"
    r"|a/b test)\b.*",
    re.IGNORECASE,
)
_POLITE_WORDS = frozenset("please thanks thank you thx cheers ok okay then very much so a lot now".split())
_YES_WORDS = _POLITE_WORDS | frozenset(
    "yes yeah yep yup sure go ahead do it that this for absolutely of course great perfect correct right confirm"
    " the one i am exactly good".split()
)
_NO_WORDS = _POLITE_WORDS | frozenset(
    "no nope nah never mind nevermind forget it leave as is don't do that not about just alone stop this way"
    " sorry".split()
)
_COURTESY_WORDS = 7  # longer ones say something else too
_CONNECT = re.compile(
    r"(?:connect|disconnect|link|unlink|reconnect|log ?in|log ?out|sign in|sign out)\b.*", re.IGNORECASE
)
_STATEMENT = re.compile(
    r"(?:i'm|i am|we're|we are|it's|it is|that's|that is|this is|sorry|haha|lol|i (?:like|love|hate|think|know"
    r"|see)|you(?:'re| are))\b.*",
    re.IGNORECASE,
)


def read_talk(clause: str, whole: str) -> Reading:
    """Small talk and questions about itself; ``whole`` still has the greeting that ``clause`` lost."""
    text = clause or whole.strip(" .!?,")
    if _WHO_ARE_YOU.fullmatch(text):
        return say(f"{_WHO} {CAN_DO}")
    if _HELP.fullmatch(text) or _HELP.fullmatch(whole.strip(" .!,")):
        return say(f"{CAN_DO} I am the offline model, so plain commands work best.")
    if _HOW_TO.fullmatch(text) or _HOW_TO.fullmatch(whole.strip(" .!?,")):
        return say(f"Just say it in plain words. {CAN_DO}")
    if _HOW_ARE_YOU.fullmatch(text):
        return say("All systems fine. What shall we post?", filler=True)
    if clause and not _is_courtesy(text) and not _BYE.fullmatch(whole.strip(" .!?,")):
        return Reading()
    return _courtesy(whole.strip(" .!?,"), clause)


def _is_courtesy(text: str) -> bool:
    short = len(text.split()) <= _COURTESY_WORDS
    return short and any(
        pattern.fullmatch(text) for pattern in (_GREETING, _BYE, _PRAISE, _YES_ALONE, _NO_ALONE, _THANKS)
    )


def _courtesy(text: str, clause: str) -> Reading:
    if _THANKS.fullmatch(text):
        return say("You're welcome.", filler=True)
    if _GREETING.fullmatch(text):
        return say(
            "Hello! What shall we post? You can say “draft an Instagram post about …” or “what's scheduled this"
            " week?”.",
            filler=True,
        )
    if is_yes(text) or is_yes(clause):
        return say(
            "Yes to what? I have no open question. Tell me what to do, for example “publish it now”.", filler=True
        )
    if is_no(text) or is_no(clause):
        return say("All right, I left everything as it is.", filler=True)
    if _BYE.fullmatch(text):
        return say("All right. What is scheduled goes out by itself.", filler=True)
    return say("Good. Tell me when there is something to draft, schedule or look up.", filler=True)


def is_yes(text: str) -> bool:
    """Whether the words are a yes and nothing else ("yep, go ahead please")."""
    return _all_words(text, _YES_WORDS, _YES_ALONE)


def is_no(text: str) -> bool:
    """Whether the words are a no and nothing else ("no thanks, leave it")."""
    return _all_words(text, _NO_WORDS, _NO_ALONE)


def _all_words(text: str, words: frozenset[str], phrase: re.Pattern[str]) -> bool:
    said = re.findall(r"[\w']+", text.lower())
    if not said or len(said) > _COURTESY_WORDS:
        return False
    lead = phrase.match(text.strip(" .!,"))
    rest = re.findall(r"[\w']+", text.strip(" .!,")[lead.end() :].lower()) if lead else said
    return lead is not None and all(word in words for word in rest)


def read_hesitation(whole: str, clause: str) -> Reading:
    """Words that look like a command and are none: "don't publish it", "should I …?", "what if …?"."""
    if re.fullmatch(r"(?:don't|do not) forget to\b.*", clause, re.IGNORECASE):
        return Reading()
    if _NOT.fullmatch(clause):
        return say("All right, I have done nothing. To take a scheduled post off the calendar, say “cancel it”.")
    text = whole.strip(" .!,")
    if _WEIGHING.fullmatch(clause) or _WEIGHING.fullmatch(text):
        return say(
            "That is yours to decide; I have done nothing. What shall I do: publish it, schedule it, or leave it"
            " as it is?"
        )
    return Reading()


def read_other_network(clause: str, networks: tuple[str, ...]) -> Reading:
    """A network that this installation cannot post to is named, with those it can."""
    aimed = aimed_at(clause)
    missing = tuple(name for name in aimed.names if name not in networks)
    if missing:
        return say(cannot_post_to(missing, networks))
    unknown = re.fullmatch(
        r"(?:post|publish|share|send|put|upload) .{1,40}? (?:to|on) (?:our |my |the )?([A-Z]\w{2,20})", clause
    )
    if (
        unknown is not None
        and unknown[1] not in networks
        and not time_phrases(unknown[1])
        and not re.search(r"\bnot\b", clause, re.IGNORECASE)
    ):
        return say(f"I don't know a network called {unknown[1]}. Networks here: {listed(networks)}.")
    return Reading()


def read_other_work(clause: str) -> Reading:
    """What Studio, or this model, cannot do: an honest word instead of a guess."""
    if _CONNECT.fullmatch(clause):
        return say(
            "I can't connect or disconnect accounts from here. I can show them: “which accounts are connected?”."
        )
    if re.search(r"\bdelete\b|\bcancel\b|\bremove\b", clause, re.IGNORECASE) is None and _OTHER_WORK.fullmatch(clause):
        return say(f"I can't do that: I am the offline model and know only Studio's posts. {CAN_DO}")
    return Reading()


def cannot_post_to(missing: tuple[str, ...], networks: tuple[str, ...]) -> str:
    """The sentence that says which networks there are."""
    return f"I can't post to {listed(missing)} here. Networks I can post to: {listed(networks)}."


def is_small_statement(clause: str) -> bool:
    """Whether a clause beside a command asks for nothing ("I'm in a hurry"), and changes nothing either."""
    conditional = re.search(
        r"\b(?:if|unless|until|only|not|never|don't|except|instead|after|before)\b", clause, re.IGNORECASE
    )
    return conditional is None and len(clause) <= 120 and _STATEMENT.fullmatch(clause) is not None  # noqa: PLR2004


def not_understood(clause: str, *steps: Step, described: str = "") -> Reading:
    """The question after words that meant nothing here; with a plan beside them, whether to carry that out."""
    short = clause if len(clause) <= 80 else f"{clause[:79].rstrip()}…"  # noqa: PLR2004 - a line
    if steps:
        return ask(f"I did not understand “{short}”, so I have done nothing yet. Shall I {described}?", "yes", *steps)
    return say(
        f"I did not understand “{short}”, so I did nothing. I am the offline model: plain commands work best, such as"
        " “draft a post about our new espresso blend”, “schedule it for Friday at 9am” or “show me the drafts”. “help”"
        " says what else I can do."
    )
