"""retry_post: what did not go out is sent again, at once and after a person's yes."""

from pydantic import Field

from core.errors import Conflict
from db.models.account import Account
from db.models.post import Post, Status
from db.queries import accounts, posts
from db.queries.posts import PostMediumRow
from tools.accounts.choose import account_label
from tools.command import Arguments, Effect, Proposal, command
from tools.context import Context, Doors
from tools.posts.changes import changed, consented, refusal, require_version, send_now, snapshot
from tools.posts.content import content_hash, require_publishable
from tools.posts.draft import POST_ID
from tools.posts.references import resolve_post, speak_of
from tools.posts.view import PostReceipt, label, media_label, views

_NOTHING_TO_RETRY = {
    Status.DRAFT: ("is a draft: it was never sent", "Publish it now, or put it on the calendar."),
    Status.SCHEDULED: (
        "is on the calendar and goes out by itself",
        "Publish it now if it should not wait for its time, or move it.",
    ),
    Status.UNCONFIRMED: (
        "may be live already",
        "Look at the account, then say with resolve_post whether it is there, or whether to send it again or drop it.",
    ),
}


class RetryPost(Arguments):
    """Arguments of retry_post."""

    post_id: str = Field(max_length=300, description=POST_ID)
    version: int | None = Field(None, description="the version the person saw; a newer one is a conflict")


def require_connected(doors: Doors, account: Account) -> None:
    """Raise ``Conflict`` when nobody can act for the account now: it would fail at once."""
    if account.status == "connected" and account.platform in doors.adapters:
        return
    state = "asks to be connected again" if account.status == "reconnect" else "is not connected"
    raise Conflict(
        f"{account_label(account)} {state}, so Studio cannot act for it.",
        code="reconnect_needed",
        action="Connect the account again first, then repeat this.",
        changed={"account": account.status},
    )


async def sendable(context: Context, post: Post) -> tuple[Account, list[PostMediumRow]]:
    """The account and media of a post that could go out now; raises what stands in its way."""
    account = await accounts.get(context.session, post.account_id)
    assert account is not None
    require_connected(context.doors, account)
    media = (await posts.media_of(context.session, [post.id]))[post.id]
    require_publishable(context.doors.adapters[post.platform], post, media)
    return account, media


def went_wrong(post: Post) -> str:
    """What was the matter with a post, as a sentence."""
    said = (post.last_error or {}).get("message")
    return f"Before, it was {post.status}{f': {said}' if said else '.'}"


def _require_retriable(post: Post) -> None:
    status = Status(post.status)
    if status in {Status.FAILED, Status.MISSED}:
        return
    if status not in _NOTHING_TO_RETRY:
        raise refusal(post, "sent again")
    why, action = _NOTHING_TO_RETRY[status]
    raise Conflict(
        f"{label(post)} {why}, so there is nothing to retry.",
        code="post_unconfirmed" if status is Status.UNCONFIRMED else "nothing_to_retry",
        action=action,
        changed={"status": post.status},
    )


async def _propose(context: Context, arguments: RetryPost) -> Proposal:
    post = await resolve_post(context, arguments.post_id)
    _require_retriable(post)
    account, media = await sendable(context, post)
    return Proposal(
        summary=f"Send {post.code} to {account_label(account)} again, now? “{post.caption}” with {media_label(media)}."
        f" {went_wrong(post)}",
        post_id=str(post.id),
        content_hash=content_hash(post, media),
        pinned={"post_id": str(post.id)},
    )


@command(
    title="Send a post again",
    effect=Effect.IRREVERSIBLE,
    propose=_propose,
    rest="POST /v1/posts/{post_id}/retry",
)
async def retry_post(context: Context, arguments: RetryPost) -> PostReceipt:
    """Send a failed or missed post again, at once. A person is asked first: just call it, Studio asks.

    For another time than now use move_post; for a post that may be live (unconfirmed) use resolve_post.
    """
    post = await resolve_post(context, arguments.post_id, lock=True)
    _require_retriable(post)
    await require_version(context, post, arguments.version)
    account, media = await sendable(context, post)
    before, why = await snapshot(context, post), went_wrong(post)
    await consented(context, post)
    send_now(context, post, media)
    await changed(context, post, before)
    await speak_of(context, post)
    context.after_commit.append(lambda: context.doors.wake("posts"))
    shown = (await views(context, [post]))[0]
    return PostReceipt(summary=f"{label(post)} is going out on {account_label(account)} again now. {why}", post=shown)
