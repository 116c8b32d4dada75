"""A real sandbox under a real uvicorn, a server that media are fetched from, and a caller who speaks Graph."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import uvicorn
from PIL import Image

from sandbox.app import create_app
from sandbox.world import Conditions

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 400
FAST = Conditions(video_processing_seconds=0.05, fetch_timeout_seconds=5.0)
DEADLINE_SECONDS = 10.0


def jpeg(width: int = 108, height: int = 135, *, kind: str = "JPEG") -> bytes:
    """A picture of this size; 4:5 by default."""
    written = io.BytesIO()
    Image.new("RGB", (width, height), (180, 70, 30)).save(written, kind)
    return written.getvalue()


@contextmanager
def serving(
    state_file: Path | None = None, *, conditions: Conditions = FAST, http: str = "auto", loop: str = "auto"
) -> Iterator[str]:
    """Run a sandbox on an ephemeral port and give its address."""
    app = create_app(state_file=state_file, conditions=conditions)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_level="warning",
            http=http,
            loop=loop,
            timeout_graceful_shutdown=2,
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(DEADLINE_SECONDS)


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll a condition, and fail when it does not come true."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.005)


@dataclass
class Origin:
    """A web server with files; ``asked`` are the paths that were fetched."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def put(self, path: str, content: bytes) -> str:
        self.files[path] = content
        return self.url + path


@contextmanager
def origin_server() -> Iterator[Origin]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            origin.asked.append(path)
            if path in origin.slow:
                origin.released.wait(DEADLINE_SECONDS)
            if path in origin.redirects:
                self.send_response(302)
                self.send_header("location", origin.redirects[path])
                self.end_headers()
                return
            content = origin.files.get(path)
            self.send_response(200 if content is not None else 404)
            # A wrong type on purpose: the network has to look at the bytes.
            self.send_header("content-type", "text/plain")
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Keep the terminal quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A caller that has gone away is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    origin = Origin(url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield origin
    finally:
        origin.released.set()
        server.shutdown()
        server.server_close()
        thread.join(DEADLINE_SECONDS)


@dataclass
class Graph:
    """Somebody who holds a token and calls the sandbox as an adapter would."""

    base: str
    client: httpx.Client
    account: str = "17841400000000001"
    token: str = "token-of-bluebottle"
    host: str = "facebook-graph"

    def url(self, path: str) -> str:
        return f"{self.base}/{self.host}/v26.0/{path}"

    def post(self, path: str, **parameters: object) -> httpx.Response:
        return self.client.post(self.url(path), data={"access_token": self.token, **parameters})

    def get(self, path: str, **parameters: str | int) -> httpx.Response:
        given: dict[str, str | int] = {"access_token": self.token, **parameters}
        return self.client.get(self.url(path), params=given)

    def create(self, **parameters: object) -> str:
        answer = self.post(f"{self.account}/media", **parameters)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def status(self, container: str) -> str:
        return str(self.get(container, fields="status_code,status").json()["status_code"])

    def finished(self, container: str) -> str:
        wait_until(lambda: self.status(container) != "IN_PROGRESS")
        assert self.status(container) == "FINISHED"
        return container

    def publish(self, container: str) -> httpx.Response:
        return self.post(f"{self.account}/media_publish", creation_id=container)

    def control(self, path: str, **body: object) -> httpx.Response:
        answer = self.client.post(f"{self.base}/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer

    def fault(self, route: str, kind: str, **body: object) -> None:
        self.control("faults", route=route, kind=kind, **body)

    def calls(self, route: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = self.client.get(f"{self.base}/_sandbox/calls", params={"route": route}).json()[
            "items"
        ]
        return found

    def live(self) -> list[dict[str, object]]:
        items: list[dict[str, object]] = self.client.get(f"{self.base}/_sandbox/feed").json()["items"]
        return items

    def seed(self) -> None:
        self.control(
            "accounts",
            platform="instagram",
            external_id=self.account,
            handle="bluebottle",
            access_token=self.token,
            login="facebook" if self.host == "facebook-graph" else "instagram",
            name="Blue Bottle",
        )


def error_of(answer: httpx.Response) -> tuple[int, int | None]:
    """Code and subcode of a refusal, which has to be in Meta's form."""
    error = answer.json()["error"]
    assert error["fbtrace_id"]
    assert error["type"]
    return error["code"], error.get("error_subcode")
