"""list_posts, show_post and list_attempts: what is planned, what happened, and the evidence."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from core.errors import InvalidInput, Problem
from core.when.receipt import receipt
from core.when.resolve import window
from db.models.post import Post, PublishAttempt, Status
from db.queries import posts
from db.queries.posts import PostFilter
from tools.accounts.choose import choose_account, network_title
from tools.command import Arguments, Effect, Result, command
from tools.context import Context
from tools.posts.draft import POST_ID
from tools.posts.references import resolve_post, speak_of
from tools.posts.view import PostView, label, told_counts, views

StatusName = Literal["draft", "scheduled", "publishing", "posted", "failed", "unconfirmed", "missed", "cancelled"]


class ListPosts(Arguments):
    """Arguments of list_posts."""

    status: StatusName | None = Field(None, description="only posts in this state")
    platform: str | None = Field(None, description="only this network")
    account_id: str | None = Field(
        None, validation_alias=AliasChoices("account_id", "account"), description="only this account: id or @handle"
    )
    window: str | None = Field(
        None, max_length=100, description="only what is planned in this time, in the person's words: 'this week'"
    )
    start: datetime | None = Field(
        None, validation_alias=AliasChoices("from", "start"), description="only from this time on (RFC 3339)"
    )
    end: datetime | None = Field(
        None, validation_alias=AliasChoices("to", "end"), description="only before this time (RFC 3339)"
    )
    query: str | None = Field(None, max_length=200, description="only posts with these words")
    limit: int = Field(20, ge=1, le=100, description="how many at most")
    cursor: str | None = Field(None, max_length=300, description="next_cursor of the page before")


class PostList(Result):
    """A page of posts; ``next_cursor`` is null on the last one."""

    items: tuple[PostView, ...]
    next_cursor: str | None
    total: int


async def filter_of(context: Context, arguments: ListPosts) -> PostFilter:
    """What a list is narrowed to; raises ``NotFound`` for an account and ``InvalidInput`` for a window that is none."""
    start, end = arguments.start, arguments.end
    if arguments.window is not None:
        start, end = window(arguments.window, now=context.now, zone=context.caller.zone)
    account_id = None
    if arguments.account_id is not None:
        account = await choose_account(
            context.session, context.doors.adapters, platform=arguments.platform, reference=arguments.account_id
        )
        account_id = account.id
    return PostFilter(
        statuses=[arguments.status] if arguments.status else None,
        platform=arguments.platform.lower() if arguments.platform else None,
        account_id=account_id,
        start=_aware(start),
        end=_aware(end),
        words=arguments.query.split() if arguments.query else (),
    )


def _aware(moment: datetime | None) -> datetime | None:
    """A time without an offset is read as UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


@command(title="List posts", effect=Effect.READ, rest="GET /v1/posts")
async def list_posts(context: Context, arguments: ListPosts) -> PostList:
    """List posts: drafts, what is planned in some time, what went out, what failed.

    Without `status` and with a `window` it shows what is on the calendar then. Newest drafts first, plans by time.
    """
    wanted = await filter_of(context, arguments)
    if arguments.window is not None and arguments.status is None:
        alive = [status.value for status in Status if status not in {Status.DRAFT, Status.CANCELLED}]
        wanted = PostFilter(**{**wanted.__dict__, "statuses": alive})
    by_time = wanted.start is not None or wanted.end is not None or arguments.status == "scheduled"
    after = _read_cursor(arguments.cursor)
    page = await posts.page(context.session, wanted, limit=arguments.limit + 1, after=after, by_time=by_time)
    shown = page[: arguments.limit]
    total = await posts.count(context.session, wanted)
    if shown:
        await speak_of(context, *shown[:5])
    return PostList(
        summary=_listed(arguments, total),
        items=await views(context, shown),
        next_cursor=_write_cursor(shown[-1]) if len(page) > len(shown) else None,
        total=total,
    )


def _listed(arguments: ListPosts, total: int) -> str:
    noun = "post" if total == 1 else "posts"
    state = f"{arguments.status} " if arguments.status else ""
    about = f" matching “{arguments.query}”" if arguments.query else ""
    when = f" {arguments.window.strip()}" if arguments.window else ""
    return f"{total or 'No'} {state}{noun}{about}{when}."


def _write_cursor(post: Post) -> str:
    moment = post.scheduled_for or post.published_at
    raw = json.dumps([moment.isoformat() if moment else None, str(post.id)])
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> tuple[datetime | None, UUID] | None:
    if cursor is None:
        return None
    try:
        moment, post_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return (datetime.fromisoformat(moment) if moment else None, UUID(post_id))
    except (ValueError, TypeError) as error:
        message = "This cursor is not one that Studio made."
        raise InvalidInput(
            message,
            code="cursor_invalid",
            action="Start again without a cursor.",
            problems=[Problem(path="cursor", code="cursor_invalid", message=message)],
        ) from error


