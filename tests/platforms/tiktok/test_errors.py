"""What each of TikTok's codes means for a post."""

import pytest

from platforms.errors import (
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
)
from platforms.http import Answer
from platforms.tiktok.api import read_answer
from platforms.tiktok.errors import call_error, fail_error, oauth_error

CODES = [
    (401, "access_token_invalid", TokenExpired),
    (401, "scope_not_authorized", ReconnectNeeded),
    (401, "scope_permission_missed", ReconnectNeeded),
    (400, "invalid_param", ContentRefused),
    (400, "invalid_params", ContentRefused),
    (400, "app_version_check_failed", Refused),
    (403, "spam_risk_too_many_posts", RateLimited),
    (200, "spam_risk_too_many_posts", RateLimited),
    (403, "spam_risk_user_banned_from_posting", AccountBlocked),
    (200, "spam_risk_user_banned_from_posting", AccountBlocked),
    (403, "spam_risk_too_many_pending_share", RateLimited),
    (403, "reached_active_user_cap", RateLimited),
    (200, "reached_active_user_cap", RateLimited),
    (403, "unaudited_client_can_only_post_to_private_accounts", Refused),
    (403, "url_ownership_unverified", MediaUnreachable),
    (403, "privacy_level_option_mismatch", ContentRefused),
    (429, "rate_limit_exceeded", RateLimited),
    (500, "internal_error", Transient),
    (429, "", RateLimited),
    (401, "", TokenExpired),
    (502, "", Transient),
    (400, "a_new_word", Refused),
]
REASONS = [
    ("file_format_check_failed", ContentRefused),
    ("duration_check_failed", ContentRefused),
    ("frame_rate_check_failed", ContentRefused),
    ("picture_size_check_failed", ContentRefused),
    ("internal", Transient),
    ("video_pull_failed", MediaUnreachable),
    ("photo_pull_failed", MediaUnreachable),
    ("publish_cancelled", Refused),
    ("auth_removed", ReconnectNeeded),
    ("spam_risk_too_many_posts", Refused),
    ("spam_risk_user_banned_from_posting", AccountBlocked),
    ("spam_risk_text", ContentRefused),
    ("spam_risk", AccountBlocked),
    ("a_new_word", Refused),
]


@pytest.mark.parametrize(("status", "code", "expected"), CODES)
def test_a_code_says_what_to_do(status: int, code: str, expected: type[PlatformError]) -> None:
    error = call_error(status, {"code": code, "message": "No."}, secrets=(), repeatable=True)
    assert type(error) is expected
    assert error.platform_code == (code or None)
    assert error.action
    assert not isinstance(error, RateLimited) or (error.retry_after or 0) >= 60


@pytest.mark.parametrize(("status", "code"), [(500, "internal_error"), (200, "internal_error"), (502, "")])
def test_a_broken_network_leaves_open_what_an_irreversible_call_did(status: int, code: str) -> None:
    assert type(call_error(status, {"code": code}, secrets=(), repeatable=False)) is OutcomeUnknown


@pytest.mark.parametrize(("reason", "expected"), REASONS)
def test_a_publish_given_up_is_begun_anew(reason: str, expected: type[PlatformError]) -> None:
    error = fail_error(reason)
    assert type(error) is expected
    assert (error.start_over, error.platform_code) == (True, reason)


def test_http_200_may_be_a_refusal() -> None:
    body = b'{"data":{},"error":{"code":"spam_risk_too_many_posts","message":"Enough.","log_id":"1"}}'
    with pytest.raises(RateLimited) as raised:
        read_answer(Answer(status=200, headers={}, body=body), secrets=(), repeatable=True)
    assert raised.value.platform_code == "spam_risk_too_many_posts"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":{"code":"ok"}}', b'{"data":[]}'])
def test_http_200_without_data_is_no_answer(body: bytes) -> None:
    for repeatable, expected in ((True, Transient), (False, OutcomeUnknown)):
        with pytest.raises(PlatformError) as raised:
            read_answer(Answer(status=200, headers={}, body=body), secrets=(), repeatable=repeatable)
        assert type(raised.value) is expected


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, "invalid_grant", ReconnectNeeded),
        (200, "invalid_grant", ReconnectNeeded),
        (401, "access_denied", ReconnectNeeded),
        (400, "invalid_client", Refused),
        (400, "invalid_request", Refused),
        (429, "", RateLimited),
        (503, "", Transient),
    ],
)
def test_the_token_address_has_words_of_its_own(status: int, error: str, expected: type[PlatformError]) -> None:
    assert type(oauth_error(status, error, "No.", secrets=())) is expected


def test_no_error_repeats_a_secret() -> None:
    error = call_error(400, {"message": "Bad token abc-123"}, secrets=("abc-123",), repeatable=True)
    assert "abc-123" not in error.message
