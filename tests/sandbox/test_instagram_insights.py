"""What Instagram says was counted of a post: strict about metrics, silent where nothing was counted."""

import pytest

from tests.sandbox.caller import Graph, error_of


def numbers(graph: Graph, media: str, metric: str) -> dict[str, int]:
    answer = graph.get(f"{media}/insights", metric=metric)
    assert answer.status_code == 200, answer.text
    return {entry["name"]: entry["values"][0]["value"] for entry in answer.json()["data"]}


def test_what_was_never_counted_is_left_out(graph: Graph, image_url: str) -> None:
    media = graph.publish(graph.create(image_url=image_url)).json()["id"]
    assert numbers(graph, media, "views,reach,saved,shares") == {}
    graph.control(f"posts/{media}/counts", views=10, likes=3, comments=2)
    assert numbers(graph, media, "views,reach,likes,total_interactions") == {
        "views": 10, "likes": 3, "total_interactions": 5,
    }  # fmt: skip
    graph.control(f"posts/{media}/counts", reach=8)
    assert numbers(graph, media, "views,reach") == {"views": 10, "reach": 8}
    (live,) = graph.live()
    assert (live["like_count"], live["comments_count"]) == (3, 2)
    assert live["counts"] == {"views": 10, "likes": 3, "comments": 2, "reach": 8}


@pytest.mark.parametrize("metric", ["navigation", "ig_reels_avg_watch_time", "impressions", "facebook_views", "joy"])
def test_one_metric_that_does_not_belong_fails_the_whole_call(graph: Graph, image_url: str, metric: str) -> None:
    media = graph.publish(graph.create(image_url=image_url)).json()["id"]
    graph.control(f"posts/{media}/counts", views=10)
    assert error_of(graph.get(f"{media}/insights", metric=f"views,{metric}"))[0] == 100


def test_a_story_with_few_viewers_tells_nothing(graph: Graph, image_url: str) -> None:
    media = graph.publish(graph.create(image_url=image_url, media_type="STORIES")).json()["id"]
    graph.control(f"posts/{media}/counts", views=9, reach=4)
    assert error_of(graph.get(f"{media}/insights", metric="views"))[0] == 10
    graph.control(f"posts/{media}/counts", reach=5)
    assert numbers(graph, media, "views,reach") == {"views": 9, "reach": 5}
    assert error_of(graph.get(f"{media}/insights", metric="saved"))[0] == 100


def test_a_story_takes_no_comment(graph: Graph, image_url: str) -> None:
    media = graph.publish(graph.create(image_url=image_url, media_type="STORIES")).json()["id"]
    assert error_of(graph.post(f"{media}/comments", message="Hello"))[0] == 100


def test_a_cover_has_to_be_a_jpeg_that_can_be_fetched(graph: Graph, image_url: str) -> None:
    reel = {"media_type": "REELS", "video_url": image_url}
    answer = graph.post(f"{graph.account}/media", cover_url=image_url + "-nowhere", **reel)
    assert error_of(answer) == (9004, 2207052)
    assert graph.post(f"{graph.account}/media", cover_url=image_url, **reel).status_code == 200
