"""Plans: what could go out in a stretch of time, not on the calendar until somebody accepts it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from db.models.base import Base, Identified, Tenant, Timed


class Plan(Identified, Tenant, Timed, Base):
    """A proposal for the time between ``starts_at`` and ``ends_at`` (half-open, UTC); ``rests_on`` says on what."""

    __tablename__ = "plans"

    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    rests_on: Mapped[str]
    created_by: Mapped[UUID | None]


class PlanItem(Identified, Tenant, Timed, Base):
    """One post of a plan, by its number.

    ``post_id`` is the draft that it proposes, or the post that accepting it made; None = there is no post yet. Whether
    it was accepted is said by that post's state, so that undo has one thing to take back.
    """

    __tablename__ = "plan_items"

    plan_id: Mapped[UUID]
    number: Mapped[int]
    account_id: Mapped[UUID]
    post_id: Mapped[UUID | None]
    topic: Mapped[str]
    caption: Mapped[str]
    why: Mapped[str]
    planned_for: Mapped[datetime]
