"""Where LangGraph keeps conversations: its own tables in schema ``langgraph``, seen one workspace at a time."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from uuid import UUID

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from db.engine import APP_ROLE
from memory import saver_statements
from memory.saver import AT_ONCE, WorkspaceSaver
from memory.scope import Claim, Scope, put_in_force

SCHEMA = "langgraph"
_TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_messages")

# The workspace is the part of a thread's id before the colon: see ``checkpoint_thread``.
_TENANT = """
alter table {schema}.{table} enable row level security;
alter table {schema}.{table} force row level security;
drop policy if exists tenant on {schema}.{table};
create policy tenant on {schema}.{table} to {role}
  using (split_part(thread_id, ':', 1) = nullif(current_setting('app.workspace_id', true), ''))
  with check (split_part(thread_id, ':', 1) = nullif(current_setting('app.workspace_id', true), ''));
drop policy if exists migrations on {schema}.{table};
create policy migrations on {schema}.{table} to current_user using (true) with check (true);
grant select, insert, update, delete on {schema}.{table} to {role};
"""


def checkpoint_thread(workspace_id: UUID, thread_id: UUID) -> str:
    """The name under which LangGraph keeps a thread."""
    return f"{workspace_id}:{thread_id}"


def checkpoints_of(workspace_id: UUID, *, claim: Claim | None = None) -> AbstractContextManager[None]:
    """Let the saver see this workspace's conversations, in this task and in those started within.

    With a ``claim`` it writes only while the run is claimed so, and raises ``TakenOver`` afterwards.
    """
    return put_in_force(Scope(workspace_id=workspace_id, claim=claim))


def _plain(url: str) -> str:
    # SQLAlchemy's name of the driver means nothing to libpq.
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


async def setup(admin_url: str) -> None:
    """Bring LangGraph's tables up to date, with row-level security and grants; call it inside ``migration_lock``.

    Runs as the migrating role on an AUTOCOMMIT connection of its own, because it creates indexes concurrently.
    Repeating it changes nothing.
    """
    connection = await AsyncConnection.connect(
        # Never prepared: several statements go in one message.
        _plain(admin_url),
        autocommit=True,
        prepare_threshold=None,
        row_factory=dict_row,
    )
    async with connection:
        await connection.execute(f"create schema if not exists {SCHEMA}".encode())
        await connection.execute(f"set search_path = {SCHEMA}".encode())
        await connection.execute("set client_min_messages = warning")
        await AsyncPostgresSaver(conn=connection).setup()
        await connection.execute(saver_statements.DROP_NARROW_INDEXES.encode())
        await connection.execute(saver_statements.CREATE_MESSAGES)
        await connection.execute(f"grant usage on schema {SCHEMA} to {APP_ROLE}".encode())
        for table in _TABLES:
            await connection.execute(_TENANT.format(schema=SCHEMA, table=table, role=APP_ROLE).encode())


@asynccontextmanager
async def open_saver(url: str, *, pool_size: int = AT_ONCE) -> AsyncIterator[WorkspaceSaver]:
    """The saver of this process, on a pool that nothing else uses; closed at the end."""
    pool = AsyncConnectionPool(
        _plain(url),
        connection_class=AsyncConnection[DictRow],
        min_size=1,
        max_size=pool_size,
        open=False,
        kwargs={
            "autocommit": True,
            "prepare_threshold": 0,
            "row_factory": dict_row,
            "options": f"-c role={APP_ROLE} -c search_path={SCHEMA}",
        },
    )
    async with pool:
        yield WorkspaceSaver(pool)
