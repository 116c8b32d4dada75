"""Example data for the demo: connected accounts, media, a past with an audience, drafts, plans; made once."""

import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from core import clock
from core.ids import new_id
from db.models.base import SCHEMA
from db.models.post import Approval, Post, Status
from db.queries import accounts, people, posts
from tools.assets import AssetView, asset_view, keep_asset
from tools.context import Caller, Context, Doors, Principal, Role, Surface
from tools.demo.film import film
from tools.demo.pictures import PICTURES, draw
from tools.demo.story import ACCOUNTS, EXAMPLES, PAST, REEL, DemoAccount, Example, PastPost
from tools.dispatcher import Dispatcher
from tools.installation.prepare import Installation, Progress
from tools.media.intake import take_in
from tools.posts.making import free_code

Assets = Mapping[str, AssetView]


async def seed(
    doors: Doors, dispatcher: Dispatcher, installation: Installation, sandbox_url: str, progress: Progress
) -> None:
    """Fill the demo's workspace; every step has a key, so that a second start changes nothing."""
    principal = await _owner(installation)
    caller = Caller(principal=principal, surface=Surface.SYSTEM, zone=principal.timezone)
    async with httpx.AsyncClient(base_url=f"{sandbox_url}/_sandbox", trust_env=False, timeout=30) as world:
        connected = {account.platform: await _connect(world, dispatcher, caller, account) for account in ACCOUNTS}
        assets = await _assets(doors, principal)
        if not await _has_posts(doors, principal):
            for past in PAST:
                await _remember(doors, world, caller, past, connected[past.platform], assets)
    for example in EXAMPLES:
        outcome = await dispatcher.run("create_draft", _draft(example, assets), replace(caller, key=_key(example.key)))
        if not outcome.replayed:
            progress(f"example: {outcome.summary}")


def _key(name: str) -> str:
    return f"demo:{name}"


def _draft(example: Example, assets: Assets) -> dict[str, object]:
    arguments: dict[str, object] = {"caption": example.caption, "platform": example.platform}
    arguments |= {"media": [{"asset_id": assets[example.medium].id}]} if example.medium else {}
    arguments |= {"when": example.when} if example.when else {}
    return arguments | ({"publish_now": True} if example.publish_now else {})


async def _connect(world: httpx.AsyncClient, dispatcher: Dispatcher, caller: Caller, account: DemoAccount) -> str:
    """Let the account live in the sandbox, and connect it here; its id."""
    known = {name: value for name, value in asdict(account).items() if value is not None}
    (await world.post("/accounts", json=known)).raise_for_status()
    given = ("platform", "external_id", "access_token", "refresh_token")
    arguments: dict[str, object] = {name: known[name] for name in given if name in known}
    if account.app_password is not None:
        arguments["access_token"] = account.app_password
    arguments["metadata"] = {"login": account.login} if account.login else {}
    key = _key("account" if account.platform == "instagram" else f"account:{account.platform}")
    outcome = await dispatcher.run("connect_account", arguments, replace(caller, key=key))
    connected = outcome.result["account"]
    assert isinstance(connected, dict)
    return str(connected["id"])


async def _assets(doors: Doors, principal: Principal) -> Assets:
    """The example media by name; each is made only when it is not there yet."""
    async with doors.database.session(principal.workspace_id) as session:
        names = [*(picture.name for picture in PICTURES), REEL]
        kept = {asset.name: asset_view(asset) for asset in await accounts.assets_named(session, names)}
    for picture in PICTURES:
        if picture.name not in kept:
            kept[picture.name] = await _keep(doors, principal, picture.name, draw(picture))
    if REEL not in kept:
        kept[REEL] = await _keep(doors, principal, REEL, await film())
    return kept


async def _keep(doors: Doors, principal: Principal, name: str, content: bytes) -> AssetView:
    async def bytes_of() -> AsyncIterator[bytes]:
        yield content

    facts = await take_in(doors.store, bytes_of(), limit_bytes=10_000_000)
    return await keep_asset(doors, principal, facts, name=name, source_url=None)


async def _has_posts(doors: Doors, principal: Principal) -> bool:
    async with doors.database.session(principal.workspace_id) as session:
        return await posts.any_post(session)


async def _remember(
    doors: Doors, world: httpx.AsyncClient, caller: Caller, past: PastPost, account_id: str, assets: Assets
) -> None:
    """A post that was live before: in the sandbox with its audience, and here as what went out."""
    async with doors.database.session(caller.principal.workspace_id) as session:
        now = await clock.now(session)
    shown = await _live(world, past, now - past.ago, doors, assets)
    async with doors.database.session(caller.principal.workspace_id) as session:
        context = Context(caller=caller, doors=doors, now=now, open_session=session)
        post = Post(
            id=new_id(),
            workspace_id=caller.principal.workspace_id,
            code=await free_code(context),
            account_id=UUID(account_id),
            platform=past.platform,
            format=past.format,
            options={},
            status=Status.POSTED,
            approval=Approval.NONE,
            caption=past.caption,
            scheduled_for=now - past.ago,
            published_at=now - past.ago + timedelta(seconds=2),
            platform_post_id=shown["id"],
            permalink=shown["permalink"],
            counts=dict(past.counts),
            counts_at=now,
            created_by=caller.principal.user_id,
            version=1,
        )
        session.add(post)
        await session.flush()
        media = [(UUID(assets[past.medium].id), None)] if past.medium else []
        await posts.replace_media(session, post, media)


async def _live(
    world: httpx.AsyncClient, past: PastPost, at: datetime, doors: Doors, assets: Assets
) -> Mapping[str, str]:
    account = next(account for account in ACCOUNTS if account.platform == past.platform)
    given: dict[str, object] = {
        "account": account.external_id,
        "kind": past.kind,
        "caption": past.caption,
        "published_at": at.isoformat(),
        "counts": past.counts,
    }
    if past.medium is not None:
        asset = assets[past.medium]
        content = b"".join([chunk async for chunk in doors.store.read(asset.sha256)])
        given |= {"medium": base64.b64encode(content).decode(), "content_type": asset.mime_type}
    made = (await world.post("/posts", json=given)).raise_for_status().json()
    (item,) = [
        each for each in (await world.get("/feed")).raise_for_status().json()["items"] if each["id"] == made["id"]
    ]
    return {"id": str(made["id"]), "permalink": str(item["permalink"])}


async def _owner(installation: Installation) -> Principal:
    engine = create_async_engine(
        installation.admin_url, poolclass=NullPool, connect_args={"options": f"-c search_path={SCHEMA}"}
    )
    try:
        async with engine.connect() as connection:
            owner = await people.first_owner(connection)
    finally:
        await engine.dispose()
    assert owner is not None
    return Principal(
        workspace_id=owner.workspace_id,
        workspace_name=owner.workspace_name,
        user_id=owner.user_id,
        user_name=owner.user_name,
        membership_id=owner.membership_id,
        role=Role.OWNER,
        timezone=owner.timezone,
    )
