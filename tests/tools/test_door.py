"""The one door: a key acts once, wrong arguments are named, roles and approvals hold, secrets stay inside."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.rows import dict_row
from pydantic import Field, SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.errors import Conflict, InvalidInput, NotFound
from tests.conftest import Sandbox
from tests.tools.conftest import TOKEN, AddPhoto, Desk
from tools.catalog import Catalog
from tools.command import Arguments, Effect, Result, command
from tools.commands import catalog
from tools.context import Context, Doors, Principal
from tools.dispatcher import Dispatcher, parse
from tools.posts.changes import made
from tools.posts.references import resolve_post

AddMember = Callable[..., Awaitable[tuple[Principal, str]]]
Calls = Callable[[], Sequence[Mapping[str, object]]]


@pytest.fixture
def calls(admin_url: str) -> Calls:
    """Every recorded call, oldest first, as the owner of the schema reads them."""

    def read() -> Sequence[Mapping[str, object]]:
        with psycopg.connect(admin_url, row_factory=dict_row) as connection:
            return connection.execute("select * from studio.tool_calls order by id").fetchall()

    return read


async def total(desk: Desk) -> object:
    return (await desk.act("list_posts"))["total"]


# --- one key, one effect ---------------------------------------------------------------------------------------------


async def test_two_calls_with_one_key_at_the_same_moment_have_one_effect(desk: Desk, calls: Calls) -> None:
    for number in range(5):
        pair = await asyncio.gather(
            *(desk.run("create_draft", {"caption": f"Post {number}"}, key=f"key-{number}") for _ in range(3))
        )
        assert sorted(outcome.replayed for outcome in pair) == [False, True, True]
        assert pair[0].result == pair[1].result == pair[2].result
    assert await total(desk) == 5
    assert [call["key"] for call in calls() if call["key"]] == [f"key-{number}" for number in range(5)]


async def test_without_a_key_every_call_acts(desk: Desk) -> None:
    await asyncio.gather(*(desk.act("create_draft", caption="Again") for _ in range(3)))
    assert await total(desk) == 3


async def test_a_key_is_for_one_request(desk: Desk) -> None:
    await desk.run("create_draft", {"caption": "One"}, key="k")
    others: tuple[tuple[str, dict[str, object]], ...] = (("create_draft", {"caption": "Two"}), ("undo", {}))
    for name, arguments in others:
        with pytest.raises(Conflict) as refused:
            await desk.run(name, arguments, key="k")
        assert refused.value.code == "idempotency_key_reused"
    # How the arguments are written does not matter: an absent field is not one that says null, but order is nothing.
    assert (await desk.run("create_draft", {"caption": "One"}, key="k")).replayed


async def test_one_key_with_another_token_is_another_request(desk: Desk, sandbox: Sandbox) -> None:
    """The row keeps stars for both tokens: the key must tell them apart all the same."""
    account: dict[str, object] = {"platform": "instagram", "external_id": "17841400000000001"}
    account["metadata"] = {"login": "facebook"}
    await desk.run("connect_account", {**account, "access_token": TOKEN}, key="k")
    assert (await desk.run("connect_account", {**account, "access_token": TOKEN}, key="k")).replayed
    with pytest.raises(Conflict) as refused:
        await desk.run("connect_account", {**account, "access_token": f"{TOKEN}-new"}, key="k")
    assert refused.value.code == "idempotency_key_reused"


async def test_a_key_is_the_workspaces_own(desk: Desk, new_workspace: Callable[[str], Awaitable[Principal]]) -> None:
    await desk.run("create_draft", {"caption": "One"}, key="k")
    stranger = desk.as_(await new_workspace("Bakery"))
    with pytest.raises(NotFound):  # no account there: it was tried, not answered from the neighbour's row
        await stranger.run("create_draft", {"caption": "One"}, key="k")


async def test_a_failed_call_leaves_its_key_free(desk: Desk, calls: Calls, add_photo: AddPhoto) -> None:
    post = (await desk.act("create_draft", caption="No picture"))["post"]
    assert isinstance(post, dict)
    before = len(calls())
    with pytest.raises(InvalidInput):
        await desk.run("schedule_post", {"post_id": post["id"], "when": "in 2 hours"}, key="k")
    assert len(calls()) == before
    await desk.act("edit_draft", post_id=post["id"], media=[{"asset_id": (await add_photo()).id}])
    assert not (await desk.run("schedule_post", {"post_id": post["id"], "when": "in 2 hours"}, key="k")).replayed


# --- what is recorded ------------------------------------------------------------------------------------------------


class Breaks(Arguments):
    """Arguments of breaks."""

    post_id: str
    secret: SecretStr = Field(SecretStr("unset"))


@command(title="Change a post, then fail", effect=Effect.WRITE)
async def breaks(context: Context, arguments: Breaks) -> Result:
    post = await resolve_post(context, arguments.post_id, lock=True)
    post.caption = "changed by what failed"
    await made(context, post)
    await context.session.flush()
    context.after_commit.append(lambda: context.doors.wake("posts"))
    raise ZeroDivisionError


async def test_a_failed_apply_leaves_nothing(desk: Desk, doors: Doors, calls: Calls) -> None:
    post = (await desk.act("create_draft", caption="As it was"))["post"]
    assert isinstance(post, dict)
    woken: list[str] = []

    def wake(topic: str) -> None:
        woken.append(topic)

    door = Dispatcher(replace(doors, wake=wake), Catalog((breaks,)))
    before = calls()
    with pytest.raises(ZeroDivisionError):
        await door.run("breaks", {"post_id": post["id"]}, replace(desk.caller, key="k"))
    assert calls() == before
    assert woken == []  # nothing was committed, so nobody is told
    shown = (await desk.act("show_post", post_id=post["id"]))["post"]
    assert isinstance(shown, dict)
    assert (shown["caption"], shown["version"]) == ("As it was", 1)


async def test_what_is_recorded_is_json_and_says_who_what_and_how(
    chat: Desk, calls: Calls, add_photo: AddPhoto
) -> None:
    turn = chat.turn()
    await turn.act("create_draft", caption="Café ☕ \u2028 “quoted” \\", media=[{"asset_id": (await add_photo()).id}])
    await turn.act("list_posts")
    await turn.act("schedule_post", post_id="it", when="in 2 hours")
    rows = [call for call in calls() if call["run_id"] == turn.caller.run_id]
    assert [row["command"] for row in rows] == ["create_draft", "schedule_post"]  # reading is not recorded
    for row in rows:
        for name in ("args", "result", "changes"):
            assert json.loads(json.dumps(row[name])) == row[name], name
        assert row["user_id"] == chat.caller.principal.user_id
        assert (row["surface"], row["thread_id"]) == ("agent", chat.caller.thread_id)
        assert len(str(row["args_hash"])) == 64
    assert rows[0]["result"]["post"]["caption"] == "Café ☕ \u2028 “quoted” \\"  # type: ignore[index]
    assert rows[1]["changes"][0]["before"]["status"] == "draft"  # type: ignore[index]


async def test_a_token_is_nowhere_but_under_its_seal(
    desk: Desk, sandbox: Sandbox, admin_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in a row of any table, nor in a log, an error or a repr; also when the network refuses it."""
    caplog.set_level(logging.DEBUG)
    refresh, wrong = "refresh-token-of-the-roastery", "IGAA-wrong-token-of-the-roastery"
    account: dict[str, object] = {"platform": "instagram", "external_id": "17841400000000001"}
    account["metadata"] = {"login": "facebook"}
    outcome = await desk.run("connect_account", {**account, "access_token": TOKEN, "refresh_token": refresh}, key="k")
    said = [repr(outcome), repr(desk.dispatcher.doors), repr(desk.caller)]
    for name, arguments in (
        ("connect_account", {**account, "access_token": wrong}),
        ("connect_account", {**account, "access_token": TOKEN, "refresh_token": refresh, "wrong": 1}),
        ("connect_account", {**account, "access_token": {"a": TOKEN}}),
        ("connect_account", {**account, "access_token": TOKEN + refresh * 400}),
        ("connect_account", {**account, "access_token": TOKEN, "platform": "friendster"}),
    ):
        with pytest.raises(InvalidInput) as refused:
            await desk.run(name, arguments, key=str(uuid4()))
        said += [repr(refused.value), str(refused.value.__dict__), refused.value.message]
    parsed = parse(catalog().find("connect_account"), {**account, "access_token": TOKEN})
    said += [repr(parsed), str(parsed), parsed.model_dump_json(), caplog.text]
    with psycopg.connect(admin_url) as connection:
        tables = connection.execute(
            "select schemaname || '.' || tablename from pg_tables where schemaname in ('studio', 'langgraph')"
        ).fetchall()
        for (table,) in tables:
            said += [str(row[0]) for row in connection.execute(f"select to_jsonb(t)::text from {table} t".encode())]
    # bytea shows as hexadecimal digits, so the token's bytes are looked for as well.
    for token in (TOKEN, refresh, wrong):
        for each in said:
            assert token not in each
            assert token.encode().hex() not in each


