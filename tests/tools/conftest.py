"""What tests of commands share: a connected sandbox account, a picture, and the door with fewer words."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import pytest
from PIL import Image

from core.settings import Settings
from db.models.conversation import Thread
from tests.conftest import Sandbox
from tests.tools.second_network import second_network
from tools.assets import AssetView, keep_asset
from tools.commands import catalog
from tools.context import Caller, Doors, Principal, Surface
from tools.dispatcher import Dispatcher, Outcome
from tools.media.inspect import inspect

TOKEN = "IGAA-sandbox-token-of-the-roastery"


def jpeg(*, width: int = 1080, height: int = 1080, colour: tuple[int, int, int] = (110, 60, 30)) -> bytes:
    """A real JPEG of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "JPEG")
    return buffer.getvalue()


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The door with fewer words: ``act`` as a person, ``say`` as the agent in a thread."""

    dispatcher: Dispatcher
    caller: Caller

    async def act(self, command: str, **arguments: object) -> dict[str, object]:
        """Run a command directly; its result."""
        return (await self.run(command, arguments)).result

    async def run(self, command: str, arguments: dict[str, object], *, key: str | None = None) -> Outcome:
        """Run a command with a key."""
        return await self.dispatcher.run(command, arguments, replace(self.caller, key=key))

    def as_(self, principal: Principal) -> "Desk":
        """The same door for somebody else."""
        return replace(self, caller=replace(self.caller, principal=principal))

    def turn(self, run_id: UUID | None = None) -> "Desk":
        """The agent's next turn in the same thread."""
        return replace(self, caller=replace(self.caller, run_id=run_id or uuid4()))


@pytest.fixture
async def account_id(sandbox: Sandbox, dispatcher: Dispatcher, caller: Caller) -> str:
    """The roastery's Instagram account, known to the sandbox and connected here."""
    external_id = "17841400000000001"
    sandbox.control(
        "POST",
        "accounts",
        {"platform": "instagram", "external_id": external_id, "handle": "roastery", "access_token": TOKEN},
    )
    outcome = await dispatcher.run(
        "connect_account",
        {
            "platform": "instagram",
            "external_id": external_id,
            "access_token": TOKEN,
            "metadata": {"login": "facebook"},
        },
        caller,
    )
    account = outcome.result["account"]
    assert isinstance(account, dict)
    return str(account["id"])


AddPhoto = Callable[..., Awaitable[AssetView]]


@pytest.fixture
def add_photo(doors: Doors, principal: Principal) -> AddPhoto:
    """Stores a picture as an asset of the workspace."""

    async def add(name: str = "espresso.jpg", data: bytes | None = None) -> AssetView:
        async with doors.store.stage(limit_bytes=50_000_000) as staged:
            await staged.write(data if data is not None else jpeg())
            await staged.finish()
            facts = await inspect(staged.path)
            await staged.keep()
        return await keep_asset(doors, principal, facts, name=name, source_url=None)

    return add


@pytest.fixture
async def desk(dispatcher: Dispatcher, caller: Caller, account_id: str) -> Desk:
    """The owner at the door, with a connected account."""
    return Desk(dispatcher=dispatcher, caller=caller)


@pytest.fixture
async def chat(desk: Desk, doors: Doors, principal: Principal) -> Desk:
    """The agent at the door, in a thread of the owner's."""
    async with doors.database.session(principal.workspace_id) as session:
        thread = Thread(workspace_id=principal.workspace_id, title="a chat", focus=[], created_by=principal.user_id)
        session.add(thread)
    caller = replace(desk.caller, surface=Surface.AGENT, thread_id=thread.id, run_id=uuid4())
    return replace(desk, caller=caller)


@pytest.fixture
async def wide(desk: Desk, doors: Doors, settings: Settings, sandbox: Sandbox) -> AsyncIterator[Desk]:
    """The owner at the door of a Studio with two networks, an account connected on each."""
    async with second_network(doors, settings, sandbox, desk.caller) as opened:
        yield replace(desk, dispatcher=Dispatcher(opened, catalog()))


@pytest.fixture
def wide_chat(wide: Desk, chat: Desk) -> Desk:
    """The agent at that door, in a thread of the owner's."""
    return replace(chat, dispatcher=wide.dispatcher)
