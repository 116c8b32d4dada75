"""The pretend TikTok: announcing, uploading in chunks, processing, drafts, limits."""

from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox.caller import MP4, Origin, jpeg, wait_until
from tests.sandbox.tiktok_caller import TikTok, error_of


@pytest.fixture
def tiktok(sandbox_url: str) -> Iterator[TikTok]:
    with httpx.Client(timeout=10, trust_env=False) as client:
        tiktok = TikTok(base=sandbox_url, client=client)
        tiktok.control("reset")
        tiktok.control("conditions", tiktok_inits_per_minute=1000, tiktok_statuses_per_minute=100_000)
        tiktok.seed()
        yield tiktok
        tiktok.control("reset")


def test_a_video_goes_live_after_its_last_chunk(tiktok: TikTok) -> None:
    begun = tiktok.init().json()["data"]
    assert begun["publish_id"].startswith("v_pub_file~v2-1.")
    assert len(begun["publish_id"]) <= 64
    assert tiktok.status(begun["publish_id"]) == {
        "status": "PROCESSING_UPLOAD",
        "publicaly_available_post_id": [],
        "uploaded_bytes": 0,
    }
    answer = tiktok.put(begun["upload_url"], MP4)
    assert (answer.status_code, answer.headers["content-range"]) == (201, f"bytes 0-{len(MP4) - 1}/{len(MP4)}")
    ended = tiktok.ended(begun["publish_id"])
    (post,) = tiktok.live()
    assert ended["status"] == "PUBLISH_COMPLETE"
    assert ended["publicaly_available_post_id"] == [int(str(post["id"]))]
    assert post["permalink"] == f"{tiktok.base}/@bluebottle/video/{post['id']}"
    assert "hello" in tiktok.client.get(str(post["permalink"])).text
    assert tiktok.client.get(f"{tiktok.base}/@somebody/video/{post['id']}").status_code == 404


def test_chunks_come_one_after_the_other(tiktok: TikTok) -> None:
    size, chunk = 11_000_000, 5_000_000
    film = MP4 + b"\1" * (size - len(MP4))
    begun = tiktok.init(size, chunk=chunk, count=2).json()["data"]
    url = begun["upload_url"]
    assert tiktok.put(url, film[chunk:], first=chunk, total=size).status_code == 416  # not yet
    first = tiktok.put(url, film[:chunk], total=size)
    assert (first.status_code, first.headers["content-range"]) == (206, f"bytes 0-{chunk - 1}/{size}")
    again = tiktok.put(url, film[:chunk], total=size)
    assert (again.status_code, again.headers["content-range"]) == (416, f"bytes 0-{chunk - 1}/{size}")
    assert tiktok.put(url, film[chunk : chunk + 5], first=chunk, total=size).status_code == 400  # too short
    assert tiktok.put(url, film[chunk:], first=chunk, total=size + 1).status_code == 400  # another video
    assert tiktok.status(begun["publish_id"])["uploaded_bytes"] == chunk
    assert tiktok.put(url, film[chunk:], first=chunk, total=size).status_code == 201
    assert tiktok.put(url, film[chunk:], first=chunk, total=size).status_code == 416  # it has everything
    assert tiktok.ended(begun["publish_id"])["status"] == "PUBLISH_COMPLETE"
    assert len(tiktok.live()) == 1


@pytest.mark.parametrize(
    ("size", "chunk", "count"),
    [
        (50_000_000, 10_000_000, 4),
        (50_000_000, 4_999_999, 10),
        (200_000_000, 64_000_001, 3),
        (64_000_001, 64_000_001, 1),
        (4_000_000, 2_000_000, 2),
        (6_000_000_000, 10_000_000, 600),
        (0, 0, 0),
    ],
)
def test_chunks_that_break_the_rules_are_refused(tiktok: TikTok, size: int, chunk: int, count: int) -> None:
    assert error_of(tiktok.init(size, chunk=chunk, count=count)) == (400, "invalid_param")


def test_the_upload_address_is_the_permission(tiktok: TikTok) -> None:
    begun = tiktok.init().json()["data"]
    url, _, token = begun["upload_url"].rpartition("upload_token=")
    assert tiktok.put(f"{url}upload_token=x{token}", MP4).status_code == 404
    assert tiktok.client.put(begun["upload_url"], content=MP4).status_code == 400
    tiktok.control(f"tiktok/publications/{begun['publish_id']}/age", seconds=3_601)
    assert tiktok.put(begun["upload_url"], MP4).status_code == 403


def test_a_file_that_is_no_video_fails(tiktok: TikTok) -> None:
    begun = tiktok.init(400).json()["data"]
    assert tiktok.put(begun["upload_url"], b"\2" * 400).status_code == 201
    ended = tiktok.ended(begun["publish_id"])
    assert (ended["status"], ended["fail_reason"]) == ("FAILED", "file_format_check_failed")


def test_posts_that_are_not_public_have_no_id_to_tell(tiktok: TikTok) -> None:
    ended = tiktok.ended(tiktok.publish(privacy_level="SELF_ONLY"))
    assert ended["status"] == "PUBLISH_COMPLETE"
    assert ended["publicaly_available_post_id"] == []
    assert tiktok.data("video/list/", fields="id")["videos"] == []


