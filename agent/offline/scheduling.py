"""Clauses that put a post on the calendar or move it there."""

import re

from agent.offline.aiming import FOR_EXAMPLE, PLACE, around_time, at_time, on_post, target_of, trimmed
from agent.offline.publishing import NOW
from agent.offline.reading import Reading, Step, ask
from agent.offline.references import reference
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
_SOME_TIME = re.compile(r"\s*(?P<what>it|this|that|.{1,70}?(?= for ))\s+(?P<time>\S.{0,80})\Z", re.IGNORECASE)


def read_schedule(clause: str, sentence: Sentence) -> Reading:
    """Such as "schedule it for Friday at 9am", "post it tomorrow", "it should go out on Sunday at 11"."""
    if (verb := _SCHEDULE.match(clause)) is not None:
        timed = around_time(clause, verb.end())
        if verb.group().lower() == "plan" and timed.phrase is not None and not trimmed(timed.what):
            return Reading()  # "plan the next two weeks" is about more than the post spoken of
        if timed.phrase is None:
            return _without_time("schedule_post", timed.what, sentence, "schedule")
        return at_time("schedule_post", timed.what, timed.phrase, sentence, "schedule")
    if NOW.search(clause):
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
        on_calendar = PLACE.search(timed.what) is not None
        return at_time("schedule_post", timed.what, None, sentence, "schedule") if on_calendar else Reading()
    if re.search(r"\bgo(?:es)?(?: out| live| up)?\s*\Z", timed.what, re.IGNORECASE):
        return Reading()  # "have the espresso post go live on Monday" names what goes
    if timed.phrase.is_shift or not trimmed(timed.what) or target_of(timed.what, sentence) is None:
        return Reading()
    return at_time("schedule_post", timed.what, timed.phrase, sentence, "schedule")


def _read_goes_out(clause: str, sentence: Sentence) -> Reading:
    """Such as "it should go out on Sunday at 11"."""
    goes = _HAVE_SENT.match(clause) or _GOES_OUT.match(clause)
    if goes is None or _ASKS.match(clause):
        return Reading()
    timed = around_time(clause, goes.end())
    target = reference(goes["what"], sentence)
    if timed.phrase is None or trimmed(timed.what) or target is None or not target.sure:
        return Reading()
    return at_time("schedule_post", goes["what"], timed.phrase, sentence, "schedule")


def _without_time(command: str, words: str, sentence: Sentence, verb: str) -> Reading:
    """No time, or none that is understood: the part after "for" is then named in the question."""
    if target_of(words, sentence) is None and (split := _SOME_TIME.match(words)) and target_of(split["what"], sentence):
        aimed = on_post(Step(command=command), split["what"], sentence, verb)
        if aimed.steps:
            said = sentence.restored(split["time"]).strip()
            return ask(
                f"I did not understand the time “{said}”. When shall it go out? {FOR_EXAMPLE}", "when", *aimed.steps
            )
    return at_time(command, words, None, sentence, verb)


def read_move(clause: str, sentence: Sentence) -> Reading:
    """Such as "move it to Saturday 18:30", "push it back by a day", "make it an hour later", "10am instead"."""
    if (retime := _RETIME.match(clause)) is not None:
        timed = around_time(clause, retime.end())
        if timed.phrase is not None:
            return at_time("move_post", f"{retime['what'] or ''} {timed.what}", timed.phrase, sentence, "move")
        if (hour := _BARE_HOUR.fullmatch(timed.what)) is not None:
            # "at 11" is a time, a bare "11" any number.
            when = Step(command="move_post", arguments={"when": f"at {hour[1]}"})
            return on_post(when, retime["what"] or "it", sentence, "move")
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
    return Reading() if trimmed(timed.what) else at_time("move_post", needs["what"], timed.phrase, sentence, "move")


def _read_become(clause: str, sentence: Sentence) -> Reading:
    """Such as "make it 10am", "change it to Saturday", "Saturday would be better"."""
    text = _BETTER.sub("", clause)
    compares = text != clause
    become = _BECOME.match(text)
    if become and become["what"] and (hour := _NEW_HOUR.fullmatch(text, become.end())) is not None:
        return on_post(Step(command="move_post", arguments={"when": f"at {hour[1]}"}), become["what"], sentence, "move")
    timed = around_time(text, become.end() if become else 0)
    if timed.phrase is None or trimmed(timed.what) or (become is None and not compares):
        return Reading()
    what = become["what"] if become else None
    changes = clause.lower().startswith(("make", "do", "go", "change", "set", "switch"))
    if what is None and not (compares or timed.phrase.is_shift or changes):
        return Reading()
    return at_time("move_post", what or "it", timed.phrase, sentence, "move")


def _moved(clause: str, verb: re.Match[str], sentence: Sentence) -> Reading:
    timed = around_time(clause, verb.end())
    if timed.phrase is None:
        return _without_time("move_post", timed.what, sentence, "move")
    return at_time("move_post", timed.what, timed.phrase, sentence, "move")
