"""Many at the door at once: one wins, the others are told what changed, and what is left is one consistent state."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from core.errors import Conflict, NotFound
from db.models.post import Status
from tests.conftest import Sandbox
from tests.tools.conftest import AddPhoto, Desk

Result = Mapping[str, object]


def post_of(result: Result) -> Result:
    post = result["post"]
    assert isinstance(post, dict)
    return post


async def together(*calls: Awaitable[Result]) -> tuple[Sequence[Result], Sequence[Conflict]]:
    """What went through and what was refused; anything but a conflict is a failure of the test."""
    came = await asyncio.gather(*calls, return_exceptions=True)
    wrong = [each for each in came if isinstance(each, BaseException) and not isinstance(each, Conflict)]
    assert not wrong, wrong
    return [each for each in came if isinstance(each, dict)], [each for each in came if isinstance(each, Conflict)]


async def draft(desk: Desk, photo: AddPhoto, caption: str = "As it was") -> str:
    media = [{"asset_id": (await photo()).id}]
    return str(post_of(await desk.act("create_draft", caption=caption, media=media))["id"])


async def shown(desk: Desk, post_id: str) -> Result:
    return post_of(await desk.act("show_post", post_id=post_id))


def changes_of(admin_url: str, post_id: str) -> list[dict[str, object]]:
    """Every recorded change of a post, in the order of the calls' rows."""
    with psycopg.connect(admin_url, row_factory=dict_row) as connection:
        rows = connection.execute(
            "select change from studio.tool_calls c, jsonb_array_elements(c.changes) change"
            " where change ->> 'post_id' = %s",
            (post_id,),
        ).fetchall()
    return [row["change"] for row in rows]


def assert_one_history(admin_url: str, post: Result) -> None:
    """Each change begins where another ended, from the making of the post to what it is now: none was lost."""
    changes = changes_of(admin_url, str(post["id"]))
    changes.sort(key=lambda change: int(change["after"]["version"]))  # type: ignore[index]
    versions = [int(change["after"]["version"]) for change in changes]  # type: ignore[index]
    assert versions == list(range(1, int(str(post["version"])) + 1))
    for earlier, later in pairwise(changes):
        assert later["before"] == earlier["after"]
    last = changes[-1]["after"]
    assert isinstance(last, dict)
    assert (last["status"], last["caption"]) == (post["status"], post["caption"])


async def test_of_twenty_edits_of_one_version_one_wins(desk: Desk, add_photo: AddPhoto, admin_url: str) -> None:
    post_id = await draft(desk, add_photo)
    done, refused = await together(
        *(desk.act("edit_draft", post_id=post_id, version=1, caption=f"Edit {number}") for number in range(20))
    )
    assert (len(done), len(refused)) == (1, 19)
    after = await shown(desk, post_id)
    assert (after["version"], after["caption"]) == (2, post_of(done[0])["caption"])
    for error in refused:
        assert error.code == "version_conflict"
        assert error.changed == {"version": 2, "caption": after["caption"]}  # what moved, and where it is now
        assert "caption" in error.message
    assert_one_history(admin_url, after)


async def test_without_a_version_all_edits_happen_one_after_another(
    desk: Desk, add_photo: AddPhoto, admin_url: str
) -> None:
    post_id = await draft(desk, add_photo)
    done, refused = await together(
        *(desk.act("edit_draft", post_id=post_id, caption=f"Edit {number}") for number in range(10))
    )
    assert (len(done), len(refused)) == (10, 0)
    after = await shown(desk, post_id)
    assert after["version"] == 11
    assert_one_history(admin_url, after)


async def test_a_conflict_tells_of_every_field_that_moved(desk: Desk, add_photo: AddPhoto) -> None:
    post_id = await draft(desk, add_photo)
    await desk.act("edit_draft", post_id=post_id, caption="Second")
    await desk.act("schedule_post", post_id=post_id, when="in 2 hours")
    await desk.act("edit_draft", post_id=post_id, caption="Third")
    with pytest.raises(Conflict) as stale:
        await desk.act("cancel_post", post_id=post_id, version=1)
    assert {name: stale.value.changed[name] for name in ("version", "caption", "status")} == {
        "version": 4,
        "caption": "Third",
        "status": "scheduled",
    }
    with pytest.raises(Conflict) as fresher:
        await desk.act("cancel_post", post_id=post_id, version=3)
    assert fresher.value.changed == {"version": 4, "caption": "Third"}  # what the caller had seen is not told again


async def test_scheduling_and_cancelling_at_once(desk: Desk, add_photo: AddPhoto, admin_url: str) -> None:
    for _ in range(5):
        post_id = await draft(desk, add_photo)
        _, refused = await together(
            desk.act("schedule_post", post_id=post_id, when="in 2 hours"),
            desk.act("cancel_post", post_id=post_id),
            desk.act("schedule_post", post_id=post_id, when="in 3 hours"),
        )
        # Whoever came after the cancelling was refused; the cancelling itself works from either state.
        assert all(error.code == "post_cancelled" for error in refused)
        after = await shown(desk, post_id)
        assert (after["status"], after["next_attempt_at"]) == (Status.CANCELLED, None)
        assert_one_history(admin_url, after)


