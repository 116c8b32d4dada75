"""move_posts and cancel_posts: many posts in one transaction, all or none, after one yes to their before and after."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from core.errors import Conflict, StudioError
from core.when.receipt import receipt
from core.when.resolve import Moment
from db.models.account import Account
from db.models.post import Post, Status
from db.queries import posts
from db.queries.posts import PostMediumRow
from tools.accounts.choose import account_label
from tools.command import Effect, Proposal, Result, command
from tools.context import Context
from tools.posts.authors import note_others_words
from tools.posts.changes import bind, changed_with, needs_a_yes, require_state, snapshot_with
from tools.posts.content import content_hash, require_publishable
from tools.posts.references import speak_of
from tools.posts.selection import SelectPosts, chosen
from tools.posts.spread import Refusals, clashes, new_times
from tools.posts.view import label

_SAID = 10  # so many posts are listed one by one to a person


class CancelPosts(SelectPosts):
    """Arguments of cancel_posts."""


class MovePosts(SelectPosts):
    """Arguments of move_posts."""

    when: str = Field(
        min_length=1,
        max_length=200,
        description="in the person's own words: 'a day later', 'an hour earlier', 'by 2 days'; a day alone keeps each"
        " post's time of day ('to Friday'); or 'next free slots'; never compute it",
    )
    moments: dict[UUID, AwareDatetime] | None = Field(
        None, description="leave it out: the exact time of each post, as Studio showed them to a person for a yes"
    )


class BulkChange(BaseModel):
    """One post of many, before and after: receipts of its times, else the state it is in."""

    model_config = ConfigDict(frozen=True)

    post_id: str
    code: str
    label: str
    before: str
    after: str
    warnings: tuple[str, ...] = ()


class BulkReceipt(Result):
    """What became of many posts, in the order of their times before."""

    changes: tuple[BulkChange, ...]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A post that would change: with its account and media, the words for both its states, and where it goes."""

    post: Post
    account: Account
    media: Sequence[PostMediumRow]
    before: str
    after: str
    moment: Moment | None = None
    warnings: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """One line of the list that a person reads."""
        notes = "".join(f" ({warning})" for warning in self.warnings)
        where = f"{label(self.post)} on {account_label(self.account)}"
        return f"{where}: {_short(self.before)} → {_short(self.after)}{notes}"


def _short(said: str) -> str:
    """A receipt without its second clock and distance."""
    return said.split(",", maxsplit=1)[0]


def _listed(plan: Sequence[Planned]) -> str:
    lines = [f"- {each.line}" for each in plan[:_SAID]]
    more = [f"- and {len(plan) - _SAID} more"] if len(plan) > _SAID else []
    return "\n".join((*lines, *more))


def _counted(plan: Sequence[Planned]) -> str:
    return f"{len(plan)} post{'s' * (len(plan) > 1)}"


def _now_at(context: Context, post: Post) -> str:
    """What a person is told of where a post is: its time while it has one to come, else its state."""
    planned = post.scheduled_for
    said = receipt(planned, zone=context.caller.zone, now=context.now) if planned else None
    if post.status == Status.SCHEDULED and said is not None:
        return said
    return f"{post.status}, planned for {said}" if said and post.status != Status.DRAFT else str(post.status)


def _hash(plan: Sequence[Planned]) -> str:
    """What a yes is bound to: each post as it is in this version, and where it goes."""
    whole = sorted(
        [str(each.post.id), each.post.version, each.moment.instant.isoformat() if each.moment else each.after]
        for each in plan
    )
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def _require_as_approved(context: Context, plan: Sequence[Planned]) -> None:
    if context.approved_hash is not None and context.approved_hash != _hash(plan):
        raise Conflict(
            "One of the posts changed after this was approved, so none was changed.",
            code="approval_stale",
            action="Ask for it again and look at the list as it is now.",
        )


def _move_effect(arguments: MovePosts) -> Effect:
    return Effect.SCHEDULE if arguments.names_one else Effect.IRREVERSIBLE


def _cancel_effect(arguments: CancelPosts) -> Effect:
    return Effect.WRITE if arguments.names_one else Effect.IRREVERSIBLE


async def _planned_moves(context: Context, arguments: MovePosts, *, lock: bool) -> list[Planned]:
    found = await chosen(context, arguments, lock=lock)
    await note_others_words(context, found, {})
    accounts = await posts.accounts_of(context.session, found)
    media = await posts.media_of(context.session, [post.id for post in found])
    refusals = Refusals()
    for post in found:
        try:
            _require_movable(context, post, media[post.id])
        except StudioError as error:
            refusals.add(post, error)
    refusals.settle(len(found))
    times = await new_times(context, found, accounts, when=arguments.when, moments=arguments.moments)
    warnings = await clashes(context, found, times)
    return [
        Planned(
            post=post,
            account=accounts[post.account_id],
            media=media[post.id],
            before=_now_at(context, post),
            after=receipt(times[post.id].instant, zone=context.caller.zone, now=context.now),
            moment=times[post.id],
            warnings=warnings[post.id],
        )
        for post in found
    ]


