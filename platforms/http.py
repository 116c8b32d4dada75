"""The one way adapters speak HTTP: a client with limits, and what a broken exchange means for a post."""

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

import httpx

from platforms.connections import Connections
from platforms.errors import OutcomeUnknown, PlatformError, Transient

# Far above any answer an adapter asks for; a network gone wrong cannot fill our memory.
MAX_ANSWER_BYTES = 4_000_000
CONNECT_SECONDS = 10.0
# Of one adapter: with answers in 200 ms that is 2,000 calls a second, more than one process makes.
MAX_CONNECTIONS = 400

# Nothing of the request has left this machine when one of these is raised.
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


# Until when a request may leave, by ``uptime``; None: at any time. Like a deadline of asyncio's it belongs to a task.
_send_by: ContextVar[float | None] = ContextVar("send_by", default=None)


def uptime() -> float:
    """Seconds of a clock that nobody sets and that goes on while the machine sleeps, where the system has one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@contextmanager
def sending_until(moment: float | None) -> Iterator[None]:
    """Inside, no request leaves after ``moment`` of ``uptime`` (None: no limit): processes stand still.

    Checked right before the write to the socket, where nothing can come between.
    """
    token = _send_by.set(moment)
    try:
        yield
    finally:
        _send_by.reset(token)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back: the whole body, at most ``MAX_ANSWER_BYTES``; ``headers`` ignore case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _WithoutQuery(logging.Filter):
    """httpx logs addresses, and some of Meta's carry a token in the query: drop the query."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                str(arg.copy_with(query=None)) if isinstance(arg, httpx.URL) else arg for arg in record.args
            )
        return True


_WITHOUT_QUERY = _WithoutQuery()


@cache
def _certificates() -> ssl.SSLContext:
    # Reading the authorities takes 20 ms: once is enough for all adapters.
    return httpx.create_ssl_context(trust_env=False)


def new_client(*, timeout: float) -> httpx.AsyncClient:
    """A client for one adapter; ``timeout`` is the longest silence in seconds. The adapter closes it.

    Redirects are not followed: an API that moves a write elsewhere is not the API we know. The proxy settings of the
    environment are ignored, as they are where media are fetched.
    """
    logging.getLogger("httpx").addFilter(_WITHOUT_QUERY)  # adding the same filter again does nothing
    return httpx.AsyncClient(
        timeout=httpx.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout)),
        follow_redirects=False,
        trust_env=False,
        transport=Connections(most=MAX_CONNECTIONS, verify=_certificates()),
        # The cap counts what arrives: nothing may unfold into more than was sent.
        headers={"User-Agent": "studio", "Accept": "application/json", "Accept-Encoding": "identity"},
    )


def undecided(message: str, *, repeatable: bool, code: str | None = None) -> PlatformError:
    """The error of a call nobody knows the end of: only a ``repeatable`` one may simply be made again."""
    return Transient(message, code=code) if repeatable else OutcomeUnknown(message, code=code)


async def exchange(
    client: httpx.AsyncClient, request: httpx.Request, *, repeatable: bool, deadline: float | None
) -> Answer:
    """Send one request and read the whole answer, whatever its status.

    ``repeatable``: making the call twice does no harm (a read, or a write that nobody sees). ``deadline`` is in seconds
    for the whole exchange, None for an upload of unknown length (the client's timeout still ends a silence);
    ``sending_until`` says until when it may begin.
    Raises ``Transient`` when nothing was sent; when it may have been: ``OutcomeUnknown``, or ``Transient`` if
    ``repeatable``. Messages name the host and the path, never the query.
    """
    where = f"{request.method} {request.url.host}{request.url.path}"
    if (send_by := _send_by.get()) is not None:
        request.extensions["trace"] = _watch(send_by)
    try:
        async with asyncio.timeout(deadline):
            return await _read(client, request)
    except _NEVER_SENT as error:
        raise Transient(f"{where}: the network cannot be reached ({type(error).__name__}).") from error
    except _TooLate as error:
        message = f"{where}: this process stood still for too long to send it now."
        raise undecided(message, repeatable=repeatable or not error.begun) from error
    except (httpx.RequestError, TimeoutError) as error:  # a body that cannot be unpacked is no answer either
        raise undecided(f"{where}: no usable answer came ({type(error).__name__}).", repeatable=repeatable) from error
    except _AnswerTooLong as error:
        raise undecided(
            f"{where}: the answer is longer than {MAX_ANSWER_BYTES} bytes.", repeatable=repeatable
        ) from error


class _TooLate(Exception):
    """The moment until which a request may leave has passed; ``begun``: its head had left by then."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__()
        self.begun = begun


def _watch(send_by: float) -> Callable[[str, object], Awaitable[None]]:
    """What httpcore calls right before it writes to the socket: nothing of ours runs between this and the write."""

    async def watch(event: str, _: object) -> None:
        if event.endswith(("send_request_headers.started", "send_request_body.started")) and uptime() > send_by:
            raise _TooLate(begun=event.endswith("body.started"))

    return watch


class _AnswerTooLong(Exception):
    """More came than any answer needs."""


async def _read(client: httpx.AsyncClient, request: httpx.Request) -> Answer:
    response = await client.send(request, stream=True)
    try:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise _AnswerTooLong
    finally:
        await response.aclose()
    return Answer(status=response.status_code, headers=response.headers, body=bytes(body))
