"""TikTok's envelope: every answer carries an ``error`` object, also the good ones."""

import secrets
from collections.abc import Mapping

# The HTTP status of each documented code; creator_info answers some of them with 200 ("intentional").
STATUSES: Mapping[str, int] = {
    "access_token_invalid": 401,
    "scope_not_authorized": 401,
    "invalid_params": 400,
    "invalid_param": 400,
    "invalid_publish_id": 400,
    "token_not_authorized_for_specified_publish_id": 400,
    "publish_not_cancellable": 400,
    "spam_risk_too_many_posts": 403,
    "spam_risk_user_banned_from_posting": 403,
    "spam_risk_too_many_pending_share": 403,
    "reached_active_user_cap": 403,
    "unaudited_client_can_only_post_to_private_accounts": 403,
    "url_ownership_unverified": 403,
    "privacy_level_option_mismatch": 403,
    "rate_limit_exceeded": 429,
    "internal_error": 500,
}


class TikTokError(Exception):
    """A refusal; ``status`` None takes the documented one of the code."""

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or STATUSES[code]

    def body(self) -> dict[str, object]:
        """The answer."""
        return envelope({}, code=self.code, message=self.message)


def envelope(data: Mapping[str, object], *, code: str = "ok", message: str = "") -> dict[str, object]:
    """An answer: what was asked for, and how it went."""
    return {"data": dict(data), "error": {"code": code, "message": message, "log_id": secrets.token_hex(16).upper()}}


def invalid_param(message: str) -> TikTokError:
    """The posting pages write ``invalid_param``, the others ``invalid_params``."""
    return TikTokError("invalid_param", message)


def dead_token() -> TikTokError:
    """TikTok has one word for a token that is missing, unknown, expired or revoked."""
    return TikTokError("access_token_invalid", "The access token is invalid or not found in the request.")


def too_many_calls() -> TikTokError:
    """More calls than a minute may have."""
    return TikTokError("rate_limit_exceeded", "The API rate limit was exceeded. Please try again later.")
