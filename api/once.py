"""The Idempotency-Key of requests that are no single command: the same key again gets the first answer.

Commands have this from the door itself; starting a run, answering an approval and the like are kept beside them, in the
same table of calls.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.errors import Conflict, InvalidInput
from core.ids import new_id
from db.models.conversation import ToolCall
from db.queries import calls
from tools.context import Doors, Principal
from tools.dispatcher import fingerprint
from tools.storable import unstorable


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An answer, and whether it is the first one again."""

    answer: dict[str, object]
    replayed: bool


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What is asked for: ``name`` and ``arguments`` must be the same when a key is repeated."""

    name: str
    arguments: dict[str, object]
    key: str | None


async def once(
    doors: Doors, principal: Principal, deed: Deed, perform: Callable[[], Awaitable[dict[str, object]]]
) -> Kept:
    """Do it, unless this key was used before; an error is not kept, so that the request can be repeated.

    The deed commits on its own, a moment before its answer is kept: a process killed in between lets a repeat do it
    again, which is why commands have their key in the transaction of their effect instead. Raises ``InvalidInput`` for
    arguments that no database keeps.
    """
    require_storable(deed.arguments)
    if deed.key is None:
        return Kept(answer=await perform(), replayed=False)
    async with doors.database.session(principal.workspace_id) as session:
        # Two requests with one key at the same moment: the second waits here, then finds the first one's answer.
        await calls.reserve(session, f"{principal.workspace_id}:{deed.key}")
        if (call := await calls.by_key(session, deed.key)) is not None:
            return Kept(answer=_same(call, deed), replayed=True)
        answer = await perform()
        await calls.record(session, row(principal, deed, answer))
    return Kept(answer=answer, replayed=False)


def require_storable(given: object) -> None:
    """Raise ``InvalidInput`` for text or numbers that PostgreSQL cannot keep, such as a NUL character."""
    if problems := unstorable(given):
        listed = " ".join(f"{problem.path}: {problem.message}" for problem in problems[:5])
        raise InvalidInput(
            f"The request does not fit: {listed}",
            code="invalid_input",
            action="Correct the named fields.",
            problems=problems,
        )


def row(principal: Principal, deed: Deed, answer: dict[str, object]) -> dict[str, object]:
    """The row that keeps an answer: it changed no post, so undo passes it by."""
    return {
        "id": new_id(),
        "workspace_id": principal.workspace_id,
        "key": deed.key,
        "command": deed.name,
        "args": deed.arguments,
        "args_hash": fingerprint(deed.arguments),
        "result": answer,
        "user_id": principal.user_id,
        "surface": "rest",
        "thread_id": None,
        "run_id": None,
        "changes": [],
    }


def _same(call: ToolCall, deed: Deed) -> dict[str, object]:
    if call.command != deed.name or call.args_hash != fingerprint(deed.arguments):
        raise Conflict(
            "This idempotency key was used before for something else.",
            code="idempotency_key_reused",
            action="Use a new key for a new request; repeat a key only with the very same request.",
        )
    return call.result
