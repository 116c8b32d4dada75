"""Secrets at rest and signed links: AES-256-GCM and HMAC-SHA256 under keys that can be rotated."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from core.errors import Forbidden, Misconfigured

_KEY_BYTES = 32
_VERSION = 1
_ID_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = 1 + _ID_BYTES + _NONCE_BYTES
_TAG_BYTES = 16
_LINK_VERSION = "1"


class SealBroken(Misconfigured):
    """A sealed value was changed, or belongs to another row: the database was tampered with or restored in parts."""

    default_code: ClassVar[str] = "seal_broken"


class Vault:
    """Seals secrets for one row and field, and signs links. ``keys`` are newest first: the first one seals and signs.

    Every listed key opens and verifies. A seal is ``version | key id | nonce | ciphertext and tag``; header and context
    are authenticated. Random nonces of 96 bits: rotate a key long before 2**32 seals (NIST SP 800-38D, 8.3).
    Raises ``Misconfigured`` for a key that is not 32 bytes in base64url.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        decoded = [_decode_key(key, place) for place, key in enumerate(keys, start=1)]
        if not decoded:
            raise Misconfigured("No secret key is set.", code="no_secret_key", action="Set STUDIO_SECRET_KEYS.")
        self._keys = {_id_of(key): key for key in decoded}
        self._newest = _id_of(decoded[0])
        self._ciphers = {key_id: AESGCM(_derive(key, "seal")) for key_id, key in self._keys.items()}

    def __repr__(self) -> str:
        return f"Vault({', '.join(self._keys)})"

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys, newest first: 8 hexadecimal digits each, no secret."""
        return tuple(self._keys)

    def seal(self, plain: str, *, context: str) -> bytes:
        """The text, encrypted so that it opens only with the same context (see ``token_context``)."""
        head = bytes([_VERSION]) + bytes.fromhex(self._newest)
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + self._ciphers[self._newest].encrypt(nonce, plain.encode(), _bound(head, context))

    def open(self, sealed: bytes, *, context: str) -> str:
        """The text of a seal. Raises ``SealBroken`` (changed, or of another row), ``Misconfigured`` (unlisted key)."""
        key_id = key_id_of(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise Misconfigured(
                f"A secret in the database was sealed with the key {key_id}, which is not in STUDIO_SECRET_KEYS.",
                code="unknown_key",
                action=f"Add the key {key_id} at the end of STUDIO_SECRET_KEYS (newest first) and start again.",
            )
        head, nonce = sealed[: 1 + _ID_BYTES], sealed[1 + _ID_BYTES : _HEADER_BYTES]
        try:
            return cipher.decrypt(nonce, sealed[_HEADER_BYTES:], _bound(head, context)).decode()
        except (InvalidTag, UnicodeDecodeError):
            raise _broken() from None

    def needs_rotation(self, sealed: bytes) -> bool:
        """Whether a seal is under another key than the newest."""
        return key_id_of(sealed) != self._newest

    def reseal(self, sealed: bytes, *, context: str) -> bytes:
        """The same secret under the newest key; the very same seal when it is already."""
        return self.seal(self.open(sealed, context=context), context=context) if self.needs_rotation(sealed) else sealed

    def sign(self, purpose: str, payload: str, expires: datetime) -> str:
        """A token for a URL: proves ``payload``, which it shows, for this purpose until ``expires`` (aware).

        It verifies as long as the key that made it is listed. A fraction of a second is dropped.
        """
        body = f"{_LINK_VERSION}.{self._newest}.{_seconds(expires)}.{_encode(payload.encode())}"
        return f"{body}.{self._mac(self._newest, purpose, body)}"

    def verify(self, purpose: str, token: str, now: datetime) -> str:
        """The payload of a token. Raises ``Forbidden``: ``link_expired`` from its time on, else ``link_invalid``."""
        body, _, mac = token.rpartition(".")
        fields = body.split(".")
        if not token.isascii() or len(fields) != 4 or fields[0] != _LINK_VERSION or fields[1] not in self._keys:  # noqa: PLR2004
            raise _bad_link()
        if not hmac.compare_digest(self._mac(fields[1], purpose, body), mac):
            raise _bad_link()
        if _seconds(now) >= int(fields[2]):
            raise Forbidden("This link has expired.", code="link_expired", action="Ask for a new one.")
        return base64.urlsafe_b64decode(fields[3] + "=" * (-len(fields[3]) % 4)).decode()

    def _mac(self, key_id: str, purpose: str, body: str) -> str:
        key = _derive(self._keys[key_id], f"sign|{purpose}")
        return _encode(hmac.digest(key, body.encode(), "sha256"))


def generate_key() -> str:
    """A new key for STUDIO_SECRET_KEYS: 32 random bytes in base64url, without padding."""
    return _encode(secrets.token_bytes(_KEY_BYTES))


def token_context(workspace_id: UUID | str, account_id: UUID | str, field: str) -> str:
    """What a token of an account is bound to; ``field`` is its column."""
    parts = (str(workspace_id), str(account_id), field)
    if any("|" in part or not part for part in parts):
        raise ValueError("a part of a context is empty or has a '|' in it")
    return "|".join(("oauth", *parts, "v1"))


def key_id_of(sealed: bytes) -> str:
    """The id of the key that made a seal. Raises ``SealBroken`` for what is no seal."""
    if len(sealed) < _HEADER_BYTES + _TAG_BYTES or sealed[0] != _VERSION:
        raise _broken()
    return sealed[1 : 1 + _ID_BYTES].hex()


def _decode_key(text: str, place: int) -> bytes:
    text = text.strip()
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise Misconfigured(
            f"Secret key number {place} of STUDIO_SECRET_KEYS is not 32 bytes in base64url.",
            code="bad_secret_key",
            action="Make one with `studio keys generate-secret`.",
        )
    return key


def _id_of(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[: 2 * _ID_BYTES]


def _derive(key: bytes, purpose: str) -> bytes:
    # One key per purpose, so that no token of one kind can ever pass for another (RFC 5869, expand only: uniform keys).
    return HKDFExpand(SHA256(), _KEY_BYTES, b"studio|v1|" + purpose.encode()).derive(key)


def _bound(head: bytes, context: str) -> bytes:
    return head + context.encode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _seconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot expire")
    return int(moment.timestamp())


def _broken() -> SealBroken:
    return SealBroken(
        "A stored secret does not open: it was changed, or it belongs to another account.",
        action="Connect the account again; if that is many accounts, restore the database as a whole.",
    )


def _bad_link() -> Forbidden:
    return Forbidden("This link is not valid.", code="link_invalid", action="Ask for a new one.")
