"""Bluesky behind the real engine and, where it is installed, before a real server: connected, published once, gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest

from core.errors import InvalidInput
from core.jsontypes import JsonObject
from core.settings import Settings
from platforms.base import Credentials
from platforms.progress import inner
from tests.conftest import Sandbox, TestClock
from tests.platforms.pds.running import Pds
from tests.tools.conftest import AddPhoto, Desk
from tests.tools.media.samples import picture
from tests.tools.publishing.conftest import Engine, Publication
from tests.tools.publishing.killing import run_victim
from tools.commands import catalog
from tools.context import Caller, Doors
from tools.dispatcher import Dispatcher

PASSWORD = "abcd-efgh-ijkl-mnop"
DID = "did:plc:roastery"
HANDLE = "roastery.test"


async def connected(desk: Desk, handle: str, password: str, **more: object) -> dict[str, object]:
    arguments = {"platform": "bluesky", "handle": handle, "access_token": password, **more}
    account = (await desk.act("connect_account", **arguments))["account"]
    assert isinstance(account, dict)
    return account


async def posted(desk: Desk, sandbox: Sandbox, engine: Engine, caption: str, **more: object) -> Publication:
    drafted = (await desk.act("create_draft", platform="bluesky", caption=caption, publish_now=True, **more))["post"]
    assert isinstance(drafted, dict)
    publication = Publication(desk=desk, sandbox=sandbox, post_id=str(drafted["id"]))
    await engine.until(publication.settled, patience=30)
    return publication


# -- the sandbox


@pytest.fixture
def door(doors: Doors, caller: Caller, sandbox: Sandbox) -> Desk:
    """The owner at the door; the sandbox knows the roastery, which is not connected yet."""
    account = {"platform": "bluesky", "external_id": DID, "handle": HANDLE, "access_token": "unused"}
    sandbox.control("POST", "accounts", {**account, "app_password": PASSWORD})
    return Desk(dispatcher=Dispatcher(doors, catalog()), caller=caller)


async def test_an_account_is_connected_with_handle_and_app_password(
    door: Desk, admin_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    account = await connected(door, f"@{HANDLE}", PASSWORD)
    assert (account["external_id"], account["handle"], account["status"]) == (DID, HANDLE, "connected")
    assert account["token_expires_at"] is not None
    shown = [repr(account), caplog.text]
    with psycopg.connect(admin_url) as connection:
        for table in ("accounts", "tool_calls"):
            statement = f"select to_jsonb(t)::text from studio.{table} t".encode()
            shown += [str(row[0]) for row in connection.execute(statement)]
    assert not [text for text in shown if PASSWORD in text or PASSWORD.encode().hex() in text]


@pytest.mark.parametrize(
    ("handle", "password"), [(HANDLE, "aaaa-bbbb-cccc-dddd"), ("nobody.test", PASSWORD), (HANDLE, "my own password")]
)
async def test_a_wrong_password_connects_nothing(door: Desk, handle: str, password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await connected(door, handle, password)
    assert refused.value.code == "token_refused"
    assert password not in refused.value.message


async def test_the_handle_may_stand_for_the_id_on_bluesky_alone(door: Desk) -> None:
    with pytest.raises(InvalidInput) as refused:
        await door.act("connect_account", platform="instagram", handle="roastery", access_token="token")
    assert [problem.path for problem in refused.value.problems] == ["external_id"]
    with pytest.raises(InvalidInput):
        await door.act("connect_account", platform="bluesky", access_token=PASSWORD)


async def test_a_session_past_its_end_is_renewed_and_then_opened_anew_once(
    door: Desk, sandbox: Sandbox, engine: Engine
) -> None:
    await connected(door, HANDLE, PASSWORD)
    for number, fault in enumerate((None, {"route": "bluesky.refresh_session", "kind": "expired_token"}), start=1):
        sandbox.control("POST", "faults", {"route": "bluesky.put_record", "kind": "expired_token"})
        if fault is not None:
            sandbox.control("POST", "faults", fault)
        post = await (await posted(door, sandbox, engine, f"Number {number}")).post()
        assert post["status"] == "posted", post["last_error"]
    refreshed, opened = (_named(sandbox, f"bluesky.{name}_session") for name in ("refresh", "create"))
    assert (len(refreshed), len(opened)) == (2, 2), "one login to connect, one when the renewal was refused"


async def test_a_heavy_picture_is_made_light_enough(
    door: Desk, sandbox: Sandbox, engine: Engine, add_photo: AddPhoto
) -> None:
    await connected(door, HANDLE, PASSWORD)
    heavy = await add_photo("market.png", picture("PNG", size=(1400, 1000)))
    assert heavy.size_bytes > 2_000_000
    publication = await posted(door, sandbox, engine, "The market", media=[{"asset_id": heavy.id}])
    post = await publication.post()
    assert post["status"] == "posted", post["last_error"]
    (call,) = _named(sandbox, "bluesky.upload_blob")
    assert call["status"] == 200


def _named(sandbox: Sandbox, route: str) -> list[dict[str, object]]:
    calls = sandbox.control("GET", f"calls?route={route}")
    assert isinstance(calls, dict)
    return list(calls["items"])


# -- a real server


@dataclass(frozen=True, kw_only=True)
class Roastery:
    """The roastery's account on the real server."""

    pds: Pds
    credentials: Credentials

    def live(self, caption: str) -> list[JsonObject]:
        """The records with this text."""
        records = self.pds.records(self.credentials.external_id)
        return [record for record in records if inner(record, "value")["text"] == caption]


