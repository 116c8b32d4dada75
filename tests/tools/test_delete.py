"""delete_post: only what is live is taken down, after a yes, and nobody brings it back; see also publishing/."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import psycopg
import pytest

from core.errors import Conflict, Forbidden, Unavailable
from tests.conftest import Sandbox
from tests.tools.conftest import AddPhoto, Desk
from tools.context import Principal, Role
from tools.dispatcher import ConsentNeeded

AddMember = Callable[[UUID, Role], Awaitable[tuple[Principal, str]]]


def post_of(result: Mapping[str, object]) -> dict[str, object]:
    post = result["post"]
    assert isinstance(post, dict)
    return post


def put(admin_url: str, post_id: str, status: str, platform_post_id: str | None = "17900000000000009") -> None:
    """Bring a post to where only the worker or the network brings it."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "update studio.posts set status = %s, platform_post_id = %s, published_at = studio.studio_now(),"
            " scheduled_for = studio.studio_now(), next_attempt_at ="
            " case when %s in ('scheduled', 'publishing') then studio.studio_now() end where id = %s",
            (status, platform_post_id, status, post_id),
        )


@pytest.fixture
async def post_id(desk: Desk, add_photo: AddPhoto) -> str:
    """A draft with a picture."""
    made = await desk.act("create_draft", caption="Our espresso", media=[{"asset_id": (await add_photo()).id}])
    return str(post_of(made)["id"])


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        ("draft", "post_not_live", "cancel_post"),
        ("scheduled", "post_not_live", "cancel_post"),
        ("failed", "post_not_live", "cancel_post"),
        ("missed", "post_not_live", "cancel_post"),
        ("publishing", "post_publishing", "Wait a moment"),
        ("unconfirmed", "post_unconfirmed", "resolve_post"),
        ("cancelled", "post_cancelled", "undo"),
    ],
)
async def test_what_is_not_live_is_not_taken_down(
    desk: Desk, chat: Desk, admin_url: str, sandbox: Sandbox, post_id: str, status: str, code: str, told: str
) -> None:
    put(admin_url, post_id, status)
    for door in (desk, chat):
        with pytest.raises(Conflict) as refused:
            await door.act("delete_post", post_id=post_id)
        assert refused.value.code == code
        assert told in str(refused.value.action)
    calls = sandbox.control("GET", "calls?route=instagram.delete_media")
    assert isinstance(calls, dict)
    assert calls["items"] == []


async def test_a_live_post_without_an_id_is_deleted_by_hand(desk: Desk, admin_url: str, post_id: str) -> None:
    put(admin_url, post_id, "posted", None)
    with pytest.raises(Conflict) as refused:
        await desk.act("delete_post", post_id=post_id)
    assert (refused.value.code, "own app" in str(refused.value.action)) == ("cannot_delete", True)


async def test_what_is_gone_already_is_marked_so_once(desk: Desk, admin_url: str, post_id: str) -> None:
    """A crash between the network's answer and ours: the repeat finds nothing there, and that is fine."""
    put(admin_url, post_id, "posted")
    post = post_of(await desk.act("delete_post", post_id=post_id))
    assert (post["status"], post["platform_post_id"]) == ("cancelled", "17900000000000009")
    assert post["deleted_at"] is not None
    with pytest.raises(Conflict) as again:
        await desk.act("delete_post", post_id=post_id)
    assert "taken down already" in again.value.message
    with pytest.raises(Conflict) as lost:
        await desk.act("undo")
    assert lost.value.code == "undo_refused"
    assert "nobody can bring it back" in lost.value.message
    assert "new post with the same words" in str(lost.value.action)
    for name, more in (("schedule_post", {"when": "in 2 hours"}), ("publish_post", {}), ("retry_post", {})):
        with pytest.raises(Conflict, match="taken down already"):
            await desk.act(name, post_id=post_id, **more)
    assert "was taken down" in str((await desk.act("show_post", post_id=post_id))["summary"])


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ({"kind": "status"}, Unavailable, "platform_unavailable"),
        ({"kind": "drop_after"}, Unavailable, "platform_unavailable"),
        ({"kind": "expired_token", "times": None}, Conflict, "reconnect_needed"),
    ],
)
async def test_what_the_network_did_not_do_leaves_the_post_live(
    desk: Desk,
    admin_url: str,
    sandbox: Sandbox,
    post_id: str,
    fault: dict[str, object],
    error: type[Exception],
    code: str,
) -> None:
    put(admin_url, post_id, "posted")
    sandbox.control("POST", "faults", {"route": "instagram.delete_media", **fault})
    with pytest.raises(error) as refused:
        await desk.act("delete_post", post_id=post_id)
    assert getattr(refused.value, "code", None) == code
    assert post_of(await desk.act("show_post", post_id=post_id))["status"] == "posted"


async def test_a_network_that_cannot_says_why_and_where(desk: Desk, admin_url: str, post_id: str) -> None:
    put(admin_url, post_id, "posted")
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("update studio.accounts set login = 'instagram'")
    with pytest.raises(Conflict) as refused:
        await desk.act("delete_post", post_id=post_id)
    assert refused.value.code == "cannot_delete"
    assert "Instagram Login" in refused.value.message
    assert "Instagram app" in str(refused.value.action)
    assert post_of(await desk.act("show_post", post_id=post_id))["status"] == "posted"


async def test_the_agent_asks_and_shows_what_goes(
    chat: Desk, desk: Desk, admin_url: str, post_id: str, add_member: AddMember
) -> None:
    put(admin_url, post_id, "posted")
    with pytest.raises(ConsentNeeded) as needed:
        await chat.act("delete_post", post_id=post_id)
    assert "Our espresso" in needed.value.proposal.summary
    assert "Nobody can bring it back" in needed.value.proposal.summary
    editor, _ = await add_member(desk.caller.principal.workspace_id, Role.EDITOR)
    with pytest.raises(ConsentNeeded):
        await desk.as_(editor).act("delete_post", post_id=post_id)
    for role in (Role.VIEWER, Role.APPROVER):
        person, _ = await add_member(desk.caller.principal.workspace_id, role)
        with pytest.raises(Forbidden):
            await desk.as_(person).act("delete_post", post_id=post_id)
    with pytest.raises(Conflict) as stale:
        await desk.act("delete_post", post_id=post_id, version=9)
    assert stale.value.code == "version_conflict"
    assert post_of(await desk.act("show_post", post_id=post_id))["status"] == "posted"
