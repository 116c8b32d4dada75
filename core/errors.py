"""The errors Studio raises on purpose: each names a condition, and says what to do about it.

    StudioError
    |-- InvalidInput          422  fix the request; ``problems`` name the fields
    |   |-- Ambiguous         409  say which one is meant; ``candidates`` lists them
    |   '-- TooLarge          413  send less
    |-- Unauthenticated       401  sign in, or send a key that is valid
    |-- Forbidden             403  ask somebody whose role allows it
    |-- NotFound              404  check the id
    |-- Conflict              409  read again, then repeat; ``changed`` says what moved
    |-- Unavailable           503  wait ``retry_after`` seconds, then try again
    '-- Misconfigured         500  change the installation; ``studio doctor`` names how

A message is for people: it says what is wrong and the way out, and never carries a secret.
``code`` is stable and for machines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with one field: ``path`` is dotted ("media.0.url"), ``code`` is stable."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One of several things that a reference could mean; ``label`` is what a person would recognise."""

    id: str
    label: str


class StudioError(Exception):
    """A condition that Studio foresees; ``action`` is the way out when the message alone does not say it."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "error"

    def __init__(self, message: str, *, code: str | None = None, action: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.action = action


class InvalidInput(StudioError):
    """The request cannot be understood or breaks a rule: fix it."""

    status: ClassVar[int] = 422
    default_code: ClassVar[str] = "invalid_input"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        action: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message, code=code, action=action)
        self.problems = tuple(problems)


class Ambiguous(InvalidInput):
    """A reference or a time means more than one thing: ask with the candidates."""

    status: ClassVar[int] = 409
    default_code: ClassVar[str] = "ambiguous"

    def __init__(
        self,
        message: str,
        *,
        candidates: Sequence[Candidate],
        code: str | None = None,
        action: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message, code=code, action=action, problems=problems)
        self.candidates = tuple(candidates)


class TooLarge(InvalidInput):
    """More bytes, rows or steps than are allowed."""

    status: ClassVar[int] = 413
    default_code: ClassVar[str] = "too_large"


class Unauthenticated(StudioError):
    """Nobody is signed in, or the key is unknown or revoked."""

    status: ClassVar[int] = 401
    default_code: ClassVar[str] = "unauthenticated"


class Forbidden(StudioError):
    """The caller's role does not allow this."""

    status: ClassVar[int] = 403
    default_code: ClassVar[str] = "forbidden"


class NotFound(StudioError):
    """No such thing in this workspace."""

    status: ClassVar[int] = 404
    default_code: ClassVar[str] = "not_found"


class Conflict(StudioError):
    """Somebody else was first, or the state does not allow this now; ``changed`` maps a field to its current value."""

    status: ClassVar[int] = 409
    default_code: ClassVar[str] = "conflict"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        action: str | None = None,
        changed: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, code=code, action=action)
        self.changed = dict(changed or {})


class Unavailable(StudioError):
    """Something Studio needs does not answer now; ``retry_after`` is in seconds, None when nobody knows."""

    status: ClassVar[int] = 503
    default_code: ClassVar[str] = "unavailable"

    def __init__(
        self, message: str, *, code: str | None = None, action: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, code=code, action=action)
        self.retry_after = retry_after


class Misconfigured(StudioError):
    """The installation is wrong: a person has to change it."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "misconfigured"
