"""move_posts and cancel_posts: chosen by names or by what describes them, all or none, after one yes, undone as one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest

from core import clock as database_clock
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, TooLarge
from db.models.conversation import ApprovalRequest
from tests.tools.conftest import AddPhoto, Desk
from tools.context import Doors, Principal, Role
from tools.dispatcher import ConsentNeeded, with_approval

AddMember = Callable[[UUID, Role], Awaitable[tuple[Principal, str]]]
MADRID = ZoneInfo("Europe/Madrid")


def post_of(result: Mapping[str, object]) -> dict[str, object]:
    post = result["post"]
    assert isinstance(post, dict)
    return post


def changes_of(result: Mapping[str, object]) -> list[dict[str, object]]:
    changes = result["changes"]
    assert isinstance(changes, list | tuple)
    return list(changes)


Plan = Callable[..., Awaitable[str]]


@pytest.fixture
async def plan(desk: Desk, add_photo: AddPhoto) -> Plan:
    """Puts a post on the calendar."""
    photo = (await add_photo()).id

    async def make(when: str | None, caption: str = "Espresso") -> str:
        made = await desk.act("create_draft", caption=caption, media=[{"asset_id": photo}], when=when)
        return str(post_of(made)["id"])

    return make


async def times(desk: Desk, ids: Sequence[str]) -> list[datetime]:
    posts = [post_of(await desk.act("show_post", post_id=each)) for each in ids]
    return [datetime.fromisoformat(str(post["scheduled_for"])) for post in posts]


async def states(desk: Desk, ids: Sequence[str]) -> list[object]:
    return [post_of(await desk.act("show_post", post_id=each))["status"] for each in ids]


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


@pytest.mark.parametrize(
    ("when", "by"),
    [
        ("a day later", timedelta(days=1)),
        ("by 2 days", timedelta(days=2)),
        ("an hour earlier", timedelta(hours=-1)),
        ("push them back by 3 hours", None),
    ],
)
async def test_each_moves_from_its_own_time(desk: Desk, plan: Plan, when: str, by: timedelta | None) -> None:
    ids = [await plan("in 30 hours"), await plan("in 54 hours"), await plan("in 78 hours")]
    before = await times(desk, ids)
    if by is None:
        with pytest.raises(InvalidInput) as unknown:
            await desk.act("move_posts", post_ids=ids, when=when)
        assert unknown.value.code == "when_unknown"
        assert await times(desk, ids) == before
        return
    done = await desk.act("move_posts", post_ids=list(reversed(ids)), when=when)
    after = await times(desk, ids)
    if by % timedelta(days=1):
        assert after == [moment + by for moment in before]
    walls = [(one.astimezone(MADRID).replace(tzinfo=None), two.astimezone(MADRID).replace(tzinfo=None))
             for one, two in zip(before, after, strict=True)]  # fmt: skip
    assert [two - one for one, two in walls] == [by] * 3
    changes = changes_of(done)
    assert [change["post_id"] for change in changes] == ids  # by their time before
    assert all("Europe/Madrid" in str(change[side]) for change in changes for side in ("before", "after"))
    assert "Moved 3 posts" in str(done["summary"])


async def test_a_day_keeps_each_time_of_day_and_clashes_are_named(desk: Desk, plan: Plan) -> None:
    day = (datetime.now(MADRID) + timedelta(days=5)).date()
    ids = [await plan(f"{day} 09:00", "First"), await plan(f"{day} 18:30", "Second")]
    staying = await plan(f"{day + timedelta(days=2)} 09:05", "Staying")
    done = await desk.act("move_posts", post_ids=ids, when=f"to {day + timedelta(days=2)}")
    clocks = [moment.astimezone(MADRID) for moment in await times(desk, ids)]
    assert [f"{clock:%H:%M}" for clock in clocks] == ["09:00", "18:30"]
    assert {clock.date() for clock in clocks} == {day + timedelta(days=2)}
    first, second = changes_of(done)
    assert "Staying" in str(first["warnings"])
    assert not second["warnings"]
    assert "1 of them" in str(done["summary"])
    assert (await states(desk, [staying])) == ["scheduled"]


async def test_one_clock_time_is_not_for_many_posts_of_an_account(desk: Desk, plan: Plan) -> None:
    day = (datetime.now(MADRID) + timedelta(days=5)).date()
    ids = [await plan(f"{day} 09:00"), await plan(f"{day} 18:30")]
    before = await times(desk, ids)
    for when in ("in 4 hours", f"{day} 12:00"):
        with pytest.raises(InvalidInput) as refused:
            await desk.act("move_posts", post_ids=ids, when=when)
        assert refused.value.code == "when_one_for_many"
    assert await times(desk, ids) == before


async def test_free_slots_are_spread_without_a_clash(desk: Desk, plan: Plan, admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "update studio.accounts set posting_times = '{Mon 09:00,Mon 09:05,Tue 09:00,Wed 09:00,Thu 09:00,Fri 09:00}'"
        )
    taken = await plan("next free slot", "Taken")
    ids = [await plan(f"in {hours} hours") for hours in (3, 4, 5, 6)]
    await desk.act("move_posts", post_ids=ids, when="next free slots")
    moments = await times(desk, [taken, *ids])
    assert moments == sorted(moments)
    assert all(later - earlier >= timedelta(minutes=15) for earlier, later in pairwise(moments))
    assert {f"{moment.astimezone(MADRID):%H:%M}" for moment in moments} == {"09:00"}


async def test_when_the_slots_run_out_nothing_moves(desk: Desk, plan: Plan, admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("update studio.accounts set posting_times = '{Mon 09:00}'")
    ids = [await plan(f"in {hours} hours") for hours in range(3, 14)]  # 11 posts, 8 or 9 Mondays in 60 days
    before = await times(desk, ids)
    with pytest.raises(InvalidInput) as refused:
        await desk.act("move_posts", post_ids=ids, when="next free slots")
    assert refused.value.code == "no_free_slot"
    assert await times(desk, ids) == before


async def test_failed_and_missed_posts_come_back_to_the_calendar(desk: Desk, plan: Plan, admin_url: str) -> None:
    ids = [await plan("in 3 hours"), await plan("in 4 hours")]
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for post_id, status in zip(ids, ("failed", "missed"), strict=True):
            connection.execute(
                "update studio.posts set status = %s, next_attempt_at = null, last_error ="
                ' \'{"code": "x", "message": "Too wide.", "action": "Edit it."}\' where id = %s',
                (status, post_id),
            )
    done = await desk.act("move_posts", status="failed", when="a day later")
    assert [str(change["before"]).split(",")[0] for change in changes_of(done)] == ["failed"]
    await desk.act("move_posts", query="espresso", when="a day later")
    assert await states(desk, ids) == ["scheduled", "scheduled"]
    assert post_of(await desk.act("show_post", post_id=ids[0]))["last_error"] is None


async def test_one_that_cannot_leaves_all_as_they_are(desk: Desk, plan: Plan, admin_url: str) -> None:
    ids = [await plan("in 3 hours"), await plan("in 4 hours", "Live one"), await plan(None, "A draft")]
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("update studio.posts set status = 'posted' where id = %s", (ids[1],))
    for command, more, wrong in (("move_posts", {"when": "a day later"}, 2), ("cancel_posts", {}, 1)):
        with pytest.raises(Conflict) as refused:
            await desk.act(command, post_ids=ids, **more)
        assert f"{wrong} of 3 posts cannot be changed, so none was" in refused.value.message
        assert "Live one" in refused.value.message
        assert "posted" in refused.value.changed.values()
    assert await states(desk, ids) == ["scheduled", "posted", "draft"]


async def test_a_time_that_is_past_for_one_moves_none(desk: Desk, plan: Plan) -> None:
    ids = [await plan("in 3 hours"), await plan("in 30 hours")]
    before = await times(desk, ids)
    with pytest.raises(InvalidInput) as refused:
        await desk.act("move_posts", post_ids=ids, when="5 hours earlier")
    assert refused.value.code == "when_past"
    with pytest.raises(InvalidInput) as unclear:
        await desk.act("move_posts", post_ids=ids, when="back by an hour")
    assert unclear.value.code == "when_ambiguous"
    assert "a day later" in str(unclear.value.action)
    assert await times(desk, ids) == before


async def test_what_is_meant_has_to_be_said_and_to_exist(desk: Desk, plan: Plan) -> None:
    await plan("in 3 hours")
    nobody: tuple[dict[str, object], ...] = ({}, {"post_ids": []})
    for command, more in (("move_posts", {"when": "a day later"}), ("cancel_posts", {})):
        for nothing in nobody:
            with pytest.raises(InvalidInput) as missing:
                await desk.act(command, **nothing, **more)
            assert missing.value.code == "selection_missing"
        with pytest.raises(NotFound) as empty:
            await desk.act(command, query="matcha", **more)
        assert empty.value.code == "nothing_selected"
        assert "matcha" in empty.value.message


async def test_a_description_means_what_is_still_to_come(desk: Desk, plan: Plan) -> None:
    """Not drafts, and nothing that is over; drafts are cancelled when they are asked for."""
    planned, draft = await plan("in 3 hours"), await plan(None)
    await desk.act("cancel_posts", platform="instagram", account="@roastery", window="next 7 days")
    assert await states(desk, [planned, draft]) == ["cancelled", "draft"]
    await desk.act("cancel_posts", status="draft")
    assert await states(desk, [draft]) == ["cancelled"]


async def test_the_agent_asks_once_with_before_and_after(chat: Desk, desk: Desk, doors: Doors, plan: Plan) -> None:
    ids = [await plan(f"in {hours} hours", f"Post {hours}") for hours in range(30, 42)]
    before = await times(desk, ids)
    with pytest.raises(ConsentNeeded) as needed:
        await chat.act("move_posts", window="next 7 days", when="a day later")
    asked = needed.value
    assert asked.proposal.summary.startswith("Move 12 posts (a day later)?")
    assert asked.proposal.summary.count("→") == 10
    assert "and 2 more" in asked.proposal.summary
    assert asked.arguments["post_ids"] == ids
    assert asked.arguments["window"] is None
    later = await plan("in 50 hours", "Planned after it was asked")
    yes = with_approval(chat.caller, await approved(chat, doors, asked))
    done = (await chat.dispatcher.run("move_posts", asked.arguments, yes)).result
    assert len(changes_of(done)) == 12
    assert await times(desk, ids) == [moment + timedelta(days=1) for moment in before]
    shown = post_of(await desk.act("show_post", post_id=ids[0]))
    assert shown["approval"] == "granted"
    assert await states(desk, [later]) == ["scheduled"]


async def test_one_named_post_asks_as_its_sibling_does(chat: Desk, plan: Plan) -> None:
    first, second, third = [await plan(f"in {hours} hours") for hours in (3, 4, 5)]
    await chat.act("move_posts", post_ids=[first], when="a day later")
    await chat.act("cancel_posts", post_ids=[first])
    for command, more in (("move_posts", {"when": "a day later"}), ("cancel_posts", {})):
        with pytest.raises(ConsentNeeded):
            await chat.act(command, post_ids=[second, third], **more)
        with pytest.raises(ConsentNeeded):
            await chat.act(command, query="espresso", **more)


@pytest.mark.parametrize("command", ["move_posts", "cancel_posts"])
async def test_a_change_in_between_makes_the_yes_stale(
    chat: Desk, desk: Desk, doors: Doors, plan: Plan, command: str
) -> None:
    more = {"when": "a day later"} if command == "move_posts" else {}
    ids = [await plan("in 30 hours"), await plan("in 31 hours")]
    for name, change in (("edit_draft", {"caption": "Other words"}), ("move_post", {"when": "an hour later"})):
        asked = await chat.dispatcher.propose(command, {"post_ids": ids, **more}, chat.caller)
        yes = with_approval(chat.caller, await approved(chat, doors, asked))
        await desk.act(name, post_id=ids[1], **change)
        before = await times(desk, ids)
        with pytest.raises(Conflict) as stale:
            await chat.dispatcher.run(command, asked.arguments, yes)
        assert stale.value.code == "approval_stale"
        assert (await times(desk, ids), await states(desk, ids)) == (before, ["scheduled"] * 2)


async def test_roles(desk: Desk, plan: Plan, add_member: AddMember) -> None:
    ids = [await plan("in 3 hours"), await plan("in 4 hours")]
    expected = {Role.VIEWER: Forbidden, Role.APPROVER: Forbidden, Role.EDITOR: ConsentNeeded}
    for role, error in expected.items():
        person = desk.as_((await add_member(desk.caller.principal.workspace_id, role))[0])
        with pytest.raises(error):
            await person.act("cancel_posts", post_ids=ids)
        with pytest.raises(error):
            await person.act("move_posts", post_ids=ids, when="a day later")


def many(admin_url: str, post_id: str, number: int) -> None:
    """As many more of a planned post, an hour apart, each with its picture."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "insert into studio.posts (id, workspace_id, code, account_id, platform, format, status, approval, caption,"
            " scheduled_for, next_attempt_at, wall_time, zone, created_by) select gen_random_uuid(), workspace_id,"
            " 'N' || n, account_id, platform, format, status, approval, caption, scheduled_for + n * interval '1 hour',"
            " next_attempt_at + n * interval '1 hour', wall_time, zone, created_by"
            " from studio.posts, generate_series(1, %s) n where id = %s",
            (number, post_id),
        )
        connection.execute(
            "insert into studio.post_media (workspace_id, post_id, position, asset_id)"
            " select p.workspace_id, p.id, 0, m.asset_id from studio.posts p, studio.post_media m"
            " where m.post_id = %s and p.id <> m.post_id",
            (post_id,),
        )


