"""Ideas that sibling posts share, and experiments with their variants."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Identified, Tenant, Timed


class Idea(Identified, Tenant, Timed, Base):
    """What sibling posts on several networks have in common; ``posts.idea_id`` names it."""

    __tablename__ = "ideas"

    about: Mapped[str]
    created_by: Mapped[UUID | None]


class Experiment(Identified, Tenant, Timed, Base):
    """Posts that differ in one thing only, made to be compared."""

    __tablename__ = "experiments"

    vary: Mapped[str]  # caption | image | time
    hypothesis: Mapped[str | None]
    created_by: Mapped[UUID | None]


class ExperimentVariant(Tenant, Base):
    """A post's place in an experiment: A is the post that it began with."""

    __tablename__ = "experiment_variants"

    experiment_id: Mapped[UUID] = mapped_column(primary_key=True)
    letter: Mapped[str] = mapped_column(primary_key=True)
    post_id: Mapped[UUID]
