"""Statements about people: who holds a key, workspaces, memberships, keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from core.ids import new_id
from db.models.people import ApiKey, BrowserToken, Membership, User


@dataclass(frozen=True, kw_only=True)
class PrincipalRow:
    """Who a digest belongs to; ``source`` is key, link or session."""

    workspace_id: UUID
    membership_id: UUID
    user_id: UUID
    role: str
    user_name: str
    timezone: str
    workspace_name: str
    source: str
    source_id: UUID


async def find_principal(session: AsyncSession, digest: bytes) -> PrincipalRow | None:
    """Who holds the key, link or session with this SHA-256; asked outside any workspace."""
    row = (await session.execute(text("select * from find_principal(:digest)"), {"digest": digest})).mappings().first()
    return PrincipalRow(**row) if row else None


async def membership(session: AsyncSession, user_id: UUID) -> tuple[Membership, User] | None:
    """A user's membership in this workspace, with the user."""
    statement = select(Membership, User).join(User, User.id == Membership.user_id).where(Membership.user_id == user_id)
    row = (await session.execute(statement)).first()
    return (row[0], row[1]) if row else None


async def keys(session: AsyncSession) -> Sequence[tuple[ApiKey, Membership, User]]:
    """The workspace's API keys with their holders, oldest first."""
    statement = (
        select(ApiKey, Membership, User)
        .join(Membership, Membership.id == ApiKey.membership_id)
        .join(User, User.id == Membership.user_id)
        .order_by(ApiKey.id)
    )
    return [(row[0], row[1], row[2]) for row in (await session.execute(statement)).all()]


async def revoke_key(session: AsyncSession, prefix: str) -> int:
    """Revoke the keys with this prefix; how many there were."""
    statement = (
        update(ApiKey)
        .where(ApiKey.prefix == prefix, ApiKey.revoked_at.is_(None))
        .values(revoked_at=text("studio_now()"))
        .returning(ApiKey.id)
    )
    return len((await session.scalars(statement)).all())


async def spend_browser_token(session: AsyncSession, token_id: UUID) -> bool:
    """Use up a one-time link; False when somebody else was first."""
    statement = text("delete from browser_tokens where id = :id and kind = 'link' returning id")
    return (await session.execute(statement, {"id": token_id})).first() is not None


async def add_browser_token(
    session: AsyncSession, *, workspace_id: UUID, membership_id: UUID, kind: str, digest: bytes, expires_at: datetime
) -> None:
    """Keep a link's or a session's digest; expired ones of the workspace go."""
    await session.execute(text("delete from browser_tokens where expires_at <= studio_now()"))
    session.add(
        BrowserToken(
            workspace_id=workspace_id, membership_id=membership_id, kind=kind, digest=digest, expires_at=expires_at
        )
    )
    await session.flush()


@dataclass(frozen=True, kw_only=True)
class FirstOwner:
    """What the first start makes: a workspace, its owner and the owner's key."""

    workspace_name: str
    timezone: str
    user_name: str
    key_prefix: str
    key_digest: bytes


async def any_workspace(connection: AsyncConnection) -> bool:
    """Whether the installation has a workspace already (asked as the migrating role)."""
    return (await connection.execute(text("select 1 from workspaces limit 1"))).first() is not None


async def create_first_owner(connection: AsyncConnection, first: FirstOwner) -> UUID:
    """Make the first workspace with its owner and key, as the migrating role; returns the workspace's id."""
    workspace_id = new_id()
    await connection.execute(
        text("insert into workspaces (id, name, timezone) values (:id, :name, :zone)"),
        {"id": workspace_id, "name": first.workspace_name, "zone": first.timezone},
    )
    membership_id = await add_member(connection, workspace_id, name=first.user_name, role="owner")
    await add_key(
        connection,
        workspace_id=workspace_id,
        membership_id=membership_id,
        name="first key",
        prefix=first.key_prefix,
        digest=first.key_digest,
    )
    return workspace_id


async def sealing_keys(connection: AsyncConnection) -> set[str]:
    """The ids of the keys that sealed the stored tokens (bytes 2 to 5 of a seal: see ``core.vault``)."""
    statement = text(
        "select distinct encode(substring(token from 2 for 4), 'hex') from accounts,"
        " lateral (values (access_token), (refresh_token)) as sealed (token) where length(token) > 5"
    )
    return set((await connection.execute(statement)).scalars())


@dataclass(frozen=True, kw_only=True)
class OwnerRow:
    """The first owner of the oldest workspace."""

    workspace_id: UUID
    workspace_name: str
    timezone: str
    membership_id: UUID
    user_id: UUID
    user_name: str


async def first_owner(connection: AsyncConnection) -> OwnerRow | None:
    """The owner that the demo and the terminal act for (asked as the migrating role)."""
    statement = text(
        "select w.id as workspace_id, w.name as workspace_name, w.timezone, m.id as membership_id, u.id as user_id,"
        " u.name as user_name from workspaces w join memberships m on m.workspace_id = w.id"
        " join users u on u.id = m.user_id where m.role = 'owner' order by w.id, m.id limit 1"
    )
    row = (await connection.execute(statement)).mappings().first()
    return OwnerRow(**row) if row else None


async def all_workspaces(connection: AsyncConnection) -> Sequence[UUID]:
    """The ids of all workspaces (asked as the migrating role)."""
    return list((await connection.execute(text("select id from workspaces order by id"))).scalars())


async def add_member(connection: AsyncConnection, workspace_id: UUID, *, name: str, role: str) -> UUID:
    """Make a person with a role in a workspace, as the migrating role; returns the membership's id."""
    user_id, membership_id = new_id(), new_id()
    await connection.execute(text("insert into users (id, name) values (:id, :name)"), {"id": user_id, "name": name})
    await connection.execute(
        text("insert into memberships (id, workspace_id, user_id, role) values (:id, :workspace, :user, :role)"),
        {"id": membership_id, "workspace": workspace_id, "user": user_id, "role": role},
    )
    return membership_id


async def add_key(
    connection: AsyncConnection, *, workspace_id: UUID, membership_id: UUID, name: str, prefix: str, digest: bytes
) -> None:
    """Keep a new API key's digest, as the migrating role."""
    await connection.execute(
        text(
            "insert into api_keys (id, workspace_id, membership_id, name, prefix, digest)"
            " values (:id, :workspace, :membership, :name, :prefix, :digest)"
        ),
        {
            "id": new_id(),
            "workspace": workspace_id,
            "membership": membership_id,
            "name": name,
            "prefix": prefix,
            "digest": digest,
        },
    )


async def users_with_role(session: AsyncSession, roles: Sequence[str]) -> Sequence[UUID]:
    """The users who have one of these roles in this workspace."""
    return (await session.scalars(select(Membership.user_id).where(Membership.role.in_(roles)))).all()
