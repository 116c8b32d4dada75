"""From one message to one reading: every clause is read, and nothing is done unless all of them were understood."""

import re
from collections.abc import Callable
from dataclasses import replace

from agent.offline import (
    drafting,
    editing,
    experiments,
    fitting,
    looking,
    publishing,
    removing,
    repurposing,
    scheduling,
    settling,
    several,
    talk,
    watching,
    weeks,
)
from agent.offline.clauses import bare, clauses, is_question
from agent.offline.networks import aimed_at, display
from agent.offline.reading import MADE, Question, Reading, Step, ask, say
from agent.offline.replies import described
from agent.offline.sentence import Sentence, take_apart
from agent.offline.surroundings import Surroundings
from core.jsontypes import JsonValue

_LONGEST_SUBJECT = 2000  # characters: what create_draft takes as "about"
_TOO_LONG = (
    "That is more than I can take as a post's subject: 2,000 characters at most, so I did nothing. Words that shall go"
    " out just as they are, put in quotes."
)
_LONGEST_COMMAND = 400  # characters; only what a post is about takes more
_ASKED_TO = re.compile(
    r"(?:.*[,.!]\s*)?(?:(?:please |ok |so |and |hey |hi |then )*)(?:can|could|would|will|may|do you mind"
    r"|is it possible|any chance|how about|what about|are you able|let'?s|please)\b",
    re.IGNORECASE,
)
# A reason at a clause's end; words that would change what is asked are no reason.
_REASON = re.compile(
    r"(?:[,;]\s+(?:because |since |as |cos |cause )?(?:we|i|it's|it is|they|there|the|our|i'm|we're)"
    r"|\s+(?:because|since|cos))\s+"
    r"(?!.*\b(?:if|unless|until|only|not|never|don't|except|instead|after|before|when|keep|want|but|or|then"
    r"|should)\b).{3,100}\Z",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?:schedule|queue|move|reschedule|push|cancel|delete|scrap|remove|publish|post|send|share|put"
    r"|undo)\b.{1,80}?\b(?P<condition>(?:if|unless|only|but|as long as|in case|provided|except|once"
    r"|as soon as (?!possible))\b.*)",
    re.IGNORECASE,
)
# Commands that change nothing of what there is; a plan is a proposal.
_HARMLESS = frozenset({"list_posts", "show_post", "list_accounts", "plan_week", "check_posts", "list_notifications"})
_KEPT = frozenset(
    {
        "edit_draft",
        "schedule_post",
        "move_post",
        "cancel_post",
        "publish_post",
        "repurpose_post",
        "fit_media",
        "create_experiment",
    }
)


def interpret(message: str, around: Surroundings) -> Reading:
    """What a message asks for, by itself, with the networks and commands that are ``around``."""
    sentence = take_apart(message)
    told = settling.read_outcome(sentence.text.strip(" ,.!"), sentence, around)
    if told.understood:
        return told
    sentence = replace(sentence, text=fitting.without_complaint(sentence.text))
    parts = clauses(sentence.text)
    if not parts:
        return _nothing_said(sentence)
    return _Plan(sentence, around).read(parts)


def _nothing_said(sentence: Sentence) -> Reading:
    if not sentence.attachments:
        return say("I'm listening. What shall we post?")
    names = " and ".join(attachment.name or "the upload" for attachment in sentence.attachments)
    media = [{"asset_id": attachment.asset_id} for attachment in sentence.attachments]
    step = Step(command="edit_draft", arguments={"post_id": "it", "media": media})
    return ask(f"I have {names}. Shall I put it on the post we were speaking of?", "yes", step)


