"""A conversation as turns, and what the offline model does next; all of it derived from the messages."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agent.offline.answers import LONE_TIME_LEAD, bare_time, complete
from agent.offline.clauses import bare
from agent.offline.interpret import for_served_networks, interpret
from agent.offline.moments import time_phrases
from agent.offline.networks import display
from agent.offline.reading import MADE, Option, Question, Reading, Step, act, ask
from agent.offline.replies import left_undone, refused, told
from agent.offline.sentence import take_apart
from agent.offline.surroundings import Surroundings
from agent.offline.talk import not_understood

# Questions older than this are not open any more.
_TURNS_REMEMBERED = 6
# Before a time that takes the place of the one before: "no, Saturday at 11", "I meant Saturday".
_CORRECTION = re.compile(
    r"(?:(?:no|nope|sorry|oops|wait|actually|ah)\b[\s,.!]*)+(?:(?:i|we) (?:mean|meant)\b[\s,:]*)?|(?:i|we) (?:mean"
    r"|meant)\b[\s,:]*",
    re.IGNORECASE,
)
_PLANS = frozenset({"plan_week", "accept_plan"})
_TIMED = frozenset({"schedule_post", "move_post"})


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of this conversation and what came back; ``result`` is None while it is unanswered."""

    command: str
    arguments: Mapping[str, object]
    result: Mapping[str, object] | None

    @property
    def error(self) -> Mapping[str, object] | None:
        """The error record when the call failed, None when it worked."""
        found = (self.result or {}).get("error")
        return found if isinstance(found, Mapping) else None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a person said, and the calls that followed."""

    said: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, kw_only=True)
class Next:
    """Either the next call, or the answer that ends the turn."""

    step: Step | None = None
    answer: str = ""


def turns(messages: Sequence[BaseMessage]) -> tuple[Turn, ...]:
    """The messages as turns; what stands before the first person's message is left out."""
    results = {message.tool_call_id: _record(message) for message in messages if isinstance(message, ToolMessage)}
    found: list[Turn] = []
    for message in messages:
        if isinstance(message, HumanMessage):
            found.append(Turn(said=str(message.text), calls=()))
        elif isinstance(message, AIMessage) and found:
            calls = tuple(
                Call(command=call["name"], arguments=call["args"], result=results.get(call["id"] or ""))
                for call in message.tool_calls
            )
            found[-1] = Turn(said=found[-1].said, calls=(*found[-1].calls, *calls))
    return tuple(found)


def _record(message: ToolMessage) -> Mapping[str, object]:
    """A tool's answer as a record; words that are no JSON become its summary, or its error."""
    text = str(message.text)
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if isinstance(record, dict):
        return record
    if message.status == "error":
        return {"error": {"code": "tool_failed", "message": text}}
    return {"summary": text}


def next_move(messages: Sequence[BaseMessage], networks: tuple[str, ...], bound: frozenset[str]) -> Next:
    """What to do now; ``bound`` names the commands at hand, ``networks`` those that can be posted to."""
    spoken = turns(messages)[-_TURNS_REMEMBERED:]
    if not spoken:
        return Next(answer="I'm listening. What shall we post?")
    question: Question | None = None
    reading, earlier = Reading(), None
    for at, turn in enumerate(spoken):
        around = _surroundings(spoken[:at], networks, bound)
        reading = understood(turn.said, question, earlier, around)
        question = open_question(turn, reading)
        earlier = turn
    return _move(spoken[-1], reading, bound)


def _surroundings(earlier: Sequence[Turn], networks: tuple[str, ...], bound: frozenset[str]) -> Surroundings:
    """What the turns so far leave to speak of."""
    calls = [call for turn in earlier for call in turn.calls if call.error is None]
    posts = [post for call in calls if isinstance(post := (call.result or {}).get("post"), Mapping)]
    current = posts[-1].get("platform") if posts else None
    return Surroundings(
        networks=networks,
        commands=bound,
        current=display(current) if isinstance(current, str) else None,
        plan_is_open=[call.command for call in calls if call.command in _PLANS][-1:] == ["plan_week"],
    )


def understood(said: str, question: Question | None, earlier: Turn | None, around: Surroundings) -> Reading:
    """What a message means after an open question; a command of its own is stronger than an answer, but for a yes."""
    if question is not None and (answer := complete(question, said)) is not None and _is_answer(said, question, around):
        return for_served_networks(answer.steps, around) if answer.steps else answer
    text = bare(take_apart(said).text)
    corrected = _CORRECTION.sub("", said.strip(), count=1)
    if (phrase := bare_time(text, LONE_TIME_LEAD) or bare_time(bare(corrected), LONE_TIME_LEAD)) is not None:
        return _about_time(text, phrase, earlier, corrects=corrected != said.strip())
    return interpret(said, around)


