"""Statements of many tasks in few transactions, each still under the row-level security of its own workspace.

A process that works on a thousand posts writes about them all the time. One transaction for each line would cost more
than everything else; so what is asked for while a transaction is under way goes together in the next one. Nobody is
answered before the transaction with his line is committed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Generic, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row
from sqlalchemy.exc import SQLAlchemyError

from core.errors import Unavailable
from db.engine import Database

AskT = TypeVar("AskT")
AnswerT = TypeVar("AnswerT")

# Milliseconds that a transaction of several lines waits for a row: whoever holds one holds up that line alone.
_LOCK_TIMEOUT = "500"
# What one line among several can cause: each is written on its own then.
_ONE_LINES_FAULT = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
)


class Pipeline:
    """One transaction whose statements travel together: results are there once the transaction is committed."""

    def __init__(self, connection: psycopg.AsyncConnection[object]) -> None:
        self._connection = connection
        self._workspace: UUID | None = None

    async def execute(self, workspace_id: UUID, statement: str, values: Mapping[str, object]) -> "Rows":
        """One statement in a workspace; its rows may be read when the transaction has ended."""
        if workspace_id != self._workspace:
            await self._connection.execute(
                "select set_config('app.workspace_id', %s, true)", (str(workspace_id),), prepare=True
            )
            self._workspace = workspace_id
        cursor = self._connection.cursor(row_factory=dict_row)
        await cursor.execute(statement.encode(), values, prepare=True)
        return Rows(cursor)

    async def hurry(self) -> None:
        """Wait for no row that somebody else holds: then raise instead."""
        await self._connection.execute("select set_config('lock_timeout', %s, true)", (_LOCK_TIMEOUT,), prepare=True)


class Rows:
    """What a statement returned."""

    def __init__(self, cursor: psycopg.AsyncCursor[DictRow]) -> None:
        self._cursor = cursor

    async def all(self) -> list[DictRow]:
        """Every row, by column."""
        return await self._cursor.fetchall()


Deed = Callable[[Pipeline, Sequence[AskT]], Awaitable[Callable[[], Awaitable[Sequence[AnswerT]]]]]


class Together(Generic[AskT, AnswerT]):
    """Gathers what tasks ask for; ``deed`` sends the statements and returns what reads the answers, in order.

    At most ``lanes`` transactions run at once, of at most ``most`` asks each. Raises ``Unavailable`` when PostgreSQL
    does not answer: what was asked for may then have been done all the same.
    """

    def __init__(self, database: Database, deed: Deed[AskT, AnswerT], *, lanes: int = 2, most: int = 100) -> None:
        self._database = database
        self._deed = deed
        self._most = most
        self._lanes = lanes
        self._asked: list[tuple[AskT, asyncio.Future[AnswerT]]] = []
        self._busy = 0
        self._running: set[asyncio.Task[None]] = set()

    async def ask(self, ask: AskT) -> AnswerT:
        """Have one thing done, together with what others ask for; answers once it is committed."""
        future: asyncio.Future[AnswerT] = asyncio.get_running_loop().create_future()
        self._asked.append((ask, future))
        if self._busy < self._lanes:
            self._busy += 1
            self._start(self._run())
        return await future

    async def _run(self) -> None:
        # A lane is free at once when nothing is left: whoever asks next must not count on one that is about to end.
        try:
            while self._asked:
                batch, self._asked = self._asked[: self._most], self._asked[self._most :]
                wanted = [(ask, future) for ask, future in batch if not future.done()]
                if wanted:
                    await self._settle(wanted)
        finally:
            self._busy -= 1

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _settle(self, batch: Sequence[tuple[AskT, asyncio.Future[AnswerT]]]) -> None:
        try:
            answers = await self._transaction([ask for ask, _ in batch])
        except _ONE_LINES_FAULT as error:
            if len(batch) == 1:
                _fail(batch, error)
            for each in batch if len(batch) > 1 else ():
                self._start(self._settle([each]))
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
            _fail(batch, error)
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    async def _transaction(self, asks: Sequence[AskT]) -> Sequence[AnswerT]:
        async with self._database.driver() as connection:
            async with connection.pipeline():
                pipeline = Pipeline(connection)
                if len(asks) > 1:
                    await pipeline.hurry()
                read = await self._deed(pipeline, asks)
                await connection.commit()
            return await read()


def _fail(batch: Sequence[tuple[AskT, asyncio.Future[AnswerT]]], error: Exception) -> None:
    told = error
    if isinstance(error, psycopg.OperationalError | SQLAlchemyError | OSError):
        told = Unavailable("The database does not answer.")
        told.__cause__ = error
    for _, future in batch:
        if not future.done():
            future.set_exception(told)
