"""A saver of Studio's, and LangGraph's own beside it, on the test's database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from memory.checkpoints import checkpoint_thread, open_saver
from memory.saver import WorkspaceSaver


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The saver under test in its workspace, and a look into its tables as their owner."""

    saver: WorkspaceSaver
    workspace_id: UUID
    admin_url: str

    def thread(self) -> str:
        """The name of a new thread."""
        return checkpoint_thread(self.workspace_id, uuid4())

    def count(self, table: str, thread_id: str) -> int:
        """How many rows of a thread a table of LangGraph's schema holds."""
        with psycopg.connect(self.admin_url) as connection:
            query = f"select count(*) from langgraph.{table} where thread_id = %s"
            found = connection.execute(query.encode(), (thread_id,)).fetchone()
        assert found is not None
        return int(found[0])

    def counts(self, thread_id: str) -> dict[str, int]:
        """The rows of a thread in each table."""
        names = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_messages")
        return {name: self.count(name, thread_id) for name in names}


@pytest.fixture
async def memory(admin_url: str) -> AsyncIterator[Memory]:
    """A saver, its workspace in force."""
    async with open_saver(admin_url, pool_size=4) as saver:
        yield Memory(saver=saver, workspace_id=uuid4(), admin_url=admin_url)


@pytest.fixture
async def another(admin_url: str) -> AsyncIterator[WorkspaceSaver]:
    """The saver of another process: it remembers nothing that the first one read or wrote."""
    async with open_saver(admin_url, pool_size=4) as saver:
        yield saver


@pytest.fixture
async def stock(admin_url: str) -> AsyncIterator[AsyncPostgresSaver]:
    """LangGraph's own saver, on the same tables."""
    pool = AsyncConnectionPool(
        admin_url,
        connection_class=AsyncConnection[DictRow],
        min_size=1,
        max_size=2,
        open=False,
        kwargs={
            "autocommit": True,
            "prepare_threshold": 0,
            "row_factory": dict_row,
            "options": "-c search_path=langgraph",
        },
    )
    async with pool:
        yield AsyncPostgresSaver(conn=pool, serde=JsonPlusSerializer(allowed_msgpack_modules=None))


def config_of(thread_id: str, checkpoint_id: str | None = None, *, run: str | None = None) -> RunnableConfig:
    """A configuration that names a thread, and perhaps a checkpoint and the run that works."""
    config: RunnableConfig = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
    if checkpoint_id is not None:
        config["configurable"]["checkpoint_id"] = checkpoint_id
    if run is not None:
        config["metadata"] = {"run_id": run}
    return config
