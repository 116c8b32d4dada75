"""Making posts and putting them on the calendar, for every command that makes more than one of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.errors import Conflict
from core.ids import new_code, new_id
from core.when.resolve import Moment
from db.models.account import Account
from db.models.post import Approval, Post, Status
from db.queries import posts
from db.queries.posts import PostMediumRow
from tools.context import Context
from tools.posts.changes import changed, consented, hash_of, snapshot
from tools.posts.content import content_hash
from tools.posts.view import label

_CODE_TRIES = 8
# Live, or on its way: what such a post says is no longer changed, and undo takes nothing of it back.
_SETTLED = frozenset({Status.PUBLISHING, Status.POSTED, Status.UNCONFIRMED, Status.CANCELLED})


@dataclass(frozen=True, kw_only=True)
class NewPost:
    """A post to be made. ``media`` are assets with their alternative texts, in order."""

    account: Account
    format: str
    caption: str
    about: str | None = None
    media: Sequence[tuple[UUID, str | None]] = ()
    options: dict[str, object] | None = None
    idea_id: UUID | None = None
    experiment_id: UUID | None = None


async def make_post(context: Context, new: NewPost) -> Post:
    """Make a draft with its media. The caller goes on with it, then records it with ``made``."""
    post = Post(
        id=new_id(),
        workspace_id=context.workspace_id,
        code=await free_code(context),
        account_id=new.account.id,
        platform=new.account.platform,
        format=new.format,
        options=dict(new.options or {}),
        status=Status.DRAFT,
        approval=Approval.NONE,
        caption=new.caption,
        about=new.about,
        idea_id=new.idea_id,
        experiment_id=new.experiment_id,
        created_by=context.principal.user_id,
        version=1,
    )
    context.session.add(post)
    await context.session.flush()
    await posts.replace_media(context.session, post, new.media)
    return post


def place(context: Context, post: Post, moment: Moment) -> None:
    """Put a post on the calendar; the scheduler is told once the transaction is through."""
    post.status, post.last_error, post.attempts = Status.SCHEDULED, None, 0
    post.scheduled_for, post.wall_time, post.zone = moment.instant, moment.wall_time, moment.zone
    post.next_attempt_at, post.lease_until = moment.instant, None
    context.after_commit.append(lambda: context.doors.wake("posts"))


async def agreed(context: Context, post: Post) -> None:
    """Bind a planned post to the yes that this call was given, one yes for all its posts (see ``require_agreed``)."""
    if context.approved_hash is None:
        await consented(context, post)
    else:
        post.approval, post.approved_hash = Approval.GRANTED, await hash_of(context, post)


def planned_hash(post: NewPost | Post, media: Sequence[PostMediumRow], at: datetime) -> str:
    """The content hash of a post as it would be on the calendar at a moment."""
    account_id = post.account.id if isinstance(post, NewPost) else post.account_id
    as_planned = Post(
        account_id=account_id,
        caption=post.caption,
        format=post.format,
        options=dict(post.options or {}),
        scheduled_for=at,
    )
    return content_hash(as_planned, media)


def together(hashes: Sequence[str]) -> str:
    """One hash for several posts, in their order: what a yes to all of them binds."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def require_agreed(context: Context, whole: str) -> None:
    """Raise ``Conflict`` unless what is about to be done is exactly what was said yes to, when a yes was needed."""
    if context.approved_hash is not None and context.approved_hash != whole:
        raise Conflict(
            "Something changed after this was approved, so nothing was done.",
            code="approval_stale",
            action="Look at it and approve it again.",
        )


async def link(context: Context, post: Post, **links: UUID) -> None:
    """Link a post to an idea or an experiment.

    While it may still change, the link is a change like any other; on one that is live it is a note beside it, so that
    undo can take back what else was done.
    """
    if all(getattr(post, name) == value for name, value in links.items()):
        return
    before = await snapshot(context, post)
    for name, value in links.items():
        setattr(post, name, value)
    if Status(post.status) not in _SETTLED:
        await changed(context, post, before)
    else:
        await context.session.flush()


def require_same(post: Post, version: int) -> None:
    """Raise ``Conflict`` when a post changed while words were written from it."""
    if post.version != version:
        raise Conflict(
            f"{label(post)} was changed while its words were being rewritten, so nothing was made.",
            code="version_conflict",
            action="Try again: it starts from the post as it is now.",
            changed={"version": post.version},
        )


async def free_code(context: Context) -> str:
    """A short code that no post of the workspace has."""
    for _ in range(_CODE_TRIES):
        code = new_code()
        if await posts.by_code(context.session, code) is None:
            return code
    raise Conflict("No short code was free.", code="no_free_code", action="Try again.")
