"""undo: taking back, as a set, what the last turn changed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.errors import Conflict, NotFound
from core.when.receipt import receipt
from db.models.post import Post, Status
from db.queries import calls, plans, posts
from tools.command import Arguments, Effect, Result, command
from tools.context import Context
from tools.posts.changes import changed, snapshot
from tools.posts.references import speak_of
from tools.posts.view import PostView, label, views

_BEYOND = {
    Status.PUBLISHING: "is being published right now",
    Status.POSTED: "is live",
    Status.UNCONFIRMED: "may be live",
}
_SAID = 10  # so many posts are told of one by one
_TIMES = frozenset({"scheduled_for", "wall_time", "next_attempt_at"})
_LINKS = frozenset({"idea_id", "experiment_id"})


class Undo(Arguments):
    """Arguments of undo: none."""


class Undone(Result):
    """What was taken back."""

    posts: tuple[PostView, ...]


@command(title="Undo the last change", effect=Effect.WRITE, rest="POST /v1/undo")
async def undo(context: Context, arguments: Undo) -> Undone:  # noqa: ARG001 - every command takes its arguments
    """Take back what the last turn changed: all of it, or nothing when something moved on since or is live."""
    caller = context.caller
    turn = await calls.last_turn(
        context.session, user_id=context.principal.user_id, thread_id=caller.thread_id, run_id=caller.run_id
    )
    if not turn:
        raise NotFound("There is nothing to undo.", code="nothing_to_undo", action="Say what you want changed instead.")
    changes = [change for call in turn for change in reversed(call.changes)]
    steps = [(UUID(str(change["post_id"])), change) for change in changes if "post_id" in change]
    await _require_untouched(context, steps)
    restored: dict[UUID, Post] = {}
    said: list[str] = []
    for post_id, change in steps:
        post = await posts.get(context.session, post_id, lock=True)
        assert post is not None
        said.append(await _restore(context, post, change.get("before")))
        restored[post_id] = post
    said += [await _drop_plan(context, UUID(str(change["plan_id"]))) for change in changes if "plan_id" in change]
    await calls.mark_undone(context.session, [call.id for call in turn])
    await speak_of(context, *restored.values())
    context.after_commit.append(lambda: context.doors.wake("posts"))
    return Undone(summary=f"Undone: {_listed(said)}", posts=await views(context, list(restored.values())))


def _listed(said: Sequence[str]) -> str:
    more = f" And {len(said) - _SAID} more." if len(said) > _SAID else ""
    return " ".join(said[:_SAID]) + more


async def _require_untouched(context: Context, steps: Sequence[tuple[UUID, dict[str, object]]]) -> None:
    """Raise ``Conflict`` naming every post that is live or has changed since the turn."""
    reasons: list[str] = []
    action = "Say what the post should be now, or take it down (delete_post) if it is live."
    newest: dict[UUID, dict[str, object]] = {}
    for post_id, change in steps:
        newest.setdefault(post_id, change)
    # In the order in which every command about many posts takes its locks.
    for post_id, change in sorted(newest.items(), key=lambda each: each[0]):
        post = await posts.get(context.session, post_id, lock=True)
        after = change.get("after")
        assert isinstance(after, dict)
        if post is None:
            reasons.append("one post is gone")
        elif post.deleted_at is not None:
            reasons.append(f"{label(post)} was taken down at the network, and nobody can bring it back")
            action = "Draft a new post with the same words and media: they are kept."
        elif Status(post.status) in _BEYOND:
            reasons.append(f"{label(post)} {_BEYOND[Status(post.status)]}")
        elif post.version != after["version"]:
            reasons.append(f"{label(post)} has changed since")
    if reasons:
        raise Conflict(
            f"That cannot be undone: {'; '.join(reasons[:_SAID])}{' and more' if len(reasons) > _SAID else ''}.",
            code="undo_refused",
            action=action,
        )


async def _restore(context: Context, post: Post, kept: object) -> str:
    before = await snapshot(context, post)
    if not isinstance(kept, dict):
        post.status, post.next_attempt_at, post.lease_until = Status.CANCELLED, None, None
        await plans.release(context.session, post.id)
        await changed(context, post, before)
        return f"{label(post)} is cancelled again, as it was made by that."
    for name, value in kept.items():
        if name not in {"version", "media", "account_id"}:
            setattr(post, name, _stored(name, value))
    post.lease_until = None  # whoever has just claimed it for the time it had lets go
    media = [(UUID(asset_id), alt_text) for asset_id, alt_text in kept["media"]]
    await posts.replace_media(context.session, post, media)
    _keep_future(context, post)
    await changed(context, post, before)
    return f"{label(post)} is {_state(context, post)} again."


async def _drop_plan(context: Context, plan_id: UUID) -> str:
    if await plans.is_accepted(context.session, plan_id):
        raise Conflict(
            "That cannot be undone: the plan was accepted since.",
            code="undo_refused",
            action="Cancel the posts that it became (cancel_posts); a plan in itself puts nothing on the calendar.",
        )
    await plans.drop(context.session, plan_id)
    return "The proposed plan is dropped."


def _stored(name: str, value: object) -> object:
    """A value of a snapshot as the row holds it."""
    if not isinstance(value, str):
        return value
    if name in _LINKS:
        return UUID(value)
    return datetime.fromisoformat(value) if name in _TIMES else value


def _keep_future(context: Context, post: Post) -> None:
    """Raise ``Conflict`` rather than send a post because its old time has passed meanwhile."""
    if post.status == Status.SCHEDULED and (post.scheduled_for is None or post.scheduled_for <= context.now):
        raise Conflict(
            f"{label(post)} cannot go back to its old time: it has passed.",
            code="undo_refused",
            action="Name a new time for it.",
        )


def _state(context: Context, post: Post) -> str:
    if post.status == Status.SCHEDULED and post.scheduled_for is not None:
        return f"scheduled for {receipt(post.scheduled_for, zone=context.caller.zone, now=context.now)}"
    return "a draft" if post.status == Status.DRAFT else str(post.status)
