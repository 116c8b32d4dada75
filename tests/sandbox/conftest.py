"""A sandbox for the session, emptied for every test, and the people who call it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox.caller import Graph, Origin, jpeg, origin_server, serving


@pytest.fixture(scope="session")
def origin() -> Iterator[Origin]:
    with origin_server() as running:
        yield running


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture
def graph(sandbox_url: str) -> Iterator[Graph]:
    with httpx.Client(timeout=10, trust_env=False) as client:
        graph = Graph(base=sandbox_url, client=client)
        graph.control("reset")
        graph.seed()
        yield graph


@pytest.fixture
def instagram_login(graph: Graph) -> Graph:
    other = Graph(
        base=graph.base,
        client=graph.client,
        account="17841400000000009",
        token="token-of-instagram-login",
        host="instagram-graph",
    )
    other.seed()
    return other


@pytest.fixture
def image_url(origin: Origin) -> str:
    return origin.put("/espresso.jpg", jpeg())
