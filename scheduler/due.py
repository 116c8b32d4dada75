"""Due work: what the clock asks of everything that has to happen later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A row that is ours until its lease ends; we may write back only while ``fence`` is still the row's newest."""

    id: UUID
    workspace_id: UUID
    fence: int


class DueWork(Protocol):
    """One kind of due work. Claiming is one short statement; working opens its own transactions."""

    @property
    def topic(self) -> str:
        """What ``Wake`` calls it: "posts", "runs"."""

    @property
    def capacity(self) -> int:
        """How many pieces one process works on at once."""

    async def claim(self, limit: int, *, sweep: bool) -> Sequence[Claim]:
        """Take at most ``limit`` due rows; ``sweep`` looks without the moving lower bound."""

    async def work(self, claim: Claim) -> None:
        """Do one piece to a recorded step; never raises, and notices by itself when its fence is lost."""
