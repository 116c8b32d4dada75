"""Why a claimed post is not sent, or not gone on with; and how its row then ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from core.jsontypes import JsonObject
from db.models.account import Account
from db.models.post import Approval, Post, PublishAttempt, Status
from db.queries.posts import PostMediumRow
from db.queries.publishing import Ending
from platforms.base import Done, Step
from tools.accounts.choose import network_title
from tools.context import Doors
from tools.posts.content import content_hash, content_of
from tools.publishing.taken import is_taken
from tools.publishing.warnings import inbox_note, warning, warning_kept


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Why a claimed post is not sent."""

    status: Status
    code: str
    message: str
    action: str

    def error(self) -> dict[str, object]:
        """As the post keeps it."""
        return {"code": self.code, "message": self.message, "action": self.action}


def reason_not_to_send(
    doors: Doors, post: Post, account: Account, media: list[PostMediumRow], now: datetime
) -> Stop | None:
    """Why a post whose time has come is not begun: no yes, too late, no account, or content that would be refused."""
    unapproved = post.approval in {Approval.REQUIRED, Approval.STALE}
    if unapproved or (post.approval == Approval.GRANTED and post.approved_hash != content_hash(post, media)):
        return Stop(
            status=Status.MISSED,
            code="approval_needed",
            message="Its time came, but nobody had approved it as it is now.",
            action="Approve it, then move it to a new time.",
        )
    late = now - (post.scheduled_for or now)
    if late > timedelta(seconds=doors.settings.publish_grace):
        hours = f"{late.total_seconds() / 3600:.1f} h"
        if post.attempts == 0 and post.last_error is None:
            return Stop(
                status=Status.MISSED,
                code="too_late",
                message=f"It was found {hours} after its time, so it was not sent unasked.",
                action="Move it to a new time, publish it now, or cancel it.",
            )
        reason = (post.last_error or {}).get("message", "the network did not take it")
        return Stop(
            status=Status.FAILED,
            code="attempts_used_up",
            message=f"It did not go through for {hours}: {reason}",
            action="See what the network said, then move it to a new time or publish it now.",
        )
    if account.status != "connected" or account.platform not in doors.adapters:
        return not_connected(account)
    problems = doors.adapters[account.platform].validate(content_of(post, media))
    if problems:
        return Stop(
            status=Status.FAILED,
            code=problems[0].code,
            message=" ".join(problem.message for problem in problems[:3]),
            action="Edit the post, then schedule it again.",
        )
    return None


def stop_before(post: Post, stop: Stop, now: datetime) -> None:
    """Move the row to where the stop leads: nobody claims it again by itself."""
    post.status, post.last_error = stop.status, stop.error()
    post.next_attempt_at, post.lease_until = None, None
    post.version += 1
    post.updated_at = now


def not_connected(account: Account) -> Stop:
    """The account is gone, or asks to be connected again."""
    return Stop(
        status=Status.FAILED,
        code="reconnect_needed",
        message=f"@{account.handle} is not connected ({account.status}).",
        action="Connect the account again, then retry the post.",
    )


def where_it_is(doors: Doors, post: Post, media: list[PostMediumRow], attempt: PublishAttempt) -> Step | Done | None:
    """What an open attempt would do next; None when its network is not served here any more."""
    adapter = doors.adapters.get(post.platform)
    return adapter.next_step(content_of(post, media), cast("JsonObject", attempt.progress)) if adapter else None


def live_already(going_on: Step | Done | None) -> Done | None:
    """What is known of a post whose irreversible step is done; None when it is not."""
    return going_on.otherwise if isinstance(going_on, Step) else going_on


