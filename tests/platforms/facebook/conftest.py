"""An adapter against the sandbox, for Facebook's own tests."""

from collections.abc import AsyncIterator

import pytest

from platforms.facebook.adapter import FacebookAdapter
from tests.platforms.cases.facebook import open_facebook
from tests.platforms.world import Sandbox


@pytest.fixture
async def adapter(sandbox: Sandbox) -> AsyncIterator[FacebookAdapter]:
    async with open_facebook(sandbox.url) as adapter:
        assert isinstance(adapter, FacebookAdapter)
        yield adapter
