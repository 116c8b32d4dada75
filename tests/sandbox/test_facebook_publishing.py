"""What a Page can publish in the sandbox, and what it is refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.sandbox.caller import MP4, Graph, Origin, error_of, jpeg, serving, wait_until


@dataclass
class Page(Graph):
    """Somebody who holds a Page's token."""

    account: str = "1029384756"
    token: str = "token-of-the-page"

    def seed(self) -> None:
        self.control(
            "accounts", platform="facebook", external_id=self.account, handle="bluebottlepage", access_token=self.token
        )

    def say(self, message: str = "", **more: object) -> httpx.Response:
        return self.post(f"{self.account}/feed", **({"message": message} if message else {}), **more)

    def photo(self, url: str, **more: object) -> httpx.Response:
        return self.post(f"{self.account}/photos", url=url, **more)

    def delete(self, node: str) -> httpx.Response:
        return self.client.delete(self.url(node), params={"access_token": self.token})

    def start(self, edge: str = "video_reels") -> dict[str, str]:
        begun: dict[str, str] = self.post(f"{self.account}/{edge}", upload_phase="start").json()
        return begun

    def finish(self, video: str, edge: str = "video_reels", **more: object) -> httpx.Response:
        state = {"video_state": "PUBLISHED"} if edge == "video_reels" else {}
        return self.post(f"{self.account}/{edge}", upload_phase="finish", video_id=video, **state, **more)

    def send(self, url: str, content: bytes, *, offset: int, size: int = len(MP4)) -> httpx.Response:
        headers = {"Authorization": f"OAuth {self.token}", "offset": str(offset), "file_size": str(size)}
        return self.client.post(url, content=content, headers=headers)

    def phases(self, video: str) -> dict[str, dict[str, object]]:
        status: dict[str, dict[str, object]] = self.get(video, fields="status").json()["status"]
        return status


@pytest.fixture
def page(graph: Graph) -> Page:
    page = Page(base=graph.base, client=graph.client)
    page.seed()
    return page


def test_a_text_is_live_at_once(page: Page) -> None:
    answer = page.say("Good morning")
    post = answer.json()["id"]
    assert post.startswith(f"{page.account}_")
    fields = "id,message,created_time,permalink_url,attachments{media_type},from{id}"
    read = page.get(post, fields=fields).json()
    assert (read["id"], read["message"], read["from"]["id"]) == (post, "Good morning", page.account)
    assert "attachments" not in read
    assert [(one["kind"], one["caption"]) for one in page.live()] == [("text", "Good morning")]
    shown = page.client.get(read["permalink_url"])
    assert shown.status_code == 200
    assert "Good morning" in shown.text
    assert page.client.get(f"{page.base}/facebook/1_2").status_code == 404


def test_the_same_words_twice_in_a_row_are_refused(page: Page) -> None:
    assert page.say("Hello").status_code == 200
    assert error_of(page.say("Hello")) == (506, 1455006)
    assert page.say("Hello", link="https://example.org").status_code == 200
    assert error_of(page.say("Hello", link="https://example.org"))[0] == 506
    assert page.say("Hello").status_code == 200, "it is not the last one any more"
    assert len(page.live()) == 3
    page.control("conditions", facebook_refuses_duplicates=False)
    assert page.say("Hello").status_code == 200


def test_a_page_can_be_slow_to_list_what_is_live(page: Page) -> None:
    page.control("conditions", facebook_list_lag_seconds=3_600)
    post = page.say("Hello").json()["id"]
    assert page.get(f"{page.account}/published_posts").json() == {"data": []}
    assert page.get(post).status_code == 200
    page.control("conditions", facebook_list_lag_seconds=0)
    assert [one["id"] for one in page.get(f"{page.account}/published_posts").json()["data"]] == [post]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, 100),
        ({"message": "x" * 63_207}, 100),
        ({"message": "x", "hashtags": "y"}, 100),
        ({"message": "x", "published": "false"}, 100),
        ({"message": "x", "link": "nonsense"}, 1609005),
        ({"message": "x", "attached_media": "nonsense"}, 100),
        ({"message": "x", "attached_media": '[{"media_fbid": "1"}]'}, 100),
    ],
)
def test_what_feed_refuses(page: Page, given: dict[str, str], code: int) -> None:
    assert error_of(page.post(f"{page.account}/feed", **given))[0] == code
    assert page.live() == []


