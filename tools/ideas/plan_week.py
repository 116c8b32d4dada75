"""plan_week: a numbered proposal for a week, from drafts that wait and topics that fit; nothing is on the calendar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AliasChoices, Field, StringConstraints

from core.errors import Conflict, InvalidInput, Problem
from core.ports import NetworkBrief, PlanBrief, Topic
from core.when.resolve import Moment, window
from db.models.account import Account
from db.models.plan import Plan, PlanItem
from db.models.post import Post, Status
from db.queries import accounts as account_rows
from db.queries import posts
from db.queries.posts import PostFilter, PostMediumRow
from platforms.base import Adapter, Content
from tools.accounts.choose import choose_account
from tools.command import Arguments, Effect, Result, command
from tools.context import Context
from tools.ideas.plan_view import PlanItemView, item_views
from tools.ideas.spreading import free_slots, spread
from tools.ideas.targets import network_brief
from tools.posts.content import content_of
from tools.posts.times import CLASH_WITHIN, slots_between
from tools.posts.view import PostView, views

MOST_ITEMS = 21
# One a day over all accounts: what one person can look at, and keep up.
USUAL_ITEMS = 7
_LONGEST = timedelta(days=32)
_HISTORY = 10
_SHOWN_BEFORE = 50
_ON_THE_CALENDAR = (Status.SCHEDULED, Status.PUBLISHING, Status.POSTED)
Theme = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class PlanWeek(Arguments):
    """Arguments of plan_week."""

    week: str = Field(
        "next week",
        max_length=100,
        validation_alias=AliasChoices("week", "window"),
        description="which days, in the person's words: 'next week', 'this week', 'the next 3 days'",
    )
    platforms: tuple[str, ...] = Field((), max_length=20, description="only these networks")
    accounts: tuple[str, ...] = Field((), max_length=20, description="only these accounts, by id or @handle")
    posts: int | None = Field(None, ge=1, le=MOST_ITEMS, description="how many; one a day when left out")
    themes: tuple[Theme, ...] = Field((), max_length=MOST_ITEMS, description="what the posts are to be about")


class WeekPlan(Result):
    """A plan. ``before`` is what is in those days already; ``rests_on`` says what the proposal rests on."""

    plan_id: str
    starts_at: datetime
    ends_at: datetime
    items: tuple[PlanItemView, ...]
    before: tuple[PostView, ...]
    rests_on: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What there is to plan with. ``drafts`` wait for a time, those that can go out as they are first."""

    start: datetime
    end: datetime
    accounts: Mapping[UUID, Account]
    places: Sequence[tuple[UUID, Moment]]
    drafts: Sequence[Post]
    media: Mapping[UUID, Sequence[PostMediumRow]]
    history: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Filling:
    """What goes to a place: a draft, or a topic that was written for it."""

    account_id: UUID
    moment: Moment
    draft: Post | None
    topic: Topic


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """What gather came to."""

    surroundings: Surroundings
    fillings: Sequence[Filling]
    rests_on: str


async def gather_plan(context: Context, arguments: PlanWeek) -> Proposed:
    """Look at the calendar and the drafts, then have the rest of the topics written."""
    async with context.doors.database.session(context.workspace_id) as session:
        around = await _look(context.inside(session), arguments)
    matched = _match(around)
    open_places = [place for place, draft in matched if draft is None]
    adapters = context.doors.adapters
    brief = PlanBrief(
        places=tuple(_place_brief(adapters[around.accounts[account_id].platform]) for account_id, _ in open_places),
        themes=arguments.themes,
        history=tuple(around.history),
    )
    topics, source = await _topics(context, brief)
    written = iter(topics)
    fillings = [
        Filling(
            account_id=account_id,
            moment=moment,
            draft=draft,
            topic=_of_draft(context, draft, around) if draft is not None else next(written),
        )
        for (account_id, moment), draft in matched
    ]
    return Proposed(surroundings=around, fillings=fillings, rests_on=_rests_on(arguments, around, fillings, source))


async def _topics(context: Context, brief: PlanBrief) -> tuple[Sequence[Topic], str | None]:
    if not brief.places:
        return (), None
    planned = await context.doors.writer.topics(brief)
    return planned.items, planned.rests_on


