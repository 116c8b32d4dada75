"""The calls a TikTok publish makes, one per step, and the reads that look for what became of it."""

import contextlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Publish
from platforms.errors import OutcomeUnknown, Refused, Transient
from platforms.http import Answer, undecided
from platforms.tiktok import creator, steps
from platforms.tiktok.api import TikTokApi, UploadHost, json_object
from platforms.tiktok.errors import call_error, fail_error

LISTED_FIELDS = "id,create_time,title,video_description,share_url"
PAGE = 20
MAX_PAGES = 5

_CREATED, _PARTIAL, _WRONG_RANGE = 201, 206, 416
_BAD_REQUEST, _SERVER_ERROR = 400, 500
_GONE = frozenset({403, 404})
_ARRIVED = re.compile(r"bytes 0-(\d+)/\d+")


class PublishCalls:
    """Makes the calls; each step returns what to merge into the progress and raises ``platforms.errors``."""

    def __init__(self, api: TikTokApi, uploads: UploadHost) -> None:
        self._api = api
        self._uploads = uploads

    async def read_creator(self, publish: Publish) -> JsonObject:
        """Ask what this account may post, and refuse a content that it may not before anything is sent."""
        answer = await self._api.post("post/publish/creator_info/query/", {}, token=_token(publish))
        known = creator.kept(answer)
        creator.check(publish.content, known)
        level = creator.choose_privacy(publish.content, publish.credentials, known)
        return {"creator": known, "privacy_level": level}

    async def init_video(self, publish: Publish) -> JsonObject:
        """Announce a video: what comes back is kept before the first byte is sent."""
        body: JsonObject = {
            "post_info": steps.video_post(publish.content, publish.progress),
            "source_info": steps.video_source(publish.content),
        }
        return await self._announce(publish, "post/publish/video/init/", body)

    async def init_inbox(self, publish: Publish) -> JsonObject:
        """Announce a draft video."""
        body: JsonObject = {"source_info": steps.video_source(publish.content)}
        return await self._announce(publish, "post/publish/inbox/video/init/", body)

    async def _announce(self, publish: Publish, path: str, body: JsonObject) -> JsonObject:
        answer = await self._api.post(path, body, token=_token(publish))
        publish_id, upload_url = steps.text(answer, "publish_id"), steps.text(answer, "upload_url")
        if publish_id is None or upload_url is None:
            raise Transient("TikTok answered without an address for the upload.")
        return {"publish_id": publish_id, "upload_url": upload_url, "initiated_at": datetime.now(UTC).isoformat()}

    async def init_photo(self, publish: Publish) -> JsonObject:
        """Announce photos: TikTok fetches and publishes them from here on, so this is never repeated blindly."""
        content = publish.content
        source: JsonObject = {
            "source": "PULL_FROM_URL",
            "photo_cover_index": 0,
            "photo_images": [publish.media.public_url(medium) for medium in content.media],
        }
        body: JsonObject = {
            "media_type": "PHOTO",
            "post_mode": "MEDIA_UPLOAD" if steps.is_draft(content) else "DIRECT_POST",
            "post_info": steps.photo_post(content, publish.progress),
            "source_info": source,
            "is_aigc": content.options.get("is_aigc") is True,
        }
        answer = await self._api.post("post/publish/content/init/", body, token=_token(publish), repeatable=False)
        publish_id = steps.text(answer, "publish_id")
        if publish_id is None:
            raise undecided("TikTok answered without a publish_id.", repeatable=False)
        return {"publish_id": publish_id, "sent": True}

    async def upload(self, publish: Publish) -> JsonObject:
        """Send one chunk. One before the last that breaks off is no error yet: the next step asks what arrived."""
        medium = publish.content.media[0]
        chunk = steps.chunk_at(medium.size_bytes, steps.count(publish.progress, "upload_offset"))
        stream = publish.media.read(medium, start=chunk.first)
        try:
            answer = await self._uploads.put(
                steps.text(publish.progress, "upload_url") or "",
                _first_bytes(stream, chunk.last - chunk.first + 1),
                mime_type=medium.mime_type,
                first=chunk.first,
                last=chunk.last,
                total=medium.size_bytes,
            )
        except OutcomeUnknown as broken:
            if chunk.is_last:
                raise
            return _broken_off(publish, broken.message)
        return _after_chunk(publish, chunk, answer)

    async def check_upload(self, publish: Publish) -> JsonObject:
        """Ask how many bytes of the video have arrived."""
        answer = await self.read_status(publish)
        _refuse_failed(answer)
        arrived = steps.count(answer, "uploaded_bytes")
        if everything_arrived(answer, publish.content.media[0].size_bytes):
            return {"sent": True}
        return {"upload_offset": arrived}

    async def check_status(self, publish: Publish) -> JsonObject:
        """Ask how the publish stands."""
        answer = await self.read_status(publish)
        _refuse_failed(answer)
        match answer.get("status"):
            case "PUBLISH_COMPLETE":
                asked = steps.count(publish.progress, "public_checks") + 1
                post_id = public_id(answer)
                return {"published": True, "public_checks": asked, **({"post_id": post_id} if post_id else {})}
            case "SEND_TO_USER_INBOX":
                return {"in_inbox": True}
        checks = steps.count(publish.progress, "checks") + 1
        if checks >= steps.MAX_CHECKS:
            # TikTok has everything and may publish it yet: whoever sends it again risks a second post.
            raise OutcomeUnknown("TikTok has not finished processing the post.", code="not_ready")
        return {"checks": checks}

    async def read_permalink(self, publish: Publish) -> JsonObject:
        """Ask for the address of the live post; when it is not told, it is spelled as all of TikTok's are."""
        post_id = steps.text(publish.progress, "post_id") or ""
        try:
            answer = await self._api.post(
                "video/query/", {"filters": {"video_ids": [post_id]}}, token=_token(publish), fields="id,share_url"
            )
        except Refused:
            # The post is live and its id is known: no refusal to show its address makes it anything else.
            answer = {}
        shown = next((one for one in objects(answer.get("videos")) if one.get("id") == post_id), {})
        handle = steps.text(_object(publish.progress, "creator"), "username") or publish.credentials.handle
        return {"permalink": steps.text(shown, "share_url") or steps.ADDRESS.format(handle=handle, post_id=post_id)}

    async def read_status(self, publish: Publish) -> JsonObject:
        """What TikTok says of a publish_id."""
        publish_id = steps.text(publish.progress, "publish_id") or ""
        return await self._api.post("post/publish/status/fetch/", {"publish_id": publish_id}, token=_token(publish))

    async def list_public(self, publish: Publish, *, since: datetime) -> list[JsonObject]:
        """The account's public posts since then, newest first."""
        listed: list[JsonObject] = []
        page: JsonObject = {}
        for _ in range(MAX_PAGES):
            answer = await self._api.post(
                "video/list/", {"max_count": PAGE, **page}, token=_token(publish), fields=LISTED_FIELDS
            )
            videos = objects(answer.get("videos"))
            listed += [one for one in videos if steps.count(one, "create_time") >= int(since.timestamp())]
            is_past = any(steps.count(one, "create_time") < int(since.timestamp()) for one in videos)
            if answer.get("has_more") is not True or is_past:
                break
            page = {"cursor": answer.get("cursor")}
        return listed


