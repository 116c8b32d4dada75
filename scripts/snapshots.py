"""Writes tests/snapshots/commands.json, what every command takes, gives and says: `make snapshots`."""

import json
import sys
from pathlib import Path

from tools.commands import catalog

FILE = Path(__file__).resolve().parent.parent / "tests" / "snapshots" / "commands.json"


def commands() -> str:
    """Every command as outsiders see it, by name, as JSON with a line for each change."""
    shown = {
        command.name: {
            "title": command.title,
            "description": command.description,
            "effect": command.effect.value,
            "rest": command.rest,
            "agent": command.agent,
            "aliases": list(command.aliases),
            "arguments": command.schema(),
            "result": command.result.model_json_schema(mode="serialization"),
        }
        for command in catalog().commands
    }
    return json.dumps(shown, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the file."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(commands(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
