"""The door to the database: one pool, sessions that are bound to a workspace, and now."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID

import psycopg
from sqlalchemy import Connection, event, func, select
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import NullPool

from db.models.base import SCHEMA

# The role every statement of the application runs as: not a superuser, not the owner, so that row-level security binds.
APP_ROLE = "studio_app"


class TenantSession(Session):
    """A session of one workspace; without one it raises at its first statement."""


@event.listens_for(TenantSession, "after_begin")
def _enter_workspace(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    if "workspace" not in session.info:
        raise RuntimeError("A session needs a workspace: use Database.session(workspace_id) or Database.outside()")
    workspace: UUID | None = session.info["workspace"]
    # Transaction-local: it ends with the transaction, and survives savepoints.
    connection.execute(select(func.set_config("app.workspace_id", str(workspace or ""), True)))


class Database:
    """The application's connections to PostgreSQL, as the role ``studio_app``."""

    def __init__(self, url: str, *, pool_size: int = 16) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=8,
            pool_recycle=1800,
            hide_parameters=True,  # an error of the driver would show captions, digests and sealed tokens
            connect_args={"options": f"-c role={APP_ROLE} -c search_path={SCHEMA} -c timezone=UTC"},
        )
        self._sessions = async_sessionmaker(self.engine, sync_session_class=TenantSession, expire_on_commit=False)

    @asynccontextmanager
    async def session(self, workspace_id: UUID) -> AsyncIterator[AsyncSession]:
        """One transaction in a workspace: committed at the end, rolled back on an error."""
        async with self._sessions(info={"workspace": workspace_id}) as session, session.begin():
            yield session

    @asynccontextmanager
    async def outside(self) -> AsyncIterator[AsyncSession]:
        """One transaction in no workspace: sees no tenant's row, may call the narrow functions (sign in, claim)."""
        async with self._sessions(info={"workspace": None}) as session, session.begin():
            yield session

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[psycopg.AsyncConnection[object]]:
        """A connection of the pool as psycopg sees it, in no transaction and no workspace; for ``db.together``.

        One that anything went wrong with is closed, and the idle ones with it when PostgreSQL has gone away.
        """
        async with self.engine.connect() as pooled:
            raw = await pooled.get_raw_connection()
            connection = cast("psycopg.AsyncConnection[object]", raw.driver_connection)
            try:
                yield connection
            except BaseException:
                is_gone = connection.broken
                await pooled.invalidate()
                if is_gone:
                    await self.engine.dispose()
                raise

    async def close(self) -> None:
        """Give every connection back."""
        await self.engine.dispose()


@asynccontextmanager
async def as_migrating_role(admin_url: str) -> AsyncIterator[AsyncConnection]:
    """One transaction as the role that owns the schema: it sees every workspace. For the installation itself alone."""
    options = {"options": f"-c search_path={SCHEMA} -c timezone=UTC"}
    engine = create_async_engine(admin_url, poolclass=NullPool, hide_parameters=True, connect_args=options)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()
