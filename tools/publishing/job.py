"""Taking up a claimed post: is it still to go out, and from where do we go on?"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from core import clock
from core.errors import StudioError
from core.ids import new_id, parse_id
from core.jsontypes import JsonObject
from core.vault import token_context
from db.engine import Database
from db.models.account import Account
from db.models.post import Post, PublishAttempt, Status
from db.queries import accounts, due_posts, posts, publishing
from db.queries.due_posts import Claimed, DuePost
from db.queries.lines import Beginning
from db.queries.posts import PostMedia
from db.queries.publishing import Hold
from db.together import Together
from platforms.base import Adapter, Content, Credentials, Publish
from scheduler.due import Claim
from tools.context import Doors
from tools.posts.content import content_hash, content_of, cover_of
from tools.publishing.door import PostMedia as MediaOfPost
from tools.publishing.refusals import refusal_kept
from tools.publishing.stops import (
    Stop,
    break_off,
    broken_off_for_good,
    not_connected,
    reason_not_to_go_on,
    reason_not_to_send,
    stop_before,
    where_it_is,
)


@dataclass(kw_only=True)
class Job:
    """A post under our claim. Mutable on purpose: ``progress``, ``step`` and ``credentials`` follow the ledger.

    ``beginning`` is there until the attempt is written; ``unwritten`` is what was learned and goes out with the next
    line; ``renewed`` is when the lease began anew, by the loop's clock.
    """

    hold: Hold
    workspace_id: UUID
    account_id: UUID
    attempt_id: UUID
    content_hash: str
    adapter: Adapter
    content: Content
    credentials: Credentials = field(repr=False)
    media: MediaOfPost = field(repr=False)
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
    refusal: dict[str, object] | None  # what the network said to the call in doubt, when it was a no
    beginning: Beginning | None
    unwritten: list[dict[str, object]] = field(default_factory=list)
    renewed: float = 0.0

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


class Changed(Exception):
    """Somebody changed the post between reading and beginning it: it has to be read again."""


Reader = Together[Claimed, DuePost | None]


def new_reader(database: Database) -> Reader:
    """What reads claimed posts, many at once."""
    return Together(database, due_posts.read)


async def take_up(doors: Doors, reader: Reader, claim: Claim) -> Job | None:
    """The job of a claim; None when it is not to be sent (the post says why), or not ours.

    A new attempt is not written yet: the ledger writes it with the first intent, while the post is as it was read here.
    Raises ``Changed``.
    """
    due = await reader.ask(Claimed(id=claim.id, workspace_id=claim.workspace_id, fence=claim.fence))
    if due is None or _moved(due.post, due.now):
        return None
    if "cover" in due.post.options:
        await _add_cover(doors, due)
    credentials = _credentials(doors, due.account)
    open_attempt = due.attempt if due.attempt is not None and due.attempt.state == "open" else None
    if isinstance(credentials, Stop) or _reason_to_stop(doors, due.post, due.account, due.media, open_attempt, due.now):
        await _stop(doors, claim)
        return None
    return _job(doors, claim, due, credentials)


def _moved(post: Post, now: datetime) -> bool:
    """Whether it was moved to a later time between the claim and now."""
    return post.status == Status.SCHEDULED and post.scheduled_for is not None and post.scheduled_for > now


async def _add_cover(doors: Doors, due: DuePost) -> None:
    asset_id = parse_id(str(due.post.options["cover"]))
    if asset_id is not None:
        async with doors.database.session(due.post.workspace_id) as session:
            due.media.cover = await accounts.get_asset(session, asset_id)


def _reason_to_stop(
    doors: Doors, post: Post, account: Account, media: PostMedia, open_attempt: PublishAttempt | None, now: datetime
) -> Stop | None:
    if open_attempt is None:
        return reason_not_to_send(doors, post, account, media, now)
    return reason_not_to_go_on(doors, post, open_attempt, where_it_is(doors, post, media, open_attempt), now)


async def _stop(doors: Doors, claim: Claim) -> None:
    """Look again with the post locked, and write down why it is not sent or not gone on with."""
    async with doors.database.session(claim.workspace_id) as session:
        post = await posts.get(session, claim.id, lock=True)
        if post is None or post.fence != claim.fence or post.status not in {Status.SCHEDULED, Status.PUBLISHING}:
            return
        now = await clock.now(session)
        if _moved(post, now):
            return
        account = await accounts.get(session, post.account_id, with_tokens=True)
        assert account is not None
        media = (await posts.media_of(session, [post.id]))[post.id]
        attempt = await publishing.open_attempt(session, post.id)
        credentials = _credentials(doors, account)
        stop = _reason_to_stop(doors, post, account, media, attempt, now)
        if isinstance(credentials, Stop):
            # What a post that is not begun lacks besides is said first; one under way can only be broken off.
            stop = credentials if attempt is not None else stop or credentials
        if stop is None:
            raise Changed
        if attempt is None:
            stop_before(post, stop, now)
        else:
            break_off(post, attempt, stop, where_it_is(doors, post, media, attempt), now)


async def end_if_stuck(doors: Doors, claim: Claim) -> None:
    """After work that broke off unforeseen: past the grace the post ends, so that its account is not stuck with it."""
    async with doors.database.session(claim.workspace_id) as session:
        post = await posts.get(session, claim.id, lock=True)
        if post is not None and post.fence == claim.fence and post.status in {Status.SCHEDULED, Status.PUBLISHING}:
            attempt, now = await publishing.open_attempt(session, post.id), await clock.now(session)
            broken_off_for_good(post, attempt, timedelta(seconds=doors.settings.publish_grace), now)


def _credentials(doors: Doors, account: Account) -> Credentials | Stop:
    """The account's tokens, or why nobody can act for it now."""
    if account.platform not in doors.adapters or account.status == "disconnected":
        return not_connected(account)
    try:
        return open_credentials(doors, account)
    except StudioError as error:
        action = error.action or "Connect the account again, then retry the post."
        return Stop(status=Status.FAILED, code=error.code, message=error.message, action=action)