async def test_an_error_of_the_database_does_not_show_what_was_sent(desk: Desk, doors: Doors) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with doors.database.session(desk.caller.principal.workspace_id) as session:
            await session.execute(text("select cast(:secret as bytea), 1 / 0"), {"secret": "sealed-bytes"})
    assert "sealed-bytes" not in str(refused.value)


# --- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "raw", "paths"),
    [
        ("schedule_post", {}, {"post_id", "when"}),
        ("schedule_post", {"post_id": "x", "when": "now", "at": 1}, {"at"}),
        ("schedule_post", {"post_id": 5, "when": ["x"]}, {"post_id", "when"}),
        ("schedule_post", {"post_id": "x", "when": "x", "version": "soon"}, {"version"}),
        ("schedule_post", {"post_id": "x" * 10_000, "when": "x" * 201}, {"post_id", "when"}),
        ("create_draft", {"media": [{"asset_id": "a"}, {"url": 7}]}, {"media.1.url"}),
        ("create_draft", {"media": [{}, {"asset_id": "a", "url": "b"}]}, {"media.0", "media.1"}),
        ("create_draft", {"media": "photo.jpg"}, {"media"}),
        ("create_draft", {"media": [{"asset_id": "a"}] * 36}, {"media"}),
        ("create_draft", {"caption": "a\x00b"}, {"caption"}),
        ("create_draft", {"caption": "a\ud800b"}, {"caption"}),
        ("create_draft", {"options": {"a": ["b\x00"]}}, {"options.a.0"}),
        ("create_draft", {"options": {"a": "b\ud800"}}, {"options.a"}),
        ("create_draft", {"options": {"a\x00": 1}}, {"options"}),
        ("create_draft", {"options": {"a": float("nan")}}, {"options.a"}),
        ("create_draft", {"options": {"a": float("-inf")}}, {"options.a"}),
        ("create_draft", {"options": {"a": 10**400}}, {"options.a"}),
        ("list_posts", {"limit": 0}, {"limit"}),
        ("list_posts", {"limit": 101, "status": "lost"}, {"limit", "status"}),
        ("undo", [], {""}),
        ("undo", None, {""}),
        ("undo", "undo", {""}),
    ],
)
def test_what_is_wrong_is_named(name: str, raw: object, paths: set[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(catalog().find(name), raw)
    assert {problem.path for problem in refused.value.problems} == paths
    assert refused.value.code == "invalid_arguments"
    assert name in refused.value.message
    assert len(refused.value.message) < 1000
    assert all(problem.message and problem.code for problem in refused.value.problems)


def test_a_nest_of_options_is_refused_and_not_walked_for_ever() -> None:
    nest: object = 1
    for _ in range(100_000):
        nest = [nest]
    with pytest.raises(InvalidInput) as refused:
        parse(catalog().find("create_draft"), {"options": {"a": nest}})
    assert [problem.code for problem in refused.value.problems] == ["too_deep"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data())
def test_whatever_is_sent_is_understood_or_refused(data: st.DataObject) -> None:
    """Any JSON, under the names of the fields there are, to every command: arguments that can be kept, or a reason."""
    chosen = data.draw(st.sampled_from(catalog().commands))
    fields = st.sampled_from(sorted(chosen.arguments.model_fields) or ["none"])
    raw = data.draw(ANYTHING | st.dictionaries(fields, ANYTHING, max_size=4))
    try:
        arguments = parse(chosen, raw)
    except InvalidInput as error:
        assert error.problems  # noqa: PT017
    else:
        kept = json.dumps(arguments.model_dump(mode="json", exclude_unset=True), allow_nan=False, ensure_ascii=False)
        assert "\x00" not in kept.encode().decode()
        assert "\\u0000" not in kept


def test_an_unknown_command_is_answered_with_those_there_are() -> None:
    with pytest.raises(NotFound) as refused:
        catalog().find("delete_everything")
    assert refused.value.action is not None
    assert all(each.name in refused.value.action for each in catalog().commands)


def test_names_and_aliases_are_unique() -> None:
    names = [name for each in catalog().commands for name in (each.name, *each.aliases)]
    assert len(names) == len(set(names))
