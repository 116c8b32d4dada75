"""Statements about notifications: pages, what was read, and problems that come and go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.account import Account
from db.models.notification import Notification
from db.models.post import Post


@dataclass(frozen=True, kw_only=True)
class NotificationFilter:
    """What a list is narrowed to; None = not narrowed. ``since`` is aware and included."""

    kinds: Collection[str] | None = None
    unread: bool = False
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Told:
    """A notification with what it is about; ``post`` is None where it is about an account alone."""

    notification: Notification
    account: Account
    post: Post | None


def _conditions(wanted: NotificationFilter) -> list[object]:
    conditions: list[object] = []
    if wanted.kinds is not None:
        conditions.append(Notification.kind.in_(list(wanted.kinds)))
    if wanted.unread:
        conditions.append(Notification.read_at.is_(None))
    if wanted.since is not None:
        conditions.append(Notification.created_at >= wanted.since)
    return conditions


async def page(session: AsyncSession, wanted: NotificationFilter, *, limit: int, before: UUID | None) -> Sequence[Told]:
    """At most ``limit`` of them, newest first; ``before`` is the last id of the page before."""
    statement = (
        select(Notification, Account, Post)
        .join(Account, Account.id == Notification.account_id)
        .outerjoin(Post, Post.id == Notification.post_id)
        .where(*_conditions(wanted))  # type: ignore[arg-type]
        .order_by(Notification.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(Notification.id < before)
    rows = (await session.execute(statement)).all()
    return [Told(notification=notification, account=account, post=post) for notification, account, post in rows]


async def count(session: AsyncSession, wanted: NotificationFilter) -> int:
    """How many a filter matches."""
    statement = select(func.count()).select_from(Notification).where(*_conditions(wanted))  # type: ignore[arg-type]
    return await session.scalar(statement) or 0


async def mark_read(session: AsyncSession, ids: Collection[UUID] | None, *, until: UUID | None) -> int:
    """Say that these were read, or all of them, or all up to one; how many were not before."""
    statement = update(Notification).where(Notification.read_at.is_(None)).values(read_at=func.studio_now())
    if ids is not None:
        statement = statement.where(Notification.id.in_(ids))
    if until is not None:
        statement = statement.where(Notification.id <= until)
    return len((await session.execute(statement.returning(Notification.id))).all())


async def add_problems(session: AsyncSession, rows: Sequence[dict[str, object]]) -> None:
    """Tell of problems found before anything went out; one that is told of already is not told again."""
    if rows:
        await session.execute(insert(Notification).on_conflict_do_nothing(), rows)


async def open_problems(session: AsyncSession, account_id: UUID) -> Sequence[Notification]:
    """The problems of an account and its coming posts that are still so, as far as it was told."""
    statement = select(Notification).where(
        Notification.account_id == account_id,
        Notification.kind == "preflight",
        Notification.resolved_at.is_(None),
    )
    return (await session.scalars(statement)).all()


async def resolve(session: AsyncSession, ids: Collection[UUID]) -> None:
    """Say that these are so no longer."""
    if ids:
        statement = update(Notification).where(Notification.id.in_(ids)).values(resolved_at=func.studio_now())
        await session.execute(statement)


async def forget(session: AsyncSession, account_id: UUID, *, older_than: timedelta, most: int) -> int:
    """Delete what an account's posts came to longer ago than this, at most so many at a time; how many."""
    old = (
        select(Notification.workspace_id, Notification.id)
        .where(
            Notification.account_id == account_id,
            Notification.created_at < text("studio_now() - :age").bindparams(age=older_than),
        )
        .limit(most)
    )
    key = tuple_(Notification.workspace_id, Notification.id)
    return len((await session.execute(delete(Notification).where(key.in_(old)).returning(Notification.id))).all())
