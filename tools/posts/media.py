"""The media of a post: references and URLs in, assets out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from pydantic import Field, model_validator

from core.errors import InvalidInput, Problem
from tools.assets import AssetView, asset_view, find_asset, keep_asset
from tools.command import Arguments
from tools.context import Context


class MediaReference(Arguments):
    """One medium: an asset by id or words of its name, or a URL to fetch; exactly one of them."""

    asset_id: str | None = Field(None, description="an asset's id, or words of its name such as 'latte photo'")
    url: str | None = Field(None, max_length=2048, description="where to fetch it from (http or https)")
    alt_text: str | None = Field(None, max_length=1000, description="what it shows, for people who cannot see it")

    @model_validator(mode="after")
    def _one_source(self) -> "MediaReference":
        if (self.asset_id is None) == (self.url is None):
            raise ValueError("give either asset_id or url, not both and not neither")
        return self


@dataclass(frozen=True, kw_only=True)
class Source:
    """A medium that is meant, before it is fitted: its asset, and the words for those who cannot see it."""

    asset: AssetView
    alt_text: str | None


async def bring_in(context: Context, media: Sequence[MediaReference]) -> tuple[Source, ...]:
    """The assets of the references, in order; what is named by URL is fetched and kept. For ``gather``."""
    return tuple([Source(asset=await _asset(context, each), alt_text=each.alt_text) for each in media])


async def _asset(context: Context, reference: MediaReference) -> AssetView:
    if reference.url is None:
        assert reference.asset_id is not None
        async with context.doors.database.session(context.workspace_id) as session:
            return asset_view(await find_asset(session, reference.asset_id))
    facts = await context.doors.fetcher.fetch(reference.url)
    source_url = without_credentials(reference.url)
    return await keep_asset(context.doors, context.principal, facts, name=name_of(reference.url), source_url=source_url)


async def stored_options(context: Context, options: Mapping[str, object]) -> dict[str, object]:
    """A format's settings as they are kept: a cover by its asset's id, whatever words named it."""
    stored = dict(options)
    if stored.get("cover") is None:
        stored.pop("cover", None)
        return stored
    asset = await find_asset(context.session, str(stored["cover"]))
    if asset.kind != "image":
        raise InvalidInput(
            f"The cover is to be an image; {asset.name} is a {asset.kind}.",
            code="cover_not_image",
            action="Name an image, or choose a frame of the video instead.",
            problems=[Problem(path="options.cover", code="wrong_kind", message="The cover is to be an image.")],
        )
    stored["cover"] = str(asset.id)
    return stored


def name_of(url: str) -> str:
    """What to call a fetched medium: the last part of its path."""
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    return re.sub(r"[\x00-\x1f/\\]", "", name)[:120] or "fetched"


def without_credentials(url: str) -> str:
    """The URL without query and userinfo: both can carry a secret."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
