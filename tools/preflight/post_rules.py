"""What stands in the way of one post: its approval, its content, its media, its neighbours, the day's limit."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from db.models.post import Approval, Post
from platforms.base import Adapter
from tools.posts.content import content_hash, cover_of
from tools.posts.times import CLASH_WITHIN
from tools.posts.view import label
from tools.preflight.obstacle import AccountWeek, Fix, Level, Obstacle, Planned

_A_DAY = timedelta(hours=24)
_WORDLESS = frozenset({"story"})  # formats whose words are not shown, so that the same words twice say nothing


def post_obstacles(week: AccountWeek) -> Iterator[Obstacle]:
    """What stands in the way of single posts, by their time."""
    inside = week.inside()
    if week.adapter is not None:
        for planned in inside:
            yield from _content(week, week.adapter, planned)
        yield from _quota(week, week.adapter)
    for planned in inside:
        yield from _approval(week, planned)
        yield from _stored(week, planned)
    yield from _clashes(week)
    yield from _same_words(week)
    yield from _not_scheduled(week)


def _told(week: AccountWeek, level: Level, planned: Planned, code: str, message: str) -> Callable[..., Obstacle]:
    """An obstacle that lacks only its ``action`` and ``fix``."""

    def complete(action: str, command: str, **arguments: object) -> Obstacle:
        return Obstacle(
            level=level,
            code=code,
            message=message,
            action=action,
            account=week.account,
            post=planned.post,
            affected=(planned.post,),
            due=planned.due,
            fix=Fix(command=command, arguments={"post_id": planned.post.code, **arguments}),
        )

    return complete


def _content(week: AccountWeek, adapter: Adapter, planned: Planned) -> Iterator[Obstacle]:
    """The network's own rules, as they are applied when the time comes."""
    title = adapter.manifest.title
    for code, problems in _by_code(adapter, planned).items():
        message = f"{title} would refuse {label(planned.post)}: {' '.join(problems[:3])}"
        told = _told(week, "error", planned, code, message)
        if code.startswith(("image", "video", "media")) and planned.media:
            yield told("Let Studio fit its media, or change them.", "fit_media")
        else:
            yield told("Change the post.", "edit_draft")


def _by_code(adapter: Adapter, planned: Planned) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in adapter.validate(planned.content):
        found.setdefault(problem.code, []).append(problem.message)
    return found


def _approval(week: AccountWeek, planned: Planned) -> Iterator[Obstacle]:
    post = planned.post
    changed = post.approval == Approval.GRANTED and post.approved_hash != content_hash(post, planned.media)
    action = "Somebody who may approve puts it on the calendar again as it is now: that is the yes."
    again = {"when": planned.due.isoformat()}
    if post.approval == Approval.STALE or changed:
        message = f"{label(post)} changed after it was approved."
        yield _told(week, "error", planned, "approval_stale", message)(action, "schedule_post", **again)
    elif post.approval == Approval.REQUIRED:
        message = f"Nobody has approved {label(post)} yet."
        yield _told(week, "error", planned, "approval_missing", message)(action, "schedule_post", **again)


def _stored(week: AccountWeek, planned: Planned) -> Iterator[Obstacle]:
    cover = cover_of(planned.media)
    assets = [*(row.asset for row in planned.media), *([cover] if cover else [])]
    lost = [asset.name for asset in assets if asset.sha256 in week.missing]
    if lost:
        message = f"{', '.join(lost)} of {label(planned.post)} is not in the media store any more."
        told = _told(week, "error", planned, "media_missing", message)
        yield told("Upload it again and put it on the post, or restore the media store.", "edit_draft")


def _quota(week: AccountWeek, adapter: Adapter) -> Iterator[Obstacle]:
    limit = adapter.manifest.daily_limit
    if limit is None:
        return
    scheduled = [each for each in week.planned if each.scheduled]
    moments = sorted([*week.sent, *(each.due for each in scheduled)])
    for planned, count in zip(scheduled, _within_a_day(moments, scheduled), strict=True):
        if count > limit and week.start <= planned.due < week.end:
            message = (
                f"{label(planned.post)} is number {count} of @{week.account.handle} in 24 hours;"
                f" {adapter.manifest.title} takes {limit}."
            )
            told = _told(week, "error", planned, "quota_exceeded", message)
            yield told("Move it to another day.", "move_post")


def _within_a_day(moments: Sequence[datetime], planned: Sequence[Planned]) -> Iterator[int]:
    """For each post, by time: how many go out in the 24 hours that end with it."""
    first, last = 0, 0
    for each in planned:
        while last < len(moments) and moments[last] <= each.due:
            last += 1
        while moments[first] <= each.due - _A_DAY:
            first += 1
        yield last - first


def _clashes(week: AccountWeek) -> Iterator[Obstacle]:
    scheduled = [each for each in week.planned if each.scheduled]
    for before, planned in pairwise(scheduled):
        if planned.due - before.due < CLASH_WITHIN and week.start <= planned.due < week.end:
            message = f"{label(planned.post)} goes out within 15 minutes of {label(before.post)} on the same account."
            yield _told(week, "warning", planned, "clash", message)("Move one of them.", "move_post")


def _same_words(week: AccountWeek) -> Iterator[Obstacle]:
    seen: dict[str, Post] = {}
    for planned in week.planned:
        post = planned.post
        words = " ".join(post.caption.split()).casefold()
        if not words or post.format in _WORDLESS or not planned.scheduled:
            continue
        other = seen.setdefault(words, post)
        is_experiment = post.experiment_id is not None and post.experiment_id == other.experiment_id
        if other is not post and not is_experiment and week.start <= planned.due < week.end:
            message = f"{label(post)} says the same as {other.code} on the same account."
            told = _told(week, "warning", planned, "same_text", message)
            yield told("Give one of them other words, or cancel it.", "edit_draft")


def _not_scheduled(week: AccountWeek) -> Iterator[Obstacle]:
    for planned in week.planned:
        if not planned.scheduled and week.start <= planned.due < week.end:
            message = f"{label(planned.post)} is planned for then, but it is a draft: it does not go out by itself."
            told = _told(week, "warning", planned, "not_scheduled", message)
            yield told("Put it on the calendar.", "schedule_post", when=planned.due.isoformat())
