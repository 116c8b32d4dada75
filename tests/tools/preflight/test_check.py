"""check_posts: each thing that would keep a post from going out is found, with the command that mends it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from core.errors import InvalidInput, NotFound
from platforms.base import Manifest
from platforms.instagram.adapter import InstagramAdapter
from platforms.needs import ApiVersion
from tests.conftest import NewPrincipal
from tests.tools.conftest import AddPhoto, Desk
from tests.tools.preflight.conftest import Change, Plan, codes, problems
from tools.commands import catalog
from tools.context import Doors
from tools.dispatcher import Dispatcher


async def test_what_is_ready_is_said_to_be(desk: Desk, plan: Plan) -> None:
    assert (await desk.act("check_posts"))["summary"] == "Nothing is planned (next 7 days)."
    await plan()
    await plan("Another", when="in 8 days")
    checked = await desk.act("check_posts")
    assert (checked["ready"], checked["checked"], checked["items"]) == (True, 1, [])
    assert checked["summary"] == "1 planned post (next 7 days): ready to go out."
    assert (await desk.act("check_posts", window="next 30 days"))["checked"] == 2


async def test_a_token_that_ends_before_the_post_is_due(desk: Desk, plan: Plan, change: Change) -> None:
    early = await plan(when="in 1 hour")
    late = await plan("Later", when="in 2 days")
    change("update accounts set token_expires_at = studio_now() + interval '1 day'")
    (one,) = await problems(desk)
    assert (one["code"], one["level"], one["posts"], one["post_id"]) == ("token_expires", "error", [late["code"]], None)
    assert one["fix"] == {
        "command": "connect_account",
        "arguments": {"platform": "instagram", "external_id": "17841400000000001"},
    }
    assert "before" in str(one["message"])
    assert await codes(desk, post_id=early["code"]) == []
    assert await codes(desk, post_id=late["code"]) == ["token_expires"]


@pytest.mark.parametrize("status", ["reconnect", "disconnected"])
async def test_an_account_that_cannot_be_used(desk: Desk, plan: Plan, change: Change, status: str) -> None:
    await plan()
    change("update accounts set status = %s", status)
    (one,) = await problems(desk)
    assert (one["code"], one["account"]) == ("reconnect_needed", "roastery")


async def test_permissions_that_a_post_takes(desk: Desk, plan: Plan, change: Change) -> None:
    change("update accounts set scopes = 'instagram_basic, instagram_content_publish'")
    await plan()
    assert await codes(desk) == []
    second = await plan("With a comment", when="in 5 hours", options={"first_comment": "What do you brew?"})
    (one,) = await problems(desk)
    assert (one["code"], one["posts"]) == ("scope_missing:instagram_manage_comments", [second["code"]])
    change("update accounts set scopes = 'instagram_basic'")
    assert "scope_missing:instagram_content_publish" in await codes(desk)
    change("update accounts set scopes = null")
    assert await codes(desk) == [], "a network that lists no permissions is not doubted"


async def test_approvals_that_are_missing_or_stale(desk: Desk, plan: Plan, change: Change) -> None:
    post = await plan()
    change("update posts set approval = 'required'")
    (one,) = await problems(desk)
    assert (one["code"], one["post_id"]) == ("approval_missing", post["id"])
    change("update posts set approval = 'granted', approved_hash = 'of other words'")
    (one,) = await problems(desk)
    assert one["code"] == "approval_stale"
    fix = one["fix"]
    assert isinstance(fix, dict)
    await desk.act(fix["command"], **fix["arguments"])
    assert await codes(desk) == []
    assert (await desk.act("show_post", post_id=post["id"]))["post"]["scheduled_for"] == post["scheduled_for"]  # type: ignore[index]


async def test_content_that_the_network_would_refuse(desk: Desk, plan: Plan, change: Change) -> None:
    post = await plan()
    change("update posts set caption = repeat('x', 2300)")
    (one,) = await problems(desk)
    assert (one["level"], one["post_id"]) == ("error", post["id"])
    assert "Instagram would refuse" in str(one["message"])
    assert "2200" in str(one["message"])
    assert one["fix"] == {"command": "edit_draft", "arguments": {"post_id": post["code"]}}


async def test_bytes_that_are_gone(desk: Desk, plan: Plan, doors: Doors) -> None:
    post = await plan()
    for file in (doors.settings.data_dir / "media").rglob("*"):
        if file.is_file():
            file.unlink()
    (one,) = await problems(desk)
    assert (one["code"], one["posts"]) == ("media_missing", [post["code"]])
    assert "Our espre.jpg" in str(one["message"])


async def test_a_private_address_where_the_network_is_the_real_one(desk: Desk, plan: Plan, doors: Doors) -> None:
    real = {"facebook_graph_url": "https://graph.facebook.com"}
    private = doors.settings.model_copy(update={**real, "public_url": "http://localhost:8000"})
    public = doors.settings.model_copy(update={**real, "public_url": "https://studio.example.com"})
    await plan()
    outside = replace(desk, dispatcher=Dispatcher(replace(doors, settings=private), catalog()))
    (one,) = await problems(outside)
    assert one["code"] == "public_url_private"
    assert "http://localhost:8000" in str(one["message"])
    assert "STUDIO_PUBLIC_URL" in str(one["action"])
    assert await codes(replace(desk, dispatcher=Dispatcher(replace(doors, settings=public), catalog()))) == []


async def test_more_than_the_network_takes_in_a_day(desk: Desk, plan: Plan, change: Change) -> None:
    post = await plan(when="in 30 hours")
    # 100 more of the same account, one every ten minutes, the last of them 20 minutes before it: 101 within 17 hours.
    copy = (
        "insert into posts select (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'code',"
        " 'N' || n, 'caption', 'Number ' || n, 'scheduled_for', p.scheduled_for - n * interval '10 minutes'))).*"
        " from posts p, generate_series(2, 101) n where p.id = %s"
    )
    change(copy, post["id"])
    found = [one for one in await problems(desk, limit=200) if one["code"] == "quota_exceeded"]
    assert [one["posts"] for one in found] == [[post["code"]]]
    assert "number 101 of @roastery in 24 hours; Instagram takes 100" in str(found[0]["message"])
    fix = found[0]["fix"]
    assert isinstance(fix, dict)
    assert fix["command"] == "move_post"
    # What went out counts as well.
    change(
        "update posts set status = 'posted', published_at = scheduled_for, next_attempt_at = null where code = 'N101'"
    )
    assert "quota_exceeded" in await codes(desk, limit=200)
    change("update posts set published_at = published_at - interval '8 hours' where code = 'N101'")
    assert "quota_exceeded" not in await codes(desk, limit=200)


async def test_neighbours_and_the_same_words_are_worth_a_look(desk: Desk, plan: Plan) -> None:
    await plan(when="in 3 hours")
    second = await plan("Our  Espresso", when="in 190 minutes")
    checked = await desk.act("check_posts")
    items = checked["items"]
    assert isinstance(items, list)
    assert [(one["code"], one["level"], one["posts"]) for one in items] == [
        ("clash", "warning", [second["code"]]),
        ("same_text", "warning", [second["code"]]),
    ]
    assert checked["ready"] is True
    assert str(checked["summary"]).endswith("ready to go out; 2 things are worth a look.")


async def test_a_draft_that_a_plan_wants_then(desk: Desk, plan: Plan, doors: Doors) -> None:
    planned = await desk.act("plan_week", posts=2)
    accepted = await desk.act("accept_plan", plan_id=planned["plan_id"], **{"as": "drafts"})
    drafts = accepted["posts"]
    assert isinstance(drafts, list)
    found = await problems(desk, window="next 14 days")
    assert {str(one["post_id"]) for one in found if one["code"] == "not_scheduled"} == {one["id"] for one in drafts}
    assert all(one["level"] == "warning" for one in found)


async def test_one_day_one_post_and_pages(desk: Desk, plan: Plan, change: Change) -> None:
    posts = [await plan(f"Number {number}", when=f"in {3 + 24 * number} hours") for number in range(3)]
    change("update posts set approval = 'required'")
    assert [one["posts"] for one in await problems(desk)] == [[post["code"]] for post in posts]
    assert [one["posts"] for one in await problems(desk, post_id="Number 1")] == [[posts[1]["code"]]]
    home = ZoneInfo(desk.caller.zone)
    day = datetime.fromisoformat(str(posts[1]["scheduled_for"])).astimezone(home).strftime("%Y-%m-%d")
    assert str(posts[1]["code"]) in str(await problems(desk, window=day))
    page = await desk.act("check_posts", limit=2)
    rest = await desk.act("check_posts", limit=2, cursor=page["next_cursor"])
    assert (page["errors"], rest["errors"], rest["next_cursor"]) == (3, 3, None)
    assert [one["posts"] for one in rest["items"]] == [[posts[2]["code"]]]  # type: ignore[attr-defined]
    with pytest.raises(InvalidInput):
        await desk.act("check_posts", cursor="nonsense")
    with pytest.raises(NotFound):
        await desk.act("check_posts", account="@nobody")
    draft = (await desk.act("create_draft", caption="Only a draft"))["post"]
    assert isinstance(draft, dict)
    assert "is not on the calendar" in str((await desk.act("check_posts", post_id=draft["id"]))["summary"])


async def test_the_posts_of_others_are_not_looked_at(desk: Desk, plan: Plan, new_workspace: NewPrincipal) -> None:
    post = await plan()
    stranger = desk.as_(await new_workspace("Bakery"))
    assert (await stranger.act("check_posts"))["checked"] == 0
    with pytest.raises(NotFound):
        await stranger.act("check_posts", post_id=post["id"])


async def test_more_posts_take_no_more_statements(
    desk: Desk, plan: Plan, change: Change, doors: Doors, add_photo: AddPhoto
) -> None:
    post = await plan()
    said: list[str] = []
    event.listen(doors.database.engine.sync_engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    await problems(desk)
    few = len(said)
    change(
        "insert into posts select (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'code',"
        " 'M' || n, 'caption', 'Number ' || n, 'scheduled_for', p.scheduled_for + n * interval '4 hours'))).*"
        " from posts p, generate_series(1, 40) n where p.id = %s",
        UUID(str(post["id"])),
    )
    said.clear()
    found = await desk.act("check_posts")
    assert found["checked"] == 41
    assert len(said) <= few + 1, said  # one more: the posts spoken of


async def test_a_version_of_the_api_that_ends(desk: Desk, plan: Plan, doors: Doors) -> None:
    class Ending(InstagramAdapter):
        """Instagram on the last day of its version."""

        @property
        def manifest(self) -> Manifest:
            ends = (datetime.now(UTC) + timedelta(days=1)).date()
            return replace(super().manifest, api=ApiVersion(name="Graph v1.0", works_until=ends))

    await plan()
    late = await plan("Later", when="in 3 days")
    graph = doors.settings.facebook_graph_url
    adapter = Ending(facebook_graph_url=graph, instagram_graph_url=graph, upload_url=doors.settings.meta_upload_url)
    opened = replace(doors, adapters={**doors.adapters, "instagram": adapter})
    (one,) = await problems(replace(desk, dispatcher=Dispatcher(opened, catalog())))
    await adapter.aclose()
    assert (one["code"], one["posts"]) == ("api_version_ends", [late["code"]])
