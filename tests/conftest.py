"""What every test may ask for: a real PostgreSQL, a fresh database, people, the sandbox, the door."""

import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
import uvicorn
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from agent.offline.writer import OfflineWriter
from api.sign_in import principal_of
from core import keys
from core.ids import new_id
from core.settings import Settings
from core.storage import DirectoryStore
from core.vault import Vault, generate_key
from db import migrate
from db.embedded.cluster import Cluster, start
from db.engine import Database
from db.queries import people
from memory import checkpoints
from sandbox.app import create_app as create_sandbox
from tests.platforms.pds import running
from tools.commands import catalog
from tools.context import Caller, Doors, Principal, Role, Surface
from tools.dispatcher import Dispatcher
from tools.media.fetch import MediaFetcher
from tools.networks import open_networks

TEMPLATE = "studio_template"

# Tests move the clock by an offset that exists only in their databases.
_TEST_CLOCK = """
create table studio.test_clock (shift interval not null);
insert into studio.test_clock values ('0');
grant select, update on studio.test_clock to studio_app;
grant select on studio.test_clock to studio_claim;
create or replace function studio.studio_now() returns timestamptz language sql stable parallel safe
  as 'select now() + (select shift from studio.test_clock)';
"""


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One embedded PostgreSQL for the whole run."""
    running = start(tmp_path_factory.mktemp("pg"))
    yield running
    running.close()


@pytest.fixture(scope="session")
async def template(cluster: Cluster) -> str:
    """A migrated database that every test's own is copied from."""
    return await make_template(cluster)


async def make_template(cluster: Cluster) -> str:
    with psycopg.connect(cluster.dsn(database="postgres"), autocommit=True) as connection:
        connection.execute(f'create database "{TEMPLATE}"')
    admin_url = cluster.dsn(database=TEMPLATE)
    async with migrate.migration_lock(admin_url):
        await migrate.upgrade(admin_url)
        await checkpoints.setup(admin_url)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(_TEST_CLOCK)
    return TEMPLATE


@pytest.fixture
def admin_url(cluster: Cluster, template: str) -> Iterator[str]:
    """A fresh database of one test, as the role that owns the schema."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(cluster.dsn(database="postgres"), autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{template}"')
        yield cluster.dsn(database=name)
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    """The application's door to the test's database."""
    opened = Database(admin_url, pool_size=8)
    yield opened
    await opened.close()


@dataclass(frozen=True, kw_only=True)
class TestClock:
    """Moves ``studio_now()`` of one test's database."""

    __test__ = False
    admin_url: str

    def shift(self, by: timedelta) -> None:
        """Set how far ahead of the real time the database's clock is."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute("update studio.test_clock set shift = %s", (by,))


@pytest.fixture
def clock(admin_url: str) -> TestClock:
    """The clock of the test's database."""
    return TestClock(admin_url=admin_url)


NewPrincipal = Callable[..., Awaitable[Principal]]


