"""What a command is handed: who asks, when, and the doors it may use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.ports import Wake, Writer
from core.settings import Settings
from core.storage import MediaStore
from core.vault import Vault
from db.engine import Database
from platforms.base import Adapter
from tools.media.fetch import MediaFetcher
from tools.outside import OutsideText


class Role(StrEnum):
    """What a membership allows: owner all, editor all but approving, approver reading and approving, viewer reading."""

    OWNER = "owner"
    EDITOR = "editor"
    APPROVER = "approver"
    VIEWER = "viewer"

    @property
    def may_write(self) -> bool:
        """May change records and calendars."""
        return self in {Role.OWNER, Role.EDITOR}

    @property
    def may_approve(self) -> bool:
        """May say yes to what waits for a person."""
        return self in {Role.OWNER, Role.APPROVER}


class Surface(StrEnum):
    """Where a call comes from."""

    REST = "rest"
    AGENT = "agent"
    SYSTEM = "system"


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A person in a workspace. ``timezone`` is the workspace's IANA zone."""

    workspace_id: UUID
    workspace_name: str
    user_id: UUID
    user_name: str
    membership_id: UUID
    role: Role
    timezone: str


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One call's circumstances.

    ``zone`` is the IANA zone in which its time phrases are read. ``key`` makes a repeat return the first result.
    ``approval_id`` names the approved request that this call carries out.
    """

    principal: Principal
    surface: Surface
    zone: str
    key: str | None = None
    thread_id: UUID | None = None
    run_id: UUID | None = None
    tool_call_id: str | None = None
    approval_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Doors:
    """What the process offers to every command; built once by ``server.py``."""

    settings: Settings
    database: Database
    vault: Vault
    store: MediaStore
    fetcher: MediaFetcher
    adapters: Mapping[str, Adapter]
    writer: Writer
    wake: Wake


@dataclass(frozen=True, kw_only=True)
class Change:
    """A row before and after, as ``undo`` needs it; ``before`` None = the command made the row."""

    post_id: UUID
    before: dict[str, object] | None
    after: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Context:
    """One call of one command. ``now`` is the database's, aware UTC. In ``gather`` there is no session."""

    caller: Caller
    doors: Doors
    now: datetime
    open_session: AsyncSession | None = None
    approved_hash: str | None = None  # the content a person said yes to, when this call needed a yes
    changes: list[Change] = field(default_factory=list)
    made_plans: list[UUID] = field(default_factory=list)  # proposals that undo drops again
    outside: list[OutsideText] = field(default_factory=list)  # what the answer holds of others' words
    after_commit: list[Callable[[], None]] = field(default_factory=list)

    @property
    def session(self) -> AsyncSession:
        """The transaction of ``apply``; asking for it in ``gather`` is a mistake in the command."""
        if self.open_session is None:
            raise RuntimeError("gather has no session: do the reading in apply, or open one of your own and close it")
        return self.open_session

    def inside(self, session: AsyncSession) -> "Context":
        """The same call with a transaction of its own, for what ``gather`` has to read."""
        return replace(self, open_session=session)

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return self.caller.principal

    @property
    def workspace_id(self) -> UUID:
        """Whose rows these are."""
        return self.caller.principal.workspace_id
