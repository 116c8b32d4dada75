"""The order of publishing on Instagram, and that nothing goes live twice."""

import asyncio

import httpx

from tests.sandbox.caller import MP4, Graph, Origin, error_of, jpeg, wait_until


def test_an_image_goes_from_container_to_live_post(graph: Graph, image_url: str) -> None:
    container = graph.create(image_url=image_url, caption="Our new espresso blend", alt_text="A cup")
    status = graph.get(container, fields="status_code,status").json()
    assert (status["id"], status["status_code"]) == (container, "FINISHED")
    assert graph.live() == []

    published = graph.publish(container)
    assert published.status_code == 200
    media = published.json()["id"]
    assert media != container
    assert graph.status(container) == "PUBLISHED"

    fields = "id,caption,permalink,timestamp,media_type,media_product_type,shortcode,like_count,comments_count,alt_text"
    post = graph.get(media, fields=fields).json()
    assert post["caption"] == "Our new espresso blend"
    assert (post["media_type"], post["media_product_type"], post["alt_text"]) == ("IMAGE", "FEED", "A cup")
    assert post["permalink"] == f"{graph.base}/p/{post['shortcode']}/"
    assert (post["like_count"], post["comments_count"]) == (0, 0)
    assert graph.client.get(post["permalink"]).status_code == 200


def test_a_container_never_tells_its_media_id(graph: Graph, image_url: str) -> None:
    container = graph.create(image_url=image_url)
    media = graph.publish(container).json()["id"]
    fields = "id,status_code,status,copyright_check_status"
    assert media not in graph.get(container, fields=fields).text
    assert error_of(graph.get(container, fields="media_id")) == (100, None)


def test_publishing_a_container_twice_makes_one_post(graph: Graph, image_url: str) -> None:
    container = graph.create(image_url=image_url)
    assert graph.publish(container).status_code == 200
    again = graph.publish(container)
    assert (again.status_code, error_of(again)) == (400, (9007, 2207027))
    assert len(graph.live()) == 1


