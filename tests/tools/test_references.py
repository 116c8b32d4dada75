"""What words mean which post: ids, codes, "it", "the last draft", words from it, days; and words meant to do harm."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from core.errors import Ambiguous, InvalidInput, NotFound, StudioError
from db.models.conversation import Thread
from tests.conftest import TestClock
from tests.tools.conftest import AddPhoto, Desk
from tools.context import Doors, Principal, Role

AddMember = Callable[..., Awaitable[tuple[Principal, str]]]
Posts = Mapping[str, Mapping[str, object]]


def post_of(result: Mapping[str, object]) -> Mapping[str, object]:
    post = result["post"]
    assert isinstance(post, dict)
    return post


async def found(desk: Desk, reference: str) -> str:
    return str(post_of(await desk.act("show_post", post_id=reference))["id"])


@pytest.fixture
async def posts(desk: Desk, add_photo: AddPhoto) -> Posts:
    """Made in this order: espresso (draft), beans (cancelled), latte (scheduled), 100% (draft, the newest)."""
    media = [{"asset_id": (await add_photo()).id}]

    async def draft(caption: str, **more: object) -> Mapping[str, object]:
        return post_of(await desk.act("create_draft", caption=caption, media=media, **more))

    made = {"espresso": await draft("Our new Espresso blend is here"), "beans": await draft("Fresh beans, old story")}
    await desk.act("cancel_post", post_id=made["beans"]["id"])
    made["latte"] = await draft("Latte art class with Zoë", when="in 26 hours")
    made["percent"] = await draft('100% arabica, snake_case and "quotes"')
    return made


REFERENCES = [
    ("the espresso post", "espresso"),
    ("ESPRESSO", "espresso"),
    ("that new espresso blend post, please", "espresso"),
    ("our post about the espresso blend", "espresso"),
    ("the post with Zoë", "latte"),
    ("zoë", "latte"),
    ("the latte one", "latte"),
    ("the beans post", "beans"),  # over, but nothing alive has these words
    ("the last draft", "percent"),
    ("my latest draft", "percent"),
    ("the last post", "percent"),
    ("the newest one", "percent"),
    ("last scheduled post", "latte"),
    ("the most recent cancelled post", "beans"),
    ("the scheduled latte post", "latte"),
    ("it", "percent"),  # outside a conversation: the caller's newest
    ("That post!", "percent"),
    ("  the   espresso   post  ", "espresso"),
    ("“espresso”", "espresso"),
]


async def test_phrases(desk: Desk, posts: Posts) -> None:
    wrong = []
    for phrase, name in REFERENCES:
        try:
            got = await found(desk, phrase)
        except StudioError as error:
            got = error.message
        if got != posts[name]["id"]:
            wrong.append((phrase, name, got))
    assert not wrong


async def test_ids_and_codes_in_every_dress(desk: Desk, posts: Posts) -> None:
    for post in posts.values():
        code, post_id = str(post["code"]), str(post["id"])
        for reference in (code, code.lower(), f"#{code}", f" {code} ", post_id, post_id.upper(), f"urn:uuid:{post_id}"):
            assert await found(desk, reference) == post_id, reference


async def test_an_id_or_a_code_of_nothing_is_not_guessed_at(desk: Desk, posts: Posts) -> None:
    for reference in (str(uuid4()), "CCCCC", "#77777", "the tea post", "the last failed post", "posted"):
        with pytest.raises(NotFound) as refused:
            await found(desk, reference)
        assert refused.value.code == "post_not_found"
        assert refused.value.action


async def test_days(desk: Desk, posts: Posts) -> None:
    """The latte goes out in 26 hours: tomorrow, unless it is past ten in the evening."""
    planned = str(posts["latte"]["scheduled_for"])
    assert planned
    weekday = str(posts["latte"]["receipt"]).split()[0]
    names = {"Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Fri": "Friday"}
    day = {**names, "Sat": "Saturday", "Sun": "Sunday"}[weekday]
    for phrase in (f"the post on {day}", f"the {day} post", f"{day}'s latte post", f"the latte post for {day}"):
        assert await found(desk, phrase) == posts["latte"]["id"], phrase
    with pytest.raises(NotFound):
        await found(desk, f"the espresso post on {day}")
    # A post that has the word is meant before one of that day.
    sale = post_of(await desk.act("create_draft", caption=f"Black {day} sale"))
    assert await found(desk, f"the {day} post") == sale["id"]


async def test_two_that_match_are_both_named_and_neither_taken(desk: Desk, posts: Posts) -> None:
    second = post_of(await desk.act("create_draft", caption="Espresso at night"))
    with pytest.raises(Ambiguous) as which:
        await desk.act("cancel_post", post_id="the espresso post")
    assert {each.id for each in which.value.candidates} == {posts["espresso"]["id"], second["id"]}
    assert all(str(post["code"]) in which.value.message for post in (posts["espresso"], second))
    assert await found(desk, "espresso night") == second["id"]
    # One that is over does not compete with one that is alive.
    await desk.act("cancel_post", post_id=second["id"])
    assert await found(desk, "the espresso post") == posts["espresso"]["id"]


async def test_many_that_match_are_listed_up_to_five(desk: Desk) -> None:
    for number in range(7):
        await desk.act("create_draft", caption=f"Filter number {number}")
    with pytest.raises(Ambiguous) as which:
        await found(desk, "the filter post")
    assert len(which.value.candidates) == 5
    assert "and more" in which.value.message


async def test_it_is_what_the_conversation_spoke_of(chat: Desk, posts: Posts) -> None:
    turn = chat.turn()
    assert await found(turn, "the espresso post") == posts["espresso"]["id"]
    assert await found(chat.turn(), "it") == posts["espresso"]["id"]
    await chat.turn().act("edit_draft", post_id="the last draft", caption="Changed")
    assert await found(chat.turn(), "that one") == posts["percent"]["id"]
    # A list is spoken of too: its first post comes first.
    listed = await chat.turn().act("list_posts", status="scheduled")
    assert listed["total"] == 1
    assert await found(chat.turn(), "it") == posts["latte"]["id"]


async def test_conversations_do_not_share_what_it_means(chat: Desk, doors: Doors, posts: Posts) -> None:
    async with doors.database.session(chat.caller.principal.workspace_id) as session:
        other = Thread(
            workspace_id=chat.caller.principal.workspace_id, title="", focus=[str(uuid4()), str(posts["beans"]["id"])]
        )
        session.add(other)
    await found(chat.turn(), "the espresso post")
    elsewhere = replace(chat, caller=replace(chat.caller, thread_id=other.id))
    # The first one spoken of there is gone: the next one counts.
    assert await found(elsewhere, "it") == posts["beans"]["id"]
    assert await found(chat.turn(), "it") == posts["espresso"]["id"]


async def test_it_of_somebody_who_made_nothing_is_nothing(desk: Desk, posts: Posts, add_member: AddMember) -> None:
    newcomer = desk.as_((await add_member(desk.caller.principal.workspace_id, Role.EDITOR))[0])
    with pytest.raises(NotFound):
        await found(newcomer, "it")


HOSTILE = [
    "%%%",
    "__",
    "' or 1=1 --",
    '"; drop table posts; --',
    "\\",
    "\\' or ''='",
    "$9",
    ":post",
    "%(id)s",
    "{9}",
    "💥" * 100,
    "\u202ecod\u202c",
    "a" * 300,
    "the " * 75,
    "(" * 300,
    "1 2 3 4 " * 37,
    "monday " * 42,
    "at 9 at 10 at 11 " * 17,
]


async def test_hostile_words_are_only_words(desk: Desk, posts: Posts) -> None:
    """None of them is a wildcard, a statement or a way to make the server think for long."""
    for words in HOSTILE:
        async with asyncio.timeout(5):
            for field, name in (("post_id", "show_post"), ("post_id", "cancel_post")):
                try:
                    got = await desk.act(name, **{field: words})
                except (NotFound, InvalidInput, Ambiguous) as error:
                    assert len(error.message) < 3000, words  # noqa: PT017
                else:
                    raise AssertionError((words, got["summary"]))
            await desk.act("list_posts", query=words[:200])
    assert (await desk.act("list_posts", status="draft"))["total"] == 2
    assert await found(desk, "%") == posts["percent"]["id"]  # the one post that has this character
    assert await found(desk, "100%") == posts["percent"]["id"]
    assert (await desk.act("list_posts", query="snake_case"))["total"] == 1
    assert (await desk.act("list_posts", query="snakeXcase"))["total"] == 0
    assert (await desk.act("list_posts", query="%"))["total"] == 1


async def test_ten_thousand_characters_are_refused_at_once(desk: Desk) -> None:
    for words in ("the espresso post " * 600, "x" * 10_000, "\n" * 10_000 + "x"):
        async with asyncio.timeout(1):
            with pytest.raises((InvalidInput, NotFound)) as refused:
                await desk.act("show_post", post_id=words)
        assert len(refused.value.message) < 1000


async def test_a_day_is_read_in_the_callers_zone_and_the_databases_time(
    desk: Desk, posts: Posts, clock: TestClock
) -> None:
    """26 hours later the latte's day is today."""
    clock.shift(timedelta(hours=25, minutes=59))
    assert await found(desk, "the latte post today") == posts["latte"]["id"]
