"""Many calls at once: a connection is used again, no more are opened than allowed, and a broken one is not kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from platforms.connections import Connections
from platforms.http import new_client

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass(kw_only=True)
class Host:
    """A server that counts its connections; requests wait for ``gate``, and "/drop" is dropped without an answer."""

    url: str = ""
    opened: int = 0
    open_now: int = 0
    most: int = 0
    asked: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.open_now += 1
        self.most = max(self.most, self.open_now)
        try:
            while not (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET /drop"):
                self.asked += 1
                await self.gate.wait()
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open_now -= 1
            writer.close()


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    host.gate.set()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    async with server:
        host.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield host


@asynccontextmanager
async def client(*, most: int = 10, kept: float = 10.0, patience: float = 5.0) -> AsyncIterator[httpx.AsyncClient]:
    connections = Connections(most=most, kept=kept, verify=httpx.create_ssl_context(trust_env=False))
    async with httpx.AsyncClient(transport=connections, timeout=patience) as opened:
        yield opened


async def until(held: Host, *, asked: int) -> None:
    async with asyncio.timeout(5):
        while held.asked < asked:  # noqa: ASYNC110 - looked at until its deadline
            await asyncio.sleep(0.01)


async def test_calls_one_after_another_use_one_connection(host: Host) -> None:
    async with client() as calls:
        for _ in range(5):
            assert (await calls.get(host.url)).status_code == 200
    assert host.opened == 1


async def test_many_calls_open_no_more_connections_than_allowed(host: Host) -> None:
    async with client(most=3) as calls:
        answers = await asyncio.gather(*(calls.get(host.url) for _ in range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert host.most == 3


async def test_a_call_that_gets_no_connection_in_time_was_never_sent(host: Host) -> None:
    host.gate.clear()
    async with client(most=1, patience=0.3) as calls, client(most=1) as patient:
        waiting = asyncio.create_task(patient.get(host.url))
        held = asyncio.create_task(calls.get(host.url, timeout=httpx.Timeout(5)))
        await until(host, asked=2)
        with pytest.raises(httpx.PoolTimeout):
            await calls.get(host.url)
        host.gate.set()
        assert (await held).status_code == (await waiting).status_code == 200
        assert (await calls.get(host.url)).status_code == 200
    assert host.asked == 3


async def test_a_broken_or_cancelled_call_leaves_room_for_the_next(host: Host) -> None:
    async with client(most=1) as calls:
        with pytest.raises(httpx.RemoteProtocolError):
            await calls.get(f"{host.url}/drop")
        host.gate.clear()
        cancelled = asyncio.create_task(calls.get(host.url))
        await until(host, asked=1)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        host.gate.set()
        assert (await calls.get(host.url)).status_code == 200
    assert host.opened == 3


async def test_connections_that_nobody_needs_any_more_are_closed(host: Host) -> None:
    host.gate.clear()
    async with client(kept=0.0) as calls:
        crowd = [asyncio.create_task(calls.get(host.url)) for _ in range(4)]
        await until(host, asked=4)
        host.gate.set()
        await asyncio.gather(*crowd)
        await calls.get(host.url)
        async with asyncio.timeout(5):
            while host.open_now > 1:  # noqa: ASYNC110 - looked at until its deadline
                await asyncio.sleep(0.01)


async def test_the_adapters_client_is_made_for_many_calls(host: Host) -> None:
    host.gate.clear()
    async with new_client(timeout=5.0) as calls:
        crowd = [asyncio.create_task(calls.get(host.url)) for _ in range(200)]
        await until(host, asked=200)
        host.gate.set()
        assert {answer.status_code for answer in await asyncio.gather(*crowd)} == {200}
