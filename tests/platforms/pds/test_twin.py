"""The sandbox's twin held against the real server: the same calls get the same status, error name and fields."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Credentials
from tests.platforms.cases.bluesky import FAMILY, NEIGHBOUR, NEIGHBOURS_KEY
from tests.platforms.pds.conftest import RealWorld
from tests.platforms.pds.running import POSTS
from tests.platforms.pictures import picture_bytes
from tests.platforms.world import Sandbox

KEY, SECOND, THIRD, FOURTH = (f"3lneighbour2{letter}" for letter in "abcd")
RECORD: JsonObject = {"$type": POSTS, "text": "hi", "createdAt": "2026-11-25T08:00:00.000Z"}
NO_BLOB: JsonObject = {
    "$type": "blob",
    "ref": {"$link": "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"},
    "mimeType": "image/png",
    "size": 1,
}


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody with an account on one of the two servers, who calls it without any adapter."""

    client: httpx.AsyncClient
    credentials: Credentials

    async def ask(self, method: str, token: str | None = None, **parameters: str) -> httpx.Response:
        parameters = {name: value.format(did=self.credentials.external_id) for name, value in parameters.items()}
        return await self.client.get(method, params=parameters, headers=self._bearer(token))

    async def tell(self, method: str, body: JsonObject | None = None, token: str | None = None) -> httpx.Response:
        return await self.client.post(method, json=body, headers=self._bearer(token))

    async def put(self, key: str, swap: object = ..., **changes: JsonValue) -> httpx.Response:
        body: dict[str, JsonValue] = {
            "repo": self.credentials.external_id,
            "collection": POSTS,
            "rkey": key,
            "record": {**RECORD, **changes},
        }
        if swap is not ...:
            body["swapRecord"] = None
        return await self.tell("com.atproto.repo.putRecord", body)

    async def apply(self, action: str, *keys: str) -> httpx.Response:
        more: JsonObject = {"value": RECORD} if action == "create" else {}
        kind = f"com.atproto.repo.applyWrites#{action}"
        writes: list[JsonObject] = [{"$type": kind, "collection": POSTS, "rkey": key, **more} for key in keys]
        body: JsonObject = {"repo": self.credentials.external_id, "writes": writes}
        return await self.tell("com.atproto.repo.applyWrites", body)

    async def delete(self, key: str) -> httpx.Response:
        body: JsonObject = {"repo": self.credentials.external_id, "collection": POSTS, "rkey": key}
        return await self.tell("com.atproto.repo.deleteRecord", body)

    async def upload(self, content: bytes, mime_type: str) -> httpx.Response:
        headers = {**self._bearer(None), "content-type": mime_type}
        return await self.client.post("com.atproto.repo.uploadBlob", content=content, headers=headers)

    def _bearer(self, token: str | None) -> dict[str, str]:
        value = self.credentials.access_token if token is None else token
        return {"authorization": f"Bearer {value}"} if value else {}


Calls = Callable[[Caller], Awaitable[list[tuple[str, httpx.Response]]]]


def seen(answer: httpx.Response) -> tuple[object, ...]:
    """What an answer looks like: its status, the name of its error, or its fields one and two levels deep."""
    body = answer.json()
    if answer.is_success:
        return (answer.status_code, {name: _fields(value) for name, value in body.items() if name not in BEYOND})
    return (answer.status_code, body["error"])


# What the real one adds to a session and the adapter never reads.
BEYOND = frozenset({"didDoc", "email", "emailConfirmed", "emailAuthFactor"})


def _fields(value: object) -> object:
    match value:
        case dict():
            return sorted(value)
        case list():
            return [_fields(item) for item in value]
    return type(value).__name__


