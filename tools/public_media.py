"""Signed, expiring links to assets, for networks that fetch what they publish."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.vault import Vault
from db.models.account import Asset

_PURPOSE = "public-media"
# Instagram fetches within minutes; an hour covers its retries.
_LIFETIME = timedelta(hours=1)
_SUFFIXES = {"image/jpeg": "jpg", "video/quicktime": "mov"}


@dataclass(frozen=True, kw_only=True)
class PublicMedium:
    """What a link opens: the bytes by hash, and the type to serve them with."""

    sha256: str
    mime_type: str


def public_link(vault: Vault, base: str, asset: Asset) -> str:
    """A link to an asset's bytes that works for an hour, without any other sign-in."""
    payload = f"{asset.sha256} {asset.mime_type}"
    token = vault.sign(_PURPOSE, payload, datetime.now(UTC) + _LIFETIME)
    suffix = _SUFFIXES.get(asset.mime_type, asset.mime_type.rpartition("/")[2])
    return f"{base}/media/{token}/{asset.sha256[:12]}.{suffix}"


def open_public_link(vault: Vault, token: str) -> PublicMedium:
    """What the token of a link stands for; raises ``core.errors`` when it is forged or has expired."""
    sha256, mime_type = vault.verify(_PURPOSE, token, datetime.now(UTC)).split(" ", 1)
    return PublicMedium(sha256=sha256, mime_type=mime_type)