class _Plan:
    """The readings of a message's clauses, put together in order."""

    def __init__(self, sentence: Sentence, around: Surroundings) -> None:
        self.sentence = sentence
        self.around = around
        self.steps: list[Step] = []
        self.question: Question | None = None
        self.answers: list[Reading] = []
        self.unknown: list[str] = []
        self.media: list[JsonValue] = []

    def read(self, parts: tuple[str, ...]) -> Reading:
        for part in parts:
            self._add(part)
        return self._whole()

    def _add(self, part: str) -> None:
        clause = bare(part)
        if (
            self.steps
            and self.steps[-1].command == "create_draft"
            and (media := drafting.media_alone(clause, self.sentence))
        ):
            self.steps[-1] = self.steps[-1].having(media=media)
            return
        if (
            not self.steps
            and (media := drafting.media_alone(clause, self.sentence))
            and not re.match(r"(?:use|add|attach|put)\b", clause, re.IGNORECASE)
        ):
            self.media += media
            return
        reading = self._one(part, clause)
        if reading.question is not None and self.question is None:
            at = len(self.steps) + reading.question.at
            self._extend(reading.question.steps)
            self.question = replace(reading.question, steps=(), at=at)
        elif reading.question is not None:
            self.unknown.append(part)
        elif reading.steps:
            self._extend(reading.steps)
        elif reading.answer is not None:
            self.answers.append(reading)
        elif not self._is_detail(part, clause):
            self.unknown.append(part)

    def _one(self, part: str, clause: str) -> Reading:
        reading = read_clause(part, clause, self.sentence, self.around, " ".join(self.unknown))
        if reading.steps and any(step.command == "create_draft" for step in reading.steps) and self.unknown:
            # "We have a new blend. Draft a post about it.": the first sentence said what it is about.
            self.unknown.clear()
        return reading

    def _extend(self, steps: tuple[Step, ...]) -> None:
        made = next((at for at in reversed(range(len(self.steps))) if self.steps[at].command == "create_draft"), None)
        for said in steps:
            step = said
            if self.media and step.command in {"create_draft", "edit_draft"} and "media" not in step.arguments:
                step, self.media = step.having(media=self.media), []
            if step.command == "accept_plan" and self.steps and self.steps[-1].command == "accept_plan":
                # "Accept the plan and schedule everything" is one act.
                self.steps[-1] = self.steps[-1].having(**step.arguments)
                continue
            if made is not None and step.command in _KEPT and step.arguments.get("post_id") == "it":
                if step.command == "edit_draft":
                    changes = {name: value for name, value in step.arguments.items() if name != "post_id"}
                    self.steps[made] = self.steps[made].having(**changes)
                    continue
                self.steps.append(step.having(post_id=MADE))
            else:
                self.steps.append(step)

    def _is_detail(self, part: str, clause: str) -> bool:
        """A sentence after "draft a post about …" tells more about it; a word of courtesy tells nothing."""
        if not clause or talk.is_small_statement(clause):
            return True
        if self.steps and self.steps[-1].command == "create_draft" and "about" in self.steps[-1].arguments:
            about = f"{self.steps[-1].arguments['about']}. {self.sentence.restored(part).strip()}"
            self.steps[-1] = self.steps[-1].having(about=about)
            return True
        return False

    def _whole(self) -> Reading:
        steps = tuple(self.steps)
        refusal = next((reading.answer for reading in self.answers if not reading.filler), None)
        if self.media:
            return self._left_over_media(steps)
        if self.unknown and refusal is None:
            known = () if self.question is not None else steps
            return talk.not_understood(self.sentence.restored(self.unknown[0]), *known, described=described(known))
        if refusal is not None:
            return ask(f"{refusal} Shall I {described(steps)}?", "yes", *steps) if steps else say(refusal)
        if self.question is not None:
            return Reading(question=replace(self.question, steps=steps))
        if steps:
            return for_served_networks(steps, self.around)
        return self.answers[0] if self.answers else talk.not_understood(self.sentence.restored(self.sentence.text))

    def _left_over_media(self, steps: tuple[Step, ...]) -> Reading:
        """A photo that no clause asked anything for."""
        if steps:
            return talk.not_understood(self.sentence.restored(self.sentence.text))
        step = Step(command="edit_draft", arguments={"post_id": "it", "media": self.media})
        return ask("Shall I put that on the post we were speaking of?", "yes", step)


def read_clause(part: str, clause: str, sentence: Sentence, around: Surroundings, context: str = "") -> Reading:
    """One clause; ``part`` as typed, ``clause`` without its politeness. The first reader that understands wins."""
    if not clause:
        return talk.read_talk("", part) if part.strip() else Reading()
    if len(clause) > _LONGEST_COMMAND:
        return _read_long(clause, sentence, context)
    readers = _readers(part, clause, sentence, around, context)
    reading = next((found for reader in readers if (found := reader()).understood), Reading())
    asked = reading.question.steps if reading.question is not None else reading.steps
    if any(step.command == "create_draft" for step in asked):
        return _confirmed(part, reading)
    if (condition := _CONDITION.match(clause)) is not None:
        said = sentence.restored(condition["condition"])
        return say(f"I can't wait for a condition (“{said}”), so I have done nothing. What shall I do now, without it?")
    if not reading.steps and (reason := _REASON.search(clause)) is not None:
        # "cancel the espresso post, we ran out of beans": the reason asks for nothing.
        before = clause[: reason.start()]
        told = read_clause(before, bare(before), sentence, around, context)
        reading = told if told.understood else reading
    return _confirmed(part, reading)


