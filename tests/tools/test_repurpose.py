"""One post for other networks: drafts in each one's words, linked, or nothing at all."""

from dataclasses import replace
from datetime import datetime

import pytest

from core.errors import Conflict, InvalidInput, NotFound, Unavailable
from core.ports import RepurposeBrief, Repurposed
from tests.conftest import NewPrincipal
from tests.tools.conftest import AddPhoto, Desk
from tests.tools.second_network import LIMIT
from tools.context import Surface
from tools.dispatcher import Dispatcher

Json = dict[str, object]
CAPTION = "Our new espresso blend is here. Dark, calm and roasted on Monday morning. Come and taste it.\n\n#espresso"


def one(result: Json, name: str = "post") -> Json:
    found = result[name]
    assert isinstance(found, dict)
    return found


def many(result: Json, name: str = "posts") -> list[Json]:
    found = result[name]
    assert isinstance(found, list)
    return found


async def source(desk: Desk, photo: AddPhoto, caption: str = CAPTION) -> Json:
    asset = await photo()
    media = [{"asset_id": asset.id, "alt_text": "A cup"}]
    return one(await desk.act("create_draft", platform="instagram", caption=caption, media=media))


async def test_a_draft_for_the_other_network_in_its_words_and_format(wide: Desk, add_photo: AddPhoto) -> None:
    post = await source(wide, add_photo)
    result = await wide.act("repurpose_post", post_id=post["id"], platforms=["Filmhouse"])
    (sibling,) = many(result)
    assert (sibling["platform"], sibling["format"], sibling["status"]) == ("filmhouse", "photo", "draft")
    assert 0 < len(str(sibling["caption"]).encode()) <= LIMIT
    assert str(sibling["caption"]).startswith("Our new espresso blend is here.")
    assert [(each["asset_id"], each["alt_text"]) for each in many(sibling, "media")] == [
        (each["asset_id"], "A cup") for each in many(post, "media")
    ]
    shown = one(await wide.act("show_post", post_id=post["id"]))
    assert shown["idea_id"] == sibling["idea_id"] == result["idea_id"]
    assert shown["caption"] == CAPTION
    assert "own words" in str(result["summary"])
    again = await wide.act("repurpose_post", post_id=post["id"])
    assert again["idea_id"] == result["idea_id"]


async def test_a_network_that_cannot_take_it_is_named_and_the_others_are_made(wide: Desk, add_photo: AddPhoto) -> None:
    post = await source(wide, add_photo)
    result = await wide.act("repurpose_post", post_id=post["id"], platforms=["filmhouse", "instagram", "pigeonpost"])
    assert len(many(result)) == 1
    warnings = " ".join(map(str, result["warnings"]))  # type: ignore[call-overload]
    assert "already" in warnings
    assert "pigeonpost" in warnings
    words_alone = one(await wide.act("create_draft", platform="instagram", caption="Only words"))
    with pytest.raises(InvalidInput) as refused:
        await wide.act("repurpose_post", post_id=words_alone["id"], platforms=["filmhouse"])
    assert refused.value.code == "no_target"
    assert "no post of words alone" in refused.value.message


async def test_when_puts_them_on_the_calendar_of_who_may(wide: Desk, add_photo: AddPhoto) -> None:
    post = await source(wide, add_photo)
    result = await wide.act("repurpose_post", post_id=post["id"], platforms=["filmhouse"], when="next free slot")
    (sibling,) = many(result)
    assert sibling["status"] == "scheduled"
    at = datetime.fromisoformat(str(sibling["scheduled_for"]))
    assert at.weekday() in {0, 2, 4}  # Filmhouse's own posting times
    assert str(sibling["receipt"]) in str(result["summary"])


async def test_nobody_says_yes_to_words_that_are_not_there(wide_chat: Desk, add_photo: AddPhoto) -> None:
    post = await source(wide_chat.turn(), add_photo)
    doors = wide_chat.dispatcher.doors
    strict = replace(doors, settings=doors.settings.model_copy(update={"approvals": "all"}))
    careful = replace(wide_chat, dispatcher=Dispatcher(strict, wide_chat.dispatcher.catalog))
    with pytest.raises(Conflict) as refused:
        await careful.act("repurpose_post", post_id=post["id"], platforms=["filmhouse"], when="in 2 hours")
    assert refused.value.code == "draft_first"
    assert careful.caller.surface is Surface.AGENT


async def test_undo_takes_the_drafts_back_and_the_link_too(wide_chat: Desk, add_photo: AddPhoto) -> None:
    post = await source(wide_chat.turn(), add_photo)
    (sibling,) = many(await wide_chat.turn().act("repurpose_post", post_id="it", platforms=["filmhouse"]))
    await wide_chat.turn().act("undo")
    assert one(await wide_chat.act("show_post", post_id=sibling["id"]))["status"] == "cancelled"
    restored = one(await wide_chat.act("show_post", post_id=post["id"]))
    assert (restored["idea_id"], restored["status"]) == (None, "draft")


async def test_the_same_key_makes_nothing_twice(wide: Desk, add_photo: AddPhoto) -> None:
    post = await source(wide, add_photo)
    arguments: Json = {"post_id": post["id"], "platforms": ["filmhouse"]}
    first = await wide.run("repurpose_post", arguments, key="once")
    second = await wide.run("repurpose_post", arguments, key="once")
    assert (first.replayed, second.replayed) == (False, True)
    assert (await wide.act("list_posts"))["total"] == 2


class _Away:
    """A writer whose model is away."""

    async def repurpose(self, _brief: RepurposeBrief) -> Repurposed:
        raise Unavailable("The model is away.", code="model_unavailable")


async def test_nothing_half_made_when_the_words_cannot_be_written(wide: Desk, add_photo: AddPhoto) -> None:
    post = await source(wide, add_photo)
    away = replace(wide.dispatcher.doors, writer=_Away())  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await replace(wide, dispatcher=Dispatcher(away, wide.dispatcher.catalog)).act(
            "repurpose_post", post_id=post["id"], platforms=["filmhouse"]
        )
    assert (await wide.act("list_posts"))["total"] == 1
    assert one(await wide.act("show_post", post_id=post["id"]))["idea_id"] is None


async def test_nobody_repurposes_next_door(wide: Desk, add_photo: AddPhoto, new_workspace: NewPrincipal) -> None:
    post = await source(wide, add_photo)
    stranger = wide.as_(await new_workspace("Bakery"))
    with pytest.raises(NotFound):
        await stranger.act("repurpose_post", post_id=post["id"], platforms=["filmhouse"])
