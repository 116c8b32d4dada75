"""What commands need from rooms above or beside them: ports that the composition root fills."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class CaptionBrief:
    """What a caption is to be about. ``limit`` is the network's own count; ``voice`` is the brand's, None = unknown."""

    about: str
    platform: str
    format: str
    limit: int
    voice: str | None = None


@dataclass(frozen=True, kw_only=True)
class Written:
    """Words for a post. ``rests_on`` says in a clause where they come from ("the offline writer's template")."""

    text: str
    rests_on: str


class Writer(Protocol):
    """Writes the words of posts. Raises ``core.errors.Unavailable`` when the model gives nothing usable."""

    async def caption(self, brief: CaptionBrief) -> Written:
        """A caption within the brief's limit."""


class Wake(Protocol):
    """Tells the scheduler that something is due now; a hint, never needed for correctness."""

    def __call__(self, topic: str) -> None:
        """Wake those who wait for ``topic`` ("posts", "runs")."""
