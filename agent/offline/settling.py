"""Clauses about posts that did not get through: try again, or say what became of one whose outcome is unknown."""

import re

from agent.offline.reading import Reading, Step, act, ask
from agent.offline.references import reference
from agent.offline.sentence import Sentence
from agent.offline.surroundings import Surroundings
from core.jsontypes import JsonValue

_AGAIN = re.compile(r"\b(?:again|once more|one more time|another (?:go|try|shot|chance)|anew)\b", re.IGNORECASE)
_WHAT = r"(?P<what>.{1,70}?)"
_RETRY = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:re-?try|re-?attempt)(?: (?:publishing|posting|sending|with))? {_WHAT}(?: again| once more)?",
        rf"(?:give|have) {_WHAT} (?:another|one more) (?:go|try|shot|chance)",
        rf"have another (?:go|try) (?:at|with) {_WHAT}",
        rf"try (?:(?:to )?(?:publish|post|send|publishing|posting|sending) )?{_WHAT} (?:again|once more|one more time)",
        rf"try again (?:with|on) {_WHAT}",
        rf"(?:send|post|publish) {_WHAT} (?:again|once more|one more time)",
    )
)
_TRY = re.compile(
    r"try(?: (?:(?:to )?(?:publish|post|send|publishing|posting|sending) )?(?P<what>.{1,70}))?", re.IGNORECASE
)
_RESEND = re.compile(rf"(?:re-?)?(?:send|post|publish) {_WHAT}", re.IGNORECASE)
_FAILED = re.compile(
    rf"{_WHAT} (?:has |just |had |have )*(?:failed|didn't work|did not work|broke|bounced|missed its slot)"
    r"(?: to (?:publish|post|send))?\s*(?:,|;|-|\.|!| and| so)+\s*"
    r"(?:so |please |can you |could you |would you |now |and |then |just )*(?:re-?try|try|give|post|publish|send)"
    r"(?: it| that| this)?(?: again| once more| another (?:go|try|shot))?(?:,? please)?[\s.!?]*",
    re.IGNORECASE,
)
_ID = r"(?: (?:as|under|with)(?: the)?(?: post)?(?: id(?: is)?| number)? (?P<id>[\d_]{5,40}))?"
_CHECKED = (
    r"(?:\s*[,;.-]\s*(?:and )?(?:i|we) (?:just |have |'ve )*(?:checked|looked|saw it|see it|can see it"
    r"|found it)\b[^,;?]{0,40})?"
)
_OUT = r"(?:make it|made it|out|live|posted|published|up|online|through|there)"
_CAME_OUT = re.compile(
    rf"{_WHAT}(?: actually| really| definitely)?(?:'s| (?:did (?:actually |indeed |in fact )?(?:go|get|make it)"
    r"|has (?:actually |indeed |already )?(?:gone|been)|went|is|was|got))(?: definitely| actually| already| indeed"
    r"| now)?"
    rf" {_OUT}(?: (?:after all|already|now|fine|on (?:instagram|facebook|tiktok|bluesky)))?{_ID}{_CHECKED}[\s.!]*",
    re.IGNORECASE,
)
_DENIES = re.compile(r"\b(?:never|not|hardly|if|when|once|until)\b|n't\b", re.IGNORECASE)
_NEVER = re.compile(
    rf"{_WHAT} (?:(?:was |has |is )?never|didn't|did not|hasn't|has not|wasn't|was not|isn't|is not)(?: ever"
    rf"| actually| get| been"
    rf"| go| gone"
    rf"| went| come| make it)*(?: {_OUT})?{_CHECKED}(?: yet)?(?:\s*[,;.]?\s*(?P<then>.*?))?[\s.!]*",
    re.IGNORECASE,
)
_MARK = re.compile(
    rf"mark {_WHAT} (?:as|to be) (?P<outcome>(?:not |un)?(?:posted|published|live|sent)|failed){_ID}"
    r"(?:\s*[,;.]?\s*(?:and )?(?P<then>.*?))?[\s.!]*",
    re.IGNORECASE,
)
_SEND_AGAIN = re.compile(
    r"(?:and |so |then |please |can you |could you )*(?:(?:send|try|publish|post)(?: it| that| this)? (?:again"
    r"|once more)"
    r"|re-?try(?: it)?|re-?send(?: it)?)(?:,? please)?",
    re.IGNORECASE,
)
_DROP = re.compile(
    r"(?:and |so |then |please |just )*(?:drop|forget|leave|scrap|cancel|abandon|skip|give up on)(?: about)? (?:it"
    r"|that|this)"
    r"|give up|let it go",
    re.IGNORECASE,
)