async def _look(context: Context, arguments: PlanWeek) -> Surroundings:
    start, end = _stretch(context, arguments.week)
    chosen = await _accounts(context, arguments)
    free: dict[UUID, list[Moment]] = {}
    for account in chosen:
        times = account.posting_times or context.doors.adapters[account.platform].manifest.posting_times
        slots = list(slots_between(times, start, end, zone=context.caller.zone, phrase=arguments.week))
        taken = await posts.taken_times(context.session, account.id, start - CLASH_WITHIN, end + CLASH_WITHIN)
        free[account.id] = free_slots(slots, taken, apart=CLASH_WITHIN)
    places = spread(free, arguments.posts or USUAL_ITEMS)
    if not places:
        raise Conflict(
            "No posting time is free in those days.",
            code="no_free_slot",
            action="Name other days, or give the account more posting times.",
        )
    drafts = await _drafts(context, [account.id for account in chosen])
    media = await posts.media_of(context.session, [post.id for post in drafts])
    recent = await posts.page(
        context.session, PostFilter(statuses=list(_ON_THE_CALENDAR)), limit=_HISTORY, after=None, by_time=False
    )
    return Surroundings(
        start=start,
        end=end,
        accounts={account.id: account for account in chosen},
        places=places,
        drafts=sorted(drafts, key=lambda post: bool(_missing(context, post, media[post.id]))),
        media=media,
        history=[post.caption for post in recent if post.caption.strip()],
    )


def _stretch(context: Context, week: str) -> tuple[datetime, datetime]:
    """The days that are meant, from now on."""
    start, end = window(week, now=context.now, zone=context.caller.zone)
    start = max(start, context.now)
    if end <= start or end - start > _LONGEST:
        message = "Those days are past." if end <= start else "A plan is for a month at most."
        problem = Problem(path="week", code="week_unusable", message=message)
        raise InvalidInput(
            message,
            code="week_unusable",
            action="Say for example “next week” or “the next 10 days”.",
            problems=[problem],
        )
    return start, end


async def _accounts(context: Context, arguments: PlanWeek) -> Sequence[Account]:
    """The accounts to plan for: those that are named, those of the named networks, else all."""
    adapters = context.doors.adapters
    connected = [each for each in await account_rows.all_accounts(context.session) if each.platform in adapters]
    if arguments.accounts:
        found = [
            await choose_account(context.session, adapters, platform=None, reference=name)
            for name in arguments.accounts
        ]
        return list({account.id: account for account in found}.values())
    wanted = {name.strip().lower() for name in arguments.platforms}
    without: list[str | None] = [*sorted(wanted - {account.platform for account in connected})]
    for name in without or ([] if connected else [None]):
        # Nothing fits: this says why, and what is connected.
        await choose_account(context.session, adapters, platform=name, reference=None)
    return [account for account in connected if not wanted or account.platform in wanted]


async def _drafts(context: Context, account_ids: Sequence[UUID]) -> Sequence[Post]:
    """Drafts that say something and wait for a time, newest first."""
    found: list[Post] = []
    for account_id in account_ids:
        wanted = PostFilter(statuses=[Status.DRAFT], account_id=account_id)
        found += await posts.page(context.session, wanted, limit=MOST_ITEMS, after=None, by_time=False)
    return [post for post in found if post.caption.strip()]


def _match(around: Surroundings) -> list[tuple[tuple[UUID, Moment], Post | None]]:
    """Every place with the draft that it gets, if any is left for its account."""
    waiting = list(around.drafts)
    matched: list[tuple[tuple[UUID, Moment], Post | None]] = []
    for place in around.places:
        draft = next((post for post in waiting if post.account_id == place[0]), None)
        if draft is not None:
            waiting.remove(draft)
        matched.append((place, draft))
    return matched


def _place_brief(adapter: Adapter) -> NetworkBrief:
    return network_brief(adapter, [rules.name for rules in adapter.manifest.formats])


def _of_draft(context: Context, draft: Post, around: Surroundings) -> Topic:
    missing = _missing(context, draft, around.media[draft.id])
    why = "this draft waits for a time" + (", and for what is missing" if missing else " and is ready to go out")
    topic = " ".join((draft.about or draft.caption).split())[:80]
    return Topic(topic=topic, caption=draft.caption, why=why)


def _missing(context: Context, post: Post, media: Sequence[PostMediumRow]) -> tuple[str, ...]:
    problems = context.doors.adapters[post.platform].validate(content_of(post, media))
    return tuple(problem.message for problem in problems)


