"""The calls an Instagram publish makes, one per step, and the reads that look for what became of it."""

from core.jsontypes import JsonObject
from platforms.base import Credentials, Publish
from platforms.errors import OutcomeUnknown, Refused, Transient
from platforms.graph import GRAPH_VERSION, Graph, UploadHost, read_id
from platforms.graph_errors import container_error
from platforms.graph_upload import arrived, send_rest
from platforms.instagram import steps
from platforms.instagram.finding import (
    COMMENT_FIELDS,
    COMMENT_PAGE,
    LISTED_FIELDS,
    LiveComment,
    LiveMedium,
    read_comments,
    read_list,
    window_start,
)
from platforms.progress import count, names, text

# The list is newest first: our post is on the first page unless the account has published very much since.
_PAGE = 25
_MAX_PAGES = 4


class PublishCalls:
    """Makes the calls; each step returns what to merge into the progress and raises ``platforms.errors``."""

    def __init__(self, *, facebook: Graph, instagram: Graph, uploads: UploadHost) -> None:
        self._facebook = facebook
        self._instagram = instagram
        self._uploads = uploads

    def graph(self, credentials: Credentials) -> Graph:
        """The host of the product that granted the token."""
        return self._instagram if uses_instagram_login(credentials) else self._facebook

    async def create_child(self, publish: Publish) -> JsonObject:
        """Hand in the next image of a carousel by its public link."""
        children = names(publish.progress, "children")
        link = publish.media.public_url(publish.content.media[len(children)])
        form = steps.child_form(publish.content, len(children), link=link)
        return {"children": [*children, await self._create(publish, form)]}

    async def create_container(self, publish: Publish) -> JsonObject:
        """Make the container that will be published; a video of Facebook Login is uploaded into it afterwards."""
        content = publish.content
        uploads = steps.is_video(content) and not uses_instagram_login(publish.credentials)
        link = None if uploads or content.format == "carousel" else publish.media.public_url(content.media[0])
        children = names(publish.progress, "children")
        cover = publish.media.public_url(content.cover) if content.cover and content.format == "reel" else None
        form = steps.container_form(content, children, link=link, cover_link=cover)
        container_id = await self._create(publish, form)
        return {"container_id": container_id, "transfer": "upload" if uploads else "link"}

    async def _create(self, publish: Publish, form: dict[str, str]) -> str:
        # A second container is seen by nobody and expires after a day: creating is repeatable.
        body = await self.graph(publish.credentials).post(
            f"{publish.credentials.external_id}/media", token=_token(publish), form=form, repeatable=True
        )
        return read_id(body, repeatable=True)

    async def upload(self, publish: Publish) -> JsonObject:
        """Stream the video from the offset Meta was last known to have.

        An upload that breaks off is no error yet: the next step asks how much arrived.
        """
        path = f"ig-api-upload/{GRAPH_VERSION}/{_container(publish)}"
        return await send_rest(self._uploads, path, publish, publish.content.media[0])

    async def check_upload(self, publish: Publish) -> JsonObject:
        """Ask how many bytes of the video have arrived."""
        answer = await self.read_container(publish, _container(publish), also="video_status")
        _refuse_dead(answer, publish)
        if answer.get("status_code") == "FINISHED":
            return {"uploaded": True}
        return arrived(_object(_object(answer, "video_status"), "uploading_phase"))

    async def check_container(self, publish: Publish) -> JsonObject:
        """Ask whether the container is ready to be published."""
        answer = await self.read_container(publish, _container(publish))
        _refuse_dead(answer, publish)
        if answer.get("status_code") == "FINISHED":
            return {"ready": True}
        checks = count(publish.progress, "checks") + 1
        if checks >= steps.MAX_CHECKS:
            raise Transient("Instagram has not finished preparing the media.", code="not_ready", start_over=True)
        return {"checks": checks}

    async def publish(self, publish: Publish) -> JsonObject:
        """Make it public: the one call that is never repeated without looking first."""
        body = await self.graph(publish.credentials).post(
            f"{publish.credentials.external_id}/media_publish",
            token=_token(publish),
            form={"creation_id": _container(publish)},
            repeatable=False,
        )
        media_id = read_id(body, repeatable=False)
        if media_id == _container(publish):
            raise OutcomeUnknown("Instagram answered with the container's id instead of the post's.")
        return {"media_id": media_id}

    async def comment(self, publish: Publish) -> JsonObject:
        """Write the first comment: public at once, so never repeated without looking first."""
        body = await self.graph(publish.credentials).post(
            f"{text(publish.progress, 'media_id')}/comments",
            token=_token(publish),
            form={"message": steps.first_comment(publish.content)},
            repeatable=False,
        )
        return {"comment_id": read_id(body, repeatable=False)}

    async def list_comments(self, publish: Publish) -> tuple[LiveComment, ...]:
        """The newest comments under the live post."""
        answer = await self.graph(publish.credentials).get(
            f"{text(publish.progress, 'media_id')}/comments",
            token=_token(publish),
            fields=COMMENT_FIELDS,
            limit=str(COMMENT_PAGE),
        )
        return read_comments(answer.get("data"))

    async def read_permalink(self, publish: Publish) -> JsonObject:
        """Ask for the address of the live post."""
        media_id = text(publish.progress, "media_id") or ""
        tries: JsonObject = {"permalink_tries": count(publish.progress, "permalink_tries") + 1}
        try:
            answer = await self.graph(publish.credentials).get(media_id, token=_token(publish), fields="id,permalink")
        except Refused:
            # The post is live and its id is known: no refusal to show its address makes it anything else.
            return tries
        permalink = text(answer, "permalink")
        return {"permalink": permalink} if permalink else tries

    async def read_container(self, publish: Publish, container_id: str, *, also: str = "") -> JsonObject:
        """Status of a container; ``also`` names further fields. It never says which post came of it."""
        fields = "status_code,status" + (f",{also}" if also else "")
        return await self.graph(publish.credentials).get(container_id, token=_token(publish), fields=fields)

    async def list_media(self, publish: Publish) -> list[LiveMedium]:
        """The account's posts (or stories) since shortly before the publish began, newest first."""
        edge = "stories" if publish.content.format == "story" else "media"
        listed: list[LiveMedium] = []
        page: dict[str, str] = {}
        since = str(int(window_start(publish).timestamp()))
        for _ in range(_MAX_PAGES):
            answer = await self.graph(publish.credentials).get(
                f"{publish.credentials.external_id}/{edge}",
                token=_token(publish),
                fields=LISTED_FIELDS,
                since=since,
                limit=str(_PAGE),
                **page,
            )
            media = read_list(answer.get("data"))
            listed += media
            # Meta's ``next`` address carries the token: only its cursor is taken.
            paging = _object(answer, "paging")
            after = text(_object(paging, "cursors"), "after")
            is_last = "next" not in paging or after is None
            if is_last or any(medium.published_at < window_start(publish) for medium in media):
                break
            page = {"after": after or ""}
        return listed


def uses_instagram_login(credentials: Credentials) -> bool:
    """Whether the token is Instagram Login's; anything else, None too, is Facebook Login's."""
    return credentials.login == "instagram"


def _token(publish: Publish) -> str:
    return publish.credentials.access_token


def _container(publish: Publish) -> str:
    container_id = text(publish.progress, "container_id")
    if container_id is None:
        raise ValueError("this step needs a container_id in the progress")
    return container_id


def _object(values: JsonObject, name: str) -> JsonObject:
    value = values.get(name)
    return value if isinstance(value, dict) else {}


def _refuse_dead(answer: JsonObject, publish: Publish) -> None:
    """Raise unless the container can still be published."""
    match answer.get("status_code"):
        case "ERROR":
            raise container_error(str(answer.get("status")), secrets=(_token(publish),))
        case "EXPIRED":
            raise Transient("The container has expired.", code="container_expired", start_over=True)
        case "PUBLISHED":
            raise OutcomeUnknown("The container was published already.")
