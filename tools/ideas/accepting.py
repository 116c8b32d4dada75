"""What accepting a plan would come to: for each item its post, its time now, and what is in the way (reads only)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core.errors import InvalidInput, NotFound, Problem
from core.ids import parse_id
from core.when.receipt import receipt
from core.when.resolve import Moment
from core.when.zones import load_zone
from db.models.account import Account
from db.models.plan import Plan, PlanItem
from db.models.post import Post, Status
from db.queries import accounts as account_rows
from db.queries import plans, posts
from db.queries.posts import PostMediumRow
from platforms.base import Adapter, Content
from tools.context import Context
from tools.posts.content import content_of
from tools.posts.making import NewPost, planned_hash
from tools.posts.times import CLASH_WITHIN, slots_between

_LATEST = frozenset({"", "it", "that", "this", "the plan", "plan", "latest", "last", "the latest", "the last plan"})
_SEARCH = timedelta(days=60)


@dataclass(frozen=True, kw_only=True)
class Settled:
    """One item as it would be taken over.

    ``post`` is the draft there is already, ``new`` what has to be made, both None = there is nothing to do, for the
    reason in ``notes``. ``moment`` None = it stays or becomes a draft.
    """

    item: PlanItem
    account: Account
    post: Post | None = None
    new: NewPost | None = None
    media: Sequence[PostMediumRow] = ()
    moment: Moment | None = None
    notes: tuple[str, ...] = ()

    @property
    def planned_hash(self) -> str | None:
        """The content hash that the post will have on the calendar, None where it gets no time."""
        content = self.new or self.post
        if content is None or self.moment is None:
            return None
        return planned_hash(content, self.media, self.moment.instant)


async def find_plan(context: Context, reference: str, *, lock: bool) -> Plan:
    """The plan that is meant: by id, or the caller's latest."""
    words = " ".join(reference.lower().split())
    plan_id = parse_id(reference)
    if plan_id is None and words in _LATEST:
        newest = await plans.newest(context.session, user_id=context.principal.user_id)
        plan_id = newest.id if newest is not None else None
    plan = await plans.get(context.session, plan_id, lock=lock) if plan_id is not None else None
    if plan is None:
        raise NotFound(
            f"No plan fits {reference!r}." if words not in _LATEST else "There is no plan yet.",
            code="plan_not_found",
            action="Plan a week first, or name a plan by its id.",
        )
    return plan


async def chosen_items(context: Context, plan: Plan, numbers: Sequence[int] | None) -> Sequence[PlanItem]:
    """The items of these numbers, all when none are named. Raises ``InvalidInput`` for a number that is not there."""
    items = await plans.items_of(context.session, plan.id)
    known = {item.number: item for item in items}
    if missing := [number for number in numbers or () if number not in known]:
        message = f"The plan has no item {', '.join(map(str, missing))}; it has 1 to {len(items)}."
        problem = Problem(path="items", code="item_unknown", message=message)
        raise InvalidInput(message, code="item_unknown", action="Name items that are there.", problems=[problem])
    return [known[number] for number in sorted(set(numbers))] if numbers else items


async def settle(context: Context, items: Sequence[PlanItem], *, scheduled: bool, lock: bool) -> list[Settled]:
    """What becomes of each item, in order; with ``lock`` its post is held until the transaction ends."""
    accounts = {account.id: account for account in await account_rows.all_accounts(context.session)}
    calendar = _Calendar(context)
    return [await _settle(context, item, accounts, calendar, scheduled=scheduled, lock=lock) for item in items]


async def _settle(
    context: Context,
    item: PlanItem,
    accounts: Mapping[UUID, Account],
    calendar: "_Calendar",
    *,
    scheduled: bool,
    lock: bool,
) -> Settled:
    account = accounts.get(item.account_id)
    if account is None:
        gone = await account_rows.get(context.session, item.account_id)
        assert gone is not None
        return Settled(item=item, account=gone, notes=(f"{item.number}: its account is not connected any more.",))
    adapter = context.doors.adapters[account.platform]
    post = await posts.get(context.session, item.post_id, lock=lock) if item.post_id is not None else None
    if post is not None and (post.status != Status.DRAFT or not scheduled):
        state = "a draft already" if post.status == Status.DRAFT else f"{post.status}"
        return Settled(item=item, account=account, notes=(f"{item.number}: {post.code} is {state}, so it stays so.",))
    new, media, content = None, list[PostMediumRow](), None
    if post is None:
        content = _content(adapter, item.caption)
        new = NewPost(account=account, format=content.format, caption=item.caption, about=item.topic)
    else:
        media = (await posts.media_of(context.session, [post.id]))[post.id]
        content = content_of(post, media)
    problems = adapter.validate(content)
    if not scheduled or problems:
        missing = tuple(
            f"{item.number}: a draft for now; before it can go out: {problem.message}" for problem in problems
        )
        # A draft that stays one is nothing to do.
        return Settled(item=item, account=account, new=new, notes=missing)
    moment, notes = await calendar.place(item, account, adapter)
    return Settled(item=item, account=account, post=post, new=new, media=media, moment=moment, notes=notes)


def _content(adapter: Adapter, caption: str) -> Content:
    bare = Content(format="", caption=caption)
    return Content(format=adapter.choose_format(bare), caption=caption)


class _Calendar:
    """What is taken on each account, with what this plan has taken so far."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._taken: dict[UUID, list[datetime]] = {}

    async def place(self, item: PlanItem, account: Account, adapter: Adapter) -> tuple[Moment, tuple[str, ...]]:
        """The item's time, or the next free posting time after it when that is past or taken meanwhile."""
        context, zone = self._context, self._context.caller.zone
        end = max(item.planned_for, context.now) + _SEARCH
        if account.id not in self._taken:
            since = context.now - CLASH_WITHIN
            self._taken[account.id] = list(await posts.taken_times(context.session, account.id, since, end))
        wall = item.planned_for.astimezone(load_zone(zone)).replace(tzinfo=None)
        wished = Moment(instant=item.planned_for, zone=zone, wall_time=wall, phrase="the plan's time")
        if self._is_free(wished, account):
            self._taken[account.id].append(wished.instant)
            return wished, ()
        start = max(item.planned_for, context.now)
        times = account.posting_times or adapter.manifest.posting_times
        for slot in slots_between(times, start, end, zone=zone, phrase="next free slot"):
            if self._is_free(slot, account):
                self._taken[account.id].append(slot.instant)
                why = "is past" if item.planned_for <= context.now else "was taken meanwhile"
                at = receipt(slot.instant, zone=zone, now=context.now)
                return slot, (f"{item.number}: its time {why}, so it has the next free one: {at}.",)
        raise InvalidInput(
            f"@{account.handle} has no free slot for item {item.number} in the next {_SEARCH.days} days.",
            code="no_free_slot",
            action="Leave the item out, or give the account more posting times.",
        )

    def _is_free(self, moment: Moment, account: Account) -> bool:
        near = (abs(moment.instant - other) < CLASH_WITHIN for other in self._taken[account.id])
        return moment.instant > self._context.now and not any(near)
