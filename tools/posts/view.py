"""How a post looks to everybody outside: the record that every surface answers with."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from core.when.receipt import receipt
from db.models.account import Account
from db.models.post import Post
from db.queries import posts
from db.queries.posts import PostMediumRow
from tools.command import Result
from tools.context import Context
from tools.posts.authors import note_others_words
from tools.posts.content import cover_of


class MediumView(BaseModel):
    """A medium of a post."""

    model_config = ConfigDict(frozen=True)

    asset_id: str
    kind: str
    mime_type: str
    name: str
    width: int | None
    height: int | None
    alt_text: str | None
    url: str = Field(description="where a signed-in client reads it")


class PostError(BaseModel):
    """What went wrong last, and what to do about it."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    action: str


class PostCounts(BaseModel):
    """What the network counted when it was asked last (``at``); null where it says nothing, which is not zero."""

    model_config = ConfigDict(frozen=True)

    views: int | None = None
    reach: int | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None
    at: datetime


class PostView(BaseModel):
    """A post. Times are RFC 3339; ``receipt`` says the planned time in the caller's zone."""

    model_config = ConfigDict(frozen=True)

    id: str
    code: str
    account_id: str
    account: str = Field(description="the account's handle")
    platform: str
    format: str
    options: dict[str, object]
    status: str
    approval: str
    caption: str
    about: str | None
    media: tuple[MediumView, ...]
    scheduled_for: datetime | None
    receipt: str | None
    published_at: datetime | None
    platform_post_id: str | None
    permalink: str | None
    next_attempt_at: datetime | None
    attempts: int
    last_error: PostError | None
    counts: PostCounts | None = Field(description="what the network counts; null until it was asked")
    idea_id: str | None
    experiment_id: str | None
    created_by: str | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = Field(None, description="when it was taken down at the network")
    version: int


class PostReceipt(Result):
    """What became of one post; ``warnings`` are things worth knowing that stopped nothing."""

    post: PostView
    warnings: tuple[str, ...] = ()


def _text(value: UUID | None) -> str | None:
    return str(value) if value is not None else None


def view(context: Context, post: Post, account: Account, media: Sequence[PostMediumRow]) -> PostView:
    """The record of a post."""
    moment = post.scheduled_for
    return PostView(
        id=str(post.id),
        code=post.code,
        account_id=str(post.account_id),
        account=account.handle,
        platform=post.platform,
        format=post.format,
        options=dict(post.options),
        status=post.status,
        approval=post.approval,
        caption=post.caption,
        about=post.about,
        media=tuple(
            MediumView(
                asset_id=str(row.asset.id),
                kind=row.asset.kind,
                mime_type=row.asset.mime_type,
                name=row.asset.name,
                width=row.asset.width,
                height=row.asset.height,
                alt_text=row.medium.alt_text,
                url=f"/v1/media/{row.asset.id}",
            )
            for row in media
        ),
        scheduled_for=moment,
        receipt=receipt(moment, zone=context.caller.zone, now=context.now) if moment else None,
        published_at=post.published_at,
        platform_post_id=post.platform_post_id,
        permalink=post.permalink,
        next_attempt_at=post.next_attempt_at,
        attempts=post.attempts,
        last_error=PostError.model_validate(post.last_error) if post.last_error else None,
        counts=PostCounts.model_validate({**post.counts, "at": post.counts_at}) if post.counts else None,
        idea_id=_text(post.idea_id),
        experiment_id=_text(post.experiment_id),
        created_by=_text(post.created_by),
        created_at=post.created_at,
        updated_at=post.updated_at,
        deleted_at=post.deleted_at,
        version=post.version,
    )


async def views(context: Context, found: Sequence[Post]) -> tuple[PostView, ...]:
    """The records of several posts, in few statements whatever their number; words of others are noted as such."""
    if not found:
        return ()
    accounts = await posts.accounts_of(context.session, found)
    media = await posts.media_of(context.session, [post.id for post in found], covers=False)
    await note_others_words(context, found, media)
    return tuple(view(context, post, accounts[post.account_id], media[post.id]) for post in found)


def told_counts(counts: PostCounts | None) -> str:
    """What a network counts, for a sentence: " It has 812 views, 40 likes and 3 comments."; "" when it said nothing."""
    if counts is None:
        return ""
    named = [(name, getattr(counts, name)) for name in ("views", "likes", "comments", "shares", "saves")]
    said = [f"{value:,} {name if value != 1 else name[:-1]}" for name, value in named if value is not None]
    if not said:
        return ""
    return f" It has {', '.join(said[:-1])} and {said[-1]}." if len(said) > 1 else f" It has {said[0]}."


def excerpt(post: Post, *, length: int = 48) -> str:
    """The beginning of what a post says, for a sentence about it."""
    words = " ".join((post.caption or post.about or "").split())
    return f"“{words[: length - 1].rstrip(' .,;:!?')}…”" if len(words) > length else f"“{words}”"


def label(post: Post) -> str:
    """What a person recognises a post by: its code and first words."""
    return f"{post.code} {excerpt(post)}" if (post.caption or post.about) else post.code


def media_label(media: Sequence[PostMediumRow]) -> str:
    """What a post shows, counted: "2 images and 1 video"."""
    kinds = [row.asset.kind for row in media]
    counted = (f"{kinds.count(kind)} {kind}{'s' * (kinds.count(kind) > 1)}" for kind in sorted(set(kinds)))
    return " and ".join(counted) or "no media"


def options_label(post: Post, media: Sequence[PostMediumRow]) -> str:
    """The settings of a post, as a person agrees to them: " (cover: “sunrise.jpg”; first comment: “…”)", or ""."""
    cover = cover_of(media)
    said = []
    for name, value in sorted(post.options.items()):
        words = ", ".join(str(each) for each in value) if isinstance(value, list | tuple) else str(value)
        words = cover.name if name == "cover" and cover is not None else words
        said.append(f"{name.replace('_', ' ')}: “{words}”")
    return f" ({'; '.join(said)})" if said else ""
