"""What a workspace is told of, and which accounts are to be checked again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, StoredObject, Tenant, Timed


class Notification(Tenant, Timed, Base):
    """Something that happened, or that would go wrong; the table's triggers write what became of posts.

    ``kind`` is published, failed, unconfirmed, missed, preflight (a post of the coming days would not go out) or
    reconnect. ``code``, ``message`` and ``action`` are what was known then, and None where nothing more was said.
    ``occasion`` names the attempt that ended so, and its time; None for what is no ending. ``resolved_at`` is when it
    was no longer so; ``read_at`` when somebody of the workspace had read it.
    """

    __tablename__ = "notifications"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.studio_new_id())
    kind: Mapped[str]
    account_id: Mapped[UUID]
    platform: Mapped[str]
    post_id: Mapped[UUID | None]
    occasion: Mapped[str | None]
    code: Mapped[str | None]
    message: Mapped[str | None]
    action: Mapped[str | None]
    permalink: Mapped[str | None]
    fix: Mapped[StoredObject | None]
    read_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]


class CheckRequest(Tenant, Timed, Base):
    """An account whose coming posts, token or permissions changed; gone once it was checked again."""

    __tablename__ = "check_requests"

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_id: Mapped[UUID]


class PublishTotal(Base):
    """How many posts came to an end, by network; spread over rows that connections add to side by side."""

    __tablename__ = "publish_totals"

    platform: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int]
