"""Did an Instagram publish happen? The container says whether, the list of media says which post it became.

A container never names its post, and its own id is not the post's: the post is found by time, type and caption.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Content, Finding, Publish
from platforms.instagram.steps import first_comment, is_video
from platforms.progress import text

# Our clock and Meta's may differ.
CLOCK_SLACK = timedelta(seconds=60)
LISTED_FIELDS = "id,caption,timestamp,media_type,media_product_type,permalink"
COMMENT_PAGE = 50
COMMENT_FIELDS = "id,text,timestamp,username"

_TYPES = {"image": "IMAGE", "carousel": "CAROUSEL_ALBUM", "reel": "VIDEO"}


@dataclass(frozen=True, kw_only=True)
class LiveMedium:
    """A post as the account's list shows it; ``caption`` None: not shown (or the post has none)."""

    id: str
    published_at: datetime
    media_type: str
    product_type: str | None
    permalink: str | None
    caption: str | None


@dataclass(frozen=True, kw_only=True)
class LiveComment:
    """A comment as the list under a post shows it; ``username`` None: not shown."""

    id: str
    words: str
    username: str | None


def window_start(publish: Publish) -> datetime:
    """The earliest moment at which our post can have appeared, by Meta's clock."""
    return publish.started_at.astimezone(UTC) - CLOCK_SLACK


def read_list(entries: JsonValue) -> tuple[LiveMedium, ...]:
    """The posts of a list's ``data``; what cannot be read is left out."""
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return ()
    media = []
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        media_id, moment = text(entry, "id"), _moment(text(entry, "timestamp"))
        if media_id is None or moment is None:
            continue
        media.append(
            LiveMedium(
                id=media_id,
                published_at=moment,
                media_type=text(entry, "media_type") or "",
                product_type=text(entry, "media_product_type"),
                permalink=text(entry, "permalink"),
                caption=text(entry, "caption"),
            )
        )
    return tuple(media)


def read_comments(entries: JsonValue) -> tuple[LiveComment, ...]:
    """The comments of a list's ``data``; what cannot be read is left out."""
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return ()
    return tuple(
        LiveComment(id=str(entry["id"]), words=text(entry, "text") or "", username=text(entry, "username"))
        for entry in entries
        if isinstance(entry, dict) and entry.get("id")
    )


def identify_comment(publish: Publish, listed: Sequence[LiveComment]) -> Finding:
    """Whether the first comment is under the live post: ours are its words, by us where authors are shown."""
    ours, handle = _plain(first_comment(publish.content)), publish.credentials.handle.lower()
    found = [
        comment
        for comment in listed
        if _plain(comment.words) == ours and (comment.username or handle).lower() == handle
    ]
    evidence: JsonObject = {"listed": len(listed), "equal_comments": [comment.id for comment in found]}
    if found:
        return Finding(outcome="posted", evidence=evidence, progress={"comment_id": found[-1].id})
    if len(listed) >= COMMENT_PAGE:  # ours may be behind those that others have written since
        return Finding(outcome="unknown", evidence={**evidence, "reason": "There are more comments than are read."})
    return Finding(outcome="not_posted", evidence=evidence)


def unpublished(status: str, evidence: JsonObject) -> Finding | None:
    """The finding that a container's status alone allows, None for PUBLISHED (and for a status nobody knows)."""
    if status in {"FINISHED", "IN_PROGRESS"}:
        return Finding(outcome="not_posted", evidence=evidence)
    if status in {"ERROR", "EXPIRED"}:
        return Finding(outcome="not_posted", evidence=evidence, start_over=True)
    return None


def identify_post(publish: Publish, listed: Sequence[LiveMedium], evidence: JsonObject) -> Finding:
    """Which of the listed posts a PUBLISHED container became.

    The same caption decides, and among several posts with it the newest is taken: they look alike to everybody, and
    those that other rows own are left out. Where the list shows no captions at all (Meta documents the field for
    Facebook Login only), a post is taken only when no other could be meant.
    """
    candidates = [
        medium
        for medium in listed
        if medium.published_at >= window_start(publish)
        and medium.id not in publish.known_post_ids
        and _same_type(medium, publish.content)
    ]
    found = {
        **evidence,
        "window_start": window_start(publish).isoformat(),
        "listed": len(listed),
        "candidates": [_described(medium) for medium in candidates],
    }
    if any(medium.caption for medium in listed):
        ours = _plain(publish.content.caption)
        same = [medium for medium in candidates if _plain(medium.caption or "") == ours]
        if same:
            newest = max(same, key=lambda medium: (medium.published_at, medium.id))
            return _posted(newest, found, matched_by="caption, type and time", of=len(same))
    elif len(candidates) == 1:
        return _posted(candidates[0], found, matched_by="type and time; captions are not shown", of=1)
    reason = "Instagram says the container is published, but no listed post is surely this one."
    return Finding(outcome="unknown", evidence={**found, "reason": reason})


def _posted(medium: LiveMedium, evidence: JsonObject, *, matched_by: str, of: int) -> Finding:
    return Finding(
        outcome="posted",
        evidence={**evidence, "chosen": medium.id, "matched_by": matched_by, "equal_candidates": of},
        progress={"media_id": medium.id, "permalink": medium.permalink},
    )


def _same_type(medium: LiveMedium, content: Content) -> bool:
    if content.format == "story":  # the list of stories has nothing else in it
        return medium.media_type == ("VIDEO" if is_video(content) else "IMAGE")
    is_reel = medium.product_type == "REELS"
    return medium.media_type == _TYPES.get(content.format) and is_reel == (content.format == "reel")


def _plain(caption: str) -> str:
    # Networks trim and fold white space and compose letters; words do not change by that.
    return " ".join(unicodedata.normalize("NFC", caption).split())


def _described(medium: LiveMedium) -> JsonObject:
    return {
        "id": medium.id,
        "published_at": medium.published_at.isoformat(),
        "permalink": medium.permalink,
        "caption_shown": medium.caption is not None,
    }


def _moment(value: str | None) -> datetime | None:
    # "2026-11-20T09:00:00+0000"; Python 3.11 reads that offset too.
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
