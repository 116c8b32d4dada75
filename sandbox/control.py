"""The strings behind the scenes, under /_sandbox: what tests and the demo set up, break and look at."""

import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Body, HTTPException, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sandbox import accounts, chat_completions, graph_tokens, media, posts
from sandbox.bluesky import routes as bluesky
from sandbox.bluesky import sessions as bluesky_sessions
from sandbox.chat_script import Script
from sandbox.facebook import routes as facebook
from sandbox.faults import MEANINGS, Fault, Kind, NamedRoute
from sandbox.instagram import routes as instagram
from sandbox.instagram.containers import grow_older
from sandbox.tiktok import routes as tiktok
from sandbox.tiktok.tokens import keep_refresh_token
from sandbox.world import Conditions, World, world_of

# Every network adds its routes here.
NAMED_ROUTES: tuple[NamedRoute, ...] = (
    *instagram.ROUTES,
    *facebook.ROUTES,
    *tiktok.ROUTES,
    *bluesky.ROUTES,
    *graph_tokens.ROUTES,
    *chat_completions.ROUTES,
    media.FETCH,
)
Part = Literal["state", "faults", "calls", "chat", "conditions"]

control = APIRouter(prefix="/_sandbox")


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewAccount(_Given):
    """An account and a token that opens it; ``issued_at`` is by default two days ago, ``expires_at`` never.

    ``refresh_token`` is TikTok's and Bluesky's, whose accounts have one kind of login, whatever ``login`` says;
    ``app_password`` opens sessions of a Bluesky account.
    """

    platform: Literal["instagram", "facebook", "tiktok", "bluesky"]
    external_id: str = Field(min_length=1, pattern=r"^[A-Za-z0-9._:-]+$")
    handle: str = Field(min_length=1)
    access_token: str = Field(min_length=1, repr=False)
    refresh_token: str | None = Field(None, min_length=1, repr=False)
    app_password: str | None = Field(None, min_length=1, repr=False)
    login: accounts.Login = "facebook"
    name: str | None = None
    expires_at: AwareDatetime | None = None
    issued_at: AwareDatetime | None = None


class TokenChange(_Given):
    """A new fate for a token; ``revoked_subcode`` 458, 460, … makes it dead, None lets it live."""

    access_token: str = Field(repr=False)
    expires_at: AwareDatetime | None = None
    revoked_subcode: int | None = None


class NewFault(_Given):
    """A fault to plant; see ``sandbox.faults.Fault`` for what each field means."""

    route: str
    kind: Kind
    times: int | None = Field(1, ge=1)
    skip: int = Field(0, ge=0)
    delay_seconds: float = Field(0.0, ge=0)
    status: int | None = Field(None, ge=200, le=599)
    body: dict[str, object] | list[object] | str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    subcode: int | None = None
    match: str | None = None
    chance: float | None = Field(None, ge=0, le=1)
    seed: int | None = None


class Audience(_Given):
    """What people did with a post; what is not named stays as it is."""

    views: int | None = Field(None, ge=0)
    reach: int | None = Field(None, ge=0)
    likes: int | None = Field(None, ge=0)
    comments: int | None = Field(None, ge=0)
    shares: int | None = Field(None, ge=0)
    saves: int | None = Field(None, ge=0)


class Older(_Given):
    """How much older something becomes."""

    seconds: float = Field(gt=0)


class Reset(_Given):
    """What to forget; everything when nothing is named."""

    only: tuple[Part, ...] = ("state", "faults", "calls", "chat", "conditions")


@control.get("/health")
async def health() -> dict[str, object]:
    """Answer as soon as the sandbox is up."""
    return {"status": "ok"}


@control.get("/routes")
async def routes() -> dict[str, object]:
    """Every route that faults and the journal know by name, and what each kind of fault does."""
    return {"items": [asdict(route) for route in NAMED_ROUTES], "kinds": MEANINGS}


@control.post("/accounts")
async def add_account(request: Request, given: NewAccount) -> dict[str, object]:
    """Create an account, or bring it up to date, and let the token open it. May be repeated."""
    account = accounts.Account(
        platform=given.platform,
        external_id=given.external_id,
        handle=given.handle.removeprefix("@"),
        name=given.name or given.handle,
        login=given.platform if given.platform in {"tiktok", "bluesky"} else given.login,
    )
    long_ago = datetime.now(UTC) - timedelta(seconds=accounts.DEFAULT_TOKEN_AGE_SECONDS)
    token = accounts.Token(
        value=given.access_token,
        issued_at=(given.issued_at or long_ago).timestamp(),
        expires_at=given.expires_at.timestamp() if given.expires_at else None,
        revoked_subcode=None,
    )
    world = world_of(request)
    with world.store.transaction():
        accounts.save_account(world.store, account)
        accounts.save_token(world.store, token, opens=account)
        if given.platform == "tiktok" and given.refresh_token is not None:
            keep_refresh_token(world, given.refresh_token, account=account.external_id, access_token=given.access_token)
        if given.platform == "bluesky":
            _let_in(world, given)
    return asdict(account)


