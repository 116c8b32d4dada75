"""Taking up a claimed post: is it still to go out, and from where do we go on?"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import StudioError
from core.ids import new_id
from core.jsontypes import JsonObject
from core.vault import token_context
from db.models.account import Account
from db.models.post import Post, PublishAttempt, Status
from db.queries import accounts, posts, publishing
from db.queries.posts import PostMediumRow
from db.queries.publishing import Hold
from platforms.base import Adapter, Content, Credentials, Publish
from scheduler.due import Claim
from tools.context import Doors
from tools.posts.content import content_hash, content_of, cover_of
from tools.publishing.door import PostMedia
from tools.publishing.stops import (
    Stop,
    break_off,
    not_connected,
    reason_not_to_go_on,
    reason_not_to_send,
    stop_before,
    where_it_is,
)


@dataclass(kw_only=True)
class Job:
    """A post under our claim. Mutable on purpose: ``progress``, ``step`` and ``credentials`` follow the ledger."""

    hold: Hold
    workspace_id: UUID
    account_id: UUID
    attempt_id: UUID
    content_hash: str
    adapter: Adapter
    content: Content
    credentials: Credentials = field(repr=False)
    media: PostMedia = field(repr=False)
    progress: dict[str, object]
    step: str | None
    step_irreversible: bool
    intent_at: datetime | None
    refreshed: bool
    started_at: datetime
    known_post_ids: frozenset[str]
    sealed: bytes = field(repr=False)  # the access token as it was kept when this began
    sendings: int  # how often the step that may be on its way was sent in this attempt
    looks: int  # how often it was looked for in this attempt, to no avail

    def publish(self) -> Publish:
        """The adapter's view of this job."""
        return Publish(
            content=self.content,
            credentials=self.credentials,
            progress=self.progress,  # type: ignore[arg-type]
            media=self.media,
            started_at=self.started_at,
            known_post_ids=self.known_post_ids,
            in_doubt=self.step if self.step_irreversible and self.intent_at is not None else None,
        )


async def take_up(doors: Doors, claim: Claim) -> Job | None:
    """The job of a claim, its attempt written; None when it is not to be sent (the post says why), or not ours."""
    async with doors.database.session(claim.workspace_id) as session:
        post = await posts.get(session, claim.id, lock=True)
        if post is None or post.fence != claim.fence or post.status not in {Status.SCHEDULED, Status.PUBLISHING}:
            return None
        account = await accounts.get(session, post.account_id, with_tokens=True)
        assert account is not None
        media = (await posts.media_of(session, [post.id]))[post.id]
        attempt = await publishing.open_attempt(session, post.id)
        now = await clock.now(session)
        if post.status == Status.SCHEDULED and post.scheduled_for is not None and post.scheduled_for > now:
            return None  # moved to a later time between the claim and now
        credentials = _credentials(doors, account)
        if attempt is None:
            stop = reason_not_to_send(doors, post, account, media, now)
            stop = stop or (credentials if isinstance(credentials, Stop) else None)
            if stop is not None:
                stop_before(post, stop, now)
                return None
            attempt = await _begin(session, post, media)
        else:
            going_on = where_it_is(doors, post, media, attempt)
            stop = (
                credentials
                if isinstance(credentials, Stop)
                else reason_not_to_go_on(doors, post, attempt, going_on, now)
            )
            if stop is not None:
                break_off(post, attempt, stop, going_on, now)
                return None
        since = attempt.started_at - timedelta(minutes=10)
        known = await posts.live_ids(session, account.id, besides=post.id, since=since)
        assert not isinstance(credentials, Stop)
        return _job(doors, claim, post, account.access_token, credentials, media, attempt, known)


def _credentials(doors: Doors, account: Account) -> Credentials | Stop:
    """The account's tokens, or why nobody can act for it now."""
    if account.platform not in doors.adapters or account.status == "disconnected":
        return not_connected(account)
    try:
        return open_credentials(doors, account)
    except StudioError as error:
        action = error.action or "Connect the account again, then retry the post."
        return Stop(status=Status.FAILED, code=error.code, message=error.message, action=action)


async def _begin(session: AsyncSession, post: Post, media: list[PostMediumRow]) -> PublishAttempt:
    """Write a new attempt; what an earlier one prepared (a container, an upload) is carried on."""
    last = await publishing.last_attempt(session, post.id)
    hash_now = content_hash(post, media)
    usable = last is not None and last.state == "retry" and last.content_hash == hash_now
    attempt = PublishAttempt(
        id=new_id(),
        workspace_id=post.workspace_id,
        post_id=post.id,
        number=(last.number if last else 0) + 1,
        state="open",
        progress=dict(last.progress) if usable and last is not None else {},
        steps=[],
        content_hash=hash_now,
        started_at=last.started_at if usable and last is not None else await clock.now(session),
    )
    session.add(attempt)
    post.status = Status.PUBLISHING
    post.attempts += 1
    await session.flush()
    return attempt


def _job(
    doors: Doors,
    claim: Claim,
    post: Post,
    sealed: bytes,
    credentials: Credentials,
    media: list[PostMediumRow],
    attempt: PublishAttempt,
    known_post_ids: frozenset[str],
) -> Job:
    return Job(
        hold=Hold(post_id=post.id, fence=claim.fence, lease=timedelta(seconds=doors.settings.publish_lease)),
        workspace_id=post.workspace_id,
        account_id=post.account_id,
        attempt_id=attempt.id,
        content_hash=attempt.content_hash,
        adapter=doors.adapters[post.platform],
        content=content_of(post, media),
        sealed=sealed,
        credentials=credentials,
        media=PostMedia(
            store=doors.store,
            vault=doors.vault,
            public_base=doors.settings.public_base,
            assets={str(asset.id): asset for asset in (*(row.asset for row in media), cover_of(media)) if asset},
        ),
        progress=dict(attempt.progress),
        step=attempt.step,
        step_irreversible=attempt.step_irreversible,
        intent_at=attempt.intent_at,
        refreshed=attempt.refreshed,
        started_at=attempt.started_at,
        known_post_ids=known_post_ids,
        sendings=sum(entry.get("step") == attempt.step and entry.get("event") == "sending" for entry in attempt.steps),
        looks=sum(
            entry.get("step") == attempt.step and str(entry.get("event")).startswith("looked")
            for entry in attempt.steps
        ),
    )


def open_credentials(doors: Doors, account: Account) -> Credentials:
    """The account's tokens, opened; raises ``Misconfigured`` when the key that sealed them is gone."""

    def unseal(sealed: bytes, name: str) -> str:
        return doors.vault.open(sealed, context=token_context(str(account.workspace_id), str(account.id), name))

    details: JsonObject = account.details  # type: ignore[assignment]
    return Credentials(
        external_id=account.external_id,
        handle=account.handle,
        access_token=unseal(account.access_token, "access_token"),
        refresh_token=unseal(account.refresh_token, "refresh_token") if account.refresh_token else None,
        login=account.login,
        metadata=details,
    )
