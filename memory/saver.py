"""LangGraph's saver, storing each message of a conversation once; what it answers is what LangGraph's own would."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg import AsyncConnection, AsyncCursor
from psycopg.errors import UniqueViolation
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from memory import saver_rows as rows
from memory import saver_statements as statements
from memory.message_rows import Plan, RecentStates, State, assemble, plan
from memory.saver_rows import MESSAGES, Parameters
from memory.scope import TakenOver, scope_in_force

# How many of the saver's operations may be under way at once, each on a connection of its own.
AT_ONCE = 8
# More messages than this are parsed in a thread, so that the process goes on meanwhile.
_MANY = 100

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


@dataclass(frozen=True, kw_only=True)
class _Step:
    """A checkpoint on its way into the tables; ``messages`` is None when it has no such channel."""

    parameters: Parameters
    checkpoint: Mapping[str, object]
    messages: Sequence[object] | None


class WorkspaceSaver(AsyncPostgresSaver):
    """The memory of all conversations of this process; outside ``checkpoints_of`` it raises ``RuntimeError``.

    The channel ``messages`` is stored message by message, in rows that are written once and never changed, and a
    checkpoint points at them. Two processes that go on from the same checkpoint make two branches, of which the newest
    checkpoint counts; under a claim that does not hold any more nothing is written, and ``TakenOver`` is raised.
    A message is a value: a node that changes one in place has to hand it in again.
    """

    def __init__(self, pool: Pool) -> None:
        # Only LangChain's messages are stored: nothing else may be built from what the tables hold.
        super().__init__(conn=pool, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        # Its one lock would make all conversations wait for each other, although the pool serves each on its own.
        self.lock = cast("asyncio.Lock", asyncio.Semaphore(AT_ONCE))
        self._pool = pool
        self._recent = RecentStates()

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint that is named, else the newest of the thread; None when there is none."""
        thread, checkpoint_id = rows.thread_of(config), get_checkpoint_id(config)
        known = self._recent.newest(thread)
        row = await self._ask(
            statements.READ_ONE if checkpoint_id else statements.READ_NEWEST,
            {"thread": thread[0], "ns": thread[1], "id": checkpoint_id, **rows.ranges(known)},
        )
        if row is None:
            return None
        segments = rows.segments_of(row)
        if segments is None:
            return self._loaded(row, None)
        fetched = list(zip(row["message_types"] or (), row["message_blobs"] or (), strict=True))
        messages = assemble(segments, known, await self._parsed(fetched))
        size = sum(len(blob) for _, blob in fetched) + (known.size if known is not None else 0)
        state = State(segments=segments, messages=tuple(messages), size=size)
        self._recent.remember(thread, row["checkpoint_id"], state)
        return self._loaded(row, messages)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Checkpoints, the newest first. Each message is read once, however many of them hold it."""
        where, arguments = self._search_where(config, filter, before)
        query = f"{statements.LIST}{where} order by checkpoint_id desc"
        if limit is not None:
            query, arguments = f"{query} limit %s", [*arguments, int(limit)]
        async with self._transaction(snapshot=True) as connection:
            listed = await (await connection.execute(query.encode(), arguments, binary=True)).fetchall()
            cursor = await connection.execute(statements.LIST_MESSAGES, rows.wanted(listed), binary=True)
            found = await cursor.fetchall()
        parsed = await self._parsed([(row["type"], row["blob"]) for row in found])
        messages = dict(zip(map(rows.place, found), parsed, strict=True))
        for row in listed:
            yield self._loaded(row, rows.messages_at(row, messages))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint and those of its messages that are new, in one transaction."""
        thread, parent = rows.thread_of(config), get_checkpoint_id(config)
        inline, blobs = rows.split(checkpoint["channel_values"])
        messages = checkpoint["channel_values"].get(MESSAGES)
        versions = {name: version for name, version in new_versions.items() if name in blobs}
        step = _Step(
            parameters={
                "thread": thread[0],
                "ns": thread[1],
                "id": checkpoint["id"],
                "parent": parent,
                "metadata": Jsonb(get_serializable_checkpoint_metadata(config, metadata)),
                **rows.blob_columns(self._dump_blobs(*thread, blobs, versions)),
            },
            checkpoint={**checkpoint, "channel_values": inline},
            messages=messages if isinstance(messages, list) else None,
        )
        base = self._recent.at(thread, parent)
        size, planned = await self._put(step, base)
        if step.messages is not None:
            size += base.size if base is not None and planned.inherits else 0
            state = State(segments=planned.segments, messages=tuple(step.messages), size=size)
            self._recent.remember(thread, checkpoint["id"], state)
        return {"configurable": {"thread_id": thread[0], "checkpoint_ns": thread[1], "checkpoint_id": checkpoint["id"]}}

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task wrote, beside the checkpoint that it started from."""
        thread, claim = rows.thread_of(config), scope_in_force().claim
        if self._recent.holds(thread, rows.messages_in(writes)):
            # Handed in again, and perhaps changed: what is remembered of it is not what is stored.
            self._recent.forget(thread)
        newest = all(channel in WRITES_IDX_MAP for channel, _ in writes)
        dumped = self._dump_writes(*thread, config["configurable"]["checkpoint_id"], task_id, task_path, writes)
        row = await self._ask(
            statements.PUT_WRITES[claim is not None, newest], rows.write_columns(dumped, claim, newest=newest)
        )
        if row is not None and not row["held"]:
            raise TakenOver

    async def athin(self, thread_id: str, run_id: str) -> None:
        """Delete what a run that is over, and those before it, no longer need: of each run its last step stays.

        What stays can be read, gone on from and branched from as before. All or nothing; repeating it changes nothing.
        Steps of subgraphs are left alone.
        """
        async with self._transaction() as connection:
            cursor = await connection.execute(statements.THIN, {"thread": thread_id, "run": run_id})
            if generations := [row["generation"] for row in await cursor.fetchall()]:
                await _collect(connection, thread_id, generations)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete all checkpoints of idle threads but the newest, or all with "delete", with what only they held."""
        await super().aprune(thread_ids, strategy=strategy)
        for thread_id in thread_ids:
            async with self._transaction() as connection:
                await _collect(connection, thread_id, None)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete all that is kept of a thread."""
        async with self._transaction() as connection:
            for statement in statements.DELETE_THREAD:
                await connection.execute(statement.encode(), (thread_id,))
        self._recent.forget_all(thread_id)

    def get_next_version(self, current: str | None, channel: None) -> str:  # noqa: ARG002 - LangGraph's signature
        """The version after ``current``: a count, and chance, by which branches differ.

        Half as long as those of LangGraph's own saver, whose count has 32 digits, and sorted behind them all.
        """
        count = int(current.partition(".")[0]) + 1 if current is not None else 1
        return f"{count:08}.{secrets.token_hex(6)}"

    async def _put(self, step: _Step, base: State | None) -> tuple[int, Plan]:
        """Store a step that went on from ``base``: the bytes of the messages it added, and where they are all kept."""
        planned = plan(base, step.messages or ())
        try:
            based, size = await self._try_put(step, planned, base)
        except UniqueViolation:
            # Somebody else went on from the same messages: this branch takes rows of its own.
            planned = plan(base, step.messages or (), apart=True)
            based, size = await self._try_put(step, planned, base)
        if not based:
            # What it went on from was deleted meanwhile, or stored anew.
            planned = plan(None, step.messages or ())
            _, size = await self._try_put(step, planned, base)
        return size, planned

    async def _try_put(self, step: _Step, planned: Plan, base: State | None) -> tuple[bool, int]:
        """False, and nothing stored, when what it shares messages with is not there as known; and the bytes added."""
        dumped = [self.serde.dumps_typed(step.messages[number]) for number in planned.numbers] if step.messages else []
        pointed = rows.reference(planned.segments) if step.messages is not None else {}
        claim = scope_in_force().claim
        row = await self._ask(
            statements.PUT_CLAIMED if claim else statements.PUT,
            {
                **step.parameters,
                **rows.message_columns(planned, dumped),
                **rows.claim_columns(claim),
                **rows.base_columns(base if planned.inherits else None, step.parameters["parent"]),
                "checkpoint": Jsonb({**step.checkpoint, **pointed}),
            },
            locking=True,
        )
        assert row is not None
        if not row["held"]:
            raise TakenOver
        return bool(row["based"]), sum(len(blob) for _, blob in dumped)

    def _loaded(self, row: DictRow, messages: list[object] | None) -> CheckpointTuple:
        values = {**(row["checkpoint"].get("channel_values") or {}), **self._load_blobs(row["channel_values"])}
        if messages is not None:
            values[MESSAGES] = messages
        return rows.checkpoint_tuple(row, values, self._load_writes(row["pending_writes"]))

    async def _parsed(self, dumped: Sequence[tuple[str, bytes]]) -> list[object]:
        def parse() -> list[object]:
            return [self.serde.loads_typed(each) for each in dumped]

        return await asyncio.to_thread(parse) if len(dumped) > _MANY else parse()

    async def _ask(self, statement: str, parameters: Parameters, *, locking: bool = False) -> DictRow | None:
        """Carry out one statement that answers a row at most; with the lock before it, in the same transaction."""
        scope = scope_in_force()
        # What goes in one pipeline is one transaction, and waits for one answer.
        async with self.lock, self._pool.connection() as connection:
            async with connection.pipeline():
                await connection.execute(statements.SET_WORKSPACE, (str(scope.workspace_id),))
                if locking:
                    await connection.execute(statements.LOCK_ROWS_SHARED, (parameters["thread"],))
                cursor = await connection.execute(statement.encode(), parameters, binary=True)
            return await cursor.fetchone()

    @asynccontextmanager
    async def _transaction(self, *, snapshot: bool = False) -> AsyncIterator[AsyncConnection[DictRow]]:
        """A transaction; one that is a ``snapshot`` reads all as of one moment."""
        scope = scope_in_force()
        async with self.lock, self._pool.connection() as connection, connection.transaction():
            if snapshot:
                await connection.execute("set transaction isolation level repeatable read")
            await connection.execute(statements.SET_WORKSPACE, (str(scope.workspace_id),))
            yield connection

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        scope = scope_in_force()
        async with super()._cursor(pipeline=pipeline) as cursor:
            await cursor.execute(statements.SET_WORKSPACE, (str(scope.workspace_id),))
            yield cursor


async def _collect(connection: AsyncConnection[DictRow], thread_id: str, generations: Sequence[int] | None) -> None:
    # The lock first, and then a statement that sees what others stored before they let it go.
    await connection.execute(statements.LOCK_ROWS, (thread_id,))
    await connection.execute(statements.COLLECT, {"thread": thread_id, "generations": generations})
