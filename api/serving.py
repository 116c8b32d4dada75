"""Serving an application with uvicorn so that it ends well: signals set an event that every stream waits for."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

from core.errors import Misconfigured

# Streams end at ``stopping``; this is only for connections that do not.
_LINGER = 8


class GracefulServer(uvicorn.Server):
    """uvicorn without its own signal handling: it would raise the signal again and hang on open streams."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM set ``stopping``, then end the server; a second one ends it at once."""
        loop = asyncio.get_running_loop()

        def leave(number: int) -> None:
            self._stopping.set()
            self.handle_exit(number, None)

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, leave, number)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


class _SideServer(uvicorn.Server):
    """A second server in the same process: it leaves the signals to the first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: whoever started it sets ``should_exit``."""
        yield


def config(app: ASGIApp) -> uvicorn.Config:
    """How every server of ours runs."""
    return uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=_LINGER, server_header=False
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises ``Misconfigured`` that says what to do when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise Misconfigured(
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            code="port_unavailable",
            action="End what uses that port, or choose another with STUDIO_PORT (the demo's sandbox: --sandbox-port).",
        ) from error


@contextlib.asynccontextmanager
async def beside(app: ASGIApp, port: int) -> AsyncIterator[str]:
    """Serve another application on loopback beside whatever else this process does; yields its address."""
    listener = listen("127.0.0.1", port)
    server = _SideServer(config(app))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
