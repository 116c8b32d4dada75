"""TikTok's addresses, each call with the name that faults know it by, and the strings behind them."""

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sandbox.accounts import find_account
from sandbox.faults import NamedRoute
from sandbox.tiktok import publishing, reading
from sandbox.tiktok.calls import answer
from sandbox.tiktok.publications import Creator, creator, set_creator
from sandbox.tiktok.tokens import REFRESH, refresh
from sandbox.tiktok.upload import UPLOAD, upload
from sandbox.world import world_of


def _route(name: str, method: str, does: str) -> NamedRoute:
    return NamedRoute(name=f"tiktok.{name}", dialect="tiktok", method=method, does=does)


CREATOR_INFO = _route("creator_info", "POST", "ask what the creator may post: /v2/post/publish/creator_info/query/")
INIT_VIDEO = _route("init_video", "POST", "announce a video: /v2/post/publish/video/init/")
INIT_INBOX = _route("init_inbox", "POST", "announce a draft: /v2/post/publish/inbox/video/init/")
INIT_CONTENT = _route("init_content", "POST", "announce photos: /v2/post/publish/content/init/")
STATUS = _route("status", "POST", "ask how a publish stands: /v2/post/publish/status/fetch/")
CANCEL = _route("cancel", "POST", "give a publish up: /v2/post/publish/cancel/")
USER_INFO = _route("user_info", "GET", "ask whose token it is: /v2/user/info/")
LIST_VIDEOS = _route("list_videos", "POST", "list public posts: /v2/video/list/")
QUERY_VIDEOS = _route("query_videos", "POST", "ask about posts by id: /v2/video/query/")

ROUTES = (
    CREATOR_INFO,
    INIT_VIDEO,
    INIT_INBOX,
    INIT_CONTENT,
    UPLOAD,
    STATUS,
    CANCEL,
    USER_INFO,
    LIST_VIDEOS,
    QUERY_VIDEOS,
    REFRESH,
)

api = APIRouter(prefix="/v2")
uploads = APIRouter()
strings = APIRouter(prefix="/_sandbox/tiktok")


@api.post("/post/publish/creator_info/query/")
async def creator_info(request: Request) -> Response:
    """Say what the creator may post."""
    return await answer(request, CREATOR_INFO, reading.creator_info)


@api.post("/post/publish/video/init/")
async def init_video(request: Request) -> Response:
    """Begin a video post."""
    return await answer(request, INIT_VIDEO, publishing.init_video)


@api.post("/post/publish/inbox/video/init/")
async def init_inbox(request: Request) -> Response:
    """Begin a draft."""
    return await answer(request, INIT_INBOX, publishing.init_inbox)


@api.post("/post/publish/content/init/")
async def init_content(request: Request) -> Response:
    """Begin a photo post."""
    return await answer(request, INIT_CONTENT, publishing.init_content)


@api.post("/post/publish/status/fetch/")
async def status(request: Request) -> Response:
    """Say how a publish stands."""
    return await answer(request, STATUS, publishing.status)


@api.post("/post/publish/cancel/")
async def cancel(request: Request) -> Response:
    """Give a publish up."""
    return await answer(request, CANCEL, publishing.cancel)


@api.get("/user/info/")
async def user_info(request: Request) -> Response:
    """Say whose token it is."""
    return await answer(request, USER_INFO, reading.user_info)


@api.post("/video/list/")
async def list_videos(request: Request) -> Response:
    """List public posts."""
    return await answer(request, LIST_VIDEOS, reading.list_videos)


@api.post("/video/query/")
async def query_videos(request: Request) -> Response:
    """Describe posts by id."""
    return await answer(request, QUERY_VIDEOS, reading.query_videos)


@api.post("/oauth/token/")
async def token(request: Request) -> Response:
    """Trade a refresh token for new tokens."""
    return await refresh(request)


@uploads.put("/video/")
async def upload_chunk(request: Request) -> Response:
    """Take a chunk."""
    return await upload(request)


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CreatorChange(_Given):
    """How an account is set from now on; what is None stays."""

    external_id: str
    private: bool | None = None
    comment_disabled: bool | None = None
    duet_disabled: bool | None = None
    stitch_disabled: bool | None = None
    banned: bool | None = None
    max_video_seconds: int | None = Field(None, ge=1)


class Older(_Given):
    """How much older a publish becomes."""

    seconds: float = Field(gt=0)


@strings.post("/creators")
async def change_creator(request: Request, given: CreatorChange) -> dict[str, object]:
    """Make an account private, ban it, switch its comments off."""
    store = world_of(request).store
    changed = vars(creator(store, given.external_id)) | given.model_dump(exclude={"external_id"}, exclude_none=True)
    set_creator(store, given.external_id, Creator(**changed))
    return changed


@strings.post("/publications/{publish_id}/age")
async def age_publication(request: Request, publish_id: str, given: Older) -> dict[str, object]:
    """Make a publish older, so that nobody has to wait an hour to see its upload address die."""
    store = world_of(request).store
    changed = store.run(
        "update tiktok_publications set created_at = created_at - ? where id = ?", given.seconds, publish_id
    )
    if changed.rowcount != 1:
        raise HTTPException(404, "No such publish_id.")
    return {"aged": True}


@strings.get("/inbox")
async def inbox(request: Request, account: str) -> dict[str, object]:
    """The drafts that wait for a person in the account's app."""
    world = world_of(request)
    found = find_account(world.store, account)
    if found is None:
        raise HTTPException(404, f"No account {account} lives in this sandbox.")
    return {"items": publishing.drafts(world, found.external_id)}