def reason_not_to_go_on(
    doors: Doors, post: Post, attempt: PublishAttempt, going_on: Step | Done | None, now: datetime
) -> Stop | None:
    """An attempt that a crash left half done is not taken up past the grace: nobody wants last week's post today.

    One in doubt is: first it is looked up what became of it, and what did not happen is sent no more. And so is one
    that the network has: it is only asked how it stands.
    """
    late = now - (post.scheduled_for or now)
    if late <= timedelta(seconds=doors.settings.publish_grace) or live_already(going_on) is not None:
        return None
    if _in_doubt(attempt) or is_taken(attempt.progress):
        return None
    return Stop(
        status=Status.FAILED,
        code="too_late",
        message=f"Its work broke off half-way, and it was found again {late.total_seconds() / 3600:.1f} h late.",
        action="Move it to a new time, publish it now, or cancel it.",
    )


def break_off(post: Post, attempt: PublishAttempt, stop: Stop, going_on: Step | Done | None, now: datetime) -> None:
    """End an attempt that is not gone on with; what is live stays so, what may have happened is left to a person."""
    in_doubt = _in_doubt(attempt) or is_taken(attempt.progress)
    live = live_already(going_on)
    stop_before(post, stop, now)
    attempt.ended_at = now
    if live is not None:
        post.status, attempt.state = Status.POSTED, "posted"
        post.last_error = _lacking(attempt, going_on, stop.message) or inbox_note(live)
        attempt.error = post.last_error
        post.platform_post_id, post.permalink, post.published_at = live.platform_post_id, live.permalink, now
        return
    if in_doubt:
        title = network_title(post.platform)
        ending = left_untold(title, stop.message) if is_taken(attempt.progress) else left_in_doubt(title, stop.message)
        post.status, post.last_error = Status(ending.post_status), ending.error
    attempt.state = "unconfirmed" if in_doubt else "failed"
    attempt.error = post.last_error


def _lacking(attempt: PublishAttempt, going_on: Step | Done | None, why: str) -> dict[str, object] | None:
    """What is said of a live post that is not gone on with: whether a comment of its is missing."""
    if isinstance(going_on, Step) and going_on.irreversible:
        return warning(going_on, why=why, is_known=not _in_doubt(attempt))
    return warning_kept(attempt.progress)


def _in_doubt(attempt: PublishAttempt) -> bool:
    return attempt.intent_at is not None and attempt.step_irreversible


def broken_off_for_good(post: Post, attempt: PublishAttempt | None, grace: timedelta, now: datetime) -> bool:
    """End a post whose work breaks off unforeseen again and again past its grace; False while it is tried still.

    Nothing of the account goes out while it is on its way: so there is an end to that, whatever is wrong.
    """
    message = "Something unforeseen went wrong inside Studio, again and again."
    action = "Look into Studio's log, then move it to a new time or publish it now."
    stop = Stop(status=Status.FAILED, code="internal_error", message=message, action=action)
    if now - (post.scheduled_for or now) <= grace:
        post.last_error = stop.error()
        return False
    stop_before(post, stop, now)
    if attempt is not None:
        in_doubt = _in_doubt(attempt)
        if in_doubt:
            ending = left_in_doubt(network_title(post.platform), message)
            post.status, post.last_error = Status(ending.post_status), ending.error
        attempt.state, attempt.ended_at = "unconfirmed" if in_doubt else "failed", now
        attempt.error = post.last_error
    return True


def left_in_doubt(title: str, why: str) -> Ending:
    """The ending of an attempt that nobody can ask about any more."""
    return _unconfirmed(f"It is not known whether {title} took the post: {why}")


def left_untold(title: str, why: str) -> Ending:
    """The ending of an attempt whose post the network has, without saying what became of it."""
    return _unconfirmed(f"{title} took the post and does not say what became of it: {why}")


def _unconfirmed(message: str) -> Ending:
    error: dict[str, object] = {
        "code": "outcome_unknown",
        "message": message.replace("\x00", ""),
        "action": "Look at the account: say whether the post is there, or whether to send it again or drop it.",
    }
    return Ending(attempt_state="unconfirmed", post_status="unconfirmed", error=error)
