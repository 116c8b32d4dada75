"""Statements about plans and their items."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.plan import Plan, PlanItem


async def get(session: AsyncSession, plan_id: UUID, *, lock: bool = False) -> Plan | None:
    """A plan of this workspace; ``lock`` makes others that accept it wait until the transaction ends."""
    statement = select(Plan).where(Plan.id == plan_id)
    return (await session.scalars(statement.with_for_update() if lock else statement)).one_or_none()


async def newest(session: AsyncSession, *, user_id: UUID) -> Plan | None:
    """The plan that somebody made last."""
    statement = select(Plan).where(Plan.created_by == user_id).order_by(Plan.id.desc()).limit(1)
    return (await session.scalars(statement)).one_or_none()


async def items_of(session: AsyncSession, plan_id: UUID) -> Sequence[PlanItem]:
    """The items of a plan, by number."""
    statement = select(PlanItem).where(PlanItem.plan_id == plan_id).order_by(PlanItem.number)
    return (await session.scalars(statement.execution_options(populate_existing=True))).all()


async def release(session: AsyncSession, post_id: UUID) -> None:
    """Open the items that made a post again: it was taken back, so they can be accepted once more."""
    await session.execute(update(PlanItem).where(PlanItem.post_id == post_id).values(post_id=None))
