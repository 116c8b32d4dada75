"""An adapter against the sandbox, for TikTok's own tests."""

from collections.abc import AsyncIterator

import pytest

from platforms.tiktok.adapter import TikTokAdapter
from tests.platforms.cases.tiktok import open_tiktok
from tests.platforms.world import Sandbox


@pytest.fixture
async def adapter(sandbox: Sandbox) -> AsyncIterator[TikTokAdapter]:
    async with open_tiktok(sandbox.url) as adapter:
        assert isinstance(adapter, TikTokAdapter)
        yield adapter
