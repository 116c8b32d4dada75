"""What PostgreSQL's catalogue says about the walls between workspaces: every table, key and function there is."""

import json
from uuid import UUID

import pytest
from psycopg.errors import ForeignKeyViolation, InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from db.engine import APP_ROLE, Database
from tests.db.conftest import WITHOUT_TENANTS, Admin, Neighbours

# Unique keys that do not begin with the workspace, nor with a UUID, and why nobody can learn another's value by them.
RANDOM_KEYS = {
    "api_keys_digest_key": "the SHA-256 of a key of 256 random bits",
    "browser_tokens_digest_key": "the SHA-256 of a token of 256 random bits",
    "checkpoints_pkey": "begins with the thread, whose name begins with the workspace",
    "checkpoint_blobs_pkey": "begins with the thread, whose name begins with the workspace",
    "checkpoint_messages_pkey": "begins with the thread, whose name begins with the workspace",
    "checkpoint_writes_pkey": "begins with the thread, whose name begins with the workspace",
}
# People and workspaces are not a tenant's rows: what names one of them is no composite key.
GLOBAL = {"users", "workspaces"}
NARROW = {
    *("find_principal", "claim_posts", "claim_runs", "claim_counts", "claim_checks"),
    *("measure_publishing", "count_outcome"),  # numbers over all workspaces, without a name or an id
}


def test_every_table_is_walled(admin: Admin) -> None:
    for row in admin.rows(
        "select n.nspname || '.' || c.relname as name, relrowsecurity, relforcerowsecurity,"
        " pg_get_userbyid(relowner) as owner, relkind"
        " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname in ('studio', 'langgraph') and relkind in ('r', 'p', 'v', 'm', 'f')"
    ):
        assert row["relkind"] == "r", f"{row['name']}: views, foreign and partitioned tables need a wall of their own"
        assert row["owner"] != APP_ROLE, row
        if row["name"] not in WITHOUT_TENANTS:
            assert row["relrowsecurity"], row
            assert row["relforcerowsecurity"], row


def test_every_table_has_one_policy_for_the_application(admin: Admin) -> None:
    """Policies are permissive: a second one for the application, or one for PUBLIC, would open the first."""
    found: dict[str, list[tuple[str, str]]] = {table: [] for table in admin.tables()}
    for row in admin.rows(
        "select schemaname || '.' || tablename as name, policyname, roles::text[] as roles, qual, with_check, cmd"
        " from pg_policies where schemaname in ('studio', 'langgraph')"
    ):
        roles = row["roles"]
        assert isinstance(roles, list)
        assert "public" not in roles, row
        if APP_ROLE in roles:
            found[str(row["name"])].append((str(row["policyname"]), str(row["qual"])))
            assert row["with_check"] == row["qual"] or (row["cmd"], row["with_check"]) == ("SELECT", None), row
    for table, policies in found.items():
        assert [name for name, _ in policies] == ["tenant"], table
        # users are seen through memberships, whose own policy names the setting.
        assert "app.workspace_id" in policies[0][1] or table == "studio.users", table


async def test_the_application_is_nobody_special(database: Database, admin: Admin) -> None:
    async with database.outside() as session:
        assert await session.scalar(text("select current_user")) == APP_ROLE
    for role in (APP_ROLE, "studio_claim"):
        (row,) = admin.rows(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles"
            " where rolname = %(role)s",
            {"role": role},
        )
        assert not any(row.values()), (role, row)
        granted = admin.rows(
            "select roleid::regrole::text from pg_auth_members where member = %(role)s::regrole", {"role": role}
        )
        assert not granted, f"{role} is a member of {granted}"
    # It may not make anything in the schemas, so it can own nothing there.
    for schema in ("studio", "langgraph", "public"):
        (row,) = admin.rows(
            "select has_schema_privilege(%(role)s, %(schema)s, 'create') as may",
            {"role": APP_ROLE, "schema": schema},
        )
        assert not row["may"], schema


