"""Posts: what is to go out where and when, and the ledger of every attempt to send it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import DateTime, func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Identified, StoredList, StoredObject, Tenant, Timed


class Status(StrEnum):
    """Where a post is between an idea and the network."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    POSTED = "posted"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Approval(StrEnum):
    """Whether a person's yes is needed, given, or no longer about this content."""

    NONE = "none"
    REQUIRED = "required"
    GRANTED = "granted"
    STALE = "stale"


class Post(Identified, Tenant, Timed, Base):
    """One post on one account.

    ``scheduled_for`` is what a person asked for and never moves by itself (``wall_time`` and ``zone`` keep the words of
    the clock on the wall); ``next_attempt_at`` is when the scheduler looks next. ``fence`` grows with every claim: work
    writes back only while it holds the newest. ``waits``: its time has come, and another post of its account is on its
    way (``account_turns``). ``version`` grows with every change that a person can see. A cancelled
    post with ``deleted_at`` was live, and was taken down at the network then.
    """

    __tablename__ = "posts"

    code: Mapped[str]
    account_id: Mapped[UUID]
    platform: Mapped[str]
    format: Mapped[str]
    options: Mapped[StoredObject]
    status: Mapped[str]
    approval: Mapped[str]
    approved_hash: Mapped[str | None]
    caption: Mapped[str]
    about: Mapped[str | None]
    scheduled_for: Mapped[datetime | None]
    wall_time: Mapped[datetime | None] = mapped_column(DateTime(timezone=False))
    zone: Mapped[str | None]
    published_at: Mapped[datetime | None]
    platform_post_id: Mapped[str | None]
    permalink: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    waits: Mapped[bool] = mapped_column(default=False, server_default="false")
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[StoredObject | None]
    idea_id: Mapped[UUID | None]
    experiment_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    counts: Mapped[StoredObject | None]  # what the network counts, without what it does not say
    counts_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.studio_now())


class PostMedium(Tenant, Base):
    """An asset at a place in a post, with the words for those who cannot see it."""

    __tablename__ = "post_media"

    post_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[UUID]
    alt_text: Mapped[str | None]


class PublishAttempt(Identified, Tenant, Base):
    """One try at publishing a post, written before and after every outward call.

    ``step`` with ``intent_at`` says which call may be on its way; both are None between calls. ``progress`` is what the
    adapter needs to go on, ``steps`` is the evidence a person can read.
    """

    __tablename__ = "publish_attempts"

    post_id: Mapped[UUID]
    number: Mapped[int]
    state: Mapped[str]  # open | posted | failed | unconfirmed | retry | abandoned
    step: Mapped[str | None]
    step_irreversible: Mapped[bool] = mapped_column(default=False)
    intent_at: Mapped[datetime | None]
    progress: Mapped[StoredObject]
    steps: Mapped[StoredList]
    content_hash: Mapped[str]
    refreshed: Mapped[bool] = mapped_column(default=False)
    error: Mapped[StoredObject | None]
    started_at: Mapped[datetime] = mapped_column(server_default=func.studio_now())
    ended_at: Mapped[datetime | None]
