"""What an error of Meta's Graph API means for us: its code and subcode, sorted into our conditions.

The rows follow Meta's error references (Graph "Handle errors" and Instagram "Error codes", June 2026). One rule stands
above the rows: after a call that may not be repeated, an error that does not say for certain that nothing happened is
``OutcomeUnknown``; Meta has answered 5xx, and 200 with an error, to posts that went live.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.jsontypes import JsonObject, JsonValue
from platforms.errors import (
    PERMISSION_MISSING,
    AccountBlocked,
    ContentRefused,
    MediaUnreachable,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReconnectNeeded,
    Refused,
    TokenExpired,
    Transient,
    without_secrets,
)

DAY_SECONDS = 86_400.0
_PUBLISHING_CODE = re.compile(r"\b2207\d{3}\b")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one row of the table says; ``certain``: a call answered like this has had no effect."""

    condition: type[PlatformError]
    certain: bool = True
    code: str | None = None
    action: str | None = None
    retry_after: float | None = None
    start_over: bool = False


_TEMPORARY = Verdict(condition=Transient, certain=False)
# A container that is broken or gone: a new one is made. On publish we look first, for "gone" may mean "published".
_NEW_CONTAINER = Verdict(condition=Transient, certain=False, start_over=True, retry_after=30.0)
# "Media ID is not available" is said of a container that is being prepared and of one that was published before.
_NOT_READY = Verdict(condition=Transient, certain=False, code="not_ready", retry_after=10.0)
_CONTENT = Verdict(condition=ContentRefused)
_UNREACHABLE = Verdict(condition=MediaUnreachable)
_BLOCKED = Verdict(condition=AccountBlocked)
_LIMIT = Verdict(condition=RateLimited)
_RECONNECT = Verdict(condition=ReconnectNeeded)
_PERMISSION = Verdict(condition=ReconnectNeeded, code=PERMISSION_MISSING)
# A wrong id, or not ours to see any more; on publish it may be the container that is gone.
_NOT_VISIBLE = Verdict(
    condition=Refused,
    certain=False,
    code="not_visible",
    action="Check that the account is still connected as the same one, then retry the post.",
)
_EXPIRED = Verdict(condition=TokenExpired)
# A refusal nobody has described says nothing certain about what happened.
_UNDESCRIBED = Verdict(condition=Refused, certain=False)

# Publishing subcodes are unique, whatever code they come with.
_BY_SUBCODE: Mapping[int, Verdict] = {
    2207001: _TEMPORARY,  # server error
    2207003: _TEMPORARY,  # Meta's download of our link timed out
    2207004: _CONTENT,  # image too big
    2207005: _CONTENT,  # image format
    2207006: _NEW_CONTAINER,  # media not found
    2207008: _NEW_CONTAINER,  # container missing or expired
    2207009: _CONTENT,  # aspect ratio
    2207010: _CONTENT,  # caption too long, too many hashtags or mentions
    2207020: _NEW_CONTAINER,  # media expired
    2207023: _CONTENT,  # media type
    2207026: _CONTENT,  # video format
    2207027: _NOT_READY,
    2207028: _CONTENT,  # carousel of fewer than 2 or more than 10
    2207032: _TEMPORARY,  # create failed
    2207035: _CONTENT,  # tags
    2207036: _CONTENT,
    2207037: _CONTENT,
    2207040: _CONTENT,
    2207042: Verdict(condition=RateLimited, code="daily_limit", retry_after=3_600.0),  # the 24 hours roll on
    2207050: _BLOCKED,  # account restricted
    2207051: Verdict(condition=AccountBlocked, code="spam_block", retry_after=DAY_SECONDS),
    2207052: _UNREACHABLE,  # our link could not be fetched
    2207053: _NEW_CONTAINER,  # upload error
    2207057: _CONTENT,  # thumb_offset
    2207077: _UNREACHABLE,  # video download failed
    1366051: Verdict(condition=ContentRefused, certain=False, code="duplicate"),  # a photo that was posted already
    2207081: _CONTENT,  # no trial reels for this account
    2207082: _NEW_CONTAINER,  # upload failed
    3858385: _BLOCKED,  # identity check
}

# Subcodes that mean something only together with their code. The others of 190 (app removed, password changed, role
# lost …) need a person, as 190 alone does.
_BY_PAIR: Mapping[tuple[int, int], Verdict] = {(190, 463): _EXPIRED, (100, 33): _NOT_VISIBLE}

_PERMISSION_CODES = range(200, 300)
_SERVER_ERROR = 500
_TOO_MANY_REQUESTS = 429

