"""What outsiders see of the commands changes only on purpose."""

import json
from pathlib import Path

from scripts.snapshots import commands
from tools.commands import catalog

# Models choose badly from long lists.
MOST_SHOWN_TO_MODELS = 25


def test_the_commands_are_as_they_were_snapshotted(root: Path) -> None:
    kept = json.loads((root / "tests/snapshots/commands.json").read_text(encoding="utf-8"))
    assert json.loads(commands()) == kept, "meant? then `make snapshots`, and say it in the changelog"


def test_models_are_shown_a_short_list() -> None:
    assert 0 < len(catalog().for_agent()) <= MOST_SHOWN_TO_MODELS


def test_no_two_commands_share_a_name_or_a_route() -> None:
    commands_ = catalog().commands
    names = [name for command in commands_ for name in (command.name, *command.aliases)]
    routes = [command.rest for command in commands_ if command.rest]
    assert len(set(names)) == len(names)
    assert len(set(routes)) == len(routes)
