"""What a network's answer means for us: every adapter sorts what it hears into these conditions.

    PlatformError
    |-- Transient           known NOT to have happened: wait ``retry_after`` seconds (None = our backoff), repeat
    |   '-- RateLimited     the network says when: nothing of this account goes out before
    |-- OutcomeUnknown      it may have happened (5xx, timeout, dropped after sending): look, never repeat blindly
    |-- TokenExpired        refresh once, then continue
    '-- Refused             definite: a repeat would be refused again; ``action`` says what a person does
        |-- ContentRefused  the text, media or options break a rule of the network: edit the post
        |-- MediaUnreachable  the network could not fetch our link: see STUDIO_PUBLIC_URL
        |-- ReconnectNeeded   token revoked, permission missing, account changed: connect the account again
        '-- AccountBlocked    the network holds the account back: a person has to look there

``start_over`` says that what was prepared (a container, an upload) is worthless and must be made anew.
"""

from typing import ClassVar

from core.log import redact

_MAX_WORDS = 300

# The code of a ``ReconnectNeeded`` whose token lives, but does not open this call.
PERMISSION_MISSING = "permission_missing"


class PlatformError(Exception):
    """A condition a network reported; ``platform_code`` is the network's own, such as "36003/2207009"."""

    default_code: ClassVar[str] = "platform_error"
    default_action: ClassVar[str] = "Look at the network's message, then retry the post."

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        platform_code: str | None = None,
        action: str | None = None,
        retry_after: float | None = None,
        start_over: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.platform_code = platform_code
        self.action = action or self.default_action
        self.retry_after = retry_after
        self.start_over = start_over


class Transient(PlatformError):
    """Known not to have happened: it is safe to try again later."""

    default_code: ClassVar[str] = "platform_unavailable"
    default_action: ClassVar[str] = "Nothing to do: Studio tries again by itself."


class RateLimited(Transient):
    """The network asks us to slow down; ``retry_after`` is in seconds when it said so."""

    default_code: ClassVar[str] = "rate_limited"


class OutcomeUnknown(PlatformError):
    """The request may have taken effect although no usable answer came."""

    default_code: ClassVar[str] = "outcome_unknown"
    default_action: ClassVar[str] = "Nothing to do yet: Studio looks at the account before anything is sent again."


class TokenExpired(PlatformError):
    """The access token is past its life but can be refreshed."""

    default_code: ClassVar[str] = "token_expired"
    default_action: ClassVar[str] = "Connect the account again if this does not pass by itself."


class Refused(PlatformError):
    """A definite no."""

    default_code: ClassVar[str] = "refused"


class ContentRefused(Refused):
    """The content breaks one of the network's rules."""

    default_code: ClassVar[str] = "content_refused"
    default_action: ClassVar[str] = "Edit the post, then schedule it again."


class MediaUnreachable(Refused):
    """The network could not fetch the media from our link."""

    default_code: ClassVar[str] = "media_unreachable"
    default_action: ClassVar[str] = "Set STUDIO_PUBLIC_URL to an address the network can reach, then retry the post."


class ReconnectNeeded(Refused):
    """The account's permission is gone."""

    default_code: ClassVar[str] = "reconnect_needed"
    default_action: ClassVar[str] = "Connect the account again, then retry the post."


class AccountBlocked(Refused):
    """The network restricts the account itself."""

    default_code: ClassVar[str] = "account_blocked"
    default_action: ClassVar[str] = "Open the network's own app, settle what it asks for, then retry the post."


def without_secrets(words: str, secrets: tuple[str, ...]) -> str:
    """A network's words cut to a sensible length, without the tokens that it likes to repeat in them."""
    for secret in secrets:
        words = words.replace(secret, "***") if secret else words
    return redact(words)[:_MAX_WORDS]
