"""schedule_post, move_post, cancel_post: when a post goes out, and that it does not."""

from dataclasses import dataclass

from pydantic import Field

from core.errors import Conflict
from core.when.receipt import receipt
from core.when.resolve import Moment
from db.models.account import Account
from db.models.post import Post, Status
from db.queries import accounts, posts
from tools.accounts.choose import account_label
from tools.command import Arguments, Effect, Proposal, command
from tools.context import Context
from tools.posts.changes import changed, consented, needs_a_yes, require_state, require_version, snapshot
from tools.posts.content import content_hash, require_publishable
from tools.posts.draft import POST_ID, WHEN
from tools.posts.references import resolve_post, speak_of
from tools.posts.times import clash_warnings, resolve_time
from tools.posts.view import PostReceipt, PostView, label, views


class SchedulePost(Arguments):
    """Arguments of schedule_post."""

    post_id: str = Field(max_length=300, description=POST_ID)
    when: str = Field(min_length=1, max_length=200, description=WHEN)
    version: int | None = Field(None, description="the version the person saw; a newer one is a conflict")


class MovePost(SchedulePost):
    """Arguments of move_post."""

    when: str = Field(
        min_length=1, max_length=200, description=f"{WHEN}; also 'an hour later', 'back by a day', 'same time Saturday'"
    )


class CancelPost(Arguments):
    """Arguments of cancel_post."""

    post_id: str = Field(max_length=300, description=POST_ID)
    version: int | None = Field(None, description="the version the person saw; a newer one is a conflict")


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A post, its account, and the moment it is to go out."""

    post: Post
    account: Account
    moment: Moment


async def _placement(context: Context, reference: str, when: str, *, lock: bool) -> Placement:
    post = await resolve_post(context, reference, lock=lock)
    account = await accounts.get(context.session, post.account_id)
    assert account is not None
    manifest = context.doors.adapters[post.platform].manifest
    moment = await resolve_time(context, when, post, account, manifest)
    return Placement(post=post, account=account, moment=moment)


async def _propose(context: Context, arguments: SchedulePost) -> Proposal:
    """Schedule exactly this content for exactly this time: the hash is that of the post as it would be."""
    placed = await _placement(context, arguments.post_id, arguments.when, lock=False)
    post, moment = placed.post, placed.moment
    media = (await posts.media_of(context.session, [post.id]))[post.id]
    context.session.expunge(post)
    post.scheduled_for = moment.instant
    said = receipt(moment.instant, zone=moment.zone, now=context.now)
    return Proposal(
        summary=f"Schedule {label(post)} on {account_label(placed.account)} for {said}?",
        post_id=str(post.id),
        content_hash=content_hash(post, media),
        pinned={"post_id": str(post.id), "when": moment.instant.isoformat()},
    )


@command(
    title="Put a post on the calendar",
    effect=Effect.SCHEDULE,
    propose=_propose,
    rest="POST /v1/posts/{post_id}/schedule",
)
async def schedule_post(context: Context, arguments: SchedulePost) -> PostReceipt:
    """Put a draft on the calendar; it goes out by itself at that time.

    Pass the time as the person said it: the server resolves it and answers with a receipt. Also brings a failed or
    missed post back to the calendar. For a post that is on the calendar already, use move_post.
    """
    placed = await _placement(context, arguments.post_id, arguments.when, lock=True)
    was_planned = placed.post.status == Status.SCHEDULED
    return await _place(context, placed, arguments.version, verb="Moved" if was_planned else "Scheduled")


async def _propose_move(context: Context, arguments: MovePost) -> Proposal:
    return await _propose(context, arguments)


@command(
    title="Move a post on the calendar",
    effect=Effect.SCHEDULE,
    propose=_propose_move,
    rest="POST /v1/posts/{post_id}/move",
)
async def move_post(context: Context, arguments: MovePost) -> PostReceipt:
    """Move a scheduled, failed or missed post to another time.

    Pass the time as the person said it, also relative to the post's present time ("an hour later").
    """
    placed = await _placement(context, arguments.post_id, arguments.when, lock=True)
    if placed.post.status == Status.DRAFT:
        raise Conflict(
            f"{label(placed.post)} is a draft: it has no time to move from.",
            code="post_not_scheduled",
            action="Schedule it instead.",
            changed={"status": placed.post.status},
        )
    return await _place(context, placed, arguments.version, verb="Moved")


async def _place(context: Context, placed: Placement, version: int | None, *, verb: str) -> PostReceipt:
    post, moment = placed.post, placed.moment
    require_state(post, Status.SCHEDULED, "scheduled")
    await require_version(context, post, version)
    media = (await posts.media_of(context.session, [post.id]))[post.id]
    require_publishable(context.doors.adapters[post.platform], post, media)
    before = await snapshot(context, post)
    post.status, post.last_error, post.attempts = Status.SCHEDULED, None, 0
    post.scheduled_for, post.wall_time, post.zone = moment.instant, moment.wall_time, moment.zone
    post.next_attempt_at, post.lease_until = moment.instant, None
    await consented(context, post)
    await changed(context, post, before)
    await speak_of(context, post)
    context.after_commit.append(lambda: context.doors.wake("posts"))
    shown = (await views(context, [post]))[0]
    return PostReceipt(
        summary=f"{verb} {label(post)} on {account_label(placed.account)} to {shown.receipt}."
        if verb == "Moved"
        else f"{verb} {label(post)} on {account_label(placed.account)} for {shown.receipt}.",
        post=shown,
        warnings=(*await clash_warnings(context, post, moment.instant), *needs_a_yes(post)),
    )


@command(title="Cancel a post", effect=Effect.WRITE, rest="DELETE /v1/posts/{post_id}")
async def cancel_post(context: Context, arguments: CancelPost) -> PostReceipt:
    """Cancel a draft or a planned post so that it never goes out. What is live already is not touched.

    Undo brings a cancelled post back.
    """
    post = await resolve_post(context, arguments.post_id, lock=True)
    require_state(post, Status.CANCELLED, "cancelled")
    await require_version(context, post, arguments.version)
    before = await snapshot(context, post)
    was = post.status
    post.status, post.next_attempt_at, post.lease_until = Status.CANCELLED, None, None
    await changed(context, post, before)
    await speak_of(context, post)
    shown = (await views(context, [post]))[0]
    return PostReceipt(summary=f"Cancelled {label(post)}{_meaning(was, shown)}", post=shown)


def _meaning(was: str, shown: PostView) -> str:
    match was:
        case Status.SCHEDULED:
            return f", which was planned for {shown.receipt}. It will not go out."
        case Status.UNCONFIRMED:
            return f". Studio sends nothing more, but it may be live already: look at @{shown.account}."
        case _:
            return ". It will not go out."