FORBIDDEN_TO_APP = (
    "update studio.alembic_version set version_num = 'x'",
    "delete from studio.alembic_version",
    "alter table studio.posts disable row level security",
    "drop policy tenant on studio.posts",
    "truncate studio.posts cascade",
    "create table studio.mine (id int)",
    "select * from langgraph.checkpoint_migrations",
    "select * from studio.publish_totals",
    "insert into studio.publish_totals values ('instagram', 'failed', 0, 1)",
)


async def test_the_application_cannot_take_a_wall_down(database: Database, neighbours: Neighbours) -> None:
    for statement in FORBIDDEN_TO_APP:
        with pytest.raises(ProgrammingError) as refused:
            async with database.session(neighbours.ours.workspace_id) as session:
                await session.execute(text(statement))
        assert isinstance(refused.value.orig, InsufficientPrivilege), statement


def test_unique_keys_say_nothing_about_other_workspaces(admin: Admin) -> None:
    """A unique key across workspaces answers "duplicate key" about rows one cannot see."""
    exceptions = set()
    for row in admin.rows(
        "select i.relname as index, t.relname as table, a.attname as first, a.atttypid::regtype::text as type"
        " from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid"
        " join pg_namespace n on n.oid = t.relnamespace"
        " join pg_attribute a on a.attrelid = t.oid and a.attnum = x.indkey[0]"
        " where x.indisunique and n.nspname in ('studio', 'langgraph')"
    ):
        if str(row["table"]) in {name.partition(".")[2] for name in WITHOUT_TENANTS}:
            continue
        # A UUID of ours is 74 random bits behind its time: it cannot be met by trying.
        if row["first"] == "workspace_id" or row["type"] == "uuid":
            continue
        exceptions.add(str(row["index"]))
    assert exceptions == set(RANDOM_KEYS)


def _foreign_keys(admin: Admin) -> list[dict[str, object]]:
    return [
        dict(row)
        for row in admin.rows(
            "select c.conname as name, t.relname as table, r.relname as target,"
            " array(select a.attname::text from unnest(c.conkey) with ordinality k (n, i)"
            "  join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n order by k.i) as columns,"
            " array(select a.attname::text from unnest(c.confkey) with ordinality k (n, i)"
            "  join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.n order by k.i) as targets"
            " from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_class r on r.oid = c.confrelid"
            " where c.contype = 'f' order by 1"
        )
    ]


def test_every_reference_to_a_tenants_row_names_the_workspace(admin: Admin) -> None:
    for key in _foreign_keys(admin):
        if key["target"] not in GLOBAL:
            assert key["columns"][0] == key["targets"][0] == "workspace_id", key  # type: ignore[index]


async def test_no_row_can_refer_to_a_row_of_another_workspace(
    neighbours: Neighbours, database: Database, admin: Admin
) -> None:
    """Tried on every reference there is: our row, pointed at theirs."""
    tried = 0
    for key in _foreign_keys(admin):
        if key["target"] in GLOBAL:
            continue
        table, column, target = f"studio.{key['table']}", key["columns"][1], key["targets"][1]  # type: ignore[index]
        ours = admin.rows_of(table, neighbours.ours.workspace_id)[0]
        theirs = admin.rows_of(f"studio.{key['target']}", neighbours.theirs.workspace_id)
        refusals = []
        for row in theirs:
            with pytest.raises(IntegrityError) as refused:
                async with database.session(neighbours.ours.workspace_id) as session:
                    await session.execute(
                        text(
                            f"update {table} t set {column} = cast(:value as uuid)"
                            f" where to_jsonb(t) = cast(:row as jsonb)"
                        ),
                        {"value": json.loads(row)[target], "row": ours},
                    )
            refusals.append(type(refused.value.orig))
        # Where a second key stands in the way as well, one of their rows meets the reference alone.
        assert ForeignKeyViolation in refusals, (key, refusals)
        tried += 1
    assert tried >= 10


