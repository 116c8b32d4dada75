"""What is measured of all workspaces together, for /metrics."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number. ``name`` is published, failed, missed or unconfirmed (totals, with the ``platform``), else due,
    oldest_due_seconds, publishing or unconfirmed_waiting (as it is now, over all networks).
    """

    name: str
    platform: str | None
    value: float


async def measure_publishing(session: AsyncSession) -> Sequence[Measure]:
    """How many posts came to which end since the totals began, and what waits now."""
    rows = await session.execute(text("select measure as name, platform, value from measure_publishing()"))
    return [Measure(**row) for row in rows.mappings()]
