"""People: users, workspaces, memberships with a role, API keys, and browser sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Identified, Tenant, Timed


class User(Identified, Timed, Base):
    """A person; what they may do is said by their memberships."""

    __tablename__ = "users"

    name: Mapped[str]
    email: Mapped[str | None]


class Workspace(Identified, Timed, Base):
    """One brand or client: everything else belongs to one. ``timezone`` is an IANA name."""

    __tablename__ = "workspaces"

    name: Mapped[str]
    timezone: Mapped[str]


class Membership(Identified, Tenant, Timed, Base):
    """A user's role in a workspace: owner, editor, approver or viewer."""

    __tablename__ = "memberships"

    user_id: Mapped[UUID]
    role: Mapped[str]


class ApiKey(Identified, Tenant, Timed, Base):
    """A membership's key for the API: only its SHA-256 is kept; by ``prefix`` people tell keys apart."""

    __tablename__ = "api_keys"

    membership_id: Mapped[UUID]
    name: Mapped[str]
    prefix: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class BrowserToken(Identified, Tenant, Timed, Base):
    """A one-time sign-in link or the session cookie that it was exchanged for; only the SHA-256 is kept."""

    __tablename__ = "browser_tokens"

    membership_id: Mapped[UUID]
    kind: Mapped[str]  # link | session
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]