def _require_movable(context: Context, post: Post, media: Sequence[PostMediumRow]) -> None:
    if post.status == Status.DRAFT:
        raise Conflict(
            f"{label(post)} is a draft: it has no time to move from.",
            code="post_not_scheduled",
            action="Schedule the drafts instead, and leave them out here.",
            changed={"status": post.status},
        )
    require_state(post, Status.SCHEDULED, "moved")
    require_publishable(context.doors.adapters[post.platform], post, media)


async def _propose_moves(context: Context, arguments: MovePosts) -> Proposal:
    plan = await _planned_moves(context, arguments, lock=False)
    moments = {str(each.post.id): each.moment.instant.isoformat() for each in plan if each.moment}
    return Proposal(
        summary=f"Move {_counted(plan)} ({arguments.when})?\n{_listed(plan)}",
        post_id=str(plan[0].post.id) if len(plan) == 1 else None,
        content_hash=_hash(plan),
        pinned={**arguments.pinned([each.post for each in plan]), "moments": moments},
    )


@command(
    title="Move several posts",
    effect=Effect.SCHEDULE,
    effect_of=_move_effect,
    propose=_propose_moves,
    rest="POST /v1/posts/move",
)
async def move_posts(context: Context, arguments: MovePosts) -> BulkReceipt:
    """Move several scheduled, failed or missed posts at once: all of them, or none when one cannot.

    Name the posts or describe them as in list_posts. A person is asked once, with the list of before and after: just
    call it, Studio asks. Undo takes all of it back. For one post use move_post.
    """
    plan = await _planned_moves(context, arguments, lock=True)
    _require_as_approved(context, plan)
    for each in plan:
        _move(context, each)
    await context.session.flush()
    await speak_of(context, *(each.post for each in plan[:_SAID]))
    context.after_commit.append(lambda: context.doors.wake("posts"))
    clashing = sum(bool(each.warnings) for each in plan)
    note = f" {clashing} of them go out close to another post of their account." if clashing else ""
    return BulkReceipt(
        summary=f"Moved {_counted(plan)}.{note}\n{_listed(plan)}",
        changes=tuple(_change(each, *needs_a_yes(each.post)) for each in plan),
    )


def _move(context: Context, each: Planned) -> None:
    post, moment = each.post, each.moment
    assert moment is not None
    before = snapshot_with(post, each.media)
    post.status, post.last_error, post.attempts = Status.SCHEDULED, None, 0
    post.scheduled_for, post.wall_time, post.zone = moment.instant, moment.wall_time, moment.zone
    post.next_attempt_at, post.lease_until = moment.instant, None
    bind(context, post, content_hash(post, each.media))
    changed_with(context, post, before, each.media)


def _change(each: Planned, *warnings: str) -> BulkChange:
    return BulkChange(
        post_id=str(each.post.id),
        code=each.post.code,
        label=label(each.post),
        before=each.before,
        after=each.after,
        warnings=(*each.warnings, *warnings),
    )


async def _planned_cancels(context: Context, arguments: CancelPosts, *, lock: bool) -> list[Planned]:
    found = await chosen(context, arguments, lock=lock)
    await note_others_words(context, found, {})
    refusals = Refusals()
    for post in found:
        try:
            require_state(post, Status.CANCELLED, "cancelled")
        except StudioError as error:
            refusals.add(post, error)
    refusals.settle(len(found))
    accounts = await posts.accounts_of(context.session, found)
    media = await posts.media_of(context.session, [post.id for post in found])
    return [
        Planned(
            post=post,
            account=accounts[post.account_id],
            media=media[post.id],
            before=_now_at(context, post),
            after="cancelled",
            warnings=("It may be live already: look at the account.",) if post.status == Status.UNCONFIRMED else (),
        )
        for post in found
    ]


async def _propose_cancels(context: Context, arguments: CancelPosts) -> Proposal:
    plan = await _planned_cancels(context, arguments, lock=False)
    return Proposal(
        summary=f"Cancel {_counted(plan)}?\n{_listed(plan)}",
        post_id=str(plan[0].post.id) if len(plan) == 1 else None,
        content_hash=_hash(plan),
        pinned=arguments.pinned([each.post for each in plan]),
    )


@command(
    title="Cancel several posts",
    effect=Effect.WRITE,
    effect_of=_cancel_effect,
    propose=_propose_cancels,
    rest="POST /v1/posts/cancel",
)
async def cancel_posts(context: Context, arguments: CancelPosts) -> BulkReceipt:
    """Cancel several posts at once so that they never go out: all of them, or none when one cannot.

    Name the posts or describe them as in list_posts; drafts only when named or asked for by status. A person is asked
    once. Undo brings all of them back. For one post use cancel_post; what is live is taken down with delete_post.
    """
    plan = await _planned_cancels(context, arguments, lock=True)
    _require_as_approved(context, plan)
    for each in plan:
        before = snapshot_with(each.post, each.media)
        each.post.status, each.post.next_attempt_at, each.post.lease_until = Status.CANCELLED, None, None
        changed_with(context, each.post, before, each.media)
    await context.session.flush()
    await speak_of(context, *(each.post for each in plan[:_SAID]))
    return BulkReceipt(
        summary=f"Cancelled {_counted(plan)}. What was planned will not go out.\n{_listed(plan)}",
        changes=tuple(_change(each) for each in plan),
    )
