"""One run as the graph's nodes see it: for whom, by which clock, and where what happens is told."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from agent.event_log import EventLog
from tools.context import Caller, Principal, Surface

# What one run may take before it is told to end with a plain sentence.
MODEL_CALLS = 12
TOOL_CALLS = 24
# Answers of the model in a row whose calls could not be used at all.
UNUSABLE_ANSWERS = 2
TOOL_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A run under way. ``zone`` is the IANA zone its time phrases are read in; ``now`` is aware UTC, of its start.

    ``announced`` holds the calls that the event log knows already, from before an approval or a crash.
    """

    run_id: UUID
    thread_id: UUID
    principal: Principal
    zone: str
    now: datetime
    log: EventLog
    stop: asyncio.Event
    announced: set[str]

    def caller(self, message_id: str, call_id: str) -> Caller:
        """Who calls a command: the agent for this person, under a key that a repeat of the same call has too."""
        return Caller(
            principal=self.principal,
            surface=Surface.AGENT,
            zone=self.zone,
            key=call_key(self.run_id, message_id, call_id),
            thread_id=self.thread_id,
            run_id=self.run_id,
            tool_call_id=call_id,
        )


def call_key(run_id: UUID | str, message_id: str, call_id: str) -> str:
    """The idempotency key of an agent's call; endpoints repeat ids such as ``call_0``, hence all three."""
    return f"{run_id}:{message_id}:{call_id}"
