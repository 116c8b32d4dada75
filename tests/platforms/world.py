"""The pretend world that the contract suite runs against: the sandbox and a file server, over real HTTP on loopback."""

import contextlib
import itertools
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import uvicorn

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Credentials, Medium
from sandbox.app import create_app
from sandbox.world import Conditions

CHUNK_BYTES = 64 * 1024
# Networks whose tokens are renewed with another one.
RENEWABLE = frozenset({"tiktok", "bluesky"})
SIGNATURE = "sig=the-signature-of-a-link"

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class LivePost:
    """A post as people see it on the network."""

    id: str
    permalink: str
    caption: str
    kind: str
    media_count: int
    alt_texts: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    thread: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """The running sandbox, and the strings behind its scenes."""

    url: str
    control: httpx.AsyncClient = field(repr=False)

    async def connect(self, platform: str, *, login: str | None = None, **token: str) -> Credentials:
        """A new account with a token of its own."""
        number = next(_numbers)
        bluesky = platform == "bluesky"
        credentials = Credentials(
            external_id=f"did:plc:sandbox{number}" if bluesky else f"1784140000{number:06d}",
            handle=f"cafe{number}.test" if bluesky else f"cafe{number}",
            access_token=f"very-secret-token-{number:06d}-{time.time_ns()}",
            refresh_token=f"very-secret-refresh-{number:06d}-{time.time_ns()}" if platform in RENEWABLE else None,
            login=login,
        )
        account = {
            "platform": platform,
            "external_id": credentials.external_id,
            "handle": credentials.handle,
            "access_token": credentials.access_token,
            **({"login": login} if login else {}),
            **({"refresh_token": credentials.refresh_token} if credentials.refresh_token else {}),
            **token,
        }
        await self._post("accounts", account)
        return credentials

    async def plant(self, route: str, kind: str, **details: JsonValue) -> None:
        """Plant a fault; see GET /_sandbox/routes."""
        await self._post("faults", {"route": route, "kind": kind, **details})

    async def clear_faults(self) -> None:
        """Let everything work again."""
        (await self.control.delete("/_sandbox/faults")).raise_for_status()

    async def change_token(self, credentials: Credentials, **fate: JsonValue) -> None:
        """Let the account's token expire, or revoke it."""
        await self._post("tokens", {"access_token": credentials.access_token, **fate})

    async def last_call(self) -> int:
        """The number of the newest call, for ``calls``."""
        answer = await self.control.get("/_sandbox/calls", params={"route": "none"})
        return int(answer.raise_for_status().json()["last_seq"])

    async def calls(self, credentials: Credentials, route: str, *, since: int = 0) -> list[JsonObject]:
        """What was received about this account on a route (``*`` at its end: on all that begin so)."""
        answer = await self.control.get("/_sandbox/calls", params={"route": route, "since_seq": since})
        calls: list[JsonObject] = answer.raise_for_status().json()["items"]
        return [call for call in calls if call["account"] == credentials.external_id]

    async def feed(self, credentials: Credentials) -> list[LivePost]:
        """What is live on the account, newest first."""
        answer = await self.control.get("/_sandbox/feed", params={"account": credentials.handle})
        return [
            LivePost(
                id=post["id"],
                permalink=post["permalink"],
                caption=post["caption"],
                kind=post["kind"],
                media_count=len(post["media"]),
                alt_texts=tuple(medium["alt_text"] for medium in post["media"]),
                comments=tuple(comment["message"] for comment in post["comments"]),
                thread=tuple(post["thread"]),
            )
            for post in answer.raise_for_status().json()["items"]
        ]

    async def inbox(self, credentials: Credentials) -> list[JsonObject]:
        """What waits in the account's TikTok app."""
        answer = await self.control.get("/_sandbox/tiktok/inbox", params={"account": credentials.external_id})
        drafts: list[JsonObject] = answer.raise_for_status().json()["items"]
        return drafts

    async def tell(self, path: str, **body: JsonValue) -> None:
        """Pull any other string behind the scenes."""
        await self._post(path, body)

    async def _post(self, path: str, body: JsonObject) -> None:
        (await self.control.post(f"/_sandbox/{path}", json=body)).raise_for_status()


class FileServer:
    """A public web server with the bytes of media, and the door through which adapters reach them."""

    def __init__(self) -> None:
        self._bytes: dict[str, bytes] = {}
        files = self._bytes

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = files.get(self.path.partition("?")[0].strip("/"))
                self.send_response(404 if found is None else 200)
                self.send_header("Content-Length", str(len(found or b"")))
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(found or b"")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, content: bytes) -> str:
        """Put bytes there; answers the asset id."""
        asset_id = f"asset-{next(_numbers)}"
        self._bytes[asset_id] = content
        return asset_id

    def remove(self, asset_id: str) -> None:
        """Take bytes away: their link answers 404."""
        del self._bytes[asset_id]

    def public_url(self, medium: Medium) -> str:
        """A link as ``MediaDoor`` gives it; its signature is a secret."""
        return f"http://127.0.0.1:{self._server.server_port}/{medium.asset_id}?{SIGNATURE}"

    async def read(self, medium: Medium, *, start: int = 0) -> AsyncIterator[bytes]:
        """The bytes in chunks."""
        content = self._bytes[medium.asset_id]
        for position in range(start, len(content), CHUNK_BYTES):
            yield content[position : position + CHUNK_BYTES]


@contextlib.contextmanager
def running_sandbox() -> Iterator[str]:
    """The sandbox on a port of its own, served by uvicorn in a thread; answers its address."""
    conditions = Conditions(
        video_processing_seconds=0.0,
        fetch_timeout_seconds=5.0,
        tiktok_statuses_per_minute=1000,
        tiktok_posts_per_day=100,
    )
    server = uvicorn.Server(
        uvicorn.Config(create_app(conditions=conditions), host="127.0.0.1", port=0, log_level="warning")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started, "the sandbox did not start"
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    assert not thread.is_alive(), "the sandbox did not stop"
