"""Sessions: opened with an app password, renewed with a refresh token that answers the same for two hours more."""

import base64
import json
import secrets
from collections.abc import Callable

from fastapi import Request
from starlette.responses import JSONResponse, Response

from sandbox.accounts import Account, Token, find_account, find_token, save_token
from sandbox.bluesky.calls import bearer, flat, json_of
from sandbox.bluesky.errors import XrpcError, expired_token, too_many_calls
from sandbox.bluesky.reading import resident
from sandbox.faults import Fault, NamedRoute
from sandbox.world import World, world_of

CREATE = NamedRoute(
    name="bluesky.create_session",
    dialect="xrpc",
    method="POST",
    does="trade an app password for a session: com.atproto.server.createSession",
)
REFRESH = NamedRoute(
    name="bluesky.refresh_session",
    dialect="xrpc",
    method="POST",
    does="trade a refresh token for a new session: com.atproto.server.refreshSession",
)
GRACE_SECONDS = 7_200
LOGINS, LOGINS_WINDOW_SECONDS = 30, 300


def keep_refresh_token(world: World, value: str, *, account: str, access_token: str) -> None:
    """Let a refresh token work from now on."""
    ends = world.now() + world.conditions.bluesky_refresh_token_seconds
    world.store.run(
        "insert or replace into bluesky_sessions (refresh_token, account, access_token, expires_at)"
        " values (?, ?, ?, ?)",
        value,
        account,
        access_token,
        ends,
    )


def keep_app_password(world: World, value: str, *, account: str) -> None:
    """Let an app password open sessions from now on."""
    world.store.run("insert or ignore into bluesky_passwords (account, password) values (?, ?)", account, value)


async def create(request: Request) -> Response:
    """POST com.atproto.server.createSession."""
    world, body = world_of(request), json_of(request, await request.body())
    account = resident(world.store, str(body.get("identifier", "")).lower())

    def deed() -> dict[str, object]:
        counted = f"bluesky.create_session {account.external_id if account else ''}"
        if world.calls_within(counted, seconds=LOGINS_WINDOW_SECONDS) >= LOGINS:
            raise too_many_calls(world.now())
        known = account is not None and world.store.one(
            "select 1 from bluesky_passwords where account = ? and password = ?",
            account.external_id,
            str(body.get("password")),
        )
        if account is None or not known:
            raise XrpcError("AuthenticationRequired", "Invalid identifier or password", status=401)
        with world.store.transaction():
            return _new_session(world, account)

    return await _answer(request, CREATE, account, flat(body), deed)


async def refresh(request: Request) -> Response:
    """POST com.atproto.server.refreshSession."""
    world, value = world_of(request), bearer(request)
    row = world.store.one("select * from bluesky_sessions where refresh_token = ?", value)
    account = find_account(world.store, row["account"]) if row else None

    def deed() -> dict[str, object]:
        if row is None or account is None:
            raise XrpcError("InvalidToken", "Token could not be verified")
        token = find_token(world.store, row["access_token"])
        if token is not None and token.revoked_subcode is not None:
            raise XrpcError("ExpiredToken", "Token has been revoked")
        if row["expires_at"] <= world.now():
            raise expired_token()
        with world.store.transaction():
            return _renewed(world, account, value, row["successor"])

    return await _answer(request, REFRESH, account, {}, deed)


async def _answer(
    request: Request,
    route: NamedRoute,
    account: Account | None,
    parameters: dict[str, str],
    deed: Callable[[], dict[str, object]],
) -> Response:
    world = world_of(request)
    call = world.journal.open(
        route=route.name,
        method="POST",
        path=request.url.path,
        account=account.external_id if account else "",
        parameters=parameters,
    )

    async def do(_: Fault | None) -> Response:
        try:
            return JSONResponse(deed())
        except XrpcError as error:
            call.error = error.body()
            return JSONResponse(error.body(), error.status, error.headers)

    return await world.perform(route, call, do, text=request.url.path)


def _renewed(world: World, account: Account, value: str, successor: str | None) -> dict[str, object]:
    if successor is not None:
        row = world.store.one("select access_token from bluesky_sessions where refresh_token = ?", successor)
        assert row is not None
        return _described(account, row["access_token"], successor)
    session = _new_session(world, account)
    world.store.run(
        "update bluesky_sessions set successor = ?, expires_at = min(expires_at, ?) where refresh_token = ?",
        session["refreshJwt"],
        world.now() + GRACE_SECONDS,
        value,
    )
    return session


def _new_session(world: World, account: Account) -> dict[str, object]:
    lives = world.conditions.bluesky_access_token_seconds
    access = _token(account, "com.atproto.appPass", world.now(), lives)
    refresh_token = _token(account, "com.atproto.refresh", world.now(), world.conditions.bluesky_refresh_token_seconds)
    token = Token(value=access, issued_at=world.now(), expires_at=world.now() + lives, revoked_subcode=None)
    save_token(world.store, token, opens=account)
    keep_refresh_token(world, refresh_token, account=account.external_id, access_token=access)
    return _described(account, access, refresh_token)


def _described(account: Account, access_token: str, refresh_token: str) -> dict[str, object]:
    return {
        "accessJwt": access_token,
        "refreshJwt": refresh_token,
        "did": account.external_id,
        "handle": account.handle,
        "active": True,
    }


def _token(account: Account, scope: str, now: float, lives: int) -> str:
    """A token in the shape of a JWT; its last part is chance, and nobody verifies it."""
    head = _part({"typ": "at+jwt", "alg": "HS256"})
    claims = _part({"scope": scope, "sub": account.external_id, "iat": int(now), "exp": int(now) + lives})
    return f"{head}.{claims}.{secrets.token_urlsafe(32)}"


def _part(content: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
