"""accept_plan: a plan, or some numbers of it, becomes posts."""

from collections.abc import Sequence
from typing import Literal

from pydantic import AliasChoices, Field

from core.when.receipt import receipt
from db.models.post import Post
from tools.accounts.choose import account_label
from tools.command import Arguments, Effect, Proposal, Result, command
from tools.context import Context
from tools.ideas.accepting import Settled, chosen_items, find_plan, settle
from tools.posts.changes import changed, made, snapshot
from tools.posts.making import agreed, make_post, place, require_agreed, together
from tools.posts.references import speak_of
from tools.posts.view import PostView, media_label, views


class AcceptPlan(Arguments):
    """Arguments of accept_plan."""

    plan_id: str = Field("it", max_length=100, description="the plan's id, or 'it': the latest plan")
    items: tuple[int, ...] | None = Field(
        None, min_length=1, max_length=100, description="the numbers of the items; the whole plan when left out"
    )
    become: Literal["scheduled", "drafts"] = Field(
        "scheduled",
        validation_alias=AliasChoices("as", "become"),
        description="'scheduled': they go out at their times; 'drafts': they wait",
    )


class AcceptedPlan(Result):
    """The posts that the plan became; ``warnings`` say what moved, and what stays a draft and why."""

    plan_id: str
    posts: tuple[PostView, ...]
    warnings: tuple[str, ...] = ()


def _effect(arguments: AcceptPlan) -> Effect:
    return Effect.SCHEDULE if arguments.become == "scheduled" else Effect.WRITE


def _whole(settled: Sequence[Settled]) -> str:
    """What a yes binds: every item by its number, and of each that is to go out its content, account and time."""
    return together([f"{each.item.id} {each.planned_hash or 'draft'}" for each in settled])


async def _propose(context: Context, arguments: AcceptPlan) -> Proposal:
    """Exactly these words, at exactly these times: the ones that are free now."""
    plan = await find_plan(context, arguments.plan_id, lock=False)
    items = await chosen_items(context, plan, arguments.items)
    settled = await settle(context, items, scheduled=arguments.become == "scheduled", lock=False)
    listed = " ".join(_proposed(context, each) for each in settled)
    return Proposal(
        summary=f"Accept {len(items)} of the plan's items? {listed}",
        content_hash=_whole(settled),
        pinned={"plan_id": str(plan.id), "items": [item.number for item in items], "become": arguments.become},
    )


def _proposed(context: Context, settled: Settled) -> str:
    number = settled.item.number
    content = settled.new or settled.post
    if content is None or settled.moment is None:
        return " ".join(settled.notes) or f"{number}: a draft."
    at = receipt(settled.moment.instant, zone=context.caller.zone, now=context.now)
    shown = media_label(settled.media)
    return f"{number}: {account_label(settled.account)}, {at}: “{content.caption}” with {shown}."


@command(
    title="Accept a plan",
    effect=Effect.SCHEDULE,
    effect_of=_effect,
    propose=_propose,
    rest="POST /v1/plans/{plan_id}/accept",
)
async def accept_plan(context: Context, arguments: AcceptPlan) -> AcceptedPlan:
    """Put a plan on the calendar, or some of its numbers; with `as` "drafts" they only become drafts.

    What a network would refuse as it is (no photo yet) becomes a draft, and `warnings` says what is missing. A time
    that was taken meanwhile gives way to the next free one. Accepting an item twice does nothing the second time.
    """
    plan = await find_plan(context, arguments.plan_id, lock=True)
    items = await chosen_items(context, plan, arguments.items)
    settled = await settle(context, items, scheduled=arguments.become == "scheduled", lock=True)
    require_agreed(context, _whole(settled))
    taken = [post for each in settled if (post := await _take(context, each)) is not None]
    await speak_of(context, *taken)
    return AcceptedPlan(
        summary=_said(context, taken),
        plan_id=str(plan.id),
        posts=await views(context, taken),
        warnings=tuple(note for each in settled for note in each.notes),
    )


async def _take(context: Context, settled: Settled) -> Post | None:
    """Make or plan one item's post; None when there is nothing to do for it."""
    if settled.new is not None:
        post = await make_post(context, settled.new)
        settled.item.post_id = post.id
        if settled.moment is not None:
            place(context, post, settled.moment)
            await agreed(context, post)
        await made(context, post)
        return post
    if settled.post is None or settled.moment is None:
        return None
    before = await snapshot(context, settled.post)
    place(context, settled.post, settled.moment)
    await agreed(context, settled.post)
    await changed(context, settled.post, before)
    return settled.post


def _said(context: Context, taken: Sequence[Post]) -> str:
    if not taken:
        return "Nothing new: these items were accepted before, or cannot be now."
    planned = [post for post in taken if post.scheduled_for is not None]
    drafts = [post.code for post in taken if post.scheduled_for is None]
    parts = []
    if planned:
        listed = ", ".join(
            f"{post.code} {receipt(post.scheduled_for, zone=context.caller.zone, now=context.now)}"
            for post in planned
            if post.scheduled_for is not None
        )
        parts.append(f"Scheduled {len(planned)}: {listed}.")
    if drafts:
        parts.append(f"Drafted {len(drafts)}: {', '.join(drafts)}.")
    return " ".join(parts)
