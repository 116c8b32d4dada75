"""Plays eval sets with scripted results: `python -m evals.run [set …]`; exits 1 when one is below 97 %."""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import Runnable

from agent.offline.model import OfflineModel
from evals.cases import COMMANDS, MADE, NETWORKS, READING, SETS, Case, Said, load

Model = Runnable[LanguageModelInput, AIMessage]

THRESHOLD = 0.97
WRONG_ACT_WEIGHT = 10
_MOST_CALLS = 8
_POST: Mapping[str, object] = {
    "id": MADE,
    "code": "K7RMD",
    "caption": "Something new is brewing.",
    "status": "draft",
    "account": "casa.aroma",
    "platform": "instagram",
    "media": [],
    "permalink": None,
    "last_error": None,
}
_SUMMARIES = {
    "create_draft": "Drafted K7RMD for @casa.aroma.",
    "edit_draft": "Changed K7RMD.",
    "schedule_post": "K7RMD goes out Fri 20 Nov 2026 09:00 Europe/Madrid.",
    "move_post": "Moved K7RMD.",
    "cancel_post": "Cancelled K7RMD.",
    "publish_post": "K7RMD is being published.",
    "list_posts": "1 post.",
    "show_post": "K7RMD is a draft.",
    "list_accounts": "1 account is connected.",
    "undo": "Took the last change back.",
    "repurpose_post": "Drafted M7PQX for TikTok from K7RMD.",
    "plan_week": "Planned 3 posts: Mon, Wed and Fri at 09:00.",
    "accept_plan": "Drafted 3 posts of the plan.",
    "create_experiment": "Made 2 versions of K7RMD.",
    "retry_post": "K7RMD is tried again.",
    "resolve_post": "K7RMD is settled.",
    "delete_post": "Deleted K7RMD from Instagram.",
    "move_posts": "Moved 2 posts.",
    "cancel_posts": "Cancelled 2 posts.",
    "fit_media": "K7RMD's photo fits now.",
    "check_posts": "3 planned posts: ready to go out.",
    "list_notifications": "2 notifications.",
}
# What must be right in a call with an effect; other words of a draft only make a draft that reads differently.
AIM = (
    *("post_id", "post_ids", "when", "platform", "platforms", "account", "caption", "media", "options"),
    *("window", "status", "query", "plan_id", "items", "as", "vary", "outcome", "then", "crop"),
)


@dataclass(frozen=True, kw_only=True)
class Played:
    """What the model did with a case: its calls, its last words, and whether one of its acts was not asked for."""

    case: Case
    calls: tuple[tuple[str, Mapping[str, object]], ...]
    reply: str
    is_right: bool
    is_wrong_act: bool


@dataclass(frozen=True, kw_only=True)
class Score:
    """The figures of a set. ``penalised`` counts a wrong act ten times and can be below zero."""

    played: tuple[Played, ...]

    @property
    def accuracy(self) -> float:
        """The share of cases with exactly the expected calls, or the expected question or words."""
        return sum(one.is_right for one in self.played) / len(self.played)

    @property
    def wrong_acts(self) -> int:
        """How many cases led to an act that nobody asked for."""
        return sum(one.is_wrong_act for one in self.played)

    @property
    def penalised(self) -> float:
        """The score: right cases less ten for each wrong act, as a share of all."""
        right = sum(one.is_right for one in self.played)
        return (right - WRONG_ACT_WEIGHT * self.wrong_acts) / len(self.played)

    def summary(self) -> str:
        """The figures in one line."""
        right, many = sum(one.is_right for one in self.played), len(self.played)
        return f"{right}/{many} = {self.accuracy:.1%}, wrong acts {self.wrong_acts}, score {self.penalised:.1%}"


def offline_model(networks: tuple[str, ...] = NETWORKS) -> Model:
    """The offline model with every command at hand."""
    return OfflineModel(networks=networks).bind_tools([_tool(name) for name in COMMANDS])


def _tool(name: str) -> dict[str, object]:
    return {"type": "function", "function": {"name": name, "description": name, "parameters": {"type": "object"}}}


