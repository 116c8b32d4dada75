"""Assets: keeping stored media as rows of a workspace, and finding the one that is meant."""

import re
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Ambiguous, Candidate, NotFound
from core.ids import new_id, parse_id
from db.models.account import Asset
from db.queries import accounts
from tools.context import Doors, Principal
from tools.media.inspect import MediaFacts

_NOISE = frozenset({"the", "a", "an", "my", "our", "photo", "picture", "image", "video", "asset", "file", "of"})
_CANDIDATES = 6


class AssetView(BaseModel):
    """A stored medium. Sizes in bytes and pixels, duration in seconds, None = unknown."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: str
    mime_type: str
    size_bytes: int
    width: int | None
    height: int | None
    duration_seconds: float | None
    frame_rate: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = Field(None, description="empty for a film without sound")
    bit_rate: int | None = None
    derived_from: str | None = Field(None, description="the asset it was made from, to fit a network")
    derivation: dict[str, object] | None = Field(None, description="how it was made")
    name: str
    sha256: str
    source_url: str | None
    created_at: datetime


def asset_view(asset: Asset) -> AssetView:
    """The record of an asset."""
    return AssetView(
        id=str(asset.id),
        kind=asset.kind,
        mime_type=asset.mime_type,
        size_bytes=asset.size_bytes,
        width=asset.width,
        height=asset.height,
        duration_seconds=asset.duration_seconds,
        frame_rate=asset.frame_rate,
        video_codec=asset.video_codec,
        audio_codec=asset.audio_codec,
        bit_rate=asset.bit_rate,
        derived_from=str(asset.derived_from) if asset.derived_from else None,
        derivation=dict(asset.derivation) if asset.derivation is not None else None,
        name=asset.name,
        sha256=asset.sha256,
        source_url=asset.source_url,
        created_at=asset.created_at,
    )


async def keep_asset(
    doors: Doors, principal: Principal, facts: MediaFacts, *, name: str, source_url: str | None
) -> AssetView:
    """The workspace's asset with these bytes, made when it is new; one transaction of its own."""
    async with doors.database.session(principal.workspace_id) as session:
        return asset_view(await upsert_asset(session, principal, facts, name=name, source_url=source_url))


async def upsert_asset(
    session: AsyncSession, principal: Principal, facts: MediaFacts, *, name: str, source_url: str | None
) -> Asset:
    """The asset with these bytes in the caller's transaction."""
    if (known := await accounts.asset_by_hash(session, facts.sha256)) is not None:
        return known
    return await accounts.add_asset(session, _asset(principal, facts, name=name, source_url=source_url))


async def keep_derived(
    doors: Doors,
    principal: Principal,
    facts: MediaFacts,
    *,
    source: AssetView,
    derivation: dict[str, object],
    name: str,
) -> AssetView:
    """The asset made from another by a recipe; a repeat finds the first one. One transaction of its own."""
    asset = _asset(principal, facts, name=name, source_url=None)
    asset.derived_from, asset.derivation = UUID(source.id), derivation
    async with doors.database.session(principal.workspace_id) as session:
        return asset_view(await accounts.add_asset(session, asset))


def _asset(principal: Principal, facts: MediaFacts, *, name: str, source_url: str | None) -> Asset:
    return Asset(
        id=new_id(),
        workspace_id=principal.workspace_id,
        sha256=facts.sha256,
        kind=facts.kind,
        mime_type=facts.mime_type,
        size_bytes=facts.size_bytes,
        width=facts.width,
        height=facts.height,
        duration_seconds=facts.duration_seconds,
        frame_rate=facts.frame_rate,
        video_codec=facts.video_codec,
        audio_codec=facts.audio_codec,
        bit_rate=facts.bit_rate,
        name=name,
        source_url=source_url,
        created_by=principal.user_id,
    )


async def find_asset(session: AsyncSession, reference: str) -> Asset:
    """The asset that an id or words of its name mean; raises ``NotFound`` or ``Ambiguous`` with the candidates."""
    if (asset_id := parse_id(reference.strip())) is not None:
        found = await accounts.get_asset(session, asset_id)
        if found is None:
            raise _unknown(reference)
        return found
    words = [word for word in re.findall(r"[\w-]+", reference.lower()) if word not in _NOISE]
    if not words:
        raise _unknown(reference)
    several = await accounts.search_assets(session, words, limit=_CANDIDATES)
    if not several:
        raise _unknown(reference)
    if len(several) > 1:
        names = ", ".join(asset.name for asset in several)
        raise Ambiguous(
            f"More than one asset matches {reference!r}: {names}. Which one?",
            code="asset_ambiguous",
            action="Answer with the exact name.",
            candidates=tuple(Candidate(id=str(asset.id), label=asset.name) for asset in several),
        )
    return several[0]


def _unknown(reference: str) -> NotFound:
    return NotFound(
        f"There is no asset {reference!r} here.",
        code="asset_not_found",
        action="Upload it, or give a URL to fetch it from.",
    )
