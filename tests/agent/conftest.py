"""What tests of the agent may ask for: a house with an agent at work, and scripts for its model."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from core.settings import Settings
from tests.agent.house import House, Script, open_house
from tests.conftest import Sandbox
from tools.context import Doors, Principal


@pytest.fixture
def endpoint(settings: Settings, sandbox: Sandbox) -> Settings:
    """Settings whose model is the sandbox's, scripted by the test; it may be silent for 3 s."""
    return settings.model_copy(
        update={
            "model": "sandbox-model",
            "openai_api_key": SecretStr("sk-sandbox"),
            "openai_base_url": f"{sandbox.url}/v1",
            "model_timeout": 3.0,
        }
    )


@pytest.fixture
async def house(doors: Doors, principal: Principal, admin_url: str, endpoint: Settings) -> AsyncIterator[House]:
    """An agent at work, whose model is the sandbox's endpoint."""
    async with open_house(doors, principal, admin_url, model=endpoint) as opened:
        yield opened


@pytest.fixture
def script(sandbox: Sandbox) -> Script:
    """Scripts the model: each turn is a text, or a turn of the sandbox; behind what is scripted already."""

    def write(*turns: str | dict[str, object], repeat: bool = False) -> None:
        said = [{"content": turn} if isinstance(turn, str) else turn for turn in turns]
        sandbox.control("POST", "chat/script", {"turns": said, "repeat": repeat})

    return write
