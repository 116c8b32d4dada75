"""Clauses that put a post on the calendar, move it, take it off, send it out at once or take the last act back."""

import re
from dataclasses import dataclass

from agent.offline.moments import TimePhrase, time_phrases
from agent.offline.reading import Reading, Step, act, ask, say
from agent.offline.references import Reference, is_plural, reference
from agent.offline.sentence import Sentence

_SCHEDULE = re.compile(r"(?:schedule|queue up|queue|book|slot|line up|plan|time|pencil in|pencil)\b", re.IGNORECASE)
_SEND_LATER = re.compile(
    r"(?:put up|put out|put|set up|set|get|have|send out|send|share|post|publish|release|launch|drop|do|run"
    r"|push out|push live|push|go live with|let|upload|pop|stick)\b",
    re.IGNORECASE,
)
_HAVE_SENT = re.compile(
    r"(?:have|get) (?P<what>.{1,70}?) (?:posted|published|scheduled|sent)(?: out)?\b", re.IGNORECASE
)
_GOES_OUT = re.compile(
    r"(?:(?:can|could|may|let|have|make|get|i want|i'd like|i would like|we want|i need|we need|want"
    r"|need)\s+)?(?P<what>.{1,70}?)\s+(?:to\s+)?(?:should |can |could |must |has to |needs to |will |shall )*"
    r"(?:go|goes|going|be posted|be published|be scheduled|be sent)\b(?:\s+(?:out|live|up|online))?(?=\s)",
    re.IGNORECASE,
)
_ASKS = re.compile(r"(?:when|what|which|who|why|how|should|did|does|is|will)\b", re.IGNORECASE)
_MOVE = re.compile(
    r"(?:move|reschedule|re-schedule|shift|push|bump|bring|pull|delay|postpone|put off|put back|put forward)\b",
    re.IGNORECASE,
)
_RETIME = re.compile(
    r"(?:change|set|update|switch|make|adjust|have|do|fix)\s+(?:(?:the|its|that|their)\s+)?(?:(?:publish(?:ing)?"
    r"|post(?:ing)?|scheduled?)\s+)?(?:time|date|day|slot|schedule)\b(?:\s+(?:of|for"
    r"|on)\s+(?P<what>.{1,60}?))?(?=\s+(?:to|for|at|on|by)\b)",
    re.IGNORECASE,
)
_BECOME = re.compile(
    r"(?:make|change|switch|set|turn|do|go (?:with|for)|try|pick|take|use)\s+(?:(?P<what>it|this|that"
    r"|the .{1,40}? (?:post|draft|one)|(?-i:[A-Z0-9]{5}))\s+)?(?:to\s+)?",
    re.IGNORECASE,
)
_NEEDS_TO = re.compile(
    r"(?P<what>.{2,70}?) (?:needs to|has to|should|must|ought to|is to) (?:be moved|be pushed|be rescheduled|move"
    r"|shift)\b",
    re.IGNORECASE,
)
_BARE_HOUR = re.compile(r"\s*(?:to|for) (\d{1,2})(?: o'?clock)?", re.IGNORECASE)
_NEW_HOUR = re.compile(r"\s*(\d{1,2}(?:[:.]\d{2})?)(?: o'?clock)?\s*", re.IGNORECASE)
_SET_FOR = re.compile(r"set \S+ for\b", re.IGNORECASE)
_BETTER = re.compile(
    r"\s*(?:instead|is better|works better|would be better|suits better|suits us better|is fine instead|rather)\Z",
    re.IGNORECASE,
)
_VAGUE_SHIFT = re.compile(
    r"(?:(?:make|do|have|push|move|bring) (?:it|that|this) )?(?:a (?:bit|little) |much |somewhat "
    r"|slightly )?(earlier|later)(?: than that)?",
    re.IGNORECASE,
)
_CANCEL = re.compile(
    r"(?:cancel|scrap|delete|remove|kill|bin|trash|discard|ditch|axe|call off|unschedule|un-schedule|get rid of"
    r"|dump|withdraw|abandon|throw away|throw out|forget about|erase)\b",
    re.IGNORECASE,
)
_TAKE_OFF = re.compile(
    r"(?:take|pull|drop|get|remove|throw)\s+(?P<what>.{1,70}?)\s+(?:off|down|away|out of|from)(?:\s+(?:the|my"
    r"|our) (?:calendar|schedule|queue|plan|list))?\Z",
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"\b(?:photos?|pictures?|images?|captions?|hashtags?|emojis?|links?|text|accounts?|alt text|music|sound)\Z",
    re.IGNORECASE,
)
_PUBLISH = re.compile(
    r"(?:publish|post|send out|send|share|release|launch|ship|upload|go live with|push live|push out|put out"
    r"|put live|put up|push|put|get|make|take)\b",
    re.IGNORECASE,
)
_NEEDS_LIVE = re.compile(r"(?:push|put|get|make|take|send)\b", re.IGNORECASE)
_LIVE = re.compile(r"\b(?:live|out there|out|up|online)\b", re.IGNORECASE)
_NOW = re.compile(
    r"[\s,]*\b(?:right now|now|immediately|right away|straight ?away|at once|instantly|asap|as soon as possible"
    r"|this (?:very )?(?:minute|second|instant|moment)|without delay|already)\b",
    re.IGNORECASE,
)
_UNDO = re.compile(
    r"(?:undo|revert|roll ?back|reverse)(?: (?:it|that|this|all of that|all that|please|everything you just did"
    r"|(?:the |my |your )?(?:last|latest|previous) (?:thing|change|action|step|one|edit|move|command)s?"
    r"|what you (?:just )?did|(?:the |that )(?:change|cancellation|cancel|move|edit|scheduling|reschedule|deletion)))?"
    r"|take (?:that|it|this) back|roll (?:that|it|this) back|go back|bring it back|restore it"
    r"|put it back(?: (?:how|as|the way"
    r"|like) it was)?|ctrl[ +-]?z|undo undo",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\s*\b(?:on|in|to|into|onto) (?:the|my|our) (?:calendar|schedule|queue|plan|agenda|feed)\b", re.IGNORECASE
)
_PARTICLES = re.compile(
    r"\A(?:up|out|live|in|back|forward|over)\b\s*|\s*\b(?:up|out|live|in|back|forwards?|over|instead|online|there"
    r"|sharp|rather|for|to|at|on|by)\Z",
    re.IGNORECASE,
)
_SOME_TIME = re.compile(r"\s*(?P<what>it|this|that|.{1,70}?(?= for ))\s+(?P<time>\S.{0,80})\Z", re.IGNORECASE)
_PHRASES_TRIED = 4
_FOR_EXAMPLE = "For example “Friday at 9am”."
_ONE_AT_A_TIME = (
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
        if not _trimmed(after):
            return Timed(what=_without_old_time(before), phrase=phrase)
        if not _trimmed(before):
            return Timed(what=after, phrase=phrase)
    return Timed(what=text[begin:], phrase=None)


def _without_old_time(words: str) -> str:
    """Such as "it from Friday" in "move it from Friday to Saturday": the old time is no part of the name."""
    old = next((phrase for phrase in time_phrases(words) if phrase.preposition.startswith("from")), None)
    return words[: old.start] if old is not None and not words[old.end :].strip(" ,.") else words


def _trimmed(words: str) -> str:
    """What names a post, without "on the calendar", "out", "live" and the like around it."""
    text = _PLACE.sub("", words).strip(" ,.:!?")
    while (shorter := _PARTICLES.sub("", text).strip(" ,.:!?")) != text:
        text = shorter
    return text


def _target(words: str, sentence: Sentence) -> Reference | None:
    """The post these words name; none at all means the one being spoken of."""
    text = _trimmed(words)
    return reference(text, sentence) if text else Reference(words="it")


def _aim(step: Step, words: str, sentence: Sentence, verb: str) -> Reading:
    """The step on the post that is named, or the question which one is meant."""
    target = _target(words, sentence)
    if target is None:
        text = (
            _ONE_AT_A_TIME
            if is_plural(_trimmed(words))
            else f"Which post shall I {verb}? A code such as K7RMD or a few of its words will do."
        )
        return ask(text, "post", step)
    aimed = Step(command=step.command, arguments={"post_id": target.words, **step.arguments})
    if not target.sure:
        return ask(f"Shall I {verb} the post “{target.words}”?", "yes", aimed)
    return Reading(steps=(aimed,))


def _timed(command: str, words: str, phrase: TimePhrase | None, sentence: Sentence, verb: str) -> Reading:
    if phrase is None:
        aimed = _aim(Step(command=command), words, sentence, verb)
        if not aimed.steps:
            return aimed
        return ask(f"When shall I {verb} it? {_FOR_EXAMPLE}", "when", *aimed.steps)
    return _aim(Step(command=command, arguments={"when": phrase.words}), words, sentence, verb)


def read_undo(clause: str) -> Reading:
    """Such as "undo that", "take it back"."""
    if _UNDO.fullmatch(clause):
        return act("undo")
    if re.match(r"(?:undo|revert)\b", clause, re.IGNORECASE):
        return ask("I can take back what was done last. Shall I undo that?", "yes", Step(command="undo"))
    return Reading()


def read_schedule(clause: str, sentence: Sentence) -> Reading:
    """Such as "schedule it for Friday at 9am", "post it tomorrow", "it should go out on Sunday at 11"."""
    if (verb := _SCHEDULE.match(clause)) is not None:
        timed = around_time(clause, verb.end())
        if timed.phrase is None:
            return _without_time("schedule_post", timed.what, sentence, "schedule")
        return _timed("schedule_post", timed.what, timed.phrase, sentence, "schedule")
    if _NOW.search(clause):
        return Reading()
    sent = _read_sent_later(clause, sentence)
    return sent if sent.understood else _read_goes_out(clause, sentence)


def _read_sent_later(clause: str, sentence: Sentence) -> Reading:
    """Such as "post it tomorrow at 9": a verb of sending with a time, or "on the calendar"."""
    verb = _SEND_LATER.match(clause)
    if verb is None:
        return Reading()
    timed = around_time(clause, verb.end())
    if timed.phrase is None:
        on_calendar = _PLACE.search(timed.what) is not None
        return _timed("schedule_post", timed.what, None, sentence, "schedule") if on_calendar else Reading()
    if timed.phrase.is_shift or not _trimmed(timed.what) or _target(timed.what, sentence) is None:
        return Reading()
    return _timed("schedule_post", timed.what, timed.phrase, sentence, "schedule")


def _read_goes_out(clause: str, sentence: Sentence) -> Reading:
    """Such as "it should go out on Sunday at 11"."""
    goes = _HAVE_SENT.match(clause) or _GOES_OUT.match(clause)
    if goes is None or _ASKS.match(clause):
        return Reading()
    timed = around_time(clause, goes.end())
    target = reference(goes["what"], sentence)
    if timed.phrase is None or _trimmed(timed.what) or target is None or not target.sure:
        return Reading()
    return _timed("schedule_post", goes["what"], timed.phrase, sentence, "schedule")


def _without_time(command: str, words: str, sentence: Sentence, verb: str) -> Reading:
    """No time, or none that is understood: the part after "for" is then named in the question."""
    if _target(words, sentence) is None and (split := _SOME_TIME.match(words)) and _target(split["what"], sentence):
        aimed = _aim(Step(command=command), split["what"], sentence, verb)
        if aimed.steps:
            said = sentence.restored(split["time"]).strip()
            return ask(
                f"I did not understand the time “{said}”. When shall it go out? {_FOR_EXAMPLE}", "when", *aimed.steps
            )
    return _timed(command, words, None, sentence, verb)


def read_move(clause: str, sentence: Sentence) -> Reading:
    """Such as "move it to Saturday 18:30", "push it back by a day", "make it an hour later", "10am instead"."""
    if (retime := _RETIME.match(clause)) is not None:
        timed = around_time(clause, retime.end())
        if timed.phrase is not None:
            return _timed("move_post", f"{retime['what'] or ''} {timed.what}", timed.phrase, sentence, "move")
        if (hour := _BARE_HOUR.fullmatch(timed.what)) is not None:
            # "at 11" is a time, a bare "11" any number.
            when = Step(command="move_post", arguments={"when": f"at {hour[1]}"})
            return _aim(when, retime["what"] or "it", sentence, "move")
    if (verb := _MOVE.match(clause)) is not None and not re.search(r"\b(?:live|online)\b", clause, re.IGNORECASE):
        return _moved(clause, verb, sentence)
    if (vaguely := _VAGUE_SHIFT.fullmatch(clause)) is not None:
        step = Step(command="move_post", arguments={"post_id": "it"})
        return ask(f"How much {vaguely[1].lower()}? For example “an hour {vaguely[1].lower()}”.", "when", step)
    if _SET_FOR.match(clause):
        return Reading()
    become = _read_become(clause, sentence)
    return become if become.understood else _read_needs_to(clause, sentence)


def _read_needs_to(clause: str, sentence: Sentence) -> Reading:
    """Such as "the hiring post has to move to Thursday at 4"."""
    needs = _NEEDS_TO.match(clause)
    target = reference(needs["what"], sentence) if needs else None
    if needs is None or target is None or not target.sure:
        return Reading()
    timed = around_time(clause, needs.end())
    return Reading() if _trimmed(timed.what) else _timed("move_post", needs["what"], timed.phrase, sentence, "move")


def _read_become(clause: str, sentence: Sentence) -> Reading:
    """Such as "make it 10am", "change it to Saturday", "Saturday would be better"."""
    text = _BETTER.sub("", clause)
    compares = text != clause
    become = _BECOME.match(text)
    if become and become["what"] and (hour := _NEW_HOUR.fullmatch(text, become.end())) is not None:
        return _aim(Step(command="move_post", arguments={"when": f"at {hour[1]}"}), become["what"], sentence, "move")
    timed = around_time(text, become.end() if become else 0)
    if timed.phrase is None or _trimmed(timed.what) or (become is None and not compares):
        return Reading()
    what = become["what"] if become else None
    changes = clause.lower().startswith(("make", "do", "go", "change", "set", "switch"))
    if what is None and not (compares or timed.phrase.is_shift or changes):
        return Reading()
    return _timed("move_post", what or "it", timed.phrase, sentence, "move")


def _moved(clause: str, verb: re.Match[str], sentence: Sentence) -> Reading:
    timed = around_time(clause, verb.end())
    if timed.phrase is None:
        return _without_time("move_post", timed.what, sentence, "move")
    return _timed("move_post", timed.what, timed.phrase, sentence, "move")


def read_cancel(clause: str, sentence: Sentence) -> Reading:
    """Such as "cancel it", "scrap the brunch post", "take K7RMD off the calendar"."""
    off = _TAKE_OFF.fullmatch(clause)
    verb = _CANCEL.match(clause)
    if off is None and verb is None:
        return Reading()
    words = off["what"] if off else clause[verb.end() :] if verb else ""
    if not _trimmed(words) and off is None:
        return ask(
            "Which post shall I cancel? A code such as K7RMD or a few of its words will do.",
            "post",
            Step(command="cancel_post"),
        )
    if re.search(r"\baccounts?\Z", words, re.IGNORECASE):
        return say("I can't delete accounts. I can cancel a post, for example “cancel the espresso post”.")
    if _PARTS.search(_PLACE.sub("", words).strip()):
        return say(
            "I can't remove a part of a post. I can change a draft's caption or photo, or cancel the whole post."
        )
    return _aim(Step(command="cancel_post"), words, sentence, "cancel")


def read_publish(clause: str, sentence: Sentence) -> Reading:
    """Such as "publish it now", "put it live": the runtime asks a person before it happens."""
    text = _NOW.sub("", clause).strip(" ,.!")
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
    target = _target(words, sentence)
    if not _trimmed(words) or (
        target is None and verb.group().lower() not in {"publish", "release"} and not is_plural(_trimmed(words))
    ):
        return Reading()
    return _aim(Step(command="publish_post"), words, sentence, "publish")
