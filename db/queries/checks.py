"""Statements about checking what is planned: whose turn it is, the coming posts of accounts, and what was found."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import ColumnElement, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.account import Account
from db.models.notification import CheckRequest
from db.models.plan import PlanItem
from db.models.post import Post, Status


@dataclass(frozen=True, kw_only=True)
class DueAccount:
    """A claimed account of any workspace."""

    id: UUID
    workspace_id: UUID
    fence: int


async def claim(session: AsyncSession, *, batch: int, lease: timedelta, setup: str | None) -> Sequence[DueAccount]:
    """Claim accounts of all workspaces that are due, or whose posts, token or permissions changed.

    ``setup`` names the installation's settings; given, accounts that were checked under others are due as well.
    """
    statement = text("select id, workspace_id, fence from claim_checks(:batch, :lease, :setup)")
    rows = await session.execute(statement, {"batch": batch, "lease": lease, "setup": setup})
    return [DueAccount(**row) for row in rows.mappings()]


async def take_requests(session: AsyncSession, account_id: UUID, *, fence: int) -> bool:
    """Answer for every change so far, what changes after this asks anew; False when the claim was lost."""
    held = select(Account.id).where(Account.id == account_id, Account.check_fence == fence)
    if (await session.scalars(held)).first() is None:
        return False
    await session.execute(delete(CheckRequest).where(CheckRequest.account_id.in_(held)))
    return True


@dataclass(frozen=True, kw_only=True)
class PlannedAccount:
    """An account and whether it has a token to renew the other with."""

    account: Account
    renewable: bool


async def accounts(
    session: AsyncSession, *, account_id: UUID | None = None, platform: str | None = None
) -> Sequence[PlannedAccount]:
    """The workspace's accounts in every state, without their tokens."""
    statement = select(Account, Account.refresh_token.is_not(None)).order_by(Account.platform, Account.handle)
    if account_id is not None:
        statement = statement.where(Account.id == account_id)
    if platform is not None:
        statement = statement.where(Account.platform == platform)
    rows = (await session.execute(statement)).all()
    return [PlannedAccount(account=account, renewable=renewable) for account, renewable in rows]


async def coming(
    session: AsyncSession, account_ids: Collection[UUID], start: datetime, end: datetime, *, most: int
) -> Sequence[Post]:
    """What is on the calendar of some accounts between two moments (half-open), by time; at most ``most`` posts."""
    statement = (
        select(Post)
        .where(
            Post.account_id.in_(account_ids),
            Post.status.in_([Status.SCHEDULED, Status.PUBLISHING]),
            Post.scheduled_for >= start,
            Post.scheduled_for < end,
        )
        .order_by(Post.scheduled_for, Post.id)
        .limit(most)
    )
    return (await session.scalars(statement)).all()


async def wished(
    session: AsyncSession, account_ids: Collection[UUID], start: datetime, end: datetime, *, most: int
) -> Sequence[tuple[Post, datetime]]:
    """Drafts of plans with the time that the plan wants for them, where that is between two moments (half-open)."""
    statement = (
        select(Post, PlanItem.planned_for)
        .join(PlanItem, _is_proposed())
        .where(
            Post.account_id.in_(account_ids),
            Post.status == Status.DRAFT,
            PlanItem.planned_for >= start,
            PlanItem.planned_for < end,
        )
        .order_by(PlanItem.planned_for, Post.id)
        .limit(most)
    )
    return [(post, planned_for) for post, planned_for in (await session.execute(statement)).all()]


def _is_proposed() -> ColumnElement[bool]:
    return (PlanItem.post_id == Post.id) & (PlanItem.workspace_id == Post.workspace_id)


async def sent(
    session: AsyncSession, account_ids: Collection[UUID], since: datetime
) -> Sequence[tuple[UUID, datetime]]:
    """When posts of some accounts went live since a moment, as (account, time); what was taken down counts too."""
    statement = select(Post.account_id, Post.published_at).where(
        Post.account_id.in_(account_ids),
        # Nothing goes out a day after its time: this narrows the search by an index.
        Post.scheduled_for >= since - timedelta(days=1),
        Post.published_at >= since,
        Post.status.in_([Status.POSTED, Status.CANCELLED]),
    )
    rows = (await session.execute(statement)).all()
    return [(account_id, at) for account_id, at in rows if at is not None]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check leaves at its account; ``asked``: the network itself was asked just now."""

    setup: str
    found: dict[str, object]
    asked: bool
    next_in: timedelta


async def finish(session: AsyncSession, account_id: UUID, *, fence: int, checked: Checked) -> bool:
    """Give the account back until its next check; False when the claim was lost, and nothing is written then."""
    statement = text(
        "update accounts set check_lease = null, check_due = studio_now() + :next_in, check_setup = :setup,"
        " check_found = :found, asked_at = case when :asked then studio_now() else asked_at end"
        " where id = :account and check_fence = :fence returning id"
    )
    values = {
        "account": account_id,
        "fence": fence,
        "next_in": checked.next_in,
        "setup": checked.setup,
        "found": Jsonb(checked.found) if checked.found else None,
        "asked": checked.asked,
    }
    return (await session.execute(statement, values)).first() is not None
