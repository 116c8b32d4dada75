"""The check as due work: daily and after every change, one network call a day, one row for each new problem."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
from pydantic import SecretStr

from core.settings import Settings
from tests.conftest import NewPrincipal, Sandbox, TestClock
from tests.tools.conftest import TOKEN, AddPhoto, Desk
from tests.tools.preflight.conftest import Change, Checker, Plan, codes, problems, told
from tests.tools.publishing.conftest import Engine
from tools.context import Doors
from tools.networks import open_networks
from tools.preflight.work import CheckWork


def asked(sandbox: Sandbox) -> int:
    """How often the network was asked about the account."""
    calls = sandbox.control("GET", "calls?route=instagram.get_account")
    assert isinstance(calls, dict)
    return len(calls["items"])


async def test_the_network_is_asked_once_a_day(
    desk: Desk, plan: Plan, checker: Checker, sandbox: Sandbox, clock: TestClock
) -> None:
    await plan(when="in 3 days")
    assert asked(sandbox) == 1  # when it was connected
    assert await checker.once() == 1
    assert await checker.once() == 0, "an account that was checked rests"
    assert asked(sandbox) == 2
    clock.shift(timedelta(hours=25))
    assert await checker.once() == 1
    assert asked(sandbox) == 3
    await desk.act("create_draft", caption="A draft changes nothing that is planned")
    assert await checker.once() == 0
    await plan("Another", when="in 2 days")
    assert await checker.once() == 1
    assert asked(sandbox) == 3
    assert await told(desk) == []


async def test_every_change_asks_for_a_check_in_its_own_transaction(
    desk: Desk, plan: Plan, checker: Checker, change: Change, add_photo: AddPhoto, admin_url: str
) -> None:
    post = await plan()
    await checker.once()

    async def is_asked_for(command: str, **arguments: object) -> None:
        assert await checker.once() == 0, command
        await desk.act(command, post_id=post["id"], **arguments)
        assert await checker.once() == 1, command

    await is_asked_for("edit_draft", caption="Other words")
    await is_asked_for("edit_draft", media=[{"asset_id": (await add_photo("other.jpg")).id}])
    await is_asked_for("move_post", when="in 5 hours")
    await is_asked_for("cancel_post")
    for column, value in (("status", "reconnect"), ("scopes", "instagram_basic"), ("access_token", "other")):
        change(f"update accounts set {column} = %s", value)
        assert await checker.once() == 1, column
    change("update accounts set handle = 'roasters'")
    with psycopg.connect(admin_url) as connection:
        connection.execute("update studio.accounts set status = 'connected'")
        connection.rollback()
    assert await checker.once() == 0


async def test_a_change_while_a_check_runs_is_not_lost(
    desk: Desk, plan: Plan, checker: Checker, change: Change, doors: Doors
) -> None:
    post = await plan()
    (claim,) = await checker.work.claim(10, sweep=False)
    change("update posts set approval = 'required'")
    found = checker.work._tell  # the moment between reading and writing down, from the inside: there is no other door

    async def slow(*arguments: object) -> None:
        await desk.act("edit_draft", post_id=post["id"], caption="Meanwhile")
        assert await checker.once() == 0, "nobody else takes the account meanwhile"
        await found(*arguments)  # type: ignore[arg-type]

    checker.work._tell = slow  # type: ignore[method-assign,assignment]
    await checker.work.work(claim)
    assert await told(desk) == [("approval_missing", False)]
    assert await Checker(work=CheckWork(doors)).once() == 1, "what changed meanwhile is looked at again"


async def test_a_check_that_died_is_made_again_and_its_late_word_counts_for_nothing(
    desk: Desk, plan: Plan, checker: Checker, change: Change, clock: TestClock
) -> None:
    await plan(when="in 3 days")
    (dead,) = await checker.work.claim(10, sweep=False)
    clock.shift(timedelta(minutes=6))
    assert await checker.once() == 1
    change("update posts set approval = 'required', version = version + 1")
    await checker.work.work(dead)
    assert await told(desk) == []
    assert await checker.once() == 1, "nor does it answer for what changed since"
    assert await told(desk) == [("approval_missing", False)]


async def test_a_problem_is_told_once_and_ends_by_itself(
    desk: Desk, plan: Plan, checker: Checker, change: Change, clock: TestClock
) -> None:
    await plan(when="in 3 days")
    change("update accounts set token_expires_at = studio_now() + interval '2 days'")
    await checker.once()
    assert await told(desk) == [("token_expires", False)]
    clock.shift(timedelta(hours=25))
    assert await checker.once() == 1
    assert await told(desk) == [("token_expires", False)]
    change("update accounts set token_expires_at = studio_now() + interval '60 days'")
    await checker.once()
    assert await told(desk) == [("token_expires", True)]
    change("update accounts set token_expires_at = studio_now() + interval '1 day'")
    await checker.once()
    assert await told(desk) == [("token_expires", False), ("token_expires", True)]


async def test_a_cancelled_post_has_no_problems(desk: Desk, plan: Plan, checker: Checker, change: Change) -> None:
    post = await plan()
    change("update posts set approval = 'required'")
    await checker.once()
    assert await told(desk) == [("approval_missing", False)]
    await desk.act("cancel_post", post_id=post["id"])
    assert await told(desk) == [("approval_missing", True)]


async def test_warnings_are_for_those_who_ask(desk: Desk, plan: Plan, checker: Checker) -> None:
    await plan(when="in 3 hours")
    await plan("Nearly then", when="in 185 minutes")
    await checker.once()
    assert await codes(desk) == ["clash"]
    assert await told(desk) == []


async def test_what_the_network_says_of_a_token(
    desk: Desk, plan: Plan, checker: Checker, sandbox: Sandbox, clock: TestClock
) -> None:
    await plan(when="in 3 days")
    sandbox.control("POST", "tokens", {"access_token": TOKEN, "revoked_subcode": 458})
    clock.shift(timedelta(hours=25))
    await checker.once()
    assert await told(desk) == [("reconnect_needed", False)]
    assert await codes(desk) == ["reconnect_needed"]
    fresh = {"platform": "instagram", "external_id": "17841400000000001", "access_token": f"{TOKEN}-2"}
    sandbox.control("POST", "accounts", {**fresh, "handle": "roastery"})
    await desk.act("connect_account", **fresh, metadata={"login": "facebook"})
    assert await codes(desk) == []
    await checker.once()
    assert await told(desk) == [("reconnect_needed", True)]


async def test_a_token_that_ends_soon_is_renewed_while_it_lives(
    desk: Desk, plan: Plan, doors: Doors, settings: Settings, change: Change, sandbox: Sandbox
) -> None:
    await plan(when="in 5 days")
    change("update accounts set token_expires_at = studio_now() + interval '4 days'")
    app = settings.model_copy(update={"meta_app_id": "123", "meta_app_secret": SecretStr("app-secret")})
    async with open_networks(app) as adapters:
        checker = Checker(work=CheckWork(replace(doors, adapters=adapters)))
        assert await checker.once() == 1
        assert await told(desk) == []
        assert asked(sandbox) == 1, "that it was renewed says enough: nothing else is asked"
        (account,) = (await desk.act("list_accounts"))["items"]  # type: ignore[misc]
        ends = datetime.fromisoformat(account["token_expires_at"])  # type: ignore[has-type]
        assert ends - datetime.now(UTC) > timedelta(days=59)
        assert await checker.once() == 1, "a new token is a change"
        assert asked(sandbox) == 1
        assert await checker.once() == 0


async def test_a_token_that_cannot_be_renewed_says_why(
    desk: Desk, plan: Plan, checker: Checker, change: Change, sandbox: Sandbox
) -> None:
    await plan(when="in 5 days")
    change("update accounts set token_expires_at = studio_now() + interval '4 days'")
    await checker.once()
    (one,) = await problems(desk)
    assert one["code"] == "token_expires"
    assert "It could not be renewed: Renewing a token of Facebook Login needs the Meta app's id" in str(one["message"])
    assert asked(sandbox) == 2


async def test_a_network_that_does_not_answer_is_no_problem_of_the_account(
    desk: Desk, plan: Plan, checker: Checker, sandbox: Sandbox, clock: TestClock
) -> None:
    await plan(when="in 3 days")
    sandbox.control("POST", "faults", {"route": "instagram.get_account", "kind": "status", "status": 500})
    clock.shift(timedelta(hours=25))
    await checker.once()
    assert await told(desk) == []


async def test_links_that_do_not_work_are_found_and_other_settings_look_again(
    desk: Desk, plan: Plan, doors: Doors, settings: Settings, unused_tcp_port: int
) -> None:
    closed = settings.model_copy(update={"public_url": f"http://127.0.0.1:{unused_tcp_port}"})
    await plan()
    broken = Checker(work=CheckWork(replace(doors, settings=closed)))
    assert await broken.once() == 1
    assert await told(desk) == [("public_url_unreachable", False)]
    assert await broken.once() == 0
    assert await Checker(work=CheckWork(replace(doors, settings=closed))).once() == 0, "nothing else is new"
    mended = Checker(work=CheckWork(doors))
    assert await mended.once() == 1
    assert await told(desk) == [("public_url_unreachable", True)]
    assert await mended.once() == 0


async def test_what_is_old_is_forgotten(
    desk: Desk, plan: Plan, checker: Checker, engine: Engine, change: Change, clock: TestClock
) -> None:
    post = await plan()
    await desk.act("publish_post", post_id=post["id"])
    await engine.once()
    await checker.once()
    change("update notifications set created_at = studio_now() - interval '88 days'")
    clock.shift(timedelta(hours=25))
    await checker.once()
    assert (await desk.act("list_notifications"))["total"] == 1
    clock.shift(timedelta(hours=51))
    await checker.once()
    assert (await desk.act("list_notifications"))["total"] == 0


async def test_accounts_of_all_workspaces_are_checked_each_in_its_own(
    desk: Desk, plan: Plan, checker: Checker, change: Change, new_workspace: NewPrincipal
) -> None:
    stranger = desk.as_(await new_workspace("Bakery"))
    known = {"platform": "instagram", "external_id": "17841400000000001", "access_token": TOKEN}
    await stranger.act("connect_account", **known, metadata={"login": "facebook"})
    await plan()
    change("update posts set approval = 'required'")
    assert await checker.once() == 2
    assert await told(desk) == [("approval_missing", False)]
    assert await told(stranger) == []
