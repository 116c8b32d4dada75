"""API keys: how one is made, recognised, shown and kept; only its SHA-256 is ever stored."""

import hashlib
import secrets
import string
import zlib

MARK = "studio_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_BYTES = 32
_RANDOM_LENGTH = 43  # 62**43 > 2**256
_CHECK_LENGTH = 6  # 62**6 > 2**32
_SHOWN = 6


def generate() -> str:
    """A new key: "studio_", 256 random bits and a checksum, in letters and digits (56 characters)."""
    body = _base62(int.from_bytes(secrets.token_bytes(_RANDOM_BYTES)), _RANDOM_LENGTH)
    return MARK + body + _checksum(body)


def looks_valid(key: str) -> bool:
    """Whether ``generate`` could have made this key: a typing error or another product's key is seen without a query.

    A key that a person chose (STUDIO_BOOTSTRAP_KEY) need not look valid: only its digest decides.
    """
    body, check = key[len(MARK) : -_CHECK_LENGTH], key[-_CHECK_LENGTH:]
    return key.startswith(MARK) and len(body) == _RANDOM_LENGTH and key.isascii() and check == _checksum(body)


def digest(key: str) -> bytes:
    """What is stored and looked up: SHA-256, 32 bytes. A key has 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(key.encode()).digest()


def prefix(key: str) -> str:
    """The beginning that may be shown, so that people can tell their keys apart: "studio_3fK9aB"."""
    # A key that a person chose may be short: show at most a quarter of it.
    return key[: len(MARK) + _SHOWN] if looks_valid(key) else key[: min(4, len(key) // 4)] + "…"


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
