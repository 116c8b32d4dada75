"""A network's own quota is kept before a call is made: what would be over it waits until a use is free again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from core.settings import Settings
from platforms.base import Content, Manifest, Quota
from platforms.instagram.adapter import InstagramAdapter
from platforms.instagram.manifest import MANIFEST
from platforms.tiktok.manifest import QUOTAS as TIKTOKS
from tests.conftest import Sandbox, TestClock
from tests.tools.publishing.conftest import Engine, Planned
from tests.tools.publishing.killing import run_victim
from tests.tools.publishing.test_accounts_turn import captions, states
from tests.tools.publishing.test_limits import code_of
from tools.context import Doors
from tools.publishing.engine import PostWork

TWO = Quota(name="posts in half an hour", steps=frozenset({"publish"}), limit=2, seconds=1800.0)


class Frugal(InstagramAdapter):
    """Instagram with another quota."""

    quota = TWO

    @property
    def manifest(self) -> Manifest:
        """Instagram's, but for the quota."""
        return replace(MANIFEST, quotas=(self.quota,))


@pytest.fixture
async def frugal(settings: Settings) -> AsyncIterator[Frugal]:
    adapter = Frugal(
        facebook_graph_url=settings.facebook_graph_url,
        instagram_graph_url=settings.instagram_graph_url,
        upload_url=settings.meta_upload_url,
    )
    yield adapter
    await adapter.aclose()


@pytest.fixture
def engine(doors: Doors, frugal: Frugal) -> Engine:
    return Engine(work=PostWork(replace(doors, adapters={"instagram": frugal}), asyncio.Event()))


def uses(admin_url: str) -> dict[str, int]:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        return dict(connection.execute("select name, cardinality(used_at) from studio.quota_uses").fetchall())


async def test_what_is_over_the_quota_waits_until_a_use_is_free(
    planned: Planned, engine: Engine, sandbox: Sandbox, clock: TestClock, admin_url: str
) -> None:
    """Two went out; the third, and all behind it, wait until the first of them is half an hour old."""
    four = [await planned(f"ago {ago}", ago=ago) for ago in (40, 30, 20, 10)]
    await engine.once()
    clock.shift(timedelta(minutes=10))
    await engine.once()
    await engine.once()
    assert await states(*four) == ["posted", "posted", "scheduled", "scheduled"]
    for post in [await each.post() for each in four[2:]]:
        error = post["last_error"]
        assert isinstance(error, dict)
        assert (error["code"], post["attempts"]) == ("quota_used_up", 0)
        assert str(error["message"]).startswith("Instagram takes at most 2 posts in half an hour from an account")
        wait = datetime.fromisoformat(str(post["next_attempt_at"])) - datetime.now(UTC)
        assert timedelta(minutes=29) < wait <= timedelta(minutes=30)  # by the clock of the first use
    assert len(four[0].calls("instagram.media_publish")) == 2
    clock.shift(timedelta(minutes=31))
    await engine.once()
    await engine.once()
    assert await states(*four) == ["posted", "posted", "posted", "scheduled"]
    assert uses(admin_url) == {"posts in half an hour": 2}  # what is older is forgotten
    clock.shift(timedelta(minutes=42))
    await engine.until(four[3].settled)
    assert captions(four[0]) == ["ago 40", "ago 30", "ago 20", "ago 10"]


async def test_a_quota_of_one_format_holds_up_no_other(
    planned: Planned, engine: Engine, frugal: Frugal, sandbox: Sandbox
) -> None:
    frugal.quota = replace(TWO, limit=1, formats=frozenset({"story"}))
    one, story = [await planned(f"story {ago}", ago=ago, format="story") for ago in (30, 20)]
    image = await planned("image", ago=10)
    for _ in range(3):
        await engine.once()
    assert await states(one, story, image) == ["posted", "scheduled", "posted"]
    assert code_of(await story.post()) == "quota_used_up"


async def test_a_call_in_doubt_that_is_made_again_is_one_use(
    planned: Planned, engine: Engine, sandbox: Sandbox, admin_url: str
) -> None:
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": "drop_before", "times": 1})
    publication = await planned("once", ago=10)
    await engine.until(publication.settled)
    assert len(publication.calls("instagram.media_publish")) == 2
    assert uses(admin_url) == {"posts in half an hour": 1}


@pytest.mark.parametrize(("kind", "at"), [("commit", 5), ("commit", 6), ("commit", 7), ("call", 2), ("call", 3)])
async def test_a_kill_around_the_call_loses_no_use_and_invents_one_at_most(
    planned: Planned, doors: Doors, settings: Settings, clock: TestClock, admin_url: str, kind: str, at: int
) -> None:
    """It is counted with the intent, in one statement. Killed between that and the call, the call is begun anew."""
    publication = await planned("killed", ago=10)
    await run_victim(settings, kind, at)
    clock.shift(timedelta(seconds=settings.publish_lease + 1))
    await Engine(work=PostWork(doors, asyncio.Event())).until(publication.settled, patience=30)
    assert await states(publication) == ["posted"]
    assert uses(admin_url)["posts in 24 hours"] in {1, 2}
    assert len(publication.live()) == 1


@pytest.mark.parametrize(
    ("step", "options", "used"),
    [
        ("init_video", {}, ["new posts in a minute"]),
        ("init_photo", {"draft": True}, ["new posts in a minute", "drafts in 24 hours"]),
        ("init_photo", {"draft": False}, ["new posts in a minute"]),
        ("check_status", {"draft": True}, []),
    ],
)
def test_a_step_uses_the_quotas_that_name_it(step: str, options: dict[str, object], used: list[str]) -> None:
    content = Content(format="photo", caption="", options=options)  # type: ignore[arg-type]
    assert [each.name for each in TIKTOKS if each.is_used_by(step, content)] == used


def test_every_child_of_a_carousel_is_a_use() -> None:
    prepared = next(quota for quota in MANIFEST.quotas if quota.limit == 400)
    content = Content(format="carousel", caption="")
    assert [prepared.is_used_by(step, content) for step in ("create_child_10", "create_container", "publish")] == [
        True,
        True,
        False,
    ]
