"""resolve_post: a person settles what became of an unconfirmed post, and the ledger keeps who said so."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from core.errors import Conflict, Forbidden, InvalidInput
from tests.tools.conftest import AddPhoto, Desk
from tools.context import Principal, Role
from tools.dispatcher import ConsentNeeded

AddMember = Callable[[UUID, Role], Awaitable[tuple[Principal, str]]]
LINK = "https://www.instagram.com/p/DRx1/"


def post_of(result: Mapping[str, object]) -> dict[str, object]:
    post = result["post"]
    assert isinstance(post, dict)
    return post


def settle_as(admin_url: str, post_id: str, status: str) -> None:
    """Bring a post to where only the worker or the network brings it."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            'update studio.posts set status = %s, last_error = \'{"code": "outcome_unknown", "message": "?",'
            ' "action": "Look."}\', scheduled_for = studio.studio_now(), next_attempt_at ='
            " case when %s in ('scheduled', 'publishing') then studio.studio_now() end where id = %s",
            (status, status, post_id),
        )


@pytest.fixture
def doubtful(desk: Desk, add_photo: AddPhoto, admin_url: str) -> Callable[..., Awaitable[str]]:
    """A post whose first attempt ended in doubt."""

    async def make(caption: str = "Our espresso") -> str:
        made = await desk.act("create_draft", caption=caption, media=[{"asset_id": (await add_photo()).id}])
        post_id = str(post_of(made)["id"])
        settle_as(admin_url, post_id, "unconfirmed")
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute(
                "insert into studio.publish_attempts (id, workspace_id, post_id, number, state, step,"
                " step_irreversible, intent_at, progress, steps, content_hash) select gen_random_uuid(), workspace_id,"
                " id, 1, 'unconfirmed', 'publish', true, studio.studio_now(), '{\"container_id\": \"1\"}',"
                " '[{\"event\": \"sending\"}]', '' from studio.posts where id = %s",
                (post_id,),
            )
        return post_id

    return make


Doubtful = Callable[..., Awaitable[str]]


def last_word(admin_url: str, post_id: str) -> dict[str, object]:
    with psycopg.connect(admin_url, row_factory=dict_row) as connection:
        row = connection.execute(
            "select steps -> -1 as word, jsonb_array_length(steps) as lines from studio.publish_attempts"
            " where post_id = %s",
            (post_id,),
        ).fetchone()
    assert row is not None
    assert row["lines"] == 2  # what the worker wrote stays
    word = row["word"]
    assert isinstance(word, dict)
    return word


@pytest.mark.parametrize(
    ("named", "post_id", "permalink"), [("17900000000000001", "17900000000000001", None), (LINK, None, LINK)]
)
async def test_what_a_person_found_is_live(
    desk: Desk, doubtful: Doubtful, admin_url: str, named: str, post_id: str | None, permalink: str | None
) -> None:
    doubted = await doubtful()
    done = await desk.act("resolve_post", post_id=doubted, outcome="posted", platform_post_id=named)
    post = post_of(done)
    assert (post["status"], post["platform_post_id"], post["permalink"]) == ("posted", post_id, permalink)
    assert (post["last_error"], post["published_at"] is not None) == (None, True)
    assert named in str(done["summary"])
    word = last_word(admin_url, doubted)
    assert (word["event"], word["outcome"], word["platform_post_id"]) == ("a person settled it", "posted", named)
    assert (word["by"], word["user_id"], word["surface"]) == (
        desk.caller.principal.user_name,
        str(desk.caller.principal.user_id),
        "rest",
    )


async def test_live_without_a_name_is_live_and_the_answer_says_what_is_missing(desk: Desk, doubtful: Doubtful) -> None:
    done = await desk.act("resolve_post", post_id=await doubtful(), outcome="posted")
    post = post_of(done)
    assert (post["status"], post["platform_post_id"]) == ("posted", None)
    assert "does not know its id" in str(done["warnings"])


async def test_one_live_post_is_not_two_of_ours(desk: Desk, doubtful: Doubtful) -> None:
    first, second = await doubtful(), await doubtful("Another")
    await desk.act("resolve_post", post_id=first, outcome="posted", platform_post_id="17900000000000001")
    with pytest.raises(Conflict) as taken:
        await desk.act("resolve_post", post_id=second, outcome="posted", platform_post_id="17900000000000001")
    assert taken.value.code == "platform_post_taken"
    assert post_of(await desk.act("show_post", post_id=second))["status"] == "unconfirmed"


async def test_what_is_not_there_goes_out_again_or_is_dropped(desk: Desk, doubtful: Doubtful, admin_url: str) -> None:
    again, dropped = await doubtful(), await doubtful("Another")
    sent = post_of(await desk.act("resolve_post", post_id=again, outcome="not_posted", then="send_again"))
    assert (sent["status"], sent["last_error"]) == ("publishing", None)
    assert last_word(admin_url, again)["then"] == "send_again"
    gone = post_of(await desk.act("resolve_post", post_id=dropped, outcome="not_posted", then="drop"))
    assert gone["status"] == "cancelled"
    assert last_word(admin_url, dropped)["then"] == "drop"
    await desk.act("undo")
    assert post_of(await desk.act("show_post", post_id=dropped))["status"] == "unconfirmed"


async def test_the_agent_asks_before_it_sends_again_and_only_then(chat: Desk, doubtful: Doubtful) -> None:
    post_id = await doubtful()
    with pytest.raises(ConsentNeeded) as needed:
        await chat.act("resolve_post", post_id=post_id, outcome="not_posted", then="send_again")
    assert "Our espresso" in needed.value.proposal.summary
    assert "twice" in needed.value.proposal.summary
    await chat.act("resolve_post", post_id=post_id, outcome="not_posted", then="drop")


@pytest.mark.parametrize("status", ["draft", "scheduled", "publishing", "posted", "failed", "missed", "cancelled"])
async def test_what_is_not_in_doubt_is_not_settled(desk: Desk, doubtful: Doubtful, admin_url: str, status: str) -> None:
    post_id = await doubtful()
    settle_as(admin_url, post_id, status)
    for said in ({"outcome": "posted"}, {"outcome": "not_posted", "then": "send_again"}):
        with pytest.raises(Conflict) as refused:
            await desk.act("resolve_post", post_id=post_id, **said)
        assert refused.value.code == "post_not_unconfirmed"
        assert "no doubt" in refused.value.message


@pytest.mark.parametrize(
    "said",
    [
        {"outcome": "not_posted"},
        {"outcome": "posted", "then": "drop"},
        {"outcome": "not_posted", "then": "drop", "platform_post_id": "1"},
        {"outcome": "maybe"},
        {},
    ],
)
async def test_half_an_answer_settles_nothing(desk: Desk, doubtful: Doubtful, said: dict[str, object]) -> None:
    post_id = await doubtful()
    with pytest.raises(InvalidInput):
        await desk.act("resolve_post", post_id=post_id, **said)
    assert post_of(await desk.act("show_post", post_id=post_id))["status"] == "unconfirmed"


async def test_who_may_not_write_settles_nothing_and_an_old_version_neither(
    desk: Desk, doubtful: Doubtful, add_member: AddMember
) -> None:
    post_id = await doubtful()
    for role in (Role.VIEWER, Role.APPROVER):
        person, _ = await add_member(desk.caller.principal.workspace_id, role)
        with pytest.raises(Forbidden):
            await desk.as_(person).act("resolve_post", post_id=post_id, outcome="posted")
    with pytest.raises(Conflict) as stale:
        await desk.act("resolve_post", post_id=post_id, outcome="posted", version=7)
    assert stale.value.code == "version_conflict"
