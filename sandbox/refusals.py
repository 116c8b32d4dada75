"""The bodies that faults answer with, in the manner of the route they are planted on."""

import time

from starlette.responses import JSONResponse, Response

from sandbox.bluesky.errors import XrpcError, invalid_request, server_error
from sandbox.bluesky.errors import expired_token as expired_session
from sandbox.bluesky.errors import too_many_calls as too_many_xrpc_calls
from sandbox.faults import Fault, NamedRoute
from sandbox.graph_errors import GraphError, bad_parameter, expired_token, rate_limited
from sandbox.journal import Call
from sandbox.tiktok.errors import TikTokError, dead_token, invalid_param, too_many_calls

SERVER_ERROR = 500
BAD_REQUEST = 400
FORBIDDEN = 403
TOO_MANY_REQUESTS = 429
UNAUTHORIZED = 401
_REFUSALS = frozenset({"refuse", "refuse_after"})


def refusal(fault: Fault, route: NamedRoute, call: Call) -> Response:
    """What a fault answers that lets the connection live: status, rate_limit, refuse, forbid, expired_token."""
    status, body, headers = _default(fault, route, call)
    status = fault.status or status
    headers |= fault.headers
    if isinstance(fault.body, str):
        return Response(fault.body, status, headers | {"content-type": headers.get("content-type", "text/plain")})
    return JSONResponse(body if fault.body is None else fault.body, status, headers)


def _default(fault: Fault, route: NamedRoute, call: Call) -> tuple[int, dict[str, object], dict[str, str]]:
    if route.dialect == "graph":
        error = _graph_error(fault, call)
        return error.status, error.envelope(), dict(error.headers)
    if route.dialect == "tiktok":
        refused = _tiktok_error(fault)
        return refused.status, refused.body(), {}
    if route.dialect == "xrpc":
        broken = _xrpc_error(fault)
        return broken.status, broken.body(), dict(broken.headers)
    return _openai_error(fault)


def _openai_error(fault: Fault) -> tuple[int, dict[str, object], dict[str, str]]:
    match fault.kind:
        case "refuse" | "refuse_after":
            return BAD_REQUEST, _openai("The request was refused.", "invalid_request_error", "invalid_value"), {}
        case "forbid":
            return FORBIDDEN, _openai("You have no permission for this.", "invalid_request_error", "forbidden"), {}
        case "rate_limit":
            message = "Rate limit reached for the sandbox's model. Please try again in 1s."
            return TOO_MANY_REQUESTS, _openai(message, "requests", "rate_limit_exceeded"), {"retry-after": "1"}
        case "expired_token":
            return UNAUTHORIZED, _openai("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"), {}
    failed = "The server had an error while processing your request."
    return SERVER_ERROR, _openai(failed, "server_error", None), {}


def _graph_error(fault: Fault, call: Call) -> GraphError:
    if fault.kind == "rate_limit":
        business = "pages" if call.route.startswith("facebook.") else "instagram"
        return rate_limited(call.account, type_of_business=business)
    if fault.kind == "expired_token":
        return expired_token()
    if fault.kind in _REFUSALS:
        return bad_parameter("The content breaks a rule of the sandbox's.")
    if fault.kind == "forbid":
        return GraphError("Requires a permission that was not granted.", code=200, status=FORBIDDEN)
    return GraphError(
        "An unexpected error has occurred. Please retry your request later.",
        code=2,
        status=SERVER_ERROR,
        transient=True,
    )


def _tiktok_error(fault: Fault) -> TikTokError:
    if fault.kind == "rate_limit":
        return too_many_calls()
    if fault.kind == "expired_token":
        return dead_token()
    if fault.kind in _REFUSALS:
        return invalid_param("The content breaks a rule of the sandbox's.")
    if fault.kind == "forbid":
        return TikTokError("scope_not_authorized", "The user did not authorize the scope.")
    return TikTokError("internal_error", "Something went wrong. Please try again later.")


def _xrpc_error(fault: Fault) -> XrpcError:
    if fault.kind == "rate_limit":
        return too_many_xrpc_calls(time.time())
    if fault.kind == "expired_token":
        return expired_session()
    if fault.kind in _REFUSALS:
        return invalid_request("The content breaks a rule of the sandbox's.")
    if fault.kind == "forbid":
        return XrpcError("Forbidden", "This account may not do this.", status=FORBIDDEN)
    return server_error()


def _openai(message: str, kind: str, code: str | None) -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