def everything_arrived(answer: JsonObject, size: int) -> bool:
    """Whether TikTok has the whole video, by the answer of the status call."""
    return answer.get("status") != "PROCESSING_UPLOAD" or steps.count(answer, "uploaded_bytes") >= size


def public_id(answer: JsonObject) -> str | None:
    """The id of the public post: a number here (and spelled so), a text everywhere else; None while there is none."""
    ids = answer.get("publicaly_available_post_id")
    if not isinstance(ids, list) or not ids or isinstance(ids[0], bool) or not isinstance(ids[0], int | str):
        return None
    return str(ids[0])


def objects(value: JsonValue) -> list[JsonObject]:
    """The objects of a list; what is none is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _token(publish: Publish) -> str:
    return publish.credentials.access_token


def _object(values: JsonObject, name: str) -> JsonObject:
    value = values.get(name)
    return value if isinstance(value, dict) else {}


def _refuse_failed(answer: JsonObject) -> None:
    if answer.get("status") == "FAILED":
        raise fail_error(steps.text(answer, "fail_reason") or "unknown")


async def _first_bytes(stream: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """As many bytes of a stream as a chunk takes; never more than one piece of it is held."""
    try:
        async for piece in stream:
            yield piece[:size]
            size -= len(piece)
            if size <= 0:
                return
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            with contextlib.suppress(Exception):
                await close()


def _after_chunk(publish: Publish, chunk: steps.Chunk, answer: Answer) -> JsonObject:
    if answer.status == _CREATED:
        return {"sent": True}
    if answer.status == _PARTIAL and not chunk.is_last and _reaches(answer, chunk.last):
        return {"upload_offset": chunk.last + 1, "upload_tries": 0}
    if answer.status in _GONE:
        # Nothing was published through this address, and nothing can be any more.
        raise Transient("The address of the upload is no longer good.", code="upload_expired", start_over=True)
    if answer.status in {_PARTIAL, _WRONG_RANGE}:
        return _broken_off(publish, "TikTok has other bytes of the video than Studio thought.")
    if _BAD_REQUEST <= answer.status < _SERVER_ERROR:
        error = _object(json_object(answer.body) or {}, "error")
        raise call_error(answer.status, error, secrets=(_token(publish),), repeatable=True)
    message = f"TikTok interrupted the upload (HTTP {answer.status})."
    if chunk.is_last:
        raise OutcomeUnknown(message)
    return _broken_off(publish, message)


def _reaches(answer: Answer, last: int) -> bool:
    """Whether the answer confirms every byte; TikTok does not say whether it names the last one or their number."""
    found = _ARRIVED.fullmatch(answer.headers.get("Content-Range", ""))
    return found is None or int(found[1]) in {last, last + 1}


def _broken_off(publish: Publish, message: str) -> JsonObject:
    """What is kept of a chunk that did not arrive; after too many of them the whole is begun anew."""
    tries = steps.count(publish.progress, "upload_tries") + 1
    if tries >= steps.MAX_UPLOAD_TRIES:
        raise Transient(message, code="upload_interrupted", start_over=True)
    return {"upload_tries": tries, "upload_offset": None}
