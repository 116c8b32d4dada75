"""What a message was understood as: steps to take, or what is still missing, or words to answer with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.jsontypes import JsonValue

# Stands for the id of the post that an earlier step of the same plan makes; never sent as it is.
MADE = "\x00made"

Missing = Literal["when", "about", "post", "media", "caption", "choice", "yes", "platforms", "vary", "crop"]
Arguments = Mapping[str, JsonValue]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call of a command, with the arguments that were said."""

    command: str
    arguments: Arguments = field(default_factory=dict)

    def having(self, **more: JsonValue) -> "Step":
        """The same step with more arguments, which win over those it has."""
        return Step(command=self.command, arguments={**self.arguments, **more})


@dataclass(frozen=True, kw_only=True)
class Option:
    """One of the things that a question offers: ``id`` goes into the call, ``label`` is what people see."""

    id: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """What stands between a plan and its first act: ``steps[at]`` lacks ``missing``, or all wait for a yes.

    ``field`` is the argument that a chosen option fills; ``options`` are empty for an open question.
    """

    text: str
    missing: Missing
    steps: tuple[Step, ...]
    at: int = 0
    field: str = "post_id"
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one message, or one clause of it, comes to; empty = nothing was understood.

    ``question`` and ``answer`` never go with ``steps``: what is not clear is asked before anything is done.
    ``filler`` says that the words ask for nothing, so that a command beside them still counts.
    """

    steps: tuple[Step, ...] = ()
    question: Question | None = None
    answer: str | None = None
    filler: bool = False

    @property
    def understood(self) -> bool:
        """Whether the words meant anything."""
        return bool(self.steps) or self.question is not None or self.answer is not None


def act(command: str, **arguments: JsonValue) -> Reading:
    """A reading of one step."""
    return Reading(steps=(Step(command=command, arguments=arguments),))


def ask(text: str, missing: Missing, *steps: Step, at: int = 0, field: str = "post_id") -> Reading:
    """A reading that asks for what ``steps[at]`` lacks."""
    return Reading(question=Question(text=text, missing=missing, steps=steps, at=at, field=field))


def say(text: str, *, filler: bool = False) -> Reading:
    """A reading that is answered with words alone."""
    return Reading(answer=text, filler=filler)
