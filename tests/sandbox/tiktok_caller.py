"""Somebody who holds a token of the pretend TikTok and calls it as an adapter would."""

from dataclasses import dataclass

import httpx

from tests.sandbox.caller import MP4, wait_until

FIELDS = "id,title,video_description,share_url,like_count,comment_count,share_count,view_count,create_time"


@dataclass
class TikTok:
    base: str
    client: httpx.Client
    account: str = "open-id-of-bluebottle"
    token: str = "act.of-bluebottle"
    refresh_token: str = "rft.of-bluebottle"

    def call(self, path: str, body: object = None, *, token: str | None = None, **query: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return self.client.post(f"{self.base}/tiktok/v2/{path}", json=body or {}, params=query, headers=headers)

    def data(self, path: str, body: object = None, **query: str) -> dict[str, object]:
        answer = self.call(path, body, **query)
        assert error_of(answer) == (200, "ok"), answer.text
        found: dict[str, object] = answer.json()["data"]
        return found

    def init(self, size: int = len(MP4), *, chunk: int | None = None, count: int = 1, **info: object) -> httpx.Response:
        source = {
            "source": "FILE_UPLOAD",
            "video_size": size,
            "chunk_size": size if chunk is None else chunk,
            "total_chunk_count": count,
        }
        info = {"title": "hello", "privacy_level": "PUBLIC_TO_EVERYONE"} | info
        return self.call("post/publish/video/init/", {"post_info": info, "source_info": source})

    def photos(self, *links: str, mode: str = "DIRECT_POST", **info: object) -> httpx.Response:
        level = {"privacy_level": "PUBLIC_TO_EVERYONE"} if mode == "DIRECT_POST" else {}
        body = {
            "media_type": "PHOTO",
            "post_mode": mode,
            "post_info": {"title": "t", "description": "d", **level, **info},
            "source_info": {"source": "PULL_FROM_URL", "photo_cover_index": 0, "photo_images": list(links)},
        }
        return self.call("post/publish/content/init/", body)

    def put(self, url: str, content: bytes, *, first: int = 0, total: int | None = None) -> httpx.Response:
        total = len(content) if total is None else total
        headers = {"content-type": "video/mp4", "content-range": f"bytes {first}-{first + len(content) - 1}/{total}"}
        return self.client.put(url, content=content, headers=headers)

    def status(self, publish_id: str) -> dict[str, object]:
        return self.data("post/publish/status/fetch/", {"publish_id": publish_id})

    def ended(self, publish_id: str) -> dict[str, object]:
        wait_until(lambda: not str(self.status(publish_id)["status"]).startswith("PROCESSING"))
        return self.status(publish_id)

    def publish(self, **info: object) -> str:
        begun = self.init(**info).json()["data"]  # type: ignore[arg-type]
        assert self.put(begun["upload_url"], MP4).status_code == 201
        return str(begun["publish_id"])

    def control(self, path: str, **body: object) -> httpx.Response:
        answer = self.client.post(f"{self.base}/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer

    def refresh(self, refresh_token: str) -> httpx.Response:
        form = {"client_key": "k", "client_secret": "s", "grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.client.post(f"{self.base}/tiktok/v2/oauth/token/", data=form)

    def live(self) -> list[dict[str, object]]:
        items: list[dict[str, object]] = self.client.get(f"{self.base}/_sandbox/feed").json()["items"]
        return items

    def seed(self) -> None:
        self.control(
            "accounts",
            platform="tiktok",
            external_id=self.account,
            handle="bluebottle",
            access_token=self.token,
            refresh_token=self.refresh_token,
        )


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """HTTP status and code of an answer, which has to be in TikTok's envelope."""
    body = answer.json()
    assert set(body) == {"data", "error"}
    assert set(body["error"]) == {"code", "message", "log_id"}
    return answer.status_code, body["error"]["code"]
