"""list_notifications and read_notifications: what happened lately, and what somebody has read of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import Field

from core.errors import InvalidInput, NotFound, Problem
from core.ids import parse_id
from core.when.resolve import window
from db.models.post import Post
from db.queries import notifications
from db.queries.notifications import NotificationFilter, Told
from tools.command import Arguments, Effect, Result, command
from tools.context import Context
from tools.notifications.words import NotificationView, notification_view
from tools.posts.authors import note_network_words, note_others_words
from tools.posts.references import speak_of

Kind = Literal["published", "failed", "unconfirmed", "missed", "preflight", "reconnect"]
_MOST_IDS = 200


class ListNotifications(Arguments):
    """Arguments of list_notifications."""

    unread: bool = Field(default=False, description="only what nobody of the workspace has read")
    kind: tuple[Kind, ...] | None = Field(
        None,
        description="only these: published, failed, unconfirmed, missed, preflight (a planned post would not go out) or"
        " reconnect (an account has to be connected again)",
    )
    since: str | None = Field(
        None, max_length=100, description="only what happened since then, in the person's words: 'yesterday'"
    )
    limit: int = Field(20, ge=1, le=100, description="how many at most")
    cursor: str | None = Field(None, max_length=100, description="next_cursor of the page before")


class NotificationList(Result):
    """A page of notifications, newest first; ``unread`` counts all that nobody has read."""

    items: tuple[NotificationView, ...]
    next_cursor: str | None
    total: int
    unread: int


@command(title="List notifications", effect=Effect.READ, rest="GET /v1/notifications")
async def list_notifications(context: Context, arguments: ListNotifications) -> NotificationList:
    """List what happened: posts that went out, failed, were missed or are in doubt, and problems found beforehand.

    Newest first. For posts by their plan or state use list_posts; this one tells what happened when.
    """
    wanted = NotificationFilter(
        kinds=arguments.kind,
        unread=arguments.unread,
        since=begin_of(arguments.since, now=context.now, zone=context.caller.zone) if arguments.since else None,
    )
    before = _cursor(arguments.cursor)
    page = await notifications.page(context.session, wanted, limit=arguments.limit + 1, before=before)
    shown = page[: arguments.limit]
    total = await notifications.count(context.session, wanted)
    await speak_of(context, *_posts_in_trouble(shown))
    await note_others_words(context, [told.post for told in shown if told.post], {})
    for told in shown:
        note_network_words(context, told.notification.message or "")
    return NotificationList(
        summary=_listed(arguments, total),
        items=tuple(notification_view(context, told) for told in shown),
        next_cursor=str(shown[-1].notification.id) if len(page) > len(shown) else None,
        total=total,
        unread=await notifications.count(context.session, NotificationFilter(unread=True)),
    )


def _posts_in_trouble(shown: Sequence[Told]) -> list[Post]:
    """What "it" may mean next: the posts that something is to be done about, each once."""
    found = {told.post.id: told.post for told in shown if told.post and told.notification.kind != "published"}
    return list(found.values())[:5]


def begin_of(phrase: str, *, now: datetime, zone: str) -> datetime:
    """When the time that a phrase names began; a day of the week is the last one there was. Raises ``InvalidInput``."""
    start, _ = window(phrase.strip().removeprefix("since "), now=now, zone=zone)
    while start > now:
        start -= timedelta(days=7)
    return start


def _listed(arguments: ListNotifications, total: int) -> str:
    kinds = " or ".join(arguments.kind) if arguments.kind else ""
    noun = "notification" if total == 1 else "notifications"
    since = f" since {arguments.since.strip().removeprefix('since ')}" if arguments.since else ""
    if not total:
        return f"Nothing{f' ({kinds})' if kinds else ''}{' unread' if arguments.unread else ''}{since}."
    described = " ".join(part for part in (str(total), "unread" if arguments.unread else "", noun) if part)
    return f"{described}{f' ({kinds})' if kinds else ''}{since}."


def _cursor(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    if (found := parse_id(cursor)) is None:
        message = "This cursor is not one that Studio made."
        raise InvalidInput(
            message,
            code="cursor_invalid",
            action="Start again without a cursor.",
            problems=[Problem(path="cursor", code="cursor_invalid", message=message)],
        )
    return found


class ReadNotifications(Arguments):
    """Arguments of read_notifications."""

    notification_ids: tuple[str, ...] | None = Field(
        None, max_length=_MOST_IDS, description="only these; without this and until_id: every one there is"
    )
    until_id: str | None = Field(None, max_length=100, description="this one and every older one")


class NotificationsRead(Result):
    """How many were marked now, and how many nobody has read yet."""

    marked: int
    unread: int


@command(title="Mark notifications as read", effect=Effect.WRITE, rest="POST /v1/notifications/read", agent=False)
async def read_notifications(context: Context, arguments: ReadNotifications) -> NotificationsRead:
    """Mark notifications as read, for everybody of the workspace: some, all up to one, or all."""
    named = arguments.notification_ids
    ids = [_id(text) for text in named] if named is not None else None
    until = _id(arguments.until_id) if arguments.until_id is not None else None
    marked = await notifications.mark_read(context.session, ids, until=until)
    unread = await notifications.count(context.session, NotificationFilter(unread=True))
    noun = "notification" if marked == 1 else "notifications"
    return NotificationsRead(summary=f"Marked {marked} {noun} as read.", marked=marked, unread=unread)


def _id(text: str) -> UUID:
    if (found := parse_id(text)) is None:
        raise NotFound(
            f"There is no notification {text}.",
            code="notification_not_found",
            action="Take an id from GET /v1/notifications.",
        )
    return found
