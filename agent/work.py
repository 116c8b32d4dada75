"""Runs as due work: what the clock claims and this process carries out."""

import asyncio
from collections.abc import Sequence

from agent.agent import Agent
from agent.execution import LEASE, Execution
from db.engine import Database
from db.queries import runs
from db.queries.runs import ClaimedRow
from scheduler.due import Claim

# Runs mostly wait for a model: so many go on in one process at once.
_CAPACITY = 32


class RunWork:
    """The scheduler's view of runs."""

    topic = "runs"
    capacity = _CAPACITY

    def __init__(self, *, database: Database, agent: Agent, stopping: asyncio.Event) -> None:
        self._database = database
        self._stopping = stopping
        self._execution = Execution(database, agent)

    async def claim(self, limit: int, *, sweep: bool) -> Sequence[Claim]:  # noqa: ARG002 - the protocol's; runs have no lower bound
        """Take at most ``limit`` due runs: new ones, answered ones, and those whose process fell silent."""
        if self._stopping.is_set():
            return ()  # what was just handed over is for others
        async with self._database.outside() as session:
            claimed = await runs.claim(session, batch=limit, lease=LEASE)
        return [Claim(id=row.id, workspace_id=row.workspace_id, fence=row.fence) for row in claimed]

    async def work(self, claim: Claim) -> None:
        """One attempt at a run; never raises. Cancelled, or when we are stopping, the run is handed over at once."""
        claimed = ClaimedRow(id=claim.id, workspace_id=claim.workspace_id, fence=claim.fence)
        attempt = asyncio.create_task(self._execution.attempt(claimed))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((attempt, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            attempt.cancel()
            await asyncio.gather(attempt, stopping, return_exceptions=True)
