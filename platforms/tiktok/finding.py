"""Did a TikTok publish happen? A publish_id can be asked; photos whose announcement was lost are looked for (pure)."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from core.jsontypes import JsonObject
from platforms.base import Content, Finding, Publish
from platforms.tiktok import steps
from platforms.tiktok.calls import everything_arrived

# Our clock and TikTok's may differ.
CLOCK_SLACK = timedelta(seconds=60)
# An upload address lives for an hour; a little earlier Studio begins anew.
UPLOAD_LIFE = timedelta(minutes=55)
# The list cuts texts at 150 characters.
SHOWN = 140


def window_start(publish: Publish) -> datetime:
    """The earliest moment at which our post can have appeared, by TikTok's clock."""
    return publish.started_at.astimezone(UTC) - CLOCK_SLACK


def by_status(publish: Publish, answer: JsonObject) -> Finding:
    """The finding that the answer about a publish_id allows."""
    status = steps.text(answer, "status") or ""
    evidence: JsonObject = {
        "publish_id": publish.progress.get("publish_id"),
        "status": status,
        "fail_reason": answer.get("fail_reason"),
        "uploaded_bytes": answer.get("uploaded_bytes"),
    }
    match status:
        case "FAILED":
            return Finding(outcome="not_posted", evidence=evidence, start_over=True)
        case "PUBLISH_COMPLETE" | "SEND_TO_USER_INBOX":
            return Finding(outcome="posted", evidence=evidence, progress={"sent": True})
        case "PROCESSING_UPLOAD" | "PROCESSING_DOWNLOAD":
            if not _has_all(publish.content, answer):
                return Finding(outcome="not_posted", evidence=evidence, start_over=_is_too_old(publish))
            if steps.count(publish.progress, "checks") >= steps.MAX_CHECKS - 1:
                reason = "TikTok has everything and has not finished processing it."
                return Finding(outcome="unknown", evidence={**evidence, "reason": reason})
            return Finding(outcome="posted", evidence=evidence, progress={"sent": True})
    reason = f"The status {status!r} is not one Studio knows."
    return Finding(outcome="unknown", evidence={**evidence, "reason": reason})


def by_list(publish: Publish, listed: Sequence[JsonObject]) -> Finding:
    """Which of the public posts is ours, by text and time; the newest of several. Nothing found proves nothing.

    A post may be in moderation for hours, and one that is not public is never listed.
    """
    candidates = [
        one
        for one in listed
        if steps.text(one, "id") is not None
        and steps.text(one, "id") not in publish.known_post_ids
        and same_words(publish.content, one)
    ]
    evidence: JsonObject = {
        "window_start": window_start(publish).isoformat(),
        "listed": len(listed),
        "candidates": [steps.text(one, "id") for one in candidates],
    }
    if not candidates:
        reason = "No public post with this text is listed yet; it may be in moderation, or not public."
        return Finding(outcome="unknown", evidence={**evidence, "reason": reason})
    ours = max(candidates, key=lambda one: (steps.count(one, "create_time"), steps.text(one, "id") or ""))
    post_id = steps.text(ours, "id")
    return Finding(
        outcome="posted",
        evidence={**evidence, "chosen": post_id, "matched_by": "text and time"},
        progress={"published": True, "post_id": post_id, "permalink": steps.text(ours, "share_url")},
    )


def same_words(content: Content, listed: JsonObject) -> bool:
    """Whether a listed post bears the texts of this content, as far as the list shows them."""
    title = content.options.get("title")
    wanted = {"video_description": content.caption, "title": title if isinstance(title, str) else ""}
    shown = {name: _plain(steps.text(listed, name) or "") for name in wanted}
    if not any(wanted.values()):
        return not any(shown.values())
    # Which of the two fields shows a description is not documented for photos: it may stand in either.
    return all(any(_shows(text, words) for text in shown.values()) for words in map(_plain, wanted.values()) if words)


def _shows(shown: str, ours: str) -> bool:
    return shown == ours or (len(shown) >= SHOWN and ours.startswith(shown[:SHOWN]))


def _plain(words: str) -> str:
    # Networks trim and fold white space and compose letters; words do not change by that.
    return " ".join(unicodedata.normalize("NFC", words).split())


def _has_all(content: Content, answer: JsonObject) -> bool:
    return content.format != "video" or everything_arrived(answer, content.media[0].size_bytes)


def _is_too_old(publish: Publish) -> bool:
    try:
        begun = datetime.fromisoformat(steps.text(publish.progress, "initiated_at") or "")
    except ValueError:
        return False
    return datetime.now(UTC) - begun > UPLOAD_LIFE
