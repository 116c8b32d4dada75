"""Every command that changes something is taken back by undo, or it is said here why nothing could."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psycopg
import pytest

from core.errors import Conflict
from tests.tools.conftest import AddPhoto, Desk, jpeg
from tests.tools.yes import say_yes
from tools.command import Effect
from tools.commands import catalog
from tools.dispatcher import ConsentNeeded

# What undo cannot take back, and why.
WHY_NOT = {
    "publish_post": "what is live is taken down with delete_post, which asks; until then undo refuses and says so",
    "retry_post": "it sends at once: as with publish_post, undo refuses and says what can be done",
    "delete_post": "no network brings back what was taken down; the words and media are kept for a new draft",
    "undo": "an undo of posts is taken back by the next one; a dropped plan is proposed anew by plan_week",
    "connect_account": "not the agent's; a token is forgotten by disconnecting the account",
    "disconnect_account": "not the agent's; the token is gone for good, and the account is connected again instead",
    "read_notifications": "not the agent's; it changes what a person has seen and nothing else",
}


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One turn: what is there before, and the call. ``{draft}``, ``{tall}`` and ``{planned}`` stand for posts."""

    arguments: Mapping[str, object] = field(default_factory=dict)
    state: str | None = None  # the state that the planned post is in
    first: tuple[str, Mapping[str, object]] | None = None  # an earlier turn


TURNS: Mapping[str, Turn] = {
    "create_draft": Turn(arguments={"caption": "New", "platform": "instagram"}),
    "edit_draft": Turn(arguments={"post_id": "{draft}", "caption": "Other words", "media": []}),
    "fit_media": Turn(arguments={"post_id": "{tall}", "crop": "fill"}),
    "schedule_post": Turn(arguments={"post_id": "{draft}", "when": "tomorrow 5pm"}),
    "move_post": Turn(arguments={"post_id": "{planned}", "when": "tomorrow 6pm"}),
    "cancel_post": Turn(arguments={"post_id": "{planned}"}),
    "resolve_post": Turn(
        arguments={"post_id": "{planned}", "outcome": "not_posted", "then": "drop"}, state="unconfirmed"
    ),
    "repurpose_post": Turn(arguments={"post_id": "{draft}", "platforms": ["filmhouse"]}),
    "plan_week": Turn(arguments={"posts": 2}),
    "accept_plan": Turn(first=("plan_week", {"posts": 2}), arguments={}),
    "create_experiment": Turn(
        arguments={
            "post_id": "{draft}",
            "vary": "caption",
            "variants": [{"caption": "Another beginning"}, {"caption": "A question?"}],
        }
    ),
    "move_posts": Turn(arguments={"post_ids": ["{planned}"], "when": "one hour later"}),
    "cancel_posts": Turn(arguments={"post_ids": ["{planned}", "{draft}"]}),
}


def test_of_every_command_it_is_known_whether_undo_takes_it_back() -> None:
    changing = {command.name for command in catalog().commands if command.effect is not Effect.READ}
    assert changing == TURNS.keys() | WHY_NOT.keys()
    assert not TURNS.keys() & WHY_NOT.keys()


Everything = Callable[[], Mapping[str, object]]


@pytest.fixture
def everything(admin_url: str) -> Everything:
    """What a person has: posts that were not cancelled, with their media, and plans."""

    def read() -> Mapping[str, object]:
        with psycopg.connect(admin_url, options="-c search_path=studio") as connection:
            posts = connection.execute(
                "select code, status, caption, options, format, scheduled_for, wall_time, zone, idea_id, experiment_id,"
                " approval, (select array_agg((asset_id, alt_text) order by position)::text from post_media m"
                " where m.post_id = p.id) from posts p where status <> 'cancelled' order by code"
            ).fetchall()
            plans = connection.execute("select p.id, i.number, i.post_id from plans p"
                " join plan_items i on i.plan_id = p.id order by 1, 2").fetchall()  # fmt: skip
            return {"posts": posts, "plans": plans}

    return read


@pytest.mark.parametrize("name", TURNS)
async def test_undo_brings_back_what_was_there(
    name: str, wide: Desk, wide_chat: Desk, add_photo: AddPhoto, everything: Everything, admin_url: str
) -> None:
    asset = (await add_photo()).id
    tall = (await add_photo("tower.jpg", jpeg(width=300, height=900))).id
    ids: dict[str, str] = {}
    for key, shown, more in (("draft", asset, {}), ("tall", tall, {}), ("planned", asset, {"when": "tomorrow 9am"})):
        given: dict[str, object] = {"caption": f"The {key}", "platform": "instagram", **more}
        post = (await wide.act("create_draft", **given, media=[{"asset_id": shown}]))["post"]
        assert isinstance(post, dict)
        ids[key] = post["code"]
    turn = TURNS[name]
    if turn.state is not None:
        with psycopg.connect(admin_url) as connection:
            connection.execute(
                "update studio.posts set status = %s, next_attempt_at = null where code = %s",
                (turn.state, ids["planned"]),
            )
    if turn.first is not None:
        await wide_chat.turn().act(turn.first[0], **turn.first[1])
    before = everything()
    written = json.dumps(turn.arguments)
    for key, value in ids.items():
        written = written.replace(f"{{{key}}}", value)
    asked = wide_chat.turn()
    try:
        await asked.act(name, **json.loads(written))
    except ConsentNeeded as needed:
        await say_yes(asked, needed)
    assert everything() != before
    await wide_chat.turn().act("undo")
    assert everything() == before


async def test_a_plan_that_was_accepted_since_is_not_dropped(chat: Desk, desk: Desk, everything: Everything) -> None:
    await chat.turn().act("plan_week", posts=2)
    await desk.act("accept_plan", **{"as": "drafts"})
    before = everything()
    with pytest.raises(Conflict, match="accepted since") as refused:
        await chat.turn().act("undo")
    assert "cancel_posts" in str(refused.value.action)
    assert everything() == before


async def test_undo_of_a_plan_leaves_the_turn_before_it_alone(chat: Desk) -> None:
    await chat.turn().act("create_draft", caption="Kept")
    await chat.turn().act("plan_week", posts=1)
    assert (await chat.turn().act("undo"))["summary"] == "Undone: The proposed plan is dropped."
    assert (await chat.act("list_posts", status="draft"))["total"] == 1
    await chat.turn().act("undo")
    assert (await chat.act("list_posts", status="draft"))["total"] == 0
