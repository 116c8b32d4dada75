"""What tests of pre-flight share: links that work, planned posts, and the check as the scheduler does it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psycopg
import pytest

from tests.tools.conftest import AddPhoto, Desk
from tests.tools.publishing.conftest import engine, public_media, settings
from tools.context import Doors
from tools.preflight.work import CheckWork

__all__ = ["engine", "public_media", "settings"]  # fixtures: what publishing needs is what is looked at beforehand

Plan = Callable[..., Awaitable[dict[str, object]]]


@pytest.fixture
def plan(desk: Desk, add_photo: AddPhoto) -> Plan:
    """Puts a post with a photo on the calendar."""

    async def make(caption: str = "Our espresso", *, when: str = "in 3 hours", **more: object) -> dict[str, object]:
        media = [{"asset_id": (await add_photo(f"{caption[:9]}.jpg")).id}]
        made = (await desk.act("create_draft", caption=caption, media=media, **more))["post"]
        assert isinstance(made, dict)
        post = (await desk.act("schedule_post", post_id=made["id"], when=when))["post"]
        assert isinstance(post, dict)
        return post

    return make


@dataclass(frozen=True, kw_only=True)
class Checker:
    """The scheduler's check, driven by hand."""

    work: CheckWork

    async def once(self) -> int:
        """Check what is due now; how many accounts."""
        claims = await self.work.claim(10, sweep=False)
        for claim in claims:
            await self.work.work(claim)
        return len(claims)


@pytest.fixture
def checker(doors: Doors) -> Checker:
    """The check of this process."""
    return Checker(work=CheckWork(doors))


Change = Callable[..., None]


@pytest.fixture
def change(admin_url: str) -> Change:
    """Brings rows to where only a network, a clock or another process brings them."""

    def run(statement: str, *values: object) -> None:
        with psycopg.connect(admin_url, autocommit=True, options="-c search_path=studio") as connection:
            connection.execute(statement.encode(), values)

    return run


async def problems(desk: Desk, **arguments: object) -> list[dict[str, object]]:
    """What check_posts finds."""
    items = (await desk.act("check_posts", **arguments))["items"]
    assert isinstance(items, list)
    return items


async def codes(desk: Desk, **arguments: object) -> list[object]:
    """The conditions that check_posts finds."""
    return [one["code"] for one in await problems(desk, **arguments)]


async def told(desk: Desk) -> list[tuple[object, bool]]:
    """The problems that were told of, newest first: code, and whether each is over."""
    items = (await desk.act("list_notifications", kind=["preflight"]))["items"]
    assert isinstance(items, list)
    return [(one["code"], one["resolved_at"] is not None) for one in items]
