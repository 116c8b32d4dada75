"""Retrying, settling, taking down, and changing many posts over REST: routes, answers, and one yes for all."""

from datetime import datetime, timedelta

import httpx
import psycopg
import pytest

CAPTION = "Our new espresso blend is here."


async def planned(client: httpx.AsyncClient, account_id: str, asset_id: str, when: str) -> str:
    body = {"account_id": account_id, "caption": CAPTION, "media": [{"asset_id": asset_id}], "when": when}
    answer = await client.post("/v1/posts", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.fixture
async def ids(owner: httpx.AsyncClient, account_id: str, asset_id: str) -> list[str]:
    """Two posts of tomorrow."""
    return [await planned(owner, account_id, asset_id, f"in {hours} hours") for hours in (30, 31)]


async def test_one_yes_moves_them_all_and_undo_brings_them_back(
    owner: httpx.AsyncClient, editor: httpx.AsyncClient, ids: list[str]
) -> None:
    before = [(await owner.get(f"/v1/posts/{each}")).json()["scheduled_for"] for each in ids]
    asked = await editor.post("/v1/posts/move", json={"query": "espresso", "when": "an hour later"})
    assert asked.status_code == 202, asked.text
    approval = asked.json()["approval"]
    assert approval["args"]["post_ids"] == ids
    assert approval["summary"].count("→") == 2
    done = await owner.post(f"/v1/approvals/{approval['id']}", json={"decision": "approve"})
    assert done.status_code == 200, done.text
    changes = done.json()["result"]["changes"]
    assert [change["post_id"] for change in changes] == ids
    assert set(changes[0]) == {"post_id", "code", "label", "before", "after", "warnings"}
    after = [(await owner.get(f"/v1/posts/{each}")).json() for each in ids]
    moved = datetime.fromisoformat(after[0]["scheduled_for"]) - datetime.fromisoformat(before[0])
    assert moved == timedelta(hours=1)
    assert {post["approval"] for post in after} == {"granted"}
    assert (await owner.post("/v1/undo")).status_code == 200
    assert [(await owner.get(f"/v1/posts/{each}")).json()["scheduled_for"] for each in ids] == before


async def test_a_change_in_between_closes_the_question(
    owner: httpx.AsyncClient, editor: httpx.AsyncClient, ids: list[str]
) -> None:
    asked = await editor.post("/v1/posts/cancel", json={"post_ids": ids})
    assert asked.status_code == 202, asked.text
    assert (await owner.patch(f"/v1/posts/{ids[1]}", json={"caption": "Other words"})).status_code == 200
    address = f"/v1/approvals/{asked.json()['approval']['id']}"
    refused = await owner.post(address, json={"decision": "approve"})
    assert (refused.status_code, refused.json()["code"]) == (409, "approval_stale")
    assert (await owner.get(address)).json()["status"] == "withdrawn"
    assert {(await owner.get(f"/v1/posts/{each}")).json()["status"] for each in ids} == {"scheduled"}


async def test_an_owner_changes_many_at_once_and_a_viewer_none(
    owner: httpx.AsyncClient, viewer: httpx.AsyncClient, ids: list[str]
) -> None:
    assert (await viewer.post("/v1/posts/cancel", json={"post_ids": ids})).status_code == 403
    done = await owner.post("/v1/posts/cancel", json={"post_ids": ids})
    assert (done.status_code, len(done.json()["changes"])) == (200, 2)
    for body, status, code in (
        ({}, 422, "selection_missing"),
        ({"query": "matcha"}, 404, "nothing_selected"),
        ({"post_ids": ["x"] * 201}, 422, "invalid_arguments"),
    ):
        refused = await owner.post("/v1/posts/cancel", json=body)
        assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_retry_resolve_and_delete_have_their_routes(
    owner: httpx.AsyncClient, ids: list[str], admin_url: str
) -> None:
    def put(status: str) -> None:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute(
                "update studio.posts set status = %s, next_attempt_at = null, platform_post_id = '17900000000000009'"
                " where id = %s",
                (status, ids[0]),
            )

    post = f"/v1/posts/{ids[0]}"
    nothing = await owner.post(f"{post}/retry")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_retry")
    put("unconfirmed")
    assert (await owner.post(f"{post}/retry")).json()["code"] == "post_unconfirmed"
    half = await owner.post(f"{post}/resolve", json={"outcome": "not_posted"})
    assert (half.status_code, half.json()["code"]) == (422, "invalid_arguments")
    settled = await owner.post(f"{post}/resolve", json={"outcome": "posted", "platform_post_id": "17900000000000009"})
    assert (settled.status_code, settled.json()["status"]) == (200, "posted")
    gone = await owner.post(f"{post}/delete")
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    assert gone.json()["deleted_at"] is not None
    assert (await owner.delete(post)).json()["code"] == "post_cancelled"
