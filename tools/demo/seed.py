"""Example data for the demo: a connected account, pictures, drafts, plans and a post that goes live; made once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.models.base import SCHEMA
from db.queries import people
from tools.assets import keep_asset
from tools.context import Caller, Doors, Principal, Role, Surface
from tools.demo.pictures import PICTURES, Picture, draw
from tools.dispatcher import Dispatcher
from tools.installation.prepare import Installation, Progress
from tools.media.intake import take_in

_ACCOUNT = {
    "platform": "instagram",
    "external_id": "17841400000000042",
    "handle": "driftwood.coffee",
    "name": "Driftwood Coffee",
    "access_token": "sandbox-token-of-driftwood-coffee",
    "login": "facebook",
}


@dataclass(frozen=True, kw_only=True)
class _Example:
    """A post of the demo; ``when`` None leaves it a draft, unless it goes out at once."""

    key: str
    picture: str
    caption: str
    when: str | None = None
    publish_now: bool = False


_EXAMPLES = (
    _Example(
        key="welcome",
        picture="morning light.jpg",
        caption="Doors open at eight, and the first pot is already on. Come and say good morning. #driftwoodcoffee",
        publish_now=True,
    ),
    _Example(
        key="latte",
        picture="latte photo.jpg",
        caption="Flat white or latte? Tell us which camp you are in. #flatwhite",
        when="tomorrow at 9am",
    ),
    _Example(
        key="bags",
        picture="coffee bag.jpg",
        caption="Fresh bags on the shelf, roasted this morning. #freshroast",
        when="in 3 days at 6:30pm",
    ),
    _Example(
        key="tasting",
        picture="espresso cup.jpg",
        caption="Tasting night: four origins, one table. Details soon. #cupping",
    ),
)


async def seed(
    doors: Doors, dispatcher: Dispatcher, installation: Installation, sandbox_url: str, progress: Progress
) -> None:
    """Fill the demo's workspace; every step has a key, so that a second start changes nothing."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        (await client.post(f"{sandbox_url}/_sandbox/accounts", json=_ACCOUNT)).raise_for_status()
    principal = await _owner(installation)
    caller = Caller(principal=principal, surface=Surface.SYSTEM, zone=principal.timezone)
    connection = {name: _ACCOUNT[name] for name in ("platform", "external_id", "access_token")}
    connection_arguments = {**connection, "metadata": {"login": _ACCOUNT["login"]}}
    await dispatcher.run("connect_account", connection_arguments, replace(caller, key="demo:account"))
    assets = {picture.name: await _keep(doors, principal, picture) for picture in PICTURES}
    for example in _EXAMPLES:
        arguments: dict[str, object] = {"caption": example.caption, "media": [{"asset_id": assets[example.picture]}]}
        arguments |= {"when": example.when} if example.when else {}
        arguments |= {"publish_now": True} if example.publish_now else {}
        outcome = await dispatcher.run("create_draft", arguments, replace(caller, key=f"demo:{example.key}"))
        if not outcome.replayed:
            progress(f"example: {outcome.summary}")


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


async def _keep(doors: Doors, principal: Principal, picture: Picture) -> str:
    async def bytes_of() -> AsyncIterator[bytes]:
        yield draw(picture)

    facts = await take_in(doors.store, bytes_of(), limit_bytes=10_000_000)
    return (await keep_asset(doors, principal, facts, name=picture.name, source_url=None)).id
