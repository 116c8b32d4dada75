"""Errors as RFC 9457 problem+json: one shape for what we foresee, what is not there, and what we did not foresee."""

import json
import logging
import math
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from core.errors import Ambiguous, Conflict, InvalidInput, NotFound, StudioError, Unauthenticated, Unavailable

log = logging.getLogger("studio.api")

MEDIA_TYPE = "application/problem+json"
_CODES = {400: "bad_request", 404: "route_not_found", 405: "method_not_allowed", 413: "too_large"}
_DATABASE_RETRY_SECONDS = 5
# What pydantic calls a body that cannot be read at all, or is no object.
_NO_OBJECT = frozenset({"json_invalid", "model_attributes_type"})

# The schema that every error response refers to in /openapi.json.
SCHEMA: dict[str, object] = {
    "title": "Problem",
    "description": "An error (RFC 9457). `code` is stable; `detail` and `action` are sentences for people.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "action": {"type": "string", "description": "the way out"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "code", "message"],
                "properties": {name: {"type": "string"} for name in ("path", "code", "message")},
            },
        },
        "candidates": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "label"],
                "properties": {"id": {"type": "string"}, "label": {"type": "string"}},
            },
        },
        "changed": {"type": "object", "description": "field -> its present value", "additionalProperties": True},
        "retry_after": {"type": "integer", "description": "seconds"},
        "request_id": {"type": "string", "description": "quote it when you report an internal error"},
        "run_id": {"type": "string", "description": "the run that goes on although this answer gave up waiting"},
    },
}


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    action: str | None = None,
    headers: Mapping[str, str] | None = None,
    **extra: object,
) -> Response:
    """A problem+json response; members of ``extra`` that are None or empty are left out."""
    body: dict[str, object] = {
        "type": f"urn:studio:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    body |= {name: value for name, value in {"action": action, **extra}.items() if value}
    content = json.dumps(body, ensure_ascii=False, default=str)
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def of_error(error: StudioError) -> Response:
    """The problem that a foreseen error is."""
    extra: dict[str, object] = {}
    headers: dict[str, str] = {}
    if isinstance(error, InvalidInput):
        extra["problems"] = [{"path": one.path, "code": one.code, "message": one.message} for one in error.problems]
    if isinstance(error, Ambiguous):
        extra["candidates"] = [{"id": one.id, "label": one.label} for one in error.candidates]
    if isinstance(error, Conflict):
        extra["changed"] = error.changed
    if isinstance(error, Unavailable) and error.retry_after is not None:
        seconds = max(1, math.ceil(error.retry_after))
        extra["retry_after"] = seconds
        headers["Retry-After"] = str(seconds)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="studio"'
    return problem(error.status, error.code, error.message, action=error.action, headers=headers, **extra)


def of_http(error: HTTPException) -> Response:
    """The problem that the framework's own refusal is (no such route, method, a body that is no JSON)."""
    details = {
        404: ("There is nothing at this address.", "Look at /openapi.json for the routes there are."),
        405: ("This address does not know that method.", "Use one of the methods named in the Allow header."),
    }
    detail, action = details.get(error.status_code, (str(error.detail), None))
    code = _CODES.get(error.status_code, "http_error")
    return problem(error.status_code, code, detail, action=action, headers=error.headers)


def of_validation(error: RequestValidationError) -> Response:
    """The problem of a request whose fields do not fit."""
    if any(each["type"] in _NO_OBJECT for each in error.errors()):
        return problem(
            422,
            "invalid_input",
            "The body is no JSON object.",
            action="Send one JSON object, with the header Content-Type: application/json.",
            problems=[{"path": "", "code": "json_invalid", "message": "This is no JSON object."}],
        )
    found = [
        {
            "path": dotted(each["loc"]),
            "code": str(each["type"]),
            "message": str(each["msg"]).removeprefix("Value error, "),
        }
        for each in error.errors()
    ]
    listed = "; ".join(f"{each['path'] or 'the body'}: {each['message']}" for each in found[:5])
    return problem(
        422, "invalid_input", f"The request does not fit: {listed}.", action="Correct the named fields.", problems=found
    )


def dotted(location: Sequence[object]) -> str:
    """The path of a location, such as media.0.url; the source (body, query, path, header) is left out."""
    sources = {"body", "query", "path", "header", "cookie"}
    parts = [str(part) for part in location]
    return ".".join(parts[1:] if parts and parts[0] in sources else parts)


def of_unforeseen(error: Exception, request_id: str) -> Response:
    """The problem of what nobody foresaw: logged whole under the request's id, and nothing of it said outside."""
    if isinstance(error, OperationalError | PoolTimeout):
        log.error("request %s: the database does not answer: %s", request_id, type(error).__name__)
        waiting = Unavailable(
            "The database does not answer.",
            code="database_unavailable",
            action="Try again in a few seconds; `studio doctor` says what is wrong.",
            retry_after=_DATABASE_RETRY_SECONDS,
        )
        return of_error(waiting)
    log.error("request %s failed", request_id, exc_info=error)
    return problem(
        500,
        "internal",
        "Something went wrong inside Studio.",
        action=f"Look for request {request_id} in the server's log, and report it.",
        request_id=request_id,
    )


def _methods_at(app: FastAPI, path: str) -> list[str]:
    """Every method that an address knows: the framework names those of the first route there alone."""
    found: set[str] = set()
    for template, operations in app.openapi().get("paths", {}).items():
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path):
            found |= {method.upper() for method in operations}
    return sorted(found)


def no_such(noun: str, given: str) -> NotFound:
    """The error for an id that names nothing here; the id is repeated, because it is the caller's own."""
    return NotFound(f"There is no {noun} {given[:80]!r} here.", code=f"{noun}_not_found", action="Check the id.")


def install(app: FastAPI) -> None:
    """Answer every foreseen error of the application as a problem."""

    @app.exception_handler(StudioError)
    async def foreseen(_request: Request, error: StudioError) -> Response:
        return of_error(error)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        response = of_http(error)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            known = _methods_at(request.app, request.url.path)
            response.headers["Allow"] = ", ".join(known) or response.headers.get("Allow", "")
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        return of_validation(error)
