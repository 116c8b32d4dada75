"""check_posts: will what is planned go out, and if not, what mends it?"""

import base64
import json
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from core.errors import InvalidInput, Problem
from core.when.receipt import receipt
from core.when.resolve import window
from db.models.post import Post
from db.queries import checks
from tools.accounts.choose import choose_account
from tools.command import Arguments, Effect, Result, command
from tools.context import Context
from tools.posts.authors import note_others_words
from tools.posts.draft import POST_ID
from tools.posts.references import resolve_post, speak_of
from tools.posts.view import label
from tools.preflight.obstacle import AccountWeek, Obstacle
from tools.preflight.week import missing_media, obstacles, read_weeks

AHEAD = timedelta(days=7)
_MOST_CODES = 20


class CheckPosts(Arguments):
    """Arguments of check_posts."""

    window: str | None = Field(
        None, max_length=100, description="only what is planned in this time, in the person's words; without: 7 days"
    )
    post_id: str | None = Field(None, max_length=300, description=f"only this post: {POST_ID}")
    platform: str | None = Field(None, max_length=50, description="only this network")
    account_id: str | None = Field(
        None,
        max_length=300,
        validation_alias=AliasChoices("account_id", "account"),
        description="only this account: id or @handle",
    )
    limit: int = Field(50, ge=1, le=200, description="how many problems at most")
    cursor: str | None = Field(None, max_length=400, description="next_cursor of the page before")


class PlannedProblem(BaseModel):
    """Something in the way: an error keeps the post from going out as it is, a warning is worth a look.

    ``post_id`` is null for what concerns all of an account's posts; ``posts`` names those it is in the way of.
    """

    model_config = ConfigDict(frozen=True)

    level: str
    code: str
    message: str
    action: str
    fix: dict[str, object] | None = Field(description="the command that mends it, with the arguments known so far")
    account_id: str
    account: str
    platform: str
    post_id: str | None
    posts: tuple[str, ...] = Field(description="short codes, the earliest first, 20 at most")
    due: datetime
    receipt: str


class CheckedPosts(Result):
    """What was looked at, and every problem by the time it strikes; ``ready``: nothing keeps a post from going out."""

    items: tuple[PlannedProblem, ...]
    next_cursor: str | None
    ready: bool
    checked: int
    errors: int
    warnings: int


async def _look(context: Context, arguments: CheckPosts) -> tuple[AccountWeek, ...]:
    async with context.doors.database.session(context.workspace_id) as session:
        inside = context.inside(session)
        start, end, post = await _stretch(inside, arguments)
        account_id = post.account_id if post else None
        if arguments.account_id is not None:
            account = await choose_account(
                session, context.doors.adapters, platform=arguments.platform, reference=arguments.account_id
            )
            account_id = account.id
        platform = arguments.platform.lower() if arguments.platform else None
        found = await checks.accounts(session, account_id=account_id, platform=platform)
        weeks = await read_weeks(context.doors, session, found, start, end)
    missing = await missing_media(context.doors.store, weeks)
    return tuple(replace(week, missing=missing) for week in weeks)


async def _stretch(context: Context, arguments: CheckPosts) -> tuple[datetime, datetime, Post | None]:
    """The time that is looked at, never the past; and the one post that is asked about, where there is one."""
    if arguments.post_id is not None:
        post = await resolve_post(context, arguments.post_id)
        due = post.scheduled_for or context.now
        return min(due, context.now + AHEAD), max(due, context.now) + timedelta(seconds=1), post
    if arguments.window is None:
        return context.now, context.now + AHEAD, None
    start, end = window(arguments.window, now=context.now, zone=context.caller.zone)
    return max(start, context.now), max(end, context.now), None


@command(title="Check what is planned", effect=Effect.READ, gather=_look, rest="GET /v1/preflight")
async def check_posts(context: Context, arguments: CheckPosts, weeks: tuple[AccountWeek, ...]) -> CheckedPosts:
    """Check whether planned posts will go out: content, media, approval, account, token, limits, clashes.

    Without a `window` it looks at the next 7 days. Each problem comes with the command that mends it. It changes
    nothing; for what has happened already use list_notifications.
    """
    post = await resolve_post(context, arguments.post_id) if arguments.post_id is not None else None
    found = sorted(
        (one for week in weeks for one in obstacles(week) if post is None or post.id in {p.id for p in one.affected}),
        key=_key,
    )
    errors = sum(one.level == "error" for one in found)
    after = _read_cursor(arguments.cursor)
    left = [one for one in found if after is None or _key(one) > after]
    shown = left[: arguments.limit]
    checked = 1 if post is not None else sum(len(week.inside()) for week in weeks)
    spoken = {one.post.id: one.post for one in shown if one.post is not None}
    await speak_of(context, *([post] if post is not None else list(spoken.values())[:5]))
    await note_others_words(context, list(spoken.values()), {})
    return CheckedPosts(
        summary=_summed_up(arguments, post, checked, errors, len(found) - errors),
        items=tuple(_view(context, one) for one in shown),
        next_cursor=_write_cursor(shown[-1]) if len(left) > len(shown) else None,
        ready=errors == 0,
        checked=checked,
        errors=errors,
        warnings=len(found) - errors,
    )


def _summed_up(arguments: CheckPosts, post: Post | None, checked: int, errors: int, warnings: int) -> str:
    when = f" ({arguments.window.strip() if arguments.window else 'next 7 days'})"
    if post is not None and post.status != "scheduled":
        return f"{label(post)} is not on the calendar (it is {post.status}), so there is nothing to check."
    what = label(post) if post is not None else f"{checked} planned {'post' if checked == 1 else 'posts'}{when}"
    if not checked and not warnings:
        return f"Nothing is planned{when}."
    worth = f"{warnings} {'thing is' if warnings == 1 else 'things are'} worth a look"
    if not errors:
        return f"{what}: ready to go out{f'; {worth}' if warnings else ''}."
    stopped = f"{errors} {'problem' if errors == 1 else 'problems'} to mend first"
    return f"{what}: {stopped}{f', and {worth}' if warnings else ''}."


def _view(context: Context, one: Obstacle) -> PlannedProblem:
    return PlannedProblem(
        level=one.level,
        code=one.code,
        message=one.message,
        action=one.action,
        fix=one.fix.stored() if one.fix else None,
        account_id=str(one.account.id),
        account=one.account.handle,
        platform=one.account.platform,
        post_id=str(one.post.id) if one.post else None,
        posts=tuple(post.code for post in one.affected[:_MOST_CODES]),
        due=one.due,
        receipt=receipt(one.due, zone=context.caller.zone, now=context.now),
    )


_Key = tuple[str, str, str, str]


def _key(one: Obstacle) -> _Key:
    """Errors and warnings together, by when they strike."""
    return one.due.isoformat(), str(one.account.id), str(one.post.id) if one.post else "", one.code


def _write_cursor(one: Obstacle) -> str:
    return base64.urlsafe_b64encode(json.dumps(_key(one)).encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> _Key | None:
    if cursor is None:
        return None
    try:
        due, account, post, code = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError) as error:
        message = "This cursor is not one that Studio made."
        raise InvalidInput(
            message,
            code="cursor_invalid",
            action="Start again without a cursor.",
            problems=[Problem(path="cursor", code="cursor_invalid", message=message)],
        ) from error
    return str(due), str(account), str(post), str(code)