def test_unpublished_photos_are_seen_by_nobody_and_used_once(page: Page, image_url: str) -> None:
    photos = [page.photo(image_url, published="false", alt_text_custom=alt).json() for alt in ("Beans", "Cup")]
    assert all("post_id" not in photo for photo in photos)
    assert page.live() == []
    assert page.get(f"{page.account}/published_posts").json() == {"data": []}
    attached = json.dumps([{"media_fbid": photo["id"]} for photo in photos])
    post = page.say("Both", attached_media=attached).json()["id"]
    (live,) = page.live()
    media = live["media"]
    assert isinstance(media, list)
    assert (live["kind"], [medium["alt_text"] for medium in media]) == ("carousel", ["Beans", "Cup"])
    found = page.get(post, fields="attachments{media_type,subattachments{target{id}}}").json()["attachments"]["data"][0]
    assert found["media_type"] == "album"
    assert [one["target"]["id"] for one in found["subattachments"]["data"]] == [photo["id"] for photo in photos]
    assert error_of(page.say("Again", attached_media=attached)) == (100, 1366051)
    assert len(page.live()) == 1


def test_a_published_photo_names_its_post(page: Page, image_url: str) -> None:
    answer = page.photo(image_url, caption="Our cup", alt_text_custom="A cup").json()
    (live,) = page.live()
    assert (live["id"], live["caption"], live["kind"]) == (answer["post_id"], "Our cup", "image")
    assert page.get(answer["id"], fields="page_story_id").json()["page_story_id"] == answer["post_id"]


def test_photos_that_are_none(page: Page, origin: Origin) -> None:
    assert error_of(page.photo(origin.put("/no.jpg", b"nothing"))) == (100, 1366046)
    assert error_of(page.photo(origin.put("/no.webp", jpeg(kind="WEBP")))) == (100, 1366046)
    assert error_of(page.photo(origin.put("/big.jpg", jpeg() + b"\0" * 4_000_000))) == (100, 1366046)
    assert error_of(page.photo(f"{origin.url}/missing.jpg"))[0] == 324


def test_a_video_is_live_when_it_is_processed(page: Page, origin: Origin) -> None:
    page.fault("facebook.create_video", "slow_processing", delay_seconds=0.3)
    url = origin.put("/film.mp4", MP4)
    video = page.post(f"{page.account}/videos", file_url=url, description="Pour", title="How").json()["id"]
    assert page.live() == []
    assert page.phases(video)["processing_phase"]["status"] == "in_progress"
    (listed,) = page.get(f"{page.account}/videos", fields="id,description,post_id", type="uploaded").json()["data"]
    assert listed == {"id": video, "description": "Pour"}
    wait_until(lambda: bool(page.live()))
    read = page.get(video, fields="status,post_id,permalink_url,published").json()
    assert (read["published"], read["post_id"]) == (True, page.live()[0]["id"])
    assert error_of(page.post(f"{page.account}/videos", file_url=f"{origin.url}/gone.mp4"))[0] == 389
    assert error_of(page.post(f"{page.account}/videos", file_url=origin.put("/no.mp4", b"no")))[0] == 352


def test_a_reel_comes_in_parts_and_is_published_once(page: Page) -> None:
    begun = page.start()
    assert begun["upload_url"].endswith(f"/meta-upload/video-upload/v26.0/{begun['video_id']}")
    assert error_of(page.finish(begun["video_id"]))[0] == 6000
    half = len(MP4) // 2
    part = page.send(begun["upload_url"], MP4[:half], offset=0)
    assert part.json()["debug_info"]["type"] == "PartialRequestError"
    assert page.phases(begun["video_id"])["uploading_phase"] == {"status": "in_progress", "bytes_transfered": half}
    wrong = page.send(begun["upload_url"], MP4, offset=0)
    assert wrong.json()["debug_info"]["type"] == "OffsetInvalidError"
    assert page.send(begun["upload_url"], MP4[half:], offset=half).json() == {"success": True}
    assert page.phases(begun["video_id"])["publishing_phase"] == {"status": "not_started"}
    assert page.live() == []
    for _ in range(2):
        assert page.finish(begun["video_id"], description="Reel", title="T").json() == {"success": True}
    wait_until(lambda: bool(page.live()))
    assert page.phases(begun["video_id"])["publishing_phase"]["publish_status"] == "published"
    assert [(one["kind"], one["caption"]) for one in page.live()] == [("reels", "Reel")]


def test_a_reel_that_fails_never_goes_live(page: Page) -> None:
    page.fault("facebook.start_reel", "processing_error")
    begun = page.start()
    page.send(begun["upload_url"], MP4, offset=0)
    page.finish(begun["video_id"])
    wait_until(lambda: page.phases(begun["video_id"])["publishing_phase"]["status"] == "error")
    assert page.live() == []
    noise = page.start()
    refused = page.send(noise["upload_url"], b"noise", offset=0, size=5)
    assert refused.json()["debug_info"]["type"] == "ProcessingFailedError"


