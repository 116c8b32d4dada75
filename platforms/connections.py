"""Connections for many calls at once: each is on its own, and who needs one takes the one that was used last.

httpx's own pool looks at every connection and every waiting call whenever a call begins or ends; with a thousand calls
under way that costs far more than the calls.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, kw_only=True)
class _Free:
    """A connection that waits for its next call, and since when by the loop's clock."""

    line: httpx.AsyncHTTPTransport
    since: float


class Connections(httpx.AsyncBaseTransport):
    """At most ``most`` connections to all hosts together; a call beyond them waits its turn, then ``PoolTimeout``.

    One that nobody needed for ``kept`` seconds is closed when the next call ends.
    """

    def __init__(self, *, most: int, verify: ssl.SSLContext, kept: float = 10.0) -> None:
        self._kept = kept
        self._verify = verify
        self._room = asyncio.Semaphore(most)
        self._free: dict[tuple[str, str, int | None], deque[_Free]] = {}
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One call on a connection of its own; it is free again when the answer has been read or closed."""
        origin = (request.url.scheme, request.url.host, request.url.port)
        await self._wait(request)
        line = await self._take(origin)

        async def give_back() -> None:
            await self._give_back(origin, line)

        try:
            response = await line.handle_async_request(request)
        except BaseException:
            self._room.release()
            await line.aclose()
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Borrowed(response.stream, give_back),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close every connection: now, or when its call has ended."""
        self._closed = True
        while self._free:
            _, waiting = self._free.popitem()
            for each in waiting:
                await each.line.aclose()

    async def _wait(self, request: httpx.Request) -> None:
        if not self._room.locked():
            await self._room.acquire()
            return
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("pool")):
                await self._room.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("Every connection is in use.", request=request) from error

    async def _take(self, origin: tuple[str, str, int | None]) -> httpx.AsyncHTTPTransport:
        if waiting := self._free.get(origin):
            return waiting.pop().line
        return httpx.AsyncHTTPTransport(
            verify=self._verify,
            trust_env=False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=self._kept),
        )

    async def _give_back(self, origin: tuple[str, str, int | None], line: httpx.AsyncHTTPTransport) -> None:
        self._room.release()
        if self._closed:
            await line.aclose()
            return
        now = asyncio.get_running_loop().time()
        self._free.setdefault(origin, deque()).append(_Free(line=line, since=now))
        for waiting in self._free.values():
            while waiting and waiting[0].since < now - self._kept:
                await waiting.popleft().line.aclose()


class _Borrowed(httpx.AsyncByteStream):
    """The body of an answer; whoever is done with it gives the connection back, once."""

    def __init__(self, body: httpx.AsyncByteStream, give_back: Callable[[], Awaitable[None]]) -> None:
        self._body = body
        self._give_back: Callable[[], Awaitable[None]] | None = give_back

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            yield chunk

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        finally:
            if self._give_back is not None:
                give_back, self._give_back = self._give_back, None
                await give_back()
