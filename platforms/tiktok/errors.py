"""TikTok's error codes and fail reasons, sorted into Studio's conditions (pure)."""

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

OK = "ok"
# TikTok sends no Retry-After; its limits are counted over a sliding minute, those of a creator over a day.
MINUTE = 60.0
HOUR = 3600.0

_SERVER_ERROR = 500
_TOO_MANY_REQUESTS = 429
_UNAUTHORIZED = 401


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a code means; ``retry_after`` in seconds."""

    condition: type[PlatformError]
    code: str | None = None
    retry_after: float | None = None
    action: str | None = None


_TEMPORARY = Verdict(condition=Transient)
_CONTENT = Verdict(condition=ContentRefused)
_LIMIT = Verdict(condition=RateLimited, retry_after=MINUTE)
_DAILY = Verdict(condition=RateLimited, retry_after=HOUR)
_DEAD_TOKEN = Verdict(condition=TokenExpired)
_SCOPE = Verdict(
    condition=ReconnectNeeded,
    code=PERMISSION_MISSING,
    action="Connect the account again and allow everything TikTok asks for there.",
)
_BLOCKED = Verdict(condition=AccountBlocked)
_APP = "Have the TikTok app audited, or post with a private account and privacy_level SELF_ONLY."

_BY_CODE: Mapping[str, Verdict] = {
    "access_token_invalid": _DEAD_TOKEN,
    "scope_not_authorized": _SCOPE,
    "scope_permission_missed": _SCOPE,
    "rate_limit_exceeded": _LIMIT,
    "internal_error": _TEMPORARY,
    "invalid_param": _CONTENT,
    "invalid_params": _CONTENT,
    "invalid_file_upload": _CONTENT,
    "privacy_level_option_mismatch": _CONTENT,
    "app_version_check_failed": Verdict(
        condition=Refused, action="Update the TikTok app on the account's phone, then retry the post."
    ),
    "spam_risk": _BLOCKED,
    "spam_risk_text": _CONTENT,
    "spam_risk_too_many_posts": _DAILY,
    "spam_risk_too_many_pending_share": _DAILY,
    "spam_risk_user_banned_from_posting": _BLOCKED,
    "reached_active_user_cap": _DAILY,
    "unaudited_client_can_only_post_to_private_accounts": Verdict(condition=Refused, action=_APP),
    "url_ownership_unverified": Verdict(
        condition=MediaUnreachable,
        action="Verify the domain of STUDIO_PUBLIC_URL in TikTok's developer portal, then retry the post.",
    ),
    "invalid_publish_id": Verdict(condition=Refused),
    "token_not_authorized_for_specified_publish_id": Verdict(condition=Refused),
    "publish_not_cancellable": Verdict(condition=Refused),
    # Fail reasons of a publish that TikTok had accepted.
    "file_format_check_failed": _CONTENT,
    "duration_check_failed": _CONTENT,
    "frame_rate_check_failed": _CONTENT,
    "picture_size_check_failed": _CONTENT,
    "internal": _TEMPORARY,
    "video_pull_failed": Verdict(condition=MediaUnreachable),
    "photo_pull_failed": Verdict(condition=MediaUnreachable),
    "publish_cancelled": Verdict(condition=Refused),
    "auth_removed": Verdict(condition=ReconnectNeeded),
}
# As a fail reason it comes after the whole upload: it is not sent again by itself every hour.
_BY_REASON: Mapping[str, Verdict] = {
    "spam_risk_too_many_posts": Verdict(condition=Refused, action="Wait a day, then retry the post.")
}
_UNDESCRIBED = Verdict(condition=Refused)

# OAuth's words that mean the grant is gone; others are a mistake in this installation's settings.
_GRANT_GONE = frozenset({"invalid_grant", "access_denied"})
_CHECK_APP = "Check STUDIO_TIKTOK_CLIENT_KEY and STUDIO_TIKTOK_CLIENT_SECRET."


def call_error(status: int, error: JsonObject, *, secrets: tuple[str, ...], repeatable: bool) -> PlatformError:
    """Our error for the ``error`` object of an answer (which may come with HTTP 200).

    ``repeatable`` False: a 5xx, and an answer that cannot be read, leave it open what happened.
    """
    code = _word(error.get("code"))
    verdict = _BY_CODE.get(code) or _by_status(status)
    said = without_secrets(_word(error.get("message")) or f"HTTP {status}", secrets)
    message = f"TikTok answered: {said}" + (f" ({code})" if code else "")
    unclear = status >= _SERVER_ERROR or verdict.condition is Transient
    if unclear and not repeatable:
        return OutcomeUnknown(message, platform_code=code or None)
    if status >= _SERVER_ERROR:
        verdict = _TEMPORARY
    return verdict.condition(
        message,
        code=verdict.code,
        platform_code=code or None,
        action=verdict.action,
        retry_after=verdict.retry_after,
    )


def fail_error(reason: str) -> PlatformError:
    """Our error for a publish that TikTok took and then gave up: what was prepared is worthless."""
    verdict = _BY_REASON.get(reason) or _BY_CODE.get(reason, _UNDESCRIBED)
    return verdict.condition(
        f"TikTok gave the post up: {reason.replace('_', ' ')}.",
        platform_code=reason,
        action=verdict.action,
        retry_after=verdict.retry_after,
        start_over=True,
    )


def oauth_error(status: int, error: str, description: str, *, secrets: tuple[str, ...]) -> PlatformError:
    """Our error for an answer of the token address, whose errors are flat."""
    message = f"TikTok grants no new token: {without_secrets(description or error or f'HTTP {status}', secrets)}"
    if status >= _SERVER_ERROR:
        return Transient(message, platform_code=error or None)
    if status == _TOO_MANY_REQUESTS:
        return RateLimited(message, platform_code=error or None, retry_after=MINUTE)
    if error in _GRANT_GONE:
        return ReconnectNeeded(message, platform_code=error)
    return Refused(message, platform_code=error or None, action=_CHECK_APP)


def _by_status(status: int) -> Verdict:
    if status == _TOO_MANY_REQUESTS:
        return _LIMIT
    if status == _UNAUTHORIZED:
        return _DEAD_TOKEN
    return _TEMPORARY if status >= _SERVER_ERROR else _UNDESCRIBED


def _word(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
