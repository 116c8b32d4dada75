"""A yes is for exactly what was shown: words, media, account and time, also where a call makes the post itself."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from core import clock as database_clock
from core.errors import Conflict, InvalidInput
from db.models.conversation import ApprovalRequest
from tests.conftest import TestClock
from tests.tools.conftest import AddPhoto, Desk, jpeg
from tools.context import Doors, Role
from tools.dispatcher import ConsentNeeded, Dispatcher, with_approval


def under(policy: str, desk: Desk, doors: Doors) -> Desk:
    """The same door in an installation with this STUDIO_APPROVALS."""
    settings = doors.settings.model_copy(update={"approvals": policy})
    return replace(desk, dispatcher=Dispatcher(replace(doors, settings=settings), desk.dispatcher.catalog))


def post_of(result: Mapping[str, object]) -> dict[str, object]:
    post = result["post"]
    assert isinstance(post, dict)
    return post


async def asked(desk: Desk, command: str, **arguments: object) -> ConsentNeeded:
    with pytest.raises(ConsentNeeded) as needed:
        await desk.act(command, **arguments)
    return needed.value


async def approved(desk: Desk, doors: Doors, needed: ConsentNeeded) -> UUID:
    async with doors.database.session(desk.caller.principal.workspace_id) as session:
        approval = ApprovalRequest(
            workspace_id=desk.caller.principal.workspace_id,
            command=needed.command,
            args=needed.arguments,
            summary=needed.proposal.summary,
            content_hash=needed.proposal.content_hash,
            status="approved",
            expires_at=await database_clock.now(session) + timedelta(days=2),
        )
        session.add(approval)
    return approval.id


async def carry_out(desk: Desk, doors: Doors, needed: ConsentNeeded) -> dict[str, object]:
    caller = with_approval(desk.caller, await approved(desk, doors, needed))
    return (await desk.dispatcher.run(needed.command, needed.arguments, caller)).result


@pytest.mark.parametrize("asking", [{"publish_now": True}, {"when": "in 2 hours"}])
async def test_nobody_is_asked_about_words_or_pictures_that_are_not_there_yet(
    chat: Desk, doors: Doors, add_photo: AddPhoto, asking: dict[str, object]
) -> None:
    agent, photo = under("agent", chat, doors), {"asset_id": (await add_photo()).id}
    for unseen in (
        {"about": "our espresso", "media": [photo]},
        {"caption": "Espresso", "media": [{"url": "http://127.0.0.1:9/changes-every-minute.jpg"}]},
    ):
        with pytest.raises(Conflict) as refused:
            await agent.act("create_draft", **unseen, **asking)
        assert refused.value.code == "draft_first"
    assert (await chat.act("list_posts"))["total"] == 0


async def test_the_time_that_was_shown_is_the_time_that_is_meant(
    chat: Desk, doors: Doors, add_photo: AddPhoto, clock: TestClock
) -> None:
    """Asked today about tomorrow, answered after midnight: it is the day that was shown."""
    agent = under("agent", chat, doors)
    draft = {"caption": "Espresso", "media": [{"asset_id": (await add_photo()).id}]}
    needed = await asked(agent, "create_draft", **draft, when="in 30 hours")
    clock.shift(timedelta(hours=20))
    post = post_of(await carry_out(agent, doors, needed))
    assert post["scheduled_for"] is not None
    assert str(needed.arguments["when"])[:16] == str(post["scheduled_for"])[:16]
    assert (post["status"], post["approval"]) == ("scheduled", "granted")
    assert "Espresso" in needed.proposal.summary


async def test_the_picture_that_was_shown_is_the_picture_that_is_meant(
    chat: Desk, doors: Doors, add_photo: AddPhoto
) -> None:
    agent, first = under("agent", chat, doors), await add_photo("latte.jpg")
    arguments = {"caption": "Latte", "media": [{"asset_id": "latte", "alt_text": "A latte"}], "publish_now": True}
    needed = await asked(agent, "create_draft", **arguments)
    await add_photo("a better latte.jpg", jpeg(colour=(200, 9, 9)))
    post = post_of(await carry_out(agent, doors, needed))
    media = post["media"]
    assert isinstance(media, list)
    assert [(medium["asset_id"], medium["alt_text"]) for medium in media] == [(first.id, "A latte")]
    assert (post["status"], post["approval"]) == ("publishing", "granted")


async def test_what_the_network_would_refuse_is_not_asked_about(chat: Desk, doors: Doors) -> None:
    agent = under("agent", chat, doors)
    with pytest.raises(InvalidInput) as refused:
        await agent.act("create_draft", caption="No picture", publish_now=True)
    assert refused.value.code == "not_publishable"


@pytest.mark.parametrize("policy", ["agent", "all"])
async def test_the_agent_cannot_change_what_a_person_put_on_the_calendar(
    chat: Desk, desk: Desk, doors: Doors, add_photo: AddPhoto, policy: str
) -> None:
    """An edit asks nobody, so what it leaves on the calendar waits for a yes; the answer says so."""
    agent, person = under(policy, chat, doors), under(policy, desk, doors)
    media = [{"asset_id": (await add_photo()).id}]
    planned = post_of(await person.act("create_draft", caption="A person's words", media=media, when="in 2 hours"))
    assert planned["approval"] == "none"
    edited = await agent.act("edit_draft", post_id=planned["id"], caption="The agent's words")
    assert post_of(edited)["approval"] == "required"
    warnings = edited["warnings"]
    assert isinstance(warnings, list)
    assert any("approv" in warning for warning in warnings)
    # A person who may approve says it again, and that is a yes.
    moved = await person.act("move_post", post_id=planned["id"], when="in 3 hours")
    assert post_of(moved)["approval"] == "granted"


async def test_taking_back_the_edit_takes_back_the_need_for_a_yes(
    chat: Desk, desk: Desk, doors: Doors, add_photo: AddPhoto
) -> None:
    agent, person = under("agent", chat, doors), under("agent", desk, doors)
    media = [{"asset_id": (await add_photo()).id}]
    planned = post_of(await person.act("create_draft", caption="A person's words", media=media, when="in 2 hours"))
    await agent.act("edit_draft", post_id=planned["id"], caption="The agent's words")
    await agent.turn().act("undo")
    after = post_of(await person.act("show_post", post_id=planned["id"]))
    assert (after["caption"], after["approval"]) == ("A person's words", "none")


async def test_under_the_default_the_agents_edit_of_a_plan_asks_nobody(
    chat: Desk, desk: Desk, add_photo: AddPhoto
) -> None:
    media = [{"asset_id": (await add_photo()).id}]
    planned = post_of(await desk.act("create_draft", caption="A person's words", media=media, when="in 2 hours"))
    edited = await chat.act("edit_draft", post_id=planned["id"], caption="The agent's words")
    assert (post_of(edited)["approval"], edited["warnings"]) == ("none", [])


async def test_an_edit_by_somebody_who_may_approve_is_a_yes_to_it(
    chat: Desk, desk: Desk, doors: Doors, add_photo: AddPhoto
) -> None:
    agent, person = under("agent", chat, doors), under("agent", desk, doors)
    draft = {"caption": "Espresso", "media": [{"asset_id": (await add_photo()).id}]}
    planned = post_of(await carry_out(agent, doors, await asked(agent, "create_draft", **draft, when="in 2 hours")))
    assert planned["approval"] == "granted"
    edited = await person.act("edit_draft", post_id=planned["id"], caption="Better words")
    assert (post_of(edited)["approval"], edited["warnings"]) == ("granted", [])


async def test_an_edit_by_an_editor_leaves_a_granted_post_without_a_yes(
    chat: Desk, desk: Desk, doors: Doors, add_photo: AddPhoto
) -> None:
    agent = under("agent", chat, doors)
    principal = replace(desk.caller.principal, role=Role.EDITOR)
    draft = {"caption": "Espresso", "media": [{"asset_id": (await add_photo()).id}]}
    planned = post_of(await carry_out(agent, doors, await asked(agent, "create_draft", **draft, when="in 2 hours")))
    edited = await under("agent", desk.as_(principal), doors).act(
        "edit_draft", post_id=planned["id"], caption="Other words"
    )
    assert post_of(edited)["approval"] == "stale"
    assert edited["warnings"]


async def stale_post(chat: Desk, desk: Desk, doors: Doors, add_photo: AddPhoto) -> tuple[str, Desk]:
    """A post whose yes no longer fits, and the editor who made it so."""
    agent, editor = under("agent", chat, doors), desk.as_(replace(desk.caller.principal, role=Role.EDITOR))
    draft = {"caption": "Espresso", "media": [{"asset_id": (await add_photo()).id}]}
    planned = post_of(await carry_out(agent, doors, await asked(agent, "create_draft", **draft, when="in 2 hours")))
    await under("agent", editor, doors).act("edit_draft", post_id=planned["id"], caption="Other words")
    return str(planned["id"]), editor


async def test_a_receipt_does_not_promise_what_still_needs_a_yes(
    chat: Desk, desk: Desk, doors: Doors, add_photo: AddPhoto
) -> None:
    post_id, editor = await stale_post(chat, desk, doors, add_photo)
    moved = await under("agent", editor, doors).act("move_post", post_id=post_id, when="in 3 hours")
    assert post_of(moved)["approval"] == "stale"
    warnings = moved["warnings"]
    assert isinstance(warnings, list)
    assert any("approves" in warning for warning in warnings)


async def test_where_nobody_is_asked_nothing_waits_for_a_yes(
    chat: Desk, desk: Desk, doors: Doors, add_photo: AddPhoto
) -> None:
    """The installation gave up approvals: what was waiting for one goes out as anybody who may write decides."""
    post_id, editor = await stale_post(chat, desk, doors, add_photo)
    sent = await under("none", editor, doors).act("publish_post", post_id=post_id)
    assert (post_of(sent)["status"], post_of(sent)["approval"]) == ("publishing", "none")


async def test_cancelling_what_may_be_live_does_not_say_that_it_is_not(
    desk: Desk, add_photo: AddPhoto, admin_url: str
) -> None:
    """Reaches inside: to leave a post unconfirmed takes a network that answers nothing for a while."""
    media = [{"asset_id": (await add_photo()).id}]
    post = post_of(await desk.act("create_draft", caption="Perhaps", media=media, when="in 2 hours"))
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("update studio.posts set status = 'unconfirmed' where id = %s", (post["id"],))
    cancelled = await desk.act("cancel_post", post_id=post["id"])
    assert "will not go out" not in str(cancelled["summary"])
    assert "may be live" in str(cancelled["summary"])


async def test_undoing_a_new_time_brings_back_why_the_post_had_failed(
    desk: Desk, add_photo: AddPhoto, admin_url: str
) -> None:
    """Reaches inside: the failure itself is a matter of the publishing engine's tests."""
    error = {"code": "content_refused", "message": "The ratio is wrong.", "action": "Edit the post."}
    media = [{"asset_id": (await add_photo()).id}]
    post = post_of(await desk.act("create_draft", caption="Refused", media=media, when="in 2 hours"))
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "update studio.posts set status = 'failed', last_error = %s where id = %s", (Jsonb(error), post["id"])
        )
    await desk.act("schedule_post", post_id=post["id"], when="in 3 hours")
    await desk.act("undo")
    after = post_of(await desk.act("show_post", post_id=post["id"]))
    assert (after["status"], after["last_error"]) == ("failed", error)
