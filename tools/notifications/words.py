"""What a notification says: its cause, what to do, and what it is about."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from core.when.receipt import receipt
from db.queries.notifications import Told
from tools.accounts.choose import account_label, network_title
from tools.context import Context
from tools.posts.view import label


class NotificationView(BaseModel):
    """Something that a workspace is told; ``resolved_at`` null = it is still so, for what can be settled."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: str
    text: str = Field(description="what happened and why, in plain words")
    action: str = Field(description="what to do about it; empty when nothing has to be done")
    fix: dict[str, object] | None = Field(description="the command that mends it, with the arguments known so far")
    code: str | None = Field(description="the condition, for machines")
    post_id: str | None
    post_code: str | None
    account_id: str
    account: str
    platform: str
    link: str | None = Field(description="where the live post is")
    at: datetime
    receipt: str
    read_at: datetime | None
    resolved_at: datetime | None


def notification_view(context: Context, told: Told) -> NotificationView:
    """The record of a notification, in the caller's zone."""
    one, post = told.notification, told.post
    return NotificationView(
        id=str(one.id),
        kind=one.kind,
        text=_text(told),
        action=_action(told),
        fix=one.fix,
        code=one.code,
        post_id=str(one.post_id) if one.post_id else None,
        post_code=post.code if post else None,
        account_id=str(one.account_id),
        account=told.account.handle,
        platform=one.platform,
        link=one.permalink or (post.permalink if post else None),
        at=one.created_at,
        receipt=receipt(one.created_at, zone=context.caller.zone, now=context.now),
        read_at=one.read_at,
        resolved_at=one.resolved_at,
    )


def _text(told: Told) -> str:
    one, where = told.notification, account_label(told.account)
    post = label(told.post) if told.post else ""
    why = f" {one.message}" if one.message else ""
    match one.kind:
        case "published":
            return f"{post} is live on {where}.{why}"
        case "failed":
            return f"{post} did not go out on {where}.{why}"
        case "missed":
            return f"{post} missed its time on {where}.{why}"
        case "unconfirmed":
            return f"It is open whether {post} went out on {where}.{why}"
        case "reconnect":
            return f"{network_title(one.platform)} does not let Studio act for @{told.account.handle} any more."
        case _:
            return one.message or f"{post or where} would not go out as it is."


_USUAL = {
    "failed": "See what the network said, then retry the post.",
    "missed": "Move it to a new time, publish it now, or cancel it.",
    "unconfirmed": "Look at the account, then say whether the post is there.",
    "reconnect": "Connect the account again: until then nothing that is planned on it goes out.",
}


def _action(told: Told) -> str:
    return told.notification.action or _USUAL.get(told.notification.kind, "")