def play(case: Case, model: Model) -> Played:
    """Speak the case's conversation with the model, answering its calls from the script."""
    messages: list[BaseMessage] = []
    for said in case.history:
        speak(said, model, messages)
    calls, reply = speak(case.said, model, messages)
    is_right = _is_right(case, calls, reply)
    return Played(case=case, calls=calls, reply=reply, is_right=is_right, is_wrong_act=_has_wrong_act(case, calls))


def speak(
    said: Said, model: Model, messages: list[BaseMessage]
) -> tuple[tuple[tuple[str, Mapping[str, object]], ...], str]:
    """Say one message to the model and answer its calls from the script; ``messages`` grows by the turn."""
    messages.append(HumanMessage(said.text))
    calls: list[tuple[str, Mapping[str, object]]] = []
    while len(calls) < _MOST_CALLS:
        answer = model.invoke(messages)
        messages.append(answer)
        if not answer.tool_calls:
            return tuple(calls), str(answer.text)
        for call in answer.tool_calls:
            calls.append((call["name"], call["args"]))
            result = said.results.get(call["name"]) or _scripted(call["name"])
            content = json.dumps(result, ensure_ascii=False)
            messages.append(ToolMessage(content=content, tool_call_id=call["id"] or "", name=call["name"]))
    return tuple(calls), ""


def _scripted(command: str) -> Mapping[str, object]:
    summary = {"summary": _SUMMARIES[command]}
    if command in {"list_posts", "list_accounts", "check_posts", "list_notifications"}:
        return {**summary, "items": [], "next_cursor": None}
    return summary if command == "undo" else {**summary, "post": _POST, "warnings": []}


def _is_right(case: Case, calls: Sequence[tuple[str, Mapping[str, object]]], reply: str) -> bool:
    if case.calls or calls:
        return list(case.calls) == [(name, dict(arguments)) for name, arguments in calls]
    if case.says is not None:
        return re.search(case.says, reply, re.IGNORECASE) is not None
    return case.asks and "?" in reply


def _has_wrong_act(case: Case, calls: Sequence[tuple[str, Mapping[str, object]]]) -> bool:
    """Whether a call with an effect was not asked for, or is aimed at another post, time, account or content."""
    wanted = [(name, _aim(arguments)) for name, arguments in case.calls]
    return any(name not in READING and (name, _aim(arguments)) not in wanted for name, arguments in calls)


def _aim(arguments: Mapping[str, object]) -> dict[str, object]:
    return {name: arguments[name] for name in AIM if name in arguments}


def score(cases: Sequence[Case], model_for: Callable[[tuple[str, ...]], Model] = offline_model) -> Score:
    """Play every case, each with the model for its networks."""
    return Score(played=tuple(play(case, model_for(case.networks)) for case in cases))


def report(name: str, scored: Score) -> str:
    """The figures of a set, by group, with every miss."""
    lines = [f"{name}: {scored.summary()}"]
    for group in dict.fromkeys(one.case.group for one in scored.played):
        members = [one for one in scored.played if one.case.group == group]
        lines.append(f"  {group:<12} {sum(one.is_right for one in members)}/{len(members)}")
    for one in scored.played:
        if not one.is_right:
            said = one.calls or one.reply
            lines.append(
                f"  {'WRONG ACT' if one.is_wrong_act else 'miss'} {one.case.id} {one.case.said.text!r}: {said}"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every set's score; 0 when each of them reaches the threshold, wrong acts counted ten times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=list(SETS), help=f"of {', '.join(SETS)}")
    chosen = parser.parse_args(arguments).sets
    scores = {name: score(load(name)) for name in chosen}
    for name, scored in scores.items():
        print(report(name, scored))
    everything = Score(played=tuple(one for scored in scores.values() for one in scored.played))
    print(f"all: {everything.summary()}")
    below = [name for name, scored in scores.items() if scored.penalised < THRESHOLD]
    if below:
        print(f"below {THRESHOLD:.0%}: {', '.join(below)}")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