def test_only_narrow_functions_see_across_workspaces(admin: Admin) -> None:
    rows = admin.rows(
        "select p.proname, pg_get_userbyid(p.proowner) as owner, p.proconfig, p.prosecdef,"
        " has_function_privilege('studio_app', p.oid, 'execute') as app,"
        # A role of PostgreSQL that was granted nothing here has what PUBLIC has.
        " has_function_privilege('pg_read_all_data', p.oid, 'execute') as anybody"
        " from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('studio', 'langgraph')"
    )
    definers = {str(row["proname"]): row for row in rows if row["prosecdef"]}
    assert set(definers) == NARROW
    for name, row in definers.items():
        planned = ["plan_cache_mode=force_generic_plan"] if name == "claim_posts" else []
        assert row["proconfig"] == ["search_path=studio, pg_temp", *planned], name
        assert row["app"], name
        assert not row["anybody"], name
        assert (row["owner"] == "studio_claim") == name.startswith("claim_"), name
        assert row["owner"] != APP_ROLE, name


def test_a_claim_answers_no_content(admin: Admin) -> None:
    for row in admin.rows(
        "select proname, pg_get_function_result(p.oid) as result from pg_proc p join pg_namespace n"
        " on n.oid = p.pronamespace where n.nspname = 'studio' and proname like 'claim%%'",
        {},
    ):
        due = ", due timestamp with time zone" if row["proname"] == "claim_posts" else ""
        assert row["result"] == f"TABLE(id uuid, workspace_id uuid, fence bigint{due})", row


def test_the_claiming_role_reads_and_writes_technical_columns_only(admin: Admin) -> None:
    granted = {
        (str(row["table_name"]), str(row["privilege_type"])): sorted(row["columns"])  # type: ignore[call-overload]
        for row in admin.rows(
            "select table_name, privilege_type, array_agg(column_name::text) as columns"
            " from information_schema.column_privileges where grantee = 'studio_claim'"
            " and table_name <> 'test_clock' group by 1, 2"
        )
    }
    lease = ["fence", "lease_until", "next_attempt_at", "status"]
    assert granted == {
        ("accounts", "SELECT"): [
            *("check_due", "check_fence", "check_lease", "check_setup"),
            *("counts_due", "counts_fence", "id", "status", "workspace_id"),
        ],
        ("accounts", "UPDATE"): ["check_due", "check_fence", "check_lease", "counts_due", "counts_fence"],
        ("account_turns", "SELECT"): ["account_id", "hold_until", "post_id", "workspace_id"],
        ("account_turns", "UPDATE"): ["post_id"],
        ("check_requests", "SELECT"): ["account_id"],
        ("posts", "SELECT"): sorted([*lease, "account_id", "id", "scheduled_for", "waits", "workspace_id"]),
        ("posts", "UPDATE"): [*lease, "waits"],
        ("runs", "SELECT"): ["fence", "id", "lease_until", "next_attempt_at", "status", "thread_id", "workspace_id"],
        ("runs", "UPDATE"): lease,
    }


FORBIDDEN_TO_CLAIMS = (
    "select caption from posts",
    "select * from posts",
    "update posts set caption = ''",
    "delete from posts",
    "select text from runs",
    "select handle from accounts",
    "select access_token from accounts",
    "update account_turns set hold_until = null",
    "select used_at from quota_uses",
    "select digest from api_keys",
)


def test_the_claiming_role_is_refused_content(admin: Admin) -> None:
    admin.rows("select set_config('role', 'studio_claim', false), set_config('search_path', 'studio', false)")
    for statement in FORBIDDEN_TO_CLAIMS:
        with pytest.raises(InsufficientPrivilege):
            admin.rows(statement)


async def test_a_claim_reaches_every_workspace_and_is_had_once(neighbours: Neighbours, database: Database) -> None:
    statement = text("select workspace_id from claim_posts(10, interval '30 s', '-infinity')")
    for filled in (neighbours.ours, neighbours.theirs):
        async with database.session(filled.workspace_id) as session:
            await session.execute(
                text("update posts set next_attempt_at = studio_now() where id = :id"), {"id": UUID(filled.planned_id)}
            )
    async with database.session(neighbours.ours.workspace_id) as session:
        claimed = (await session.scalars(statement)).all()
    assert set(claimed) == {neighbours.ours.workspace_id, neighbours.theirs.workspace_id}
    async with database.outside() as session:
        assert (await session.scalars(statement)).all() == []