def _is_answer(said: str, question: Question, around: Surroundings) -> bool:
    """Whether a message that could complete the question is not a command of its own instead."""
    if question.missing in {"yes", "when", "choice", "caption", "platforms", "vary", "crop"}:
        return True
    alone = interpret(said, around)
    if question.missing == "post" and alone.question is not None:
        return all(step.command == "show_post" for step in alone.question.steps)
    return not alone.steps or all(step.command == "show_post" for step in alone.steps)


def _about_time(text: str, phrase: str, earlier: Turn | None, *, corrects: bool) -> Reading:
    """A time and nothing else: a shift or correction of what was just planned, else a question what to do with it."""
    is_shift = any(found.is_shift for found in time_phrases(text))
    planned = earlier is not None and any(call.command in _TIMED and call.error is None for call in earlier.calls)
    if planned and (is_shift or corrects):
        return act("move_post", post_id="it", when=phrase)
    command, verb = ("move_post", "move") if planned or is_shift else ("schedule_post", "schedule")
    if earlier is None:
        return not_understood(text)
    preposition = "to" if command == "move_post" and not is_shift else "for" if command == "schedule_post" else ""
    words = f"Shall I {verb} it {preposition} {phrase}?".replace("  ", " ")
    return ask(words, "yes", Step(command=command, arguments={"post_id": "it", "when": phrase}))


def open_question(turn: Turn, reading: Reading) -> Question | None:
    """What a turn left open: our own question, or the one that a failed call's error asks."""
    if reading.question is not None:
        return reading.question
    if not turn.calls or (error := turn.calls[-1].error) is None or len(turn.calls) > len(reading.steps):
        return None
    at = len(turn.calls) - 1
    # The steps before the failed one are done: what remains starts with it.
    steps = (_as_called(reading.steps[at], turn.calls[at]), *(_placed(step, turn) for step in reading.steps[at + 1 :]))
    return _asked_by(error, steps)


def _as_called(step: Step, call: Call) -> Step:
    post_id = call.arguments.get("post_id")
    return step.having(post_id=post_id) if isinstance(post_id, str) else step


def _asked_by(error: Mapping[str, object], steps: tuple[Step, ...]) -> Question | None:
    code, text = str(error.get("code", "")), str(error.get("message", ""))
    if code == "withdrawn":  # a "yes" in words to what waited for the button: it is asked again
        return Question(text=text, missing="yes", steps=steps)
    candidates = error.get("candidates")
    options = tuple(
        Option(id=str(row.get("id", "")), label=str(row.get("label", "")))
        for row in (candidates if isinstance(candidates, list) else [])
        if isinstance(row, Mapping)
    )
    name = "when" if code.startswith("when") else "account" if "account" in code else "post_id"
    if "asset" in code or "media" in code:
        return Question(text=text, missing="media", steps=steps) if not options else None
    if options:
        return Question(text=text, missing="choice", steps=steps, options=options, field=name)
    if name == "when":
        return Question(text=text, missing="when", steps=steps)
    return Question(text=text, missing="post", steps=steps) if code == "post_not_found" else None


def _move(turn: Turn, reading: Reading, bound: frozenset[str]) -> Next:
    """The next step of the plan, or the answer made of what came back."""
    if reading.question is not None:
        return Next(answer=reading.question.text)
    if not reading.steps:
        return Next(answer=reading.answer or "")
    done = turn.calls
    failed = bool(done) and done[-1].error is not None
    if failed or len(done) >= len(reading.steps):
        return Next(answer=_answer(turn, reading))
    # Nothing is begun that cannot be brought to its end.
    lacking = next((step.command for step in reading.steps[len(done) :] if step.command not in bound), None)
    if lacking is not None:
        refusal = f"The command {lacking} is not available to me here, so I did not use it."
        return Next(answer="\n".join([*_results(turn), refusal]))
    return Next(step=_placed(reading.steps[len(done)], turn))


def _placed(step: Step, turn: Turn) -> Step:
    """The step with the id of the post that this turn made, where it waits for one."""
    if step.arguments.get("post_id") != MADE:
        return step
    for call in reversed(turn.calls):
        post = (call.result or {}).get("post")
        if call.command == "create_draft" and isinstance(post, Mapping) and isinstance(post.get("id"), str):
            return step.having(post_id=str(post["id"]))
    return step.having(post_id="it")


def _results(turn: Turn) -> list[str]:
    return [told(call.command, call.result) for call in turn.calls if call.error is None and call.result is not None]


def _answer(turn: Turn, reading: Reading) -> str:
    lines = _results(turn)
    error = turn.calls[-1].error
    if error is not None:
        rest = reading.steps[len(turn.calls) :]
        lines += [part for part in (refused(error), left_undone(rest)) if part]
    return "\n".join(lines) or "Done."
