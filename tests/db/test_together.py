"""Statements of many tasks in one transaction: walls stand, one line's fault is its own, and nothing waits for ever."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest

from core.errors import Unavailable
from db.engine import Database
from db.together import Pipeline, Together
from tests.conftest import NewPrincipal


@dataclass(frozen=True, kw_only=True)
class Question:
    """A statement in a workspace, and its one parameter."""

    workspace_id: UUID
    text: str
    value: object = None


async def put(pipeline: Pipeline, questions: Sequence[Question]) -> Callable[[], Awaitable[Sequence[list[object]]]]:
    sent = [await pipeline.execute(each.workspace_id, each.text, {"value": each.value}) for each in questions]

    async def answers() -> Sequence[list[object]]:
        return [[next(iter(row.values())) for row in await rows.all()] for rows in sent]

    return answers


@pytest.fixture
def together(database: Database) -> Together[Question, list[object]]:
    return Together(database, put, lanes=1)


async def ask_all(together: Together[Question, list[object]], *questions: Question) -> list[object]:
    return await asyncio.gather(*(together.ask(each) for each in questions), return_exceptions=True)


async def test_each_line_sees_its_own_workspace_alone(
    together: Together[Question, list[object]], new_workspace: NewPrincipal
) -> None:
    names = ["Roastery", "Bakery", "Brewery"]
    people = [await new_workspace(name) for name in names]
    asked = [Question(workspace_id=each.workspace_id, text="select name from workspaces") for each in people]
    assert await ask_all(together, *asked, *reversed(asked)) == [[name] for name in (*names, *reversed(names))]


async def test_what_is_asked_together_is_one_transaction(
    together: Together[Question, list[object]], new_workspace: NewPrincipal
) -> None:
    people = [await new_workspace(), await new_workspace()]
    which = "select pg_current_xact_id()::text"
    asked = [Question(workspace_id=each.workspace_id, text=which) for each in people * 10]
    answers = await ask_all(together, *asked)
    assert len({str(answer) for answer in answers}) == 1
    assert await ask_all(together, asked[0]) != answers[:1], "a later one is a transaction of its own"


async def test_one_lines_fault_is_its_own(
    together: Together[Question, list[object]], new_workspace: NewPrincipal
) -> None:
    owner = await new_workspace()
    asked = [
        Question(workspace_id=owner.workspace_id, text="select 6 / %(value)s::int", value=each) for each in (1, 0, 3)
    ]
    first, second, third = await ask_all(together, *asked)
    assert (first, third) == ([6], [2])
    assert isinstance(second, psycopg.errors.DivisionByZero)


async def test_a_row_that_somebody_holds_keeps_nobody_else_waiting(
    together: Together[Question, list[object]], new_workspace: NewPrincipal, admin_url: str
) -> None:
    held, free = await new_workspace("Held"), await new_workspace("Free")
    rename = "update workspaces set name = name || '!' returning name"
    with psycopg.connect(admin_url) as holder:
        holder.execute("select from studio.workspaces where id = %s for update", (held.workspace_id,))
        waiting = asyncio.create_task(together.ask(Question(workspace_id=held.workspace_id, text=rename)))
        alone = asyncio.create_task(together.ask(Question(workspace_id=free.workspace_id, text=rename)))
        later = asyncio.create_task(together.ask(Question(workspace_id=free.workspace_id, text=rename)))
        async with asyncio.timeout(10):
            assert {*await alone, *await later} == {"Free!", "Free!!"}
        assert not waiting.done()
        holder.rollback()
    async with asyncio.timeout(10):
        assert await waiting == ["Held!"]


async def test_a_database_that_went_away_is_said_once_and_asked_again(
    together: Together[Question, list[object]], new_workspace: NewPrincipal, admin_url: str
) -> None:
    owner = await new_workspace()
    question = Question(workspace_id=owner.workspace_id, text="select 1")
    assert await together.ask(question) == [1]
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    with pytest.raises(Unavailable):
        await together.ask(question)
    assert await together.ask(question) == [1]


async def test_who_gave_up_waiting_takes_nobody_along(
    together: Together[Question, list[object]], new_workspace: NewPrincipal
) -> None:
    owner = await new_workspace()
    question = Question(workspace_id=owner.workspace_id, text="select 1")
    tasks = [asyncio.create_task(together.ask(question)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert (answers[0], answers[2]) == ([1], [1])
    assert isinstance(answers[1], asyncio.CancelledError)
