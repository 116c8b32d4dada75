"""What Instagram refuses: parameters, words, people and media, each with the number the documentation gives."""

import json

import pytest

from tests.sandbox.caller import MP4, Graph, Origin, error_of, jpeg

IMAGE = "IMAGE"
VIDEO = "VIDEO"


@pytest.mark.parametrize(
    ("parameters", "code", "subcode"),
    [
        ({"image_url": IMAGE, "captoin": "x"}, 100, None),
        ({}, 100, None),
        ({"image_url": IMAGE, "video_url": VIDEO, "media_type": "STORIES"}, 100, None),
        ({"media_type": "REELS"}, 100, None),
        ({"media_type": "REELS", "image_url": IMAGE}, 100, None),
        ({"media_type": "REEL", "video_url": VIDEO}, 100, 2207023),
        ({"video_url": VIDEO}, 100, 2207023),
        ({"media_type": "VIDEO", "video_url": VIDEO}, 100, 2207023),
        ({"media_type": "REELS", "video_url": VIDEO, "is_carousel_item": "true"}, 100, 2207023),
        ({"image_url": IMAGE, "is_carousel_item": "yes"}, 100, None),
        ({"image_url": IMAGE, "is_carousel_item": "true", "caption": "only on the parent"}, 100, None),
        ({"image_url": IMAGE, "thumb_offset": "100"}, 100, None),
        ({"media_type": "REELS", "video_url": VIDEO, "alt_text": "a cup"}, 100, None),
        ({"media_type": "REELS", "video_url": VIDEO, "thumb_offset": "soon"}, 1, 2207057),
        ({"media_type": "REELS", "upload_type": "chunked"}, 100, None),
        ({"image_url": IMAGE, "caption": "x" * 2_201}, 36004, 2207010),
        ({"image_url": IMAGE, "caption": " ".join(f"#tag{n}" for n in range(31))}, 100, 2207040),
        ({"image_url": IMAGE, "caption": " ".join(f"@friend{n}" for n in range(21))}, 100, 2207040),
        ({"image_url": IMAGE, "alt_text": "x" * 1_001}, 100, None),
        ({"image_url": IMAGE, "collaborators": json.dumps(["a", "b", "c", "d"])}, 100, None),
        ({"image_url": IMAGE, "collaborators": "a,b"}, 100, None),
        ({"media_type": "STORIES", "image_url": IMAGE, "collaborators": '["a"]'}, 100, None),
        ({"image_url": IMAGE, "user_tags": '[{"username": "a"}]'}, 100, 2207035),
        ({"image_url": IMAGE, "user_tags": '[{"x": 0.5, "y": 0.5}]'}, 100, 2207037),
        ({"image_url": IMAGE, "location_id": "somewhere"}, 100, None),
        ({"image_url": "espresso.jpg"}, 9004, 2207052),
        ({"image_url": "ftp://127.0.0.1/espresso.jpg"}, 9004, 2207052),
        ({"image_url": "http://127.0.0.1:1/espresso.jpg"}, 9004, 2207052),
    ],
)
def test_a_container_is_refused(
    graph: Graph, origin: Origin, parameters: dict[str, str], code: int, subcode: int | None
) -> None:
    urls = {IMAGE: origin.put("/rule.jpg", jpeg()), VIDEO: origin.put("/rule.mp4", MP4)}
    given = {name: urls.get(value, value) for name, value in parameters.items()}
    answer = graph.post(f"{graph.account}/media", **given)
    assert (answer.status_code, error_of(answer)) == (400, (code, subcode)), answer.text


def test_words_at_their_limit_pass(graph: Graph, image_url: str) -> None:
    caption = " ".join([f"#t{n}" for n in range(30)] + [f"@f{n}" for n in range(20)])
    assert graph.create(image_url=image_url, caption=caption.ljust(2_200, "x"))
    # An address and an anchor are neither mention nor hashtag.
    assert graph.create(image_url=image_url, caption="me@example.org http://example.org/a#b " * 40)


@pytest.mark.parametrize(
    ("content", "code", "subcode"),
    [
        (jpeg(kind="PNG"), 36001, 2207005),
        (b"\xff\xd8\xff\xe0 no picture", 36001, 2207005),
        (jpeg()[:-300], 36001, 2207005),  # cut off
        (jpeg(100, 126), 36003, 2207009),  # narrower than 4:5 (0.794)
        (jpeg(192, 100), 36003, 2207009),  # wider than 1.91:1
        (jpeg() + b"\x00" * (8 * 1024 * 1024), 36000, 2207004),
        (b"", 9004, 2207052),
    ],
)
def test_an_image_is_judged_by_its_bytes(graph: Graph, origin: Origin, content: bytes, code: int, subcode: int) -> None:
    url = origin.put("/judged.jpg", content)
    answer = graph.post(f"{graph.account}/media", image_url=url)
    assert (answer.status_code, error_of(answer)) == (400, (code, subcode))


@pytest.mark.parametrize(("width", "height"), [(80, 100), (191, 100), (1080, 566), (1080, 1350)])
def test_ratios_at_their_limit_pass(graph: Graph, origin: Origin, width: int, height: int) -> None:
    assert graph.create(image_url=origin.put("/ratio.jpg", jpeg(width, height)))


def test_redirects_are_followed_but_not_for_ever(graph: Graph, origin: Origin, image_url: str) -> None:
    origin.redirects |= {"/moved.jpg": image_url, "/loop.jpg": origin.url + "/loop.jpg"}
    assert graph.create(image_url=origin.url + "/moved.jpg")
    answer = graph.post(f"{graph.account}/media", image_url=origin.url + "/loop.jpg")
    assert error_of(answer) == (9004, 2207052)
    assert error_of(graph.post(f"{graph.account}/media", image_url=origin.url + "/gone.jpg")) == (9004, 2207052)


def test_a_medium_that_takes_too_long_is_a_timeout(graph: Graph, origin: Origin) -> None:
    graph.control("conditions", fetch_timeout_seconds=0.1)
    origin.slow.add("/slow.jpg")
    answer = graph.post(f"{graph.account}/media", image_url=origin.put("/slow.jpg", jpeg()))
    origin.released.set()
    assert error_of(answer) == (-2, 2207003)
    assert answer.json()["error"]["is_transient"] is True


def test_parameters_come_as_form_query_or_json(graph: Graph, image_url: str) -> None:
    url = graph.url(f"{graph.account}/media")
    given = {"access_token": graph.token, "image_url": image_url, "user_tags": [{"username": "a", "x": 0.1, "y": 1}]}
    assert graph.client.post(url, json=given).status_code == 200
    query = {"access_token": graph.token, "image_url": image_url}
    assert graph.client.post(url, params=query).status_code == 200
    assert graph.client.post(url, files={"image_url": (None, image_url)}, params=query).status_code == 200
    broken = graph.client.post(url, content=b"{", params=query, headers={"content-type": "application/json"})
    assert error_of(broken) == (100, None)


def test_upload_and_deletion_are_for_facebook_login(instagram_login: Graph) -> None:
    path = f"{instagram_login.account}/media"
    answer = instagram_login.post(path, media_type="REELS", upload_type="resumable")
    assert error_of(answer) == (100, None)


@pytest.mark.parametrize("path", ["v99.0/me", "latest/me", "v26.0/1/2/3", "nowhere"])
def test_addresses_that_do_not_exist(graph: Graph, path: str) -> None:
    url = f"{graph.base}/facebook-graph/{path}"
    assert error_of(graph.client.get(url, params={"access_token": graph.token})) == (2500, None)
