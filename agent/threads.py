"""Conversations as surfaces see them: listed, opened, read, deleted."""

from collections.abc import Sequence
from uuid import UUID

from agent.agent import Agent
from core.errors import Conflict, NotFound
from core.ids import new_id
from db.engine import Database
from db.models.conversation import Run, Thread
from db.queries import runs, threads
from memory import transcript
from tools.context import Principal


class ThreadService:
    """What surfaces may do with conversations, in the principal's workspace."""

    def __init__(self, *, database: Database, agent: Agent) -> None:
        self._database = database
        self._agent = agent

    async def list_threads(
        self, principal: Principal, *, after: UUID | None = None, limit: int = 50
    ) -> tuple[Sequence[dict[str, object]], UUID | None]:
        """Conversations, newest first, without their messages; and the cursor of the next page, None at the end."""
        async with self._database.session(principal.workspace_id) as session:
            found = await threads.page(session, after=after, limit=limit + 1)
            shown = found[:limit]
            active = await runs.active(session, [thread.id for thread in shown])
        return [_shown(thread, active.get(thread.id)) for thread in shown], shown[-1].id if len(found) > limit else None

    async def get_thread(self, principal: Principal, thread_id: UUID) -> dict[str, object]:
        """A conversation with all that was said."""
        async with self._database.session(principal.workspace_id) as session:
            thread = await threads.get(session, thread_id)
            if thread is None:
                raise _no_thread(thread_id)
            said = await threads.messages(session, thread_id)
            active = await runs.active(session, [thread_id])
        return {**_shown(thread, active.get(thread_id)), "messages": [transcript.shown(line) for line in said]}

    async def create_thread(self, principal: Principal, *, title: str = "") -> dict[str, object]:
        """An empty conversation; without a title it takes that of its first message."""
        async with self._database.session(principal.workspace_id) as session:
            thread = Thread(
                id=new_id(),
                workspace_id=principal.workspace_id,
                title=title.strip(),
                focus=[],
                created_by=principal.user_id,
            )
            session.add(thread)
            await session.flush()
            await session.refresh(thread)
        return {**_shown(thread, None), "messages": []}

    async def delete_thread(self, principal: Principal, thread_id: UUID) -> None:
        """Delete a conversation and what the agent remembers of it; posts stay. ``Conflict`` while it answers."""
        async with self._database.session(principal.workspace_id) as session:
            thread = await threads.get(session, thread_id, lock=True)
            if thread is None:
                raise _no_thread(thread_id)
            if any(run.status == "running" for run in await runs.unfinished(session, thread_id)):
                raise Conflict("The agent is answering in it.", code="thread_busy", action="Stop the run first.")
            await threads.remove(session, thread_id)
        await self._agent.forget(principal.workspace_id, thread_id)


def _no_thread(thread_id: UUID) -> NotFound:
    return NotFound(f"There is no conversation {thread_id}.", action="Check the id.")


def _shown(thread: Thread, active: Run | None) -> dict[str, object]:
    return {
        "id": str(thread.id),
        "title": thread.title,
        "created_at": thread.created_at.isoformat(),
        "updated_at": thread.updated_at.isoformat(),
        "active_run": {"id": str(active.id), "status": active.status} if active else None,
    }
