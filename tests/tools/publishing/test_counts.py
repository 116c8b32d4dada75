"""What networks count of live posts, read by the scheduler: written under the claim, often while a post is young."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.models.post import Post
from tests.conftest import TestClock
from tests.tools.publishing.conftest import Engine, Publication, Publish
from tools.context import Doors
from tools.counts.work import CountsWork, pause

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def live(age: timedelta) -> Post:
    return Post(published_at=NOW - age)


@pytest.mark.parametrize(
    ("ages", "minutes"),
    [([], 120), ([timedelta(hours=23)], 10), ([timedelta(hours=25)], 120), ([timedelta(days=9), timedelta(0)], 10)],
)
def test_young_posts_are_asked_for_often(ages: list[timedelta], minutes: int) -> None:
    assert pause([live(age) for age in ages], NOW) == timedelta(minutes=minutes)


async def read(work: CountsWork) -> int:
    """Read what is due now; how many accounts."""
    claims = await work.claim(10, sweep=True)
    for claim in claims:
        await work.work(claim)
    return len(claims)


async def told(publication: Publication) -> dict[str, object] | None:
    counts = (await publication.post())["counts"]
    assert counts is None or isinstance(counts, dict)
    return counts


async def test_counts_come_with_the_post_and_again_when_they_are_due(
    doors: Doors, engine: Engine, publish: Publish, clock: TestClock
) -> None:
    publication = await publish()
    await engine.until(publication.settled)
    assert await told(publication) is None, "nobody asked yet"
    work = CountsWork(doors)
    assert await read(work) == 1
    first = await told(publication)
    assert first is not None
    assert (first["likes"], first["comments"]) == (0, 0)
    assert "0 likes" in str((await publication.desk.act("show_post", post_id=publication.post_id))["summary"])

    assert await read(work) == 0, "the account rests"
    clock.shift(timedelta(minutes=11))
    assert await read(work) == 1
    again = await told(publication)
    assert again is not None
    assert str(again["at"]) > str(first["at"])


async def test_a_claim_that_was_lost_writes_nothing(doors: Doors, engine: Engine, publish: Publish) -> None:
    publication = await publish()
    await engine.until(publication.settled)
    work = CountsWork(doors)
    (claim,) = await work.claim(10, sweep=True)
    await work.work(replace(claim, fence=claim.fence - 1))
    assert await told(publication) is None
    await work.work(claim)
    assert await told(publication) is not None


async def test_a_network_in_trouble_loses_no_counts(
    doors: Doors, engine: Engine, publish: Publish, clock: TestClock
) -> None:
    publication = await publish()
    await engine.until(publication.settled)
    work = CountsWork(doors)
    await read(work)
    before = await told(publication)
    clock.shift(timedelta(minutes=11))
    publication.sandbox.control(
        "POST", "faults", {"route": "instagram.get_media", "kind": "status", "status": 500, "times": None}
    )
    assert await read(work) == 1
    assert await told(publication) == before
    clock.shift(timedelta(minutes=60))
    assert await read(work) == 0, "an hour's rest after trouble"
    clock.shift(timedelta(minutes=72))
    assert await read(work) == 1