def test_stories_are_shown_but_not_listed(page: Page, image_url: str) -> None:
    photo = page.photo(image_url, published="false").json()["id"]
    story = page.post(f"{page.account}/photo_stories", photo_id=photo).json()
    assert story["success"] is True
    begun = page.start("video_stories")
    page.send(begun["upload_url"], MP4, offset=0)
    film = page.finish(begun["video_id"], "video_stories").json()
    assert {one["id"] for one in page.live()} == {story["post_id"], film["post_id"]}
    assert page.get(f"{page.account}/published_posts").json() == {"data": []}
    assert error_of(page.post(f"{page.account}/photo_stories", photo_id=photo)) == (100, 1366051)
    assert error_of(page.finish(begun["video_id"], "video_stories"))[0] == 100


def test_comments_counts_and_deletion(page: Page) -> None:
    post = page.say("Ask us").json()["id"]
    comment = page.post(f"{post}/comments", message="First!").json()["id"]
    listed = page.get(f"{post}/comments", fields="id,message,from{id}", order="reverse_chronological").json()["data"]
    assert [(one["id"], one["message"], one["from"]["id"]) for one in listed] == [(comment, "First!", page.account)]
    counted = page.get(post, fields="reactions.summary(true).limit(0),comments.summary(true).limit(0),shares").json()
    totals = (counted["reactions"]["summary"]["total_count"], counted["comments"]["summary"]["total_count"])
    assert totals == (0, 1)
    assert "shares" not in counted
    assert page.get(comment, fields="message").json() == {"message": "First!", "id": comment}
    assert page.delete(comment).json() == {"success": True}
    assert page.delete(post).json() == {"success": True}
    assert error_of(page.delete(post)) == (100, 33)
    assert page.live() == []


def test_the_list_goes_page_by_page_newest_first(page: Page) -> None:
    posts = [page.say(f"Post {number}").json()["id"] for number in range(3)]
    first = page.get(f"{page.account}/published_posts", limit=2).json()
    assert [one["id"] for one in first["data"]] == [posts[2], posts[1]]
    after = first["paging"]["cursors"]["after"]
    rest = page.get(f"{page.account}/published_posts", limit=2, after=after).json()
    assert [one["id"] for one in rest["data"]] == [posts[0]]
    assert "paging" not in rest
    assert page.get(f"{page.account}/published_posts", since=4_000_000_000).json() == {"data": []}


def test_instagram_answers_next_door(page: Page, graph: Graph, image_url: str) -> None:
    media = graph.publish(graph.create(image_url=image_url, caption="A cup")).json()["id"]
    assert graph.get(media, fields="media_type").json()["media_type"] == "IMAGE"
    assert page.get(page.account, fields="id,name").json()["id"] == page.account
    assert graph.get(graph.account, fields="username").json()["username"] == "bluebottle"
    graph.post(f"{media}/comments", message="on Instagram")
    post = page.say("on Facebook").json()["id"]
    # Neither token opens the other's nodes, and no edge of a Page exists on an Instagram account.
    assert error_of(page.get(media)) == (100, 33)
    assert error_of(graph.get(post)) == (100, 33)
    assert error_of(graph.post(f"{graph.account}/feed", message="x"))[0] == 2500
    assert error_of(graph.post(f"{page.account}/feed", message="x")) == (100, 33)


@pytest.mark.parametrize("ask", [lambda page: page.say("x"), lambda page: page.get(page.account)])
def test_no_page_answers_at_instagrams_own_host(page: Page, ask: Callable[[Page], httpx.Response]) -> None:
    page.host = "instagram-graph"
    assert error_of(ask(page))[0] == 2500


def test_a_reel_that_was_being_processed_goes_live_after_a_restart(tmp_path: Path) -> None:
    state_file = tmp_path / "sandbox.sqlite3"
    with httpx.Client(timeout=10, trust_env=False) as client:
        with serving(state_file) as url:
            page = Page(base=url, client=client)
            page.seed()
            page.fault("facebook.start_reel", "slow_processing", delay_seconds=1.0)
            begun = page.start()
            page.send(begun["upload_url"], MP4, offset=0)
            page.finish(begun["video_id"], description="Later")
            assert page.live() == []
        with serving(state_file) as url:
            page = Page(base=url, client=client)
            wait_until(lambda: [one["caption"] for one in page.live()] == ["Later"])


def test_the_page_shows_texts_and_links(page: Page) -> None:
    page.say("Our menu", link="https://example.org/menu")
    page.say("Good night")
    shown = page.client.get(page.base).text
    assert 'href="https://example.org/menu"' in shown
    assert shown.index("Good night") < shown.index("Our menu")
    assert "Facebook" in shown


def test_a_limit_speaks_of_pages(page: Page) -> None:
    page.fault("facebook.create_post", "rate_limit")
    refused = page.say("x")
    assert (refused.status_code, error_of(refused)[0]) == (429, 80001)
    assert '"type": "pages"' in refused.headers["x-business-use-case-usage"]
