"""Asking a person: a REST caller who may not decide, who answers, and what the answer covers."""

import asyncio
from datetime import timedelta

import httpx

from tests.api.conftest import AddMember, Served, client_of
from tests.conftest import TestClock
from tools.context import Principal, Role


async def draft(client: httpx.AsyncClient, account_id: str, asset_id: str) -> dict[str, object]:
    body = {"account_id": account_id, "caption": "Espresso is here.", "media": [{"asset_id": asset_id}]}
    answer = await client.post("/v1/posts", json=body)
    assert answer.status_code == 201, answer.text
    post = answer.json()
    assert isinstance(post, dict)
    return post


async def eventually(client: httpx.AsyncClient, path: str, status: str) -> dict[str, object]:
    """The post once it has this status; fails after 20 s."""
    deadline = asyncio.get_running_loop().time() + 20
    while True:
        post = (await client.get(path)).json()
        assert isinstance(post, dict)
        if post["status"] == status:
            return post
        assert asyncio.get_running_loop().time() < deadline, post
        await asyncio.sleep(0.05)


async def test_an_editor_asks_an_owner_approves_and_it_goes_out(
    owner: httpx.AsyncClient, editor: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(editor, account_id, asset_id)
    path = f"/v1/posts/{post['id']}"
    asked = await editor.post(f"{path}/publish", headers={"Idempotency-Key": "now"})
    assert asked.status_code == 202, asked.text
    assert asked.json()["status"] == "waiting"
    approval = asked.json()["approval"]
    assert approval["post_id"] == post["id"]
    assert "Espresso is here." in approval["summary"]
    # The same request again is the same question.
    again = await editor.post(f"{path}/publish", headers={"Idempotency-Key": "now"})
    assert again.status_code == 202
    assert again.json()["approval"]["id"] == approval["id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert (await owner.get(path)).json()["status"] == "draft"

    waiting = (await owner.get("/v1/approvals", params={"status": "pending"})).json()
    assert [each["id"] for each in waiting["items"]] == [approval["id"]]
    said = await owner.post(f"/v1/approvals/{approval['id']}", json={"decision": "approve"})
    assert said.status_code == 200, said.text
    assert said.json()["approval"]["status"] == "approved"
    live = await eventually(owner, path, "posted")
    assert live["platform_post_id"]
    assert (await owner.get("/v1/approvals", params={"status": "pending"})).json()["items"] == []


async def test_an_editor_may_not_approve_but_may_take_it_back(
    owner: httpx.AsyncClient, editor: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(editor, account_id, asset_id)
    approval = (await editor.post(f"/v1/posts/{post['id']}/publish")).json()["approval"]
    path = f"/v1/approvals/{approval['id']}"
    refused = await editor.post(path, json={"decision": "approve"})
    assert (refused.status_code, refused.json()["code"]) == (403, "may_not_approve")
    back = await editor.post(path, json={"decision": "reject", "note": "not yet"})
    assert back.json()["approval"]["status"] == "rejected"
    assert back.json()["approval"]["note"] == "not yet"
    late = await owner.post(path, json={"decision": "approve"})
    assert (late.status_code, late.json()["code"]) == (409, "approval_rejected")
    assert (await owner.get(f"/v1/posts/{post['id']}")).json()["status"] == "draft"


async def test_a_yes_does_not_cover_what_changed_after_it_was_asked(
    owner: httpx.AsyncClient, editor: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(editor, account_id, asset_id)
    path = f"/v1/posts/{post['id']}"
    approval = (await editor.post(f"{path}/publish")).json()["approval"]
    await editor.patch(path, json={"caption": "Something else entirely."})
    said = await owner.post(f"/v1/approvals/{approval['id']}", json={"decision": "approve"})
    assert (said.status_code, said.json()["code"]) == (409, "approval_stale")
    assert (await owner.get(path)).json()["status"] == "draft"
    assert (await owner.get(f"/v1/approvals/{approval['id']}")).json()["status"] == "withdrawn"


async def test_an_approver_who_may_not_write_carries_it_out_by_saying_yes(
    served: Served,
    principal: Principal,
    add_member: AddMember,
    editor: httpx.AsyncClient,
    account_id: str,
    asset_id: str,
) -> None:
    post = await draft(editor, account_id, asset_id)
    approval = (await editor.post(f"/v1/posts/{post['id']}/publish")).json()["approval"]
    _, key = await add_member(principal.workspace_id, Role.APPROVER)
    async with client_of(served.url, key) as approver:
        direct = await approver.post("/v1/posts", json={"account_id": account_id, "caption": "x"})
        assert direct.status_code == 403
        answers = await asyncio.gather(
            *(approver.post(f"/v1/approvals/{approval['id']}", json={"decision": "approve"}) for _ in range(3))
        )
    assert {answer.status_code for answer in answers} == {200}  # said thrice, done once
    await eventually(editor, f"/v1/posts/{post['id']}", "posted")
    attempts = (await editor.get(f"/v1/posts/{post['id']}/attempts")).json()["items"]
    assert len(attempts) == 1


async def test_an_approval_of_another_workspace_is_not_there(served: Served, owner: httpx.AsyncClient) -> None:
    answer = await owner.post("/v1/approvals/01990000-0000-7000-8000-000000000000", json={"decision": "approve"})
    assert (answer.status_code, answer.json()["code"]) == (404, "approval_not_found")


async def test_what_nobody_answered_in_time_is_shown_as_expired(
    owner: httpx.AsyncClient, editor: httpx.AsyncClient, account_id: str, asset_id: str, clock: TestClock
) -> None:
    post = await draft(editor, account_id, asset_id)
    approval = (await editor.post(f"/v1/posts/{post['id']}/publish")).json()["approval"]
    clock.shift(timedelta(hours=25))
    path = f"/v1/approvals/{approval['id']}"
    assert (await owner.get("/v1/approvals", params={"status": "pending"})).json()["items"] == []
    assert (await owner.get(path)).json()["status"] == "expired"
    late = await owner.post(path, json={"decision": "approve"})
    assert (late.status_code, late.json()["code"]) == (409, "approval_expired")
    assert (await owner.get(f"/v1/posts/{post['id']}")).json()["status"] == "draft"
