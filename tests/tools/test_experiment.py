"""Experiments: variants that differ in one thing only, linked, planned without clashes, taken back as a whole."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.errors import Conflict, InvalidInput, NotFound, Unavailable
from core.ports import Variants, VariantsBrief
from tests.conftest import NewPrincipal
from tests.tools.conftest import AddPhoto, Desk, jpeg
from tests.tools.yes import ask, careful, say_yes
from tools.dispatcher import Dispatcher

Json = dict[str, object]
CAPTION = "Our new blend is here. Dark and calm. #espresso"
# What may differ between two posts that are otherwise the same.
OWN = {"id", "code", "created_at", "updated_at", "version", "receipt", "next_attempt_at"}


def one(result: Json, name: str) -> Json:
    found = result[name]
    assert isinstance(found, dict)
    return found


def variants(result: Json) -> list[Json]:
    found = one(result, "experiment")["variants"]
    assert isinstance(found, list)
    assert [each["letter"] for each in found] == list("ABCD")[: len(found)]
    return [each["post"] for each in found]


def differences(first: Json, second: Json) -> set[str]:
    return {name for name in first.keys() - OWN if first[name] != second[name]}


async def source(desk: Desk, photo: AddPhoto, caption: str = CAPTION) -> Json:
    asset = await photo()
    return one(await desk.act("create_draft", caption=caption, media=[{"asset_id": asset.id, "alt_text": "A"}]), "post")


async def test_captions_are_written_and_nothing_else_differs(desk: Desk, add_photo: AddPhoto) -> None:
    post = await source(desk, add_photo)
    result = await desk.act("create_experiment", post_id=post["id"], vary="caption", count=3, hypothesis="short wins")
    first, *others = variants(result)
    assert first["id"] == post["id"]
    assert first["experiment_id"] == one(result, "experiment")["id"]
    for other in others:
        assert differences(first, other) == {"caption"}
        assert other["status"] == "draft"
    assert len({str(each["caption"]) for each in (first, *others)}) == 3
    assert "own words" in str(result["summary"])
    shown = await desk.act("show_experiment", experiment_id=one(result, "experiment")["id"])
    assert [each["id"] for each in variants(shown)] == [each["id"] for each in (first, *others)]
    assert one(shown, "experiment")["verdict"] is None
    assert "No verdict" in str(shown["summary"])
    with pytest.raises(Conflict) as held:
        await desk.act("create_experiment", post_id=post["id"], vary="caption")
    assert held.value.code == "experiment_exists"


async def test_images(desk: Desk, add_photo: AddPhoto) -> None:
    post = await source(desk, add_photo)
    other = await add_photo("latte.jpg", jpeg(colour=(200, 180, 150)))
    given = [{"media": [{"asset_id": other.id, "alt_text": "B"}]}]
    first, second = variants(await desk.act("create_experiment", post_id=post["id"], vary="image", variants=given))
    assert differences(first, second) == {"media"}


async def test_times(desk: Desk, add_photo: AddPhoto) -> None:
    post = await source(desk, add_photo)
    given = [{"when": "next Tuesday 9am"}, {"when": "next Tuesday 6pm"}]
    result = await desk.act("create_experiment", post_id=post["id"], vary="time", variants=given)
    first, *others = variants(result)
    assert [each["status"] for each in others] == ["scheduled", "scheduled"]
    for other in others:
        assert differences(first, other) == {"scheduled_for", "status"}
    assert "has no time yet" in str(result["warnings"])
    again = await source(desk, add_photo)
    near = [{"when": "next Friday 9am"}, {"when": "next Friday 9:10am"}]
    with pytest.raises(InvalidInput) as clash:
        await desk.act("create_experiment", post_id=again["id"], vary="time", variants=near)
    assert clash.value.code == "variants_clash"


async def test_beside_a_planned_post_they_go_out_on_the_next_free_days(desk: Desk, add_photo: AddPhoto) -> None:
    post = await source(desk, add_photo)
    planned = one(await desk.act("schedule_post", post_id=post["id"], when="next Tuesday 9am"), "post")
    busy = await source(desk, add_photo, "Something else.")
    await desk.act("schedule_post", post_id=busy["id"], when="next Wednesday 9:05am")
    _, *others = variants(await desk.act("create_experiment", post_id=post["id"], vary="caption", count=3))
    start = datetime.fromisoformat(str(planned["scheduled_for"]))
    found = [datetime.fromisoformat(str(each["scheduled_for"])) - start for each in others]
    assert found == [timedelta(days=2), timedelta(days=3)]  # Wednesday 9:00 is 5 minutes from the other post
    assert [each["status"] for each in others] == ["scheduled", "scheduled"]


@pytest.mark.parametrize(
    ("vary", "given", "code"),
    [
        ("time", [], "variants_missing"),
        ("image", [], "variants_missing"),
        ("caption", [{"when": "tomorrow 9am"}], "variant_empty"),
        ("caption", [{"caption": "B", "media": [{"asset_id": "espresso"}]}], "variant_differs"),
        ("caption", [{"caption": CAPTION}], "variants_same"),
        ("caption", [{"caption": "B", "when": "next Friday"}, {"caption": "C"}], "variant_times"),
        ("image", [{"media": [{"asset_id": "espresso"}]}], "variants_same"),
    ],
)
async def test_what_is_no_experiment(desk: Desk, add_photo: AddPhoto, vary: str, given: list[Json], code: str) -> None:
    post = await source(desk, add_photo)
    with pytest.raises(InvalidInput) as refused:
        await desk.act("create_experiment", post_id=post["id"], vary=vary, variants=given)
    assert refused.value.code == code
    assert refused.value.action
    assert (await desk.act("list_posts"))["total"] == 1
    assert one(await desk.act("show_post", post_id=post["id"]), "post")["experiment_id"] is None


async def test_a_variant_that_cannot_go_out_leaves_nothing(desk: Desk) -> None:
    post = one(await desk.act("create_draft", caption="No picture"), "post")
    with pytest.raises(InvalidInput) as refused:
        await desk.act("create_experiment", post_id=post["id"], vary="time", variants=[{"when": "next Friday 9am"}])
    assert refused.value.code == "not_publishable"
    assert (await desk.act("list_posts"))["total"] == 1


async def test_undo_takes_the_variants_back_and_frees_the_post(chat: Desk, add_photo: AddPhoto) -> None:
    post = await source(chat.turn(), add_photo)
    made = variants(await chat.turn().act("create_experiment", post_id="it", vary="caption"))
    await chat.turn().act("undo")
    assert one(await chat.act("show_post", post_id=made[1]["id"]), "post")["status"] == "cancelled"
    freed = one(await chat.act("show_post", post_id=post["id"]), "post")
    assert (freed["experiment_id"], freed["status"]) == (None, "draft")
    assert len(variants(await chat.turn().act("create_experiment", post_id=post["id"], vary="caption"))) == 2


async def test_times_ask_and_the_yes_is_for_what_was_shown(chat: Desk, add_photo: AddPhoto) -> None:
    strict = careful(chat)
    post = await source(strict.turn(), add_photo)
    given = [{"when": "next Tuesday 9am"}]
    asked = await ask(strict.turn(), "create_experiment", post_id="it", vary="time", variants=given)
    assert CAPTION in asked.proposal.summary
    _, second = variants(await say_yes(strict, asked))
    assert (second["status"], second["approval"]) == ("scheduled", "granted")
    other = await source(strict.turn(), add_photo, "Another one.")
    asked = await ask(strict.turn(), "create_experiment", post_id=other["id"], vary="time", variants=given)
    await strict.turn().act("edit_draft", post_id=other["id"], caption="Changed meanwhile.")
    with pytest.raises(Conflict) as stale:
        await say_yes(strict, asked)
    assert stale.value.code == "approval_stale"
    assert post["id"] != other["id"]


async def test_variants_beside_a_planned_post_wait_for_a_yes_where_one_is_asked_for(
    chat: Desk, add_photo: AddPhoto
) -> None:
    post = await source(chat.turn(), add_photo)
    await chat.turn().act("schedule_post", post_id="it", when="next Tuesday 9am")
    result = await careful(chat).turn().act("create_experiment", post_id=post["id"], vary="caption")
    _, second = variants(result)
    assert (second["status"], second["approval"]) == ("scheduled", "required")
    assert "only when somebody approves" in str(result["warnings"])
    seen = [{"caption": "B", "when": "next Friday 9am"}]
    unseen = [{"media": [{"url": "http://127.0.0.1:9/b.jpg"}], "when": "next Friday 9am"}]
    other = await source(chat.turn(), add_photo, "Another one.")
    await ask(careful(chat).turn(), "create_experiment", post_id=other["id"], vary="caption", variants=seen)
    with pytest.raises(Conflict) as refused:
        await careful(chat).turn().act("create_experiment", post_id=other["id"], vary="image", variants=unseen)
    assert refused.value.code == "draft_first"


class _Away:
    """A writer whose model is away."""

    async def variants(self, _brief: VariantsBrief) -> Variants:
        raise Unavailable("The model is away.", code="model_unavailable")


async def test_nothing_half_made(desk: Desk, add_photo: AddPhoto) -> None:
    post = await source(desk, add_photo)
    away = replace(desk.dispatcher.doors, writer=_Away())  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await replace(desk, dispatcher=Dispatcher(away, desk.dispatcher.catalog)).act(
            "create_experiment", post_id=post["id"], vary="caption"
        )
    assert (await desk.act("list_posts"))["total"] == 1


async def test_the_same_key_makes_one(desk: Desk, add_photo: AddPhoto) -> None:
    post = await source(desk, add_photo)
    arguments: Json = {"post_id": post["id"], "vary": "caption"}
    first = await desk.run("create_experiment", arguments, key="once")
    second = await desk.run("create_experiment", arguments, key="once")
    assert second.replayed
    assert second.result == first.result


async def test_an_experiment_of_others_is_not_there(
    desk: Desk, add_photo: AddPhoto, new_workspace: NewPrincipal
) -> None:
    post = await source(desk, add_photo)
    made = await desk.act("create_experiment", post_id=post["id"], vary="caption")
    stranger = desk.as_(await new_workspace("Bakery"))
    with pytest.raises(NotFound):
        await stranger.act("show_experiment", experiment_id=one(made, "experiment")["id"])
    with pytest.raises(NotFound):
        await stranger.act("create_experiment", post_id=post["id"], vary="caption")