def _let_in(world: World, given: NewAccount) -> None:
    """What opens a Bluesky account besides its token."""
    if given.refresh_token is not None:
        bluesky_sessions.keep_refresh_token(
            world, given.refresh_token, account=given.external_id, access_token=given.access_token
        )
    if given.app_password is not None:
        bluesky_sessions.keep_app_password(world, given.app_password, account=given.external_id)


@control.get("/accounts")
async def list_accounts(request: Request) -> dict[str, object]:
    """Who lives here; tokens are not told."""
    return {"items": [asdict(account) for account in accounts.list_accounts(world_of(request).store)]}


@control.post("/tokens")
async def change_token(request: Request, given: TokenChange) -> dict[str, object]:
    """Let a token expire, revoke it, or bring it back to life."""
    expires_at = given.expires_at.timestamp() if given.expires_at else None
    store = world_of(request).store
    if not accounts.change_token(
        store, given.access_token, expires_at=expires_at, revoked_subcode=given.revoked_subcode
    ):
        raise HTTPException(404, "No such token: create its account first, with POST /_sandbox/accounts.")
    return {"changed": True}


@control.post("/faults")
async def plant_fault(request: Request, given: NewFault) -> dict[str, object]:
    """Plant a fault on a named route."""
    if given.route not in {route.name for route in NAMED_ROUTES}:
        raise HTTPException(422, f"No route {given.route!r}: GET /_sandbox/routes lists them.")
    return world_of(request).faults.plant(Fault(id=0, **given.model_dump())).described()


@control.get("/faults")
async def list_faults(request: Request) -> dict[str, object]:
    """The planted faults, with what is left of them and how often they were met."""
    return {"items": [fault.described() for fault in world_of(request).faults.planted()]}


@control.delete("/faults")
async def remove_faults(request: Request, route: str | None = None) -> dict[str, object]:
    """Remove all faults, or those of a route; calls that wait in one go on at once."""
    return {"removed": world_of(request).faults.remove(route=route)}


@control.delete("/faults/{fault_id}")
async def remove_fault(request: Request, fault_id: int) -> dict[str, object]:
    """Remove one fault."""
    return {"removed": world_of(request).faults.remove(fault_id=fault_id)}


@control.get("/calls")
async def calls(request: Request, route: str | None = None, since_seq: int = 0) -> dict[str, object]:
    """The calls that came in, oldest first; ``route`` may end in * ("instagram.*")."""
    journal = world_of(request).journal
    found = journal.calls(route=route, since_seq=since_seq)
    return {"items": [asdict(call) for call in found], "last_seq": journal.last_seq}


@control.get("/conditions")
async def conditions(request: Request) -> Conditions:
    """How the world behaves without faults."""
    return world_of(request).conditions


@control.post("/conditions")
async def change_conditions(request: Request, given: Annotated[dict[str, object], Body()]) -> Conditions:
    """Change some conditions, leave the others."""
    world = world_of(request)
    try:
        world.conditions = Conditions.model_validate(world.conditions.model_dump() | given)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    return world.conditions


@control.post("/posts/{post_id:path}/counts")
async def count(request: Request, post_id: str, given: Audience) -> dict[str, object]:
    """Give a live post an audience, on whichever network it is."""
    counts = given.model_dump(exclude_none=True)
    if not posts.set_counts(world_of(request).store, post_id, counts):
        raise HTTPException(404, "No such post is live.")
    return {"counts": counts}


@control.post("/instagram/containers/{container_id}/age")
async def age_container(request: Request, container_id: str, given: Older) -> dict[str, object]:
    """Make a container older, so that nobody has to wait a day to see it expire."""
    if not grow_older(world_of(request).store, container_id, seconds=given.seconds):
        raise HTTPException(404, "No such container.")
    return {"aged": True}


@control.post("/chat/script")
async def add_script(request: Request, given: Script) -> dict[str, object]:
    """Say what the model will say."""
    world_of(request).chat.add(given)
    return {"scripts": world_of(request).chat.left()}


@control.get("/chat/script")
async def scripts(request: Request) -> dict[str, object]:
    """The scripts that have turns left."""
    return {"items": world_of(request).chat.left()}


@control.delete("/chat/script")
async def clear_chat(request: Request) -> dict[str, object]:
    """Forget scripts and requests."""
    world_of(request).chat.clear()
    return {"cleared": True}


@control.get("/chat/requests")
async def chat_requests(request: Request, since_seq: int = 0) -> dict[str, object]:
    """What the model was asked: whole request bodies, oldest first, numbered."""
    kept = world_of(request).chat.requests
    return {"items": [body for body in kept if int(str(body["seq"])) > since_seq]}


@control.post("/reset")
async def reset(request: Request, given: Reset | None = None) -> dict[str, object]:
    """Begin anew, wholly or in parts; ids and sequence numbers go on."""
    world, parts = world_of(request), (given or Reset()).only
    if "state" in parts:
        world.store.forget_everything()
    if "faults" in parts:
        world.faults.remove()
    if "calls" in parts:
        world.journal.forget()
    if "chat" in parts:
        world.chat.clear()
    if "conditions" in parts:
        world.conditions = world.initial_conditions
    return {"reset": list(parts), "time": datetime.fromtimestamp(time.time(), UTC).isoformat()}
