"""What became of a swept post, and whether that may be: at most once on the network, and never lost or stuck."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from urllib.parse import urlsplit

import httpx
from sqlalchemy import select

from db.models.post import Post, PublishAttempt
from tests.platforms.contract import Case
from tests.sweep.course import Course
from tests.sweep.plan import Disturbance
from tests.sweep.stage import Planted, Stage

# A publish that a crash interrupted is taken up again this soon after the restart.
SOON = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``status`` is the post's in the end; the other words are empty when all is well.

    ``missed``: the process got through before the kill came.
    """

    case: str
    disturbance: Disturbance
    status: str
    doubled: str = ""
    lost: str = ""
    stuck: str = ""
    wrong: str = ""
    was_scheduled: bool = False
    missed: bool = False

    @property
    def trouble(self) -> str:
        """All that is not as it has to be."""
        said = {"doubled": self.doubled, "lost": self.lost, "stuck": self.stuck, "wrong": self.wrong}
        return "; ".join(f"{name}: {words}" for name, words in said.items() if words)

    def __str__(self) -> str:
        what = self.disturbance
        return f"{self.case} | {what.step} | {what.name} -> {self.status} {self.trouble}"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What people see on the account (for drafts: in its inbox), and what Studio wrote down."""

    live: Sequence[Mapping[str, object]]
    post: Post
    attempts: Sequence[PublishAttempt]

    @property
    def comments(self) -> list[object]:
        """The words under the posts."""
        found = (cast("Sequence[Mapping[str, object]]", post.get("comments", ())) for post in self.live)
        return [comment["message"] for comments in found for comment in comments]

    @property
    def error(self) -> Mapping[str, object]:
        """What a person is told."""
        return self.post.last_error or {}


async def judge(
    stage: Stage, case: Case, disturbance: Disturbance, planted: Planted, course: Course, *, taken_up: timedelta | None
) -> Verdict:
    """Compare what the network shows with what the row says. ``taken_up``: how long after a kill somebody came."""
    shown = await _shown(stage, case, planted)
    return Verdict(
        case=case.name,
        disturbance=disturbance,
        status=shown.post.status,
        doubled=_doubled(shown),
        lost=_lost(case, disturbance, planted, shown),
        stuck=_stuck(shown, taken_up),
        wrong=_wrong(case, disturbance, planted, shown),
        was_scheduled=course.was_scheduled,
    )


async def _shown(stage: Stage, case: Case, planted: Planted) -> Shown:
    account = planted.credentials.external_id
    path = "/_sandbox/tiktok/inbox" if case.is_draft else "/_sandbox/feed"
    live = await _items(stage.control, path, account=account)
    async with stage.database.session(planted.workspace_id) as session:
        post = (await session.scalars(select(Post).where(Post.id == planted.post_id))).one()
        of_it = select(PublishAttempt).where(PublishAttempt.post_id == planted.post_id)
        attempts = (await session.scalars(of_it.order_by(PublishAttempt.number))).all()
    return Shown(live=live, post=post, attempts=attempts)


async def _items(control: httpx.AsyncClient, path: str, **parameters: str) -> list[Mapping[str, object]]:
    answer = await control.get(path, params=parameters)
    return cast("list[Mapping[str, object]]", answer.raise_for_status().json()["items"])


def _doubled(shown: Shown) -> str:
    if len(shown.live) > 1:
        return f"{len(shown.live)} posts"
    return f"{len(shown.comments)} comments" if len(shown.comments) > 1 else ""


def _lost(case: Case, disturbance: Disturbance, planted: Planted, shown: Shown) -> str:
    """Live but not known to be, or the other way round; a comment that nobody misses."""
    status, is_live = shown.post.status, bool(shown.live)
    if status == "posted" and not is_live:
        return "called posted, and nothing is there"
    can_tell = case.finds and not disturbance.for_good
    if status in {"failed", "scheduled", "missed", "cancelled"} and is_live and can_tell:
        return f"live, but called {status} ({shown.error.get('message')})"
    wanted = bool(planted.content.options.get("first_comment"))
    if status == "posted" and wanted and not shown.comments and not shown.error:
        return "the first comment is missing, and nobody is told"
    return ""


def _stuck(shown: Shown, taken_up: timedelta | None) -> str:
    if shown.post.status == "publishing":
        return f"publishing, next at {shown.post.next_attempt_at}"
    if shown.post.status == "scheduled" and shown.post.next_attempt_at is None:
        return "scheduled for never"
    if any(attempt.state == "open" for attempt in shown.attempts):
        return "its attempt is open"
    return f"taken up {taken_up} after the restart" if taken_up is not None and taken_up > SOON else ""


def _wrong(case: Case, disturbance: Disturbance, planted: Planted, shown: Shown) -> str:
    match shown.post.status:
        case "posted":
            return _wrong_address(case, disturbance, shown) or _wrong_warning(shown)
        case "failed":
            told = shown.error.get("message") and shown.error.get("action")
            passing = not (disturbance.refused or disturbance.for_good)
            if passing and disturbance.group not in {"media", "slow"}:
                return f"what passes made it fail: {shown.error}"
            return "" if told else f"failed without a cause or a way out: {shown.error}"
        case "unconfirmed":
            return _wrong_doubt(case, disturbance, shown)
        case other:
            return f"it ended as {other}: {shown.error}"


def _wrong_address(case: Case, disturbance: Disturbance, shown: Shown) -> str:
    if case.is_draft or not shown.live:
        return ""
    live, post = shown.live[0], shown.post
    if post.platform_post_id != live["id"] and (case.has_address or post.platform_post_id is not None):
        return f"the id is {post.platform_post_id}, not {live['id']}"
    asked_in_vain = disturbance.for_good or disturbance.refused
    untold = asked_in_vain and (post.permalink is None or _path(post.permalink) == _path(live["permalink"]))
    if case.has_address and post.permalink != live["permalink"] and not untold:
        return f"the address is {post.permalink}, not {live['permalink']}"
    return ""


def _path(address: object) -> str:
    """An address that is not told may be spelled as the real network spells it: without the sandbox's host."""
    return urlsplit(str(address)).path


def _wrong_warning(shown: Shown) -> str:
    if shown.comments and "did not go out" in str(shown.error.get("message")):
        return f"the comment is there, but people are told otherwise: {shown.error}"
    return ""


def _wrong_doubt(case: Case, disturbance: Disturbance, shown: Shown) -> str:
    if not shown.error.get("message") or not shown.error.get("action"):
        return "unconfirmed without a cause or a way out"
    if not any("evidence" in step or step.get("event") == "error" for step in shown.attempts[-1].steps):
        return "unconfirmed without evidence"
    if case.finds and case.rules_out and not disturbance.for_good:
        return "unconfirmed, although a look tells"
    return ""