def _rests_on(arguments: PlanWeek, around: Surroundings, fillings: Sequence[Filling], source: str | None) -> str:
    """On what the proposal rests, and what was not there to rest on."""
    drafts = sum(filling.draft is not None for filling in fillings)
    parts = [
        f"{drafts} {'draft' if drafts == 1 else 'drafts'} of yours" if drafts else "",
        f"the themes you named ({', '.join(arguments.themes)})" if arguments.themes else "",
        f"{len(around.history)} recent posts" if around.history else "no posts so far to learn from",
        f"new captions: {source}" if source else "",
        "no brand profile",
        "the accounts' posting times, not measured results",
    ]
    return "; ".join(part for part in parts if part)


@command(title="Plan a week", effect=Effect.WRITE, gather=gather_plan, rest="POST /v1/plans/weekly")
async def plan_week(context: Context, arguments: PlanWeek, gathered: Proposed) -> WeekPlan:
    """Propose posts for a week: what, where, when and why, as a numbered plan that accept_plan takes whole or in part.

    Drafts that wait for a time come first, then new topics. Nothing is on the calendar before it is accepted. Pass the
    days as the person said them.
    """
    around = gathered.surroundings
    plan = Plan(
        workspace_id=context.workspace_id,
        starts_at=around.start,
        ends_at=around.end,
        rests_on=gathered.rests_on,
        created_by=context.principal.user_id,
    )
    context.session.add(plan)
    await context.session.flush()
    items = [_item(plan, number, filling) for number, filling in enumerate(gathered.fillings, 1)]
    context.session.add_all(items)
    await context.session.flush()
    context.made_plans.append(plan.id)
    drafts = {filling.draft.id: filling.draft for filling in gathered.fillings if filling.draft is not None}
    shown = item_views(context, items, accounts=around.accounts, posts=drafts, needs=_needs(context, gathered))
    before = await _before(context, around)
    return WeekPlan(
        summary=_said(context, shown, before),
        plan_id=str(plan.id),
        starts_at=around.start,
        ends_at=around.end,
        items=shown,
        before=before,
        rests_on=gathered.rests_on,
        warnings=_fewer(arguments.posts, len(items)),
    )


def _item(plan: Plan, number: int, filling: Filling) -> PlanItem:
    return PlanItem(
        workspace_id=plan.workspace_id,
        plan_id=plan.id,
        number=number,
        account_id=filling.account_id,
        post_id=filling.draft.id if filling.draft is not None else None,
        topic=filling.topic.topic,
        caption=filling.topic.caption,
        why=filling.topic.why,
        planned_for=filling.moment.instant,
    )


def _needs(context: Context, gathered: Proposed) -> dict[int, tuple[str, ...]]:
    """What is missing before each item can go out, by number."""
    around = gathered.surroundings
    needs: dict[int, tuple[str, ...]] = {}
    for number, filling in enumerate(gathered.fillings, 1):
        if filling.draft is not None:
            needs[number] = _missing(context, filling.draft, around.media[filling.draft.id])
        else:
            adapter = context.doors.adapters[around.accounts[filling.account_id].platform]
            bare = Content(format="", caption=filling.topic.caption)
            content = Content(format=adapter.choose_format(bare), caption=filling.topic.caption)
            needs[number] = tuple(problem.message for problem in adapter.validate(content))
    return needs


async def _before(context: Context, around: Surroundings) -> tuple[PostView, ...]:
    """What these accounts have in those days already."""
    wanted = PostFilter(statuses=list(_ON_THE_CALENDAR), start=around.start, end=around.end)
    found = await posts.page(context.session, wanted, limit=_SHOWN_BEFORE, after=None, by_time=True)
    return await views(context, [post for post in found if post.account_id in around.accounts])


def _said(context: Context, items: Sequence[PlanItemView], before: Sequence[PostView]) -> str:
    listed = "\n".join(
        f"{item.number}. {item.receipt}, {context.doors.adapters[item.platform].manifest.title} @{item.account}:"
        f" {item.topic}{f' ({item.code})' if item.code else ''} ({item.why})"
        for item in items
    )
    there = f"; {len(before)} {'is' if len(before) == 1 else 'are'} there already" if before else ""
    count = f"{len(items)} {'post' if len(items) == 1 else 'posts'}"
    return f"A plan of {count}, not on the calendar yet{there}:\n{listed}\nAccept all of it, or some numbers."


def _fewer(asked: int | None, found: int) -> tuple[str, ...]:
    if asked is None or found >= asked:
        return ()
    return (f"You asked for {asked} posts; only {found} posting times are free in those days.",)
