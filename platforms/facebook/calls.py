"""The calls a Facebook publish makes, one per step; each answers what to merge into the progress."""

from core.jsontypes import JsonObject
from platforms.base import Publish
from platforms.errors import ContentRefused, OutcomeUnknown, PlatformError, Refused, Transient
from platforms.facebook import steps
from platforms.graph import GRAPH_VERSION, Graph, UploadHost, read_id
from platforms.graph_errors import Verdict, container_error
from platforms.graph_upload import arrived, send_rest
from platforms.progress import count, inner, names, text

VIDEO_FIELDS = "status,permalink_url,post_id,published"
_DEAD = frozenset({"error", "upload_failed", "expired"})


class PublishCalls:
    """Makes the calls and raises ``platforms.errors``."""

    def __init__(self, *, graph: Graph, uploads: UploadHost) -> None:
        self._graph = graph
        self._uploads = uploads

    async def upload_photo(self, publish: Publish) -> JsonObject:
        """Hand the next photo in, seen by nobody; Facebook fetches it by its public link."""
        photos = names(publish.progress, "photos")
        link = publish.media.public_url(publish.content.media[len(photos)])
        form = steps.photo_form(publish.content, len(photos), link=link, published=False)
        # A photo too many is seen by nobody and swept up by Facebook: repeatable.
        body = await self._post(publish, "photos", form, repeatable=True)
        return {"photos": [*photos, read_id(body, repeatable=True)]}

    async def start(self, publish: Publish) -> JsonObject:
        """Ask for a place to upload a reel or a story to."""
        edge = "video_reels" if publish.content.format == "reel" else "video_stories"
        body = await self._post(publish, edge, {"upload_phase": "start"}, repeatable=True)
        video_id = text(body, "video_id")
        if video_id is None:
            raise Transient("Facebook answered without the id of the video.")
        # Its upload_url is not kept: the host is the one Studio is set up with.
        return {"video_id": video_id}

    async def upload(self, publish: Publish) -> JsonObject:
        """Stream the video from the byte Facebook was last known to have."""
        path = f"video-upload/{GRAPH_VERSION}/{_video(publish)}"
        return await send_rest(self._uploads, path, publish, publish.content.media[0])

    async def check_upload(self, publish: Publish) -> JsonObject:
        """Ask how many bytes of the video have arrived."""
        answer = await self.read_video(publish)
        _refuse_dead(answer, publish)
        return arrived(inner(answer, "status", "uploading_phase"))

    async def publish(self, publish: Publish) -> JsonObject:
        """Make it public: the one call that is never repeated without looking first."""
        match publish.content.format:
            case "image":
                link = publish.media.public_url(publish.content.media[0])
                form = steps.photo_form(publish.content, 0, link=link, published=True)
                body = await self._post(publish, "photos", form, repeatable=False)
                post_id = text(body, "post_id")
                if post_id is None:
                    raise OutcomeUnknown("Facebook answered without the id of the photo's post.")
                return {"finished": True, "post_id": post_id}
            case "video":
                form = {"file_url": publish.media.public_url(publish.content.media[0])}
                body = await self._post(publish, "videos", form | steps.film_words(publish.content), repeatable=False)
                return {"finished": True, "video_id": read_id(body, repeatable=False)}
            case "reel":
                form = {"upload_phase": "finish", "video_id": _video(publish), "video_state": "PUBLISHED"}
                _require_success(
                    await self._post(publish, "video_reels", form | steps.film_words(publish.content), repeatable=False)
                )
                return {"finished": True}
            case "story":
                return await self._publish_story(publish)
            case _:
                form = steps.feed_form(publish.content, names(publish.progress, "photos"))
                body = await self._post(publish, "feed", form, repeatable=False)
                return {"finished": True, "post_id": read_id(body, repeatable=False)}

    async def _publish_story(self, publish: Publish) -> JsonObject:
        if steps.uploads_film(publish.content):
            edge, form = "video_stories", {"upload_phase": "finish", "video_id": _video(publish)}
        else:
            edge, form = "photo_stories", {"photo_id": names(publish.progress, "photos")[0]}
        body = await self._post(publish, edge, form, repeatable=False)
        _require_success(body)
        return {"finished": True, "post_id": text(body, "post_id")}

    async def check_video(self, publish: Publish) -> JsonObject:
        """Ask whether the video is live by now, and as which post."""
        answer = await self.read_video(publish)
        if is_live(answer):
            return {
                "post_id": post_id_of(answer, publish) or _video(publish),
                "permalink": address(answer),
            }
        _refuse_dead(answer, publish)
        return {"checks": count(publish.progress, "checks") + 1}

    async def read_permalink(self, publish: Publish) -> JsonObject:
        """Ask for the address of the live post."""
        tries: JsonObject = {"permalink_tries": count(publish.progress, "permalink_tries") + 1}
        try:
            answer = await self._graph.get(_post(publish), token=_token(publish), fields="id,permalink_url")
        except Refused:
            # The post is live and its id is known: no refusal to show its address makes it anything else.
            return tries
        permalink = address(answer)
        return {"permalink": permalink} if permalink else tries

    async def first_comment(self, publish: Publish) -> JsonObject:
        """Write the first comment under the live post."""
        form = {"message": str(publish.content.options.get("first_comment", ""))}
        body = await self._graph.post(f"{_post(publish)}/comments", token=_token(publish), form=form, repeatable=False)
        return {"comment_id": read_id(body, repeatable=False)}

    async def read_video(self, publish: Publish) -> JsonObject:
        """How a video is, by its phases."""
        return await self._graph.get(_video(publish), token=_token(publish), fields=VIDEO_FIELDS)

    async def _post(self, publish: Publish, edge: str, form: dict[str, str], *, repeatable: bool) -> JsonObject:
        path = f"{publish.credentials.external_id}/{edge}"
        return await self._graph.post(path, token=_token(publish), form=form, repeatable=repeatable)


