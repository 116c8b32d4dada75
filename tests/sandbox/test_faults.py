"""Every kind of fault, seen from the other end of a real connection, and what the journal says of it."""

import time
from collections.abc import Iterator

import httpx
import pytest

from sandbox.faults import KINDS
from tests.sandbox.caller import Graph, error_of, serving, wait_until


@pytest.fixture(params=[("h11", "asyncio"), ("httptools", "uvloop"), ("httptools", "asyncio")], ids="-".join)
def either(request: pytest.FixtureRequest, image_url: str) -> Iterator[Graph]:
    """A caller of a sandbox under each of uvicorn's HTTP implementations and event loops."""
    http, loop = request.param
    with serving(http=http, loop=loop) as url, httpx.Client(timeout=10, trust_env=False) as client:
        graph = Graph(base=url, client=client)
        graph.seed()
        yield graph


def last_call(graph: Graph, route: str) -> dict[str, object]:
    wait_until(lambda: bool(graph.calls(route)) and bool(graph.calls(route)[-1]["finished"]))
    return graph.calls(route)[-1]


def test_drop_before_closes_the_connection_and_does_nothing(either: Graph, image_url: str) -> None:
    container = either.create(image_url=image_url)
    either.fault("instagram.media_publish", "drop_before")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        either.publish(container)
    assert either.live() == []
    call = last_call(either, "instagram.media_publish")
    assert (call["status"], call["done"], call["fault"]) == (None, False, "drop_before")
    assert either.publish(container).status_code == 200


def test_drop_after_closes_the_connection_although_it_was_done(either: Graph, image_url: str) -> None:
    container = either.create(image_url=image_url)
    either.fault("instagram.media_publish", "drop_after")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        either.publish(container)
    assert len(either.live()) == 1
    assert either.status(container) == "PUBLISHED"
    call = last_call(either, "instagram.media_publish")
    assert (call["status"], call["done"], call["fault"]) == (None, True, "drop_after")


def test_drop_late_does_it_after_the_caller_has_gone(either: Graph, image_url: str) -> None:
    container = either.create(image_url=image_url)
    either.fault("instagram.media_publish", "drop_late", delay_seconds=60)
    with pytest.raises(httpx.RemoteProtocolError):
        either.publish(container)
    assert either.live() == []
    either.client.delete(f"{either.base}/_sandbox/faults")  # lets the late deed go on at once
    wait_until(lambda: len(either.live()) == 1)


def test_truncate_breaks_off_in_the_middle_of_the_answer(either: Graph, image_url: str) -> None:
    either.fault("instagram.create_container", "truncate")
    with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|without sending complete"):
        either.post(f"{either.account}/media", image_url=image_url)
    assert last_call(either, "instagram.create_container")["done"] is True


def test_delay_waits_and_then_does_it(graph: Graph) -> None:
    graph.fault("instagram.get_account", "delay", delay_seconds=0.2)
    began = time.monotonic()
    assert graph.get(graph.account).status_code == 200
    assert time.monotonic() - began >= 0.2


