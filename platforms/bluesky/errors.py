"""A Bluesky server's error names, sorted into Studio's conditions (pure)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from core.jsontypes import JsonObject
from platforms.errors import (
    AccountBlocked,
    ContentRefused,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReconnectNeeded,
    Refused,
    TokenExpired,
    Transient,
    without_secrets,
)
from platforms.progress import text

NOT_FOUND = "RecordNotFound"
ALREADY_THERE = "InvalidSwap"

_UNAUTHORIZED, _TOO_LARGE, _TOO_MANY_REQUESTS, _SERVER_ERROR = 401, 413, 429, 500
# The windows are of five minutes, an hour and a day; a server that names no end is asked again after one of minutes.
_WINDOW = 300.0


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    condition: type[PlatformError]
    action: str | None = None
    start_over: bool = False


_DEAD_TOKEN = _Verdict(condition=TokenExpired)
_CONTENT = _Verdict(condition=ContentRefused)
_BLOCKED = _Verdict(condition=AccountBlocked)
_NO_SERVER = _Verdict(
    condition=Refused, action="Check that STUDIO_BLUESKY_PDS_URL is the address of the account's own server."
)

_BY_NAME: Mapping[str, _Verdict] = {
    "ExpiredToken": _DEAD_TOKEN,
    "InvalidToken": _DEAD_TOKEN,
    "AuthMissing": _DEAD_TOKEN,
    "AccountTakedown": _BLOCKED,
    "AccountDeactivated": _BLOCKED,
    "AccountSuspended": _BLOCKED,
    "RepoDeactivated": _BLOCKED,
    "RepoTakendown": _BLOCKED,
    "AccountNotFound": _Verdict(condition=ReconnectNeeded),
    "RepoNotFound": _Verdict(condition=ReconnectNeeded),
    "InvalidRequest": _CONTENT,
    "InvalidMimeType": _CONTENT,
    "BlobTooLarge": _CONTENT,
    "PayloadTooLarge": _CONTENT,
    # A server forgets a picture that no post bears for long: it has to be sent again.
    "BlobNotFound": _Verdict(condition=Transient, start_over=True),
    "MethodNotImplemented": _NO_SERVER,
    "XRPCNotSupported": _NO_SERVER,
}


def call_error(
    status: int,
    body: JsonObject | None,
    headers: Mapping[str, str],
    *,
    secrets: tuple[str, ...],
    repeatable: bool,
) -> PlatformError:
    """Our error for an answer that is none of success; its ``platform_code`` is the server's name for it.

    ``repeatable`` False: a 5xx leaves it open what happened.
    """
    name, said = text(body or {}, "error"), text(body or {}, "message")
    words = without_secrets(said or f"HTTP {status}", secrets)
    message = f"Bluesky answered: {words}" + (f" ({name})" if name else "")
    if status == _TOO_MANY_REQUESTS:
        return RateLimited(message, platform_code=name, retry_after=seconds_to_wait(headers, now=time.time()))
    if status >= _SERVER_ERROR and name != "MethodNotImplemented":
        return (Transient if repeatable else OutcomeUnknown)(message, platform_code=name)
    verdict = _BY_NAME.get(name or "") or _by_status(status)
    return verdict.condition(message, platform_code=name, action=verdict.action, start_over=verdict.start_over)


def login_error(error: PlatformError) -> PlatformError:
    """What an answer means that refuses a login: no token was sent with it, so that none can have run out."""
    if not isinstance(error, TokenExpired):
        return error
    action = "Make a new app password in Bluesky's settings (Privacy and security) and connect the account with it."
    return ReconnectNeeded(error.message, platform_code=error.platform_code, action=action)


def seconds_to_wait(headers: Mapping[str, str], *, now: float) -> float:
    """How long a limited caller waits: by Retry-After (seconds), else until RateLimit-Reset (unix time)."""
    after, reset = _number(headers.get("retry-after")), _number(headers.get("ratelimit-reset"))
    if after is not None:
        return max(after, 1.0)
    return max(reset - now, 1.0) if reset is not None else _WINDOW


def _by_status(status: int) -> _Verdict:
    if status == _UNAUTHORIZED:
        return _DEAD_TOKEN
    return _CONTENT if status == _TOO_LARGE else _Verdict(condition=Refused)


def _number(value: str | None) -> float | None:
    try:
        return float(value or "")
    except ValueError:
        return None