def is_live(answer: JsonObject) -> bool:
    """Whether a video's fields say that people can see it."""
    if inner(answer, "status", "publishing_phase").get("publish_status") == "published":
        return True
    return inner(answer, "status").get("video_status") == "ready" and answer.get("published") is True


def is_dead(answer: JsonObject) -> bool:
    """Whether a video's fields say that nothing will come of it."""
    status = inner(answer, "status")
    phases = (inner(status, name) for name in ("uploading_phase", "processing_phase", "publishing_phase"))
    return status.get("video_status") in _DEAD or any(phase.get("status") == "error" for phase in phases)


def post_id_of(answer: JsonObject, publish: Publish) -> str | None:
    """The post a video became; Facebook writes its id with the Page's in front or without."""
    found = text(answer, "post_id")
    return found if found is None or "_" in found else f"{publish.credentials.external_id}_{found}"


def address(answer: JsonObject) -> str | None:
    """The address of a post; that of a video comes without the host."""
    found = text(answer, "permalink_url")
    return f"https://www.facebook.com{found}" if found and found.startswith("/") else found


def _refuse_dead(answer: JsonObject, publish: Publish) -> None:
    if not is_dead(answer):
        return
    status = inner(answer, "status")
    if status.get("video_status") == "expired":
        raise Transient("The upload has expired.", code="upload_expired", start_over=True)
    said = text(inner(status, "processing_phase", "error"), "message") or "the video could not be processed"
    raise _unusable(said, publish)


def _unusable(said: str, publish: Publish) -> PlatformError:
    return container_error(said, secrets=(_token(publish),), otherwise=Verdict(condition=ContentRefused))


def _require_success(body: JsonObject) -> None:
    if body.get("success") is not True:
        raise OutcomeUnknown("Facebook answered without saying whether it is published.")


def _token(publish: Publish) -> str:
    return publish.credentials.access_token


def _video(publish: Publish) -> str:
    return _kept(publish, "video_id")


def _post(publish: Publish) -> str:
    return _kept(publish, "post_id")


def _kept(publish: Publish, name: str) -> str:
    value = text(publish.progress, name)
    if value is None:
        raise ValueError(f"this step needs a {name} in the progress")
    return value
