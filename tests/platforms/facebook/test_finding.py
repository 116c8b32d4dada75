"""Which of the listed posts, videos and comments is ours, when the lists leave room for doubt."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from core.jsontypes import JsonObject
from platforms.base import Content, Credentials, Finding, Medium, Publish
from platforms.facebook.finding import compare, judge_reel, read_comments, read_posts, read_videos

STARTED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class NoDoor:
    def public_url(self, medium: Medium) -> str:
        raise AssertionError(medium)

    def read(self, medium: Medium, *, start: int = 0) -> AsyncIterator[bytes]:
        raise AssertionError((medium, start))


def publish(
    caption: str = "Espresso",
    *,
    of: str = "text",
    known: frozenset[str] = frozenset(),
    photos: Sequence[str] = (),
    doubt: str = "publish",
) -> Publish:
    return Publish(
        content=Content(format=of, caption=caption),
        credentials=Credentials(external_id="1", handle="cafe", access_token="t"),
        progress={"photos": list(photos)} if photos else {},
        media=NoDoor(),
        started_at=STARTED,
        known_post_ids=known,
        in_doubt=doubt,
    )


def post(number: int, message: str | None = "Espresso", *, after: float = 5.0, kind: str | None = None) -> JsonObject:
    moment = (STARTED + timedelta(seconds=after)).strftime("%Y-%m-%dT%H:%M:%S+0000")
    entry: JsonObject = {"id": f"1_{number}", "created_time": moment, "permalink_url": f"/cafe/posts/{number}"}
    entry = {**entry, "message": message} if message else entry
    return {**entry, "attachments": {"data": [{"media_type": kind}]}} if kind else entry


def album(number: int, *photos: str, message: str = "Espresso") -> JsonObject:
    targets: list[JsonObject] = [{"target": {"id": photo}} for photo in photos]
    attached: JsonObject = {"media_type": "album", "subattachments": {"data": targets}}
    return {**post(number, message), "attachments": {"data": [attached]}}


CASES: dict[str, tuple[Publish, list[JsonObject], str | None]] = {
    "nothing": (publish(), [], None),
    "other words": (publish(), [post(1, "Filter")], None),
    "before we began": (publish(), [post(1, after=-61)], None),
    "clocks that differ by a minute": (publish(), [post(1, after=-59)], "1_1"),
    "trimmed, folded and composed": (publish(" cafe\u0301\r\n\r\nbar "), [post(1, "caf\u00e9\n\nbar")], "1_1"),
    "the newest of two": (publish(), [post(1), post(2, after=60)], "1_2"),
    "another row's": (publish(known=frozenset({"1_1"})), [post(1)], None),
    "the one nobody owns": (publish(known=frozenset({"1_2"})), [post(1), post(2, after=60)], "1_1"),
    "a text with a preview of its link": (publish(), [post(1, kind="link")], "1_1"),
    "a photo is no text": (publish(), [post(1, kind="photo")], None),
    "a photo": (publish(of="image"), [post(1, kind="photo")], "1_1"),
    "a photo whose kind is hidden": (publish(of="image"), [post(1)], "1_1"),
    "one photo without words": (publish("", of="image"), [post(1, None, kind="photo")], "1_1"),
    "our photos": (publish(of="carousel", photos=["7", "8"]), [album(1, "5", "6"), album(2, "8", "7")], "1_2"),
    "our photos, words changed": (publish(of="carousel", photos=["7", "8"]), [album(1, "7", "8", message="x")], "1_1"),
    "their photos, our words": (publish(of="carousel", photos=["7", "8"]), [album(1, "5", "6")], None),
    "photos hidden": (publish(of="carousel", photos=["7", "8"]), [post(1, kind="album")], "1_1"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_post_is_found_by_time_words_kind_and_photos(name: str) -> None:
    asked, entries, expected = CASES[name]
    finding = compare(asked, read_posts(entries), words=asked.content.caption)
    assert finding.outcome == ("not_posted" if expected is None else "posted")
    assert finding.progress.get("post_id") == expected
    assert finding.evidence["listed"] == len(entries)
    assert not finding.start_over


def test_what_is_kept_leads_on() -> None:
    finding = compare(publish(), read_posts([post(1)]), words="Espresso")
    address = "https://www.facebook.com/cafe/posts/1"
    assert finding.progress == {"finished": True, "post_id": "1_1", "permalink": address}


def test_two_without_words_are_not_told_apart() -> None:
    asked = publish("", of="image")
    listed = read_posts([post(1, None, kind="photo"), post(2, None, kind="photo")])
    assert compare(asked, listed, words="").outcome == "unknown"


@pytest.mark.parametrize("owned", ["9", "1_5"])
def test_a_video_is_owned_by_its_own_id_or_its_posts(owned: str) -> None:
    entry: JsonObject = {"id": "9", "description": "Espresso", "created_time": "2026-11-20T09:00:05+0000"}
    for post_id in ("5", "1_5"):
        listed = read_videos([{**entry, "post_id": post_id}], publish())
        assert compare(publish(of="video"), listed, words="Espresso").progress == {"finished": True, "video_id": "9"}
        known = publish(of="video", known=frozenset({owned}))
        assert compare(known, listed, words="Espresso").outcome == "not_posted"


@pytest.mark.parametrize(("author", "found"), [({"id": "1"}, True), ({"id": "2"}, False), (None, True)])
def test_a_comment_is_the_pages_own(author: JsonObject | None, *, found: bool) -> None:
    entry: JsonObject = {"id": "2_3", "message": "Hi", "created_time": "2026-11-20T09:00:05+0000"}
    asked = publish(of="image", doubt="first_comment")
    listed = read_comments([{**entry, "from": author} if author else entry], asked)
    assert (compare(asked, listed, words="Hi").progress.get("comment_id") == "2_3") is found


def test_a_list_is_read_as_far_as_it_makes_sense() -> None:
    nonsense: list[JsonObject] = [{}, {"id": "1"}, {"id": "1", "created_time": "x"}, {"id": 5, "attachments": "?"}]
    asked = publish()
    assert read_posts(nonsense) == read_videos(nonsense, asked) == read_comments(nonsense, asked) == []
    assert len(read_posts([*nonsense, {**post(1), "attachments": {"data": ["?"]}}])) == 1


def reel(word: str, publishing: JsonObject, **phases: JsonObject) -> Finding:
    return judge_reel({"status": {"video_status": word, "publishing_phase": publishing, **phases}})


def test_what_a_reels_phases_say() -> None:
    assert reel("ready", {"status": "complete", "publish_status": "published"}).outcome == "posted"
    assert reel("processing", {"status": "in_progress"}).progress == {"finished": True}
    assert reel("upload_complete", {"status": "not_started"}).outcome == "not_posted"
    for dead in (
        reel("error", {"status": "not_started"}),
        reel("expired", {"status": "not_started"}),
        reel("processing", {"status": "error", "publish_status": "error"}),
        reel("processing", {"status": "in_progress"}, processing_phase={"status": "error"}),
    ):
        assert (dead.outcome, dead.start_over) == ("not_posted", True)
    for nothing in (reel("ready", {}), judge_reel({}), reel("", {"status": "something new"})):
        assert nothing.outcome == "unknown"
