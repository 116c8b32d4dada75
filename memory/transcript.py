"""The transcript that people see: lines of a conversation, kept apart from what the model is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncSession

from db.models.conversation import Message
from db.queries import threads


@dataclass(frozen=True, kw_only=True)
class Line:
    """Something said in a run. ``key`` is its name within the run: the same line is kept once, however often written.

    ``role`` is user, assistant or tool; ``details`` is for programs, None = nothing more to say.
    """

    key: str
    role: str
    content: str
    details: Mapping[str, object] | None = None


async def keep(
    session: AsyncSession, *, workspace_id: UUID, thread_id: UUID, run_id: UUID, lines: Sequence[Line]
) -> None:
    """Write lines that are not there yet, in order, and say that something happened in the thread."""
    await threads.say(
        session,
        [
            {
                "id": uuid5(run_id, line.key),
                "workspace_id": workspace_id,
                "thread_id": thread_id,
                "run_id": run_id,
                "role": line.role,
                "content": line.content,
                "details": dict(line.details) if line.details is not None else None,
            }
            for line in lines
        ],
    )
    await threads.touch(session, thread_id)


def shown(message: Message) -> dict[str, object]:
    """A line as JSON."""
    return {
        "id": str(message.id),
        "role": message.role,
        "content": message.content,
        "run_id": str(message.run_id) if message.run_id else None,
        "created_at": message.created_at.isoformat(),
        "details": message.details,
    }
