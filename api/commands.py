"""The REST API of the commands: each route is a projection of its command's record, and holds no rule of its own."""

import json
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api import approvals
from api.caller import RestCaller
from api.front import Front, FrontDoor
from api.routes import CommandRoute, is_list, routes_of
from api.sign_in import SignedIn
from core.errors import InvalidInput, Problem
from tools.catalog import Catalog
from tools.context import Caller
from tools.dispatcher import ConsentNeeded, Outcome

Endpoint = Callable[[Request, FrontDoor, RestCaller], Awaitable[JSONResponse]]


def router(catalog: Catalog) -> APIRouter:
    """The routes of every command that has one. Their documentation is written by ``api.openapi``."""
    routes = APIRouter(tags=["commands"])
    routes.add_api_route("/v1/commands", list_commands, methods=["GET"])
    for route in routes_of(catalog.commands):
        name = route.command.name
        routes.add_api_route(
            route.path, _endpoint(route), methods=[route.method], name=name, operation_id=name, include_in_schema=False
        )
    return routes


async def list_commands(front: FrontDoor, _principal: SignedIn) -> dict[str, object]:
    """The catalogue: every command with the JSON Schema of its arguments, its effect, and its route."""
    items = [
        {
            "name": command.name,
            "title": command.title,
            "description": command.description,
            "effect": command.effect.value,
            "rest": command.rest,
            "agent": command.agent,
            "aliases": list(command.aliases),
            "arguments": command.schema(),
            "result": command.result.model_json_schema(mode="serialization"),
        }
        for command in front.dispatcher.catalog.commands
    ]
    return {"items": items, "next_cursor": None}


def _endpoint(route: CommandRoute) -> Endpoint:
    async def endpoint(request: Request, front: FrontDoor, caller: RestCaller) -> JSONResponse:
        arguments = await _arguments(route, request)
        return await run(front, route, arguments, caller)

    endpoint.__doc__ = route.command.description
    return endpoint


async def run(front: Front, route: CommandRoute, arguments: dict[str, object], caller: Caller) -> JSONResponse:
    """Send one call through the door; what needs a person's yes answers 202 with the approval that waits."""
    try:
        outcome = await front.dispatcher.run(route.command.name, arguments, caller)
    except ConsentNeeded as needed:
        answer = await approvals.ask(front.doors, route.command, arguments, caller, needed)
        return JSONResponse(answer, status_code=202)
    return _answer(route, outcome)


def _answer(route: CommandRoute, outcome: Outcome) -> JSONResponse:
    headers = {"Idempotency-Replayed": "true"} if outcome.replayed else {}
    if outcome.result.get("status") == "waiting" and "approval" in outcome.result:
        return JSONResponse(outcome.result, status_code=202, headers=headers)
    body = route.flatten(outcome.result)
    if isinstance(version := body.get("version"), int) and route.record:
        headers["ETag"] = f'"{version}"'
    if route.creates:
        headers["Location"] = f"{route.path}/{body['id']}"
        return JSONResponse(body, status_code=201, headers=headers)
    return JSONResponse(body, headers=headers)


async def _arguments(route: CommandRoute, request: Request) -> dict[str, object]:
    given = _query(route, request) if route.in_query else await read_object(request)
    for field in route.path_fields:
        if field in given:
            raise _refused(field, "named_twice", f"{field} is in the address: leave it out here.")
        given[field] = request.path_params[field]
    return _with_version(route, request, given)


def _query(route: CommandRoute, request: Request) -> dict[str, object]:
    """The query as arguments: a list may be repeated or comma-separated, an empty value is no value."""
    given: dict[str, object] = {}
    for name in request.query_params:
        values = [value for value in request.query_params.getlist(name) if value != ""]
        if is_list(route.properties.get(name, {})):
            parts = [part.strip() for value in values for part in value.split(",") if part.strip()]
            if parts:
                given[name] = parts
        elif len(values) > 1:
            raise _refused(name, "repeated", f"{name} takes one value.")
        elif values:
            given[name] = values[0]
    return given


async def read_object(request: Request) -> dict[str, object]:
    """The JSON object in a request's body; no body at all is an empty one."""
    body = await request.body()
    if not body.strip():
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        # Also what keeps a form of another site from posting here: a browser asks first before it sends JSON.
        raise _refused("", "not_json", "The body must be JSON, with Content-Type: application/json.")
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise _refused("", "not_json", "The body is not valid JSON.") from None
    if not isinstance(given, dict):
        raise _refused("", "not_an_object", "The body must be a JSON object.")
    return given


def _with_version(route: CommandRoute, request: Request, given: dict[str, object]) -> dict[str, object]:
    """If-Match: "7" is the version that the caller saw."""
    header = request.headers.get("if-match", "*").strip()
    if header == "*" or "version" not in route.properties:
        return given
    tag = header.removeprefix("W/").strip('"')
    if not (tag.isascii() and tag.isdecimal()):
        raise _refused("If-Match", "not_a_version", 'If-Match takes a version, such as "7".')
    if str(given.get("version", tag)) != tag:
        raise _refused("version", "named_twice", "version and If-Match differ.")
    return {**given, "version": int(tag)}


def _refused(path: str, code: str, message: str) -> InvalidInput:
    problem = Problem(path=path, code=code, message=message)
    return InvalidInput(message, code="invalid_arguments", action="Correct the request.", problems=[problem])
