"""The cases of an eval set: what a person says in which conversation, and the calls or words that must follow."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
SETS = ("main_job", "held_out", "breadth", "breadth_blind", "watch")
NETWORKS = ("instagram", "facebook", "tiktok", "bluesky")
COMMANDS = (
    "create_draft",
    "edit_draft",
    "schedule_post",
    "move_post",
    "cancel_post",
    "publish_post",
    "list_posts",
    "show_post",
    "list_accounts",
    "undo",
    "repurpose_post",
    "plan_week",
    "accept_plan",
    "create_experiment",
    "retry_post",
    "resolve_post",
    "delete_post",
    "move_posts",
    "cancel_posts",
    "fit_media",
    "check_posts",
    "list_notifications",
)
READING = frozenset({"list_posts", "show_post", "list_accounts", "check_posts", "list_notifications"})
# In a case, "$made" is the id of the post that an earlier call of the same sentence made.
MADE = "01990a3e-0000-7000-8000-00000000made"


@dataclass(frozen=True, kw_only=True)
class Said:
    """One message of a person, and what commands answer in its turn where a case needs another answer."""

    text: str
    results: Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case. ``expect`` is the calls in order; with none, a question (``asks``) or words that match ``says``.

    XX
    """

    id: str
    group: str
    now: str
    zone: str
    networks: tuple[str, ...]
    history: tuple[Said, ...]
    said: Said
    calls: tuple[tuple[str, Mapping[str, object]], ...]
    asks: bool
    says: str | None


def load(name: str) -> tuple[Case, ...]:
    """The cases of a set ("main_job")."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(_case(json.loads(line)) for line in lines if line.strip())


def _case(row: Mapping[str, object]) -> Case:
    expect = row["expect"]
    answer = expect if isinstance(expect, Mapping) else {}
    calls = expect if isinstance(expect, list) else []
    says = answer.get("says")
    return Case(
        id=str(row["id"]),
        group=str(row["group"]),
        now=str(row["now"]),
        zone=str(row["zone"]),
        networks=tuple(str(name) for name in _list(row.get("networks")) or NETWORKS),
        history=tuple(_said(entry) for entry in _list(row.get("history"))),
        said=Said(text=str(row["text"]), results=_results(row.get("results"))),
        calls=tuple((call["command"], {name: _value(value) for name, value in call["args"].items()}) for call in calls),
        asks=bool(answer.get("asks")),
        says=str(says) if says else None,
    )


def _said(entry: object) -> Said:
    if isinstance(entry, Mapping):
        return Said(text=str(entry["text"]), results=_results(entry.get("results")))
    return Said(text=str(entry), results={})


def _results(value: object) -> Mapping[str, Mapping[str, object]]:
    return dict(value.items()) if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []


def _value(value: object) -> object:
    return MADE if value == "$made" else value
