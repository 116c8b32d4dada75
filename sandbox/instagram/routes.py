"""Instagram's addresses, the same under both login products, each call with the name that faults know it by."""

import time

from fastapi import APIRouter, Request
from starlette.responses import Response

from sandbox.faults import NamedRoute
from sandbox.graph_call import GraphCall, answer
from sandbox.graph_errors import GraphError, bad_parameter, no_such_object
from sandbox.instagram import publishing, reading, rules
from sandbox.instagram.containers import PLATFORM
from sandbox.instagram.insights import insights
from sandbox.instagram.upload import UPLOAD, upload
from sandbox.posts import (
    Comment,
    add_comment,
    hide_comment,
    list_comments,
    read_comment,
    remove_comment,
    remove_post,
)
from sandbox.store import Node
from sandbox.world import world_of


def _route(name: str, method: str, does: str) -> NamedRoute:
    return NamedRoute(name=f"instagram.{name}", dialect="graph", method=method, does=does)


CREATE_CONTAINER = _route("create_container", "POST", "hand a medium in: POST /{ig}/media")
MEDIA_PUBLISH = _route("media_publish", "POST", "put a container live: POST /{ig}/media_publish")
CONTAINER_STATUS = _route("container_status", "GET", "ask how a container is: GET /{container}")
LIST_MEDIA = _route("list_media", "GET", "list what is live: GET /{ig}/media")
LIST_STORIES = _route("list_stories", "GET", "list the stories of 24 hours: GET /{ig}/stories")
GET_MEDIA = _route("get_media", "GET", "ask about a live post: GET /{media}")
MEDIA_INSIGHTS = _route("media_insights", "GET", "ask what was counted of a post: GET /{media}/insights")
DELETE_MEDIA = _route("delete_media", "DELETE", "take a post down: DELETE /{media} (Facebook Login only)")
CHANGE_MEDIA = _route("change_media", "POST", "allow or forbid comments: POST /{media}?comment_enabled=")
COMMENT = _route("comment", "POST", "write under a post: POST /{media}/comments")
LIST_COMMENTS = _route("list_comments", "GET", "read what was written: GET /{media}/comments")
REPLY = _route("reply", "POST", "answer a comment: POST /{comment}/replies")
LIST_REPLIES = _route("list_replies", "GET", "read the answers to a comment: GET /{comment}/replies")
GET_COMMENT = _route("get_comment", "GET", "ask about a comment: GET /{comment}")
HIDE_COMMENT = _route("hide_comment", "POST", "hide or show a comment: POST /{comment}?hide=")
DELETE_COMMENT = _route("delete_comment", "DELETE", "delete a comment: DELETE /{comment}")
PUBLISHING_LIMIT = _route("publishing_limit", "GET", "ask for the quota: GET /{ig}/content_publishing_limit")
GET_ACCOUNT = _route("get_account", "GET", "ask about the account: GET /{ig} and GET /me")

ROUTES = (
    CREATE_CONTAINER,
    MEDIA_PUBLISH,
    CONTAINER_STATUS,
    LIST_MEDIA,
    LIST_STORIES,
    GET_MEDIA,
    MEDIA_INSIGHTS,
    DELETE_MEDIA,
    CHANGE_MEDIA,
    COMMENT,
    LIST_COMMENTS,
    REPLY,
    LIST_REPLIES,
    GET_COMMENT,
    HIDE_COMMENT,
    DELETE_COMMENT,
    PUBLISHING_LIMIT,
    GET_ACCOUNT,
    UPLOAD,
)

# Served under /{version}, or without it where Meta does so.
graph = APIRouter()
unversioned = APIRouter()
uploads = APIRouter()


def _node(request: Request, node_id: str) -> Node:
    """What the id stands for; of kind "account" when it was never given out by the sandbox itself."""
    node = world_of(request).store.node(node_id)
    return node or Node(id=node_id, kind="account", platform=PLATFORM, account=node_id)


@uploads.post("/ig-api-upload/{version}/{container_id}")
async def upload_video(request: Request, version: str, container_id: str) -> Response:  # noqa: ARG001 - any version
    """Receive a video."""
    return await upload(request, container_id)


