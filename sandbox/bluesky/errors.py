"""Refusals as an AT Protocol server words them: a name and a sentence."""


class XrpcError(Exception):
    """A refusal; most are HTTP 400."""

    def __init__(self, name: str, message: str, *, status: int = 400, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = status
        self.headers = headers or {}

    def body(self) -> dict[str, object]:
        """The answer."""
        return {"error": self.name, "message": self.message}


def invalid_request(message: str) -> XrpcError:
    """What most refusals are called."""
    return XrpcError("InvalidRequest", message)


def invalid_record(message: str) -> XrpcError:
    """A record that its lexicon does not allow."""
    return invalid_request(f"Invalid app.bsky.feed.post record: {message}")


def expired_token() -> XrpcError:
    """A token past its end; 400, not 401."""
    return XrpcError("ExpiredToken", "Token has expired")


def too_many_calls(now: float) -> XrpcError:
    """More calls than a window may have; the window ends in half a minute here."""
    headers = {
        "ratelimit-limit": "3000",
        "ratelimit-remaining": "0",
        "ratelimit-reset": str(int(now) + 30),
        "ratelimit-policy": "3000;w=300",
    }
    return XrpcError("RateLimitExceeded", "Rate Limit Exceeded", status=429, headers=headers)


def server_error() -> XrpcError:
    """Something broke; also what a repeated creation of a record is answered with."""
    return XrpcError("InternalServerError", "Internal Server Error", status=500)


def upstream_failure() -> XrpcError:
    """The service behind the server, which knows everybody's posts, does not answer."""
    return XrpcError("UpstreamFailure", "Upstream service unreachable", status=502)
