"""A video on its way in chunks: what is sent, where it goes on after a break, and how little of it is held."""

import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from platforms.base import Credentials, Medium, Publish, Step
from platforms.errors import OutcomeUnknown, Refused, Transient
from platforms.tiktok.adapter import TikTokAdapter
from platforms.tiktok.steps import LEAST_CHUNK_BYTES, MAX_UPLOAD_TRIES, chunk_at, chunk_plan
from tests.platforms.cases.tiktok import open_tiktok, words
from tests.platforms.contract import Walk, new_walk
from tests.platforms.pictures import video
from tests.platforms.world import FileServer, Sandbox

THREE_CHUNKS = 17_500_001  # three of 5,833,333 bytes, and 2 more in the last
FTYP = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42"


async def begin(adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer, *, size_bytes: int = THREE_CHUNKS) -> Walk:
    credentials = await sandbox.connect("tiktok")
    content = words("chunks", "video", video(files, size_bytes=size_bytes))
    return new_walk(adapter, sandbox, files, content=content, credentials=credentials)


def sent(walk: Walk) -> list[tuple[object, object]]:
    return [(step.sends["first"], step.sends["last"]) for step in walk.steps if "first" in step.sends]


async def ranges(walk: Walk) -> list[object]:
    calls = await walk.sandbox.calls(walk.publish.credentials, "tiktok.upload_chunk")
    return [call["parameters"]["content-range"] for call in calls if call["done"]]  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    ("size", "plan"),
    [
        (1, (1, 1)),
        (4_999_999, (4_999_999, 1)),
        (10_485_759, (10_485_759, 1)),
        (10_485_760, (5_242_880, 2)),
        (15_728_639, (7_864_319, 2)),
        (50_000_123, (5_555_569, 9)),  # and a rest of 2
        (4_000_000_000, (5_249_343, 762)),  # and a rest of 634
    ],
)
def test_chunks_are_counted_as_tiktok_does(size: int, plan: tuple[int, int]) -> None:
    assert chunk_plan(size) == plan
    offset, chunks = 0, []
    while offset < size:
        chunk = chunk_at(size, offset)
        chunks.append(chunk)
        offset = chunk.last + 1
    assert len(chunks) == plan[1]
    assert [chunk.is_last for chunk in chunks] == [False] * (plan[1] - 1) + [True]
    assert all(chunk.last - chunk.first < 2 * LEAST_CHUNK_BYTES for chunk in chunks), "the last one publishes: no haste"


def test_a_chunk_goes_on_in_its_middle() -> None:
    chunk = chunk_at(THREE_CHUNKS, 7_654_321)
    assert (chunk.number, chunk.first, chunk.last, chunk.is_last) == (2, 7_654_321, 11_666_665, False)


async def test_the_bytes_arrive_in_order_and_without_the_token(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files)
    await walk.finish()
    assert await ranges(walk) == [
        f"bytes 0-5833332/{THREE_CHUNKS}",
        f"bytes 5833333-11666665/{THREE_CHUNKS}",
        f"bytes 11666666-17500000/{THREE_CHUNKS}",
    ]
    calls = await sandbox.calls(walk.publish.credentials, "tiktok.upload_chunk")
    assert all("authorization" not in call["parameters"] for call in calls)  # type: ignore[operator]
    assert [step.name for step in walk.steps if step.irreversible] == ["upload_last"]


@pytest.mark.parametrize("breakage", ["drop_before", "drop_after", "truncate", "status"])
async def test_a_chunk_that_breaks_off_is_sent_from_the_byte_tiktok_has(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer, breakage: str
) -> None:
    walk = await begin(adapter, sandbox, files)
    await walk.before("upload_2")
    await sandbox.plant("tiktok.upload_chunk", breakage, match=walk.publish.credentials.external_id)
    await walk.finish()
    arrived = breakage in {"drop_after", "truncate"}
    assert [step.name for step in walk.steps].count("check_upload") == 1
    again = [] if arrived else [(5_833_333, 11_666_665)]
    assert sent(walk) == [(0, 5_833_332), (5_833_333, 11_666_665), *again, (11_666_666, 17_500_000)]
    assert len(await walk.live()) == 1


@pytest.mark.parametrize("killed", ["before the call", "after the call"])
async def test_a_kill_between_chunks_ends_with_one_post(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer, killed: str
) -> None:
    walk = await begin(adapter, sandbox, files)
    intent = await walk.before("upload_1")
    if killed == "after the call":
        await walk.perform_and_forget(intent)
    async with open_tiktok(sandbox.url) as reborn:
        walk.adapter = reborn
        await walk.resume(intent)
    assert len(await walk.live()) == 1
    assert len(await ranges(walk)) == 3
    assert len(await sandbox.calls(walk.publish.credentials, "tiktok.init_video")) == 1


async def test_the_last_chunk_unanswered_is_looked_for(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, size_bytes=200_000)
    step = await walk.before("upload_last")
    assert step.irreversible
    await sandbox.plant("tiktok.upload_chunk", "drop_after", match=walk.publish.credentials.external_id)
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    assert (await adapter.find(walk.publish)).outcome == "posted"
    await walk.resume(step)
    assert len(await walk.live()) == 1


