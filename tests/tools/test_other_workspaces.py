"""Every command, asked by the owner of one workspace about the things of another: it finds nothing, changes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import psycopg
import pytest
from psycopg.rows import dict_row

from core.errors import Ambiguous, InvalidInput, NotFound
from tests.conftest import NewPrincipal, Sandbox
from tests.db.conftest import Admin
from tests.db.filled import Filled, fill
from tools.command import AnyCommand
from tools.commands import catalog
from tools.context import Caller, Doors, Surface
from tools.dispatcher import Dispatcher

# Commands that are given nothing of anybody's, and so can only act on the caller's own.
OF_ONES_OWN = {"undo"}
# What a command needs beside the thing that is asked for.
REST: Mapping[str, object] = {
    "when": "in 4 hours",
    "caption": "Changed by a stranger",
    "platform": "instagram",
    "outcome": "posted",
    "vary": "caption",
    "access_token": "IGAA-token-of-a-stranger",
    "crop": "fill",
}


def values(theirs: Filled) -> dict[str, Sequence[object]]:
    """Every way to name a thing of theirs, by the field that takes it."""
    return {
        "post_id": [
            *(theirs.draft_id, theirs.draft_code, f"#{theirs.draft_code.lower()}", theirs.planned_id, theirs.sent_id),
            *(f"{{{theirs.draft_id}}}", "the words of bakery", "the bakery post"),
        ],
        "post_ids": [[theirs.draft_id], [theirs.draft_code], [theirs.sent_id, theirs.planned_id], ["the bakery post"]],
        "platform_post_id": [theirs.external_id],
        "account_id": [theirs.account_id, theirs.handle, f"@{theirs.handle}", theirs.external_id],
        "media": [[{"asset_id": theirs.asset_id}], [{"asset_id": theirs.asset_name}], [{"asset_id": "bakery front"}]],
        "external_id": [theirs.external_id],
        "accounts": [[theirs.account_id], [theirs.handle], [f"@{theirs.handle}"]],
        "plan_id": [theirs.plan_id, f"{{{theirs.plan_id}}}"],
        "experiment_id": [theirs.experiment_id],
        "notification_ids": [[theirs.notification_id]],
        "until_id": [theirs.notification_id],
        "query": ["bakery", theirs.draft_code],
        "cursor": [],
    }


def asked(command: AnyCommand, theirs: Filled) -> Iterator[dict[str, object]]:
    """Calls of a command that name a thing of theirs in one field, everything else in order."""
    named = values(theirs)
    needed = {name: value for name, value in REST.items() if name in command.arguments.model_fields}
    required = {name for name, field in command.arguments.model_fields.items() if field.is_required()}
    for field in command.arguments.model_fields:
        for value in named.get(field, ()):
            given = {**{name: value for name, value in needed.items() if name in required | {"caption"}}, field: value}
            missing = required - given.keys()
            assert missing <= {"post_id", "platform", "external_id"}, f"{command.name}: say what {missing} is in REST"
            yield {**given, **({"post_id": theirs.draft_id} if "post_id" in missing else {})}


@dataclass(frozen=True, kw_only=True)
class Street:
    """Two workspaces, and the owner of the first at the door."""

    ours: Filled
    theirs: Filled
    dispatcher: Dispatcher
    caller: Caller


@pytest.fixture
async def street(doors: Doors, new_workspace: NewPrincipal, sandbox: Sandbox) -> Street:
    ours = await fill(doors, await new_workspace("Roastery"), sandbox, number=1)
    theirs = await fill(doors, await new_workspace("Bakery"), sandbox, number=2)
    caller = Caller(principal=ours.principal, surface=Surface.REST, zone="Europe/Madrid")
    return Street(ours=ours, theirs=theirs, dispatcher=Dispatcher(doors, catalog()), caller=caller)


@pytest.fixture
def admin(admin_url: str) -> Iterator[Admin]:
    with psycopg.connect(admin_url, autocommit=True, row_factory=dict_row) as connection:
        yield Admin(connection=connection)


def test_every_field_that_names_something_is_tried() -> None:
    """A new command with a new kind of name has to be added to ``values``, or it would be tried with nothing."""
    for command in catalog().commands:
        others = {"media", "cursor", "accounts"}
        names = {name for name in command.arguments.model_fields if name.endswith(("_id", "_ids")) or name in others}
        known = others | {
            "post_id", "post_ids", "platform_post_id", "account_id", "external_id", "plan_id", "experiment_id",
            "notification_ids", "until_id",
        }  # fmt: skip
        assert names <= known, f"{command.name}: {names - known}"
        assert names or command.name in OF_ONES_OWN | {"list_accounts", "list_notifications"}, command.name


async def test_no_command_finds_or_changes_the_things_of_another_workspace(street: Street, admin: Admin) -> None:
    before = admin.everything(street.theirs.workspace_id)
    tried = 0
    for command, surface in product(catalog().commands, (Surface.REST, Surface.SYSTEM)):
        caller = replace(street.caller, surface=surface)
        for arguments in asked(command, street.theirs):
            tried += 1
            try:
                outcome = await street.dispatcher.run(command.name, arguments, caller)
            except (NotFound, Ambiguous):
                continue
            except InvalidInput as error:
                assert error.code == "token_refused", (command.name, arguments, error.message)  # noqa: PT017
                continue
            assert_nothing_of_theirs(outcome.result, street.theirs, (command.name, arguments))
    assert tried > 60
    assert admin.everything(street.theirs.workspace_id) == before


def assert_nothing_of_theirs(result: Mapping[str, object], theirs: Filled, asked: object) -> None:
    told = str(result)
    things = (theirs.draft_id, theirs.planned_id, theirs.account_id, theirs.asset_id, theirs.asset_name)
    for secret in (*things, theirs.plan_id, theirs.experiment_id, theirs.notification_id):
        assert secret not in told, asked
    assert "The words of bakery" not in told, asked
    # A list is empty, whatever it was narrowed to.
    assert result.get("items", ()) in ((), []), asked


async def test_whoever_owns_them_finds_them_by_these_names(street: Street) -> None:
    """The names tried above are good names: next door they work."""
    owner = replace(street.caller, principal=street.theirs.principal)
    named = values(street.theirs)
    for reference in named["post_id"][:6]:
        shown = (await street.dispatcher.run("show_post", {"post_id": reference}, owner)).result
        assert street.theirs.handle in str(shown["post"]), reference
    for reference in named["account_id"][:3]:
        await street.dispatcher.run("show_account", {"account_id": reference}, owner)
    for named_accounts in named["accounts"]:
        await street.dispatcher.run("plan_week", {"accounts": named_accounts, "posts": 1}, owner)
    await street.dispatcher.run("accept_plan", {"plan_id": street.theirs.plan_id, "as": "drafts"}, owner)
    await street.dispatcher.run("show_experiment", {"experiment_id": street.theirs.experiment_id}, owner)
    marked = {"notification_ids": [street.theirs.notification_id]}
    assert (await street.dispatcher.run("read_notifications", marked, owner)).result["marked"] == 1
    for media in named["media"]:
        await street.dispatcher.run("create_draft", {"caption": "Mine", "media": media}, owner)


async def test_words_name_ones_own_posts_only(street: Street) -> None:
    """Neither candidates nor the nearest match come from next door."""
    with pytest.raises(Ambiguous) as which:
        await street.dispatcher.run("show_post", {"post_id": "nobody else may read"}, street.caller)
    assert {candidate.id for candidate in which.value.candidates} == {
        street.ours.draft_id,
        street.ours.planned_id,
        street.ours.sent_id,
    }


async def test_an_account_of_theirs_can_be_ours_too(street: Street, admin: Admin) -> None:
    """Two workspaces may connect one account, each with its own token: neither learns of the other."""
    before = admin.everything(street.theirs.workspace_id)
    outcome = await street.dispatcher.run(
        "connect_account",
        {
            "platform": "instagram",
            "external_id": street.theirs.external_id,
            "access_token": street.theirs.token,
            "metadata": {"login": "facebook"},
        },
        street.caller,
    )
    account = outcome.result["account"]
    assert isinstance(account, dict)
    assert account["id"] != street.theirs.account_id
    assert admin.everything(street.theirs.workspace_id) == before


async def test_a_thread_of_theirs_means_nothing_here(street: Street, admin: Admin) -> None:
    """ "It" in a thread of another workspace is not what they spoke of, and speaking there leaves no trace."""
    before = admin.everything(street.theirs.workspace_id)
    caller = replace(
        street.caller, thread_id=street.theirs.thread_id, run_id=street.theirs.run_id, surface=Surface.AGENT
    )
    shown = (await street.dispatcher.run("show_post", {"post_id": "it"}, caller)).result["post"]
    assert isinstance(shown, dict)
    assert "roastery" in str(shown["caption"])
    with pytest.raises(NotFound):
        await street.dispatcher.run("undo", {}, caller)
    assert admin.everything(street.theirs.workspace_id) == before
