"""The error envelope of Meta's Graph API, and the errors Instagram publishing answers with."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

BAD_REQUEST = 400
TOO_MANY_REQUESTS = 429
WAIT_MINUTES = 5


class GraphError(Exception):
    """An answer in the form ``{"error": {...}}``; ``subcode``, ``title`` and ``advice`` are left out when None."""

    def __init__(
        self,
        message: str,
        *,
        code: int,
        subcode: int | None = None,
        kind: str = "OAuthException",
        status: int = BAD_REQUEST,
        transient: bool = False,
        title: str | None = None,
        advice: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.subcode = subcode
        self.kind = kind
        self.status = status
        self.transient = transient
        self.title = title
        self.advice = advice
        self.headers = dict(headers or {})

    def envelope(self) -> dict[str, object]:
        """The body, with a trace id of its own."""
        error: dict[str, object] = {"message": self.message, "type": self.kind, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["is_transient"] = self.transient
        if self.title is not None:
            error |= {"error_user_title": self.title, "error_user_msg": self.advice or self.title}
        return {"error": error | {"fbtrace_id": f"A{secrets.token_urlsafe(16)}"}}


@dataclass(frozen=True, kw_only=True)
class PublishingError:
    """One row of Instagram's table of publishing errors."""

    code: int
    title: str
    advice: str
    transient: bool = False


# developers.facebook.com, Instagram Platform, error codes (2 June 2026): code and subcode are Meta's, words are ours.
PUBLISHING_ERRORS: Mapping[int, PublishingError] = {
    2207001: PublishingError(code=-1, title="Server error", advice="Instagram failed; try again.", transient=True),
    2207003: PublishingError(code=-2, title="Timed out", advice="Downloading the media took too long.", transient=True),
    2207004: PublishingError(code=36000, title="Image too large", advice="The image should be less than 8 MiB."),
    2207005: PublishingError(code=36001, title="Image format", advice="Only JPEG images are supported."),
    2207006: PublishingError(code=24, title="Media not found", advice="The media is missing, or not yours to see."),
    2207008: PublishingError(
        code=24, title="Container missing", advice="The container does not exist or has expired.", transient=True
    ),
    2207009: PublishingError(
        code=36003, title="Aspect ratio", advice="The aspect ratio must be between 4:5 and 1.91:1."
    ),
    2207010: PublishingError(code=36004, title="Caption too long", advice="Captions have at most 2200 characters."),
    2207020: PublishingError(code=-2, title="Media expired", advice="Create a new container and try again."),
    2207023: PublishingError(code=100, title="Media type", advice="The media type is unknown."),
    2207026: PublishingError(code=352, title="Video format", advice="Upload an MP4 or MOV file."),
    2207027: PublishingError(
        code=9007, title="Media not ready", advice="The media is not ready for publishing, please wait a moment."
    ),
    2207028: PublishingError(
        code=100, title="Carousel", advice="A carousel needs between 2 and 10 children that are carousel items."
    ),
    2207032: PublishingError(code=-1, title="Create failed", advice="Creating the media failed.", transient=True),
    2207035: PublishingError(code=100, title="Tag position", advice="Tags of images need x and y from 0 to 1."),
    2207037: PublishingError(code=100, title="Tags", advice="The tags are not valid."),
    2207040: PublishingError(code=100, title="Too many tags", advice="20 mentions, 30 hashtags or 20 tags at most."),
    2207042: PublishingError(code=9, title="Limit reached", advice="The limit of the last 24 hours is reached."),
    2207050: PublishingError(code=25, title="Account restricted", advice="The account may not publish."),
    2207051: PublishingError(code=4, title="Action blocked", advice="This looked like spam and was restricted."),
    2207052: PublishingError(code=9004, title="Cannot fetch", advice="The media could not be fetched from this URI."),
    2207053: PublishingError(code=-1, title="Upload error", advice="The upload failed for an unknown reason."),
    2207057: PublishingError(code=1, title="Thumb offset", advice="thumb_offset must lie inside of the video."),
    2207077: PublishingError(code=352, title="Video download", advice="The video could not be downloaded."),
    2207082: PublishingError(code=-1, title="Upload failed", advice="The upload failed; try again.", transient=True),
}


def publishing_error(subcode: int, detail: str | None = None) -> GraphError:
    """The documented error of this subcode; ``detail`` says more than the table does."""
    row = PUBLISHING_ERRORS[subcode]
    return GraphError(
        detail or row.advice,
        code=row.code,
        subcode=subcode,
        transient=row.transient,
        title=row.title,
        advice=row.advice,
    )


def bad_parameter(message: str) -> GraphError:
    """Code 100: the request itself is wrong."""
    return GraphError(f"(#100) {message}", code=100)


def no_such_object(node_id: str, method: str) -> GraphError:
    """Code 100/33: the id is wrong, or the token may not see it; Meta does not tell which."""
    return GraphError(
        f"Unsupported {method.lower()} request. Object with ID '{node_id}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation.",
        code=100,
        subcode=33,
        kind="GraphMethodException",
    )


def unknown_token() -> GraphError:
    """Code 190: nobody was ever given this token for this host."""
    return GraphError("Invalid OAuth access token - Cannot parse access token", code=190, headers=_challenge())


def missing_token() -> GraphError:
    """Code 104: there is no token in the request."""
    return GraphError("An access token is required to request this resource.", code=104, headers=_challenge())


def expired_token() -> GraphError:
    """Code 190/463: the token's time is over."""
    message = "Error validating access token: Session has expired."
    return GraphError(message, code=190, subcode=463, headers=_challenge())


def revoked_token(subcode: int) -> GraphError:
    """Code 190 with 458 (app removed), 460 (password changed) and so on."""
    message = "Error validating access token: The session has been invalidated."
    return GraphError(message, code=190, subcode=subcode, headers=_challenge())


def rate_limited(account: str, *, type_of_business: str = "instagram") -> GraphError:
    """Code 80002, 80001 for Pages, with the headers that say when to come back, in minutes."""
    usage = {"call_count": 100, "total_cputime": 25, "total_time": 25}
    business = [{"type": type_of_business, **usage, "estimated_time_to_regain_access": WAIT_MINUTES}]
    code, whom = (80001, "Page") if type_of_business == "pages" else (80002, "Instagram")
    return GraphError(
        f"(#{code}) There have been too many calls to this {whom} account. Wait a bit and try again.",
        code=code,
        status=TOO_MANY_REQUESTS,
        headers={
            "x-app-usage": json.dumps(usage),
            "x-business-use-case-usage": json.dumps({account or "0": business}),
        },
    )


def _challenge() -> dict[str, str]:
    return {"www-authenticate": 'OAuth "Facebook Platform" "invalid_token" "The access token is not valid."'}