@unversioned.get("/me")
@graph.get("/me")
async def me(request: Request) -> Response:
    """Who the token belongs to: the account with Instagram Login, a person with Facebook Login."""

    async def deed(call: GraphCall) -> dict[str, object]:
        call.living_token()
        mine = [account for account in call.accounts() if account.login == call.login]
        if call.login == "instagram":
            return reading.describe_account(call, mine[0])
        call.only({"fields"})
        return {"id": f"1{mine[0].external_id}", "name": f"The owner of {mine[0].name}"}

    return await answer(request, GET_ACCOUNT, "", deed)


@graph.post("/{account_id}/media")
async def create_container(request: Request, account_id: str) -> Response:
    """Hand a medium in."""
    return await answer(
        request,
        CREATE_CONTAINER,
        account_id,
        lambda call: publishing.create_container(call, account_id, request.path_params["version"]),
    )


@graph.post("/{account_id}/media_publish")
async def media_publish(request: Request, account_id: str) -> Response:
    """Put a container live."""
    return await answer(request, MEDIA_PUBLISH, account_id, lambda call: publishing.publish(call, account_id))


@graph.get("/{account_id}/media")
async def list_media(request: Request, account_id: str) -> Response:
    """List what is live."""

    async def deed(call: GraphCall) -> dict[str, object]:
        return reading.list_media(call, account_id)

    return await answer(request, LIST_MEDIA, account_id, deed)


@graph.get("/{account_id}/stories")
async def list_stories(request: Request, account_id: str) -> Response:
    """List the stories that are still up."""

    async def deed(call: GraphCall) -> dict[str, object]:
        return reading.list_media(call, account_id, stories=True)

    return await answer(request, LIST_STORIES, account_id, deed)


@graph.get("/{account_id}/content_publishing_limit")
async def publishing_limit(request: Request, account_id: str) -> Response:
    """Say how much of the quota is used."""

    async def deed(call: GraphCall) -> dict[str, object]:
        return reading.quota(call, account_id)

    return await answer(request, PUBLISHING_LIMIT, account_id, deed)


@graph.post("/{media_id}/comments")
async def comment(request: Request, media_id: str) -> Response:
    """Write under a post."""

    async def deed(call: GraphCall) -> dict[str, object]:
        medium = reading.find_medium(call, media_id)
        call.only({"message"})
        rules.check_comment(call.required("message"))
        if medium.post.kind == "STORIES":
            raise bad_parameter("A story takes no comments.")
        if not medium.post.details.get("comment_enabled", True):
            raise GraphError("(#10) Comments are disabled on this media.", code=10)
        return {"id": _write(call, medium.post.account, medium.post.id, parent_id=None)}

    return await answer(request, COMMENT, _node(request, media_id).account, deed)


@graph.get("/{media_id}/comments")
async def list_comments_of_media(request: Request, media_id: str) -> Response:
    """Read what was written under a post."""

    async def deed(call: GraphCall) -> dict[str, object]:
        medium = reading.find_medium(call, media_id)
        call.only({"fields", "limit"})
        return reading.comments_of(medium, call.parameters.get("fields", ""))

    return await answer(request, LIST_COMMENTS, _node(request, media_id).account, deed)


@graph.get("/{media_id}/insights")
async def media_insights(request: Request, media_id: str) -> Response:
    """Say what was counted of a post."""

    async def deed(call: GraphCall) -> dict[str, object]:
        return insights(call, reading.find_medium(call, media_id))

    return await answer(request, MEDIA_INSIGHTS, _node(request, media_id).account, deed)


@graph.post("/{comment_id}/replies")
async def reply(request: Request, comment_id: str) -> Response:
    """Answer a comment."""

    async def deed(call: GraphCall) -> dict[str, object]:
        parent = _own_comment(call, comment_id)
        call.only({"message"})
        # Instagram keeps one level: an answer to an answer hangs under the first comment.
        owner = _node(request, comment_id).account
        return {"id": _write(call, owner, parent.post_id, parent_id=parent.parent_id or parent.id)}

    return await answer(request, REPLY, _node(request, comment_id).account, deed)