async def test_a_last_chunk_that_arrives_late_is_no_second_post(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, size_bytes=200_000)
    step = await walk.before("upload_last")
    match = walk.publish.credentials.external_id
    await sandbox.plant("tiktok.upload_chunk", "drop_late", delay_seconds=60, match=match)
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    assert (await adapter.find(walk.publish)).outcome == "not_posted"
    done = await walk.finish()  # what may be repeated is repeated
    await sandbox.clear_faults()  # lets the late chunk arrive
    while len(calls := await sandbox.calls(walk.publish.credentials, "tiktok.upload_chunk")) < 2 or not all(
        call["error"] or call["done"] for call in calls
    ):
        continue
    assert [post.id for post in await walk.live()] == [done.platform_post_id]


async def test_the_last_chunk_sent_twice_is_no_second_post(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, size_bytes=200_000)
    step = await walk.before("upload_last")
    await walk.perform_and_forget(step)
    await walk.finish()  # sends it again, without looking first
    assert "check_upload" in [step.name for step in walk.steps]
    assert len(await walk.live()) == 1


async def test_an_upload_that_breaks_off_again_and_again_is_begun_anew(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files)
    await walk.before("upload_1")
    await sandbox.plant("tiktok.upload_chunk", "status", times=None, match=walk.publish.credentials.external_id)
    with pytest.raises(Transient) as raised:
        await walk.finish()
    assert raised.value.start_over
    assert [step.name for step in walk.steps].count("upload_1") == MAX_UPLOAD_TRIES
    assert [step.delay for step in walk.steps if step.name == "check_upload"] == [2, 4, 8, 16]


async def test_an_address_past_its_hour_is_given_up(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, size_bytes=200_000)
    step = await walk.before("upload_last")
    await sandbox.tell(f"tiktok/publications/{walk.progress['publish_id']}/age", seconds=3_700)
    with pytest.raises(Transient) as raised:
        await walk.perform(step)
    assert (raised.value.code, raised.value.start_over) == ("upload_expired", True)
    assert not (await adapter.find(walk.publish)).start_over
    long_ago = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    walk.publish = replace(walk.publish, progress={**walk.progress, "initiated_at": long_ago})
    finding = await adapter.find(walk.publish)
    assert (finding.outcome, finding.start_over) == ("not_posted", True)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.com/x", "https://user@example.com/", "", "x"])
async def test_bytes_go_to_web_addresses_alone(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer, address: str
) -> None:
    walk = await begin(adapter, sandbox, files, size_bytes=200_000)
    step = await walk.before("upload_last")
    walk.publish = replace(walk.publish, progress={**walk.progress, "upload_url": address})
    with pytest.raises(Refused) as raised:
        await adapter.perform(step, walk.publish)
    assert raised.value.code == "bad_upload_url"


async def test_an_upload_host_that_is_down_has_taken_nothing(
    adapter: TikTokAdapter, sandbox: Sandbox, files: FileServer
) -> None:
    walk = await begin(adapter, sandbox, files, size_bytes=200_000)
    step = await walk.before("upload_last")
    walk.publish = replace(walk.publish, progress={**walk.progress, "upload_url": "http://127.0.0.1:1/video/"})
    with pytest.raises(Transient) as raised:
        await adapter.perform(step, walk.publish)
    assert type(raised.value) is Transient


@dataclass
class LazyFilm:
    """A door to a large video that exists nowhere: every piece of it is made when it is read."""

    size: int
    piece: int = 256 * 1024
    read_bytes: int = 0

    def public_url(self, medium: Medium) -> str:
        raise AssertionError(f"{medium.asset_id} has no link")

    def at(self, start: int) -> bytes:
        number = start // self.piece
        made = (number.to_bytes(8, "big") * (self.piece // 8)) if number else FTYP + b"\0" * (self.piece - len(FTYP))
        return made[start % self.piece :][: self.size - start]

    async def read(self, medium: Medium, *, start: int = 0) -> AsyncIterator[bytes]:
        assert medium.size_bytes == self.size
        while start < self.size:
            made = self.at(start)
            start += len(made)
            self.read_bytes += len(made)
            yield made

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for start in range(0, self.size, self.piece):
            digest.update(self.at(start))
        return digest.hexdigest()


async def test_200_megabytes_pass_through_without_being_held(adapter: TikTokAdapter, sandbox: Sandbox) -> None:
    credentials = await sandbox.connect("tiktok")
    film = LazyFilm(size=200_000_000)
    publish = _lazy(film, credentials)
    tracemalloc.start()
    try:
        names = []
        while isinstance(step := adapter.next_step(publish.content, publish.progress), Step):
            names.append(step.name)
            result = await adapter.perform(step, publish)
            publish = replace(publish, progress={**publish.progress, **result})
        # Both ends of the wire are in this process: the sandbox keeps no video in memory either.
        grown = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert grown < 40_000_000, grown
    assert [name for name in names if name.startswith("upload_")][-2:] == ["upload_37", "upload_last"]
    draft = (await sandbox.inbox(credentials))[0]
    assert draft["sha256"] == film.sha256()
    # A piece that reaches over the end of a chunk is read again at the next one: little more than the film.
    assert film.read_bytes < 1.05 * film.size


def _lazy(film: LazyFilm, credentials: Credentials) -> Publish:
    medium = Medium(asset_id="lazy", kind="video", mime_type="video/mp4", size_bytes=film.size, duration_seconds=60.0)
    content = words("", "video", medium, draft=True)
    return Publish(content=content, credentials=credentials, progress={}, media=film, started_at=datetime.now(UTC))
