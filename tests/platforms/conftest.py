"""The world around the adapters under test: one sandbox and one file server for the whole run."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.platforms.world import FileServer, Sandbox, running_sandbox


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


@pytest.fixture(scope="session")
async def control(sandbox_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
async def sandbox(sandbox_url: str, control: httpx.AsyncClient) -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(url=sandbox_url, control=control)
    yield sandbox
    await sandbox.clear_faults()


@pytest.fixture(scope="session")
def files() -> Iterator[FileServer]:
    server = FileServer()
    yield server
    server.close()
