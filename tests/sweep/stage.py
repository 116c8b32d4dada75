"""A stage for one case at a time: a database whose clock can be moved, with a post on an account of its own.

Thousands of cases are swept: their rows are written directly, not through the commands that people use for it.
"""

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import httpx
import psycopg
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, keys
from core.ids import new_id
from core.settings import Settings
from core.storage import DirectoryStore
from core.vault import Vault, token_context
from db.engine import Database, as_migrating_role
from db.models.account import Account, Asset
from db.models.post import Approval, Post, PostMedium, Status
from db.queries import people
from platforms.base import Content, Credentials, Medium
from tests.platforms.contract import Case
from tests.platforms.world import FileServer

_numbers = itertools.count(1)


class Shelf(FileServer):
    """Takes the bytes of media and gives them ids as assets have them; nothing is served from here."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def add(self, content: bytes) -> str:
        asset_id = str(new_id())
        self.contents[asset_id] = content
        return asset_id


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A post whose time has come; what it says and on which account."""

    workspace_id: UUID
    post_id: UUID
    content: Content
    credentials: Credentials


@dataclass(kw_only=True)
class Stage:
    """One database; ``above`` is a connection of the schema's owner, ``contents`` those of the cases swept here.

    Each case has a workspace of its own.
    """

    settings: Settings
    database: Database
    above: psycopg.AsyncConnection = field(repr=False)
    control: httpx.AsyncClient = field(repr=False)
    contents: dict[str, tuple[UUID, Content]] = field(default_factory=dict)

    async def close(self) -> None:
        """Give every connection back."""
        await self.above.close()
        await self.database.close()

    async def plant(self, case: Case) -> Planted:
        """A new account, known to the pretend network, and a post of the case's content that is due now."""
        credentials = _credentials(case)
        await self._tell_the_network(case, credentials)
        vault = Vault(self.settings.secret_keys.get_secret_value().split(","))
        await self._begin_anew()
        if case.name not in self.contents:
            self.contents[case.name] = await self._new_workspace(case)
        workspace_id, content = self.contents[case.name]
        async with self.database.session(workspace_id) as session:
            account = _account(vault, workspace_id, case, credentials)
            session.add(account)
            await session.flush()
            post = await _due_post(session, account, case, content)
        return Planted(workspace_id=workspace_id, post_id=post.id, content=content, credentials=credentials)

    async def _new_workspace(self, case: Case) -> tuple[UUID, Content]:
        """A workspace with the media of a case; the same bytes are one asset in each."""
        key = keys.generate()
        owner = people.FirstOwner(
            workspace_name=case.name,
            timezone="Europe/Madrid",
            user_name="Owner",
            key_prefix=keys.prefix(key),
            key_digest=keys.digest(key),
        )
        async with as_migrating_role(self.database.url) as connection:
            workspace_id = await people.create_first_owner(connection, owner)
        store = DirectoryStore(self.settings.data_dir / "media")
        async with self.database.session(workspace_id) as session:
            return workspace_id, await _keep_content(session, store, workspace_id, case)

    async def _begin_anew(self) -> None:
        """The clock is right again, and nothing of the case before is due."""
        await self.above.execute("update studio.test_clock set shift = '0'")
        await self.above.execute(_PARK)

    async def _tell_the_network(self, case: Case, credentials: Credentials) -> None:
        account = {
            "platform": case.platform,
            "external_id": credentials.external_id,
            "handle": credentials.handle,
            "access_token": credentials.access_token,
            **({"login": case.login} if case.login else {}),
            **({"refresh_token": credentials.refresh_token} if credentials.refresh_token else {}),
        }
        (await self.control.post("/_sandbox/accounts", json=account)).raise_for_status()


_PARK = (
    "update studio.posts set status = 'cancelled', next_attempt_at = null, lease_until = null, fence = fence + 1"
    " where status in ('scheduled', 'publishing')"
)


