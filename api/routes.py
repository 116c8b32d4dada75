"""Where a command stands in the REST API: what its `rest` line and its records say about its route."""

import re
from dataclasses import dataclass
from functools import cached_property

from tools.command import AnyCommand

_REST = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)")
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class CommandRoute:
    """One command's route."""

    command: AnyCommand
    method: str
    path: str

    @cached_property
    def path_fields(self) -> tuple[str, ...]:
        """The arguments that the path carries."""
        return tuple(_FIELD.findall(self.path))

    @cached_property
    def properties(self) -> dict[str, dict[str, object]]:
        """The JSON Schema of each argument, by the name that callers use."""
        properties = self.command.schema().get("properties", {})
        assert isinstance(properties, dict)
        return properties

    @property
    def in_query(self) -> bool:
        """Whether the arguments beside the path's come in the query; else they are the JSON body."""
        return self.method in {"GET", "DELETE"}

    @cached_property
    def record(self) -> str | None:
        """The result's field that is the resource itself, so that the answer is flattened to it; None = as it is.

        /v1/posts/… answers the post at the top level, with what else the result says beside it.
        """
        noun = self.path.removeprefix("/v1/").split("/")[0].removesuffix("s")
        return noun if noun in self.command.result.model_fields else None

    @property
    def creates(self) -> bool:
        """Whether a success is 201 with a Location: a POST to a collection that answers one of its records."""
        return self.method == "POST" and not self.path_fields and self.record is not None

    def flatten(self, result: dict[str, object]) -> dict[str, object]:
        """The answer: the record's own fields win over fields of the same name beside it."""
        record = result.get(self.record) if self.record else None
        if not isinstance(record, dict):
            return result
        return {**{name: value for name, value in result.items() if name != self.record}, **record}


def route_of(command: AnyCommand) -> CommandRoute | None:
    """The route of a command, None when it has none; raises ValueError when its `rest` line is malformed."""
    if command.rest is None:
        return None
    match = _REST.fullmatch(command.rest)
    if match is None:
        raise ValueError(f"{command.name}: rest={command.rest!r} is not 'METHOD /path/{{field}}'")
    route = CommandRoute(command, match[1], match[2])
    unknown = set(route.path_fields) - set(route.properties)
    if unknown:
        raise ValueError(f"{command.name}: its path names {sorted(unknown)}, which its arguments do not have")
    return route


def routes_of(commands: tuple[AnyCommand, ...]) -> tuple[CommandRoute, ...]:
    """Every command's route, those with fewer fields in the path first: /posts/search is tried before /posts/{id}."""
    found = [route for command in commands if (route := route_of(command)) is not None]
    return tuple(sorted(found, key=lambda route: len(route.path_fields)))


def is_list(schema: dict[str, object]) -> bool:
    """Whether an argument takes several values."""
    options = schema.get("anyOf", [schema])
    assert isinstance(options, list)
    return any(isinstance(option, dict) and option.get("type") == "array" for option in options)
