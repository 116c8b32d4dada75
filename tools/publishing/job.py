"""Taking up a claimed post: is it still to go out, and from where do we go on?"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.ids import new_id
from core.jsontypes import JsonObject
from core.vault import token_context
from db.models.account import Account
from db.models.post import Approval, Post, PublishAttempt, Status
from db.queries import accounts, posts, publishing
from db.queries.posts import PostMediumRow
from db.queries.publishing import Hold
from platforms.base import Adapter, Content, Credentials, Publish
from scheduler.due import Claim
from tools.context import Doors
from tools.posts.content import content_hash, content_of
from tools.publishing.door import PostMedia


@dataclass(kw_only=True)
class Job:
    """A post under our claim. Mutable on purpose: ``progress``, ``step`` and ``credentials`` follow the ledger."""

    hold: Hold
    workspace_id: UUID
    account_id: UUID
    attempt_id: UUID
    attempt_number: int
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

    def publish(self) -> Publish:
        """The adapter's view of this job."""
        return Publish(
            content=self.content,
            credentials=self.credentials,
            progress=self.progress,  # type: ignore[arg-type]
            media=self.media,
            started_at=self.started_at,
            known_post_ids=self.known_post_ids,
        )


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Why a claimed post is not sent."""

    status: Status
    code: str
    message: str
    action: str

    def error(self) -> dict[str, object]:
        """As the post keeps it."""
        return {"code": self.code, "message": self.message, "action": self.action}


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
        if attempt is None:
            stop = _reason_not_to_send(doors, post, account, media, now)
            if stop is not None:
                _stop(post, stop, now)
                return None
            attempt = await _begin(session, post, media)
        since = attempt.started_at - timedelta(minutes=10)
        known = await posts.live_ids(session, account.id, besides=post.id, since=since)
        return _job(doors, claim, post, account, media, attempt, known)


def _reason_not_to_send(
    doors: Doors, post: Post, account: Account, media: list[PostMediumRow], now: datetime
) -> Stop | None:
    unapproved = post.approval in {Approval.REQUIRED, Approval.STALE}
    if unapproved or (post.approval == Approval.GRANTED and post.approved_hash != content_hash(post, media)):
        return Stop(
            status=Status.MISSED,
            code="approval_needed",
            message="Its time came, but nobody had approved it as it is now.",
            action="Approve it, then move it to a new time.",
        )
    late = now - (post.scheduled_for or now)
    if late > timedelta(seconds=doors.settings.publish_grace):
        hours = f"{late.total_seconds() / 3600:.1f} h"
        if post.attempts == 0:
            return Stop(
                status=Status.MISSED,
                code="too_late",
                message=f"It was found {hours} after its time, so it was not sent unasked.",
                action="Move it to a new time, publish it now, or cancel it.",
            )
        reason = (post.last_error or {}).get("message", "the network did not take it")
        return Stop(
            status=Status.FAILED,
            code="attempts_used_up",
            message=f"It did not go through for {hours}: {reason}",
            action="See what the network said, then move it to a new time or publish it now.",
        )
    if account.status != "connected" or account.platform not in doors.adapters:
        return Stop(
            status=Status.FAILED,
            code="reconnect_needed",
            message=f"@{account.handle} is not connected ({account.status}).",
            action="Connect the account again, then retry the post.",
        )
    problems = doors.adapters[account.platform].validate(content_of(post, media))
    if problems:
        return Stop(
            status=Status.FAILED,
            code=problems[0].code,
            message=" ".join(problem.message for problem in problems[:3]),
            action="Edit the post, then schedule it again.",
        )
    return None


def _stop(post: Post, stop: Stop, now: datetime) -> None:
    post.status, post.last_error = stop.status, stop.error()
    post.next_attempt_at, post.lease_until = None, None
    post.version += 1
    post.updated_at = now


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
    account: Account,
    media: list[PostMediumRow],
    attempt: PublishAttempt,
    known_post_ids: frozenset[str],
) -> Job:
    return Job(
        hold=Hold(post_id=post.id, fence=claim.fence, lease=timedelta(seconds=doors.settings.publish_lease)),
        workspace_id=post.workspace_id,
        account_id=account.id,
        attempt_id=attempt.id,
        attempt_number=attempt.number,
        adapter=doors.adapters[post.platform],
        content=content_of(post, media),
        credentials=open_credentials(doors, account),
        media=PostMedia(
            store=doors.store,
            vault=doors.vault,
            public_base=doors.settings.public_base,
            assets={str(row.asset.id): row.asset for row in media},
        ),
        progress=dict(attempt.progress),
        step=attempt.step,
        step_irreversible=attempt.step_irreversible,
        intent_at=attempt.intent_at,
        refreshed=attempt.refreshed,
        started_at=attempt.started_at,
        known_post_ids=known_post_ids,
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
