"""What happens to every request before a route sees it: an id, limits, headers, and a net for what nobody foresaw."""

import re
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.problems import of_unforeseen, problem
from core.ids import new_id

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# What a page may do unless it says more itself: nothing.
_STRICT = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Content-Security-Policy": _STRICT,
}


class Envelope:
    """Gives each request an id, counts its answer, sets the headers of safety, and catches what nobody foresaw.

    A caller's own ``X-Request-ID`` is kept when it is harmless.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, secure: bool) -> None:
        self.app = app
        self.metrics = metrics
        self.headers = _HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, inside its envelope."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, scope, {**self.headers, "X-Request-ID": request_id}, self.metrics)
        try:
            await self.app(scope, receive, answer)
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception as error:  # noqa: BLE001 - the net: logged and answered without a word of what is inside
            response = of_unforeseen(error, request_id)
            if not answer.started:
                await response(scope, receive, answer)


class _Answer:
    """``send`` for one request: adds headers where the response has none of that name, and counts the answer."""

    def __init__(self, send: Send, scope: Scope, headers: Mapping[str, str], metrics: Metrics) -> None:
        self.send = send
        self.scope = scope
        self.headers = headers
        self.metrics = metrics
        self.begun = time.perf_counter()
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in self.headers.items():
                headers.setdefault(name, value)
            self.metrics.answered(
                method=self.scope["method"],
                route=getattr(self.scope.get("route"), "path", "none"),
                status=message["status"],
                seconds=time.perf_counter() - self.begun,
            )
        await self.send(message)


class BodyLimit:
    """Refuses a request body that is too large: by what it announces, and by what really arrives.

    ``larger`` gives single paths a limit of their own. Bytes.
    """

    def __init__(self, app: ASGIApp, *, limit: int, larger: Mapping[str, int]) -> None:
        self.app = app
        self.limit = limit
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on while its body is within the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.larger.get(scope["path"].rstrip("/"), self.limit)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            await _too_large(limit)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                # An HTTPException, because FastAPI turns any other error while it reads a body into a 400.
                raise HTTPException(413, f"The request is larger than {limit:,} bytes.")
            return message

        await self.app(scope, counted, send)


def _too_large(limit: int) -> ASGIApp:
    return problem(
        413,
        "too_large",
        f"The request is larger than {limit:,} bytes.",
        action="Send less; media go to POST /v1/media.",
        headers={"Connection": "close"},
    )


class HostCheck:
    """Refuses requests for other host names than a server on loopback has.

    The demo signs in whoever opens its page on this machine: a site that points its own name at 127.0.0.1 (DNS
    rebinding) must not get that.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on when it is for one of our names."""
        if scope["type"] == "http" and host_name(Headers(scope=scope).get("host", "")) not in self.hosts:
            refusal = problem(
                421, "wrong_host", "This server does not serve that host name.", action="Open it at 127.0.0.1."
            )
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)


def host_name(header: str) -> str:
    """The name in a Host header, lower case and without the port; empty when it is none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
