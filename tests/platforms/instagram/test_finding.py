"""Which live post a published container became, when the list leaves room for doubt."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Content, Credentials, Medium, Publish
from platforms.instagram.finding import LiveMedium, identify_post, read_list, unpublished

STARTED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
IMAGE = Medium(asset_id="a", kind="image", mime_type="image/jpeg", size_bytes=1000)


class NoDoor:
    def public_url(self, medium: Medium) -> str:
        raise AssertionError(medium)

    def read(self, medium: Medium, *, start: int = 0) -> AsyncIterator[bytes]:
        raise AssertionError((medium, start))


def publish(caption: str = "Espresso", *, of: str = "image", known: frozenset[str] = frozenset()) -> Publish:
    return Publish(
        content=Content(format=of, caption=caption, media=(IMAGE,)),
        credentials=Credentials(external_id="1", handle="cafe", access_token="t"),
        progress={"container_id": "c"},
        media=NoDoor(),
        started_at=STARTED,
        known_post_ids=known,
    )


def live(
    media_id: str, *, after: float = 5.0, caption: str | None = "Espresso", kind: str = "IMAGE", product: str = "FEED"
) -> LiveMedium:
    return LiveMedium(
        id=media_id,
        published_at=STARTED + timedelta(seconds=after),
        media_type=kind,
        product_type=product,
        permalink=f"https://example.org/{media_id}",
        caption=caption,
    )


OTHER = live("other", caption="Something else entirely")

# What is listed -> the id that is taken, None: unknown
CASES: dict[str, tuple[Publish, list[LiveMedium], str | None]] = {
    "the only one": (publish(), [live("1")], "1"),
    "nothing yet": (publish(), [], None),
    "another caption": (publish(), [OTHER], None),
    "before we began": (publish(), [live("1", after=-61)], None),
    "clocks that differ by a minute": (publish(), [live("1", after=-59)], "1"),
    "trimmed and folded": (publish(" Espresso\r\n\r\nblend  "), [live("1", caption="Espresso\n\nblend")], "1"),
    "composed": (publish("cafe\u0301"), [live("1", caption="caf\u00e9")], "1"),
    "another type": (publish(), [live("1", kind="CAROUSEL_ALBUM")], None),
    "a feed video is no reel": (publish(of="reel"), [live("1", kind="VIDEO", product="FEED")], None),
    "a reel": (publish(of="reel"), [live("1", kind="VIDEO", product="REELS")], "1"),
    "a carousel": (publish(of="carousel"), [live("1", kind="CAROUSEL_ALBUM")], "1"),
    "the newest of two": (publish(), [live("1", after=5), live("2", after=60)], "2"),
    "two in one second": (publish(), [live("2"), live("1")], "2"),
    "the one nobody owns": (publish(known=frozenset({"2"})), [live("1", after=5), live("2", after=60)], "1"),
    "all are owned": (publish(known=frozenset({"1"})), [live("1")], None),
    "captions hidden, one": (publish(), [live("1", caption=None)], "1"),
    "captions hidden, two": (publish(), [live("1", caption=None), live("2", caption=None)], None),
    "captions hidden, one of our type": (
        publish(),
        [live("1", caption=None), live("2", caption=None, kind="VIDEO", product="REELS")],
        "1",
    ),
    "captions shown elsewhere: this one has none": (publish(), [live("1", caption=None), OTHER], None),
    "ours has no caption": (publish(""), [live("1", caption=None), OTHER], "1"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_post_is_found_by_time_type_and_caption(name: str) -> None:
    asked, listed, expected = CASES[name]
    finding = identify_post(asked, listed, {"container_id": "c"})
    assert finding.outcome == ("unknown" if expected is None else "posted")
    assert finding.progress.get("media_id") == expected
    assert finding.evidence["container_id"] == "c"
    assert finding.evidence["listed"] == len(listed)
    assert not finding.start_over


def test_the_evidence_names_the_others() -> None:
    finding = identify_post(publish(), [live("1"), live("2", after=60)], {})
    assert finding.evidence["equal_candidates"] == 2
    assert str(finding.evidence["candidates"]).count("example.org") == 2
    assert finding.progress == {"media_id": "2", "permalink": "https://example.org/2"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("FINISHED", ("not_posted", False)),
        ("IN_PROGRESS", ("not_posted", False)),
        ("ERROR", ("not_posted", True)),
        ("EXPIRED", ("not_posted", True)),
        ("PUBLISHED", None),
        ("", None),
        ("SOMETHING_NEW", None),
    ],
)
def test_what_a_containers_status_says_by_itself(status: str, expected: tuple[str, bool] | None) -> None:
    finding = unpublished(status, {})
    assert (finding and (finding.outcome, finding.start_over)) == expected


def test_a_list_is_read_as_far_as_it_makes_sense() -> None:
    good: JsonObject = {"id": "1", "timestamp": "2026-11-20T09:00:05+0000", "media_type": "IMAGE"}
    assert [medium.id for medium in read_list([good, {"id": "2"}, {"timestamp": "x", "id": "3"}, "4", None])] == ["1"]
    assert read_list([good])[0].published_at == STARTED + timedelta(seconds=5)
    nothings: tuple[JsonValue, ...] = (None, "text", 5, {})
    for nothing in nothings:
        assert read_list(nothing) == ()