def _readers(
    part: str, clause: str, sentence: Sentence, around: Surroundings, context: str
) -> tuple[Callable[[], Reading], ...]:
    """Every reader in the order in which they are asked."""
    aimless = aimed_at(clause).rest  # a post is on one account already: "publish it on Instagram" is "publish it"
    return (
        lambda: talk.read_talk(clause, part),
        lambda: weeks.read_week(clause, sentence, around),
        lambda: talk.read_hesitation(part, clause),
        lambda: publishing.read_undo(clause),
        lambda: weeks.read_acceptance(clause, around),
        lambda: experiments.read_experiment(clause, sentence, around),
        lambda: settling.read_retry(part, clause, sentence),
        lambda: fitting.read_fit(clause, sentence, around),
        lambda: repurposing.read_repurpose(part, clause, sentence, around),
        lambda: removing.read_delete(clause, sentence, around),
        lambda: several.read_several(clause, sentence, around),
        lambda: watching.read_check(clause, sentence),
        lambda: watching.read_news(clause),
        lambda: looking.read_accounts(clause),
        lambda: drafting.read_create(clause, sentence, context),
        lambda: talk.read_other_network(clause, around.networks),
        lambda: editing.read_edit(aimless, sentence),
        lambda: talk.read_other_work(clause),
        lambda: looking.read_list(clause, sentence),
        lambda: looking.read_show(clause, sentence),
        lambda: scheduling.read_move(aimless, sentence),
        lambda: scheduling.read_schedule(aimless, sentence),
        lambda: removing.read_cancel(aimless, sentence),
        lambda: publishing.read_publish(aimless, sentence),
    )


def _read_long(clause: str, sentence: Sentence, context: str) -> Reading:
    """A very long clause can only be a draft with a long subject: its beginning is read, the rest is the subject's."""
    cut = clause.rfind(" ", 0, _LONGEST_COMMAND)
    reading = drafting.read_create(clause[: cut if cut > 0 else _LONGEST_COMMAND], sentence, context)
    if len(reading.steps) != 1 or "about" not in reading.steps[0].arguments:
        return Reading()
    rest = sentence.restored(clause[cut if cut > 0 else _LONGEST_COMMAND :])
    step = reading.steps[0]
    return Reading(steps=(step.having(about=f"{step.arguments['about']}{rest}"),))


def _confirmed(part: str, reading: Reading) -> Reading:
    """Such as "Publish it?" is a question: it is asked back; "could you publish it?" is politeness."""
    acts = [step for step in reading.steps if step.command not in _HARMLESS]
    if not acts or not is_question(part) or _ASKED_TO.match(part):
        return reading
    return ask(f"Shall I {described(reading.steps)}?", "yes", *reading.steps)


def for_served_networks(steps: tuple[Step, ...], around: Surroundings) -> Reading:
    """A draft on too long a subject or for no network served here is refused; beside a served one it is asked about."""
    if any(len(str(step.arguments.get("about", ""))) > _LONGEST_SUBJECT for step in steps):
        return say(_TOO_LONG)
    for at, step in enumerate(steps):
        named = str(step.arguments.get("platform", "")) if step.command == "create_draft" else ""
        wanted = tuple(display(name) for name in named.split(" & ") if name)
        missing = around.missing(wanted)
        served = [name.lower() for name in wanted if name not in missing]
        if missing and not served:
            return say(talk.cannot_post_to(missing, around.networks))
        if len(served) > 1 or missing:
            kept = (*steps[:at], step.having(platform=served[0]), *steps[at + 1 :])
            if not missing and around.has("repurpose_post"):
                return Reading(steps=_with_others(kept, at, served[1:]))
            reason = talk.cannot_post_to(missing, around.networks) if missing else "I draft for one network at a time."
            return ask(f"{reason} Shall I draft it for {display(served[0])}?", "yes", *kept)
    return Reading(steps=steps)


def _with_others(steps: tuple[Step, ...], at: int, others: list[str]) -> tuple[Step, ...]:
    """The draft for one network, brought to the others at the same time."""
    times = [steps[at].arguments.get("when")]
    times += [step.arguments.get("when") for step in steps[at + 1 :] if step.arguments.get("post_id") == MADE]
    platforms: list[JsonValue] = [*others]
    more = Step(command="repurpose_post", arguments={"post_id": MADE, "platforms": platforms})
    when = next((time for time in times if time), None)
    return (*steps[: at + 1], more if when is None else more.having(when=when), *steps[at + 1 :])