async def life(caller: Caller) -> list[tuple[str, httpx.Response]]:
    """One life of a session and of a repository."""
    record = {"repo": "{did}", "collection": POSTS}
    neighbours = {"repo": NEIGHBOUR, "collection": POSTS, "rkey": NEIGHBOURS_KEY}
    refresh, refresh_token = "com.atproto.server.refreshSession", caller.credentials.refresh_token
    return [
        ("session", await caller.ask("com.atproto.server.getSession")),
        ("handle", await caller.ask("com.atproto.identity.resolveHandle", handle=NEIGHBOUR)),
        ("neighbour", await caller.ask("com.atproto.repo.getRecord", **neighbours)),
        ("nothing there", await caller.ask("com.atproto.repo.getRecord", **record, rkey=KEY)),
        ("put", await caller.put(KEY, None)),
        ("put again", await caller.put(KEY, None)),
        ("put another there", await caller.put(KEY, None, text="other")),
        ("put over it", await caller.put(KEY, text="other")),
        ("there", await caller.ask("com.atproto.repo.getRecord", **record, rkey=KEY)),
        ("create two", await caller.apply("create", SECOND, THIRD)),
        ("create one of them again", await caller.apply("create", FOURTH, THIRD)),
        ("not the other one then", await caller.ask("com.atproto.repo.getRecord", **record, rkey=FOURTH)),
        ("list", await caller.ask("com.atproto.repo.listRecords", **record, limit="2")),
        ("list on", await caller.ask("com.atproto.repo.listRecords", **record, cursor=SECOND)),
        ("list from", await caller.ask("com.atproto.repo.listRecords", **record, reverse="true", cursor=KEY)),
        ("delete two", await caller.apply("delete", SECOND, THIRD)),
        ("delete them again", await caller.apply("delete", SECOND, THIRD)),
        ("delete one", await caller.delete(KEY)),
        ("delete it again", await caller.delete(KEY)),
        ("no words", await caller.put(KEY, None, text="")),
        ("upload", await caller.upload(picture_bytes(20, 10, "PNG"), "image/png")),
        ("renewal", await caller.tell(refresh, None, refresh_token)),
        ("renewal again", await caller.tell(refresh, None, refresh_token)),
    ]


async def mistakes(caller: Caller) -> list[tuple[str, httpx.Response]]:
    """What no server takes."""
    one: JsonObject = {"alt": "", "image": NO_BLOB}
    card: JsonObject = {"$type": "app.bsky.embed.external", "external": {"uri": "x", "title": "", "description": ""}}
    others: JsonObject = {"repo": "did:plc:other", "collection": POSTS, "rkey": KEY, "record": RECORD}
    login: JsonObject = {"identifier": "nobody.test", "password": "x"}

    def images(*given: JsonObject) -> JsonObject:
        return {"$type": "app.bsky.embed.images", "images": given}

    return [
        ("session of a wrong token", await caller.ask("com.atproto.server.getSession", "nobodys")),
        ("session of no token", await caller.ask("com.atproto.server.getSession", "")),
        ("no such handle", await caller.ask("com.atproto.identity.resolveHandle", handle="nobody.test")),
        ("no key", await caller.put("my-key", None)),
        ("301", await caller.put(KEY, None, text="x" * 301)),
        ("3001 bytes", await caller.put(KEY, None, text=FAMILY * 167)),
        ("a number", await caller.put(KEY, None, text=1)),
        ("no time", await caller.put(KEY, None, createdAt="yesterday")),
        ("languages", await caller.put(KEY, None, langs=["a", "b", "c", "d"])),
        ("unknown blob", await caller.put(KEY, None, embed=images(one))),
        ("five images", await caller.put(KEY, None, embed=images(*[one] * 5))),
        ("no address", await caller.put(KEY, None, embed=card)),
        ("no root", await caller.put(KEY, None, reply={"parent": {"uri": "x", "cid": "y"}})),
        ("another's repository", await caller.tell("com.atproto.repo.putRecord", others)),
        ("upload too much", await caller.upload(bytes(6_000_000), "image/png")),
        ("login", await caller.tell("com.atproto.server.createSession", login, "")),
        ("renewal with nothing", await caller.tell("com.atproto.server.refreshSession", None, "a.b.c")),
    ]


@pytest.mark.parametrize("calls", [life, mistakes])
async def test_the_twin_answers_as_the_real_server_does(world: RealWorld, sandbox: Sandbox, calls: Calls) -> None:
    answers = []
    for place, url in ((world, world.url), (sandbox, f"{sandbox.url}/bluesky")):
        credentials = await place.connect("bluesky")
        async with httpx.AsyncClient(base_url=f"{url}/xrpc/", trust_env=False, timeout=10) as client:
            answers.append(await calls(Caller(client=client, credentials=credentials)))
    for (name, real), (_, twin) in zip(*answers, strict=True):
        assert seen(twin) == seen(real), f"{name}: {twin.text[:200]} instead of {real.text[:200]}"
        assert calls is life or not real.is_success, name


@pytest.mark.parametrize("text", ["hi", "Café ☕", "👨‍👩‍👧" * 100])
async def test_both_name_a_record_alike(world: RealWorld, sandbox: Sandbox, text: str) -> None:
    names = set()
    for place, url in ((world, world.url), (sandbox, f"{sandbox.url}/bluesky")):
        credentials = await place.connect("bluesky")
        async with httpx.AsyncClient(base_url=f"{url}/xrpc/", trust_env=False, timeout=10) as client:
            answer = await Caller(client=client, credentials=credentials).put(KEY, None, text=text, langs=["en"])
        names.add(answer.json()["cid"])
    assert len(names) == 1
