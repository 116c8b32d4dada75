"""Statements about plans and their items."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select, text, update
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


async def is_accepted(session: AsyncSession, plan_id: UUID) -> bool:
    """Whether a post of this plan was made by accepting it, or is on its way since."""
    statement = text(
        "select exists (select 1 from plan_items i join posts p on p.workspace_id = i.workspace_id and p.id = i.post_id"
        " join plans l on l.workspace_id = i.workspace_id and l.id = i.plan_id"
        " where i.plan_id = :plan and p.status <> 'cancelled' and (p.created_at > l.created_at or p.status <> 'draft'))"
    )
    return bool(await session.scalar(statement, {"plan": plan_id}))


async def drop(session: AsyncSession, plan_id: UUID) -> bool:
    """Delete a plan with its items; the posts it speaks of stay. False when it is gone already."""
    statement = delete(Plan).where(Plan.id == plan_id).returning(Plan.id)
    return (await session.scalars(statement)).one_or_none() is not None
