"""API keys, sign-in links and the sealing keys of an installation, for the person at its terminal."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from core import clock, keys
from core.errors import Misconfigured, NotFound
from core.secrets_file import amend
from core.vault import Vault, generate_key, token_context
from db.engine import Database, as_migrating_role
from db.models.account import Account
from db.queries import accounts, people
from tools.context import Role
from tools.installation.prepare import Installation

LINK_LIFETIME = timedelta(minutes=15)
_BATCH = 200


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    """An API key as people see it; the key itself is shown once, when it is made."""

    prefix: str
    name: str
    user: str
    role: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key that was just made: the only time it is shown."""

    key: str = field(repr=False)
    user: str
    role: str


async def _owner(installation: Installation) -> people.OwnerRow:
    async with as_migrating_role(installation.admin_url) as connection:
        owner = await people.first_owner(connection)
    if owner is None:
        raise NotFound("This installation has no owner yet.", action="Start it once with: studio serve")
    return owner


async def create_key(installation: Installation, *, name: str, user: str | None, role: Role) -> NewKey:
    """A new API key: the first owner's, or that of a new person with a role in the same workspace."""
    owner = await _owner(installation)
    key = keys.generate()
    async with as_migrating_role(installation.admin_url) as connection:
        membership_id = owner.membership_id
        if user is not None:
            membership_id = await people.add_member(connection, owner.workspace_id, name=user, role=role.value)
        await people.add_key(
            connection,
            workspace_id=owner.workspace_id,
            membership_id=membership_id,
            name=name,
            prefix=keys.prefix(key),
            digest=keys.digest(key),
        )
    return NewKey(key=key, user=user or owner.user_name, role=role.value if user else Role.OWNER.value)


async def list_keys(installation: Installation) -> Sequence[KeyRow]:
    """Every key of the first workspace, oldest first."""
    owner = await _owner(installation)
    database = Database(installation.app_url, pool_size=1)
    try:
        async with database.session(owner.workspace_id) as session:
            return [
                KeyRow(
                    prefix=key.prefix,
                    name=key.name,
                    user=user.name,
                    role=membership.role,
                    created_at=key.created_at,
                    last_used_at=key.last_used_at,
                    revoked_at=key.revoked_at,
                )
                for key, membership, user in await people.keys(session)
            ]
    finally:
        await database.close()


async def revoke_key(installation: Installation, prefix: str) -> None:
    """Revoke a key by its prefix; it stops working at once."""
    owner = await _owner(installation)
    database = Database(installation.app_url, pool_size=1)
    try:
        async with database.session(owner.workspace_id) as session:
            if not await people.revoke_key(session, prefix):
                raise NotFound(f"No live key begins with {prefix}.", action="See the prefixes with: studio keys list")
    finally:
        await database.close()


async def sign_in_link(installation: Installation) -> str:
    """A one-time link that signs the first owner's browser in; it works for a quarter of an hour."""
    owner = await _owner(installation)
    token = secrets.token_urlsafe(32)
    database = Database(installation.app_url, pool_size=1)
    try:
        async with database.session(owner.workspace_id) as session:
            await people.add_browser_token(
                session,
                workspace_id=owner.workspace_id,
                membership_id=owner.membership_id,
                kind="link",
                digest=sha256(token.encode()).digest(),
                expires_at=await clock.now(session) + LINK_LIFETIME,
            )
    finally:
        await database.close()
    return f"{installation.settings.public_base}/sign-in?token={token}"


def add_sealing_key(installation: Installation) -> str:
    """Put a new sealing key in front of the data directory's; its file. Old keys still open what they sealed."""
    settings = installation.settings
    if settings.secret_keys.get_secret_value():
        raise Misconfigured(
            "The sealing keys are set by STUDIO_SECRET_KEYS, so Studio cannot add one.",
            code="keys_set_outside",
            action="Put a new key (32 random bytes in base64url) in front of the list, then run: studio keys reseal",
        )
    path = settings.data_dir / "secret.keys"
    amend(path, lambda listed: f"{generate_key()},{listed}")
    return str(path)


async def reseal(installation: Installation) -> int:
    """Seal every stored token with the newest key, in batches; how many accounts changed. May be repeated."""
    async with as_migrating_role(installation.admin_url) as connection:
        workspaces = await people.all_workspaces(connection)
    database = Database(installation.app_url, pool_size=1)
    try:
        return sum([await _reseal_workspace(database, installation.vault, each) for each in workspaces])
    finally:
        await database.close()


async def _reseal_workspace(database: Database, vault: Vault, workspace_id: UUID) -> int:
    changed, after = 0, None
    while True:
        async with database.session(workspace_id) as session:
            batch = await accounts.with_tokens(session, after=after, limit=_BATCH)
            changed += sum(_reseal_account(vault, account) for account in batch)
        if len(batch) < _BATCH:
            return changed
        after = batch[-1].id


def _reseal_account(vault: Vault, account: Account) -> bool:
    """Seal an account's tokens with the newest key; whether anything had to change."""
    changed = False
    for name in ("access_token", "refresh_token"):
        sealed: bytes | None = getattr(account, name)
        if sealed and vault.needs_rotation(sealed):
            context = token_context(account.workspace_id, account.id, name)
            setattr(account, name, vault.reseal(sealed, context=context))
            changed = True
    return changed
