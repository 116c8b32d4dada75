"""Changing a post: which states allow it, the version that guards it, and the record that undo reads."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from core.errors import Conflict
from db.models.post import Approval, Post, Status
from db.queries import calls, posts
from db.queries.posts import PostMediumRow
from tools.command import Effect
from tools.consent import asks
from tools.context import Change, Context, Surface
from tools.posts.content import content_hash
from tools.posts.view import label

# Which states a person's command may leave, and for which state.
_ALLOWED: dict[Status, frozenset[Status]] = {
    Status.SCHEDULED: frozenset({Status.DRAFT, Status.SCHEDULED, Status.FAILED, Status.MISSED}),
    Status.PUBLISHING: frozenset({Status.DRAFT, Status.SCHEDULED, Status.FAILED, Status.MISSED}),
    Status.CANCELLED: frozenset({Status.DRAFT, Status.SCHEDULED, Status.MISSED, Status.FAILED, Status.UNCONFIRMED}),
}
EDITABLE = frozenset({Status.DRAFT, Status.SCHEDULED, Status.FAILED, Status.MISSED})

_WHY_NOT = {
    Status.PUBLISHING: ("is being published right now", "Wait a moment, then ask what happened to it."),
    Status.POSTED: (
        "is live already",
        "Take it down (delete_post), change it in the network's own app, or draft a new post.",
    ),
    Status.UNCONFIRMED: (
        "may or may not be live",
        "Look at the account first, then say whether it is there (resolve_post).",
    ),
    Status.CANCELLED: ("was cancelled", "Say “undo” to bring it back, or draft a new post."),
}


def require_state(post: Post, wanted: Status, doing: str) -> None:
    """Raise ``Conflict`` unless the post may go to ``wanted`` now; ``doing`` completes "cannot be …"."""
    if Status(post.status) in _ALLOWED[wanted]:
        return
    raise refusal(post, doing)


def require_editable(post: Post) -> None:
    """Raise ``Conflict`` unless what the post says may still change."""
    if Status(post.status) not in EDITABLE:
        raise refusal(post, "edited")


def refusal(post: Post, doing: str) -> Conflict:
    """The error that says why a post in this state cannot be changed, and what can be done."""
    why, action = _WHY_NOT.get(Status(post.status), (f"is {post.status}", "Ask what happened to it first."))
    if post.deleted_at is not None:
        why, action = "was taken down already", "Draft a new post with the same words and media."
    return Conflict(
        f"{label(post)} {why}, so it cannot be {doing}.",
        code=f"post_{post.status}",
        action=action,
        changed={"status": post.status},
    )


async def require_version(context: Context, post: Post, version: int | None) -> None:
    """Raise ``Conflict`` that says what changed when the caller saw an older version; None = any will do."""
    if version is None or version == post.version:
        return
    changed: dict[str, object] = {"version": post.version}
    for call in await calls.touching_post(context.session, post.id):
        for change in call.changes:
            changed |= _differences(change, str(post.id), version)
    fields = ", ".join(sorted(set(changed) - {"version"})) or "its state"
    raise Conflict(
        f"{label(post)} was changed by somebody else meanwhile ({fields}): you saw version {version},"
        f" it is at version {post.version}.",
        code="version_conflict",
        action="Read the post again, then repeat your change on its present version.",
        changed=changed,
    )


def _differences(change: dict[str, object], post_id: str, since: int) -> dict[str, object]:
    """What one recorded change altered, when it came after version ``since``: field -> the value it gave."""
    before, after = change.get("before"), change.get("after")
    if change.get("post_id") != post_id or not isinstance(before, dict) or not isinstance(after, dict):
        return {}
    if int(after.get("version", 0)) <= since:
        return {}
    technical = {"version", "last_error", "next_attempt_at", "approved_hash", "wall_time", "zone"}
    return {name: value for name, value in after.items() if name not in technical and before.get(name) != value}


_NEEDS_A_YES = "It stays on the calendar, but it goes out only when somebody approves it as it is now."
_KEPT = (
    "account_id", "about", "approval", "approved_hash", "caption", "experiment_id", "format", "idea_id", "last_error",
    "next_attempt_at", "options", "scheduled_for", "status", "version", "wall_time", "zone",
)  # fmt: skip


def _storable(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


async def snapshot(context: Context, post: Post) -> dict[str, object]:
    """A post as undo needs it: its columns and its media, as JSON."""
    return snapshot_with(post, (await posts.media_of(context.session, [post.id]))[post.id])


def snapshot_with(post: Post, media: Sequence[PostMediumRow]) -> dict[str, object]:
    """The same with the media read already, for commands about many posts."""
    kept: dict[str, object] = {name: _storable(getattr(post, name)) for name in _KEPT}
    kept["media"] = [[str(row.asset.id), row.medium.alt_text] for row in media]
    return kept


async def made(context: Context, post: Post) -> None:
    """Record that this command made the post."""
    context.changes.append(Change(post_id=post.id, before=None, after=await snapshot(context, post)))


async def changed(context: Context, post: Post, before: dict[str, object]) -> None:
    """Count the change, let an approval that no longer fits go stale, and record it."""
    changed_with(context, post, before, (await posts.media_of(context.session, [post.id]))[post.id])
    await context.session.flush()


def changed_with(context: Context, post: Post, before: dict[str, object], media: Sequence[PostMediumRow]) -> None:
    """The same with the media read already; whoever changes many posts flushes once after them."""
    post.version += 1
    post.updated_at = context.now
    if post.approval == Approval.GRANTED and content_hash(post, media) != post.approved_hash:
        post.approval = Approval.STALE
    context.changes.append(Change(post_id=post.id, before=before, after=snapshot_with(post, media)))


async def hash_of(context: Context, post: Post) -> str:
    """The hash of what a post would put out now."""
    return content_hash(post, (await posts.media_of(context.session, [post.id]))[post.id])


async def edit_consent(context: Context, post: Post, as_agreed: str) -> None:
    """What an edit makes of a planned post's approval.

    An edit asks nobody, and what is on the calendar goes out by itself: so whoever would have been asked before putting
    it there needs a yes to what it says now. ``as_agreed`` is the hash of what was on the calendar before.
    """
    current = await hash_of(context, post)
    if post.status != Status.SCHEDULED or current == as_agreed:
        return
    caller, policy = context.caller, context.doors.settings.approvals
    if post.approval == Approval.NONE and asks(Effect.SCHEDULE, caller, policy):
        post.approval = Approval.REQUIRED
    elif post.approval != Approval.NONE and caller.surface is Surface.REST and caller.principal.role.may_approve:
        post.approval, post.approved_hash = Approval.GRANTED, current


def needs_a_yes(post: Post) -> tuple[str, ...]:
    """The warning that a planned post waits for somebody's yes, when it does."""
    waits = post.status == Status.SCHEDULED and post.approval in {Approval.REQUIRED, Approval.STALE}
    return (_NEEDS_A_YES,) if waits else ()


