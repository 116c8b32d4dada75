"""The pretend Bluesky beside what the real one is held against: its pages, its past, its logins and its journal."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

DID, HANDLE, TOKEN, PASSWORD = "did:plc:bluebottle", "bluebottle.test", "token-of-bluebottle", "abcd-efgh-ijkl-mnop"
POSTS = "app.bsky.feed.post"


@dataclass(frozen=True, kw_only=True)
class Bluesky:
    """Somebody with a session on the pretend server."""

    client: httpx.Client

    def tell(self, method: str, body: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {TOKEN}"}
        return self.client.post(f"/bluesky/xrpc/{method}", json=body, headers=headers)

    def write(self, key: str, text: str, parent: dict[str, str] | None = None) -> dict[str, str]:
        record: dict[str, object] = {"$type": POSTS, "text": text, "createdAt": "2026-11-25T08:00:00Z"}
        if parent is not None:
            record["reply"] = {"root": parent, "parent": parent}
        body = {"repo": DID, "collection": POSTS, "rkey": key, "record": record}
        answer = self.tell("com.atproto.repo.putRecord", body)
        assert answer.status_code == 200, answer.text
        return {"uri": answer.json()["uri"], "cid": answer.json()["cid"]}

    def log_in(self, password: str = PASSWORD) -> httpx.Response:
        return self.tell("com.atproto.server.createSession", {"identifier": HANDLE, "password": password})

    def control(self, path: str, **body: object) -> dict[str, object]:
        answer = self.client.post(f"/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        made: dict[str, object] = answer.json()
        return made

    def feed(self) -> list[dict[str, object]]:
        items: list[dict[str, object]] = self.client.get("/_sandbox/feed").json()["items"]
        return items


@pytest.fixture
def bluesky(sandbox_url: str) -> Iterator[Bluesky]:
    with httpx.Client(base_url=sandbox_url, timeout=10, trust_env=False) as client:
        bluesky = Bluesky(client=client)
        bluesky.control("reset")
        known = {"platform": "bluesky", "external_id": DID, "handle": HANDLE, "access_token": TOKEN}
        bluesky.control("accounts", **known, app_password=PASSWORD)
        yield bluesky


def test_a_permalink_leads_to_the_post_with_its_thread(bluesky: Bluesky) -> None:
    first = bluesky.write("3lneighbour2a", "One <b>")
    second = bluesky.write("3lneighbour2b", "Two", first)
    bluesky.write("3lneighbour2c", "Three", second)
    (shown,) = bluesky.feed()
    assert (shown["caption"], shown["thread"], shown["kind"]) == ("One <b>", ["Two", "Three"], "text")
    page = bluesky.client.get(str(shown["permalink"]))
    assert page.status_code == 200
    assert all(words in page.text for words in ("One &lt;b&gt;", "Two", "Three", "Bluesky"))
    bluesky.tell("com.atproto.repo.deleteRecord", {"repo": DID, "collection": POSTS, "rkey": "3lneighbour2b"})
    assert bluesky.feed()[0]["thread"] == [], "what carried on a deleted post hangs on nothing"
    assert bluesky.client.get("/profile/nobody.test/post/3lneighbour2a").status_code == 404


def test_a_past_post_is_a_record_with_an_audience(bluesky: Bluesky) -> None:
    at = "2026-11-20T09:30:00Z"
    counts = {"likes": 5, "saves": 2}
    made = bluesky.control("posts", account=HANDLE, kind="TEXT", caption="Then", published_at=at, counts=counts)
    headers = {"authorization": f"Bearer {TOKEN}"}
    answer = bluesky.client.get(
        "/bluesky/xrpc/app.bsky.feed.getPosts", params={"uris": str(made["id"])}, headers=headers
    )
    (post,) = answer.json()["posts"]
    assert (post["record"]["text"], post["likeCount"], post["bookmarkCount"]) == ("Then", 5, 2)
    refused = bluesky.client.post(
        "/_sandbox/posts", json={"account": HANDLE, "kind": "IMAGE", "published_at": at, "medium": "AAAA"}
    )
    assert refused.status_code == 422


def test_counts_are_asked_for_25_at_most_and_not_while_the_view_is_down(bluesky: Bluesky) -> None:
    def asked(number: int) -> tuple[int, str]:
        uris = [f"at://{DID}/{POSTS}/3lneighbour2a"] * number
        headers = {"authorization": f"Bearer {TOKEN}"}
        answer = bluesky.client.get("/bluesky/xrpc/app.bsky.feed.getPosts", params={"uris": uris}, headers=headers)
        return answer.status_code, answer.json().get("error", "")

    assert [asked(number) for number in (25, 26, 0)] == [(200, ""), (400, "InvalidRequest"), (400, "InvalidRequest")]
    bluesky.control("conditions", bluesky_view_down=True)
    assert asked(1) == (502, "UpstreamFailure")


def test_logins_are_limited_and_their_secrets_masked(bluesky: Bluesky) -> None:
    statuses = [bluesky.log_in("wrong").status_code for _ in range(29)]
    assert (set(statuses), bluesky.log_in().status_code) == ({401}, 200)
    limited = bluesky.log_in()
    assert (limited.status_code, limited.json()["error"]) == (429, "RateLimitExceeded")
    assert int(limited.headers["ratelimit-reset"]) > 0
    calls = bluesky.client.get("/_sandbox/calls", params={"route": "bluesky.create_session"}).json()["items"]
    assert {call["parameters"]["password"] for call in calls} == {"***"}
