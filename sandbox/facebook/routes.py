"""A Page's addresses, each call with the name that faults know it by.

Instagram answers generic node addresses under the same prefix: the routes here step aside for whatever is not
Facebook's, so this router has to be included first.
"""

from collections.abc import Callable, Mapping

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from sandbox.facebook import publishing, reading
from sandbox.facebook.upload import UPLOAD, upload
from sandbox.facebook.uploads import PLATFORM
from sandbox.faults import NamedRoute
from sandbox.graph_call import GraphCall, answer
from sandbox.graph_errors import GraphError, no_such_object
from sandbox.posts import Comment, Post, add_comment, read_comment, remove_comment, remove_post
from sandbox.store import Node, Store
from sandbox.world import World, world_of


def _route(name: str, method: str, does: str) -> NamedRoute:
    return NamedRoute(name=f"facebook.{name}", dialect="graph", method=method, does=does)


CREATE_POST = _route("create_post", "POST", "publish a text, a link or photos: POST /{page}/feed")
CREATE_PHOTO = _route("create_photo", "POST", "hand a photo in, published or not: POST /{page}/photos")
CREATE_VIDEO = _route("create_video", "POST", "publish a video by its address: POST /{page}/videos")
START_REEL = _route("start_reel", "POST", "begin a reel: POST /{page}/video_reels?upload_phase=start")
FINISH_REEL = _route("finish_reel", "POST", "publish a reel: POST /{page}/video_reels?upload_phase=finish")
START_STORY = _route("start_story", "POST", "begin a video story: POST /{page}/video_stories?upload_phase=start")
FINISH_STORY = _route("finish_story", "POST", "publish a video story: POST /{page}/video_stories?upload_phase=finish")
PHOTO_STORY = _route("photo_story", "POST", "publish a photo story: POST /{page}/photo_stories")
LIST_POSTS = _route("list_posts", "GET", "list what is live: GET /{page}/published_posts")
LIST_VIDEOS = _route("list_videos", "GET", "list the videos: GET /{page}/videos")
GET_POST = _route("get_post", "GET", "ask about a live post: GET /{post}")
GET_VIDEO = _route("get_video", "GET", "ask how a video or a photo is: GET /{video}")
GET_PAGE = _route("get_page", "GET", "ask about the Page: GET /{page}")
DELETE_POST = _route("delete_post", "DELETE", "take a post down: DELETE /{post}")
COMMENT = _route("comment", "POST", "write under a post: POST /{post}/comments")
LIST_COMMENTS = _route("list_comments", "GET", "read what was written: GET /{post}/comments")
GET_COMMENT = _route("get_comment", "GET", "ask about a comment: GET /{comment}")
DELETE_COMMENT = _route("delete_comment", "DELETE", "delete a comment: DELETE /{comment}")

ROUTES = (
    CREATE_POST,
    CREATE_PHOTO,
    CREATE_VIDEO,
    START_REEL,
    FINISH_REEL,
    START_STORY,
    FINISH_STORY,
    PHOTO_STORY,
    LIST_POSTS,
    LIST_VIDEOS,
    GET_POST,
    GET_VIDEO,
    GET_PAGE,
    DELETE_POST,
    COMMENT,
    LIST_COMMENTS,
    GET_COMMENT,
    DELETE_COMMENT,
    UPLOAD,
)


class FacebookRoute(APIRoute):
    """A route that matches only when the node in the address is Facebook's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Look the node up before saying yes."""
        match, child = super().matches(scope)
        if match is not Match.NONE:
            app = scope["app"]
            assert isinstance(app, FastAPI)
            world: World = app.state.world
            if _node(world.store, child["path_params"]["node_id"]) is None:
                return Match.NONE, {}
        return match, child


graph = APIRouter(route_class=FacebookRoute)
uploads = APIRouter()


def _node(store: Store, node_id: str) -> Node | None:
    """What an id stands for ("page", "post", "photo", "video", "comment"); None when it is not Facebook's."""
    is_page = store.one("select 1 from accounts where platform = ? and external_id = ?", PLATFORM, node_id)
    if is_page is not None:
        return Node(id=node_id, kind="page", platform=PLATFORM, account=node_id)
    node = store.node(node_id.rpartition("_")[2])
    return node if node is not None and node.platform == PLATFORM else None


def _owned(request: Request, node_id: str) -> Node:
    node = _node(world_of(request).store, node_id)
    assert node is not None  # FacebookRoute has looked
    return node


async def _answer(
    request: Request, route: NamedRoute, node_id: str, deed: Callable[[GraphCall, str], Mapping[str, object]]
) -> Response:
    async def do(call: GraphCall) -> Mapping[str, object]:
        if call.login != "facebook":
            raise GraphError(f"Unknown path components: {call.path}", code=2500)
        return deed(call, node_id)

    return await answer(request, route, _owned(request, node_id).account, do)


