"""retry_post: what failed or was missed goes out again after a yes; everything else is told what to do instead."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from core import clock as database_clock
from core.errors import Conflict, Forbidden, InvalidInput
from db.models.conversation import ApprovalRequest
from tests.tools.conftest import AddPhoto, Desk
from tools.context import Doors, Principal, Role
from tools.dispatcher import ConsentNeeded, with_approval

AddMember = Callable[[UUID, Role], Awaitable[tuple[Principal, str]]]
ERROR = '{"code": "content_refused", "message": "The picture is too wide.", "action": "Edit the post."}'


def post_of(result: Mapping[str, object]) -> dict[str, object]:
    post = result["post"]
    assert isinstance(post, dict)
    return post


async def drafted(desk: Desk, photo: AddPhoto, **more: object) -> str:
    made = await desk.act("create_draft", caption="Our espresso", media=[{"asset_id": (await photo()).id}], **more)
    return str(post_of(made)["id"])


def put(admin_url: str, post_id: str, status: str, error: str | None = None) -> None:
    """Bring a post to where only the worker or the network brings it."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "update studio.posts set status = %s, last_error = %s::jsonb,"
            " scheduled_for = studio.studio_now() - interval '1 hour',"
            " next_attempt_at = case when %s in ('scheduled', 'publishing') then studio.studio_now() end where id = %s",
            (status, error, status, post_id),
        )


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


@pytest.mark.parametrize("status", ["failed", "missed"])
async def test_what_did_not_go_out_is_sent_again_and_the_reason_is_told(
    desk: Desk, add_photo: AddPhoto, admin_url: str, status: str
) -> None:
    post_id = await drafted(desk, add_photo)
    put(admin_url, post_id, status, ERROR)
    done = await desk.act("retry_post", post_id=post_id)
    post = post_of(done)
    assert (post["status"], post["last_error"], post["attempts"]) == ("publishing", None, 0)
    assert f"it was {status}: The picture is too wide." in str(done["summary"])


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        ("draft", "nothing_to_retry", "Publish it now"),
        ("scheduled", "nothing_to_retry", "Publish it now"),
        ("publishing", "post_publishing", "Wait a moment"),
        ("posted", "post_posted", "delete_post"),
        ("unconfirmed", "post_unconfirmed", "resolve_post"),
        ("cancelled", "post_cancelled", "undo"),
    ],
)
async def test_what_is_no_failure_is_not_sent_again(
    desk: Desk, add_photo: AddPhoto, admin_url: str, status: str, code: str, told: str
) -> None:
    post_id = await drafted(desk, add_photo)
    put(admin_url, post_id, status)
    with pytest.raises(Conflict) as refused:
        await desk.act("retry_post", post_id=post_id)
    assert refused.value.code == code
    assert told in str(refused.value.action)
    assert refused.value.changed == {"status": status}


async def test_an_account_to_reconnect_is_named_before_anybody_is_asked(
    chat: Desk, desk: Desk, add_photo: AddPhoto, admin_url: str
) -> None:
    post_id = await drafted(desk, add_photo)
    put(admin_url, post_id, "failed")
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("update studio.accounts set status = 'reconnect'")
    for door in (chat, desk):
        with pytest.raises(Conflict) as refused:
            await door.act("retry_post", post_id=post_id)
        assert refused.value.code == "reconnect_needed"
        assert "@roastery" in refused.value.message


async def test_the_agent_asks_with_the_words_and_the_reason(
    chat: Desk, desk: Desk, doors: Doors, add_photo: AddPhoto, admin_url: str
) -> None:
    post_id = await drafted(desk, add_photo)
    put(admin_url, post_id, "failed", ERROR)
    with pytest.raises(ConsentNeeded) as needed:
        await chat.act("retry_post", post_id=post_id)
    asked = needed.value
    for said in ("Our espresso", "1 image", "The picture is too wide."):
        assert said in asked.proposal.summary
    yes = with_approval(chat.caller, await approved(chat, doors, asked))
    post = post_of((await chat.dispatcher.run("retry_post", asked.arguments, yes)).result)
    assert (post["status"], post["approval"]) == ("publishing", "granted")


async def test_a_yes_to_other_words_is_stale(
    chat: Desk, desk: Desk, doors: Doors, add_photo: AddPhoto, admin_url: str
) -> None:
    post_id = await drafted(desk, add_photo)
    put(admin_url, post_id, "failed", ERROR)
    asked = await chat.dispatcher.propose("retry_post", {"post_id": post_id}, chat.caller)
    yes = with_approval(chat.caller, await approved(chat, doors, asked))
    await desk.act("edit_draft", post_id=post_id, caption="Other words")
    with pytest.raises(Conflict) as stale:
        await chat.dispatcher.run("retry_post", asked.arguments, yes)
    assert stale.value.code == "approval_stale"
    assert post_of(await desk.act("show_post", post_id=post_id))["status"] == "failed"


async def test_a_stale_version_and_an_unusable_post_are_refused(
    desk: Desk, add_photo: AddPhoto, admin_url: str
) -> None:
    post_id = await drafted(desk, add_photo)
    await desk.act("edit_draft", post_id=post_id, caption="Second words")
    put(admin_url, post_id, "failed")
    with pytest.raises(Conflict) as stale:
        await desk.act("retry_post", post_id=post_id, version=1)
    assert stale.value.code == "version_conflict"
    await desk.act("edit_draft", post_id=post_id, media=[])
    with pytest.raises(InvalidInput) as refused:
        await desk.act("retry_post", post_id=post_id)
    assert refused.value.code == "not_publishable"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.APPROVER])
async def test_who_may_not_write_does_not_retry(
    desk: Desk, add_photo: AddPhoto, admin_url: str, add_member: AddMember, role: Role
) -> None:
    post_id = await drafted(desk, add_photo)
    put(admin_url, post_id, "failed")
    person, _ = await add_member(desk.caller.principal.workspace_id, role)
    with pytest.raises(Forbidden):
        await desk.as_(person).act("retry_post", post_id=post_id)


async def test_the_same_key_sends_once(desk: Desk, add_photo: AddPhoto, admin_url: str) -> None:
    post_id = await drafted(desk, add_photo)
    put(admin_url, post_id, "failed")
    first = await desk.run("retry_post", {"post_id": post_id}, key="one")
    again = await desk.run("retry_post", {"post_id": post_id}, key="one")
    assert (first.replayed, again.replayed) == (False, True)
    assert post_of(again.result)["version"] == post_of(first.result)["version"]
