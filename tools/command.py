"""A command: one operation of the product, defined once; every surface is a projection of this record."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from inspect import getdoc, signature
from typing import Generic, TypeVar, overload

from pydantic import BaseModel, ConfigDict, Field

from tools.context import Context


class Effect(StrEnum):
    """What a command can do to the world, from nothing to what no one can take back."""

    READ = "read"
    WRITE = "write"  # changes records; undo takes it back
    SCHEDULE = "schedule"  # puts a post on the calendar: it goes out later unless somebody stops it
    IRREVERSIBLE = "irreversible"  # goes out at once, or cannot be taken back: a person says yes first


class Arguments(BaseModel):
    """The base of every argument record: frozen, and a name it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Result(BaseModel):
    """The base of every result record: ``summary`` is one sentence for people, the rest is for machines."""

    model_config = ConfigDict(frozen=True)

    summary: str = Field(description="one sentence for people")


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What a person is asked to say yes to: exactly these arguments, this content."""

    summary: str
    post_id: str | None = None
    content_hash: str | None = None
    pinned: dict[str, object] | None = None  # the arguments with every reference replaced by an id


ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)
ResultT = TypeVar("ResultT", bound=Result)
GatheredT = TypeVar("GatheredT")


@dataclass(frozen=True, kw_only=True)
class Command(Generic[ArgumentsT, ResultT]):
    """One operation. ``gather`` does its I/O with no session open; ``apply`` is one transaction without I/O."""

    name: str
    title: str
    description: str
    effect: Effect
    arguments: type[ArgumentsT]
    result: type[ResultT]
    apply: Callable[[Context, ArgumentsT, object], Awaitable[ResultT]]
    gather: Callable[[Context, ArgumentsT], Awaitable[object]] | None
    effect_of: Callable[[ArgumentsT], Effect]
    propose: Callable[[Context, ArgumentsT], Awaitable[Proposal]] | None
    rest: str | None
    agent: bool
    aliases: tuple[str, ...]

    def schema(self) -> dict[str, object]:
        """JSON Schema of the arguments, as shown to models and in the catalogue."""
        return self.arguments.model_json_schema()


ApplyAlone = Callable[[Context, ArgumentsT], Awaitable[ResultT]]
ApplyGathered = Callable[[Context, ArgumentsT, GatheredT], Awaitable[ResultT]]
Gather = Callable[[Context, ArgumentsT], Awaitable[GatheredT]]
Propose = Callable[[Context, ArgumentsT], Awaitable[Proposal]]
EffectOf = Callable[[ArgumentsT], Effect]


@overload
def command(
    *,
    title: str,
    effect: Effect,
    rest: str | None = ...,
    agent: bool = ...,
    gather: Gather[ArgumentsT, GatheredT],
    effect_of: EffectOf[ArgumentsT] | None = ...,
    propose: Propose[ArgumentsT] | None = ...,
    aliases: tuple[str, ...] = ...,
) -> Callable[[ApplyGathered[ArgumentsT, GatheredT, ResultT]], Command[ArgumentsT, ResultT]]: ...


@overload
def command(
    *,
    title: str,
    effect: Effect,
    rest: str | None = ...,
    agent: bool = ...,
    effect_of: EffectOf[ArgumentsT] | None = ...,
    propose: Propose[ArgumentsT] | None = ...,
    aliases: tuple[str, ...] = ...,
) -> Callable[[ApplyAlone[ArgumentsT, ResultT]], Command[ArgumentsT, ResultT]]: ...


def command(
    *,
    title: str,
    effect: Effect,
    rest: str | None = None,
    agent: bool = True,
    gather: Callable[..., Awaitable[object]] | None = None,
    effect_of: Callable[..., Effect] | None = None,
    propose: Callable[..., Awaitable[Proposal]] | None = None,
    aliases: tuple[str, ...] = (),
) -> Callable[[Callable[..., Awaitable[ResultT]]], Command[ArgumentsT, ResultT]]:
    """Make a command of an ``apply`` function.

    ``rest`` is "METHOD /path/{field}"; ``agent=False`` hides it from models. ``effect_of`` says the effect of one call
    where the arguments decide; ``propose`` says what a person is asked. The function's docstring is what models read.
    """

    def define(function: Callable[..., Awaitable[ResultT]]) -> Command[ArgumentsT, ResultT]:
        async def apply_alone(context: Context, arguments: ArgumentsT, _gathered: object) -> ResultT:
            return await function(context, arguments)

        parameters = signature(function, eval_str=True)
        return Command(
            name=function.__name__,
            title=title,
            description=(getdoc(function) or title).strip(),
            effect=effect,
            arguments=list(parameters.parameters.values())[1].annotation,
            result=parameters.return_annotation,
            apply=function if gather is not None else apply_alone,
            gather=gather,
            effect_of=effect_of or (lambda _arguments: effect),
            propose=propose,
            rest=rest,
            agent=agent,
            aliases=aliases,
        )

    return define


AnyCommand = Command[Arguments, Result]
