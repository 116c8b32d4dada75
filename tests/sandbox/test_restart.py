"""What is still there after the sandbox was stopped, and what reset forgets."""

from pathlib import Path

import httpx

from tests.sandbox.caller import MP4, Graph, Origin, serving, wait_until


def test_everything_is_there_after_a_restart(tmp_path: Path, image_url: str) -> None:
    state_file = tmp_path / "deep" / "sandbox.sqlite3"
    with httpx.Client(timeout=10, trust_env=False) as client:
        with serving(state_file) as url:
            graph = Graph(base=url, client=client)
            graph.seed()
            media = graph.publish(graph.create(image_url=image_url, caption="still here")).json()["id"]
            comment = graph.post(f"{media}/comments", message="me too").json()["id"]
            waiting = graph.create(image_url=image_url)
            before = graph.live()
        with serving(state_file) as url:
            graph = Graph(base=url, client=client)
            (after,) = graph.live()
            assert (after["id"], after["caption"]) == (media, "still here")
            pictures = after["media"]
            assert isinstance(pictures, list)
            assert graph.client.get(pictures[0]["url"]).headers["content-type"] == "image/jpeg"
            assert after["comments"] == before[0]["comments"]
            assert graph.get(comment, fields="text").json()["text"] == "me too"
            assert graph.publish(waiting).status_code == 200
            assert len(graph.live()) == 2


def test_a_download_that_was_cut_off_is_taken_up_again(tmp_path: Path, origin: Origin) -> None:
    state_file = tmp_path / "sandbox.sqlite3"
    with httpx.Client(timeout=10, trust_env=False) as client:
        with serving(state_file) as url:
            graph = Graph(base=url, client=client)
            graph.seed()
            graph.fault("media.fetch", "delay", delay_seconds=60)
            container = graph.create(media_type="REELS", video_url=origin.put("/cut.mp4", MP4))
            wait_until(lambda: bool(graph.calls("media.fetch")))
        with serving(state_file) as url:
            graph = Graph(base=url, client=client)
            graph.finished(container)
            assert graph.publish(container).status_code == 200


def test_reset_forgets_but_never_repeats_an_id(graph: Graph, image_url: str) -> None:
    first = graph.create(image_url=image_url)
    graph.control("reset", only=["calls"])
    assert graph.calls("instagram.create_container") == []
    assert graph.status(first) == "FINISHED"
    graph.control("reset")
    graph.seed()
    assert graph.get(first).status_code == 400
    assert int(graph.create(image_url=image_url)) > int(first)


def test_seeding_twice_changes_nothing_but_the_words(graph: Graph) -> None:
    graph.seed()
    graph.control(
        "accounts", platform="instagram", external_id=graph.account, handle="@renamed", access_token="second-token"
    )
    listed = graph.client.get(f"{graph.base}/_sandbox/accounts")
    assert [account["handle"] for account in listed.json()["items"]] == ["renamed"]
    assert "second-token" not in listed.text
    assert graph.get(graph.account, fields="username").json()["username"] == "renamed"
