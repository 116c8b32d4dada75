"""The life of a post through the door: drafted, scheduled, moved, cancelled, undone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.errors import Ambiguous, Conflict, Forbidden, InvalidInput, NotFound
from tests.conftest import AddMember
from tests.tools.conftest import AddPhoto, Desk
from tools.context import Role
from tools.dispatcher import ConsentNeeded

ZONE = ZoneInfo("Europe/Madrid")


def post_of(result: dict[str, object]) -> dict[str, object]:
    post = result["post"]
    assert isinstance(post, dict)
    return post


async def draft(desk: Desk, photo: AddPhoto, caption: str = "Our new espresso blend is here.") -> dict[str, object]:
    asset = await photo()
    return post_of(await desk.act("create_draft", caption=caption, media=[{"asset_id": asset.id}]))


async def test_a_draft_has_a_code_its_words_and_its_media(desk: Desk, add_photo: AddPhoto) -> None:
    post = await draft(desk, add_photo)
    assert post["status"] == "draft"
    assert post["platform"] == "instagram"
    assert post["format"] == "image"
    assert post["caption"] == "Our new espresso blend is here."
    assert len(str(post["code"])) == 5
    assert post["version"] == 1


async def test_a_brief_is_written_by_the_writer_and_says_so(desk: Desk) -> None:
    result = await desk.act("create_draft", platform="Instagram", about="our new espresso blend")
    post = post_of(result)
    assert "espresso" in str(post["caption"]).lower()
    assert post["about"] == "our new espresso blend"
    # Instagram takes no post without a picture: the draft is kept, and says what is missing.
    assert any("Before it can go out" in str(warning) for warning in result["warnings"])  # type: ignore[attr-defined]


async def test_scheduling_answers_with_a_receipt_in_the_workspace_zone(desk: Desk, add_photo: AddPhoto) -> None:
    post = await draft(desk, add_photo)
    result = await desk.act("schedule_post", post_id=post["code"], when="in 2 hours")
    planned = post_of(result)
    assert planned["status"] == "scheduled"
    at = datetime.fromisoformat(str(planned["scheduled_for"]))
    assert timedelta(hours=1, minutes=59) < at - datetime.now(UTC) < timedelta(hours=2, minutes=1)
    assert "Europe/Madrid" in str(planned["receipt"])
    assert str(planned["receipt"]) in str(result["summary"])


async def test_a_post_without_a_picture_is_not_scheduled(desk: Desk) -> None:
    post = post_of(await desk.act("create_draft", caption="No picture"))
    with pytest.raises(InvalidInput) as refused:
        await desk.act("schedule_post", post_id=post["code"], when="in 2 hours")
    assert refused.value.code == "not_publishable"
    assert refused.value.problems[0].path.startswith("media")


async def test_moving_cancelling_and_undoing_in_a_chat(chat: Desk, add_photo: AddPhoto) -> None:
    await draft(chat.turn(), add_photo)
    planned = post_of(await chat.turn().act("schedule_post", post_id="it", when="in 2 hours"))
    moved = post_of(await chat.turn().act("move_post", post_id="it", when="an hour later"))
    first, second = (datetime.fromisoformat(str(each["scheduled_for"])) for each in (planned, moved))
    assert second - first == timedelta(hours=1)
    cancelled = post_of(await chat.turn().act("cancel_post", post_id="that"))
    assert cancelled["status"] == "cancelled"
    undone = await chat.turn().act("undo")
    assert "scheduled for" in str(undone["summary"])
    again = post_of(await chat.turn().act("show_post", post_id="it"))
    assert (again["status"], again["scheduled_for"]) == ("scheduled", moved["scheduled_for"])


async def test_undo_takes_back_a_whole_turn(chat: Desk, add_photo: AddPhoto) -> None:
    turn = chat.turn()
    post = await draft(turn, add_photo)
    await turn.act("schedule_post", post_id=post["id"], when="in 2 hours")
    await chat.turn().act("undo")
    assert post_of(await chat.act("show_post", post_id=post["id"]))["status"] == "cancelled"


async def test_undo_refuses_where_something_moved_on(chat: Desk, add_photo: AddPhoto) -> None:
    post = await draft(chat.turn(), add_photo)
    person = Desk(
        dispatcher=chat.dispatcher,
        caller=chat.caller.__class__(
            principal=chat.caller.principal, surface=chat.caller.surface, zone=chat.caller.zone
        ),
    )
    await person.act("edit_draft", post_id=post["id"], caption="Changed meanwhile")
    with pytest.raises(Conflict) as refused:
        await chat.turn().act("undo")
    assert refused.value.code == "undo_refused"
    assert str(post["code"]) in refused.value.message


async def test_nothing_to_undo_is_said(chat: Desk) -> None:
    with pytest.raises(NotFound, match="nothing to undo"):
        await chat.act("undo")


async def test_a_concurrent_edit_is_told_what_changed(desk: Desk, add_photo: AddPhoto) -> None:
    post = await draft(desk, add_photo)
    await desk.act("edit_draft", post_id=post["id"], caption="Theirs", version=1)
    with pytest.raises(Conflict) as refused:
        await desk.act("edit_draft", post_id=post["id"], caption="Mine", version=1)
    assert refused.value.code == "version_conflict"
    assert refused.value.changed == {"version": 2, "caption": "Theirs"}
    assert post_of(await desk.act("show_post", post_id=post["id"]))["caption"] == "Theirs"


async def test_the_same_key_again_does_nothing(desk: Desk) -> None:
    arguments: dict[str, object] = {"caption": "Once"}
    first = await desk.run("create_draft", arguments, key="one")
    second = await desk.run("create_draft", arguments, key="one")
    assert (first.replayed, second.replayed) == (False, True)
    assert post_of(second.result)["id"] == post_of(first.result)["id"]
    assert (await desk.act("list_posts"))["total"] == 1
    with pytest.raises(Conflict) as refused:
        await desk.run("create_draft", {"caption": "Other"}, key="one")
    assert refused.value.code == "idempotency_key_reused"


async def test_publishing_asks_first_and_binds_the_yes_to_the_content(chat: Desk, add_photo: AddPhoto) -> None:
    post = await draft(chat.turn(), add_photo)
    with pytest.raises(ConsentNeeded) as asked:
        await chat.turn().act("publish_post", post_id="it")
    assert asked.value.proposal.post_id == post["id"]
    assert asked.value.arguments == {"post_id": post["id"]}
    assert "Our new espresso blend" in asked.value.proposal.summary
    before = asked.value.proposal.content_hash
    await chat.turn().act("edit_draft", post_id="it", caption="Something else")
    with pytest.raises(ConsentNeeded) as again:
        await chat.turn().act("publish_post", post_id="it")
    assert again.value.proposal.content_hash != before


async def test_a_direct_act_of_an_owner_is_consent(desk: Desk, add_photo: AddPhoto) -> None:
    post = await draft(desk, add_photo)
    assert post_of(await desk.act("publish_post", post_id=post["id"]))["status"] == "publishing"


async def test_roles(desk: Desk, add_photo: AddPhoto, add_member: AddMember) -> None:
    post = await draft(desk, add_photo)
    workspace = desk.caller.principal.workspace_id
    viewer = desk.as_((await add_member(workspace, Role.VIEWER))[0])
    editor = desk.as_((await add_member(workspace, Role.EDITOR))[0])
    assert (await viewer.act("list_posts"))["total"] == 1
    with pytest.raises(Forbidden):
        await viewer.act("edit_draft", post_id=post["id"], caption="no")
    await editor.act("edit_draft", post_id=post["id"], caption="yes")
    with pytest.raises(ConsentNeeded):
        await editor.act("publish_post", post_id=post["id"])


async def test_words_that_match_two_posts_are_answered_with_both(desk: Desk) -> None:
    one = post_of(await desk.act("create_draft", caption="Espresso in the morning"))
    two = post_of(await desk.act("create_draft", caption="Espresso at night"))
    with pytest.raises(Ambiguous) as asked:
        await desk.act("show_post", post_id="the espresso post")
    assert {candidate.id for candidate in asked.value.candidates} == {one["id"], two["id"]}
    assert post_of(await desk.act("show_post", post_id="the night post"))["id"] == two["id"]
    assert post_of(await desk.act("show_post", post_id=str(one["code"]).lower()))["id"] == one["id"]
    assert post_of(await desk.act("show_post", post_id="the last draft"))["id"] == two["id"]
    with pytest.raises(NotFound):
        await desk.act("show_post", post_id="the tea post")


async def test_arguments_that_do_not_fit_are_named(desk: Desk) -> None:
    with pytest.raises(InvalidInput) as refused:
        await desk.act("schedule_post", post="x", when="")
    assert {problem.path for problem in refused.value.problems} == {"post_id", "when", "post"}


async def test_lists_page_by_key(desk: Desk, add_photo: AddPhoto) -> None:
    for number in range(5):
        await desk.act("create_draft", caption=f"Post {number}")
    first = await desk.act("list_posts", limit=2)
    second = await desk.act("list_posts", limit=2, cursor=first["next_cursor"])
    third = await desk.act("list_posts", limit=2, cursor=second["next_cursor"])
    captions = [item["caption"] for page in (first, second, third) for item in page["items"]]  # type: ignore[attr-defined]
    assert captions == [f"Post {number}" for number in (4, 3, 2, 1, 0)]
    assert third["next_cursor"] is None


async def test_a_clash_is_a_warning(desk: Desk, add_photo: AddPhoto) -> None:
    one, two = await draft(desk, add_photo), await draft(desk, add_photo, "Second")
    await desk.act("schedule_post", post_id=one["id"], when="in 2 hours")
    result = await desk.act("schedule_post", post_id=two["id"], when="in 125 minutes")
    assert str(one["code"]) in str(result["warnings"])


async def test_the_next_free_slot_skips_taken_ones(desk: Desk, add_photo: AddPhoto) -> None:
    one, two = await draft(desk, add_photo), await draft(desk, add_photo, "Second")
    first = post_of(await desk.act("schedule_post", post_id=one["id"], when="next free slot"))
    second = post_of(await desk.act("schedule_post", post_id=two["id"], when="the next free slot"))
    assert str(second["scheduled_for"]) > str(first["scheduled_for"])


async def test_a_free_slot_is_on_the_day_or_after_the_day_that_is_said(desk: Desk, add_photo: AddPhoto) -> None:
    one, two = await draft(desk, add_photo), await draft(desk, add_photo, "Second")
    on_friday = post_of(await desk.act("schedule_post", post_id=one["id"], when="a free slot on Friday"))
    after = post_of(await desk.act("schedule_post", post_id=two["id"], when="next free slot after Friday"))
    friday = datetime.fromisoformat(str(on_friday["scheduled_for"])).astimezone(ZONE)
    assert friday.weekday() == 4
    assert datetime.fromisoformat(str(after["scheduled_for"])).astimezone(ZONE).date() > friday.date()


async def test_a_day_without_a_free_slot_is_said(desk: Desk, add_photo: AddPhoto) -> None:
    post = await draft(desk, add_photo)
    with pytest.raises(InvalidInput) as refused:
        await desk.act("schedule_post", post_id=post["id"], when="free slot on Sunday morning")
    assert refused.value.code == "no_free_slot"


async def test_unknown_networks_are_named_with_the_known_ones(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="Instagram") as refused:
        await desk.act("create_draft", platform="MySpace", caption="hi")
    assert refused.value.code == "platform_unknown"
