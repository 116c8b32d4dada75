"""An adapter against the sandbox, for Bluesky's own tests."""

from collections.abc import AsyncIterator

import pytest

from platforms.bluesky.adapter import BlueskyAdapter
from tests.platforms.cases.bluesky import open_bluesky
from tests.platforms.world import Sandbox


@pytest.fixture
async def adapter(sandbox: Sandbox) -> AsyncIterator[BlueskyAdapter]:
    async with open_bluesky(sandbox.url) as adapter:
        assert isinstance(adapter, BlueskyAdapter)
        yield adapter
