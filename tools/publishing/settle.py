"""resolve_post: a person settles what became of an unconfirmed post, and the ledger keeps who said so."""

from typing import Literal, Self

from pydantic import Field, model_validator

from core.errors import Conflict
from db.models.post import Post, PublishAttempt, Status
from db.queries import accounts, posts, publishing
from tools.accounts.choose import account_label
from tools.command import Arguments, Effect, Proposal, command
from tools.context import Context
from tools.posts import references
from tools.posts.changes import changed, consented, require_version, send_now, snapshot
from tools.posts.content import content_hash
from tools.posts.draft import POST_ID
from tools.posts.retry import sendable
from tools.posts.view import PostReceipt, label, media_label, views
from tools.publishing.evidence import add_word
from tools.publishing.lookup import Sighting, look_again


class ResolvePost(Arguments):
    """Arguments of resolve_post."""

    post_id: str = Field(max_length=300, description=POST_ID)
    outcome: Literal["posted", "not_posted"] = Field(
        description="what the person found when looking at the account; never guess it"
    )
    then: Literal["send_again", "drop"] | None = Field(
        None, description="what to do with a post that is not there; belongs to not_posted alone"
    )
    platform_post_id: str | None = Field(
        None, max_length=500, description="the live post's id at the network or its link, when the person gave one"
    )
    version: int | None = Field(None, description="the version the person saw; a newer one is a conflict")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.outcome == "posted" and self.then is not None:
            raise ValueError("then belongs to the outcome not_posted: leave it out")
        if self.outcome == "not_posted" and self.then is None:
            raise ValueError("a post that is not there needs then: send_again or drop")
        if self.outcome == "not_posted" and self.platform_post_id:
            raise ValueError("platform_post_id belongs to the outcome posted: leave it out")
        return self


def _effect(arguments: ResolvePost) -> Effect:
    return Effect.IRREVERSIBLE if arguments.then == "send_again" else Effect.WRITE


def require_unconfirmed(post: Post) -> None:
    """Raise ``Conflict`` unless it is open what became of the post."""
    if post.status == Status.UNCONFIRMED:
        return
    state = {Status.POSTED: "live", Status.PUBLISHING: "being published"}.get(Status(post.status), post.status)
    action = "Nothing has to be settled. Ask for the post to see what happened to it."
    if post.status in {Status.FAILED, Status.MISSED}:
        action = "It is known that it did not go out: send it again with retry_post, or cancel it."
    raise Conflict(
        f"There is no doubt about {label(post)}: it is {state}.",
        code="post_not_unconfirmed",
        action=action,
        changed={"status": post.status},
    )


async def _propose(context: Context, arguments: ResolvePost) -> Proposal:
    post = await references.resolve_post(context, arguments.post_id)
    require_unconfirmed(post)
    if arguments.then != "send_again":
        said = "is live" if arguments.outcome == "posted" else "is not there, and drop it"
        return Proposal(summary=f"Say that {label(post)} {said}?", post_id=str(post.id))
    account, media = await sendable(context, post)
    return Proposal(
        summary=f"Send {post.code} to {account_label(account)} again, now? “{post.caption}” with {media_label(media)}."
        " It was not clear whether it had gone out; you say that it is not there. If it is, it will be there twice.",
        post_id=str(post.id),
        content_hash=content_hash(post, media),
        pinned={"post_id": str(post.id)},
    )


async def _look(context: Context, arguments: ResolvePost) -> Sighting | None:
    """Ask the network once more, where its answer can help: for the live post's address, or against a second one."""
    if arguments.then == "drop":
        return None
    async with context.doors.database.session(context.workspace_id) as session:
        inside = context.inside(session)
        post = await references.resolve_post(inside, arguments.post_id)
        require_unconfirmed(post)
        await require_version(inside, post, arguments.version)
    return await look_again(context, post.id)


