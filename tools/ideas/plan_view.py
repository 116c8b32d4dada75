"""How a plan looks to everybody outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from core.when.receipt import receipt
from db.models.account import Account
from db.models.plan import PlanItem
from db.models.post import Post
from tools.context import Context


class PlanItemView(BaseModel):
    """One proposed post: what, where, when and why. ``needs`` says what is missing before it can go out."""

    model_config = ConfigDict(frozen=True)

    number: int
    topic: str
    caption: str
    why: str = Field(description="one clause")
    account_id: str
    account: str = Field(description="the account's handle")
    platform: str
    planned_for: datetime
    receipt: str = Field(description="the time in the caller's zone")
    post_id: str | None = Field(description="the draft that it proposes, or the post it became")
    code: str | None
    needs: tuple[str, ...] = ()


def item_views(
    context: Context,
    items: Sequence[PlanItem],
    *,
    accounts: Mapping[UUID, Account],
    posts: Mapping[UUID, Post],
    needs: Mapping[int, Sequence[str]],
) -> tuple[PlanItemView, ...]:
    """The records of a plan's items; ``needs`` by number."""
    return tuple(
        PlanItemView(
            number=item.number,
            topic=item.topic,
            caption=item.caption,
            why=item.why,
            account_id=str(item.account_id),
            account=accounts[item.account_id].handle,
            platform=accounts[item.account_id].platform,
            planned_for=item.planned_for,
            receipt=receipt(item.planned_for, zone=context.caller.zone, now=context.now),
            post_id=str(item.post_id) if item.post_id else None,
            code=posts[item.post_id].code if item.post_id else None,
            needs=tuple(needs.get(item.number, ())),
        )
        for item in items
    )
