"""Asks a configured model the sentences of the sets, as the product would, and judges its first calls.

The turns before a case's sentence are played by the offline model, so that every model answers the same conversation.
Words are judged more kindly than the offline model's: a question asks, an answer is no act, captions may differ.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agent.hands import shown
from agent.model import build_model
from agent.prompt import prompt_for
from core.settings import OFFLINE_MODEL, Settings
from evals.cases import MADE, READING, Case, load
from evals.run import AIM, Played, Score, offline_model, report, score, speak
from tools.command import AnyCommand
from tools.commands import catalog
from tools.context import Principal, Role

_AT_ONCE = 8
_NOBODY = UUID(int=0)
_FREE_WORDS = frozenset({"about", "themes", "format", "limit"})
# Ways to name the post that the conversation speaks of.
_IT = frozenset({"it", "this", "that", "K7RMD", MADE, "the last draft", "last draft"})


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a set took. ``cost`` is US dollars at list price, None when the model's price is not known."""

    input_tokens: int
    output_tokens: int
    cost: float | None

    def __str__(self) -> str:
        """One line for people."""
        cost = "unknown (not in evals/prices.toml)" if self.cost is None else f"${self.cost:.4f}"
        return f"tokens: {self.input_tokens:,} in, {self.output_tokens:,} out; cost: {cost}"


def price(model: str) -> tuple[float, float] | None:
    """Dollars per million tokens in and out; None when the table does not know the model."""
    table = tomllib.loads((Path(__file__).parent / "prices.toml").read_text(encoding="utf-8"))["models"]
    row = table.get(model)
    return (float(row["input"]), float(row["output"])) if row else None


def evaluate(settings: Settings, sets: Sequence[str], *, most: int | None = None) -> str:
    """Ask the configured model every sentence of the sets (at most ``most`` of each) and report what it did."""
    if settings.model_name == OFFLINE_MODEL:
        return "\n".join(report(name, score(load(name)[:most])) for name in sets)  # it is judged on whole turns
    commands = catalog().for_agent()
    names = frozenset(command.name for command in commands)
    model = build_model(settings)
    lines: list[str] = []
    bills: list[Bill] = []
    everything: list[Played] = []
    for name in sets:
        cases = load(name)
        able = [case for case in cases if all(command in names for command, _ in case.calls)][:most]
        answers = _answers(model, able, commands)
        scored = Score(played=tuple(judged(case, answer) for case, answer in zip(able, answers, strict=True)))
        everything += scored.played
        bills.append(_bill(settings.model_name, answers))
        lines += [*([report(name, scored)] if able else []), *_left_out(name, cases, names, answers), f"  {bills[-1]}"]
    total = Score(played=tuple(everything))
    closing = f"{settings.model_name}: {total.summary()}" if everything else "Nothing was judged."
    return "\n".join([*lines, closing, str(_sum(bills))])


def _left_out(
    name: str, cases: Sequence[Case], names: frozenset[str], answers: Sequence[AIMessage | Exception]
) -> list[str]:
    """What was not judged, said plainly."""
    unknown = sum(any(command not in names for command, _ in case.calls) for case in cases)
    failed = [answer for answer in answers if isinstance(answer, Exception)]
    lines = [f"  {unknown} cases of {name} need commands that this Studio does not have"] if unknown else []
    return [*lines, *([f"  {len(failed)} calls failed, such as: {failed[0]}"] if failed else [])]


def _answers(
    model: BaseChatModel, cases: Sequence[Case], commands: Sequence[AnyCommand]
) -> Sequence[AIMessage | Exception]:
    """One answer for each case, several asked at once; an error is an answer of its own."""
    bound = model.bind_tools(shown(commands))
    conversations: list[LanguageModelInput] = [conversation(case) for case in cases]
    return bound.batch(conversations, config={"max_concurrency": _AT_ONCE}, return_exceptions=True)


def conversation(case: Case) -> list[BaseMessage]:
    """The product's system message, the turns so far as the offline model took them, and the sentence."""
    person = Principal(
        workspace_id=_NOBODY,
        workspace_name="Casa Aroma",
        user_id=_NOBODY,
        user_name="Ana",
        membership_id=_NOBODY,
        role=Role.OWNER,
        timezone=case.zone,
    )
    prompt = prompt_for(person, zone=case.zone, now=datetime.fromisoformat(case.now))
    messages: list[BaseMessage] = []
    for said in case.history:
        speak(said, offline_model(case.networks), messages)
    return [SystemMessage(prompt), *messages, HumanMessage(case.said.text)]


def judged(case: Case, answer: AIMessage | Exception) -> Played:
    """The first calls against the first expected ones; a failed call of the model is a miss."""
    if isinstance(answer, Exception):
        return Played(case=case, calls=(), reply=f"error: {answer}", is_right=False, is_wrong_act=False)
    calls = tuple((call["name"], call["args"]) for call in answer.tool_calls)
    wanted = case.calls[: len(calls)]
    matches = len(calls) <= len(case.calls) and all(
        name == expected and _agrees(arguments, meant)
        for (name, arguments), (expected, meant) in zip(calls, wanted, strict=False)
    )
    acts = [call for call in calls if call[0] not in READING]
    if not case.calls:
        # Looking something up first is no act, and neither is a question or a plain answer.
        is_right = not acts and (bool(calls) or bool(str(answer.text).strip()))
    else:
        is_right = bool(calls) and matches
    wrong = [
        call for call in acts if not any(call[0] == name and _agrees(call[1], meant) for name, meant in case.calls)
    ]
    return Played(case=case, calls=calls, reply=str(answer.text), is_right=is_right, is_wrong_act=bool(wrong))


def _agrees(said: Mapping[str, object], meant: Mapping[str, object]) -> bool:
    """Whether a call is aimed at the same post, time, network and content, however it is put."""
    aims = {_argument(name) for name in AIM} - _FREE_WORDS
    left = {_argument(name): _plain(name, value) for name, value in said.items() if value not in (None, [], {}, "")}
    right = {_argument(name): _plain(name, value) for name, value in meant.items()}
    return all(left.get(name) == right.get(name) for name in aims & (left.keys() | right.keys()))


def _argument(name: str) -> str:
    return "account" if name == "account_id" else name


def _plain(name: str, value: object) -> object:
    """A value without the freedom that models have in putting it."""
    if name == "post_id" and isinstance(value, str) and (value in _IT or value == ""):
        return "it"
    if isinstance(value, str):
        words = value.casefold().strip(" .@#")
        return words.removeprefix("the ").removesuffix(" post").removeprefix("on ").removeprefix("at ")
    if isinstance(value, Sequence):
        return sorted(str(_plain("", entry)) for entry in value)
    return {key: _plain(key, entry) for key, entry in value.items()} if isinstance(value, Mapping) else value


def _bill(model: str, answers: Sequence[AIMessage | Exception]) -> Bill:
    usages = [answer.usage_metadata for answer in answers if isinstance(answer, AIMessage) and answer.usage_metadata]
    read, written = sum(use["input_tokens"] for use in usages), sum(use["output_tokens"] for use in usages)
    rates = price(model)
    cost = None if rates is None else (read * rates[0] + written * rates[1]) / 1_000_000
    return Bill(input_tokens=read, output_tokens=written, cost=cost)


def _sum(bills: Sequence[Bill]) -> Bill:
    costs = [bill.cost for bill in bills if bill.cost is not None]
    return Bill(
        input_tokens=sum(bill.input_tokens for bill in bills),
        output_tokens=sum(bill.output_tokens for bill in bills),
        cost=sum(costs) if len(costs) == len(bills) else None,
    )