async def test_publishing_and_cancelling_at_once(desk: Desk, add_photo: AddPhoto, admin_url: str) -> None:
    for _ in range(5):
        post_id = await draft(desk, add_photo)
        done, refused = await together(
            desk.act("publish_post", post_id=post_id), desk.act("cancel_post", post_id=post_id)
        )
        assert (len(done), len(refused)) == (1, 1)
        after = await shown(desk, post_id)
        assert after["status"] == post_of(done[0])["status"]
        assert refused[0].code == f"post_{after['status']}"
        assert_one_history(admin_url, after)


async def test_publishing_twice_at_once_sends_it_once(desk: Desk, add_photo: AddPhoto) -> None:
    post_id = await draft(desk, add_photo)
    done, refused = await together(*(desk.act("publish_post", post_id=post_id) for _ in range(5)))
    assert (len(done), len(refused)) == (1, 4)
    assert (await shown(desk, post_id))["version"] == 2


async def test_undoing_twice_at_once_takes_back_once(chat: Desk, add_photo: AddPhoto, admin_url: str) -> None:
    post_id = await draft(chat.turn(), add_photo)
    await chat.turn().act("edit_draft", post_id=post_id, caption="Second thoughts")
    done, refused = await together(*(chat.turn().act("undo") for _ in range(4)))
    assert len(done) + len(refused) == 4
    assert done
    after = await shown(chat, post_id)
    assert after["status"] == "draft"
    # Each undo that went through took back exactly one turn, so the post is where an even or odd number of them led.
    assert after["caption"] == ("As it was" if len(done) % 2 else "Second thoughts")
    assert_one_history(admin_url, after)


async def test_undo_against_an_edit(chat: Desk, desk: Desk, add_photo: AddPhoto, admin_url: str) -> None:
    """Either the edit came first, and undo refuses; or it came second, and edits what was restored."""
    for _ in range(5):
        post_id = await draft(chat.turn(), add_photo)
        await chat.turn().act("edit_draft", post_id=post_id, caption="The agent's words")
        done, refused = await together(
            chat.turn().act("undo"), desk.act("edit_draft", post_id=post_id, caption="A person's words")
        )
        after = await shown(desk, post_id)
        assert after["caption"] == "A person's words"
        assert [error.code for error in refused] in ([], ["undo_refused"])
        assert after["version"] == 2 + len(done)
        assert_one_history(admin_url, after)


async def test_an_undone_turn_is_not_undone_again(chat: Desk, add_photo: AddPhoto) -> None:
    post_id = await draft(chat.turn(), add_photo)
    undone = await chat.turn().act("undo")
    assert "cancelled" in str(undone["summary"])
    elsewhere = replace(chat, caller=replace(chat.caller, thread_id=UUID(int=1), run_id=UUID(int=2)))
    with pytest.raises(NotFound):
        await elsewhere.act("undo")
    assert (await shown(chat, post_id))["status"] == "cancelled"


async def test_connecting_one_account_twice_at_once_makes_one(desk: Desk, sandbox: Sandbox, admin_url: str) -> None:
    """All of them look before any of them can write: the table is closed to writers until the last one waits."""
    account = {"platform": "instagram", "external_id": "17841400000000002", "access_token": "IGAA-second"}
    sandbox.control("POST", "accounts", {**account, "handle": "second"})
    async with await psycopg.AsyncConnection.connect(admin_url) as closing:
        await closing.execute("lock table studio.accounts in share mode")
        racing = asyncio.gather(
            *(desk.act("connect_account", **account, metadata={"login": "facebook"}) for _ in range(4)),
            return_exceptions=True,
        )
        await _until_waiting(admin_url, at_least=1)
    came = await racing
    assert [type(each) for each in came] == 4 * [dict], came
    accounts = (await desk.act("list_accounts"))["items"]
    assert isinstance(accounts, list)
    assert sorted(each["handle"] for each in accounts) == ["roastery", "second"]


async def _until_waiting(admin_url: str, *, at_least: int) -> None:
    statement = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with asyncio.timeout(10), await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as watching:
        same = 0
        waiting = -1
        # Those that can still arrive have arrived when the number has not moved for a while.
        while waiting < at_least or same < 20:
            row = await (await watching.execute(statement)).fetchone()
            assert row is not None
            same = same + 1 if row[0] == waiting else 0
            waiting = row[0]
            await asyncio.sleep(0.01)


async def test_many_drafts_at_once_have_codes_of_their_own(desk: Desk) -> None:
    done, _ = await together(*(desk.act("create_draft", caption=f"Draft {number}") for number in range(20)))
    assert len({post_of(each)["code"] for each in done}) == 20
