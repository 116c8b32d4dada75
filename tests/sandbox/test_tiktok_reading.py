"""The pretend TikTok: tokens, whose they are, lists, counts, and what is still there after a restart."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.sandbox.caller import MP4, serving, wait_until
from tests.sandbox.tiktok_caller import FIELDS, TikTok, error_of


@pytest.fixture
def tiktok(sandbox_url: str) -> Iterator[TikTok]:
    with httpx.Client(timeout=10, trust_env=False) as client:
        tiktok = TikTok(base=sandbox_url, client=client, account="open-id-of-a-reader")
        tiktok.control("reset")
        tiktok.control("conditions", tiktok_inits_per_minute=1000, tiktok_statuses_per_minute=100_000)
        tiktok.seed()
        yield tiktok
        tiktok.control("reset")


# -- tokens


@pytest.mark.parametrize("token", ["nobodys", "rft.of-bluebottle"])
def test_there_is_one_word_for_a_token_that_does_not_open(tiktok: TikTok, token: str) -> None:
    assert error_of(tiktok.call("video/list/", token=token, fields="id")) == (401, "access_token_invalid")
    tiktok.control("tokens", access_token=tiktok.token, revoked_subcode=458)
    assert error_of(tiktok.call("video/list/", fields="id")) == (401, "access_token_invalid")
    tiktok.control("tokens", access_token=tiktok.token, expires_at="2026-01-01T00:00:00Z")
    assert error_of(tiktok.call("video/list/", fields="id")) == (401, "access_token_invalid")


def test_a_refresh_token_is_replaced_by_using_it(tiktok: TikTok) -> None:
    fresh = tiktok.refresh(tiktok.refresh_token).json()
    assert (fresh["expires_in"], fresh["refresh_expires_in"], fresh["open_id"]) == (7_200, 15_552_000, tiktok.account)
    assert error_of(tiktok.call("video/list/", token=fresh["access_token"], fields="id")) == (200, "ok")
    used = tiktok.refresh(tiktok.refresh_token)
    assert (used.status_code, used.json()["error"]) == (400, "invalid_grant")
    assert tiktok.refresh(fresh["refresh_token"]).status_code == 200


def test_lifetimes_can_be_set(tiktok: TikTok) -> None:
    tiktok.control("conditions", tiktok_access_token_seconds=86_400, tiktok_refresh_token_seconds=31_536_000)
    fresh = tiktok.refresh(tiktok.refresh_token).json()
    assert (fresh["expires_in"], fresh["refresh_expires_in"]) == (86_400, 31_536_000)


def test_a_revoked_grant_is_not_renewed(tiktok: TikTok) -> None:
    tiktok.control("tokens", access_token=tiktok.token, revoked_subcode=458)
    assert tiktok.refresh(tiktok.refresh_token).json()["error"] == "invalid_grant"


def test_secrets_do_not_show_up_in_the_journal(tiktok: TikTok) -> None:
    tiktok.refresh(tiktok.refresh_token)
    tiktok.publish()
    journal = tiktok.client.get(f"{tiktok.base}/_sandbox/calls", params={"route": "tiktok.*"}).text
    assert tiktok.token not in journal
    assert tiktok.refresh_token not in journal
    assert "upload_token" not in journal


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("rate_limit", (429, "rate_limit_exceeded")),
        ("expired_token", (401, "access_token_invalid")),
        ("status", (500, "internal_error")),
    ],
)
def test_faults_speak_tiktoks_dialect(tiktok: TikTok, kind: str, expected: tuple[int, str]) -> None:
    tiktok.control("faults", route="tiktok.list_videos", kind=kind)
    assert error_of(tiktok.call("video/list/", fields="id")) == expected
    assert error_of(tiktok.call("video/list/", fields="id")) == (200, "ok")


# -- what can be asked


def test_the_user_is_described_by_the_fields_that_are_named(tiktok: TikTok) -> None:
    headers = {"Authorization": f"Bearer {tiktok.token}"}
    url = f"{tiktok.base}/tiktok/v2/user/info/"
    user = tiktok.client.get(url, params={"fields": "open_id,username"}, headers=headers).json()["data"]["user"]
    assert user == {"open_id": tiktok.account, "username": "bluebottle"}
    assert error_of(tiktok.client.get(url, headers=headers)) == (400, "invalid_params")
    assert error_of(tiktok.client.get(url, params={"fields": "shoe_size"}, headers=headers)) == (400, "invalid_params")


def test_public_posts_are_listed_newest_first(tiktok: TikTok) -> None:
    for number in range(3):
        tiktok.ended(tiktok.publish(title=f"number {number} " + "x" * 200))
    first = tiktok.data("video/list/", {"max_count": 2}, fields=FIELDS)
    videos = first["videos"]
    assert isinstance(videos, list)
    assert [video["title"][:8] for video in videos] == ["number 2", "number 1"]
    assert all(isinstance(video["id"], str) and len(video["title"]) == 150 for video in videos)
    assert first["has_more"] is True
    rest = tiktok.data("video/list/", {"max_count": 2, "cursor": first["cursor"]}, fields="id")
    assert rest["has_more"] is False
    assert error_of(tiktok.call("video/list/", {"max_count": 21}, fields="id")) == (400, "invalid_params")


def test_counters_are_told_and_strangers_are_left_out(tiktok: TikTok) -> None:
    tiktok.ended(tiktok.publish())
    post_id = tiktok.live()[0]["id"]
    tiktok.control(f"posts/{post_id}/counts", likes=5, views=90, shares=2)
    fields = "id,like_count,comment_count,share_count,view_count"
    found = tiktok.data("video/query/", {"filters": {"video_ids": [post_id, "1"]}}, fields=fields)
    counted = {"like_count": 5, "comment_count": 0, "share_count": 2, "view_count": 90}
    assert found["videos"] == [{"id": post_id, **counted}]
    many = tiktok.call("video/query/", {"filters": {"video_ids": ["1"] * 21}}, fields="id")
    assert error_of(many) == (400, "invalid_params")


def test_a_publish_is_its_owners_alone(tiktok: TikTok) -> None:
    publish_id = tiktok.publish()
    other = TikTok(base=tiktok.base, client=tiktok.client, account="another", token="act.another")
    other.seed()
    asked = other.call("post/publish/status/fetch/", {"publish_id": publish_id})
    assert error_of(asked) == (400, "token_not_authorized_for_specified_publish_id")
    unknown = other.call("post/publish/status/fetch/", {"publish_id": "v_pub_file~v2-1.0"})
    assert error_of(unknown) == (400, "invalid_publish_id")


def test_an_upload_goes_on_after_a_restart(tmp_path: Path) -> None:
    state_file = tmp_path / "sandbox.sqlite3"
    size, chunk = 11_000_000, 5_000_000
    film = MP4 + b"\1" * (size - len(MP4))
    with httpx.Client(timeout=10, trust_env=False) as client:
        with serving(state_file) as url:
            tiktok = TikTok(base=url, client=client)
            tiktok.seed()
            begun = tiktok.init(size, chunk=chunk, count=2).json()["data"]
            assert tiktok.put(begun["upload_url"], film[:chunk], total=size).status_code == 206
        with serving(state_file) as url:
            tiktok = TikTok(base=url, client=client)
            assert tiktok.status(begun["publish_id"])["uploaded_bytes"] == chunk
            query = str(begun["upload_url"]).partition("?")[2]
            rest = tiktok.put(f"{url}/tiktok-upload/video/?{query}", film[chunk:], first=chunk, total=size)
            assert rest.status_code == 201
            wait_until(lambda: len(tiktok.live()) == 1)
    assert list((tmp_path / "sandbox.uploads").iterdir()) == []
