"""Errors, limits and headers: what every answer carries, and what goes wrong without a word of the inside."""

import logging
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest

from tests.api.conftest import Served, client_of


async def test_every_refusal_is_a_problem(owner: httpx.AsyncClient) -> None:
    missing = await owner.get("/v1/nowhere")
    assert (missing.status_code, missing.json()["code"]) == (404, "route_not_found")
    wrong = await owner.put("/v1/posts", json={})
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in wrong.headers["allow"]
    none = await owner.get("/v1/approvals/not-an-id")
    assert (none.status_code, none.json()["code"]) == (404, "approval_not_found")
    invalid = await owner.get("/v1/approvals", params={"status": "asleep"})
    assert (invalid.status_code, invalid.json()["code"]) == (422, "invalid_input")
    assert invalid.json()["problems"][0]["path"] == "status"
    for answer in (missing, wrong, none, invalid):
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "code"} <= answer.json().keys()
        assert answer.json()["status"] == answer.status_code


async def test_what_nobody_foresaw_says_nothing_of_the_inside(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    @served.app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("the secret is swordfish")

    with caplog.at_level(logging.ERROR, logger="studio.api"):
        async with client_of(served.url) as client:
            answer = await client.get("/broken", headers={"X-Request-ID": "request-12345678"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert answer.json()["request_id"] == "request-12345678"
    assert "swordfish" not in answer.text
    assert "request-12345678" in caplog.text
    assert "swordfish" in caplog.text


async def test_every_answer_has_an_id_and_the_headers_of_safety(served: Served) -> None:
    async with client_of(served.url) as client:
        answer = await client.get("/healthz", headers={"X-Request-ID": "evil\tid with spaces"})
    assert len(answer.headers["x-request-id"]) == 36
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_a_body_that_is_too_large_is_refused_announced_or_not(owner: httpx.AsyncClient) -> None:
    announced = await owner.post("/v1/posts", content=b"x" * 1_000_001, headers={"Content-Type": "application/json"})
    assert (announced.status_code, announced.json()["code"]) == (413, "too_large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    streamed = await owner.post("/v1/posts", content=chunks(), headers={"Content-Type": "application/json"})
    assert (streamed.status_code, streamed.json()["code"]) == (413, "too_large")
    assert (await owner.get("/v1/posts")).status_code == 200


async def test_words_that_cannot_be_kept_are_refused_before_anything_is_done(owner: httpx.AsyncClient) -> None:
    thread = (await owner.post("/v1/threads", json={})).json()["id"]
    agui = {"threadId": "t", "runId": "r", "messages": [{"role": "user", "content": "a\x00b"}]}
    for path, body in (
        ("/v1/ask", {"text": "draft a post about caf\x00e"}),
        ("/v1/threads", {"title": "a\x00b"}),
        (f"/v1/threads/{thread}/runs", {"text": "a\x00b"}),
        ("/agui", agui),
    ):
        answer = await owner.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input"), path
        assert "NUL" in answer.json()["detail"]
    assert len((await owner.get("/v1/threads")).json()["items"]) == 1


async def test_a_body_that_is_no_json_object_says_so(owner: httpx.AsyncClient) -> None:
    broken = await owner.post("/v1/ask", content="{bad", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["problems"][0]["path"]) == (422, "")
    form = await owner.post("/v1/ask", content="text=hi", headers={"Content-Type": "text/plain"})
    for answer in (broken, form):
        assert "JSON" in answer.json()["detail"]
        assert "Content-Type: application/json" in answer.json()["action"]


async def test_health_tells_alive_from_ready(served: Served) -> None:
    async with client_of(served.url) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok", "version": "0.0.test"}
        assert (await client.get("/readyz")).status_code == 200
        served.stopping.set()
        draining = await client.get("/readyz")
        assert (draining.status_code, draining.json()["code"]) == (503, "stopping")
        assert (await client.get("/healthz")).status_code == 200


async def test_metrics_count_requests_by_route_and_not_by_id(owner: httpx.AsyncClient) -> None:
    await owner.get("/v1/posts/ABCDE")
    await owner.get("/v1/nowhere/at/all")
    text = (await owner.get("/metrics")).text
    assert 'studio_build_info{version="0.0.test"} 1.0' in text
    assert 'studio_http_requests_total{method="GET",route="/v1/posts/{post_id}",status="404"} 1.0' in text
    assert 'route="none",status="404"' in text
    assert "ABCDE" not in text
    assert "nowhere" not in text


async def test_a_database_that_is_away_is_a_503_that_says_when_to_come_back(
    served: Served, owner: httpx.AsyncClient, admin_url: str
) -> None:
    assert (await owner.get("/v1/posts")).status_code == 200
    name = psycopg.conninfo.conninfo_to_dict(admin_url)["dbname"]
    with psycopg.connect(admin_url.replace(str(name), "postgres"), autocommit=True) as connection:
        connection.execute(f'alter database "{name}" with allow_connections false')
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        answer = await owner.get("/v1/posts")
        ready = await owner.get("/readyz")
        connection.execute(f'alter database "{name}" with allow_connections true')
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["retry-after"]) == answer.json()["retry_after"] > 0
    assert ready.status_code == 503
    assert (await owner.get("/v1/posts")).status_code == 200