_BY_CODE: Mapping[int, Verdict] = {
    -2: _TEMPORARY,
    -1: _TEMPORARY,
    1: _TEMPORARY,
    2: _TEMPORARY,
    3: _PERMISSION,
    4: _LIMIT,
    9: _LIMIT,
    10: _PERMISSION,
    17: _LIMIT,
    24: _NEW_CONTAINER,
    25: _BLOCKED,
    31: _BLOCKED,
    32: _LIMIT,
    100: _CONTENT,
    102: _RECONNECT,
    104: _RECONNECT,
    190: _RECONNECT,
    324: _UNREACHABLE,  # no photo behind our link
    341: _LIMIT,
    352: _CONTENT,
    368: _BLOCKED,
    389: _UNREACHABLE,  # no video behind our link
    506: Verdict(condition=ContentRefused, certain=False, code="duplicate"),  # may name our own post: look first
    613: _LIMIT,
    9004: _UNREACHABLE,
    9007: _NOT_READY,
    36000: _CONTENT,
    36001: _CONTENT,
    36003: _CONTENT,
    36004: _CONTENT,
    80001: _LIMIT,
    80002: _LIMIT,
    80004: _LIMIT,
    1609005: _CONTENT,
}


@dataclass(frozen=True, kw_only=True)
class GraphProblem:
    """The ``error`` object of an answer; ``words`` are Meta's for people, without our secrets."""

    status: int
    code: int | None
    subcode: int | None
    words: str
    is_transient: bool

    @property
    def platform_code(self) -> str:
        """Code and subcode ("36003/2207009"), the code alone, or the HTTP status when Meta gave no code."""
        if self.code is None:
            return f"HTTP {self.status}"
        return f"{self.code}/{self.subcode}" if self.subcode else str(self.code)


def read_problem(status: int, error: JsonObject | None, *, secrets: tuple[str, ...] = ()) -> GraphProblem:
    """The problem an error object describes; None stands for a failure without one (a gateway's page)."""
    error = error or {}
    said = error.get("error_user_msg") or error.get("message")
    return GraphProblem(
        status=status,
        code=_number(error.get("code")),
        subcode=_number(error.get("error_subcode")),
        words=without_secrets(str(said or "no reason was given"), secrets),
        is_transient=error.get("is_transient") is True,
    )


def to_error(problem: GraphProblem, *, repeatable: bool, regain_seconds: float | None = None) -> PlatformError:
    """Our error for Meta's; ``repeatable`` as in ``platforms.http.exchange``, ``regain_seconds`` from usage headers."""
    verdict = _judge(problem)
    message = f"Meta answered: {problem.words}"
    if not repeatable and not verdict.certain:
        return OutcomeUnknown(message, platform_code=problem.platform_code)
    retry_after = regain_seconds if issubclass(verdict.condition, RateLimited) else None
    return verdict.condition(
        message,
        code=verdict.code,
        platform_code=problem.platform_code,
        action=verdict.action,
        retry_after=retry_after or verdict.retry_after,
        start_over=verdict.start_over,
    )


def _judge(problem: GraphProblem) -> Verdict:
    if problem.status >= _SERVER_ERROR:
        return _TEMPORARY
    code, subcode = problem.code or 0, problem.subcode or 0
    by_code = _PERMISSION if code in _PERMISSION_CODES else _BY_CODE.get(code)
    verdict = _BY_SUBCODE.get(subcode) or _BY_PAIR.get((code, subcode)) or by_code
    if subcode in _BY_SUBCODE or verdict is _LIMIT:
        return verdict or _UNDESCRIBED
    if problem.status == _TOO_MANY_REQUESTS:
        return _LIMIT
    return _TEMPORARY if problem.is_transient else verdict or _UNDESCRIBED


def container_error(said: str, *, secrets: tuple[str, ...] = (), otherwise: Verdict = _NEW_CONTAINER) -> PlatformError:
    """The error of a container that Meta gave up ("Error: Media upload has failed with error code 2207026").

    Whatever the reason, the container is worthless. A reason unknown to the table is ``otherwise``: taken as passing,
    unless the caller knows better; the next container shows whether it is.
    """
    found = _PUBLISHING_CODE.search(said)
    verdict = _BY_SUBCODE.get(int(found[0]), otherwise) if found else otherwise
    return verdict.condition(
        f"Meta could not prepare the media: {without_secrets(said, secrets)}",
        code=verdict.code,
        platform_code=found[0] if found else None,
        retry_after=verdict.retry_after,
        start_over=True,
    )


def regain_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds until calls are welcome again, None when no header says: the longest of those Meta estimates.

    ``X-Business-Use-Case-Usage`` estimates in minutes; ``Retry-After`` is honoured where a gateway sends it.
    """
    waits = [_seconds(headers.get("Retry-After"))]
    for usages in _json_object(headers.get("X-Business-Use-Case-Usage")).values():
        if isinstance(usages, list):
            waits += [60.0 * (_number(_field(usage, "estimated_time_to_regain_access")) or 0) for usage in usages]
    return max(waits) or None


def _seconds(value: str | None) -> float:
    try:
        return max(0.0, float(value or 0))
    except ValueError:
        return 0.0


def _number(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _field(value: JsonValue, name: str) -> JsonValue:
    return value.get(name) if isinstance(value, Mapping) else None


def _json_object(text: str | None) -> JsonObject:
    try:
        value: JsonValue = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}
