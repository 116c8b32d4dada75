"""A week's plan: proposed without touching the calendar, accepted whole or in part, taken back as a whole."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Conflict, InvalidInput, NotFound, Unavailable
from core.ports import PlanBrief, Topics
from core.when.resolve import Moment
from tests.conftest import NewPrincipal, TestClock
from tests.tools.conftest import AddPhoto, Desk, jpeg
from tests.tools.yes import ask, careful, say_yes
from tools.context import Doors
from tools.dispatcher import Dispatcher
from tools.ideas.spreading import free_slots, spread
from tools.ideas.targets import network_brief
from tools.posts.times import CLASH_WITHIN

Json = dict[str, object]
MONDAY = datetime(2026, 11, 30, tzinfo=UTC)


def many(result: Json, name: str) -> list[Json]:
    found = result[name]
    assert isinstance(found, list)
    return found


def times(rows: list[Json], name: str = "scheduled_for") -> list[datetime]:
    return [datetime.fromisoformat(str(row[name])) for row in rows]


async def draft(desk: Desk, photo: AddPhoto, caption: str, *, shade: int = 60) -> Json:
    asset = await photo(f"{shade}.jpg", jpeg(colour=(shade, 60, 30)))
    result = await desk.act("create_draft", platform="instagram", caption=caption, media=[{"asset_id": asset.id}])
    post = result["post"]
    assert isinstance(post, dict)
    return post


# --- spreading -------------------------------------------------------------------------------------------------------

minutes = st.integers(min_value=0, max_value=7 * 24 * 60)


def moment(minute: int) -> Moment:
    instant = MONDAY + timedelta(minutes=minute)
    return Moment(instant=instant, zone="UTC", wall_time=instant.replace(tzinfo=None), phrase="a slot")


@given(
    accounts=st.dictionaries(st.sampled_from("abc"), st.tuples(st.lists(minutes), st.lists(minutes)), min_size=1),
    count=st.integers(min_value=1, max_value=21),
)
def test_a_spread_never_clashes(accounts: dict[str, tuple[list[int], list[int]]], count: int) -> None:
    taken = {name: [moment(each).instant for each in busy] for name, (_, busy) in accounts.items()}
    free = {
        name: free_slots([moment(each) for each in slots], taken[name], apart=CLASH_WITHIN)
        for name, (slots, _) in accounts.items()
    }
    chosen = spread(free, count)
    assert len(chosen) == min(count, sum(map(len, free.values())))
    assert [slot.instant for _, slot in chosen] == sorted(slot.instant for _, slot in chosen)
    for name in accounts:
        own = [slot.instant for account, slot in chosen if account == name]
        assert all(later - earlier >= CLASH_WITHIN for earlier, later in pairwise(own))
        assert all(abs(instant - other) >= CLASH_WITHIN for instant in own for other in taken[name])
        # Nobody gets two more than somebody who had room for one more.
        assert all(
            len(own) - sum(account == other for account, _ in chosen) <= 1
            for other, slots in free.items()
            if sum(account == other for account, _ in chosen) < len(slots)
        )


def test_a_spread_is_even() -> None:
    days = [moment(day * 24 * 60) for day in range(7)]
    # 3 of 7: the middles of three equal parts are days 1, 3 and 5.
    assert [slot.instant.weekday() for _, slot in spread({"a": days}, 3)] == [1, 3, 5]


# --- the plan --------------------------------------------------------------------------------------------------------


async def test_a_plan_puts_drafts_first_and_nothing_on_the_calendar(desk: Desk, add_photo: AddPhoto) -> None:
    bare = (await desk.act("create_draft", caption="No picture yet"))["post"]
    ready = await draft(desk, add_photo, "Our espresso is back.")
    plan = await desk.act("plan_week", posts=4, themes=["our roastery"])
    items = many(plan, "items")
    assert [item["number"] for item in items] == [1, 2, 3, 4]
    assert [item["post_id"] for item in items[:2]] == [ready["id"], bare["id"]]  # type: ignore[index]
    assert "ready" in str(items[0]["why"])
    assert items[1]["needs"]
    assert items[2]["topic"] == "our roastery"
    assert all(item["account"] == "roastery" for item in items)
    assert len({*times(items, "planned_for")}) == 4
    for said in ("2 drafts of yours", "no posts so far", "offline writer", "no brand profile", "themes"):
        assert said in str(plan["rests_on"])
    assert str(items[0]["receipt"]) in str(plan["summary"])
    listed = await desk.act("list_posts")
    assert {post["status"] for post in many(listed, "items")} == {"draft"}
    assert listed["total"] == 2


async def test_a_plan_goes_round_what_is_there(desk: Desk, add_photo: AddPhoto) -> None:
    post = await draft(desk, add_photo, "There already.")
    planned = (await desk.act("schedule_post", post_id=post["id"], when="next Wednesday 11:05"))["post"]
    plan = await desk.act("plan_week")
    assert [each["id"] for each in many(plan, "before")] == [post["id"]]
    # Seven posting times a week; Wednesday's is 5 minutes from the post that is there.
    assert len(many(plan, "items")) == 6
    (there,) = times([planned])  # type: ignore[list-item]
    assert all(abs(at - there) >= timedelta(minutes=15) for at in times(many(plan, "items"), "planned_for"))
    fewer = await desk.act("plan_week", posts=20)
    assert "only 6" in str(fewer["warnings"])


async def test_accounts_take_turns(wide: Desk) -> None:
    items = many(await wide.act("plan_week", posts=4), "items")
    assert sorted(str(item["platform"]) for item in items) == ["filmhouse"] * 2 + ["instagram"] * 2
    only = many(await wide.act("plan_week", platforms=["Filmhouse"]), "items")
    # Wed 09:10 is 10 minutes from Wed 09:00.
    assert len(only) == 3
    assert all(len(str(item["caption"]).encode()) <= 60 for item in only)
    with pytest.raises(NotFound):
        await wide.act("plan_week", accounts=["@somebody"])


async def test_accepting_schedules_what_can_go_out_and_drafts_the_rest(desk: Desk, add_photo: AddPhoto) -> None:
    ready = await draft(desk, add_photo, "Our espresso is back.")
    plan = await desk.act("plan_week", posts=3)
    accepted = await desk.act("accept_plan", plan_id=plan["plan_id"])
    posts = many(accepted, "posts")
    assert [post["status"] for post in posts] == ["scheduled", "draft", "draft"]
    assert posts[0]["id"] == ready["id"]
    assert times(posts[:1]) == times(many(plan, "items")[:1], "planned_for")
    assert sum("draft for now" in str(warning) for warning in accepted["warnings"]) == 2  # type: ignore[attr-defined]
    again = await desk.act("accept_plan")
    assert many(again, "posts") == []
    assert (await desk.act("list_posts"))["total"] == 3


async def test_a_part_as_drafts(desk: Desk) -> None:
    plan = await desk.act("plan_week", posts=3)
    accepted = await desk.act("accept_plan", plan_id="it", items=[3, 1], **{"as": "drafts"})
    items = many(plan, "items")
    assert [post["caption"] for post in many(accepted, "posts")] == [items[0]["caption"], items[2]["caption"]]
    with pytest.raises(InvalidInput) as refused:
        await desk.act("accept_plan", items=[4])
    assert refused.value.code == "item_unknown"


async def test_a_time_that_was_taken_meanwhile_gives_way(desk: Desk, add_photo: AddPhoto) -> None:
    await draft(desk, add_photo, "Our espresso is back.")
    plan = await desk.act("plan_week", posts=1)
    (item,) = many(plan, "items")
    other = await draft(desk, add_photo, "Something else.", shade=90)
    await desk.act("schedule_post", post_id=other["id"], when=str(item["planned_for"]))
    accepted = await desk.act("accept_plan")
    (post,) = many(accepted, "posts")
    assert times([post])[0] - times([item], "planned_for")[0] >= timedelta(minutes=15)
    assert "taken meanwhile" in str(accepted["warnings"])


async def test_a_time_that_is_past_gives_way(desk: Desk, add_photo: AddPhoto, clock: TestClock) -> None:
    await draft(desk, add_photo, "Our espresso is back.")
    await desk.act("plan_week", posts=1)
    clock.shift(timedelta(days=20))
    accepted = await desk.act("accept_plan")
    assert "is past" in str(accepted["warnings"])
    assert times(many(accepted, "posts"))[0] > datetime.now(UTC) + timedelta(days=20)


async def test_undo_takes_all_of_it_back_and_it_can_be_accepted_again(chat: Desk, add_photo: AddPhoto) -> None:
    ready = await draft(chat.turn(), add_photo, "Our espresso is back.")
    await chat.turn().act("plan_week", posts=3)
    accepted = many(await chat.turn().act("accept_plan"), "posts")
    await chat.turn().act("undo")
    statuses = {post["id"]: post["status"] for post in many(await chat.act("list_posts"), "items")}
    assert statuses.pop(ready["id"]) == "draft"
    assert set(statuses.values()) == {"cancelled"}
    again = many(await chat.turn().act("accept_plan"), "posts")
    assert len(again) == 3
    assert {post["id"] for post in again} & {post["id"] for post in accepted} == {ready["id"]}
    # What a person cancelled stays cancelled.
    await chat.turn().act("cancel_post", post_id=again[1]["id"])
    assert many(await chat.turn().act("accept_plan"), "posts") == []


async def test_a_yes_is_for_these_items_at_these_times(chat: Desk, add_photo: AddPhoto) -> None:
    strict = careful(chat)
    post = await draft(strict.turn(), add_photo, "Our espresso is back.")
    await strict.turn().act("plan_week", posts=2)
    asked = await ask(strict.turn(), "accept_plan")
    assert "“Our espresso is back.” with 1 image" in asked.proposal.summary
    assert "1:" in asked.proposal.summary
    assert "2:" in asked.proposal.summary
    assert asked.arguments["items"] == [1, 2]
    await strict.turn().act("edit_draft", post_id=post["id"], caption="Changed meanwhile.")
    with pytest.raises(Conflict) as stale:
        await say_yes(strict, asked)
    assert stale.value.code == "approval_stale"
    accepted = many(await say_yes(strict, await ask(strict.turn(), "accept_plan")), "posts")
    assert [(post["status"], post["approval"]) for post in accepted] == [("scheduled", "granted"), ("draft", "none")]


async def test_drafts_ask_nobody(chat: Desk) -> None:
    strict = careful(chat)
    await strict.turn().act("plan_week", posts=1)
    assert len(many(await strict.turn().act("accept_plan", **{"as": "drafts"}), "posts")) == 1


class _Away:
    """A writer whose model is away."""

    async def topics(self, _brief: PlanBrief) -> Topics:
        raise Unavailable("The model is away.", code="model_unavailable")


async def test_no_half_plan(desk: Desk, add_photo: AddPhoto) -> None:
    away = replace(desk.dispatcher.doors, writer=_Away())  # type: ignore[arg-type]
    door = replace(desk, dispatcher=Dispatcher(away, desk.dispatcher.catalog))
    with pytest.raises(Unavailable):
        await door.act("plan_week", posts=2)
    with pytest.raises(NotFound) as none:
        await door.act("accept_plan")
    assert none.value.code == "plan_not_found"
    # Drafts alone need no writer.
    await draft(desk, add_photo, "Our espresso is back.")
    assert len(many(await door.act("plan_week", posts=1), "items")) == 1


async def test_the_same_key_accepts_once(desk: Desk) -> None:
    await desk.act("plan_week", posts=2)
    arguments: Json = {"as": "drafts"}
    first = await desk.run("accept_plan", arguments, key="once")
    second = await desk.run("accept_plan", arguments, key="once")
    assert second.replayed
    assert second.result == first.result
    assert (await desk.act("list_posts"))["total"] == 2


async def test_a_plan_of_others_is_not_there(desk: Desk, new_workspace: NewPrincipal) -> None:
    plan = await desk.act("plan_week", posts=1)
    stranger = desk.as_(await new_workspace("Bakery"))
    for reference in (plan["plan_id"], "it"):
        with pytest.raises(NotFound):
            await stranger.act("accept_plan", plan_id=reference)


@pytest.mark.parametrize("week", ["last week", "the year 2000", "in the next 90 days"])
async def test_days_that_cannot_be_planned(desk: Desk, week: str) -> None:
    with pytest.raises(InvalidInput):
        await desk.act("plan_week", week=week)


async def test_a_format_without_words_does_not_silence_the_others(doors: Doors) -> None:
    formats = [rules.name for rules in doors.adapters["facebook"].manifest.formats]
    brief = network_brief(doors.adapters["facebook"], formats)
    assert brief.limit > 1000, "a story takes no text, but every other format does"
    assert "story" not in brief.formats
