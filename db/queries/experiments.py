"""Statements about experiments."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.idea import Experiment, ExperimentVariant
from db.models.post import Post, Status


async def get(session: AsyncSession, experiment_id: UUID) -> Experiment | None:
    """An experiment of this workspace."""
    return (await session.scalars(select(Experiment).where(Experiment.id == experiment_id))).one_or_none()


async def variants_of(session: AsyncSession, experiment_id: UUID) -> Sequence[tuple[str, Post]]:
    """The posts of an experiment with their letters, A first."""
    statement = (
        select(ExperimentVariant.letter, Post)
        .join(Post, and_(Post.id == ExperimentVariant.post_id, Post.workspace_id == ExperimentVariant.workspace_id))
        .where(ExperimentVariant.experiment_id == experiment_id)
        .order_by(ExperimentVariant.letter)
    )
    return [(letter, post) for letter, post in (await session.execute(statement)).all()]


async def is_open(session: AsyncSession, experiment_id: UUID, *, besides: UUID) -> bool:
    """Whether an experiment has a variant, other than one post, that was not cancelled."""
    found = await variants_of(session, experiment_id)
    return any(post.id != besides and post.status != Status.CANCELLED for _, post in found)
