"""Did a Facebook publish happen? What is listed is compared with what we meant to send; a reel is asked itself.

Stories are not listed anywhere: nothing but a person can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from core.jsontypes import JsonObject
from platforms.base import Finding, Publish
from platforms.facebook.calls import address, is_dead, is_live, post_id_of
from platforms.progress import inner, moment, names, objects, plain, text

# Our clock and Meta's may differ.
CLOCK_SLACK = timedelta(seconds=60)
# How far back a post with the same words is looked for.
TWIN_AGE = timedelta(hours=1)
# Formats that are words: these Facebook refuses when it has them already.
WORDS = frozenset({"text", "link"})
POST_FIELDS = "id,message,created_time,permalink_url,attachments{media_type,target{id},subattachments{target{id}}}"
LISTED_VIDEO_FIELDS = "id,description,created_time,permalink_url,post_id"
COMMENT_FIELDS = "id,message,created_time,from{id}"

# Facebook turns an address inside of a text into a link preview.
_KINDS = {"text": {"", "link"}, "link": {"", "link"}, "image": {"", "photo"}, "carousel": {"", "album"}}


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Something Facebook lists; ``ids`` are all that another row may own it by, ``keeps`` goes into the progress."""

    ids: tuple[str, ...]
    at: datetime
    words: str
    keeps: JsonObject
    kind: str = ""
    photos: tuple[str, ...] = ()


def window_start(publish: Publish) -> datetime:
    """The earliest moment at which our post can have appeared, by Meta's clock."""
    return publish.started_at.astimezone(UTC) - CLOCK_SLACK


def read_posts(entries: Sequence[JsonObject]) -> list[Listed]:
    """The posts of a list; what cannot be read is left out."""
    listed = []
    for entry in entries:
        post_id, at = text(entry, "id"), moment(entry, "created_time")
        if post_id is None or at is None:
            continue
        attached = next(iter(objects(inner(entry, "attachments"), "data")), {})
        targets = [inner(one, "target") for one in objects(inner(attached, "subattachments"), "data")]
        keeps: JsonObject = {"finished": True, "post_id": post_id, "permalink": address(entry)}
        listed.append(
            Listed(
                ids=(post_id,),
                at=at,
                words=plain(text(entry, "message")),
                keeps=keeps,
                kind=text(attached, "media_type") or "",
                photos=tuple(str(target["id"]) for target in targets if "id" in target),
            )
        )
    return listed


def read_videos(entries: Sequence[JsonObject], publish: Publish) -> list[Listed]:
    """The videos of a list, live or on their way."""
    listed = []
    for entry in entries:
        video_id, at = text(entry, "id"), moment(entry, "created_time")
        if video_id is None or at is None:
            continue
        ids = (video_id, *filter(None, (post_id_of(entry, publish),)))
        keeps: JsonObject = {"finished": True, "video_id": video_id}
        listed.append(Listed(ids=ids, at=at, words=plain(text(entry, "description")), keeps=keeps))
    return listed


def read_comments(entries: Sequence[JsonObject], publish: Publish) -> list[Listed]:
    """The comments of a list that the Page wrote, or that nobody is named for."""
    listed = []
    for entry in entries:
        comment_id, at = text(entry, "id"), moment(entry, "created_time")
        author = text(inner(entry, "from"), "id")
        if comment_id is None or at is None or author not in (None, publish.credentials.external_id):
            continue
        words = plain(text(entry, "message"))
        listed.append(Listed(ids=(comment_id,), at=at, words=words, keeps={"comment_id": comment_id}))
    return listed


def compare(publish: Publish, listed: Sequence[Listed], *, words: str) -> Finding:
    """Which of the listed things is ours: by time, words and kind, and by its photos where they are shown."""
    candidates = [
        one for one in listed if one.at >= window_start(publish) and not publish.known_post_ids.intersection(one.ids)
    ]
    ours = names(publish.progress, "photos")
    same = [one for one in candidates if _is_ours(one, publish, words, ours)]
    evidence: JsonObject = {
        "window_start": window_start(publish).isoformat(),
        "listed": len(listed),
        "candidates": [{"id": one.ids[0], "at": one.at.isoformat()} for one in candidates],
        "equal_candidates": len(same),
    }
    if not same:
        return Finding(outcome="not_posted", evidence={**evidence, "reason": "Nothing listed is what was to be sent."})
    if len(same) > 1 and not plain(words):
        reason = "Several posts without words could be this one."
        return Finding(outcome="unknown", evidence={**evidence, "reason": reason})
    newest = max(same, key=lambda one: (one.at, one.ids))
    chosen: JsonObject = {"chosen": newest.ids[0], "matched_by": "photos" if newest.photos and ours else "words"}
    return Finding(outcome="posted", evidence={**evidence, **chosen}, progress=newest.keeps)


def without_twin(publish: Publish, finding: Finding, listed: Sequence[Listed]) -> Finding:
    """The finding of a text that is not there: Facebook takes none that it has just shown, whoever wrote it."""
    words = plain(publish.content.caption)
    twin = next((one for one in listed if words and one.words == words), None)
    if finding.outcome != "not_posted" or twin is None:
        return finding
    reason = "Facebook takes no second post with the same words so soon after the first."
    evidence: JsonObject = {**finding.evidence, "reason": reason, "twin": twin.ids[0]}
    return replace(finding, evidence=evidence, refused=f"{reason} The first one is {twin.ids[0]}.")


def _is_ours(one: Listed, publish: Publish, words: str, photos: Sequence[str]) -> bool:
    if photos and one.photos:
        return set(photos) == set(one.photos)
    kinds = _KINDS.get(publish.content.format) if publish.in_doubt != "first_comment" else None
    return one.words == plain(words) and (kinds is None or one.kind in kinds)


def judge_reel(answer: JsonObject) -> Finding:
    """What a reel's phases say about its publishing."""
    status = inner(answer, "status")
    phase = inner(status, "publishing_phase")
    evidence: JsonObject = {"video_status": status.get("video_status"), "publishing_phase": phase}
    if is_live(answer):
        return Finding(outcome="posted", evidence=evidence, progress={"finished": True})
    if is_dead(answer):
        return Finding(outcome="not_posted", evidence=evidence, start_over=True)
    match phase.get("status"):
        case "not_started":
            return Finding(outcome="not_posted", evidence=evidence)
        case "in_progress":  # it was asked to: the next step waits for the end of it
            return Finding(outcome="posted", evidence=evidence, progress={"finished": True})
        case _:
            reason = "Facebook does not say whether the reel is being published."
            return Finding(outcome="unknown", evidence={**evidence, "reason": reason})
