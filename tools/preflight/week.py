"""Reading the weeks of accounts: a handful of statements whatever the number of posts, then a look at the store."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.storage import MediaStore
from db.models.post import Post
from db.queries import checks, posts
from db.queries.checks import PlannedAccount
from db.queries.posts import PostMedia
from tools.context import Doors
from tools.posts.content import cover_of
from tools.posts.times import CLASH_WITHIN
from tools.preflight.account_rules import account_obstacles
from tools.preflight.obstacle import AccountWeek, Obstacle, Planned
from tools.preflight.post_rules import post_obstacles

# So many posts are looked at in one go: far more than networks take of one account in a week.
MOST_POSTS = 5_000
_AT_ONCE = 500  # posts whose media are read by one statement
_LOOKS = 16  # files that are looked for at the same time
_A_DAY = timedelta(hours=24)


async def read_weeks(
    doors: Doors, session: AsyncSession, found: Sequence[PlannedAccount], start: datetime, end: datetime
) -> tuple[AccountWeek, ...]:
    """The weeks of these accounts between two moments (half-open), their stored media not looked for yet."""
    ids = [each.account.id for each in found]
    # A day before and a quarter of an hour after count against what is inside.
    earliest, latest = start - _A_DAY, end + CLASH_WITHIN
    scheduled = await checks.coming(session, ids, earliest, latest, most=MOST_POSTS)
    wished = await checks.wished(session, ids, start, end, most=MOST_POSTS)
    media = await _media_of(session, [*scheduled, *(post for post, _ in wished)])
    planned: dict[UUID, list[Planned]] = {account_id: [] for account_id in ids}
    for post in scheduled:
        assert post.scheduled_for is not None
        planned[post.account_id].append(Planned(post=post, media=media[post.id], due=post.scheduled_for))
    for post, due in wished:
        planned[post.account_id].append(Planned(post=post, media=media[post.id], due=due, scheduled=False))
    sent: dict[UUID, list[datetime]] = {account_id: [] for account_id in ids}
    for account_id, at in await checks.sent(session, ids, earliest):
        sent[account_id].append(at)
    return tuple(
        AccountWeek(
            account=each.account,
            renewable=each.renewable,
            adapter=doors.adapters.get(each.account.platform),
            planned=sorted(planned[each.account.id], key=lambda one: (one.due, one.post.id)),
            sent=sent[each.account.id],
            missing=frozenset(),
            settings=doors.settings,
            start=start,
            end=end,
        )
        for each in found
    )


async def _media_of(session: AsyncSession, found: Sequence[Post]) -> Mapping[UUID, PostMedia]:
    media: dict[UUID, PostMedia] = {}
    for first in range(0, len(found), _AT_ONCE):
        media |= await posts.media_of(session, [post.id for post in found[first : first + _AT_ONCE]])
    return media


async def missing_media(store: MediaStore, weeks: Collection[AccountWeek]) -> frozenset[str]:
    """The hashes of planned media that the store does not have; each is looked for once."""
    wanted = {
        asset.sha256
        for week in weeks
        for planned in week.inside()
        for asset in (*(row.asset for row in planned.media), cover_of(planned.media))
        if asset is not None
    }
    looks = asyncio.Semaphore(_LOOKS)

    async def is_there(sha256: str) -> bool:
        async with looks:
            return await store.exists(sha256)

    hashes = sorted(wanted)
    there = await asyncio.gather(*(is_there(each) for each in hashes))
    return frozenset(sha256 for sha256, found in zip(hashes, there, strict=True) if not found)


def obstacles(week: AccountWeek) -> list[Obstacle]:
    """Everything in the way of an account's posts: first what concerns all of them, then post by post."""
    return [*account_obstacles(week), *post_obstacles(week)]