@graph.get("/{comment_id}/replies")
async def list_replies(request: Request, comment_id: str) -> Response:
    """Read the answers to a comment."""

    async def deed(call: GraphCall) -> dict[str, object]:
        parent = _own_comment(call, comment_id)
        call.only({"fields", "limit"})
        fields = call.parameters.get("fields", "")
        written = list_comments(call.world.store, parent.post_id)
        return {"data": [reading.describe_comment(one, fields) for one in written if one.parent_id == parent.id]}

    return await answer(request, LIST_REPLIES, _node(request, comment_id).account, deed)


@graph.get("/{node_id}")
async def read_node(request: Request, node_id: str) -> Response:
    """Ask about a container, a live post, a comment or an account."""
    node = _node(request, node_id)

    async def deed(call: GraphCall) -> dict[str, object]:
        match node.kind:
            case "container":
                return reading.describe_container(call, node_id)
            case "comment":
                return reading.describe_comment(_own_comment(call, node_id), call.parameters.get("fields", ""))
            case "media" | "carousel_child":
                medium = reading.find_medium(call, node_id)
                call.only({"fields"})
                return reading.describe_medium(medium, call.parameters.get("fields", ""))
            case _:
                return reading.describe_account(call, call.account(node_id))

    names = {"container": CONTAINER_STATUS, "comment": GET_COMMENT, "account": GET_ACCOUNT}
    return await answer(request, names.get(node.kind, GET_MEDIA), node.account, deed)


@graph.post("/{node_id}")
async def change_node(request: Request, node_id: str) -> Response:
    """Hide a comment, or allow and forbid comments on a post."""
    node = _node(request, node_id)

    async def deed(call: GraphCall) -> dict[str, object]:
        if node.kind == "comment":
            _own_comment(call, node_id)
            call.only({"hide"})
            call.required("hide")
            hide_comment(call.world.store, node_id, hidden=call.flag("hide"))
            return {"success": True}
        medium = reading.find_medium(call, node_id)
        call.only({"comment_enabled"})
        call.required("comment_enabled")
        enabled = "true" if call.flag("comment_enabled") else "false"
        set_flag = "update posts set details = json_set(details, '$.comment_enabled', json(?)) where id = ?"
        call.world.store.run(set_flag, enabled, medium.post.id)
        return {"success": True}

    return await answer(request, HIDE_COMMENT if node.kind == "comment" else CHANGE_MEDIA, node.account, deed)


@graph.delete("/{node_id}")
async def delete_node(request: Request, node_id: str) -> Response:
    """Take a post down, or delete a comment."""
    node = _node(request, node_id)

    async def deed(call: GraphCall) -> dict[str, object]:
        if node.kind == "comment":
            _own_comment(call, node_id)
            remove_comment(call.world.store, node_id)
            return {"success": True}
        medium = reading.find_medium(call, node_id)
        call.only(())
        if call.login == "instagram":
            raise GraphError("(#10) Deleting media needs the Instagram API with Facebook Login.", code=10)
        if medium.picture is not None:
            raise bad_parameter("A picture of a carousel cannot be deleted by itself.")
        remove_post(call.world.store, node_id)
        return {"success": True}

    return await answer(request, DELETE_COMMENT if node.kind == "comment" else DELETE_MEDIA, node.account, deed)


def _own_comment(call: GraphCall, comment_id: str) -> Comment:
    found = read_comment(call.world.store, comment_id)
    node = call.world.store.node(comment_id)
    if found is None or node is None:
        raise no_such_object(comment_id, call.method)
    call.account(node.account)
    return found


def _write(call: GraphCall, account_id: str, post_id: str, *, parent_id: str | None) -> str:
    comment_id = call.world.store.new_node("comment", platform=PLATFORM, account=account_id)
    author = call.account(account_id).handle
    add_comment(
        call.world.store,
        Comment(
            id=comment_id,
            post_id=post_id,
            parent_id=parent_id,
            author=author,
            message=call.required("message"),
            written_at=time.time(),
            hidden=False,
        ),
    )
    return comment_id
