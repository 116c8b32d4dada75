"""Where LangGraph keeps conversations: its own tables in schema ``langgraph``, seen one workspace at a time."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import cast
from uuid import UUID

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from db.engine import APP_ROLE

SCHEMA = "langgraph"
_TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")

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

# LangGraph offers no argument for it: every statement of the saver runs in the workspace named here, or not at all.
_workspace: ContextVar[UUID] = ContextVar("checkpoint_workspace")

# How many of the saver's operations may be under way at once, each on a connection of its own.
_AT_ONCE = 8


def checkpoint_thread(workspace_id: UUID, thread_id: UUID) -> str:
    """The name under which LangGraph keeps a thread."""
    return f"{workspace_id}:{thread_id}"


@contextmanager
def checkpoints_of(workspace_id: UUID) -> Iterator[None]:
    """Let the saver see this workspace's conversations, in this task and in those started within."""
    token = _workspace.set(workspace_id)
    try:
        yield
    finally:
        _workspace.reset(token)


class WorkspaceSaver(AsyncPostgresSaver):
    """LangGraph's saver, bound to a workspace by row-level security; outside ``checkpoints_of`` it raises."""

    def __init__(self, pool: "AsyncConnectionPool[AsyncConnection[DictRow]]") -> None:
        # Only LangChain's messages are stored: nothing else may be built from what the tables hold.
        super().__init__(conn=pool, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        # Its one lock would make all conversations wait for each other, although the pool serves each on its own.
        self.lock = cast("asyncio.Lock", asyncio.Semaphore(_AT_ONCE))

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        workspace = _workspace.get(None)
        if workspace is None:
            raise RuntimeError("Conversations are read in a workspace: use checkpoints_of(workspace_id)")
        async with super()._cursor(pipeline=pipeline) as cursor:
            await cursor.execute("select set_config('app.workspace_id', %s, false)", (str(workspace),))
            yield cursor


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
        await connection.execute(f"grant usage on schema {SCHEMA} to {APP_ROLE}".encode())
        for table in _TABLES:
            await connection.execute(_TENANT.format(schema=SCHEMA, table=table, role=APP_ROLE).encode())


@asynccontextmanager
async def open_saver(url: str, *, pool_size: int = _AT_ONCE) -> AsyncIterator[WorkspaceSaver]:
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
