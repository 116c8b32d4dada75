"""One call to TikTok's API: whose token it carries, the JSON in its body, the limits of a minute, the envelope."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import JSONResponse, Response

from sandbox.accounts import Account, find_token, opened_by
from sandbox.faults import Fault, NamedRoute
from sandbox.journal import Call
from sandbox.tiktok.errors import TikTokError, dead_token, envelope, invalid_param, too_many_calls
from sandbox.tiktok.publications import PLATFORM
from sandbox.world import World, world_of

MINUTE = 60

# Which condition limits the calls of which routes, for one user's token.
LIMITS: Mapping[str, str] = {
    "tiktok.creator_info": "tiktok_creator_infos_per_minute",
    "tiktok.init_video": "tiktok_inits_per_minute",
    "tiktok.init_inbox": "tiktok_inits_per_minute",
    "tiktok.init_content": "tiktok_inits_per_minute",
    "tiktok.status": "tiktok_statuses_per_minute",
}


@dataclass(kw_only=True)
class TikTokCall:
    """A call on its way; ``fault`` is one that the handler itself has to act out."""

    world: World
    account: Account
    body: dict[str, object]
    fields: tuple[str, ...]
    base_url: str
    now: float
    fault: Fault | None = None

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise invalid_param(f"{name} is required.")
        return value

    def part(self, name: str) -> dict[str, object]:
        """An object of the body; empty when it is not there."""
        value = self.body.get(name, {})
        if not isinstance(value, dict):
            raise invalid_param(f"{name} must be an object.")
        return value

    def only(self, *names: str) -> None:
        """Refuse what this call does not know; TikTok is laxer, tests want to hear of it."""
        for name in sorted(self.body.keys() - set(names)):
            raise invalid_param(f"Unknown parameter: {name}")


Deed = Callable[[TikTokCall], Awaitable[Mapping[str, object]]]


async def answer(request: Request, route: NamedRoute, deed: Deed) -> Response:
    """Answer one call in TikTok's envelope, journalled and subject to faults."""
    world = world_of(request)
    account = _owner(world, _token(request))
    raw = await request.body()
    call = world.journal.open(
        route=route.name,
        method=request.method,
        path=request.url.path,
        account=account.external_id if account else "",
        parameters=dict(request.query_params) | _flat(raw),
    )

    async def do(fault: Fault | None) -> Response:
        try:
            caller = _caller(request, world, raw, fault)
            _count(world, route.name, caller.account.external_id)
            return JSONResponse(envelope(await deed(caller)))
        except TikTokError as error:
            return refused(call, error)

    return await world.perform(route, call, do, text=f"{request.url.path} {raw[:10_000].decode(errors='replace')}")


def refused(call: Call, error: TikTokError) -> Response:
    """The answer of a refusal, written into the journal too."""
    call.error = {"code": error.code, "message": error.message}
    return JSONResponse(error.body(), error.status)


def _caller(request: Request, world: World, raw: bytes, fault: Fault | None) -> TikTokCall:
    value = _token(request)
    token = find_token(world.store, value)
    account = _owner(world, value)
    if token is None or account is None or token.revoked_subcode is not None:
        raise dead_token()
    if token.expires_at is not None and token.expires_at <= world.now():
        raise dead_token()
    return TikTokCall(
        world=world,
        account=account,
        body=_parsed(raw),
        fields=tuple(name for name in request.query_params.get("fields", "").split(",") if name),
        base_url=str(request.base_url).rstrip("/"),
        now=world.now(),
        fault=fault,
    )


def _owner(world: World, token: str) -> Account | None:
    return next((one for one in opened_by(world.store, token) if one.platform == PLATFORM), None)


def _token(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme == "Bearer" else ""


def _count(world: World, route: str, account: str) -> None:
    limit = getattr(world.conditions, LIMITS.get(route, "tiktok_reads_per_minute"))
    kind = LIMITS.get(route, route)
    if world.calls_within(f"{kind} {account}", seconds=MINUTE) >= limit:
        raise too_many_calls()


def _parsed(raw: bytes) -> dict[str, object]:
    try:
        given = json.loads(raw or b"{}")
    except ValueError:
        raise invalid_param("The body is no JSON.") from None
    if not isinstance(given, dict):
        raise invalid_param("The body must be a JSON object.")
    return given


def _flat(raw: bytes) -> dict[str, str]:
    try:
        given = _parsed(raw)
    except TikTokError:
        return {}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
