"""TikTok's OAuth: an access token of two hours, and a refresh token that works once."""

import secrets

from fastapi import Request
from starlette.responses import JSONResponse, Response

from sandbox.accounts import Account, Token, find_account, find_token, save_token
from sandbox.faults import Fault, NamedRoute
from sandbox.store import Store
from sandbox.world import World, world_of

REFRESH = NamedRoute(
    name="tiktok.token", dialect="tiktok", method="POST", does="trade a refresh token for two new tokens: oauth/token"
)
SCOPES = "user.info.basic,user.info.profile,user.info.stats,video.list,video.publish,video.upload"


class OAuthRefused(Exception):
    """A refusal in OAuth's flat form."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


def keep_refresh_token(world: World, value: str, *, account: str, access_token: str) -> None:
    """Let a refresh token work from now on."""
    world.store.run(
        "insert or replace into tiktok_refresh_tokens (token, account, access_token, expires_at) values (?, ?, ?, ?)",
        value,
        account,
        access_token,
        world.now() + world.conditions.tiktok_refresh_token_seconds,
    )


async def refresh(request: Request) -> Response:
    """POST /v2/oauth/token/ with grant_type=refresh_token."""
    world = world_of(request)
    form = {name: str(value) for name, value in (await request.form()).items()}
    kept = world.store.one("select account from tiktok_refresh_tokens where token = ?", form.get("refresh_token", ""))
    call = world.journal.open(
        route=REFRESH.name,
        method="POST",
        path=request.url.path,
        account=kept["account"] if kept else "",
        parameters=form,
    )

    async def do(_: Fault | None) -> Response:
        try:
            return JSONResponse(_rotated(world, form))
        except OAuthRefused as refused:
            call.error = {"code": refused.error, "message": str(refused)}
            body = {"error": refused.error, "error_description": str(refused), "log_id": secrets.token_hex(16)}
            return JSONResponse(body, 400)

    return await world.perform(REFRESH, call, do, text=request.url.path)


def _rotated(world: World, form: dict[str, str]) -> dict[str, object]:
    if form.get("grant_type") != "refresh_token":
        raise OAuthRefused("unsupported_grant_type", "The sandbox grants refresh_token alone.")
    if not form.get("client_key") or not form.get("client_secret"):
        raise OAuthRefused("invalid_client", "Client key or secret is incorrect.")
    account, old = _granted(world, form.get("refresh_token", ""))
    access = Token(
        value=f"act.{secrets.token_urlsafe(24)}",
        issued_at=world.now(),
        expires_at=world.now() + world.conditions.tiktok_access_token_seconds,
        revoked_subcode=None,
    )
    new = f"rft.{secrets.token_urlsafe(24)}"
    with world.store.transaction():
        world.store.run("delete from tiktok_refresh_tokens where token = ?", old)
        save_token(world.store, access, opens=account)
        keep_refresh_token(world, new, account=account.external_id, access_token=access.value)
    return {
        "access_token": access.value,
        "expires_in": world.conditions.tiktok_access_token_seconds,
        "open_id": account.external_id,
        "refresh_expires_in": world.conditions.tiktok_refresh_token_seconds,
        "refresh_token": new,
        "scope": SCOPES,
        "token_type": "Bearer",
    }


def _granted(world: World, value: str) -> tuple[Account, str]:
    row = world.store.one("select * from tiktok_refresh_tokens where token = ?", value)
    account = find_account(world.store, row["account"]) if row else None
    if row is None or account is None or row["expires_at"] <= world.now() or _revoked(world.store, row["access_token"]):
        raise OAuthRefused("invalid_grant", "Refresh token is invalid or expired.")
    return account, value


def _revoked(store: Store, access_token: str) -> bool:
    token = find_token(store, access_token)
    return token is not None and token.revoked_subcode is not None
