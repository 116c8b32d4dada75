"""What can be asked of Instagram, and with which token."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.sandbox.caller import Graph, error_of


def test_the_list_is_paged_newest_first(graph: Graph, image_url: str) -> None:
    made = [graph.publish(graph.create(image_url=image_url, caption=str(n))).json()["id"] for n in range(3)]
    path = f"{graph.account}/media"
    first = graph.get(path, fields="id,caption", limit=2).json()
    assert [item["id"] for item in first["data"]] == [made[2], made[1]]
    assert "next" in first["paging"]
    second = graph.get(path, fields="id", limit=2, after=first["paging"]["cursors"]["after"]).json()
    assert [item["id"] for item in second["data"]] == [made[0]]
    assert "next" not in second["paging"]


def test_the_list_is_cut_by_time(graph: Graph, image_url: str) -> None:
    graph.publish(graph.create(image_url=image_url))
    now = int(datetime.now(UTC).timestamp())
    path = f"{graph.account}/media"
    assert len(graph.get(path, since=now - 60, until=now + 60).json()["data"]) == 1
    assert graph.get(path, since=now + 60).json()["data"] == []
    assert graph.get(path, until=now - 60).json()["data"] == []
    assert error_of(graph.get(path, since="yesterday-ish"))[0] == 100
    assert error_of(graph.get(path, limit=0))[0] == 100


def test_a_caption_that_is_empty_is_left_out(graph: Graph, image_url: str) -> None:
    media = graph.publish(graph.create(image_url=image_url)).json()["id"]
    assert "caption" not in graph.get(media, fields="caption,permalink").json()
    assert graph.get(media).json() == {"id": media}


def test_comments_and_replies(graph: Graph, image_url: str) -> None:
    media = graph.publish(graph.create(image_url=image_url)).json()["id"]
    first = graph.post(f"{media}/comments", message="First!").json()["id"]
    reply = graph.post(f"{first}/replies", message="Thanks").json()["id"]
    listed = graph.get(f"{media}/comments", fields="id,text,username").json()["data"]
    assert listed == [{"id": first, "text": "First!", "username": "bluebottle"}]
    assert [one["id"] for one in graph.get(f"{first}/replies").json()["data"]] == [reply]
    assert graph.get(media, fields="comments_count").json()["comments_count"] == 2

    assert graph.post(first, hide="true").json() == {"success": True}
    assert graph.get(first, fields="hidden").json()["hidden"] is True
    assert graph.client.delete(graph.url(first), params={"access_token": graph.token}).json() == {"success": True}
    assert graph.get(media, fields="comments_count").json()["comments_count"] == 0
    assert graph.post(media, comment_enabled="false").json() == {"success": True}
    assert error_of(graph.post(f"{media}/comments", message="Too late"))[0] == 10
    assert error_of(graph.post(f"{media}/comments"))[0] in (10, 100)


def test_who_am_i(graph: Graph, instagram_login: Graph) -> None:
    me = instagram_login.get("me", fields="user_id,username,account_type").json()
    assert me["user_id"] == instagram_login.account
    assert (me["username"], me["account_type"]) == ("bluebottle", "BUSINESS")
    assert graph.get("me").json()["id"] != graph.account
    account = graph.get(graph.account, fields="username,media_count").json()
    assert account == {"id": graph.account, "username": "bluebottle", "media_count": 0}
    assert error_of(graph.get(graph.account, fields="password"))[0] == 100


def test_a_token_comes_by_parameter_or_header(graph: Graph) -> None:
    url = graph.url(graph.account)
    assert graph.client.get(url, headers={"authorization": f"Bearer {graph.token}"}).status_code == 200
    without = graph.client.get(url)
    assert error_of(without) == (104, None)
    unknown = graph.client.get(url, params={"access_token": "nobody's"})
    assert (unknown.status_code, error_of(unknown)) == (400, (190, None))
    assert unknown.headers["www-authenticate"].startswith("OAuth")


def test_a_token_opens_only_its_own_login_product(graph: Graph, instagram_login: Graph) -> None:
    crossed = Graph(base=graph.base, client=graph.client, account=graph.account, token=instagram_login.token)
    assert error_of(crossed.get(instagram_login.account)) == (190, None)


def test_an_expired_and_a_revoked_token(graph: Graph) -> None:
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    graph.control("tokens", access_token=graph.token, expires_at=an_hour_ago)
    assert error_of(graph.get(graph.account)) == (190, 463)
    graph.control("tokens", access_token=graph.token, revoked_subcode=458)
    assert error_of(graph.get(graph.account)) == (190, 458)
    graph.control("tokens", access_token=graph.token)
    assert graph.get(graph.account).status_code == 200


def refresh(graph: Graph, token: str, path: str = "refresh_access_token", **more: str) -> httpx.Response:
    kind = "ig_refresh_token" if path == "refresh_access_token" else "ig_exchange_token"
    given = {"grant_type": kind, "access_token": token, **more}
    return graph.client.get(f"{graph.base}/instagram-graph/{path}", params=given)


def test_refreshing_and_exchanging_give_a_token_that_works(graph: Graph, instagram_login: Graph) -> None:
    fresh = refresh(graph, instagram_login.token).json()
    assert (fresh["token_type"], fresh["expires_in"]) == ("bearer", 5_183_944)
    instagram_login.token = fresh["access_token"]
    assert instagram_login.get("me").status_code == 200
    # A token of a minute is too young to be refreshed, not to be exchanged.
    assert error_of(refresh(graph, instagram_login.token))[0] == 10
    exchanged = refresh(graph, instagram_login.token, "access_token", client_secret="s").json()
    assert exchanged["access_token"] not in (fresh["access_token"], "")

    given = {
        "grant_type": "fb_exchange_token",
        "client_id": "1",
        "client_secret": "s",
        "fb_exchange_token": graph.token,
    }
    long_lived = graph.client.get(f"{graph.base}/facebook-graph/v26.0/oauth/access_token", params=given).json()
    graph.token = long_lived["access_token"]
    assert graph.get(graph.account).status_code == 200
    del given["fb_exchange_token"]
    refused = graph.client.get(f"{graph.base}/facebook-graph/v26.0/oauth/access_token", params=given)
    assert error_of(refused)[0] == 100


@pytest.mark.parametrize("path", ["me", "17841400000000001", "nowhere/at/all"])
def test_every_answer_tells_the_usage(graph: Graph, path: str) -> None:
    headers = graph.get(path).headers
    assert set(json.loads(headers["x-app-usage"])) == {"call_count", "total_cputime", "total_time"}
    (entries,) = json.loads(headers["x-business-use-case-usage"]).values()
    assert entries[0]["type"] == "instagram"


def test_too_many_calls_in_an_hour_are_throttled(graph: Graph) -> None:
    graph.control("conditions", calls_per_hour=2)
    other = Graph(base=graph.base, client=graph.client, account="17841400000000077", token="token-of-77")
    other.seed()
    answers = [other.get(other.account) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert error_of(answers[2])[0] == 80002