async def consented(context: Context, post: Post) -> None:
    """Bind the post to the yes it was given: an approval's hash, or the direct act of somebody who may approve.

    The worker publishes only while the content still has this hash. Where the installation asks nobody any more, what
    waited for a yes needs none.
    """
    current = await hash_of(context, post)
    if context.approved_hash is not None and context.approved_hash != current:
        raise Conflict(
            f"{label(post)} changed after it was approved.",
            code="approval_stale",
            action="Look at the post and approve it again.",
        )
    bind(context, post, current)


def bind(context: Context, post: Post, current: str) -> None:
    """Bind the post, as its hash says it is now, to the yes that this call was given; see ``consented``."""
    is_own_yes = post.approval != Approval.NONE and context.principal.role.may_approve
    if context.approved_hash is not None or is_own_yes:
        post.approval, post.approved_hash = Approval.GRANTED, current
    elif context.doors.settings.approvals == "none":
        post.approval = Approval.NONE


def send_now(context: Context, post: Post, media: Sequence[PostMediumRow]) -> None:
    """Make a post due at once: what a person asked for is now, and a yes that was given is bound to that."""
    zone = ZoneInfo(context.caller.zone)
    post.status, post.last_error, post.attempts = Status.PUBLISHING, None, 0
    post.scheduled_for, post.zone = context.now, context.caller.zone
    post.wall_time = context.now.astimezone(zone).replace(tzinfo=None)
    post.next_attempt_at, post.lease_until = context.now, None
    if post.approval == Approval.GRANTED:
        post.approved_hash = content_hash(post, media)