def read_outcome(text: str, sentence: Sentence, around: Surroundings) -> Reading:
    """A whole message about what became of a post: "it never went out, send it again", "K7RMD is live"."""
    if around.has("retry_post") and (failed := _FAILED.fullmatch(text)) is not None:
        return _sure("retry_post", failed["what"], sentence)
    if not around.has("resolve_post") or text.rstrip().endswith("?"):
        return Reading()
    out = _CAME_OUT.fullmatch(text)
    if out is not None and _DENIES.search(out["what"]) is None:
        return _sure("resolve_post", out["what"], sentence, outcome="posted", **_named(out["id"]))
    if (mark := _MARK.fullmatch(text)) is not None:
        outcome = "posted" if mark["outcome"].lower() in {"posted", "published", "live", "sent"} else "not_posted"
        return _settled(mark, outcome, sentence, **_named(mark["id"]))
    never = _NEVER.fullmatch(text)
    tells = never is not None and re.search(rf"\b(?:{_OUT})\b", text, re.IGNORECASE) is not None
    return _settled(never, "not_posted", sentence) if never is not None and tells else Reading()


def _named(platform_post_id: str | None) -> dict[str, JsonValue]:
    return {"platform_post_id": platform_post_id} if platform_post_id else {}


def _settled(found: re.Match[str], outcome: str, sentence: Sentence, **more: JsonValue) -> Reading:
    """The outcome with what is to follow; words that follow and mean neither are not understood."""
    then = (found["then"] or "").strip()
    arguments: dict[str, JsonValue] = {"outcome": outcome, **more}
    if _SEND_AGAIN.fullmatch(then) and outcome == "not_posted":
        arguments["then"] = "send_again"
    elif _DROP.fullmatch(then) and outcome == "not_posted":
        arguments["then"] = "drop"
    elif then:
        return Reading()
    elif outcome == "not_posted":
        again = _sure("resolve_post", found["what"], sentence, **arguments, then="send_again")
        question = "Shall I send it again? Else say that it was not posted and to drop it."
        return ask(question, "yes", again.steps[0]) if again.steps else again
    return _sure("resolve_post", found["what"], sentence, **arguments)


def _sure(command: str, what: str, sentence: Sentence, **arguments: JsonValue) -> Reading:
    """The step when the words surely name one post: a statement that tells of anything else asks for nothing."""
    target = reference(what, sentence)
    if target is None or not target.sure:
        return Reading()
    return act(command, post_id=target.words, **arguments)


def read_retry(part: str, clause: str, sentence: Sentence) -> Reading:
    """Such as "retry it", "try the brunch post again", "give K7RMD another go"; ``part`` has the "again"."""
    if re.fullmatch(r"re-?try", clause, re.IGNORECASE):
        return act("retry_post", post_id="it")
    found = next((match for pattern in _RETRY if (match := pattern.fullmatch(clause))), None)
    if found is None and _AGAIN.search(part) and not re.match(r"try (?:again|once)\b", clause, re.IGNORECASE):
        found = _TRY.fullmatch(clause)
    if found is None and re.search(r"\bagain\b", part, re.IGNORECASE):
        found = _RESEND.fullmatch(clause)
    if found is None:
        again = re.fullmatch(r"(?:try again|have another (?:go|try)|try once more)", clause, re.IGNORECASE)
        return act("retry_post", post_id="it") if again else Reading()
    target = reference(found["what"] or "it", sentence)
    if target is None:
        return ask("Which post shall I try again?", "post", Step(command="retry_post"))
    words = "last failed post" if target.words.lower() == "failed" else target.words  # "the failed post"
    step = Step(command="retry_post", arguments={"post_id": words})
    return Reading(steps=(step,)) if target.sure else ask(f"Shall I retry the post “{target.words}”?", "yes", step)
