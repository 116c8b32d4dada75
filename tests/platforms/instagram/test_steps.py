"""The order of Instagram's steps, the delays between them, and what is written down of each."""

import pytest

from core.jsontypes import JsonObject
from platforms.base import Content, Done, Medium, Step
from platforms.instagram.steps import MAX_PERMALINK_TRIES, container_form, next_step

IMAGE = Medium(asset_id="a", kind="image", mime_type="image/jpeg", size_bytes=1000, alt_text="A cup")
VIDEO = Medium(asset_id="v", kind="video", mime_type="video/mp4", size_bytes=2000)
POST = Content(format="image", caption="Espresso", media=(IMAGE,))
ALBUM = Content(format="carousel", caption="Espresso", media=(IMAGE, IMAGE))
REEL = Content(format="reel", caption="", media=(VIDEO,), options={"share_to_feed": False, "thumb_offset": 5})
MADE: JsonObject = {"container_id": "c", "transfer": "upload"}


@pytest.mark.parametrize(
    ("content", "progress", "name"),
    [
        (POST, {}, "create_container"),
        (POST, {"container_id": "c", "transfer": "link"}, "check_container"),
        (POST, {"container_id": "c", "ready": True}, "publish"),
        (POST, {"container_id": "c", "ready": True, "media_id": "m"}, "read_permalink"),
        (ALBUM, {}, "create_child_1"),
        (ALBUM, {"children": ["1"]}, "create_child_2"),
        (ALBUM, {"children": ["1", "2"]}, "create_container"),
        (REEL, {}, "create_container"),
        (REEL, {"container_id": "c", "transfer": "link"}, "check_container"),
        (REEL, MADE, "upload"),
        (REEL, {**MADE, "upload_tries": 1, "upload_offset": None}, "check_upload"),
        (REEL, {**MADE, "upload_tries": 1, "upload_offset": 7}, "upload"),
        (REEL, {**MADE, "uploaded": True}, "check_container"),
        (REEL, {**MADE, "uploaded": True, "ready": True}, "publish"),
    ],
)
def test_the_walk(content: Content, progress: JsonObject, name: str) -> None:
    step = next_step(content, progress)
    assert isinstance(step, Step)
    assert step.name == name
    assert step.irreversible is (name == "publish")


@pytest.mark.parametrize("content", [POST, ALBUM, REEL])
def test_delays_grow_to_a_minute(content: Content) -> None:
    progress: JsonObject = {"children": ["1", "2"], "container_id": "c", "transfer": "link"}
    steps = [next_step(content, {**progress, "checks": checks}) for checks in range(8)]
    # 2 s doubled, capped at 60; images are usually ready at once
    first = 2.0 if content is REEL else 0.0
    assert [step.delay for step in steps if isinstance(step, Step)] == [first, 4, 8, 16, 32, 60, 60, 60]


def test_an_upload_goes_on_where_it_broke_off() -> None:
    step = next_step(REEL, {**MADE, "upload_tries": 2, "upload_offset": 700})
    assert isinstance(step, Step)
    assert step.sends == {"container_id": "c", "asset_id": "v", "size_bytes": 2000, "offset": 700}


def test_a_post_without_an_address_is_done_and_says_so() -> None:
    progress: JsonObject = {"media_id": "m", "permalink": None, "permalink_tries": MAX_PERMALINK_TRIES}
    done = next_step(POST, progress)
    assert isinstance(done, Done)
    assert (done.platform_post_id, done.permalink) == ("m", None)
    assert done.note


def test_what_is_written_down_is_what_is_sent_but_for_the_links() -> None:
    step = next_step(REEL, {})
    assert isinstance(step, Step)
    assert step.sends == {"media_type": "REELS", "assets": ["v"], "share_to_feed": "false", "thumb_offset": "5"}
    assert container_form(REEL, (), link="https://x") == {
        "media_type": "REELS",
        "video_url": "https://x",
        "share_to_feed": "false",
        "thumb_offset": "5",
    }
    assert container_form(REEL, (), link=None)["upload_type"] == "resumable"
    assert container_form(POST, (), link="https://x") == {
        "caption": "Espresso",
        "image_url": "https://x",
        "alt_text": "A cup",
    }
    assert container_form(ALBUM, ("1", "2"), link=None) == {
        "caption": "Espresso",
        "media_type": "CAROUSEL",
        "children": "1,2",
    }
