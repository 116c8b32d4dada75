"""Every route, asked with one workspace's key about the things of another: 403 or 404, and nothing there moves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from agent.agent import Agent
from agent.offline.model import OfflineModel
from agent.runs import RunService
from agent.threads import ThreadService
from db.engine import Database
from memory.checkpoints import open_saver
from scheduler.clock import Clock
from tests.api.conftest import Mind, Served, client_of
from tests.conftest import NewPrincipal, Sandbox
from tests.db.conftest import Admin
from tests.db.filled import Filled, fill
from tools.commands import catalog
from tools.context import Doors, Principal, Role
from tools.dispatcher import Dispatcher

AddMember = Callable[[UUID, Role], Awaitable[tuple[Principal, str]]]
# What a body needs to be understood: without it a refusal would be about the body, not about whose things these are.
BODY: Mapping[str, object] = {
    "when": "in 4 hours",
    "caption": "Changed",
    "text": "hello",
    "decision": "approve",
    "outcome": "posted",
    "crop": "fill",
}
# For routes whose body is not understood by its required fields.
BODIES: Mapping[str, Mapping[str, object]] = {"PATCH /v1/posts/{post_id}": {"caption": "Changed by a stranger"}}


@pytest.fixture
async def mind(doors: Doors, database: Database, admin_url: str) -> AsyncIterator[Mind]:
    """The agent without a clock: nothing moves but by the requests of this test."""
    clock = Clock(tick=60)
    dispatcher = Dispatcher(doors, catalog())
    async with open_saver(admin_url, pool_size=2) as saver:
        agent = Agent(model=OfflineModel(), dispatcher=dispatcher, saver=saver, settings=doors.settings)
        runs = RunService(
            database=database, dispatcher=dispatcher, agent=agent, wake=clock.wake, settings=doors.settings
        )
        threads = ThreadService(database=database, agent=agent)
        yield Mind(
            doors=doors, dispatcher=dispatcher, runs=runs, threads=threads, clock=clock, stopping=asyncio.Event()
        )


@pytest.fixture
def admin(admin_url: str) -> Iterator[Admin]:
    with psycopg.connect(admin_url, autocommit=True, row_factory=dict_row) as connection:
        yield Admin(connection=connection)


@dataclass(frozen=True, kw_only=True)
class Street:
    """Two workspaces, and a client with an owner's key of each."""

    ours: Filled
    theirs: Filled
    client: httpx.AsyncClient
    neighbour: httpx.AsyncClient


@pytest.fixture
async def street(
    doors: Doors, served: Served, new_workspace: NewPrincipal, sandbox: Sandbox, add_member: AddMember
) -> AsyncIterator[Street]:
    ours = await fill(doors, await new_workspace("Roastery"), sandbox, number=1)
    theirs = await fill(doors, await new_workspace("Bakery"), sandbox, number=2)
    _, our_key = await add_member(ours.workspace_id, Role.OWNER)
    _, their_key = await add_member(theirs.workspace_id, Role.OWNER)
    async with client_of(served.url, our_key) as client, client_of(served.url, their_key) as neighbour:
        yield Street(ours=ours, theirs=theirs, client=client, neighbour=neighbour)


def things(filled: Filled) -> dict[str, list[str]]:
    """Every way to name a thing in an address, by the address's field."""
    return {
        "post_id": [filled.draft_id, filled.draft_code, filled.planned_id, filled.sent_id],
        "account_id": [filled.account_id, filled.handle],
        "asset_id": [filled.asset_id],
        "thread_id": [str(filled.thread_id)],
        "run_id": [str(filled.run_id)],
        "approval_id": [str(filled.approval_id)],
        "plan_id": [filled.plan_id],
        "experiment_id": [filled.experiment_id],
    }


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request about somebody's thing."""

    method: str
    address: str
    body: dict[str, object] | None


def requests(served: Served, filled: Filled) -> Iterator[Asked]:
    """Every route of the API that has somebody's thing in its address, for every name of that thing."""
    schemas = served.app.openapi()["components"]["schemas"]
    for path, methods in served.app.openapi()["paths"].items():
        for method, operation in methods.items():
            fields = [each["name"] for each in operation.get("parameters", []) if each["in"] == "path"]
            if not fields:
                continue
            unknown = set(fields) - things(filled).keys()
            assert not unknown, f"{method} {path}: say in things() how {unknown} is named"
            body = _body(f"{method.upper()} {path}", operation, schemas)
            for values in product(*(things(filled)[field] for field in fields)):
                address = path
                for field, value in zip(fields, values, strict=True):
                    address = address.replace(f"{{{field}}}", value)
                yield Asked(method=method, address=address, body=body)


