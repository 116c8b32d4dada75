"""In whose name conversations are read and written: the workspace, and the claim of the run at work."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A process's hold on a run: whoever claims it anew counts ``fence`` up, and the one before may write no more."""

    run_id: UUID
    fence: int


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Every statement of the saver runs in this workspace; with a claim it writes only while that claim holds."""

    workspace_id: UUID
    claim: Claim | None


class TakenOver(Exception):
    """The claim on the run does not hold any more: nothing was written."""


# LangGraph offers no argument for it.
_in_force: ContextVar[Scope] = ContextVar("checkpoint_scope")


@contextmanager
def put_in_force(scope: Scope) -> Iterator[None]:
    """Work in a scope, in this task and in those started within."""
    token = _in_force.set(scope)
    try:
        yield
    finally:
        _in_force.reset(token)


def scope_in_force() -> Scope:
    """The scope of whoever asks. Raises ``RuntimeError`` where there is none: nothing is read by accident."""
    scope = _in_force.get(None)
    if scope is None:
        raise RuntimeError("Conversations are read in a workspace: use checkpoints_of(workspace_id)")
    return scope