def test_a_caller_that_gives_up_on_a_delay_does_not_stop_the_deed(graph: Graph, image_url: str) -> None:
    container = graph.create(image_url=image_url)
    graph.fault("instagram.media_publish", "delay", delay_seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        graph.client.post(
            graph.url(f"{graph.account}/media_publish"),
            data={"access_token": graph.token, "creation_id": container},
            timeout=0.2,
        )
    assert graph.live() == []
    graph.client.delete(f"{graph.base}/_sandbox/faults")
    wait_until(lambda: len(graph.live()) == 1)


def test_status_answers_without_doing_it(graph: Graph, image_url: str) -> None:
    container = graph.create(image_url=image_url)
    graph.fault("instagram.media_publish", "status", status=503, headers={"x-why": "test"})
    answer = graph.publish(container)
    assert (answer.status_code, answer.headers["x-why"]) == (503, "test")
    assert error_of(answer) == (2, None)
    assert graph.live() == []


@pytest.mark.parametrize("status", [200, 400, 500, 504])
def test_status_after_answers_anything_although_done(graph: Graph, image_url: str, status: int) -> None:
    container = graph.create(image_url=image_url)
    body = {"error": {"message": "?", "type": "OAuthException", "code": 1}}
    graph.fault("instagram.media_publish", "status_after", status=status, body=body)
    answer = graph.publish(container)
    assert (answer.status_code, answer.json()) == (status, body)
    assert len(graph.live()) == 1
    call = graph.calls("instagram.media_publish")[-1]
    assert (call["status"], call["done"]) == (status, True)


def test_a_body_may_be_text(graph: Graph) -> None:
    graph.fault(
        "instagram.get_account",
        "status",
        status=502,
        body="<h1>Bad gateway</h1>",
        headers={"content-type": "text/html"},
    )
    answer = graph.get(graph.account)
    assert (answer.text, answer.headers["content-type"]) == ("<h1>Bad gateway</h1>", "text/html")


def test_rate_limit_says_when_to_come_back(graph: Graph, image_url: str) -> None:
    graph.fault("instagram.create_container", "rate_limit")
    answer = graph.post(f"{graph.account}/media", image_url=image_url)
    assert (answer.status_code, error_of(answer)[0]) == (429, 80002)
    usage = answer.headers["x-business-use-case-usage"]
    assert graph.account in usage
    assert '"estimated_time_to_regain_access": 5' in usage


@pytest.mark.parametrize(("kind", "live"), [("refuse", 0), ("refuse_after", 1)])
def test_a_refusal_says_no_whether_it_was_done_or_not(graph: Graph, image_url: str, kind: str, live: int) -> None:
    container = graph.create(image_url=image_url)
    graph.finished(container)
    graph.fault("instagram.media_publish", kind)
    answer = graph.publish(container)
    assert (answer.status_code, error_of(answer)[0]) == (400, 100)
    assert len(graph.live()) == live


def test_a_missing_permission_is_told_as_200(graph: Graph) -> None:
    graph.fault("instagram.list_media", "forbid")
    answer = graph.get(f"{graph.account}/media")
    assert (answer.status_code, error_of(answer)[0]) == (403, 200)


def test_expired_token_is_told_as_190_463(graph: Graph) -> None:
    graph.fault("instagram.list_media", "expired_token")
    assert error_of(graph.get(f"{graph.account}/media")) == (190, 463)
    assert graph.get(f"{graph.account}/media").status_code == 200


def test_processing_is_slow_or_fails(graph: Graph, image_url: str) -> None:
    graph.fault("instagram.create_container", "slow_processing", delay_seconds=0.2)
    container = graph.create(image_url=image_url)
    assert graph.status(container) == "IN_PROGRESS"
    graph.finished(container)
    graph.fault("instagram.create_container", "processing_error", subcode=2207082)
    failed = graph.create(image_url=image_url)
    assert "2207082" in graph.get(failed, fields="status_code,status").json()["status"]
    assert graph.status(failed) == "ERROR"


def test_a_medium_cannot_be_fetched(graph: Graph, image_url: str) -> None:
    path = f"{graph.account}/media"
    for kind in ("drop_before", "status", "drop_after"):
        graph.fault("media.fetch", kind)
        assert error_of(graph.post(path, image_url=image_url)) == (9004, 2207052)
    assert graph.post(path, image_url=image_url).status_code == 200
    assert [call["done"] for call in graph.calls("media.fetch")] == [False, False, True, True]


def test_skip_times_and_match_choose_the_calls(graph: Graph) -> None:
    other = Graph(base=graph.base, client=graph.client, account="17841400000000003", token="token-three")
    other.seed()
    graph.fault("instagram.get_account", "status", match=graph.account, skip=1, times=2)
    assert [graph.get(graph.account).status_code for _ in range(4)] == [200, 500, 500, 200]
    graph.fault("instagram.get_account", "status", match=graph.account, times=None)
    assert [graph.get(graph.account).status_code for _ in range(2)] == [500, 500]
    assert other.get(other.account).status_code == 200
    listed = graph.client.get(f"{graph.base}/_sandbox/faults").json()["items"]
    assert [(fault["times"], fault["hits"]) for fault in listed] == [(0, 2), (None, 2)]
    removed = graph.client.delete(f"{graph.base}/_sandbox/faults/{listed[1]['id']}").json()
    assert removed == {"removed": 1}
    assert graph.get(graph.account).status_code == 200


def test_a_container_is_matched_by_its_account(graph: Graph, image_url: str) -> None:
    container = graph.create(image_url=image_url)
    graph.fault("instagram.container_status", "status", match=graph.account)
    assert graph.get(container).status_code == 500


def test_routes_and_kinds_can_be_enumerated(graph: Graph) -> None:
    listed = graph.client.get(f"{graph.base}/_sandbox/routes").json()
    names = [route["name"] for route in listed["items"]]
    wanted = {"create_container", "media_publish", "container_status", "list_media", "upload"}
    assert {f"instagram.{name}" for name in wanted} | {"chat.completions", "media.fetch"} <= set(names)
    assert len(names) == len(set(names))
    assert set(listed["kinds"]) == set(KINDS)
    unknown = graph.client.post(f"{graph.base}/_sandbox/faults", json={"route": "instagram.like", "kind": "delay"})
    assert unknown.status_code == 422


def test_the_journal_hides_tokens_and_goes_on_from_a_number(graph: Graph, image_url: str) -> None:
    container = graph.create(image_url=image_url, caption="Hello")
    graph.publish(container)
    (call,) = graph.calls("instagram.create_container")
    assert call["parameters"] == {"access_token": "***", "image_url": image_url, "caption": "Hello"}
    assert (call["method"], call["status"], call["account"]) == ("POST", 200, graph.account)
    everything = graph.client.get(f"{graph.base}/_sandbox/calls")
    assert graph.token not in everything.text
    later = graph.client.get(f"{graph.base}/_sandbox/calls", params={"since_seq": call["seq"]}).json()  # type: ignore[dict-item]
    assert [one["route"] for one in later["items"]] == ["media.fetch", "instagram.media_publish"]
    assert later["last_seq"] == later["items"][-1]["seq"]


def test_a_fault_by_chance_is_met_as_its_seed_says(graph: Graph) -> None:
    def met() -> list[int]:
        graph.fault("instagram.get_account", "status", times=None, chance=0.5, seed=7)
        statuses = [graph.get(graph.account).status_code for _ in range(40)]
        graph.client.delete(f"{graph.base}/_sandbox/faults")
        return statuses

    first = met()
    assert set(first) == {200, 500}
    assert met() == first
    graph.fault("instagram.get_account", "status", times=None, chance=0.0)
    assert [graph.get(graph.account).status_code for _ in range(5)] == [200] * 5
