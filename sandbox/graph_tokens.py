"""How Meta's long-lived tokens are exchanged and refreshed, for both login products."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from sandbox.accounts import successor
from sandbox.faults import NamedRoute
from sandbox.graph_call import UNKNOWN, GraphCall, answer
from sandbox.graph_errors import GraphError, bad_parameter

LIFETIME_SECONDS = 5_183_944  # about 60 days, the number that Meta answers
YOUNGEST_SECONDS = 86_400
PERMISSIONS = "instagram_business_basic,instagram_business_content_publish,instagram_business_manage_comments"

REFRESH = NamedRoute(
    name="meta.refresh_token", dialect="graph", method="GET", does="GET /refresh_access_token (Instagram Login)"
)
EXCHANGE = NamedRoute(
    name="meta.exchange_token",
    dialect="graph",
    method="GET",
    does="GET /access_token (Instagram Login) and GET /oauth/access_token (Facebook Login)",
)
ROUTES = (REFRESH, EXCHANGE, UNKNOWN)

tokens = APIRouter()
nothing = APIRouter()


@tokens.get("/refresh_access_token")
async def refresh(request: Request) -> Response:
    """Prolong a token that is at least a day old and still alive."""

    async def deed(call: GraphCall) -> dict[str, object]:
        _only_at(call, "instagram")
        call.only({"grant_type"})
        _grant(call, "ig_refresh_token")
        token = call.living_token()
        if call.now - token.issued_at < YOUNGEST_SECONDS:
            raise GraphError("(#10) The access token must be at least 24 hours old to be refreshed.", code=10)
        return _fresh(call) | {"permissions": PERMISSIONS}

    return await answer(request, REFRESH, "", deed)


@tokens.get("/access_token")
async def exchange_instagram(request: Request) -> Response:
    """Turn a short-lived token of Instagram Login into a long-lived one."""

    async def deed(call: GraphCall) -> dict[str, object]:
        _only_at(call, "instagram")
        call.only({"grant_type", "client_secret"})
        _grant(call, "ig_exchange_token")
        call.required("client_secret")
        return _fresh(call)

    return await answer(request, EXCHANGE, "", deed)


@tokens.get("/oauth/access_token")
async def exchange_facebook(request: Request) -> Response:
    """Turn any living token of Facebook Login into a long-lived one."""

    async def deed(call: GraphCall) -> dict[str, object]:
        _only_at(call, "facebook")
        call.only({"grant_type", "client_id", "client_secret", "fb_exchange_token"})
        _grant(call, "fb_exchange_token")
        call.required("client_id")
        call.required("client_secret")
        call.token = call.required("fb_exchange_token")
        return _fresh(call)

    return await answer(request, EXCHANGE, "", deed)


@nothing.api_route("/{path:path}", methods=["GET", "POST", "DELETE", "PUT", "PATCH"])
async def nothing_here(request: Request, path: str) -> Response:
    """Refuse what does not exist, in Meta's manner; has to be the last route of all."""

    async def deed(_: GraphCall) -> dict[str, object]:
        raise GraphError(f"Unknown path components: /{path}", code=2500)

    return await answer(request, UNKNOWN, "", deed)


def _only_at(call: GraphCall, login: str) -> None:
    if call.login != login:
        raise GraphError(f"Unknown path components: {call.path}", code=2500)


def _grant(call: GraphCall, grant_type: str) -> None:
    if call.required("grant_type") != grant_type:
        raise bad_parameter(f"Param grant_type must be {grant_type}.")


def _fresh(call: GraphCall) -> dict[str, object]:
    token = successor(call.world.store, call.living_token(), lifetime_seconds=LIFETIME_SECONDS)
    return {"access_token": token.value, "token_type": "bearer", "expires_in": LIFETIME_SECONDS}
