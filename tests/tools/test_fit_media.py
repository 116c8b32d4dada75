"""Media fitted through the door: converted when a post is drafted, cropped when a person has chosen, undone."""

import asyncio
import io
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image

from core.errors import InvalidInput, NotFound
from tests.tools.conftest import AddPhoto, Desk, jpeg
from tests.tools.media.clips import H264, VP9, clip
from tools.context import Doors
from tools.dispatcher import ConsentNeeded
from tools.posts.fitting import percent_of


def png(width: int = 800, height: int = 800) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def post_of(result: dict[str, object]) -> dict[str, object]:
    post = result["post"]
    assert isinstance(post, dict)
    return post


def media_of(result: dict[str, object]) -> list[dict[str, object]]:
    media = post_of(result)["media"]
    assert isinstance(media, list)
    return media


async def test_a_png_is_converted_said_and_can_be_scheduled(desk: Desk, add_photo: AddPhoto) -> None:
    asset = await add_photo("espresso.png", png())
    drafted = await desk.act("create_draft", caption="Hello", media=[{"asset_id": asset.id, "alt_text": "a cup"}])
    (medium,) = media_of(drafted)
    assert (medium["name"], medium["mime_type"], medium["alt_text"]) == ("espresso.jpg", "image/jpeg", "a cup")
    assert drafted["warnings"] == ["espresso.png was converted to JPEG for Instagram; the original is kept."]
    planned = await desk.act("schedule_post", post_id=post_of(drafted)["id"], when="in 2 hours")
    assert post_of(planned)["status"] == "scheduled"


async def test_a_repeat_finds_the_same_derived_asset_and_so_does_the_derived_one(
    desk: Desk, add_photo: AddPhoto
) -> None:
    asset = await add_photo("espresso.png", png())
    first, second = [
        media_of(await desk.act("create_draft", caption="Hello", media=[{"asset_id": asset.id}])) for _ in range(2)
    ]
    assert first[0]["asset_id"] == second[0]["asset_id"] != asset.id
    third = await desk.act("create_draft", caption="Hello", media=[{"asset_id": first[0]["asset_id"]}])
    assert media_of(third)[0]["asset_id"] == first[0]["asset_id"]
    assert third["warnings"] == []


async def test_words_find_what_was_brought_and_not_what_was_made(desk: Desk, add_photo: AddPhoto) -> None:
    await add_photo("espresso.png", png())
    for _ in range(2):
        drafted = await desk.act("create_draft", caption="Hello", media=[{"asset_id": "espresso"}])
        assert media_of(drafted)[0]["name"] == "espresso.jpg"


async def test_a_wrong_ratio_is_offered_three_crops_made_on_demand_and_undone(desk: Desk, add_photo: AddPhoto) -> None:
    asset = await add_photo("tower.png", png(500, 1500))
    drafted = await desk.act("create_draft", caption="Hello", media=[{"asset_id": asset.id}])
    post = post_of(drafted)
    offer = str(drafted["warnings"][0])  # type: ignore[index]
    for words in ("tower.png is 500 x 1500", "“fill”", "500 x 625", "“border”", "1200 x 1500", "“smart”", "fit_media"):
        assert words in offer
    assert media_of(drafted)[0]["asset_id"] == asset.id
    sizes = {}
    for crop in ("fill", "border", "smart"):
        fitted = await desk.act("fit_media", post_id=post["id"], crop=crop)
        (medium,) = media_of(fitted)
        sizes[crop] = (medium["width"], medium["height"])
        assert fitted["warnings"] == []
        assert "tower.png was converted to JPEG" in str(fitted["summary"])
    assert sizes == {"fill": (500, 625), "border": (1200, 1500), "smart": (500, 625)}
    await desk.act("undo")
    shown = await desk.act("show_post", post_id=post["id"])
    assert (media_of(shown)[0]["width"], media_of(shown)[0]["height"]) == (1200, 1500)


async def test_what_fits_is_not_cropped_and_no_place_is_invented(desk: Desk, add_photo: AddPhoto) -> None:
    asset = await add_photo()
    post = post_of(await desk.act("create_draft", caption="Hello", media=[{"asset_id": asset.id}]))
    with pytest.raises(InvalidInput) as refusal:
        await desk.act("fit_media", post_id=post["id"], crop="fill")
    assert refusal.value.code == "nothing_to_fit"
    with pytest.raises(InvalidInput) as refusal:
        await desk.act("fit_media", post_id=post["id"], crop="fill", position=2)
    assert refusal.value.code == "no_such_medium"


