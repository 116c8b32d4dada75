"""Answers that are none: the TCP connection under a request is closed, at once or in the middle of the answer."""

from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

TRANSPORT = "sandbox.transport"


class Doorkeeper(FastAPI):
    """An application that remembers the transport under each request.

    ASGI has no word for hanging up. uvicorn (h11 and httptools alike) hands every request a bound ``send`` whose object
    owns the transport; it has to be taken here, outside of every middleware that wraps ``send`` in a closure.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with its transport in the scope."""
        if scope["type"] == "http":
            scope[TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await super().__call__(scope, receive, send)


def close_transport(scope: Scope) -> None:
    """Close the connection after what was written so far."""
    transport = scope.get(TRANSPORT)
    if transport is None:
        raise RuntimeError("Only under uvicorn can the sandbox drop a connection.")
    transport.close()


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection, and return once it is closed."""
    close_transport(scope)
    # uvicorn sends a 500 for an application that returns without an answer, unless the client has gone.
    while (await receive())["type"] != "http.disconnect":
        continue


class Dropped(Response):
    """No answer at all."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        """Hang up."""
        await hang_up(scope, receive)


class Truncated(Response):
    """The headers and the first half of another answer; of a streamed one, half of its first piece."""

    def __init__(self, whole: Response) -> None:
        super().__init__(status_code=whole.status_code)
        self.whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what is to be sent, then hang up."""
        closed = False

        async def send_half(message: Message) -> None:
            nonlocal closed
            if closed:
                return
            body = message.get("body", b"") if message["type"] == "http.response.body" else b""
            if not body:
                await send(message)
                return
            closed = True
            await send({"type": "http.response.body", "body": body[: max(1, len(body) // 2)], "more_body": True})
            close_transport(scope)

        await self.whole(scope, receive, send_half)
        await hang_up(scope, receive)
