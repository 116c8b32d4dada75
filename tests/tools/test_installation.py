"""Bringing an installation up, its keys, its seals: made once, rotated without loss, missed when one is gone."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import dict_row
from pydantic import SecretStr

from core import keys as api_keys
from core.errors import Misconfigured, NotFound
from core.owner_key import owner_key_file
from core.settings import Settings
from core.vault import SealBroken, Vault, generate_key, key_id_of, token_context
from db.embedded.cluster import Cluster
from db.engine import Database
from db.queries import people
from tests.conftest import Sandbox, open_doors
from tests.db.filled import make_owner
from tools.commands import catalog
from tools.context import Caller, Principal, Role, Surface
from tools.dispatcher import Dispatcher
from tools.installation import keys
from tools.installation.prepare import Installation, prepare

Row = dict[str, object]


def put(file: Path, text: str) -> None:
    """What a person at the terminal does to a file of keys."""
    file.write_text(text)


def held(file: Path) -> str:
    return file.read_text().strip()


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


@pytest.fixture
def empty_url(cluster: Cluster) -> Iterator[str]:
    """An empty database."""
    name = f"empty_{uuid4().hex}"
    with psycopg.connect(cluster.dsn(database="postgres"), autocommit=True) as connection:
        connection.execute(f'create database "{name}"'.encode())
        yield cluster.dsn(database=name)
        connection.execute(f'drop database "{name}" with (force)'.encode())


def settings_for(url: str, directory: Path, **more: object) -> Settings:
    return Settings(_env_file=None, database_url=url, data_dir=directory, timezone="Europe/Madrid", **more)  # type: ignore[arg-type]


async def brought_up(settings: Settings) -> Installation:
    return await prepare(settings, progress=lambda _sentence: None)


def read(url: str, statement: str) -> Sequence[Row]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(statement.encode()).fetchall()


async def principal_of(url: str, key: str) -> people.PrincipalRow | None:
    database = Database(url, pool_size=1)
    try:
        async with database.outside() as session:
            return await people.find_principal(session, api_keys.digest(key))
    finally:
        await database.close()


# --- the first start -------------------------------------------------------------------------------------------------


async def test_the_first_start_makes_an_owner_with_a_key_that_works(empty_url: str, tmp_path: Path) -> None:
    settings = settings_for(empty_url, tmp_path)
    first = await brought_up(settings)
    assert first.owner_key is not None
    owner = await principal_of(empty_url, first.owner_key)
    assert owner is not None
    assert (owner.role, owner.timezone, owner.source) == ("owner", "Europe/Madrid", "key")
    assert held(owner_key_file(settings)) == first.owner_key
    assert mode(owner_key_file(settings)) == 0o600
    assert first.owner_key not in repr(first)
    again = await brought_up(settings)
    assert (first.is_new, again.is_new) == (True, False)  # only who made it prints it
    assert len(read(empty_url, "select * from studio.workspaces")) == 1


async def test_starts_at_the_same_moment_make_one_owner(empty_url: str, tmp_path: Path) -> None:
    came = await asyncio.gather(*(brought_up(settings_for(empty_url, tmp_path)) for _ in range(4)))
    assert [each.is_new for each in came].count(True) == 1
    assert len({each.vault.key_ids for each in came}) == 1
    for table in ("workspaces", "memberships", "users", "api_keys"):
        assert len(read(empty_url, f"select * from studio.{table}")) == 1, table


async def test_a_key_that_is_given_is_the_owners(empty_url: str, tmp_path: Path) -> None:
    given = api_keys.generate()
    made = await brought_up(settings_for(empty_url, tmp_path, bootstrap_key=given))
    assert await principal_of(empty_url, given) is not None
    assert not owner_key_file(made.settings).exists()


async def test_a_start_that_breaks_off_leaves_no_workspace_without_an_owner(empty_url: str, tmp_path: Path) -> None:
    """Else the next start would find a workspace, make no owner, and nobody could ever sign in."""
    settings = settings_for(empty_url, tmp_path)
    await brought_up(settings)
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("truncate studio.workspaces, studio.users cascade")
        connection.execute("alter table studio.api_keys add constraint broken check (name = '')")
        owner_key_file(settings).unlink()
        with pytest.raises(Exception, match="broken"):
            await brought_up(settings)
        assert read(empty_url, "select * from studio.workspaces") == []
        connection.execute("alter table studio.api_keys drop constraint broken")
    mended = await brought_up(settings)
    assert mended.owner_key is not None
    assert await principal_of(empty_url, mended.owner_key) is not None


async def test_the_embedded_database_lies_in_one_folder(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, timezone="UTC")
    installation = await brought_up(settings)
    try:
        assert installation.cluster is not None
        assert installation.cluster.data_dir == tmp_path / "postgres"
    finally:
        await asyncio.to_thread(installation.close)


async def test_no_statement_of_the_embedded_application_can_become_a_superuser(tmp_path: Path) -> None:
    installation = await brought_up(settings_for("", tmp_path))
    try:
        with psycopg.connect(installation.app_url, autocommit=True) as connection:
            for attempt in ("reset role", "set role none", "reset session authorization"):
                connection.execute(attempt)
                row = connection.execute(
                    "select session_user, rolsuper, rolbypassrls from pg_roles where rolname = current_user"
                ).fetchone()
                assert row == ("studio_app", False, False), attempt
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("set role postgres")
    finally:
        installation.close()


# --- people's keys ---------------------------------------------------------------------------------------------------


async def test_keys_of_people(empty_url: str, tmp_path: Path) -> None:
    installation = await brought_up(settings_for(empty_url, tmp_path))
    mine = await keys.create_key(installation, name="laptop", user=None, role=Role.VIEWER)
    ana = await keys.create_key(installation, name="phone", user="Ana", role=Role.APPROVER)
    assert (mine.role, ana.role) == ("owner", "approver")  # a key of the owner has the owner's role
    found = await principal_of(empty_url, ana.key)
    assert found is not None
    assert (found.role, found.user_name) == ("approver", "Ana")
    listed = await keys.list_keys(installation)
    assert [(row.name, row.user, row.role) for row in listed] == [
        ("first key", "Owner", "owner"),
        ("laptop", "Owner", "owner"),
        ("phone", "Ana", "approver"),
    ]
    assert ana.key not in f"{listed} {ana!r}"
    await keys.revoke_key(installation, api_keys.prefix(ana.key))
    assert await principal_of(empty_url, ana.key) is None
    assert await principal_of(empty_url, mine.key) is not None
    for prefix in (api_keys.prefix(ana.key), "", "studio_zzzz", "%"):
        with pytest.raises(NotFound):
            await keys.revoke_key(installation, prefix)


async def test_a_sign_in_link_is_kept_as_a_digest(empty_url: str, tmp_path: Path) -> None:
    installation = await brought_up(settings_for(empty_url, tmp_path))
    link = await keys.sign_in_link(installation)
    token = link.partition("token=")[2]
    found = await principal_of(empty_url, token)
    assert found is not None
    assert (found.source, found.role) == ("link", "owner")
    assert token not in str(read(empty_url, "select * from studio.browser_tokens"))


# --- seals -----------------------------------------------------------------------------------------------------------

FIELDS = ("access_token", "refresh_token")


async def connect(installation: Installation, sandbox: Sandbox, principal: Principal, numbers: range) -> None:
    """Accounts with tokens of their own, connected through the door."""
    settings = installation.settings.model_copy(update={"facebook_graph_url": f"{sandbox.url}/facebook-graph"})
    database = Database(installation.app_url, pool_size=2)
    async with _door(settings, database, installation.vault) as door:
        for number in numbers:
            known = {
                "platform": "instagram",
                "external_id": f"1784140000000{number:04}",
                "access_token": f"IG-{number}",
            }
            sandbox.control("POST", "accounts", {**known, "handle": f"shop{number}"})
            await door.run(
                "connect_account",
                {**known, "refresh_token": f"refresh-{number}", "metadata": {"login": "facebook"}},
                Caller(principal=principal, surface=Surface.REST, zone="UTC"),
            )
    await database.close()


@asynccontextmanager
async def _door(settings: Settings, database: Database, vault: Vault) -> AsyncIterator[Dispatcher]:
    # The doors' own vault gives way to the installation's, whose keys may lie in its data directory.
    some_key = settings.model_copy(update={"secret_keys": SecretStr(generate_key())})
    async with open_doors(some_key, database) as doors:
        yield Dispatcher(replace(doors, vault=vault), catalog())


def seals(url: str) -> Sequence[Row]:
    return read(
        url, "select id, workspace_id, external_id, access_token, refresh_token from studio.accounts order by id"
    )


def _bytes(stored: object) -> bytes:
    assert isinstance(stored, bytes | memoryview)
    return bytes(stored)


def opened(vault: Vault, row: Row) -> tuple[str, ...]:
    return tuple(
        vault.open(_bytes(row[name]), context=token_context(str(row["workspace_id"]), str(row["id"]), name))
        for name in FIELDS
    )


def tokens(vault: Vault, url: str) -> list[tuple[str, ...]]:
    return [opened(vault, row) for row in seals(url)]


@pytest.fixture
async def sealed(empty_url: str, tmp_path: Path, sandbox: Sandbox) -> Installation:
    """Two workspaces with five accounts, sealed by the first key of the data directory."""
    installation = await brought_up(settings_for(empty_url, tmp_path))
    await connect(installation, sandbox, await make_owner(empty_url, "Roastery"), range(3))
    await connect(installation, sandbox, await make_owner(empty_url, "Bakery"), range(3, 5))
    return installation


EXPECTED = [(f"IG-{number}", f"refresh-{number}") for number in range(5)]


async def test_a_seal_opens_for_its_own_account_and_field_only(sealed: Installation) -> None:
    vault, rows = sealed.vault, seals(sealed.admin_url)
    assert tokens(vault, sealed.admin_url) == EXPECTED
    for row in rows:
        for other in rows:
            for name, wrong in (("access_token", "refresh_token"), ("refresh_token", "access_token")):
                stolen = _bytes(row[name])
                contexts = {token_context(str(other["workspace_id"]), str(other["id"]), wrong)}
                if other is not row:
                    contexts.add(token_context(str(other["workspace_id"]), str(other["id"]), name))
                    contexts.add(token_context(str(other["workspace_id"]), str(row["id"]), name))
                own = token_context(str(row["workspace_id"]), str(row["id"]), name)
                for context in contexts - {own}:
                    with pytest.raises(SealBroken):
                        vault.open(stolen, context=context)
    with pytest.raises(Misconfigured):
        opened(Vault([generate_key()]), rows[0])


async def test_no_token_is_readable_in_the_database(sealed: Installation) -> None:
    whole = "".join(
        str(read(sealed.admin_url, f"select to_jsonb(t)::text as whole from studio.{table} t"))
        for table in ("accounts", "tool_calls")
    )
    for token in [each for pair in EXPECTED for each in pair]:
        assert token not in whole
        assert token.encode().hex() not in whole


async def test_rotation_reseals_every_workspace_and_the_old_key_can_go(
    sealed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_BATCH", 2)  # 3 accounts of a workspace are two batches
    file = Path(keys.add_sealing_key(sealed))
    assert mode(file) == 0o600
    both = await brought_up(sealed.settings)
    old, (new, *kept) = sealed.vault.key_ids[0], both.vault.key_ids
    assert kept == [old]
    assert tokens(both.vault, sealed.admin_url) == EXPECTED  # the old key still opens
    assert await keys.reseal(both) == 5
    assert await keys.reseal(both) == 0  # and may be repeated
    ids = {key_id_of(_bytes(row[name])) for row in seals(sealed.admin_url) for name in FIELDS}
    assert ids == {new}
    put(file, held(file).split(",")[0])
    alone = await brought_up(sealed.settings)
    assert alone.vault.key_ids == (new,)
    assert tokens(alone.vault, sealed.admin_url) == EXPECTED


async def test_a_key_that_is_still_needed_is_missed_at_start(sealed: Installation) -> None:
    file = sealed.settings.data_dir / "secret.keys"
    kept = held(file)
    for instead in (generate_key(), f"{generate_key()},{generate_key()}"):
        put(file, instead)
        with pytest.raises(Misconfigured) as refused:
            await brought_up(sealed.settings)
        assert refused.value.code == "unknown_key"
        assert sealed.vault.key_ids[0] in refused.value.message  # which key, by its id
        assert instead not in f"{refused.value.message}{refused.value.action}"
    put(file, f"{generate_key()},{kept}")
    await brought_up(sealed.settings)


async def test_a_resealing_that_is_half_done_still_needs_both_keys(
    sealed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refresh token alone under the old key is enough to miss it."""
    file = Path(keys.add_sealing_key(sealed))
    both = await brought_up(sealed.settings)
    await keys.reseal(both)
    row = seals(sealed.admin_url)[-1]
    context = token_context(str(row["workspace_id"]), str(row["id"]), "refresh_token")
    with psycopg.connect(sealed.admin_url) as connection:
        connection.execute(
            "update studio.accounts set refresh_token = %s where id = %s",
            (sealed.vault.seal("refresh-4", context=context), row["id"]),
        )
    put(file, held(file).split(",")[0])
    with pytest.raises(Misconfigured, match=sealed.vault.key_ids[0]):
        await brought_up(sealed.settings)


async def test_a_disconnected_account_needs_no_key(empty_url: str, tmp_path: Path, sandbox: Sandbox) -> None:
    installation = await brought_up(settings_for(empty_url, tmp_path))
    owner = await make_owner(empty_url, "Roastery")
    await connect(installation, sandbox, owner, range(1))
    database = Database(empty_url, pool_size=2)
    async with _door(installation.settings, database, installation.vault) as door:
        await door.run(
            "disconnect_account", {"account_id": "shop0"}, Caller(principal=owner, surface=Surface.REST, zone="UTC")
        )
    await database.close()
    assert [(_bytes(row["access_token"]), row["refresh_token"]) for row in seals(empty_url)] == [(b"", None)]
    put(installation.settings.data_dir / "secret.keys", generate_key())
    changed = await brought_up(installation.settings)
    assert await keys.reseal(changed) == 0


async def test_keys_that_are_set_outside_are_not_changed_here(empty_url: str, tmp_path: Path) -> None:
    installation = await brought_up(settings_for(empty_url, tmp_path, secret_keys=generate_key()))
    with pytest.raises(Misconfigured) as refused:
        keys.add_sealing_key(installation)
    assert refused.value.code == "keys_set_outside"
    assert not (tmp_path / "secret.keys").exists()
