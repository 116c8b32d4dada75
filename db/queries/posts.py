"""Statements about posts and their media."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.ids import parse_id
from db.models.account import Account, Asset
from db.models.post import Post, PostMedium, PublishAttempt, Status


async def get(session: AsyncSession, post_id: UUID, *, lock: bool = False) -> Post | None:
    """A post of this workspace, None when there is none; ``lock`` holds it until the transaction ends."""
    statement = select(Post).where(Post.id == post_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).one_or_none()


async def by_code(session: AsyncSession, code: str) -> Post | None:
    """The post with a short code (case does not matter)."""
    return (await session.scalars(select(Post).where(Post.code == code.upper()))).one_or_none()


async def locked(session: AsyncSession, post_ids: Collection[UUID]) -> Sequence[Post]:
    """Hold these posts until the transaction ends, taken one after another by their ids; as they are now."""
    statement = select(Post).where(Post.id.in_(post_ids)).order_by(Post.id).with_for_update()
    return (await session.scalars(statement.execution_options(populate_existing=True))).all()


async def by_platform_id(session: AsyncSession, account_id: UUID, platform_post_id: str) -> Post | None:
    """The post of an account that the network knows by this id."""
    statement = select(Post).where(Post.account_id == account_id, Post.platform_post_id == platform_post_id)
    return (await session.scalars(statement.limit(1))).one_or_none()


async def by_ids(session: AsyncSession, post_ids: Collection[UUID]) -> Sequence[Post]:
    """The posts of these ids that exist here, newest first."""
    statement = select(Post).where(Post.id.in_(post_ids)).order_by(Post.id.desc())
    return (await session.scalars(statement)).all()


@dataclass(frozen=True, kw_only=True)
class PostFilter:
    """What a list is narrowed to; None = not narrowed. The window is half-open and concerns ``scheduled_for``
    (``published_at`` where a post has no plan).
    """

    statuses: Collection[str] | None = None
    platform: str | None = None
    account_id: UUID | None = None
    start: datetime | None = None
    end: datetime | None = None
    words: Sequence[str] = ()
    ids: Collection[UUID] | None = None


def _moment() -> ColumnElement[datetime | None]:
    """Where a post is on the calendar, in the words of the index ``posts_by_plan``."""
    return case((Post.scheduled_for.is_not(None), Post.scheduled_for), else_=Post.published_at)


def _conditions(wanted: PostFilter) -> list[ColumnElement[bool]]:
    moment = _moment()
    conditions: list[ColumnElement[bool]] = []
    if wanted.ids is not None:
        conditions.append(Post.id.in_(wanted.ids))
    if wanted.statuses is not None:
        conditions.append(Post.status.in_(list(wanted.statuses)))
    if wanted.platform is not None:
        conditions.append(Post.platform == wanted.platform)
    if wanted.account_id is not None:
        conditions.append(Post.account_id == wanted.account_id)
    if wanted.start is not None:
        conditions.append(moment >= wanted.start)
    if wanted.end is not None:
        conditions.append(moment < wanted.end)
    haystack = func.lower(Post.caption + " " + func.coalesce(Post.about, ""))
    conditions.extend(func.strpos(haystack, word.lower()) > 0 for word in wanted.words)
    return conditions


async def page(
    session: AsyncSession, wanted: PostFilter, *, limit: int, after: tuple[datetime | None, UUID] | None, by_time: bool
) -> Sequence[Post]:
    """At most ``limit`` posts: by time of the plan (oldest first, undated last), or newest made first.

    ``after`` is the last row of the page before: its plan time (None = undated) and its id.
    """
    moment = _moment()
    statement = select(Post).where(*_conditions(wanted)).limit(limit)
    if not by_time:
        if after is not None:
            statement = statement.where(Post.id < after[1])
        return (await session.scalars(statement.order_by(Post.id.desc()))).all()
    if after is not None and after[0] is not None:
        later = or_(moment > after[0], and_(moment == after[0], Post.id > after[1]), moment.is_(None))
        statement = statement.where(later)
    elif after is not None:
        statement = statement.where(moment.is_(None), Post.id > after[1])
    return (await session.scalars(statement.order_by(moment.asc().nulls_last(), Post.id))).all()


async def count(session: AsyncSession, wanted: PostFilter) -> int:
    """How many posts a filter matches."""
    return await session.scalar(select(func.count()).select_from(Post).where(*_conditions(wanted))) or 0


async def newest(
    session: AsyncSession, *, statuses: Collection[str] | None = None, user_id: UUID | None = None
) -> Post | None:
    """The post made last, of some statuses and by somebody when given."""
    statement = select(Post).order_by(Post.id.desc()).limit(1)
    if statuses is not None:
        statement = statement.where(Post.status.in_(list(statuses)))
    if user_id is not None:
        statement = statement.where(Post.created_by == user_id)
    return (await session.scalars(statement)).one_or_none()


async def neighbours(session: AsyncSession, post: Post, at: datetime, *, within: timedelta) -> Sequence[Post]:
    """Other posts of the same account that go out closer to ``at`` than ``within``."""
    statement = (
        select(Post)
        .where(
            Post.account_id == post.account_id,
            Post.id != post.id,
            Post.status.in_([Status.SCHEDULED, Status.PUBLISHING]),
            Post.scheduled_for > at - within,
            Post.scheduled_for < at + within,
        )
        .order_by(Post.scheduled_for)
    )
    return (await session.scalars(statement)).all()


async def taken_times(
    session: AsyncSession, account_id: UUID, start: datetime, end: datetime, *, besides: Collection[UUID] = ()
) -> Sequence[datetime]:
    """When posts of an account are planned between two moments, some left out."""
    statement = select(Post.scheduled_for).where(
        Post.account_id == account_id,
        Post.status.in_([Status.SCHEDULED, Status.PUBLISHING, Status.POSTED]),
        Post.scheduled_for >= start,
        Post.scheduled_for < end,
        Post.id.not_in(besides),
    )
    return [moment for moment in (await session.scalars(statement)).all() if moment is not None]


async def planned(
    session: AsyncSession, account_ids: Collection[UUID], start: datetime, end: datetime, *, besides: Collection[UUID]
) -> Sequence[Post]:
    """What goes out on some accounts between two moments, both included, some posts left out."""
    statement = select(Post).where(
        Post.account_id.in_(account_ids),
        Post.id.not_in(besides),
        Post.status.in_([Status.SCHEDULED, Status.PUBLISHING]),
        Post.scheduled_for.between(start, end),
    )
    return (await session.scalars(statement.order_by(Post.scheduled_for))).all()


@dataclass(frozen=True, kw_only=True)
class PostMediumRow:
    """A medium of a post with its asset."""

    medium: PostMedium
    asset: Asset


class PostMedia(list[PostMediumRow]):
    """The media of a post, in order; ``cover`` is the asset that its option "cover" names, None without one."""

    cover: Asset | None = None


async def media_of(session: AsyncSession, post_ids: Collection[UUID], *, covers: bool = True) -> dict[UUID, PostMedia]:
    """The media of posts, in order; ``covers`` False leaves out what their options name."""
    statement = (
        select(PostMedium, Asset)
        .join(Asset, and_(Asset.id == PostMedium.asset_id, Asset.workspace_id == PostMedium.workspace_id))
        .where(PostMedium.post_id.in_(post_ids))
        .order_by(PostMedium.post_id, PostMedium.position)
    )
    found = {post_id: PostMedia() for post_id in post_ids}
    for medium, asset in (await session.execute(statement)).all():
        found[medium.post_id].append(PostMediumRow(medium=medium, asset=asset))
    if covers:
        await _add_covers(session, found)
    return found


async def _add_covers(session: AsyncSession, found: dict[UUID, PostMedia]) -> None:
    cover = Post.options["cover"].astext
    rows = await session.execute(select(Post.id, cover).where(Post.id.in_(found), cover.is_not(None)))
    named = {post_id: asset_id for post_id, name in rows.all() if (asset_id := parse_id(name)) is not None}
    if not named:
        return
    # Row-level security shows the assets of this workspace alone, whatever id an option spells.
    assets = await session.scalars(select(Asset).where(Asset.id.in_(named.values())))
    by_id = {asset.id: asset for asset in assets.all()}
    for post_id, asset_id in named.items():
        found[post_id].cover = by_id.get(asset_id)


async def replace_media(session: AsyncSession, post: Post, media: Sequence[tuple[UUID, str | None]]) -> None:
    """Give a post these assets, with their alternative texts, in this order."""
    await session.execute(text("delete from post_media where post_id = :post"), {"post": post.id})
    session.add_all(
        PostMedium(
            workspace_id=post.workspace_id, post_id=post.id, position=position, asset_id=asset_id, alt_text=alt_text
        )
        for position, (asset_id, alt_text) in enumerate(media)
    )
    await session.flush()


async def accounts_of(session: AsyncSession, posts: Collection[Post]) -> dict[UUID, Account]:
    """The accounts that posts belong to, by id."""
    statement = select(Account).where(Account.id.in_({post.account_id for post in posts}))
    return {account.id: account for account in (await session.scalars(statement)).all()}


async def attempts_of(session: AsyncSession, post_id: UUID) -> Sequence[PublishAttempt]:
    """The publishing ledger of a post, oldest first."""
    statement = select(PublishAttempt).where(PublishAttempt.post_id == post_id).order_by(PublishAttempt.number)
    return (await session.scalars(statement)).all()


async def live_ids(session: AsyncSession, account_id: UUID, *, besides: UUID, since: datetime) -> frozenset[str]:
    """The network's ids of an account's other posts that went live since a moment."""
    statement = select(Post.platform_post_id).where(
        Post.account_id == account_id,
        Post.id != besides,
        Post.status == Status.POSTED,
        Post.published_at >= since,
        Post.platform_post_id.is_not(None),
    )
    return frozenset(found for found in (await session.scalars(statement)).all() if found is not None)


async def any_post(session: AsyncSession) -> bool:
    """Whether the workspace has a post at all."""
    return (await session.scalars(select(Post.id).limit(1))).first() is not None
