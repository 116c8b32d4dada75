"""publish_post: a post goes out now, after a person's yes."""

from pydantic import Field

from db.models.post import Status
from db.queries import accounts, posts
from tools.accounts.choose import account_label
from tools.command import Arguments, Effect, Proposal, command
from tools.context import Context
from tools.posts.changes import changed, consented, require_state, require_version, send_now, snapshot
from tools.posts.content import content_hash, require_publishable
from tools.posts.draft import POST_ID
from tools.posts.references import resolve_post, speak_of
from tools.posts.view import PostReceipt, label, media_label, options_label, views


class PublishPost(Arguments):
    """Arguments of publish_post."""

    post_id: str = Field(max_length=300, description=POST_ID)
    version: int | None = Field(None, description="the version the person saw; a newer one is a conflict")


async def _propose(context: Context, arguments: PublishPost) -> Proposal:
    post = await resolve_post(context, arguments.post_id)
    require_state(post, Status.PUBLISHING, "published")
    account = await accounts.get(context.session, post.account_id)
    assert account is not None
    media = (await posts.media_of(context.session, [post.id]))[post.id]
    require_publishable(context.doors.adapters[post.platform], post, media)
    shown = f"“{post.caption}” with {media_label(media)}{options_label(post, media)}"
    return Proposal(
        summary=f"Publish {post.code} to {account_label(account)} now? {shown}.",
        post_id=str(post.id),
        content_hash=content_hash(post, media),
        pinned={"post_id": str(post.id)},
    )


@command(
    title="Publish a post now",
    effect=Effect.IRREVERSIBLE,
    propose=_propose,
    rest="POST /v1/posts/{post_id}/publish",
)
async def publish_post(context: Context, arguments: PublishPost) -> PostReceipt:
    """Publish a post at once. It cannot be taken back, so a person is asked first: just call it, Studio asks.

    The answer says that it is on its way; show_post tells whether it is live and where.
    """
    post = await resolve_post(context, arguments.post_id, lock=True)
    require_state(post, Status.PUBLISHING, "published")
    await require_version(context, post, arguments.version)
    account = await accounts.get(context.session, post.account_id)
    assert account is not None
    media = (await posts.media_of(context.session, [post.id]))[post.id]
    require_publishable(context.doors.adapters[post.platform], post, media)
    before = await snapshot(context, post)
    await consented(context, post)
    send_now(context, post, media)
    await changed(context, post, before)
    await speak_of(context, post)
    context.after_commit.append(lambda: context.doors.wake("posts"))
    shown = (await views(context, [post]))[0]
    return PostReceipt(summary=f"{label(post)} is going out on {account_label(account)} now.", post=shown)
