"""An adapter against the sandbox, for Instagram's own tests."""

from collections.abc import AsyncIterator

import pytest

from platforms.instagram.adapter import InstagramAdapter
from tests.platforms.cases.instagram import open_instagram
from tests.platforms.world import Sandbox


@pytest.fixture
async def adapter(sandbox: Sandbox) -> AsyncIterator[InstagramAdapter]:
    async with open_instagram(sandbox.url) as adapter:
        assert isinstance(adapter, InstagramAdapter)
        yield adapter