def _body(
    route: str, operation: Mapping[str, object], schemas: Mapping[str, Mapping[str, object]]
) -> dict[str, object] | None:
    given = operation.get("requestBody")
    if not isinstance(given, dict):
        return None
    schema = schemas[str(given["content"]["application/json"]["schema"]["$ref"]).rpartition("/")[2]]
    required = schema.get("required", [])
    assert isinstance(required, list)
    unknown = set(required) - BODY.keys()
    assert not unknown, f"{route}: say in BODY what {unknown} is"
    return {name: BODY[name] for name in required} | dict(BODIES.get(route, {}))


async def send(client: httpx.AsyncClient, asked: Asked, **headers: str) -> httpx.Response:
    return await client.request(asked.method, asked.address, json=asked.body, headers=headers)


async def test_no_route_finds_or_changes_the_things_of_another_workspace(
    served: Served, street: Street, admin: Admin
) -> None:
    before = admin.everything(street.theirs.workspace_id)
    asked = list(requests(served, street.theirs))
    assert len(asked) > 30
    for each in asked:
        for headers in ({}, {"Idempotency-Key": str(uuid4())}):
            answer = await send(street.client, each, **headers)
            assert answer.status_code in {403, 404}, (each, answer.status_code, answer.text)
            assert "The words of bakery" not in answer.text, each
            assert street.theirs.asset_name not in answer.text, each
    assert admin.everything(street.theirs.workspace_id) == before


async def test_a_key_does_not_open_another_workspace_by_its_header(served: Served, street: Street) -> None:
    header = {"X-Workspace": str(street.theirs.workspace_id)}
    for each in requests(served, street.theirs):
        answer = await send(street.client, each, **header)
        assert answer.status_code in {403, 404}, (each, answer.status_code)


async def test_lists_are_ones_own(served: Served, street: Street) -> None:
    """Also when narrowed to the neighbour's things, or continued by the neighbour's cursor."""
    theirs = street.theirs
    cursor = (await street.neighbour.get("/v1/posts", params={"limit": 1})).json()["next_cursor"]
    assert cursor
    lists = [path for path, methods in served.app.openapi()["paths"].items() if "get" in methods and "{" not in path]
    assert {"/v1/posts", "/v1/accounts", "/v1/threads", "/v1/approvals"} <= set(lists)
    narrowed: list[dict[str, str]] = [{}, {"query": "bakery"}, {"account_id": theirs.account_id}, {"cursor": cursor}]
    for path, parameters in product(lists, narrowed):
        answer = await street.client.get(path, params=parameters)
        assert answer.status_code < 500, (path, parameters, answer.text)
        for name in (theirs.draft_id, theirs.account_id, str(theirs.thread_id), str(theirs.approval_id)):
            if name not in parameters.values():
                assert name not in answer.text, (path, parameters)
        assert "The words of bakery" not in answer.text, (path, parameters)


async def test_their_owner_reads_all_of_it(served: Served, street: Street) -> None:
    """The names tried above are good names: next door each of them is found."""
    reads = [each for each in requests(served, street.theirs) if each.method == "get"]
    assert len(reads) > 10
    for each in reads:
        answer = await send(street.neighbour, each)
        assert answer.status_code == 200, (each, answer.status_code, answer.text)


async def test_nobody_reads_anything_without_a_key(served: Served, street: Street) -> None:
    async with client_of(served.url) as stranger:
        for each in requests(served, street.theirs):
            answer = await send(stranger, each)
            assert answer.status_code == 401, (each, answer.status_code)


async def test_what_a_body_names_is_ones_own_too(street: Street, admin: Admin) -> None:
    before = admin.everything(street.theirs.workspace_id)
    theirs = street.theirs
    for address, body in (
        ("/v1/ask", {"text": "show me the last post", "thread_id": str(theirs.thread_id)}),
        ("/v1/posts", {"caption": "Mine", "account_id": theirs.account_id}),
        ("/v1/posts", {"caption": "Mine", "media": [{"asset_id": theirs.asset_id}]}),
        (f"/v1/posts/{theirs.draft_id}/schedule", {"when": "in 4 hours"}),
        ("/v1/posts/move", {"post_ids": [theirs.planned_id], "when": "a day later"}),
        ("/v1/posts/move", {"account_id": theirs.account_id, "when": "a day later"}),
        ("/v1/posts/cancel", {"post_ids": [theirs.draft_code]}),
        ("/v1/experiments", {"post_id": theirs.draft_id, "vary": "caption"}),
        ("/v1/plans/weekly", {"accounts": [theirs.handle]}),
    ):
        answer = await street.client.post(address, json=body, timeout=10)
        assert answer.status_code in {403, 404}, (address, body, answer.text)
    assert admin.everything(theirs.workspace_id) == before