async def test_two_hundred_at_once_and_back_again(desk: Desk, plan: Plan, admin_url: str) -> None:
    many(admin_url, await plan("in 30 hours"), 199)

    def planned() -> list[tuple[object, ...]]:
        with psycopg.connect(admin_url) as connection:
            return connection.execute(
                "select status, scheduled_for, wall_time, next_attempt_at from studio.posts order by id"
            ).fetchall()

    before = planned()
    assert len(changes_of(await desk.act("move_posts", query="espresso", when="an hour later"))) == 200
    moved = [row[1] for row in planned()]
    assert moved == [row[1] + timedelta(hours=1) for row in before if isinstance(row[1], datetime)]
    undone = await desk.act("undo")
    assert "190 more" in str(undone["summary"])
    assert planned() == before
    assert len(changes_of(await desk.act("cancel_posts", query="espresso"))) == 200
    assert {row[0] for row in planned()} == {"cancelled"}
    await desk.act("undo")
    assert planned() == before
    await plan("in 31 hours")
    with pytest.raises(TooLarge) as refused:
        await desk.act("cancel_posts", query="espresso")
    assert "201 posts" in refused.value.message
    assert {row[0] for row in planned()} == {"scheduled"}


async def test_many_hands_on_the_same_posts_neither_deadlock_nor_lose_a_move(desk: Desk, plan: Plan) -> None:
    ids = [await plan(f"in {hours} hours") for hours in range(30, 36)]
    before = await times(desk, ids)
    orders = (ids, list(reversed(ids)), ids[3:] + ids[:3], ids[::2] + ids[1::2])
    await asyncio.gather(*(desk.act("move_posts", post_ids=order, when="an hour later") for order in orders))
    assert await times(desk, ids) == [moment + timedelta(hours=4) for moment in before]
