"""The real server as a world that the contract suite can walk in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import httpx
import pytest

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Credentials
from platforms.bluesky.adapter import BlueskyAdapter
from platforms.progress import inner, objects, text
from tests.platforms.pds.running import Pds
from tests.platforms.world import LivePost, Sandbox


@dataclass(frozen=True, kw_only=True)
class RealWorld(Sandbox):
    """A server that nobody can break on purpose: it shows what is live, and lets people in."""

    pds: Pds = field(repr=False)

    async def connect(self, platform: str, *, login: str | None = None, **token: str) -> Credentials:
        """A new account; nothing about its tokens can be chosen."""
        assert (platform, login, token) == ("bluesky", None, {})
        return self.pds.new_account()

    async def plant(self, route: str, kind: str, **details: JsonValue) -> None:
        raise NotImplementedError

    async def feed(self, credentials: Credentials) -> list[LivePost]:
        """The posts of the account's repository, the newest first; what carries a post on is part of it."""
        records = self.pds.records(credentials.external_id)
        posts: dict[str, LivePost] = {}
        heads: dict[str, str] = {}
        for record in reversed(records):  # the oldest first: whoever carries on comes after what he carries on
            uri, value = str(record["uri"]), inner(record, "value")
            parent = text(inner(value, "reply", "parent"), "uri") or ""
            head = heads.get(parent, uri)
            heads[uri] = head
            if head == uri:
                posts[uri] = _shown(credentials.handle, uri, value)
            else:
                posts[head] = replace(posts[head], thread=(*posts[head].thread, str(value["text"])))
        return list(posts.values())[::-1]


def _shown(handle: str, uri: str, value: JsonObject) -> LivePost:
    images = objects(inner(value, "embed"), "images")
    kind = "image" if images else "link" if inner(value, "embed", "external") else "text"
    return LivePost(
        id=uri,
        permalink=f"https://bsky.app/profile/{handle}/post/{uri.rsplit('/', 1)[-1]}",
        caption=str(value["text"]),
        kind=kind,
        media_count=len(images),
        alt_texts=tuple(str(image["alt"]) for image in images),
    )


@pytest.fixture(scope="session")
async def world(pds: Pds) -> AsyncIterator[RealWorld]:
    async with httpx.AsyncClient(base_url=pds.url, trust_env=False, timeout=10) as control:
        yield RealWorld(url=pds.url, control=control, pds=pds)


@pytest.fixture
async def adapter(pds: Pds) -> AsyncIterator[BlueskyAdapter]:
    adapter = BlueskyAdapter(pds_url=pds.url)
    yield adapter
    await adapter.aclose()
