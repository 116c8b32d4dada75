"""What a message is read in: the networks and commands at hand, and what the conversation speaks of."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where a message is said. ``networks`` are names for people; ``commands`` are those that can be called.

    ``current`` is the network of the post last spoken of, None when nothing told it. ``plan_is_open`` says that a
    week was planned in this conversation, so that "take 1 and 3" means its entries.
    """

    networks: tuple[str, ...] = ("Instagram",)
    commands: frozenset[str] = frozenset()
    current: str | None = None
    plan_is_open: bool = False

    def has(self, command: str) -> bool:
        """Whether a command is at hand."""
        return command in self.commands

    def missing(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the networks that cannot be posted to here."""
        return tuple(name for name in names if name not in self.networks)
