"""/openapi.json: what FastAPI says about the fixed routes, and what the commands' records say about theirs."""

from dataclasses import dataclass
from typing import cast

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from api import problems
from api.routes import CommandRoute, is_list, routes_of
from tools.catalog import Catalog

_REFERENCE = "#/components/schemas/{model}"
Schema = dict[str, object]


def install(app: FastAPI, catalog: Catalog) -> None:
    """Make the application describe the commands' routes beside its own."""
    written_by_fastapi = app.openapi

    def describe() -> dict[str, object]:
        if app.openapi_schema is None:
            app.openapi_schema = complete(written_by_fastapi(), catalog)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's documented way of extending the schema


def complete(document: Schema, catalog: Catalog) -> Schema:
    """The document with every command's route, the problems, and how one signs in."""
    routes = routes_of(catalog.commands)
    book = _Book.of(routes)
    paths = cast("dict[str, dict[str, Schema]]", document.setdefault("paths", {}))
    for operations in paths.values():
        for operation in operations.values():
            _say_problems(operation)
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, book)
    components = cast("dict[str, Schema]", document.setdefault("components", {}))
    components.setdefault("schemas", {}).update({**book.schemas, "Problem": problems.SCHEMA})
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}]
    return document


@dataclass(frozen=True, kw_only=True)
class _Book:
    """Every record that the commands take and give: ``schemas`` by name, ``names`` by record and direction."""

    schemas: dict[str, Schema]
    names: dict[tuple[type[BaseModel], JsonSchemaMode], str]

    @classmethod
    def of(cls, routes: tuple[CommandRoute, ...]) -> "_Book":
        wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = []
        for route in routes:
            wanted += [(route.command.arguments, "validation"), (route.command.result, "serialization")]
        references, document = models_json_schema(wanted, ref_template=_REFERENCE)
        schemas = cast("dict[str, Schema]", document.get("$defs", {}))
        names = {
            cast("tuple[type[BaseModel], JsonSchemaMode]", key): str(reference["$ref"]).rpartition("/")[2]
            for key, reference in references.items()
        }
        book = cls(schemas=schemas, names=names)
        for route in routes:
            if not route.in_query:
                name = book.body(route)
                schemas[name] = _without(book.arguments(route), route.path_fields, title=name)
        return book

    def arguments(self, route: CommandRoute) -> Schema:
        return self.schemas[self.names[route.command.arguments, "validation"]]

    def result(self, route: CommandRoute) -> str:
        return self.names[route.command.result, "serialization"]

    def body(self, route: CommandRoute) -> str:
        """The name of a route's request body: the arguments without what the address carries."""
        name = self.names[route.command.arguments, "validation"]
        return f"{name}Body" if route.path_fields else name


def _without(schema: Schema, fields: tuple[str, ...], *, title: str) -> Schema:
    properties = cast("dict[str, Schema]", schema.get("properties", {}))
    required = cast("list[str]", schema.get("required", []))
    left = [name for name in required if name not in fields]
    slim: Schema = {
        **schema,
        "title": title,
        "properties": {name: value for name, value in properties.items() if name not in fields},
    }
    slim.pop("required", None)
    return {**slim, "required": left} if left else slim


def _operation(route: CommandRoute, book: _Book) -> Schema:
    success = "201" if route.creates else "200"
    operation: Schema = {
        "operationId": route.command.name,
        "summary": route.command.title,
        "description": route.command.description,
        "tags": [route.path.removeprefix("/v1/").split("/")[0]],
        "parameters": _parameters(route, book.arguments(route)),
        "responses": {
            success: {
                "description": "Done.",
                "content": {"application/json": {"schema": _result_schema(route, book)}},
            },
        },
    }
    if not route.in_query:
        reference = {"$ref": _REFERENCE.format(model=book.body(route))}
        required = bool(book.schemas[book.body(route)].get("required"))
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": reference}}}
    if route.method != "GET":
        responses = cast("Schema", operation["responses"])
        responses["202"] = {"description": "A person has to say yes first: `{status: waiting, approval: {…}}`."}
    _say_problems(operation)
    return operation


def _parameters(route: CommandRoute, arguments: Schema) -> list[Schema]:
    properties = cast("dict[str, Schema]", arguments.get("properties", {}))
    required = cast("list[str]", arguments.get("required", []))
    parameters: list[Schema] = []
    for name, schema in properties.items():
        if name in route.path_fields:
            parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
        elif route.in_query:
            query: Schema = {"name": name, "in": "query", "required": name in required, "schema": schema}
            parameters.append(query | ({"style": "form", "explode": True} if is_list(schema) else {}))
    parameters.append(_header("X-Timezone", "the IANA zone that time phrases are read in; else the workspace's"))
    if route.method != "GET":
        parameters.append(_header("Idempotency-Key", "the same key again answers the first result and does nothing"))
    if "version" in properties:
        parameters.append(_header("If-Match", 'the version you saw, such as "7"; a newer one is a 409'))
    return parameters


def _header(name: str, description: str) -> Schema:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": {"type": "string"}}


def _result_schema(route: CommandRoute, book: _Book) -> Schema:
    name = book.result(route)
    if route.record is None:
        return {"$ref": _REFERENCE.format(model=name)}
    properties = cast("dict[str, Schema]", book.schemas[name]["properties"])
    record = properties[route.record]
    model = str(record.get("$ref", "")).rpartition("/")[2]
    own = cast("dict[str, Schema]", book.schemas.get(model, {}).get("properties", {}))
    beside = {key: value for key, value in properties.items() if key != route.record and key not in own}
    return {"allOf": [record, {"type": "object", "properties": beside, "required": sorted(beside)}]}


def _say_problems(operation: Schema) -> None:
    responses = cast("dict[str, object]", operation.setdefault("responses", {}))
    responses.pop("422", None)  # FastAPI's own shape of a validation error, which is not what we answer
    responses["default"] = {
        "description": "What went wrong and the way out.",
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model="Problem")}}},
    }
