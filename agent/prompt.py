"""What the model is told before a conversation: the words are in prompts/system.md, the facts come from the run."""

from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.turn import Turn

_FOLDER = Path(__file__).parent / "prompts"


@cache
def _words(name: str) -> str:
    return (_FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


def system_prompt(turn: Turn) -> str:
    """The system message of one run."""
    principal = turn.principal
    return _words("system").format(
        workspace=_one_line(principal.workspace_name),
        person=_one_line(principal.user_name),
        role=principal.role.value,
        zone=turn.zone,
        today=turn.now.astimezone(ZoneInfo(turn.zone)).strftime("%A %d %B %Y"),
    )


def _one_line(name: str) -> str:
    # A name is somebody's text: it stays inside its sentence.
    return " ".join(name.replace('"', "'").split())[:80]
