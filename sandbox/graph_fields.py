"""Field selection as the Graph API knows it: ``id,children{id,media_type},config``."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from sandbox.graph_errors import GraphError

Thing = TypeVar("Thing")

# A field's value, or OMITTED where the network leaves the field out (no caption, hidden counts).
OMITTED = object()
Field = Callable[[Thing, str], object]


def parse_fields(text: str) -> dict[str, str]:
    """Names with the selection in their braces, empty where there is none."""
    names: dict[str, str] = {}
    depth, start = 0, 0
    for position, character in enumerate(f"{text},"):
        depth += (character in "{(") - (character in "})")
        if character == "," and depth <= 0:
            name, _, inner = text[start:position].strip().partition("{")
            if name:
                names[name.strip()] = inner.removesuffix("}")
            start = position + 1
    return names


def select(
    thing: Thing, text: str, *, fields: Mapping[str, Field[Thing]], default: str, node_type: str
) -> dict[str, object]:
    """The fields that were asked for, and always ``id``; raises code 100 for one that does not exist."""
    wanted = parse_fields(text) or parse_fields(default)
    if "id" in fields:
        wanted.setdefault("id", "")
    answer: dict[str, object] = {}
    for name, inner in wanted.items():
        if name not in fields:
            message = f"(#100) Tried accessing nonexisting field ({name}) on node type ({node_type})"
            raise GraphError(message, code=100)
        value = fields[name](thing, inner)
        if value is not OMITTED:
            answer[name] = value
    return answer
