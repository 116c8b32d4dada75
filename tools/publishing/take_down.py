"""delete_post: what is live is taken down at the network, after a person's yes; the row stays and says when."""

from pydantic import Field

from core.errors import Conflict
from db.models.account import Account
from db.models.post import Post, Status
from db.queries import accounts, publishing
from platforms.errors import PlatformError
from tools.accounts.choose import account_label
from tools.command import Arguments, Effect, Proposal, command
from tools.context import Context
from tools.posts.changes import changed, hash_of, refusal, require_version, snapshot
from tools.posts.draft import POST_ID
from tools.posts.references import resolve_post, speak_of
from tools.posts.retry import require_connected
from tools.posts.view import PostReceipt, label, views
from tools.publishing.acting import acting_for, refused_by_network
from tools.publishing.evidence import add_word

_NO_WAY_BACK = "Nobody can bring it back, undo neither; a new draft can say the same."


class DeletePost(Arguments):
    """Arguments of delete_post."""

    post_id: str = Field(max_length=300, description=POST_ID)
    version: int | None = Field(None, description="the version the person saw; a newer one is a conflict")


def _require_live(post: Post) -> str:
    """The network's id of a live post; raises ``Conflict`` that says what to do with any other."""
    if post.status == Status.POSTED and post.platform_post_id is not None:
        return post.platform_post_id
    if post.status == Status.POSTED:
        raise Conflict(
            f"Studio does not know under which id {label(post)} is live, so it cannot take it down.",
            code="cannot_delete",
            action="Delete it in the network's own app.",
        )
    if post.deleted_at is not None or post.status in {Status.PUBLISHING, Status.UNCONFIRMED, Status.CANCELLED}:
        raise refusal(post, "taken down")
    raise Conflict(
        f"{label(post)} is not live ({post.status}), so there is nothing to take down.",
        code="post_not_live",
        action="Cancel it instead (cancel_post): then it never goes out.",
        changed={"status": post.status},
    )


async def _account(context: Context, post: Post) -> Account:
    account = await accounts.get(context.session, post.account_id)
    assert account is not None
    require_connected(context.doors, account)
    return account


async def _propose(context: Context, arguments: DeletePost) -> Proposal:
    post = await resolve_post(context, arguments.post_id)
    _require_live(post)
    account = await _account(context, post)
    link = f" ({post.permalink})" if post.permalink else ""
    return Proposal(
        summary=f"Take {post.code} down from {account_label(account)}{link}? “{post.caption}” {_NO_WAY_BACK}",
        post_id=str(post.id),
        content_hash=await hash_of(context, post),
        pinned={"post_id": str(post.id)},
    )


async def _take_down(context: Context, arguments: DeletePost) -> None:
    """The one outward call. It bears a repeat: what is gone already is fine, so a crash after it loses nothing."""
    async with context.doors.database.session(context.workspace_id) as session:
        inside = context.inside(session)
        post = await resolve_post(inside, arguments.post_id)
        platform_post_id = _require_live(post)
        await require_version(inside, post, arguments.version)
        account = await _account(inside, post)
    title = context.doors.adapters[post.platform].manifest.title
    try:
        await acting_for(
            context.doors,
            context.workspace_id,
            account.id,
            lambda adapter, credentials: adapter.delete(credentials, platform_post_id),
        )
    except PlatformError as error:
        raise refused_by_network(error, title, doing=f"take {post.code} down") from error


@command(
    title="Take a live post down",
    effect=Effect.IRREVERSIBLE,
    propose=_propose,
    gather=_take_down,
    rest="POST /v1/posts/{post_id}/delete",
)
async def delete_post(context: Context, arguments: DeletePost, _taken_down: None) -> PostReceipt:
    """Take a post that is live down from its network. Nobody can bring it back, so a person is asked first.

    For a draft or a planned post use cancel_post. Some networks offer no such call: the answer says where to do it.
    """
    post = await resolve_post(context, arguments.post_id, lock=True)
    _require_live(post)
    account = await accounts.get(context.session, post.account_id)
    assert account is not None
    before = await snapshot(context, post)
    post.status, post.deleted_at = Status.CANCELLED, context.now
    attempt = await publishing.last_attempt(context.session, post.id)
    if attempt is not None:
        add_word(context, attempt, {"event": "taken down", "platform_post_id": post.platform_post_id})
    await changed(context, post, before)
    await speak_of(context, post)
    shown = (await views(context, [post]))[0]
    return PostReceipt(summary=f"{label(post)} is taken down from {account_label(account)}. {_NO_WAY_BACK}", post=shown)