@uploads.post("/video-upload/{version}/{video_id}")
async def upload_video(request: Request, version: str, video_id: str) -> Response:  # noqa: ARG001 - any version
    """Receive a reel or a video story."""
    return await upload(request, video_id)


@graph.post("/{node_id}/feed")
async def create_post(request: Request, node_id: str) -> Response:
    """Publish a text, a link or photos."""
    return await _answer(request, CREATE_POST, node_id, publishing.create_post)


@graph.post("/{node_id}/photos")
async def create_photo(request: Request, node_id: str) -> Response:
    """Hand a photo in."""
    return await answer(request, CREATE_PHOTO, node_id, lambda call: publishing.create_photo(call, node_id))


@graph.post("/{node_id}/videos")
async def create_video(request: Request, node_id: str) -> Response:
    """Publish a video."""
    return await answer(request, CREATE_VIDEO, node_id, lambda call: publishing.create_video(call, node_id))


@graph.get("/{node_id}/videos")
async def list_videos(request: Request, node_id: str) -> Response:
    """List the videos."""
    return await _answer(request, LIST_VIDEOS, node_id, reading.list_videos)


@graph.post("/{node_id}/video_reels")
async def reels(request: Request, node_id: str) -> Response:
    """Begin or publish a reel."""
    route = FINISH_REEL if await _phase(request) == "finish" else START_REEL
    return await _answer(request, route, node_id, lambda call, page: publishing.film_edge(call, page, kind="reel"))


@graph.post("/{node_id}/video_stories")
async def video_stories(request: Request, node_id: str) -> Response:
    """Begin or publish a video story."""
    route = FINISH_STORY if await _phase(request) == "finish" else START_STORY
    return await _answer(request, route, node_id, lambda call, page: publishing.film_edge(call, page, kind="story"))


async def _phase(request: Request) -> str:
    form = await request.form()
    return str(form.get("upload_phase") or request.query_params.get("upload_phase", ""))


@graph.post("/{node_id}/photo_stories")
async def photo_stories(request: Request, node_id: str) -> Response:
    """Publish a photo story."""
    return await _answer(request, PHOTO_STORY, node_id, publishing.create_photo_story)


@graph.get("/{node_id}/published_posts")
async def published_posts(request: Request, node_id: str) -> Response:
    """List what is live."""
    return await _answer(request, LIST_POSTS, node_id, reading.list_published)


@graph.post("/{node_id}/comments")
async def comment(request: Request, node_id: str) -> Response:
    """Write under a post."""
    return await _answer(request, COMMENT, node_id, _write)


@graph.get("/{node_id}/comments")
async def list_comments(request: Request, node_id: str) -> Response:
    """Read what was written under a post."""
    return await _answer(request, LIST_COMMENTS, node_id, reading.list_comments_of)


@graph.get("/{node_id}")
async def read_node(request: Request, node_id: str) -> Response:
    """Ask about a Page, a post, a photo, a video or a comment."""
    node = _owned(request, node_id)
    match node.kind:
        case "page":
            return await _answer(request, GET_PAGE, node_id, reading.describe_page)
        case "post":
            return await _answer(request, GET_POST, node_id, reading.describe_post)
        case "comment":
            return await _answer(request, GET_COMMENT, node_id, _describe_comment)
        case _:
            return await _answer(request, GET_VIDEO, node_id, reading.describe_upload)


@graph.delete("/{node_id}")
async def delete_node(request: Request, node_id: str) -> Response:
    """Take a post down, or delete a comment."""
    is_comment = _owned(request, node_id).kind == "comment"
    return await _answer(request, DELETE_COMMENT if is_comment else DELETE_POST, node_id, _delete)


def _own_comment(call: GraphCall, comment_id: str) -> tuple[Post, Comment]:
    found = read_comment(call.world.store, comment_id)
    if found is None:
        raise no_such_object(comment_id, call.method)
    return reading.find_post(call, found.post_id), found


def _describe_comment(call: GraphCall, comment_id: str) -> dict[str, object]:
    post, found = _own_comment(call, comment_id)
    return reading.describe_comment(call, post, found)


def _delete(call: GraphCall, node_id: str) -> dict[str, object]:
    call.only(())
    if read_comment(call.world.store, node_id) is not None:
        _own_comment(call, node_id)
        remove_comment(call.world.store, node_id)
    else:
        remove_post(call.world.store, reading.find_post(call, node_id).id)
    return {"success": True}


def _write(call: GraphCall, post_id: str) -> dict[str, object]:
    post = reading.find_post(call, post_id)
    call.only({"message", "attachment_url"})
    store = call.world.store
    node = store.new_node("comment", platform=PLATFORM, account=post.account)
    written = Comment(
        id=f"{post.id.rpartition('_')[2]}_{node}",
        post_id=post.id,
        parent_id=None,
        author=call.account(post.account).handle,
        message=call.required("message"),
        written_at=call.now,
        hidden=False,
    )
    add_comment(store, written)
    return {"id": written.id}
