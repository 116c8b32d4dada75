"""Reading what networks count of live posts: due work of each account, often while a post is young."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from core import clock
from core.errors import StudioError
from db.models.post import Post
from db.queries import counts
from platforms.base import Adapter, Counts, Credentials
from platforms.errors import PlatformError
from scheduler.due import Claim
from tools.context import Doors
from tools.publishing.acting import acting_for

log = logging.getLogger("studio.counts")

# A claim that dies is due again after this; longer than any reading takes.
_LEASE = timedelta(minutes=5)
# Young posts change by the minute, old ones hardly; what is older than this is not asked for any more.
_OFTEN, _SELDOM, _AFTER_TROUBLE = timedelta(minutes=10), timedelta(hours=2), timedelta(hours=1)
_YOUNG, _OLDEST = timedelta(days=1), timedelta(days=30)
_MOST_POSTS = 100


class CountsWork:
    """Accounts whose counts are due, as ``scheduler.due.DueWork``."""

    topic = "counts"
    capacity = 4

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def claim(self, limit: int, *, sweep: bool) -> Sequence[Claim]:  # noqa: ARG002 - there is no lower bound
        """Claim accounts whose time has come."""
        async with self._doors.database.outside() as session:
            rows = await counts.claim(session, batch=limit, lease=_LEASE)
        return [Claim(id=row.id, workspace_id=row.workspace_id, fence=row.fence) for row in rows]

    async def work(self, claim: Claim) -> None:
        """Read one account's counts and write them down; trouble is logged and tried again later."""
        try:
            await self._read(claim)
        except PlatformError as error:
            log.info("account %s: counts could not be read: %s", claim.id, error.message)
            await self._keep(claim, {}, _AFTER_TROUBLE)
        except (StudioError, OSError) as error:
            log.warning("account %s: counts could not be read: %s", claim.id, error)
        except Exception:
            log.exception("account %s: unforeseen error while reading counts", claim.id)

    async def _read(self, claim: Claim) -> None:
        async with self._doors.database.session(claim.workspace_id) as session:
            now = await clock.now(session)
            posts = await counts.live_posts(session, claim.id, within=_OLDEST, limit=_MOST_POSTS)
        ids = [str(post.platform_post_id) for post in posts]

        async def ask(adapter: Adapter, credentials: Credentials) -> Mapping[str, Counts]:
            return await adapter.read_counts(credentials, ids)

        # A token that has run out is renewed on the way: TikTok's lives for two hours.
        found = await acting_for(self._doors, claim.workspace_id, claim.id, ask) if ids else {}
        await self._keep(claim, found, pause(posts, now))

    async def _keep(self, claim: Claim, found: Mapping[str, Counts], next_in: timedelta) -> None:
        told = {
            post_id: {name: value for name, value in asdict(each).items() if value is not None}
            for post_id, each in found.items()
        }
        async with self._doors.database.session(claim.workspace_id) as session:
            await counts.keep(session, claim.id, fence=claim.fence, counts=told, next_in=next_in)


def pause(posts: Sequence[Post], now: datetime) -> timedelta:
    """How long the account may rest: ten minutes while a post is younger than a day, else two hours."""
    young = any(post.published_at is not None and now - post.published_at < _YOUNG for post in posts)
    return _OFTEN if young else _SELDOM
