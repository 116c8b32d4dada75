"""The walk, without any network: what follows what, and what is concluded when Facebook keeps quiet."""

import pytest

from core.jsontypes import JsonObject
from platforms.base import Content, Done, Medium, RepeatSafety, Step
from platforms.facebook.steps import (
    COMMENT_MISSING,
    MAX_CHECKS,
    MAX_PERMALINK_TRIES,
    NO_ADDRESS,
    STILL_PROCESSING,
    STORY_NOTE,
    next_step,
)

PHOTO = Medium(asset_id="p", kind="image", mime_type="image/jpeg", size_bytes=1000, alt_text="A cup")
FILM = Medium(asset_id="f", kind="video", mime_type="video/mp4", size_bytes=1000)
LIVE: JsonObject = {"finished": True, "post_id": "1_2", "permalink": "https://example.org/2"}


def content(of: str, *media: Medium, **options: str) -> Content:
    return Content(format=of, caption="words", media=media, options=options)


@pytest.mark.parametrize(
    ("given", "repeat"),
    [
        (content("text"), RepeatSafety.LOOK),
        (content("image", PHOTO), RepeatSafety.LOOK),
        (content("video", FILM), RepeatSafety.LOOK),
        (content("carousel", PHOTO, PHOTO), RepeatSafety.LOOK),
        (content("reel", FILM), RepeatSafety.WITNESS),
        (content("story", FILM), RepeatSafety.NONE),
        (content("story", PHOTO), RepeatSafety.NONE),
    ],
)
def test_how_each_format_is_kept_from_being_doubled(given: Content, repeat: RepeatSafety) -> None:
    step = next_step(given, {"photos": ["1", "2"], "video_id": "3", "uploaded": True})
    assert isinstance(step, Step)
    assert (step.name, step.irreversible, step.repeat, step.otherwise) == ("publish", True, repeat, None)


def test_a_comment_comes_last_and_its_absence_ends_nothing() -> None:
    step = next_step(content("text", first_comment="Hi"), LIVE)
    assert isinstance(step, Step)
    assert (step.name, step.irreversible, step.repeat) == ("first_comment", True, RepeatSafety.LOOK)
    assert step.sends == {"post_id": "1_2", "message": "Hi"}
    assert step.otherwise == Done(platform_post_id="1_2", permalink="https://example.org/2", note=COMMENT_MISSING)
    done = next_step(content("text", first_comment="Hi"), {**LIVE, "comment_id": "3"})
    assert done == next_step(content("text"), LIVE) == Done(platform_post_id="1_2", permalink="https://example.org/2")


def test_a_post_without_an_address_is_commented_all_the_same() -> None:
    quiet: JsonObject = {"finished": True, "post_id": "1_2", "permalink_tries": MAX_PERMALINK_TRIES}
    assert next_step(content("text"), quiet) == Done(platform_post_id="1_2", permalink=None, note=NO_ADDRESS)
    step = next_step(content("text", first_comment="Hi"), quiet)
    assert isinstance(step, Step)
    assert step.name == "first_comment"
    asking = next_step(content("text"), {**quiet, "permalink_tries": 2})
    assert isinstance(asking, Step)
    assert (asking.name, asking.delay) == ("read_permalink", 4.0)


def test_checks_grow_rarer_and_end() -> None:
    delays = []
    for checks in range(MAX_CHECKS):
        step = next_step(content("reel", FILM), {"finished": True, "video_id": "3", "checks": checks})
        assert isinstance(step, Step)
        assert (step.name, step.irreversible) == ("check_video", False)
        delays.append(step.delay)
    assert delays[:6] == [2, 4, 8, 16, 32, 60]
    assert delays[-1] == 60
    last = next_step(content("reel", FILM), {"finished": True, "video_id": "3", "checks": MAX_CHECKS})
    assert last == Done(platform_post_id="3", permalink=None, note=STILL_PROCESSING)


@pytest.mark.parametrize("post_id", ["1_2", None])
def test_a_story_is_done_when_it_is_sent(post_id: str | None) -> None:
    done = next_step(content("story", PHOTO), {"finished": True, "post_id": post_id})
    assert done == Done(platform_post_id=post_id, permalink=None, note=STORY_NOTE)


def test_the_evidence_names_assets_and_options() -> None:
    step = next_step(content("reel", FILM, title="T", first_comment="C"), {"video_id": "3", "uploaded": True})
    assert isinstance(step, Step)
    assert step.sends == {"format": "reel", "message": "words", "assets": ["f"], "video_id": "3", "title": "T"}
