"""Sentences over HTTP: asked and answered, streamed, taken up again, stopped, approved."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx

from tests.api.conftest import Mind, Served
from tests.api.test_approvals import draft, eventually

STREAM = {"Accept": "text/event-stream"}
Event = tuple[str, dict[str, object]]


async def sse(answer: httpx.Response) -> AsyncIterator[Event]:
    """The events of a stream as (id, data)."""
    event_id = ""
    async for line in answer.aiter_lines():
        if line.startswith("id:"):
            event_id = line[3:].strip()
        elif line.startswith("data:"):
            yield event_id, json.loads(line[5:])


async def streamed(client: httpx.AsyncClient, method: str, path: str, **more: object) -> list[Event]:
    headers = {**STREAM, **more.pop("headers", {})}  # type: ignore[dict-item]
    async with client.stream(method, path, headers=headers, **more) as answer:  # type: ignore[arg-type]
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [event async for event in sse(answer)]


async def ask(client: httpx.AsyncClient, text: str, thread_id: str | None = None) -> dict[str, object]:
    body = {"text": text} | ({"thread_id": thread_id} if thread_id else {})
    answer = await client.post("/v1/ask", json=body)
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert isinstance(done, dict)
    return done


async def test_a_sentence_is_answered_with_what_was_done(owner: httpx.AsyncClient, account_id: str) -> None:
    answer = await ask(owner, "Which accounts are connected?")
    assert answer["status"] == "done"
    assert "roastery" in str(answer["reply"])
    actions = answer["actions"]
    assert isinstance(actions, list)
    assert [action["command"] for action in actions] == ["list_accounts"]
    assert {"tool_call_id", "command", "args", "result", "status"} <= actions[0].keys()
    assert "approval" not in answer
    thread = (await owner.get(f"/v1/threads/{answer['thread_id']}")).json()
    assert thread["messages"][0]["role"] == "user"
    assert thread["active_run"] is None
    listed = (await owner.get("/v1/threads")).json()["items"]
    assert [each["id"] for each in listed] == [answer["thread_id"]]


async def test_a_stream_is_numbered_and_taken_up_after_any_event(owner: httpx.AsyncClient, account_id: str) -> None:
    events = await streamed(owner, "POST", "/v1/ask", json={"text": "Which accounts are connected?"})
    kinds = [data["type"] for _, data in events]
    assert kinds[0] == "RUN_STARTED"
    assert kinds[-1] == "RUN_FINISHED"
    assert {"TOOL_CALL_START", "TOOL_CALL_RESULT", "TEXT_MESSAGE_CONTENT"} <= set(kinds)
    run_id = str(events[0][1]["runId"])
    assert [event_id for event_id, _ in events] == [f"{run_id}:{number}" for number in range(1, len(events) + 1)]
    path = f"/v1/runs/{run_id}/events"
    for at in (0, 2, len(events) - 1):
        again = await streamed(owner, "GET", path, headers={"Last-Event-ID": events[at][0]})
        assert again == events[at + 1 :]
    assert await streamed(owner, "GET", path, params={"last_event_id": events[1][0]}) == events[2:]
    wrong = await owner.get(path, headers={"Last-Event-ID": "somebody-elses:3"})
    assert wrong.json()["code"] == "invalid_event_id"
    missing = await owner.get("/v1/runs/01990000-0000-7000-8000-000000000000/events")
    assert missing.status_code == 404


async def test_the_same_key_is_the_same_run(owner: httpx.AsyncClient, account_id: str) -> None:
    body, key = {"text": "Which accounts are connected?"}, {"Idempotency-Key": "sentence-1"}
    first, second = await asyncio.gather(*(owner.post("/v1/ask", json=body, headers=key) for _ in range(2)))
    assert first.json() == second.json()
    assert {"true"} == {
        answer.headers["idempotency-replayed"] for answer in (first, second) if "idempotency-replayed" in answer.headers
    }
    replay = await streamed(owner, "POST", "/v1/ask", json=body, headers=key)
    assert replay[0][1]["runId"] == first.json()["run_id"]
    other = await owner.post("/v1/ask", json={"text": "Show me the drafts"}, headers=key)
    assert other.json()["code"] == "idempotency_key_reused"
    assert len((await owner.get("/v1/threads")).json()["items"]) == 1


async def test_publishing_asks_first_and_goes_on_after_the_yes(
    owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    answer = await ask(owner, f"Publish {post['code']} now")
    assert answer["status"] == "waiting"
    approval = answer["approval"]
    assert isinstance(approval, dict)
    assert approval["post_id"] == post["id"]
    thread = (await owner.get(f"/v1/threads/{answer['thread_id']}")).json()
    assert thread["active_run"] == {"id": answer["run_id"], "status": "waiting"}
    seen = await streamed(owner, "GET", f"/v1/runs/{answer['run_id']}/events")
    outcome = seen[-1][1]["outcome"]
    assert isinstance(outcome, dict)
    assert outcome["type"] == "interrupt"
    assert outcome["interrupts"][0]["id"] == approval["id"]

    rest = await streamed(
        owner,
        "POST",
        f"/v1/runs/{answer['run_id']}/resume",
        json={"decision": "approve"},
        headers={"Last-Event-ID": seen[-1][0]},
    )
    assert rest[0][1]["type"] == "RUN_STARTED"
    assert rest[-1][1]["type"] == "RUN_FINISHED"
    assert "TOOL_CALL_RESULT" in {data["type"] for _, data in rest}
    live = await eventually(owner, f"/v1/posts/{post['id']}", "posted")
    assert live["permalink"]
    twice = await owner.post(f"/v1/runs/{answer['run_id']}/resume", json={"decision": "approve"})
    assert twice.status_code == 409


async def test_a_run_is_approved_by_the_approvals_id_too(
    owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    answer = await ask(owner, f"Publish {post['code']} now")
    approval = answer["approval"]
    assert isinstance(approval, dict)
    said = await owner.post(f"/v1/approvals/{approval['id']}", json={"decision": "reject"})
    assert said.status_code == 200, said.text
    events = await streamed(owner, "GET", f"/v1/runs/{answer['run_id']}/events")
    assert events[-1][1]["type"] == "RUN_FINISHED"
    run = (await owner.get(f"/v1/runs/{answer['run_id']}")).json()
    assert run["status"] == "done"
    assert (await owner.get(f"/v1/posts/{post['id']}")).json()["status"] == "draft"


async def test_threads_are_made_spoken_in_and_deleted(owner: httpx.AsyncClient, account_id: str) -> None:
    made = await owner.post("/v1/threads", json={"title": "Autumn"}, headers={"Idempotency-Key": "t"})
    again = await owner.post("/v1/threads", json={"title": "Autumn"}, headers={"Idempotency-Key": "t"})
    assert made.status_code == 201
    assert made.json() == again.json()
    path = made.headers["location"]
    events = await streamed(owner, "POST", f"{path}/runs", json={"text": "Show me the drafts"})
    assert events[0][1]["threadId"] == made.json()["id"]
    thread = (await owner.get(path)).json()
    assert thread["title"] == "Autumn"
    assert thread["messages"][0]["content"] == "Show me the drafts"
    assert (await owner.delete(path)).status_code == 204
    assert (await owner.get(path)).status_code == 404
    assert (await owner.get("/v1/threads/nonsense")).json()["code"] == "thread_not_found"
    empty = await owner.post("/v1/ask", json={"text": "   "})
    assert empty.json()["problems"][0]["path"] == "text"


async def test_a_waiting_run_is_stopped(owner: httpx.AsyncClient, account_id: str, asset_id: str) -> None:
    post = await draft(owner, account_id, asset_id)
    answer = await ask(owner, f"Publish {post['code']} now")
    stopped = await owner.post(f"/v1/runs/{answer['run_id']}/cancel")
    assert stopped.json()["status"] == "cancelled"
    assert (await owner.get("/v1/approvals", params={"status": "pending"})).json()["items"] == []


async def test_a_client_that_leaves_does_not_stop_the_run(owner: httpx.AsyncClient, account_id: str) -> None:
    async with owner.stream(
        "POST", "/v1/ask", json={"text": "Which accounts are connected?"}, headers=STREAM
    ) as answer:
        run_id = answer.headers["x-run-id"]
    events = await streamed(owner, "GET", f"/v1/runs/{run_id}/events")
    assert events[-1][1]["type"] == "RUN_FINISHED"


async def test_streams_end_when_the_process_drains(
    served: Served, owner: httpx.AsyncClient, account_id: str, mind: Mind
) -> None:
    await mind.clock.stop(patience=5)  # nobody works: the run stays queued, and its stream open
    async with owner.stream("POST", "/v1/ask", json={"text": "Show me the drafts"}, headers=STREAM) as answer:
        assert answer.status_code == 200
        served.stopping.set()
        async with asyncio.timeout(5):
            assert [event async for event in sse(answer)] == []
    waited = await owner.post("/v1/ask", json={"text": "Show me the drafts"})
    assert (waited.status_code, waited.json()["code"]) == (504, "still_running")
    assert waited.json()["run_id"]


async def test_agui_clients_connect_with_their_own_names(
    owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    wire: dict[str, object] = {
        "threadId": "my-thread",
        "runId": "run-1",
        "state": {},
        "tools": [],
        "context": [],
        "forwardedProps": {},
        "messages": [{"id": "m1", "role": "user", "content": f"Publish {post['code']} now"}],
    }
    first = await streamed(owner, "POST", "/agui", json=wire)
    assert first[0][1] | {"protocolVersion": ""} == {
        "type": "RUN_STARTED",
        "threadId": "my-thread",
        "runId": "run-1",
        "protocolVersion": "",
    }
    assert await streamed(owner, "POST", "/agui", json=wire) == first
    ending = first[-1][1]
    assert ending["runId"] == "run-1"
    outcome = ending["outcome"]
    assert isinstance(outcome, dict)
    interrupt = outcome["interrupts"][0]
    resume = [{"interruptId": interrupt["id"], "status": "resolved", "payload": {"decision": "approve"}}]
    second = await streamed(owner, "POST", "/agui", json={**wire, "runId": "run-2", "resume": resume})
    assert second[0][1]["type"] == "RUN_STARTED"
    assert second[0][1]["runId"] == "run-2"
    assert second[-1][1]["outcome"] == {"type": "success"}
    await eventually(owner, f"/v1/posts/{post['id']}", "posted")
    # What went before was streamed already: the second run does not repeat it.
    assert not {event_id for event_id, _ in first} & {event_id for event_id, _ in second}
    nobody = await owner.post("/agui", json={**wire, "runId": "run-3", "messages": []})
    assert nobody.status_code == 422


async def test_what_a_message_does_to_a_busy_conversation_is_chosen(
    owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    waiting = await ask(owner, f"Publish {post['code']} now")
    assert waiting["status"] == "waiting"
    thread, text = waiting["thread_id"], "Which accounts are connected?"
    events = await streamed(owner, "POST", f"/v1/threads/{thread}/runs", json={"text": text, "on_busy": "rollback"})
    assert events[-1][1]["outcome"] == {"type": "success"}
    assert (await owner.get(f"/v1/runs/{waiting['run_id']}")).json()["status"] == "cancelled"
    body = {"text": text, "thread_id": thread, "on_busy": "interrupt"}
    assert (await owner.post("/v1/ask", json=body)).json()["status"] == "done"
    messages = [{"id": "m1", "role": "user", "content": text}]
    wire = {"threadId": thread, "runId": "r", "messages": messages, "forwardedProps": {"onBusy": "rollback"}}
    assert (await streamed(owner, "POST", "/agui", json=wire))[-1][1]["outcome"] == {"type": "success"}
    for path, wrong in (
        (f"/v1/threads/{thread}/runs", {"text": text, "on_busy": "shout"}),
        ("/v1/ask", {"text": text, "on_busy": "shout"}),
        ("/agui", {**wire, "forwardedProps": {"onBusy": "shout"}}),
    ):
        assert (await owner.post(path, json=wrong)).status_code == 422
