"""Commands over REST: routes, idempotency, versions, zones, and the shapes of answers."""

import json
import re

import httpx

CAPTION = "Our new espresso blend is here."


async def create(client: httpx.AsyncClient, account_id: str, asset_id: str, **more: object) -> httpx.Response:
    body = {"account_id": account_id, "caption": CAPTION, "media": [{"asset_id": asset_id}], **more}
    return await client.post("/v1/posts", json=body)


async def test_a_post_answers_its_own_fields_at_the_top(
    owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    answer = await create(owner, account_id, asset_id)
    assert answer.status_code == 201, answer.text
    post = answer.json()
    assert answer.headers["location"] == f"/v1/posts/{post['id']}"
    assert answer.headers["etag"] == '"1"'
    assert post["status"] == "draft"
    assert post["caption"] == CAPTION
    assert post["account_id"] == account_id
    assert post["summary"].startswith("Drafted")
    assert post["warnings"] == []
    assert "post" not in post
    read = await owner.get(answer.headers["location"])
    assert read.status_code == 200
    assert read.json()["attempts"] == 0  # the number of attempts, not the ledger that show_post adds


async def test_posts_are_listed_with_typed_filters(owner: httpx.AsyncClient, account_id: str, asset_id: str) -> None:
    for _ in range(3):
        await create(owner, account_id, asset_id)
    page = (await owner.get("/v1/posts", params={"status": "draft", "limit": "2"})).json()
    assert len(page["items"]) == 2
    assert page["summary"] == "3 draft posts."
    rest = (await owner.get("/v1/posts", params={"limit": 2, "cursor": page["next_cursor"], "status": ""})).json()
    assert len(rest["items"]) == 1
    assert rest["next_cursor"] is None
    window = {"from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00+01:00"}
    assert (await owner.get("/v1/posts", params=window)).json()["items"] == []


async def test_wrong_arguments_name_their_path(owner: httpx.AsyncClient, account_id: str) -> None:
    answer = await owner.post("/v1/posts", json={"account_id": account_id, "caption": "x", "media": [{"alt_text": 3}]})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "invalid_arguments"
    assert problem["status"] == 422
    assert "media.0.alt_text" in {each["path"] for each in problem["problems"]}
    listed = await owner.get("/v1/posts", params={"limit": "many", "colour": "red"})
    assert {each["path"] for each in listed.json()["problems"]} == {"limit", "colour"}


async def test_a_repeated_key_answers_the_first_result_and_does_nothing(
    owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    body = {"account_id": account_id, "caption": CAPTION, "media": [{"asset_id": asset_id}]}
    key = {"Idempotency-Key": "order-17"}
    first = await owner.post("/v1/posts", json=body, headers=key)
    again = await owner.post("/v1/posts", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert first.headers["location"] == again.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = await owner.post("/v1/posts", json={**body, "caption": "another"}, headers=key)
    assert other.status_code == 409
    assert other.json()["code"] == "idempotency_key_reused"
    assert (await owner.get("/v1/posts")).json()["total"] == 1


async def test_a_key_that_no_header_may_carry_is_refused(owner: httpx.AsyncClient) -> None:
    answer = await owner.post("/v1/undo", headers={"Idempotency-Key": "k" * 201})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["path"] == "Idempotency-Key"


async def test_if_match_is_the_version_that_was_seen(owner: httpx.AsyncClient, account_id: str, asset_id: str) -> None:
    post = (await create(owner, account_id, asset_id)).json()
    path = f"/v1/posts/{post['id']}"
    changed = await owner.patch(path, json={"caption": "Second"}, headers={"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    assert changed.headers["etag"] == '"2"'
    stale = await owner.patch(path, json={"caption": "Third"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 409
    assert stale.json()["code"] == "version_conflict"
    assert stale.json()["changed"]["caption"] == "Second"
    assert stale.json()["changed"]["version"] == 2
    broken = await owner.patch(path, json={"caption": "Third"}, headers={"If-Match": '"one"'})
    assert broken.json()["problems"][0]["path"] == "If-Match"


async def test_times_are_read_in_the_zone_of_the_request(
    owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = (await create(owner, account_id, asset_id)).json()
    path = f"/v1/posts/{post['code']}/schedule"  # a short code serves as well as an id
    planned = await owner.post(path, json={"when": "tomorrow 9am"}, headers={"X-Timezone": "America/New_York"})
    assert planned.status_code == 200, planned.text
    assert "09:00 America/New_York" in planned.json()["receipt"]
    unknown = await owner.post(path, json={"when": "tomorrow 9am"}, headers={"X-Timezone": "Mars/Olympus"})
    assert unknown.status_code == 422
    assert unknown.json()["code"] == "unknown_timezone"


async def test_delete_cancels_and_undo_brings_back(owner: httpx.AsyncClient, account_id: str, asset_id: str) -> None:
    post = (await create(owner, account_id, asset_id)).json()
    gone = await owner.delete(f"/v1/posts/{post['id']}")
    assert gone.json()["status"] == "cancelled"
    back = await owner.post("/v1/undo")
    assert back.status_code == 200, back.text
    assert back.json()["posts"][0]["status"] == "draft"


async def test_a_body_that_is_no_json_object_is_refused(owner: httpx.AsyncClient) -> None:
    for content, kind, code in (
        (b"{", "application/json", "not_json"),
        (b"[]", "application/json", "not_an_object"),
        (b"caption=x", "application/x-www-form-urlencoded", "not_json"),
        (b"{}", "text/plain", "not_json"),
    ):
        answer = await owner.post("/v1/posts", content=content, headers={"Content-Type": kind})
        assert answer.status_code == 422, (content, kind)
        assert answer.json()["problems"][0]["code"] == code


async def test_an_ambiguous_reference_answers_with_candidates(
    owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    posts = [(await create(owner, account_id, asset_id)).json() for _ in range(2)]
    answer = await owner.get("/v1/posts/espresso")
    assert answer.status_code == 409
    assert {each["id"] for each in answer.json()["candidates"]} == {post["id"] for post in posts}


async def test_the_catalogue_lists_every_command_with_its_schema(owner: httpx.AsyncClient) -> None:
    items = {item["name"]: item for item in (await owner.get("/v1/commands")).json()["items"]}
    assert items["schedule_post"]["rest"] == "POST /v1/posts/{post_id}/schedule"
    assert items["schedule_post"]["effect"] == "schedule"
    assert set(items["schedule_post"]["arguments"]["properties"]) == {"post_id", "when", "version"}
    assert items["connect_account"]["agent"] is False


async def test_openapi_describes_every_route_and_resolves(owner: httpx.AsyncClient) -> None:
    document = (await owner.get("/openapi.json")).json()
    items = (await owner.get("/v1/commands")).json()["items"]
    for item in items:
        method, _, path = item["rest"].partition(" ")
        operation = document["paths"][path][method.lower()]
        assert operation["operationId"] == item["name"]
        assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}
    create_post = document["paths"]["/v1/posts"]["post"]
    assert create_post["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/CreateDraft"
    }
    assert "201" in create_post["responses"]
    schedule = document["components"]["schemas"]["SchedulePostBody"]
    assert set(schedule["properties"]) == {"when", "version"}
    names = {each["name"] for each in document["paths"]["/v1/posts"]["get"]["parameters"]}
    assert {"status", "platform", "account_id", "from", "to", "cursor", "limit", "X-Timezone"} <= names
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= set(document["components"]["schemas"])
    assert (await owner.get("/docs")).status_code == 200
