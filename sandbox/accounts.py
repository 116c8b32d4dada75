"""Who lives in the pretend world, and which access tokens open which accounts."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Literal

from sandbox.store import Store

Login = Literal["facebook", "instagram", "tiktok", "bluesky"]

# An account seeded without an issue time gets a token two days old, so that it may be refreshed at once.
DEFAULT_TOKEN_AGE_SECONDS = 2 * 86_400.0


@dataclass(frozen=True, kw_only=True)
class Account:
    """A professional account; ``login`` names the product whose tokens open it."""

    platform: str
    external_id: str
    handle: str
    name: str
    login: str


@dataclass(frozen=True, kw_only=True)
class Token:
    """An access token; times are unix seconds, ``expires_at`` None never expires, ``revoked_subcode`` None is alive."""

    value: str = field(repr=False)
    issued_at: float
    expires_at: float | None
    revoked_subcode: int | None


def save_account(store: Store, account: Account) -> None:
    """Create the account, or bring its handle, name and login up to date."""
    store.run(
        """insert into accounts (platform, external_id, handle, name, login) values (?, ?, ?, ?, ?)
        on conflict do update set handle = excluded.handle, name = excluded.name, login = excluded.login""",
        account.platform,
        account.external_id,
        account.handle,
        account.name,
        account.login,
    )


def save_token(store: Store, token: Token, *, opens: Account) -> None:
    """Create or replace a token and let it open the account, besides those it opens already."""
    store.run(
        """insert into tokens (token, issued_at, expires_at, revoked_subcode) values (?, ?, ?, ?)
        on conflict do update set issued_at = excluded.issued_at, expires_at = excluded.expires_at,
            revoked_subcode = excluded.revoked_subcode""",
        token.value,
        token.issued_at,
        token.expires_at,
        token.revoked_subcode,
    )
    store.run(
        "insert or ignore into token_accounts (token, platform, external_id) values (?, ?, ?)",
        token.value,
        opens.platform,
        opens.external_id,
    )


def find_token(store: Store, value: str) -> Token | None:
    """The token of this value; None when nobody was ever given it."""
    row = store.one("select * from tokens where token = ?", value)
    return (
        None
        if row is None
        else Token(
            value=value,
            issued_at=row["issued_at"],
            expires_at=row["expires_at"],
            revoked_subcode=row["revoked_subcode"],
        )
    )


def change_token(store: Store, value: str, *, expires_at: float | None, revoked_subcode: int | None) -> bool:
    """Let a token expire at another time, or revoke it; False when there is no such token."""
    cursor = store.run(
        "update tokens set expires_at = ?, revoked_subcode = ? where token = ?", expires_at, revoked_subcode, value
    )
    return cursor.rowcount == 1


def successor(store: Store, token: Token, *, lifetime_seconds: int) -> Token:
    """Issue a fresh token that opens what the old one opens; the old one lives on until its own end."""
    fresh = Token(
        value=f"sandbox-{secrets.token_urlsafe(24)}",
        issued_at=time.time(),
        expires_at=time.time() + lifetime_seconds,
        revoked_subcode=None,
    )
    with store.transaction():
        for account in opened_by(store, token.value):
            save_token(store, fresh, opens=account)
    return fresh


def opened_by(store: Store, token: str) -> list[Account]:
    """The accounts a token opens."""
    rows = store.all(
        """select a.* from accounts a join token_accounts t using (platform, external_id)
        where t.token = ? order by a.rowid""",
        token,
    )
    return [Account(**row) for row in rows]


def list_accounts(store: Store) -> list[Account]:
    """Everybody, in the order of arrival."""
    return [Account(**row) for row in store.all("select * from accounts order by rowid")]


def find_account(store: Store, name: str) -> Account | None:
    """The account with this external id or handle (with or without @)."""
    row = store.one(
        "select * from accounts where external_id = ? or handle = ? order by rowid", name, name.removeprefix("@")
    )
    return None if row is None else Account(**row)
