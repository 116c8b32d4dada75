"""A lean stand-in for Instagram's Graph API: a fixed time per call, and when each account was first called.

It is no sandbox: it keeps no media, checks nothing and breaks nothing. The sandbox's journal and SQLite would be what
is measured on two cores; this answers the four calls of an image post from memory, each after the same delay.

Run: .venv/bin/python -m bench.network MILLISECONDS
"""

import asyncio
import itertools
import json
import sys
import time
from typing import cast

import uvloop

_numbers = itertools.count(18_000_000_000_000_000)
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Network:
    """What all connections share: the delay in seconds, and the wall-clock time of each account's first call."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.first_calls: dict[str, float] = {}
        self.calls = 0

    def answer(self, method: str, path: str) -> dict[str, object]:
        """What Meta answers: a new id to every POST, a ready container and an address to every GET."""
        self.calls += 1
        node = path.partition("?")[0].split("/")
        if method == "POST":
            self.first_calls.setdefault(node[-2], time.time())
            return {"id": str(next(_numbers))}
        address = f"https://www.instagram.com/p/{node[-1]}/"
        return {"id": node[-1], "status_code": "FINISHED", "permalink": address}

    def report(self) -> dict[str, object]:
        """The first calls and their number since the last report."""
        said = {"first_calls": self.first_calls, "calls": self.calls}
        self.first_calls, self.calls = {}, 0
        return said


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection with one request at a time, as httpx speaks it."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._buffer = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is one in all but its class

    def data_received(self, data: bytes) -> None:
        """Answer each whole request after the delay; the report at once."""
        self._buffer += data
        head, found, rest = self._buffer.partition(_HEAD_END)
        length = int(head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0] or 0)
        if not found or len(rest) < length:
            return
        self._buffer = rest[length:]
        method, path, _ = head.partition(b"\r\n")[0].decode().split(" ")
        if path == "/report":
            self._send(self._network.report())
        else:
            asyncio.get_running_loop().call_later(self._network.delay, self._send, self._network.answer(method, path))

    def _send(self, answer: dict[str, object]) -> None:
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(head.encode() + body)


async def serve(delay: float) -> None:
    """Serve on a free port of loopback until the input ends, and say which."""
    network = Network(delay)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(network), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(serve(float(sys.argv[1]) / 1000))
