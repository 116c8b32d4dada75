"""The catalogue: every command Studio has, by name."""

from collections.abc import Iterable
from typing import cast

from core.errors import NotFound
from tools.command import AnyCommand


class Catalog:
    """Commands by name and alias."""

    def __init__(self, commands: Iterable[object]) -> None:
        # A command's record is invariant in its argument type; the door only ever hands it what it parsed itself.
        self.commands = tuple(cast("AnyCommand", command) for command in commands)
        self._by_name = {name: command for command in self.commands for name in (command.name, *command.aliases)}

    def find(self, name: str) -> AnyCommand:
        """The command called ``name``; raises ``NotFound`` with the names there are."""
        try:
            return self._by_name[name]
        except KeyError:
            known = ", ".join(sorted(command.name for command in self.commands))
            raise NotFound(
                f"There is no command called {name!r}.", code="unknown_command", action=f"Use one of: {known}."
            ) from None

    def for_agent(self) -> tuple[AnyCommand, ...]:
        """What models are shown."""
        return tuple(command for command in self.commands if command.agent)
