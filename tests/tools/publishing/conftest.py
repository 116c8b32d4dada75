"""What tests of publishing share: links that the sandbox can fetch, and an engine that is driven by hand."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.settings import Settings
from core.storage import DirectoryStore
from core.vault import Vault
from tests.conftest import Sandbox
from tests.tools.conftest import AddPhoto, Desk
from tools.context import Doors
from tools.public_media import open_public_link
from tools.publishing.engine import PostWork


@dataclass(kw_only=True)
class PublicMedia:
    """Serves signed links, as the API does, for whichever store and keys are current."""

    url: str = ""
    root: Path | None = None
    vault: Vault | None = None

    async def serve(self, request: Request) -> Response:
        assert self.root is not None
        assert self.vault is not None
        medium = open_public_link(self.vault, request.path_params["token"])
        data = b"".join([chunk async for chunk in DirectoryStore(self.root).read(medium.sha256)])
        return Response(data, media_type=medium.mime_type)


@pytest.fixture(scope="session")
def public_media() -> Iterator[PublicMedia]:
    """One server of public links for the whole run."""
    media = PublicMedia()
    app = Starlette(routes=[Route("/media/{token}/{name}", media.serve)])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    media.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield media
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def settings(settings: Settings, public_media: PublicMedia) -> Settings:
    """Short lease and settle time, and links that the sandbox can fetch."""
    public_media.root = settings.data_dir / "media"
    public_media.vault = Vault(settings.secret_keys.get_secret_value().split(","))
    return settings.model_copy(
        update={"public_url": public_media.url, "publish_lease": 2.0, "settle_time": 2.0, "publish_grace": 3600.0}
    )


@dataclass(kw_only=True)
class Engine:
    """The publishing engine, driven by hand: claims what is due and works until nothing is."""

    work: PostWork
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def once(self) -> int:
        """Claim and work what is due now; how many posts."""
        claims = await self.work.claim(10, sweep=True)
        await asyncio.gather(*(self.work.work(claim) for claim in claims))
        return len(claims)

    async def until(self, settled: Callable[[], Awaitable[bool]], *, patience: float = 20.0) -> None:
        """Go on until something is true."""
        async with asyncio.timeout(patience):
            while not await settled():
                if not await self.once():
                    await asyncio.sleep(0.02)


@pytest.fixture
def engine(doors: Doors) -> Engine:
    """An engine of this process."""
    stopping = asyncio.Event()
    return Engine(work=PostWork(doors, stopping), stopping=stopping)


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A post on its way, and what the network shows."""

    desk: Desk
    sandbox: Sandbox
    post_id: str

    async def post(self) -> dict[str, object]:
        """The post as it is now."""
        shown = (await self.desk.act("show_post", post_id=self.post_id))["post"]
        assert isinstance(shown, dict)
        return shown

    async def attempts(self) -> list[dict[str, object]]:
        """Its ledger."""
        items = (await self.desk.act("list_attempts", post_id=self.post_id))["items"]
        assert isinstance(items, list)
        return items

    async def settled(self) -> bool:
        """Whether the post is somewhere that only a person leads out of, or waits for its next time."""
        return (await self.post())["status"] not in {"publishing", "scheduled"}

    def live(self) -> list[dict[str, object]]:
        """What the network's feed shows."""
        feed = self.sandbox.control("GET", "feed?account=17841400000000001")
        assert isinstance(feed, dict)
        return list(feed["items"])

    def calls(self, route: str) -> list[dict[str, object]]:
        """What the network was asked."""
        calls = self.sandbox.control("GET", f"calls?route={route}")
        assert isinstance(calls, dict)
        return list(calls["items"])


Publish = Callable[..., Awaitable[Publication]]


@pytest.fixture
def publish(desk: Desk, add_photo: AddPhoto, sandbox: Sandbox) -> Publish:
    """Drafts a post with a picture and tells Studio to publish it now."""

    async def begin(caption: str = "Our new espresso blend is here.", **more: object) -> Publication:
        asset = await add_photo()
        drafted = (await desk.act("create_draft", caption=caption, media=[{"asset_id": asset.id}], **more))["post"]
        assert isinstance(drafted, dict)
        await desk.act("publish_post", post_id=drafted["id"])
        return Publication(desk=desk, sandbox=sandbox, post_id=str(drafted["id"]))

    return begin


Planned = Callable[..., Awaitable[Publication]]


@pytest.fixture
def planned(desk: Desk, add_photo: AddPhoto, sandbox: Sandbox, admin_url: str) -> Planned:
    """Posts whose time has come: ``ago`` seconds before now, as a calendar would have them."""

    async def plan(caption: str, *, ago: float = 0.0, **more: object) -> Publication:
        asset = await add_photo()
        media = [{"asset_id": asset.id}]
        post = (await desk.act("create_draft", caption=caption, media=media, when="in 1 hour", **more))["post"]
        assert isinstance(post, dict)
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute(
                "update studio.posts set scheduled_for = t, next_attempt_at = t, created_at = t"
                " from (select studio.studio_now() - %s as t) n where id = %s",
                (timedelta(seconds=ago), post["id"]),
            )
        return Publication(desk=desk, sandbox=sandbox, post_id=str(post["id"]))

    return plan