def _begin(due: DuePost) -> PublishAttempt:
    """A new attempt, not written yet; what an earlier one prepared (a container, an upload) is carried on."""
    last, hash_now = due.attempt, content_hash(due.post, due.media)
    usable = last if last is not None and last.state == "retry" and last.content_hash == hash_now else None
    return PublishAttempt(
        id=new_id(),
        number=(last.number if last else 0) + 1,
        progress=dict(usable.progress) if usable else {},
        steps=[],
        content_hash=hash_now,
        step_irreversible=False,
        refreshed=False,
        started_at=usable.started_at if usable else due.now,
    )


def _job(doors: Doors, claim: Claim, due: DuePost, credentials: Credentials) -> Job:
    post, is_open = due.post, due.attempt is not None and due.attempt.state == "open"
    attempt = due.attempt if is_open and due.attempt is not None else _begin(due)
    return Job(
        hold=Hold(post_id=post.id, fence=claim.fence, lease=timedelta(seconds=doors.settings.publish_lease)),
        workspace_id=post.workspace_id,
        account_id=post.account_id,
        attempt_id=attempt.id,
        content_hash=attempt.content_hash,
        adapter=doors.adapters[post.platform],
        content=content_of(post, due.media),
        sealed=due.account.access_token,
        credentials=credentials,
        media=_media_door(doors, due.media),
        progress=dict(attempt.progress),
        step=attempt.step,
        step_irreversible=attempt.step_irreversible,
        intent_at=attempt.intent_at,
        refreshed=attempt.refreshed,
        started_at=attempt.started_at,
        known_post_ids=due.known_post_ids,
        sendings=sum(entry.get("step") == attempt.step and entry.get("event") == "sending" for entry in attempt.steps),
        refusal=refusal_kept(attempt.steps, attempt.step),
        looks=sum(
            entry.get("step") == attempt.step and str(entry.get("event")).startswith("looked")
            for entry in attempt.steps
        ),
        beginning=None if is_open else _beginning(due.seen, attempt),
    )


def _beginning(seen: str, attempt: PublishAttempt) -> Beginning:
    return Beginning(
        seen=seen,
        number=attempt.number,
        content_hash=attempt.content_hash,
        progress=attempt.progress,
        started_at=attempt.started_at,
    )


def _media_door(doors: Doors, media: PostMedia) -> MediaOfPost:
    return MediaOfPost(
        store=doors.store,
        vault=doors.vault,
        public_base=doors.settings.public_base,
        assets={str(asset.id): asset for asset in (*(row.asset for row in media), cover_of(media)) if asset},
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
