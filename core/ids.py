"""Identifiers: UUIDv7 made in the application, and short codes that people can say."""

import secrets
from uuid import UUID

from uuid_utils.compat import uuid7

# No vowels (no words), and nothing that is misread or misheard for another: 0/O, 1/I/L, 5/S, 2/Z, B/8.
_CODE_ALPHABET = "CDFGHJKMNPQRTVWX34679"
CODE_LENGTH = 5


def new_id() -> UUID:
    """A UUIDv7: ordered by time, so that a page by key is a page by age."""
    return UUID(int=uuid7().int)


def new_code() -> str:
    """A short code such as "K7RMD"; unique only within a workspace, which the table checks."""
    return "".join(secrets.choice(_CODE_ALPHABET) for _ in range(CODE_LENGTH))


def looks_like_code(text: str) -> bool:
    """Whether a word could be a short code (case does not matter)."""
    word = text.strip().lstrip("#").upper()
    return len(word) == CODE_LENGTH and all(letter in _CODE_ALPHABET for letter in word)


def parse_id(text: str) -> UUID | None:
    """The UUID a text spells, None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
