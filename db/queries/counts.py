"""Statements about what networks count of live posts: which account is due, of which posts, and what was answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.post import Post, Status


@dataclass(frozen=True, kw_only=True)
class DueAccount:
    """A claimed account of any workspace."""

    id: UUID
    workspace_id: UUID
    fence: int


async def claim(session: AsyncSession, *, batch: int, lease: timedelta) -> Sequence[DueAccount]:
    """Claim accounts of all workspaces whose counts are due, longest waiting first."""
    statement = text("select id, workspace_id, fence from claim_counts(:batch, :lease)")
    rows = await session.execute(statement, {"batch": batch, "lease": lease})
    return [DueAccount(**row) for row in rows.mappings()]


async def live_posts(session: AsyncSession, account_id: UUID, *, within: timedelta, limit: int) -> Sequence[Post]:
    """The account's newest live posts that went out within this time."""
    statement = (
        select(Post)
        .where(
            Post.account_id == account_id,
            Post.status == Status.POSTED,
            Post.platform_post_id.is_not(None),
            Post.published_at >= text("studio_now() - :within").bindparams(within=within),
        )
        .order_by(Post.published_at.desc())
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


_KEEP = text("""
    with held as (
      update accounts set counts_due = studio_now() + :next_in
      where id = :account and counts_fence = :fence
      returning id
    )
    update posts p set counts = n.value, counts_at = studio_now()
    from jsonb_each(:counts) n, held
    where p.account_id = held.id and p.status = 'posted' and p.platform_post_id = n.key
    returning p.id
""")


async def keep(
    session: AsyncSession,
    account_id: UUID,
    *,
    fence: int,
    counts: Mapping[str, Mapping[str, int]],
    next_in: timedelta,
) -> int:
    """Write what was counted, by the network's post ids, and when to ask next, while the claim holds; rows written."""
    given = {"account": account_id, "fence": fence, "counts": Jsonb(counts), "next_in": next_in}
    return len((await session.execute(_KEEP, given)).all())
