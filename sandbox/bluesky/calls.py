"""One call to the pretend server: whose token it carries, its parameters, and the answer in XRPC's manner."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fastapi import Request
from starlette.responses import JSONResponse, Response

from sandbox.accounts import Account, find_token, opened_by
from sandbox.bluesky.errors import XrpcError, expired_token, invalid_request
from sandbox.bluesky.repository import PLATFORM
from sandbox.faults import Fault, NamedRoute
from sandbox.world import World, world_of


@dataclass(kw_only=True)
class XrpcCall:
    """A call on its way. ``body`` is empty for a blob, whose bytes are in ``content``."""

    world: World
    account: Account
    query: Mapping[str, str]
    uris: tuple[str, ...]
    body: dict[str, object]
    content: bytes = field(repr=False)
    content_type: str
    now: float

    def own_repository(self) -> str:
        """The account, if the body names its repository."""
        if self.body.get("repo") not in (self.account.external_id, self.account.handle):
            raise XrpcError("AccountNotFound", "Account not found", status=403)
        return self.account.external_id

    def number(self, name: str, *, default: int, most: int) -> int:
        """A number of the query."""
        value = self.query.get(name, str(default))
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise invalid_request(f"{name} must be a number from 1 to {most}")
        return int(value)


Deed = Callable[[XrpcCall], Awaitable[Mapping[str, object]]]


async def answer(request: Request, route: NamedRoute, deed: Deed) -> Response:
    """Answer one call of somebody who bears a token, journalled and subject to faults."""
    world = world_of(request)
    value = bearer(request)
    account = owner(world, value)
    content = await request.body()
    body = json_of(request, content)
    call = world.journal.open(
        route=route.name,
        method=request.method,
        path=request.url.path,
        account=account.external_id if account else "",
        parameters=dict(request.query_params) | flat(body),
    )

    async def do(_: Fault | None) -> Response:
        try:
            opened = XrpcCall(
                world=world,
                account=_let_in(world, value, account),
                query=request.query_params,
                uris=tuple(request.query_params.getlist("uris")),
                body=body,
                content=content,
                content_type=request.headers.get("content-type", ""),
                now=world.now(),
            )
            return JSONResponse(dict(await deed(opened)))
        except XrpcError as error:
            call.error = error.body()
            return JSONResponse(error.body(), error.status, error.headers)

    return await world.perform(route, call, do, text=f"{request.url.path} {json.dumps(body)[:10_000]}")


def bearer(request: Request) -> str:
    """The token of a request, empty when it bears none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme == "Bearer" else ""


def owner(world: World, token: str) -> Account | None:
    """Whose token it is."""
    return next((one for one in opened_by(world.store, token) if one.platform == PLATFORM), None)


def json_of(request: Request, content: bytes) -> dict[str, object]:
    """The JSON object of a body, empty for anything else."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return {}
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def flat(body: dict[str, object]) -> dict[str, str]:
    """A body for the journal."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}


def _let_in(world: World, value: str, account: Account | None) -> Account:
    if not value:
        raise XrpcError("AuthMissing", "Authentication Required", status=401)
    token = find_token(world.store, value)
    if token is None or account is None or token.revoked_subcode is not None:
        raise XrpcError("InvalidToken", "Token could not be verified")
    if token.expires_at is not None and token.expires_at <= world.now():
        raise expired_token()
    return account