@pytest.fixture
def new_workspace(admin_url: str) -> NewPrincipal:
    """Makes a workspace and answers its owner; ``role`` gives the person another role instead."""

    async def make(name: str = "Roastery", *, role: Role = Role.OWNER, timezone: str = "Europe/Madrid") -> Principal:
        engine = create_async_engine(admin_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        key = keys.generate()
        async with engine.connect() as connection:
            await connection.exec_driver_sql("set search_path = studio")
            workspace_id = await people.create_first_owner(
                connection,
                people.FirstOwner(
                    workspace_name=name,
                    timezone=timezone,
                    user_name=f"{role.value} of {name}",
                    key_prefix=keys.prefix(key),
                    key_digest=keys.digest(key),
                ),
            )
            await connection.exec_driver_sql(
                "update memberships set role = %(role)s where workspace_id = %(workspace)s",
                {"role": role.value, "workspace": workspace_id},
            )
        await engine.dispose()
        return await _principal_of(admin_url, key)

    return make


AddMember = Callable[[UUID, Role], Awaitable[tuple[Principal, str]]]


@pytest.fixture
def add_member(admin_url: str) -> AddMember:
    """Adds somebody with a role to a workspace; answers the person and an API key of theirs."""

    async def add(workspace_id: UUID, role: Role) -> tuple[Principal, str]:
        key, user_id, membership_id = keys.generate(), new_id(), new_id()
        async with await psycopg.AsyncConnection.connect(admin_url, options="-c search_path=studio") as connection:
            await connection.execute("insert into users (id, name) values (%s, %s)", (user_id, role.value))
            await connection.execute(
                "insert into memberships (id, workspace_id, user_id, role) values (%s, %s, %s, %s)",
                (membership_id, workspace_id, user_id, role.value),
            )
            await connection.execute(
                "insert into api_keys (id, workspace_id, membership_id, name, prefix, digest)"
                " values (%s, %s, %s, 'test', %s, %s)",
                (new_id(), workspace_id, membership_id, keys.prefix(key), keys.digest(key)),
            )
        return await _principal_of(admin_url, key), key

    return add


async def _principal_of(admin_url: str, key: str) -> Principal:
    opened = Database(admin_url, pool_size=1)
    async with opened.outside() as session:
        row = await people.find_principal(session, keys.digest(key))
    await opened.close()
    assert row is not None
    return principal_of(row)


@pytest.fixture
async def principal(new_workspace: NewPrincipal) -> Principal:
    """The owner of a fresh workspace in Europe/Madrid."""
    return await new_workspace()


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """The pretend world, running; control it over HTTP like anybody."""

    url: str

    def control(self, method: str, path: str, body: object | None = None) -> object:
        """One call of a control route; its JSON."""
        answer = httpx.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """One sandbox for the whole run, in a thread with a loop of its own."""
    config = uvicorn.Config(create_sandbox(state_file=None), host="127.0.0.1", port=0, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the sandbox did not start"
        threading.Event().wait(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Sandbox(url=f"http://127.0.0.1:{port}")
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def sandbox(sandbox_server: Sandbox) -> Sandbox:
    """The sandbox, with nothing in it."""
    sandbox_server.control("POST", "reset")
    return sandbox_server


@pytest.fixture
def settings(tmp_path: Path, sandbox: Sandbox, admin_url: str) -> Settings:
    """Settings of a Studio that speaks to the sandbox and to the test's database."""
    return Settings(
        _env_file=None,
        database_url=SecretStr(admin_url),
        data_dir=tmp_path / "data",
        secret_keys=SecretStr(generate_key()),
        facebook_graph_url=f"{sandbox.url}/facebook-graph",
        instagram_graph_url=f"{sandbox.url}/instagram-graph",
        meta_upload_url=f"{sandbox.url}/meta-upload",
        tiktok_api_url=f"{sandbox.url}/tiktok",
        bluesky_pds_url=f"{sandbox.url}/bluesky",
        bluesky_web_url=sandbox.url,
        allow_private_media=True,
        model="offline",
        timezone="Europe/Madrid",
    )


@pytest.fixture
async def doors(settings: Settings, database: Database) -> AsyncIterator[Doors]:
    """Every door a command may use, all real."""
    async with open_doors(settings, database) as opened:
        yield opened


@asynccontextmanager
async def open_doors(settings: Settings, database: Database) -> AsyncIterator[Doors]:
    store = DirectoryStore(settings.data_dir / "media")
    fetcher = MediaFetcher(store, allow_private=True, limit_bytes=50_000_000)
    async with open_networks(settings) as adapters:
        yield Doors(
            settings=settings,
            database=database,
            vault=Vault(settings.secret_keys.get_secret_value().split(",")),
            store=store,
            fetcher=fetcher,
            adapters=adapters,
            writer=OfflineWriter(),
            wake=lambda _topic: None,
        )


@pytest.fixture
def dispatcher(doors: Doors) -> Dispatcher:
    """The one door, over the real catalogue."""
    return Dispatcher(doors, catalog())


@pytest.fixture
def caller(principal: Principal) -> Caller:
    """The owner, calling directly."""
    return Caller(principal=principal, surface=Surface.REST, zone=principal.timezone)


@pytest.fixture(scope="session")
def in_ci() -> bool:
    """Whether what is missing on the machine is a failure and not a reason to skip."""
    return os.environ.get("CI") == "true"


@pytest.fixture(scope="session")
def pds(in_ci: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Pds]:  # noqa: FBT001 - a fixture
    """A real Bluesky server for the whole run; where it is not installed its tests are left out, but not in CI."""
    if (reason := running.missing()) is not None:
        told = f"no Bluesky server here, {reason}: scripts/pds.sh installs it"
        assert not in_ci, told
        pytest.skip(told)
    with running.running_pds(tmp_path_factory.mktemp("pds")) as server:
        yield server
