"""Asking a network once more, for a person, what became of a post in doubt."""

import contextlib
from dataclasses import dataclass, replace
from typing import Literal, cast
from uuid import UUID

from core.jsontypes import JsonObject
from db.queries import posts, publishing
from platforms.base import Adapter, Credentials, Done, Finding, Publish, Step
from platforms.errors import PlatformError
from tools.context import Context
from tools.posts.content import content_of
from tools.publishing.acting import acting_for
from tools.publishing.door import PostMedia
from tools.publishing.stops import live_already


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What the network shows now; ``done`` is what is known of a live post, None when it is not found."""

    outcome: Literal["posted", "not_posted", "unknown"]
    evidence: JsonObject
    done: Done | None = None


async def look_again(context: Context, post_id: UUID) -> Sighting | None:
    """Look at the account with no session open; None when nothing was ever sent. What cannot be asked is unknown."""
    doors = context.doors
    async with doors.database.session(context.workspace_id) as session:
        post = await posts.get(session, post_id)
        attempt = await publishing.last_attempt(session, post_id)
        if post is None or attempt is None:
            return None
        media = (await posts.media_of(session, [post_id]))[post_id]
        known = await posts.live_ids(session, post.account_id, besides=post_id, since=attempt.started_at)
    door = PostMedia(
        store=doors.store,
        vault=doors.vault,
        public_base=doors.settings.public_base,
        assets={str(row.asset.id): row.asset for row in media},
    )

    async def look(adapter: Adapter, credentials: Credentials) -> Sighting:
        publish = Publish(
            content=content_of(post, media),
            credentials=credentials,
            progress=cast("JsonObject", attempt.progress),
            media=door,
            started_at=attempt.started_at,
            known_post_ids=known,
            in_doubt=attempt.step,
        )
        return await _seen(adapter, publish, await adapter.find(publish))

    try:
        return await acting_for(doors, context.workspace_id, post.account_id, look)
    except PlatformError as error:
        return Sighting(outcome="unknown", evidence={"error": error.message})


async def _seen(adapter: Adapter, publish: Publish, finding: Finding) -> Sighting:
    """What was found, with its address where one more look tells it."""
    if finding.outcome != "posted":
        return Sighting(outcome=finding.outcome, evidence=finding.evidence)
    progress: JsonObject = {**publish.progress, **finding.progress}
    going_on = adapter.next_step(publish.content, progress)
    done = live_already(going_on)
    if done is not None and isinstance(going_on, Step) and not going_on.irreversible:
        # Without an answer its address stays unknown: that it is live is what counts.
        with contextlib.suppress(PlatformError):
            learned = await adapter.perform(going_on, replace(publish, progress=progress))
            done = live_already(adapter.next_step(publish.content, {**progress, **learned})) or done
    return Sighting(outcome="posted", evidence=finding.evidence, done=done)