class AttemptView(BaseModel):
    """One try at publishing; ``steps`` is the evidence: every outward call with what was sent and what came of it."""

    model_config = ConfigDict(frozen=True)

    number: int
    state: str
    step: str | None = Field(description="the call that may be on its way; null between calls")
    intent_at: datetime | None
    steps: tuple[dict[str, object], ...]
    error: dict[str, object] | None
    started_at: datetime
    ended_at: datetime | None


class ShowPost(Arguments):
    """Arguments of show_post."""

    post_id: str = Field(max_length=300, description=POST_ID)


class PostStory(Result):
    """A post and what happened to it."""

    post: PostView
    attempts: tuple[AttemptView, ...]


def _attempt_view(attempt: PublishAttempt) -> AttemptView:
    return AttemptView(
        number=attempt.number,
        state=attempt.state,
        step=attempt.step,
        intent_at=attempt.intent_at,
        steps=tuple(attempt.steps),
        error=attempt.error,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
    )


@command(title="Show a post", effect=Effect.READ, rest="GET /v1/posts/{post_id}")
async def show_post(context: Context, arguments: ShowPost) -> PostStory:
    """Show one post whole: its words, media, time, state, and what happened when it was published."""
    post = await resolve_post(context, arguments.post_id)
    await speak_of(context, post)
    attempts = await posts.attempts_of(context.session, post.id)
    shown = (await views(context, [post]))[0]
    return PostStory(
        summary=_story(context, post, shown, attempts),
        post=shown,
        attempts=tuple(_attempt_view(attempt) for attempt in attempts[-3:]),
    )


def _waiting(post: Post, shown: PostView) -> str:
    """Why a planned post has not gone out yet, when its time has come."""
    error = shown.last_error
    if error is not None and post.attempts == 0:
        return f" It waits: {error.message} {error.action}"
    if error is not None:
        return f" Attempt {post.attempts} did not go through: {error.message}"
    return " It waits for its turn: another post of the account is on its way." if post.waits else ""


def _story(context: Context, post: Post, shown: PostView, attempts: Sequence[PublishAttempt]) -> str:
    where = f"{network_title(post.platform)} @{shown.account}"
    match Status(post.status):
        case Status.DRAFT:
            return f"{label(post)} is a draft for {where}; it is not on the calendar."
        case Status.SCHEDULED:
            return f"{label(post)} goes out on {where} at {shown.receipt}.{_waiting(post, shown)}"
        case Status.PUBLISHING:
            step = f" ({attempts[-1].step})" if attempts and attempts[-1].step else ""
            if post.waits:
                step = ", after another post of the account that is on its way"
            return f"{label(post)} is being published to {where} right now{step}."
        case Status.POSTED:
            link = f" at {post.permalink}" if post.permalink else ""
            lacking = f" {shown.last_error.message} {shown.last_error.action}".rstrip() if shown.last_error else ""
            reached = f"is live on {where}{link} since" if post.platform_post_id else f"went to {where}{link}"
            return f"{label(post)} {reached}{_at(context, post.published_at)}.{told_counts(shown.counts)}{lacking}"
        case Status.FAILED | Status.MISSED | Status.UNCONFIRMED:
            error = shown.last_error
            why = f": {error.message} {error.action}" if error else "."
            return f"{label(post)} on {where} is {post.status}{why}"
        case Status.CANCELLED:
            taken_down = f"was live on {where} and was taken down{_at(context, post.deleted_at)}"
            never = f"for {where} was cancelled; it does not go out"
            return f"{label(post)} {taken_down if post.deleted_at else never}."


def _at(context: Context, moment: datetime | None) -> str:
    return f" {receipt(moment, zone=context.caller.zone, now=context.now)}" if moment else " ?"


class AttemptList(Result):
    """The publishing ledger of a post, oldest attempt first."""

    items: tuple[AttemptView, ...]
    next_cursor: None = None


@command(title="List a post's attempts", effect=Effect.READ, rest="GET /v1/posts/{post_id}/attempts", agent=False)
async def list_attempts(context: Context, arguments: ShowPost) -> AttemptList:
    """The publishing ledger of a post: every attempt with every outward call."""
    post = await resolve_post(context, arguments.post_id)
    attempts = await posts.attempts_of(context.session, post.id)
    noun = "attempt" if len(attempts) == 1 else "attempts"
    return AttemptList(
        summary=f"{len(attempts) or 'No'} {noun} at publishing {label(post)}.",
        items=tuple(_attempt_view(attempt) for attempt in attempts),
    )
