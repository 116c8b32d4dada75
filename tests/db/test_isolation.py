"""A workspace sees, makes, changes and deletes its own rows only: tried on every table there is."""

import asyncio
import json
from contextlib import suppress
from uuid import UUID

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import Database
from tests.db.conftest import Admin, Neighbours

# A person may belong to several workspaces, so the row that is one has no workspace: memberships say who sees it.
SHARED = {"studio.users"}
_IS = "to_jsonb({table}.*) = cast(:row as jsonb)"


class BrokenError(Exception):
    """What a transaction fails of on purpose."""


async def count(session: AsyncSession, table: str, row: str | None = None) -> int:
    name = table.split(".")[1]
    where = f"where {_IS.format(table=name)}" if row is not None else ""
    parameters = {"row": row} if row is not None else {}
    return int(await session.scalar(text(f"select count(*) from {table} {where}"), parameters) or 0)


async def refusal(session: AsyncSession, statement: str, row: str) -> BaseException | None:
    """The error of PostgreSQL that a statement meets, None when it is done; what it did is taken back."""
    try:
        async with session.begin_nested() as savepoint:
            await session.execute(text(statement), {"row": row})
            await savepoint.rollback()
    except DBAPIError as error:
        return error.orig
    return None


def copy_of(table: str) -> str:
    # Identity columns take the row's own value too: what is tried is the whole row.
    return (
        f"insert into {table} overriding system value"
        f" select * from jsonb_populate_record(null::{table}, cast(:row as jsonb))"
    )


async def test_every_table_holds_rows_of_both(neighbours: Neighbours, admin: Admin) -> None:
    """What the other tests of this file stand on: a table that nobody filled would prove nothing."""
    for filled in (neighbours.ours, neighbours.theirs):
        empty = [table for table, rows in admin.everything(filled.workspace_id).items() if not rows]
        assert not empty, f"teach tests/db/filled.py to fill {empty}"


async def test_a_workspace_sees_its_own_rows_only(neighbours: Neighbours, database: Database, admin: Admin) -> None:
    ours, theirs = (
        admin.everything(neighbours.ours.workspace_id),
        admin.everything(neighbours.theirs.workspace_id),
    )
    async with database.session(neighbours.ours.workspace_id) as session:
        for table, rows in ours.items():
            assert await count(session, table) == len(rows), table
            for row in theirs[table]:
                assert await count(session, table, row) == 0, table


async def test_outside_any_workspace_nothing_is_seen_or_made(
    neighbours: Neighbours, database: Database, admin: Admin
) -> None:
    async with database.outside() as session:
        for table, rows in admin.everything(neighbours.ours.workspace_id).items():
            assert await count(session, table) == 0, table
            assert isinstance(await refusal(session, copy_of(table), rows[0]), InsufficientPrivilege), table
    # Nor in a workspace that does not exist.
    async with database.session(UUID(int=7)) as session:
        for table in admin.tables():
            assert await count(session, table) == 0, table


async def test_no_row_is_made_for_another_workspace(neighbours: Neighbours, database: Database, admin: Admin) -> None:
    async with database.session(neighbours.ours.workspace_id) as session:
        for table, rows in admin.everything(neighbours.theirs.workspace_id).items():
            error = await refusal(session, copy_of(table), rows[0])
            assert isinstance(error, InsufficientPrivilege), f"{table}: {error!r}"


async def test_no_row_of_another_workspace_is_changed_or_deleted(
    neighbours: Neighbours, database: Database, admin: Admin
) -> None:
    theirs = admin.everything(neighbours.theirs.workspace_id)
    columns = {
        f"{row['schema']}.{row['table']}": str(row["column"])
        for row in admin.rows(
            "select table_schema as schema, table_name as table, min(column_name) as column"
            " from information_schema.columns where is_identity = 'NO' group by 1, 2"
        )
    }
    async with database.session(neighbours.ours.workspace_id) as session:
        for table, rows in theirs.items():
            name, column = table.split(".")[1], columns[table]
            for row in rows:
                for act in (f"update {table} set {column} = {column}", f"delete from {table}"):
                    statement = (
                        f"with done as ({act} where {_IS.format(table=name)} returning 1) select count(*) from done"
                    )
                    try:
                        async with session.begin_nested():
                            done = await session.scalar(text(statement), {"row": row})
                    except ProgrammingError as error:
                        assert isinstance(error.orig, InsufficientPrivilege), f"{act}: {error.orig!r}"  # noqa: PT017
                    else:
                        assert done == 0, act
    assert admin.everything(neighbours.theirs.workspace_id) == theirs


async def test_no_row_is_given_to_another_workspace(neighbours: Neighbours, database: Database, admin: Admin) -> None:
    there = str(neighbours.theirs.workspace_id)
    async with database.session(neighbours.ours.workspace_id) as session:
        for table, rows in admin.everything(neighbours.ours.workspace_id).items():
            row = json.loads(rows[0])
            if table in SHARED:
                continue
            column = (
                "thread_id" if table.startswith("langgraph.") else "workspace_id" if "workspace_id" in row else "id"
            )
            value = f"'{there}:x'" if column == "thread_id" else f"'{there}'"
            statement = f"update {table} set {column} = {value} where {_IS.format(table=table.split('.')[1])}"
            error = await refusal(session, statement, rows[0])
            assert isinstance(error, InsufficientPrivilege), f"{table}: {error!r}"


async def test_a_person_of_two_workspaces_is_not_deleted_by_one(
    neighbours: Neighbours, database: Database, admin: Admin
) -> None:
    """Deleting a person takes their memberships and runs everywhere: no workspace may."""
    shared = neighbours.theirs.principal.user_id
    admin.rows(
        "insert into studio.memberships (id, workspace_id, user_id, role)"
        " values (gen_random_uuid(), %(workspace)s, %(user)s, 'viewer') returning id",
        {"workspace": neighbours.ours.workspace_id, "user": shared},
    )
    before = admin.everything(neighbours.theirs.workspace_id)
    async with database.session(neighbours.ours.workspace_id) as session:
        row = next(row for row in admin.rows_of("studio.users", neighbours.ours.workspace_id) if str(shared) in row)
        for act in ("delete from studio.users", "update studio.users set name = 'Mallory'"):
            error = await refusal(session, f"{act} where {_IS.format(table='users')}", row)
            assert isinstance(error, InsufficientPrivilege), act
    assert admin.everything(neighbours.theirs.workspace_id) == before


async def test_sessions_that_share_two_connections_do_not_leak(neighbours: Neighbours, pool_of_two: Database) -> None:
    """200 transactions of two workspaces and of none, a quarter of them rolled back, over a pool of 2 connections."""
    seen: list[tuple[UUID | None, set[UUID]]] = []
    places = (neighbours.ours.workspace_id, neighbours.theirs.workspace_id, None)

    async def one(number: int) -> None:
        place = places[number % 3]
        opened = pool_of_two.session(place) if place else pool_of_two.outside()
        with suppress(BrokenError):
            async with opened as session:
                for _ in range(2):
                    seen.append((place, set(await session.scalars(text("select workspace_id from posts")))))
                    await asyncio.sleep(0)
                if number % 4 == 0:
                    raise BrokenError

    await asyncio.gather(*(one(number) for number in range(200)))
    assert len(seen) == 400
    assert all(found == ({place} if place else set()) for place, found in seen)
