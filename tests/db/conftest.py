"""What tests of the database share: the tables there are, and two workspaces with a row in each of them."""

import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from db.embedded.cluster import Cluster
from db.engine import Database
from tests.conftest import Sandbox, open_doors
from tests.db.filled import Filled, fill, make_owner, settings_of

# Tables without tenants: the two ledgers of migrations, totals over all workspaces, which the application neither reads
# nor writes itself, and what exists in test databases only.
WITHOUT_TENANTS = frozenset(
    {"studio.alembic_version", "studio.publish_totals", "studio.test_clock", "langgraph.checkpoint_migrations"}
)

Row = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Admin:
    """Reads as the role that owns the schema: sees every row, and the catalogue of PostgreSQL."""

    connection: psycopg.Connection[Row]

    def rows(self, statement: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """What a statement answers."""
        return self.connection.execute(statement.encode(), parameters).fetchall()

    def tables(self) -> tuple[str, ...]:
        """Every table of Studio's schemas that holds rows of tenants, as schema.name."""
        found = self.rows(
            "select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname in ('studio', 'langgraph') and c.relkind in ('r', 'p') order by 1"
        )
        return tuple(name for row in found if (name := str(row["name"])) not in WITHOUT_TENANTS)

    def dump(self, table: str) -> Sequence[str]:
        """Every row of a table as canonical JSON, so that a later dump can be compared."""
        found = self.rows(f"select to_jsonb(t) as whole from {table} t")
        return sorted(json.dumps(row["whole"], sort_keys=True) for row in found)

    def rows_of(self, table: str, workspace_id: UUID) -> Sequence[str]:
        """The rows of a table that belong to a workspace, as canonical JSON."""
        found = self.rows(
            f"select to_jsonb(t) as whole from {table} t where {self._owned(table)}",
            {"id": str(workspace_id)},
        )
        return sorted(json.dumps(row["whole"], sort_keys=True) for row in found)

    def _owned(self, table: str) -> str:
        match table:
            case "studio.workspaces":
                return "id = %(id)s::uuid"
            case "studio.users":
                return "id in (select user_id from studio.memberships where workspace_id = %(id)s::uuid)"
            case name if name.startswith("langgraph."):
                return "split_part(thread_id, ':', 1) = %(id)s"
            case _:
                return "workspace_id = %(id)s::uuid"

    def everything(self, workspace_id: UUID) -> dict[str, Sequence[str]]:
        """All rows of a workspace, by table."""
        return {table: self.rows_of(table, workspace_id) for table in self.tables()}


@pytest.fixture
def admin(admin_url: str) -> Iterator[Admin]:
    """The owner of the schema, in the test's database."""
    with psycopg.connect(admin_url, autocommit=True, row_factory=dict_row) as connection:
        yield Admin(connection=connection)


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Two workspaces that know nothing of each other, each with a row in every table."""

    ours: Filled
    theirs: Filled


@dataclass(frozen=True, kw_only=True)
class FilledTemplate:
    """A database with two filled workspaces, which tests take copies of."""

    name: str
    neighbours: Neighbours


@pytest.fixture(scope="session")
async def filled_template(
    cluster: Cluster, template: str, sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> FilledTemplate:
    """Made once, by the commands themselves."""
    name = "studio_filled"
    with psycopg.connect(cluster.dsn(database="postgres"), autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{template}"')
    url = cluster.dsn(database=name)
    settings = settings_of(url, sandbox_server, tmp_path_factory.mktemp("filled"))
    opened = Database(url, pool_size=4)
    async with open_doors(settings, opened) as doors:
        ours, theirs = await make_owner(url, "Roastery"), await make_owner(url, "Bakery")
        neighbours = Neighbours(
            ours=await fill(doors, ours, sandbox_server, number=1),
            theirs=await fill(doors, theirs, sandbox_server, number=2),
        )
    await opened.close()
    return FilledTemplate(name=name, neighbours=neighbours)


@pytest.fixture
def neighbours(filled_template: FilledTemplate) -> Neighbours:
    """The two workspaces of the test's database."""
    return filled_template.neighbours


@pytest.fixture
def admin_url(cluster: Cluster, filled_template: FilledTemplate) -> Iterator[str]:
    """A fresh database with the two filled workspaces, as the role that owns the schema."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(cluster.dsn(database="postgres"), autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{filled_template.name}" strategy file_copy')
        yield cluster.dsn(database=name)
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
async def pool_of_two(admin_url: str) -> AsyncIterator[Database]:
    """A door with two connections at most, so that workspaces share them."""
    opened = Database(admin_url, pool_size=2)
    yield opened
    await opened.close()


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose name leaves room for a socket's path (107 bytes), however many processes the run has."""
    with tempfile.TemporaryDirectory(prefix="s-") as name:
        yield Path(name).resolve()
