"""A server on loopback that answers as it is told, byte by byte; names and a public address that lead to it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.errors import StudioError
from core.storage import DirectoryStore
from tools.media.fetch import MediaFetcher

PUBLIC = "93.184.216.34"
LIMIT = 1_000_000

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def plain(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> Answer:
    """An answer with a length (the body's own unless it is to lie)."""

    async def send(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return send


def redirect(location: str) -> Answer:
    return plain(b"", f"Location: {location}", status="302 Found")


@dataclass
class Origin:
    """``answers`` by path; ``requests`` are the heads that arrived, ``connections`` counts even the silent ones."""

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            await self.answers[head.split(" ")[1]](writer)
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side has seen enough
        finally:
            writer.transport.abort()


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    world = Origin()
    conversations: set[asyncio.Task[None]] = set()

    def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.add(asyncio.create_task(world.serve(reader, writer)))

    server = await asyncio.start_server(welcome, "127.0.0.1", 0)
    world.port = server.sockets[0].getsockname()[1]
    yield world
    server.close()
    for conversation in conversations:
        conversation.cancel()
    await asyncio.gather(*conversations, return_exceptions=True)
    await server.wait_closed()
    await asyncio.sleep(0)  # the aborted transports close their sockets in the loop's next turn


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path)


@pytest.fixture
def demo(store: DirectoryStore) -> MediaFetcher:
    """As the demo and tests fetch: private addresses allowed."""
    return MediaFetcher(store, allow_private=True, limit_bytes=LIMIT, patience=5)


@pytest.fixture
def strict(store: DirectoryStore) -> MediaFetcher:
    """As everybody else does."""
    return MediaFetcher(store, allow_private=False, limit_bytes=LIMIT, patience=5)


Resolve = Callable[..., None]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Make a name resolve to addresses; of several lists each look-up gets the next, the last one stays."""
    really = socket.getaddrinfo
    known: dict[str, list[list[str]]] = {}

    def answer(host: str | bytes, port: int, *args: int, **options: int) -> list[object]:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in known:
            return list(really(host, port, *args, **options))
        addresses = known[name].pop(0) if len(known[name]) > 1 else known[name][0]
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in addresses
        ]

    def teach(name: str, *answers: list[str]) -> None:
        known[name] = list(answers)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return teach


@pytest.fixture
async def internet(monkeypatch: pytest.MonkeyPatch, origin: Origin) -> str:
    """The server as the public would see it: connections to one public address end on loopback."""
    loop = asyncio.get_running_loop()
    connect = loop.create_connection

    async def routed(factory: Callable[[], asyncio.Protocol], host: str, port: int, **options: object) -> object:
        target = ("127.0.0.1", origin.port) if host == PUBLIC else (host, port)
        return await connect(factory, *target, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(loop, "create_connection", routed)
    return f"http://{PUBLIC}"


async def refusal_of(fetcher: MediaFetcher, url: str) -> StudioError:
    with pytest.raises(StudioError) as refusal:
        await fetcher.fetch(url)
    return refusal.value


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