@pytest.fixture
def roastery(pds: Pds) -> Roastery:
    return Roastery(pds=pds, credentials=pds.new_account())


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Of a test that names the real server: with its address."""
    if "pds" not in request.fixturenames:
        return settings
    pds: Pds = request.getfixturevalue("pds")
    return settings.model_copy(update={"bluesky_pds_url": pds.url, "bluesky_web_url": "https://bsky.app"})


@pytest.mark.timeout(300)
@pytest.mark.parametrize("thread", [(), ("The beans.", "The mill.")])
async def test_a_kill_after_any_call_leaves_exactly_one_post(
    door: Desk,
    sandbox: Sandbox,
    roastery: Roastery,
    engine: Engine,
    settings: Settings,
    clock: TestClock,
    thread: Sequence[str],
) -> None:
    """Also after the second one, which makes it public: with the answer in hand and nothing of it written down."""
    await connected(door, roastery.credentials.handle, roastery.pds.app_password(roastery.credentials))
    options = {"options": {"thread": list(thread)}} if thread else {}
    for at in (1, 2, 3):
        caption = f"Killed after call {at}"
        drafted = (await door.act("create_draft", platform="bluesky", caption=caption, **options))["post"]
        assert isinstance(drafted, dict)
        await door.act("publish_post", post_id=drafted["id"])
        status = await run_victim(settings, "call", at, platform="bluesky")
        if status == 0:
            break
        # Whatever was sent is there now, and Studio does not know it yet.
        assert len(roastery.live(caption)) == at - 1
        clock.shift(timedelta(seconds=(settings.publish_lease + 1) * at))  # the dead process's lease ends
        publication = Publication(desk=door, sandbox=sandbox, post_id=str(drafted["id"]))
        await engine.until(publication.settled, patience=30)
        post = await publication.post()
        assert post["status"] == "posted", (at, post["last_error"])
        assert [record["uri"] for record in roastery.live(caption)] == [post["platform_post_id"]]
        assert all(len(roastery.live(text)) == at for text in thread)
    assert (at, status) == (3, 0), "there are two calls: the one that makes it public is the second"


async def test_a_post_is_taken_down_for_good(door: Desk, sandbox: Sandbox, roastery: Roastery, engine: Engine) -> None:
    await connected(door, roastery.credentials.handle, roastery.pds.app_password(roastery.credentials))
    publication = await posted(door, sandbox, engine, "Not for long", options={"thread": ["nor this"]})
    assert len(roastery.live("nor this")) == 1
    await door.act("delete_post", post_id=publication.post_id)
    assert roastery.pds.records(roastery.credentials.external_id) == []