async def test_one_of_several_is_cropped_and_the_others_stay(desk: Desk, add_photo: AddPhoto) -> None:
    tall = [await add_photo(f"{name}.jpg", jpeg(width=300, height=900 + add)) for add, name in enumerate("ab")]
    post = post_of(await desk.act("create_draft", caption="Both", media=[{"asset_id": each.id} for each in tall]))
    fitted = await desk.act("fit_media", post_id=post["id"], crop="fill", position=2)
    assert [(each["width"], each["height"]) for each in media_of(fitted)] == [(300, 900), (300, 375)]
    assert "wrong_ratio" not in str(fitted["summary"])
    # The chosen crop of the second stays when another edit fits the media again.
    edited = await desk.act("edit_draft", post_id=post["id"], format="carousel")
    assert [(each["width"], each["height"]) for each in media_of(edited)] == [(300, 900), (300, 375)]


async def test_a_derived_asset_leads_back_to_its_original(desk: Desk, add_photo: AddPhoto, doors: Doors) -> None:
    asset = await add_photo("tower.jpg", jpeg(width=300, height=900))
    post = post_of(await desk.act("create_draft", caption="Hello", media=[{"asset_id": asset.id}]))
    cropped = media_of(await desk.act("fit_media", post_id=post["id"], crop="fill"))[0]["asset_id"]
    bordered = media_of(await desk.act("fit_media", post_id=post["id"], crop="border"))[0]
    assert (bordered["width"], bordered["height"]) == (720, 900)
    again = await desk.act("create_draft", caption="Again", media=[{"asset_id": cropped}])
    assert media_of(again)[0]["asset_id"] == cropped


async def test_a_webm_becomes_a_reel(desk: Desk, add_photo: AddPhoto, tmp_path: Path) -> None:
    asset = await add_photo("pour.webm", clip(tmp_path, "pour.webm", *VP9).read_bytes())
    assert (asset.kind, asset.video_codec, asset.audio_codec, asset.frame_rate) == ("video", "vp9", "opus", 30)
    drafted = await desk.act("create_draft", caption="Pour", media=[{"asset_id": asset.id}])
    assert post_of(drafted)["format"] == "reel"
    assert media_of(drafted)[0]["name"] == "pour.mp4"
    assert "converted to MP4 (H.264)" in str(drafted["warnings"])
    planned = await desk.act("schedule_post", post_id=post_of(drafted)["id"], when="in 2 hours")
    assert post_of(planned)["status"] == "scheduled"


async def test_a_film_that_is_too_long_is_said_to_be(desk: Desk, add_photo: AddPhoto, tmp_path: Path) -> None:
    path = clip(tmp_path, "long.mp4", *H264, size="64x64", seconds=901, rate=5, sound=False)
    asset = await add_photo("long.mp4", path.read_bytes())
    drafted = await desk.act("create_draft", caption="Long", media=[{"asset_id": asset.id}])
    assert media_of(drafted)[0]["asset_id"] == asset.id
    assert "too long" in str(drafted["warnings"])


async def test_progress_is_seen_while_a_film_is_converted_and_a_cancel_leaves_nothing(
    desk: Desk, add_photo: AddPhoto, doors: Doors, tmp_path: Path
) -> None:
    path = clip(tmp_path, "wide.mp4", *H264, size="2560x1440", seconds=20, rate=25, sound=False)
    asset = await add_photo("wide.mp4", path.read_bytes())
    work = asyncio.create_task(desk.act("create_draft", caption="Wide", media=[{"asset_id": asset.id}]))
    async with asyncio.timeout(60):
        while not percent_of(UUID(asset.id)):
            assert not work.done()
            await asyncio.sleep(0.01)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert percent_of(UUID(asset.id)) is None
    assert not list((doors.settings.data_dir / "fitting").iterdir())


async def test_a_yes_is_only_asked_for_what_exists(chat: Desk, add_photo: AddPhoto) -> None:
    asset = await add_photo("espresso.png", png())
    arguments = {"caption": "Now", "media": [{"asset_id": asset.id}], "publish_now": True}
    with pytest.raises(Exception, match="has to be converted") as refusal:
        await chat.turn().act("create_draft", **arguments)
    assert getattr(refusal.value, "code", None) == "draft_first"
    drafted = await chat.turn().act("create_draft", caption="Now", media=[{"asset_id": asset.id}])
    with pytest.raises(ConsentNeeded) as asked:
        await chat.turn().act("create_draft", **arguments)
    assert asked.value.arguments["media"] == [{"asset_id": media_of(drafted)[0]["asset_id"], "alt_text": None}]


async def test_an_unknown_asset_is_named(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no asset"):
        await desk.act("create_draft", caption="Hello", media=[{"asset_id": "nothing like it"}])