async def test_publishing_a_container_ten_times_at_once_makes_one_post(graph: Graph, image_url: str) -> None:
    container = graph.create(image_url=image_url)
    given = {"access_token": graph.token, "creation_id": container}
    async with httpx.AsyncClient(trust_env=False) as client:
        url = graph.url(f"{graph.account}/media_publish")
        answers = await asyncio.gather(*(client.post(url, data=given) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 9
    assert len(graph.live()) == 1


def test_a_container_that_is_still_processed_is_not_published(graph: Graph, image_url: str) -> None:
    graph.fault("instagram.create_container", "slow_processing", delay_seconds=60)
    container = graph.create(image_url=image_url)
    assert graph.status(container) == "IN_PROGRESS"
    assert error_of(graph.publish(container)) == (9007, 2207027)
    assert graph.live() == []


def test_a_container_expires_after_a_day(graph: Graph, image_url: str) -> None:
    container = graph.create(image_url=image_url)
    graph.control(f"instagram/containers/{container}/age", seconds=86_401)
    assert graph.status(container) == "EXPIRED"
    assert error_of(graph.publish(container)) == (24, 2207008)


def test_containers_that_do_not_exist_or_belong_to_others(graph: Graph, image_url: str) -> None:
    assert error_of(graph.publish("17900000000000001")) == (24, 2207008)
    assert error_of(graph.get("17900000000000001", fields="status_code")) == (100, 33)
    other = Graph(base=graph.base, client=graph.client, account="17841400000000002", token="token-of-another")
    other.seed()
    container = graph.create(image_url=image_url)
    assert error_of(other.get(container, fields="status_code")) == (100, 33)
    assert error_of(other.publish(container)) == (24, 2207006)
    assert error_of(other.post(f"{graph.account}/media_publish", creation_id=container)) == (100, 33)


def test_a_carousel_goes_live_with_its_children_in_order(graph: Graph, origin: Origin) -> None:
    urls = [origin.put(f"/{name}.jpg", jpeg(100, 100 + shift)) for shift, name in enumerate(["one", "two"])]
    children = [graph.create(image_url=url, is_carousel_item="true", alt_text=url[-7:]) for url in urls]
    carousel = graph.create(media_type="CAROUSEL", children=",".join(children), caption="Two cups")
    assert graph.status(carousel) == "FINISHED"
    media = graph.publish(carousel).json()["id"]
    post = graph.get(media, fields="media_type,children{id,media_type,alt_text}").json()
    assert post["media_type"] == "CAROUSEL_ALBUM"
    assert [child["alt_text"] for child in post["children"]["data"]] == ["one.jpg", "two.jpg"]
    child = graph.get(post["children"]["data"][0]["id"], fields="id,media_type").json()
    assert child["media_type"] == "IMAGE"
    assert error_of(graph.publish(children[0]))[0] == 100


def test_a_carousel_is_not_ready_before_its_slowest_child(graph: Graph, image_url: str) -> None:
    first = graph.create(image_url=image_url, is_carousel_item="true")
    graph.fault("instagram.create_container", "slow_processing", delay_seconds=60)
    second = graph.create(image_url=image_url, is_carousel_item="true")
    carousel = graph.create(media_type="CAROUSEL", children=f"{first},{second}")
    assert graph.status(carousel) == "IN_PROGRESS"


def test_what_a_carousel_may_hold(graph: Graph, image_url: str) -> None:
    child = graph.create(image_url=image_url, is_carousel_item="true")
    alone = graph.create(image_url=image_url)
    path = f"{graph.account}/media"
    assert error_of(graph.post(path, media_type="CAROUSEL", children=child)) == (100, 2207028)
    assert error_of(graph.post(path, media_type="CAROUSEL", children=",".join([child] * 11))) == (100, 2207028)
    assert error_of(graph.post(path, media_type="CAROUSEL", children=f"{child},{alone}")) == (100, 2207028)
    assert error_of(graph.post(path, media_type="CAROUSEL", children=f"{child},17900000000000001")) == (24, 2207006)


def test_a_reel_by_address_is_downloaded_after_the_answer(graph: Graph, origin: Origin) -> None:
    container = graph.create(media_type="REELS", video_url=origin.put("/reel.mp4", MP4), caption="Pouring")
    graph.finished(container)
    media = graph.publish(container).json()["id"]
    post = graph.get(media, fields="media_type,media_product_type,media_url").json()
    assert (post["media_type"], post["media_product_type"]) == ("VIDEO", "REELS")
    assert graph.client.get(post["media_url"]).content == MP4


def test_a_reel_that_is_no_video_ends_in_error_with_the_number(graph: Graph, image_url: str) -> None:
    container = graph.create(media_type="REELS", video_url=image_url)
    wait_until(lambda: graph.status(container) == "ERROR")
    assert "2207026" in graph.get(container, fields="status").json()["status"]
    assert error_of(graph.publish(container)) == (9007, 2207027)


def test_a_story_is_listed_apart_and_takes_any_ratio(graph: Graph, origin: Origin) -> None:
    container = graph.create(media_type="STORIES", image_url=origin.put("/story.jpg", jpeg(90, 160)))
    media = graph.publish(container).json()["id"]
    assert graph.get(f"{graph.account}/media").json() == {"data": []}
    assert [story["id"] for story in graph.get(f"{graph.account}/stories").json()["data"]] == [media]


def upload(graph: Graph, uri: str, body: bytes = b"", **headers: str) -> httpx.Response:
    return graph.client.post(uri, content=body, headers={"authorization": f"OAuth {graph.token}", **headers})


def test_a_reel_by_resumable_upload_in_two_parts(graph: Graph) -> None:
    made = graph.post(f"{graph.account}/media", media_type="REELS", upload_type="resumable", caption="Slow").json()
    assert made["uri"] == f"{graph.base}/meta-upload/ig-api-upload/v26.0/{made['id']}"
    assert graph.status(made["id"]) == "IN_PROGRESS"
    size = str(len(MP4))

    part = upload(graph, made["uri"], MP4[:100], offset="0", file_size=size)
    assert part.json()["debug_info"]["type"] == "PartialRequestError"
    phases = graph.get(made["id"], fields="video_status").json()["video_status"]
    assert phases["uploading_phase"] == {"status": "in_progress", "bytes_transferred": 100}

    wrong = upload(graph, made["uri"], MP4[50:], offset="50", file_size=size)
    assert wrong.json()["debug_info"]["type"] == "OffsetInvalidError"
    rest = upload(graph, made["uri"], MP4[100:], offset="100", file_size=size)
    assert (rest.status_code, rest.json()["success"]) == (200, True)
    graph.finished(made["id"])
    assert graph.publish(made["id"]).status_code == 200


def test_an_upload_by_address_and_one_that_fails(graph: Graph, origin: Origin) -> None:
    path = f"{graph.account}/media"
    good = graph.post(path, media_type="REELS", upload_type="resumable").json()
    assert upload(graph, good["uri"], file_url=origin.put("/again.mp4", MP4)).json()["success"] is True
    graph.finished(good["id"])

    bad = graph.post(path, media_type="REELS", upload_type="resumable").json()
    refused = upload(graph, bad["uri"], b"not a video at all", offset="0", file_size="18")
    info = refused.json()["debug_info"]
    assert (refused.status_code, info["type"], info["retriable"]) == (400, "ProcessingFailedError", False)
    assert graph.status(bad["id"]) == "ERROR"


def test_an_upload_needs_the_oauth_header_and_a_container_that_waits(graph: Graph, image_url: str) -> None:
    made = graph.post(f"{graph.account}/media", media_type="REELS", upload_type="resumable").json()
    bearer = graph.client.post(made["uri"], headers={"authorization": f"Bearer {graph.token}"})
    assert (bearer.status_code, bearer.json()["debug_info"]["type"]) == (401, "NotAuthorizedError")
    assert upload(graph, made["uri"], MP4).json()["debug_info"]["type"] == "HeaderError"
    image = graph.create(image_url=image_url)
    uri = made["uri"].replace(made["id"], image)
    size = str(len(MP4))
    assert upload(graph, uri, MP4, offset="0", file_size=size).json()["debug_info"]["type"] == "InvalidSessionError"


def test_the_quota_of_posts_and_of_containers(graph: Graph, image_url: str) -> None:
    graph.control("conditions", publish_quota=1, container_quota=2)
    first, second = graph.create(image_url=image_url), graph.create(image_url=image_url)
    assert error_of(graph.post(f"{graph.account}/media", image_url=image_url)) == (9, 2207042)
    assert graph.publish(first).status_code == 200
    assert error_of(graph.publish(second)) == (9, 2207042)
    path = f"{graph.account}/content_publishing_limit"
    assert graph.get(path).json() == {"data": [{"quota_usage": 1}]}
    config = graph.get(path, fields="quota_usage,config").json()["data"][0]["config"]
    assert config == {"quota_total": 1, "quota_duration": 86_400}


def test_a_deleted_post_is_gone_but_counted(graph: Graph, instagram_login: Graph, image_url: str) -> None:
    media = graph.publish(graph.create(image_url=image_url)).json()["id"]
    deleted = graph.client.delete(graph.url(media), params={"access_token": graph.token})
    assert deleted.json() == {"success": True}
    assert graph.live() == []
    assert error_of(graph.get(media, fields="id")) == (100, 33)
    assert graph.get(f"{graph.account}/content_publishing_limit").json()["data"][0]["quota_usage"] == 1

    other = instagram_login.publish(instagram_login.create(image_url=image_url)).json()["id"]
    refused = graph.client.delete(instagram_login.url(other), params={"access_token": instagram_login.token})
    assert error_of(refused)[0] == 10