async def new_stage(settings: Settings, control: httpx.AsyncClient) -> Stage:
    """A stage over the database that the settings name, migrated and empty."""
    url = settings.database_url.get_secret_value()
    database = Database(url, pool_size=4)
    above = await psycopg.AsyncConnection.connect(url, autocommit=True)
    return Stage(settings=settings, database=database, above=above, control=control)


def new_database(server_dsn: str, template: str, name: str) -> None:
    """A copy of the template, on the server that this address leads to."""
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{template}"'.encode())


def drop_database(server_dsn: str, name: str) -> None:
    """Remove it, whoever is connected."""
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f'drop database if exists "{name}" with (force)'.encode())


def _credentials(case: Case) -> Credentials:
    # Ids of one length: none is the beginning of another, so that a fault meets its own account alone.
    number = next(_numbers)
    secret = uuid.uuid4().hex
    return Credentials(
        external_id=f"1784140077{number:08d}",
        handle=f"sweep{number}",
        access_token=f"token-{secret}",
        refresh_token=f"refresh-{secret}",
        login=case.login,
    )


def _account(vault: Vault, workspace_id: UUID, case: Case, credentials: Credentials) -> Account:
    account_id = new_id()

    def seal(value: str, name: str) -> bytes:
        return vault.seal(value, context=token_context(str(workspace_id), str(account_id), name))

    assert credentials.refresh_token is not None
    return Account(
        id=account_id,
        workspace_id=workspace_id,
        platform=case.platform,
        external_id=credentials.external_id,
        handle=credentials.handle,
        status="connected",
        login=case.login,
        access_token=seal(credentials.access_token, "access_token"),
        refresh_token=seal(credentials.refresh_token, "refresh_token"),
        details={"login": case.login} if case.login else {},
    )


async def _keep_content(session: AsyncSession, store: DirectoryStore, workspace_id: UUID, case: Case) -> Content:
    """The case's content, its media as assets of the workspace."""
    shelf = Shelf()
    content = case.content(shelf, f"Swept: {case.name} ☕")
    media = [*content.media, *([content.cover] if content.cover else [])]
    for medium in {medium.asset_id: medium for medium in media}.values():
        stored = await store.put(shelf.contents[medium.asset_id], limit_bytes=100_000_000)
        session.add(_asset(workspace_id, medium, stored.key))
    await session.flush()
    return content


def _asset(workspace_id: UUID, medium: Medium, sha256: str) -> Asset:
    return Asset(
        id=UUID(medium.asset_id),
        workspace_id=workspace_id,
        sha256=sha256,
        kind=medium.kind,
        mime_type=medium.mime_type,
        size_bytes=medium.size_bytes,
        width=medium.width,
        height=medium.height,
        duration_seconds=medium.duration_seconds,
        frame_rate=medium.frame_rate,
        video_codec=medium.video_codec,
        audio_codec=medium.audio_codec,
        bit_rate=medium.bit_rate,
        name=f"swept.{medium.mime_type.rpartition('/')[2]}",
    )


async def _due_post(session: AsyncSession, account: Account, case: Case, content: Content) -> Post:
    now = await clock.now(session)
    post = Post(
        id=new_id(),
        workspace_id=account.workspace_id,
        code=f"S{next(_numbers)}",
        account_id=account.id,
        platform=case.platform,
        format=content.format,
        options=dict(content.options),
        status=Status.SCHEDULED,
        approval=Approval.NONE,
        caption=content.caption,
        scheduled_for=now,
        next_attempt_at=now - timedelta(milliseconds=1),
    )
    session.add(post)
    await session.flush()
    session.add_all(_media(account.workspace_id, post, content.media))
    return post


def _media(workspace_id: UUID, post: Post, media: Sequence[Medium]) -> list[PostMedium]:
    return [
        PostMedium(
            workspace_id=workspace_id,
            post_id=post.id,
            position=position,
            asset_id=UUID(medium.asset_id),
            alt_text=medium.alt_text,
        )
        for position, medium in enumerate(media)
    ]
