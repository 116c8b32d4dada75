"""Bluesky's cases of the contract suite, walked against a real server: what is true there and not of the twin alone."""

import itertools
from dataclasses import replace

import pytest

from platforms.base import Content, Credentials, Step
from platforms.bluesky.adapter import BlueskyAdapter
from platforms.errors import PlatformError
from tests.platforms.cases.bluesky import CASES
from tests.platforms.contract import Case, Walk, assert_one_post, names_of, new_walk
from tests.platforms.pds.conftest import RealWorld
from tests.platforms.world import FileServer

# The server that is pinned here knows the limit for images of a year ago.
OLD_IMAGE_BYTES = 1_000_000
_captions = (f"Espresso number {number} ☕" for number in itertools.count(1))

pytestmark = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


async def begin(
    case: Case, world: RealWorld, files: FileServer, adapter: BlueskyAdapter, content: Content | None = None
) -> Walk:
    credentials: Credentials = await world.connect("bluesky")
    content = content or case.content(files, next(_captions))
    return new_walk(adapter, world, files, content=content, credentials=credentials)


async def test_every_format_is_published(
    case: Case, world: RealWorld, files: FileServer, adapter: BlueskyAdapter
) -> None:
    walk = await begin(case, world, files, adapter)
    done = await walk.finish()
    await assert_one_post(case, walk, done)
    (live,) = await walk.live()
    assert live.alt_texts == tuple(medium.alt_text for medium in walk.publish.content.media)
    # The finding says "by key and content" when the server has the very bytes that Studio counted with.
    undecided = replace(walk.publish, progress={**walk.progress, "uri": None})
    finding = await adapter.find(undecided)
    assert finding.outcome == "posted"
    assert finding.evidence["cid"] == finding.evidence["expected_cid"]


@pytest.mark.parametrize("killed", ["before the call", "after the call"])
async def test_a_kill_anywhere_ends_with_exactly_one_post(
    case: Case, world: RealWorld, files: FileServer, adapter: BlueskyAdapter, killed: str
) -> None:
    whole = await begin(case, world, files, adapter)
    await whole.finish()
    for name in names_of(whole.steps):
        walk = await begin(case, world, files, adapter)
        intent = await walk.before(name)
        if killed == "after the call":
            await walk.perform_and_forget(intent)
        await assert_one_post(case, walk, await walk.resume(intent))


async def test_find_tells_before_and_after(
    case: Case, world: RealWorld, files: FileServer, adapter: BlueskyAdapter
) -> None:
    walk = await begin(case, world, files, adapter)
    step = await walk.before_the_irreversible()
    walk.doubt(step)
    assert (await adapter.find(walk.publish)).outcome == "not_posted"
    await walk.perform_and_forget(step)
    assert (await walk.settle()).outcome == "posted"
    await assert_one_post(case, walk, await walk.finish())


async def test_the_same_call_twice_makes_one_post(
    case: Case, world: RealWorld, files: FileServer, adapter: BlueskyAdapter
) -> None:
    walk = await begin(case, world, files, adapter)
    step = await walk.before_the_irreversible()
    await walk.perform_and_forget(step)
    before = world.pds.records(walk.publish.credentials.external_id)
    try:
        await walk.perform(step)  # a single post again is no change
    except PlatformError:  # a thread again is an error of the server's, and looked into
        assert step.name == "publish_thread"
        await walk.settle()
    await assert_one_post(case, walk, await walk.finish())
    assert world.pds.records(walk.publish.credentials.external_id) == before


async def test_two_posts_with_the_same_words_are_two(
    case: Case, world: RealWorld, files: FileServer, adapter: BlueskyAdapter
) -> None:
    walk = await begin(case, world, files, adapter)
    first = await walk.finish()
    twin = new_walk(adapter, world, files, content=walk.publish.content, credentials=walk.publish.credentials)
    assert isinstance(await twin.before_the_irreversible(), Step)
    second = await twin.finish()
    assert {post.id for post in await walk.live()} == {first.platform_post_id, second.platform_post_id}
    assert first.platform_post_id != second.platform_post_id


async def test_what_we_accept_the_server_accepts(
    case: Case, world: RealWorld, files: FileServer, adapter: BlueskyAdapter
) -> None:
    for name, content in case.accepted(files).items():
        if any(medium.size_bytes > OLD_IMAGE_BYTES for medium in content.media):
            continue
        assert adapter.validate(content) == (), name
        walk = await begin(case, world, files, adapter, content)
        await assert_one_post(case, walk, await walk.finish())


async def test_what_we_refuse_the_server_refuses(
    case: Case, world: RealWorld, files: FileServer, adapter: BlueskyAdapter
) -> None:
    for name, refusal in case.refused(files).items():
        if refusal.not_asked:
            continue
        assert [problem.code for problem in adapter.validate(refusal.content)] == [refusal.code], name
        walk = await begin(case, world, files, adapter, refusal.content)
        with pytest.raises(PlatformError) as raised:
            await walk.finish()
        assert type(raised.value) is refusal.network, f"{name}: {raised.value.message}"
        assert await walk.live() == [], name