def test_the_creators_options_are_the_only_ones(tiktok: TikTok) -> None:
    def options() -> object:
        return tiktok.data("post/publish/creator_info/query/")["privacy_level_options"]

    assert options() == ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"]
    tiktok.control("tiktok/creators", external_id=tiktok.account, private=True)
    assert options() == ["FOLLOWER_OF_CREATOR", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"]
    assert error_of(tiktok.init()) == (403, "privacy_level_option_mismatch")
    answer = tiktok.init(privacy_level="SELF_ONLY", brand_content_toggle=True)
    assert error_of(answer) == (400, "invalid_param")


def test_an_unaudited_app_posts_to_private_accounts(tiktok: TikTok) -> None:
    tiktok.control("conditions", tiktok_unaudited=True)
    assert error_of(tiktok.init()) == (403, "unaudited_client_can_only_post_to_private_accounts")
    tiktok.control("tiktok/creators", external_id=tiktok.account, private=True)
    assert tiktok.init(privacy_level="SELF_ONLY").status_code == 200


def test_who_may_not_post_hears_it_with_http_200_first(tiktok: TikTok) -> None:
    tiktok.control("conditions", tiktok_posts_per_day=1)
    tiktok.publish()
    info = tiktok.call("post/publish/creator_info/query/")
    assert error_of(info) == (200, "spam_risk_too_many_posts")
    assert error_of(tiktok.init()) == (403, "spam_risk_too_many_posts")


def test_a_minute_has_six_announcements(tiktok: TikTok) -> None:
    tiktok.control("conditions", tiktok_inits_per_minute=6)
    other = TikTok(base=tiktok.base, client=tiktok.client, account="another", token="act.another")
    other.seed()
    began = [other.init().status_code for _ in range(7)]
    assert began == [200] * 6 + [429]
    assert error_of(other.init()) == (429, "rate_limit_exceeded")


# -- drafts and photos


def test_five_drafts_may_wait(tiktok: TikTok) -> None:
    source = {"source": "FILE_UPLOAD", "video_size": len(MP4), "chunk_size": len(MP4), "total_chunk_count": 1}
    for _ in range(5):
        begun = tiktok.data("post/publish/inbox/video/init/", {"source_info": source})
        assert str(begun["publish_id"]).startswith("v_inbox_file~")
        tiktok.put(str(begun["upload_url"]), MP4)
        assert tiktok.ended(str(begun["publish_id"]))["status"] == "SEND_TO_USER_INBOX"
    full = tiktok.call("post/publish/inbox/video/init/", {"source_info": source})
    assert error_of(full) == (403, "spam_risk_too_many_pending_share")
    assert error_of(tiktok.call("post/publish/inbox/video/init/", {"post_info": {}})) == (400, "invalid_param")
    assert tiktok.live() == []


@pytest.mark.parametrize(("kind", "reason"), [("JPEG", None), ("WEBP", None), ("PNG", "file_format_check_failed")])
def test_photos_are_fetched_and_judged_by_their_bytes(
    tiktok: TikTok, origin: Origin, kind: str, reason: str | None
) -> None:
    begun = tiktok.photos(origin.put(f"/one.{kind}", jpeg(kind=kind)), origin.put("/two.jpg", jpeg()))
    publish_id = begun.json()["data"]["publish_id"]
    assert publish_id.startswith("p_pub_url~v2.")
    assert tiktok.ended(publish_id).get("fail_reason") == reason
    assert [len(post["media"]) for post in tiktok.live()] == ([] if reason else [2])  # type: ignore[arg-type]


def test_photos_that_cannot_be_had_fail(tiktok: TikTok, origin: Origin) -> None:
    origin.redirects["/moved.jpg"] = origin.put("/there.jpg", jpeg())
    for link in (f"{origin.url}/nothing.jpg", f"{origin.url}/moved.jpg"):
        publish_id = tiktok.photos(link).json()["data"]["publish_id"]
        assert tiktok.ended(publish_id)["fail_reason"] == "photo_pull_failed"
    large = tiktok.photos(origin.put("/large.jpg", jpeg(1081, 1081))).json()["data"]["publish_id"]
    assert tiktok.ended(large)["fail_reason"] == "picture_size_check_failed"
    tiktok.control("conditions", tiktok_verified_prefixes=["https://media.example.com/"])
    assert error_of(tiktok.photos(f"{origin.url}/there.jpg")) == (403, "url_ownership_unverified")


def test_a_publish_is_cancelled_only_before_it_is_live(tiktok: TikTok) -> None:
    begun = tiktok.init().json()["data"]
    assert tiktok.data("post/publish/cancel/", {"publish_id": begun["publish_id"]}) == {}
    assert tiktok.status(begun["publish_id"])["fail_reason"] == "publish_cancelled"
    assert tiktok.put(begun["upload_url"], MP4).status_code == 404
    done = tiktok.publish()
    tiktok.ended(done)
    late = tiktok.call("post/publish/cancel/", {"publish_id": done})
    assert error_of(late) == (400, "publish_not_cancellable")


def test_slow_and_failing_processing_can_be_planted(tiktok: TikTok) -> None:
    tiktok.control("faults", route="tiktok.init_video", kind="processing_error")
    assert tiktok.ended(tiktok.publish())["fail_reason"] == "internal"
    tiktok.control("faults", route="tiktok.init_video", kind="slow_processing", delay_seconds=0.3)
    publish_id = tiktok.publish()
    assert tiktok.status(publish_id)["status"] == "PROCESSING_DOWNLOAD"
    wait_until(lambda: len(tiktok.live()) == 1)
