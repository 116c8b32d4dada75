"""The adapter's door to a post's media: signed links for networks that fetch, bytes for those that take uploads."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from core.storage import MediaStore
from core.vault import Vault
from db.models.account import Asset
from platforms.base import Medium
from tools.public_media import public_link


@dataclass(frozen=True, kw_only=True)
class PostMedia:
    """``platforms.base.MediaDoor`` over the media store."""

    store: MediaStore
    vault: Vault
    public_base: str
    assets: Mapping[str, Asset]

    def public_url(self, medium: Medium) -> str:
        """A link under STUDIO_PUBLIC_URL that anybody who has it may fetch until it expires."""
        return public_link(self.vault, self.public_base, self.assets[medium.asset_id])

    def read(self, medium: Medium, *, start: int = 0) -> AsyncIterator[bytes]:
        """The bytes from ``start`` on, in chunks."""
        return self.store.read(self.assets[medium.asset_id].sha256, start=start)
