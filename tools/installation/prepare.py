"""Bringing an installation up: PostgreSQL, schema, secrets, media store, first owner; each made when it is missing."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from core import keys
from core.clock import machine_zone
from core.errors import Misconfigured, StudioError
from core.owner_key import known_owner_key, owner_key_file
from core.secrets_file import load_or_create
from core.settings import Settings
from core.storage import DirectoryStore, MediaStore
from core.vault import Vault, generate_key
from db import migrate
from db.embedded.cluster import Cluster, start
from db.engine import APP_ROLE, as_migrating_role
from db.queries import people
from memory import checkpoints
from tools.installation.open_files import raise_limit

log = logging.getLogger("studio.installation")

Progress = Callable[[str], None]
# Seconds between two looks at the embedded PostgreSQL.
_LOOK_AFTER = 2.0


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What every part of the process stands on.

    ``owner_key`` is the first owner's API key while this installation keeps it (None: it was made elsewhere);
    ``is_new`` says that this process made that owner just now, so it is the one to print the key.
    """

    settings: Settings
    cluster: Cluster | None
    admin_url: str = field(repr=False)
    app_url: str = field(repr=False)
    vault: Vault
    store: MediaStore
    owner_key: str | None = field(default=None, repr=False)
    is_new: bool = False

    async def keep_database(self) -> None:
        """Look after the embedded PostgreSQL for ever: one that died by itself is started again within seconds."""
        while self.cluster is not None:
            await asyncio.sleep(_LOOK_AFTER)
            try:
                if await asyncio.to_thread(self.cluster.ensure):
                    log.warning("the embedded PostgreSQL had died; it was started again")
            except StudioError as error:
                log.warning("the embedded PostgreSQL is down: %s", error.message)

    def close(self) -> None:
        """Let the embedded PostgreSQL go; it stops when nobody else uses it."""
        if self.cluster is not None:
            self.cluster.close()


def secret_keys(settings: Settings) -> list[str]:
    """The encryption keys, newest first: those that are set, else those kept in the data directory."""
    listed = settings.secret_keys.get_secret_value()
    if not listed:
        listed = load_or_create(settings.data_dir / "secret.keys", generate_key).value
    return [key.strip() for key in listed.split(",") if key.strip()]


async def open_database(settings: Settings, progress: Progress) -> tuple[Cluster | None, str]:
    """The PostgreSQL in force: the one that is set, else the embedded one; its URL is that of the migrating role."""
    if url := settings.database_url.get_secret_value():
        return None, url
    cluster = await asyncio.to_thread(start, settings.data_dir.resolve(), on_progress=progress)
    return cluster, cluster.dsn(database="studio")


async def prepare(settings: Settings, *, progress: Progress) -> Installation:
    """Everything a process needs before it serves. Raises ``core.errors`` that say what to change."""
    raise_limit()
    vault = Vault(await asyncio.to_thread(secret_keys, settings))
    store = DirectoryStore(settings.data_dir / "media")
    await store.probe()
    cluster, admin_url = await open_database(settings, progress)
    try:
        async with migrate.migration_lock(admin_url):
            progress("bringing the database schema up to date")
            await migrate.upgrade(admin_url)
            await checkpoints.setup(admin_url)
            if cluster is not None:
                await migrate.let_app_log_in(admin_url)
            # All or nothing: a workspace without an owner would be found by the next start, and nobody could sign in.
            async with as_migrating_role(admin_url) as connection:
                is_new = await _first_owner(connection, settings)
                await _require_keys(connection, vault)
    except BaseException:
        if cluster is not None:
            cluster.close()
        raise
    return Installation(
        settings=settings,
        cluster=cluster,
        admin_url=admin_url,
        app_url=cluster.dsn(database="studio", user=APP_ROLE) if cluster is not None else admin_url,
        vault=vault,
        store=store,
        owner_key=known_owner_key(settings),
        is_new=is_new,
    )


async def _first_owner(connection: AsyncConnection, settings: Settings) -> bool:
    """Make the first workspace, owner and key when there is no workspace; whether there was none."""
    if await people.any_workspace(connection):
        return False
    given = settings.bootstrap_key.get_secret_value()
    key = given or load_or_create(owner_key_file(settings), keys.generate).value
    await people.create_first_owner(
        connection,
        people.FirstOwner(
            workspace_name="My brand",
            timezone=settings.timezone or machine_zone(),
            user_name="Owner",
            key_prefix=keys.prefix(key),
            key_digest=keys.digest(key),
        ),
    )
    return True


async def _require_keys(connection: AsyncConnection, vault: Vault) -> None:
    """Refuse to start when the database holds a token that no listed key opens."""
    missing = await people.sealing_keys(connection) - set(vault.key_ids)
    if missing:
        raise Misconfigured(
            f"Stored tokens are sealed with a key that is not listed: {', '.join(sorted(missing))}.",
            code="unknown_key",
            action="Add that key to STUDIO_SECRET_KEYS, or bring back the data directory's secret.keys.",
        )
