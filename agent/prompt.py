"""What the model is told before a conversation: the words are in prompts/system.md, the facts come from the run."""

from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.turn import Turn
from tools.context import Principal

_FOLDER = Path(__file__).parent / "prompts"


@cache
def _words(name: str) -> str:
    return (_FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


def system_prompt(turn: Turn) -> str:
    """The system message of one run."""
    return prompt_for(turn.principal, zone=turn.zone, now=turn.now)


def prompt_for(principal: Principal, *, zone: str, now: datetime) -> str:
    """What a model is told before it speaks with this person, in this IANA zone, at this aware time."""
    return _words("system").format(
        workspace=_one_line(principal.workspace_name),
        person=_one_line(principal.user_name),
        role=principal.role.value,
        zone=zone,
        today=now.astimezone(ZoneInfo(zone)).strftime("%A %d %B %Y"),
    )


def _one_line(name: str) -> str:
    # A name is somebody's text: it stays inside its sentence.
    return " ".join(name.replace('"', "'").split())[:80]