@command(
    title="Settle an unconfirmed post",
    effect=Effect.WRITE,
    effect_of=_effect,
    propose=_propose,
    gather=_look,
    rest="POST /v1/posts/{post_id}/resolve",
)
async def resolve_post(context: Context, arguments: ResolvePost, sighting: Sighting | None) -> PostReceipt:
    """Settle an unconfirmed post by what a person saw on the account: it is there, or it is not.

    Not there: `then` says whether to send it again now (a person is asked first) or to drop it. For a post that failed
    use retry_post.
    """
    post = await references.resolve_post(context, arguments.post_id, lock=True)
    require_unconfirmed(post)
    await require_version(context, post, arguments.version)
    before = await snapshot(context, post)
    attempt = await publishing.last_attempt(context.session, post.id)
    if arguments.outcome == "posted":
        receipt, warnings = await _is_live(context, post, arguments.platform_post_id, sighting, attempt)
    elif arguments.then == "send_again":
        receipt, warnings = await _send_again(context, post, sighting), ()
    else:
        post.status, post.next_attempt_at, post.lease_until = Status.CANCELLED, None, None
        receipt, warnings = f"{label(post)} is dropped: Studio does not send it again.", ()
    _keep_word(context, arguments, attempt, sighting)
    await changed(context, post, before)
    await references.speak_of(context, post)
    return PostReceipt(summary=receipt, post=(await views(context, [post]))[0], warnings=warnings)


async def _is_live(
    context: Context, post: Post, named: str | None, sighting: Sighting | None, attempt: PublishAttempt | None
) -> tuple[str, tuple[str, ...]]:
    """The person's word counts; the network's answer adds what it knows, where the two agree."""
    account = await accounts.get(context.session, post.account_id)
    assert account is not None
    seen = sighting.done if sighting is not None else None
    is_link = named is not None and named.startswith(("https://", "http://"))
    platform_post_id, permalink = (None, named) if is_link else (named, None)
    if seen is not None and (named is None or named.rstrip("/") in {seen.platform_post_id, _bare(seen.permalink)}):
        platform_post_id, permalink = seen.platform_post_id, seen.permalink or permalink
    if platform_post_id is not None:
        other = await posts.by_platform_id(context.session, account.id, platform_post_id)
        if other is not None and other.id != post.id:
            raise Conflict(
                f"{platform_post_id} is {label(other)} already, so it cannot be {label(post)} too.",
                code="platform_post_taken",
                action="Look at the account again and name the other post, or leave the id out.",
            )
    post.status, post.last_error, post.next_attempt_at, post.lease_until = Status.POSTED, None, None, None
    post.platform_post_id, post.permalink = platform_post_id, permalink
    post.published_at = (attempt.intent_at if attempt is not None else None) or context.now
    where = f" at {permalink}" if permalink else f" as {platform_post_id}" if platform_post_id else ""
    return f"{label(post)} is live on {account_label(account)}{where}, as you say.", _doubts(post, sighting)


def _bare(link: str | None) -> str | None:
    return link.rstrip("/") if link is not None else None


def _doubts(post: Post, sighting: Sighting | None) -> tuple[str, ...]:
    said = []
    if sighting is not None and sighting.outcome == "not_posted":
        said.append("The network itself says that this post did not go out; your word was taken.")
    if post.platform_post_id is None:
        said.append("Studio does not know its id at the network: it cannot count its likes or take it down.")
    return tuple(said)


async def _send_again(context: Context, post: Post, sighting: Sighting | None) -> str:
    if sighting is not None and sighting.outcome == "posted":
        link = sighting.done.permalink if sighting.done is not None else None
        raise Conflict(
            f"The network shows {label(post)}{f' at {link}' if link else ''}, so it was not sent again.",
            code="post_is_live",
            action="Say that it is posted (resolve_post with the outcome posted).",
        )
    account, media = await sendable(context, post)
    await consented(context, post)
    send_now(context, post, media)
    context.after_commit.append(lambda: context.doors.wake("posts"))
    return f"{label(post)} is going out on {account_label(account)} again now."


def _keep_word(
    context: Context, arguments: ResolvePost, attempt: PublishAttempt | None, sighting: Sighting | None
) -> None:
    if attempt is None:
        return
    said = {"outcome": arguments.outcome, "then": arguments.then, "platform_post_id": arguments.platform_post_id}
    looked = {"looked": sighting.outcome, "evidence": dict(sighting.evidence)} if sighting is not None else {}
    add_word(context, attempt, {"event": "a person settled it", **said, **looked})
