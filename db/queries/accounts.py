"""Statements about connected accounts and assets."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.models.account import Account, Asset
from db.models.base import StoredObject


async def all_accounts(session: AsyncSession) -> Sequence[Account]:
    """Every account that is not disconnected, by network and handle."""
    statement = select(Account).where(Account.status != "disconnected").order_by(Account.platform, Account.handle)
    return (await session.scalars(statement)).all()


async def get(
    session: AsyncSession, account_id: UUID, *, with_tokens: bool = False, lock: bool = False
) -> Account | None:
    """An account of this workspace; its sealed tokens only when asked for. ``lock`` holds it until the end."""
    statement = select(Account).where(Account.id == account_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    if with_tokens:
        statement = statement.options(undefer(Account.access_token), undefer(Account.refresh_token))
    return (await session.scalars(statement)).one_or_none()


async def by_external_id(session: AsyncSession, platform: str, external_id: str) -> Account | None:
    """The account that a network knows by this id."""
    statement = select(Account).where(Account.platform == platform, Account.external_id == external_id)
    return (await session.scalars(statement)).one_or_none()


async def with_tokens(session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[Account]:
    """Accounts with their sealed tokens, by id, for re-sealing them in batches; locked for the transaction."""
    statement = (
        select(Account)
        .options(undefer(Account.access_token), undefer(Account.refresh_token))
        .order_by(Account.id)
        .limit(limit)
        .with_for_update()
    )
    if after is not None:
        statement = statement.where(Account.id > after)
    return (await session.scalars(statement)).all()


async def get_asset(session: AsyncSession, asset_id: UUID) -> Asset | None:
    """An asset of this workspace."""
    return (await session.scalars(select(Asset).where(Asset.id == asset_id))).one_or_none()


async def asset_by_hash(session: AsyncSession, sha256: str) -> Asset | None:
    """The asset that somebody brought with these bytes; derived ones are found by what they were made from."""
    statement = select(Asset).where(Asset.sha256 == sha256, Asset.derived_from.is_(None))
    return (await session.scalars(statement)).one_or_none()


async def derived_asset(session: AsyncSession, source: UUID, derivation: StoredObject) -> Asset | None:
    """The asset that was made from another by exactly this recipe."""
    statement = select(Asset).where(Asset.derived_from == source, Asset.derivation == derivation)
    return (await session.scalars(statement)).one_or_none()


async def search_assets(session: AsyncSession, words: Sequence[str], *, limit: int = 6) -> Sequence[Asset]:
    """Assets that people brought whose name has all these words, newest first."""
    statement = select(Asset).where(Asset.derived_from.is_(None)).order_by(Asset.id.desc()).limit(limit)
    for word in words:
        statement = statement.where(func.strpos(func.lower(Asset.name), word.lower()) > 0)
    return (await session.scalars(statement)).all()


async def add_asset(session: AsyncSession, asset: Asset) -> Asset:
    """Keep an asset; when another transaction kept the same first (bytes, or source and recipe), that one."""
    values = {
        column.key: getattr(asset, column.key) for column in Asset.__table__.columns if column.key != "created_at"
    }
    await session.execute(insert(Asset).values(**values).on_conflict_do_nothing())
    if asset.derived_from is None or asset.derivation is None:
        kept = await asset_by_hash(session, asset.sha256)
    else:
        kept = await derived_asset(session, asset.derived_from, asset.derivation)
    assert kept is not None
    return kept


async def assets_named(session: AsyncSession, names: Sequence[str]) -> Sequence[Asset]:
    """The originals that are called exactly so."""
    statement = select(Asset).where(Asset.name.in_(names), Asset.derived_from.is_(None))
    return (await session.scalars(statement)).all()
