"""What would go out, exactly: the adapter's record of a post's content, and the hash that an approval binds."""

import hashlib
import json
from collections.abc import Sequence
from typing import cast

from core.errors import InvalidInput
from core.jsontypes import JsonObject
from db.models.account import Asset
from db.models.post import Post
from db.queries.posts import PostMedia, PostMediumRow
from platforms.base import Adapter, Content, Medium
from tools.assets import AssetView, asset_view


def content_of(post: Post, media: Sequence[PostMediumRow]) -> Content:
    """The content of a post as adapters take it."""
    cover = cover_of(media)
    return Content(
        format=post.format,
        caption=post.caption,
        media=tuple(medium_of(asset_view(row.asset), row.medium.alt_text) for row in media),
        options=cast("JsonObject", post.options),
        cover=medium_of(asset_view(cover), None) if cover else None,
    )


def cover_of(media: Sequence[PostMediumRow]) -> Asset | None:
    """The asset that the post's option "cover" names."""
    return media.cover if isinstance(media, PostMedia) else None


def medium_of(asset: AssetView, alt_text: str | None) -> Medium:
    """An asset as adapters take it."""
    return Medium(
        asset_id=asset.id,
        kind="video" if asset.kind == "video" else "image",
        mime_type=asset.mime_type,
        size_bytes=asset.size_bytes,
        width=asset.width,
        height=asset.height,
        duration_seconds=asset.duration_seconds,
        alt_text=alt_text,
        frame_rate=asset.frame_rate,
        video_codec=asset.video_codec,
        audio_codec=asset.audio_codec,
        bit_rate=asset.bit_rate,
    )


def content_hash(post: Post, media: Sequence[PostMediumRow]) -> str:
    """SHA-256 over the whole of what would go out: text, options, media and cover by content, account, time."""
    cover = cover_of(media)
    whole = {
        **({"cover": cover.sha256} if cover else {}),
        "account": str(post.account_id),
        "caption": post.caption,
        "format": post.format,
        "media": [[row.asset.sha256, row.medium.alt_text] for row in media],
        "options": post.options,
        "scheduled_for": post.scheduled_for.isoformat() if post.scheduled_for else None,
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def require_publishable(adapter: Adapter, post: Post, media: Sequence[PostMediumRow]) -> None:
    """Raise ``InvalidInput`` with every rule of the network that the post breaks."""
    problems = adapter.validate(content_of(post, media))
    if problems:
        listed = " ".join(problem.message for problem in problems[:4])
        raise InvalidInput(
            f"{adapter.manifest.title} would refuse {post.code}: {listed}",
            code="not_publishable",
            action="Edit the post, then try again.",
            problems=problems,
        )
