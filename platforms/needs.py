"""What publishing needs beside content: permissions, a public address, a version of the API that still answers."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class NeededScope:
    """A permission that the token has to carry, as the network spells it.

    ``login`` narrows it to the product that granted the token, ``formats`` to some formats, ``option`` to posts that
    use this option and ``without`` to those that do not; None or empty = no narrowing. ``for_what`` says it to people.
    """

    name: str
    for_what: str
    login: str | None = None
    formats: frozenset[str] = frozenset()
    option: str | None = None
    without: str | None = None


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Videos of a format that are sent as bytes, so that nobody has to fetch them; not with ``unless_login``."""

    format: str
    unless_login: str | None = None


@dataclass(frozen=True, kw_only=True)
class ApiVersion:
    """The version of the network's API that is spoken; ``works_until`` is its last day, None = none is announced."""

    name: str
    works_until: date | None = None
