"""One call to Meta's Graph API: parameters from wherever they came, the token, the answer with its usage headers."""

import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from sandbox.accounts import Account, Token, find_token, opened_by
from sandbox.faults import Fault, NamedRoute
from sandbox.graph_errors import (
    GraphError,
    bad_parameter,
    expired_token,
    missing_token,
    no_such_object,
    rate_limited,
    revoked_token,
    unknown_token,
)
from sandbox.world import World, world_of

LATEST_VERSION = "v26.0"
LATEST_MAJOR = 26
# Accepted on every call.
COMMON_PARAMETERS = frozenset({"access_token", "appsecret_proof", "format", "pretty", "debug", "locale", "method"})
PREFIXES = {"/facebook-graph": "facebook", "/instagram-graph": "instagram"}


UNKNOWN = NamedRoute(
    name="graph.unknown", dialect="graph", method="*", does="anything else under the Graph addresses; always refused"
)


@dataclass(kw_only=True)
class GraphCall:
    """A call on its way; ``fault`` is one that the handler itself has to act out (slow or failing processing)."""

    world: World
    method: str
    login: str
    base_url: str
    path: str
    parameters: dict[str, str]
    token: str | None = field(repr=False)
    now: float
    fault: Fault | None = None

    def only(self, allowed: Collection[str]) -> None:
        """Refuse a parameter that this call does not know; Meta is laxer, tests want to hear of it."""
        for name in sorted(self.parameters.keys() - COMMON_PARAMETERS - set(allowed)):
            raise bad_parameter(f"Unknown parameter: {name}")

    def required(self, name: str) -> str:
        """The value of a parameter that must be there."""
        value = self.parameters.get(name, "")
        if not value:
            raise bad_parameter(f"The parameter {name} is required.")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean parameter."""
        value = self.parameters.get(name, str(default)).lower()
        if value not in ("true", "false", "1", "0"):
            raise bad_parameter(f"Param {name} must be a boolean.")
        return value in ("true", "1")

    def number(self, name: str, *, default: int) -> int:
        """A whole number, not negative."""
        value = self.parameters.get(name, str(default))
        if not value.isdecimal():
            raise bad_parameter(f"Param {name} must be a non-negative integer.")
        return int(value)

    def moment(self, name: str) -> float | None:
        """A time as unix seconds, given as such or in ISO form; None when it was not given."""
        value = self.parameters.get(name)
        if not value:
            return None
        try:
            return float(value) if value.isdecimal() else datetime.fromisoformat(value).timestamp()
        except ValueError:
            raise bad_parameter(f"Param {name} must be a unix timestamp or a date.") from None

    def living_token(self) -> Token:
        """The caller's token, or 190 and its kin."""
        if not self.token:
            raise missing_token()
        token = find_token(self.world.store, self.token)
        if token is None or not any(account.login == self.login for account in self.accounts()):
            raise unknown_token()
        if token.revoked_subcode is not None:
            raise revoked_token(token.revoked_subcode)
        if token.expires_at is not None and token.expires_at <= self.now:
            raise expired_token()
        return token

    def accounts(self) -> list[Account]:
        """The accounts the token opens, whether or not it is alive."""
        return opened_by(self.world.store, self.token or "")

    def account(self, external_id: str) -> Account:
        """The account of this id, if the caller may act for it."""
        self.living_token()
        for account in self.accounts():
            if account.external_id == external_id and account.login == self.login:
                return account
        raise no_such_object(external_id, self.method)


GraphDeed = Callable[[GraphCall], Awaitable[Mapping[str, object]]]


async def answer(request: Request, route: NamedRoute, account: str, deed: GraphDeed) -> Response:
    """Receive, journal and answer one Graph call; ``account`` is whom it is about, empty when nobody knows."""
    world = world_of(request)
    parameters = await read_parameters(request)
    path = request.url.path
    call = world.journal.open(
        route=route.name, method=request.method, path=path, account=account, parameters=parameters
    )
    graph_call = GraphCall(
        world=world,
        method=request.method,
        login=next((login for prefix, login in PREFIXES.items() if path.startswith(prefix)), "facebook"),
        base_url=str(request.base_url).rstrip("/"),
        path=path,
        parameters=parameters,
        token=_token(request, parameters),
        now=world.now(),
    )

    async def do(fault: Fault | None) -> Response:
        graph_call.fault, graph_call.now = fault, world.now()
        usage = _usage(world, account)
        try:
            _check_usage(usage, account)
            _check_version(request.path_params.get("version"), path)
            return _response(dict(await deed(graph_call)), 200, _usage_headers(account, usage))
        except GraphError as error:
            call.error = {"code": error.code, "error_subcode": error.subcode, "message": error.message}
            return _response(error.envelope(), error.status, _usage_headers(account, usage) | error.headers)

    text = " ".join((path, *(value for name, value in parameters.items() if name != "access_token")))
    return await world.perform(route, call, do, text=text)


async def read_parameters(request: Request) -> dict[str, str]:
    """Query, form and JSON parameters in one; objects and lists become JSON text, the body wins."""
    parameters = dict(request.query_params)
    kind = request.headers.get("content-type", "")
    if kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        form = await request.form()
        parameters |= {name: value for name, value in form.items() if not isinstance(value, UploadFile)}
    elif kind.startswith("application/json"):
        parameters |= _json_parameters(await request.body())
    return parameters


def _json_parameters(body: bytes) -> dict[str, str]:
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        return {"malformed_json_body": "true"}  # refused as an unknown parameter
    if not isinstance(given, dict):
        return {"malformed_json_body": "true"}
    return {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}


def _token(request: Request, parameters: Mapping[str, str]) -> str | None:
    if parameters.get("access_token"):
        return parameters["access_token"]
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() in ("bearer", "oauth") and value.strip() else None


def _check_usage(per_cent: int, account: str) -> None:
    if per_cent >= 100:  # noqa: PLR2004 - all of it
        raise rate_limited(account)


def _check_version(version: str | None, path: str) -> None:
    """Versions that have expired are served as the oldest living one, those that never were are not."""
    if version is None:
        return
    known = re.fullmatch(r"v(\d{1,2})\.\d", version)
    if known is None or int(known[1]) > LATEST_MAJOR:
        raise GraphError(f"Unknown path components: {path}", code=2500)


def _usage(world: World, account: str) -> int:
    calls = world.calls_in_the_last_hour(account)
    return min(100, calls * 100 // world.conditions.calls_per_hour)


def _usage_headers(account: str, usage: int) -> dict[str, str]:
    counts = {"call_count": usage, "total_cputime": usage // 2, "total_time": usage // 2}
    business = [{"type": "instagram", **counts, "estimated_time_to_regain_access": 0}]
    return {
        "x-app-usage": json.dumps(counts),
        "x-business-use-case-usage": json.dumps({account or "0": business}),
    }


def _response(body: Mapping[str, object], status: int, headers: Mapping[str, str]) -> Response:
    named = {"facebook-api-version": LATEST_VERSION, **headers}
    if "error" in body and isinstance(body["error"], dict):
        named["x-fb-trace-id"] = str(body["error"].get("fbtrace_id", ""))
    return JSONResponse(body, status, named)
