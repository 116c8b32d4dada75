"""Connected accounts and the assets that posts are made of."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Identified, StoredObject, Tenant, Timed


class Account(Identified, Tenant, Timed, Base):
    """One account on one network. Tokens are sealed by ``core.vault`` and opened only for an outward call.

    Its coming posts are checked when ``check_due`` has come, by whoever holds ``check_lease`` with the newest
    ``check_fence``; ``check_setup`` says under which settings that was done, and ``check_found`` what was found out:
    "network" is what the network said against the account when it was asked at ``asked_at``, "renewal" why it gave no
    new token then, "public_link" why our links cannot be fetched.
    """

    __tablename__ = "accounts"

    platform: Mapped[str]
    external_id: Mapped[str]
    handle: Mapped[str]
    status: Mapped[str]  # connected | reconnect | disconnected
    login: Mapped[str | None]
    access_token: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    refresh_token: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    token_expires_at: Mapped[datetime | None]
    scopes: Mapped[str | None]
    details: Mapped[StoredObject]
    posting_times: Mapped[list[str] | None] = mapped_column()
    counts_due: Mapped[datetime] = mapped_column(server_default=func.studio_now())
    counts_fence: Mapped[int] = mapped_column(default=0, server_default="0")
    check_due: Mapped[datetime] = mapped_column(server_default=func.studio_now())
    check_lease: Mapped[datetime | None]
    check_fence: Mapped[int] = mapped_column(default=0, server_default="0")
    check_setup: Mapped[str | None]
    check_found: Mapped[StoredObject | None]
    asked_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.studio_now())


class AccountTurn(Tenant, Base):
    """Whose turn it is to be published on an account: one post at a time, until it is done, failed or waits again.

    ``hold_until``: nothing of the account is sent before, because its network said so or a quota of it is used up.
    """

    __tablename__ = "account_turns"

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    post_id: Mapped[UUID | None]
    hold_until: Mapped[datetime | None]


class QuotaUse(Tenant, Base):
    """When an account used a quota of its network (``platforms.base.Quota``), as far back as the quota looks."""

    __tablename__ = "quota_uses"

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)))


class Asset(Identified, Tenant, Timed, Base):
    """A stored medium, addressed by the SHA-256 of its bytes; the facts are what the bytes say, never the name.

    ``derived_from`` names the asset it was made from, and ``derivation`` how: both None for what people bring.
    """

    __tablename__ = "assets"

    sha256: Mapped[str]
    kind: Mapped[str]  # image | video
    mime_type: Mapped[str]
    size_bytes: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    duration_seconds: Mapped[float | None]
    frame_rate: Mapped[float | None]  # frames a second
    video_codec: Mapped[str | None]  # ffmpeg's name
    audio_codec: Mapped[str | None]  # "" for a film without sound
    bit_rate: Mapped[int | None]  # bits a second over all streams
    derived_from: Mapped[UUID | None]
    derivation: Mapped[StoredObject | None]
    name: Mapped[str]  # what people call it: the file name or the last part of the URL
    source_url: Mapped[str | None]
    created_by: Mapped[UUID | None]
