"""Reading what a network said or what was kept of it: JSON of a shape nobody can promise, without surprises."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from core.jsontypes import JsonObject, JsonValue


def text(values: JsonObject, name: str) -> str | None:
    """The string under a name, None when there is none or it is empty."""
    value = values.get(name)
    return value if isinstance(value, str) and value else None


def count(values: JsonObject, name: str) -> int:
    """The number under a name, 0 when there is none."""
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def names(values: JsonObject, name: str) -> tuple[str, ...]:
    """The strings listed under a name."""
    return tuple(str(item) for item in _listed(values.get(name)))


def inner(values: JsonObject, *path: str) -> JsonObject:
    """The object that lies under these names, one inside the other; empty when it is not there."""
    for name in path:
        value = values.get(name)
        values = value if isinstance(value, Mapping) else {}
    return values


def objects(values: JsonObject, name: str) -> tuple[JsonObject, ...]:
    """The objects listed under a name; whatever else is listed is left out."""
    return tuple(item for item in _listed(values.get(name)) if isinstance(item, Mapping))


def moment(values: JsonObject, name: str) -> datetime | None:
    """The time under a name (ISO 8601), aware; without an offset it is UTC. None when it is none."""
    try:
        found = datetime.fromisoformat(text(values, name) or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def plain(words: str | None) -> str:
    """Words as they compare: networks trim and fold white space and compose letters on their way."""
    return " ".join(unicodedata.normalize("NFC", words or "").split())


def _listed(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
