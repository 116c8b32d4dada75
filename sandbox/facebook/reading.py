"""What can be asked of a Page: itself, its posts, its photos and videos, and what is written under them."""

import base64
import re
from datetime import UTC, datetime

from sandbox.accounts import Account
from sandbox.facebook.publishing import page_of, publish_due
from sandbox.facebook.uploads import PLATFORM, Upload, films_of, read_upload
from sandbox.graph_call import GraphCall
from sandbox.graph_errors import bad_parameter, no_such_object
from sandbox.graph_fields import OMITTED, Field, select
from sandbox.posts import Comment, Picture, Post, list_comments, list_posts, read_post

PAGE_SIZE, LARGEST_PAGE = 25, 100
# ``reactions.summary(true).limit(0)``: how an edge is asked for as a field; the sandbox always sums up.
_MODIFIERS = re.compile(r"\.\w+\([^)]*\)")


def stamp(seconds: float) -> str:
    """Graph's form of a time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def permalink(base_url: str, post_id: str) -> str:
    """Where people see it: the sandbox's own pages stand in for facebook.com."""
    return f"{base_url}/facebook/{post_id}"


def _attachments(pair: tuple[GraphCall, Post]) -> object:
    post = pair[1]
    if post.kind == "LINK":
        return {"data": [{"media_type": "link", "type": "share", "unshimmed_url": post.details.get("link", "")}]}
    if not post.pictures:
        return OMITTED
    if post.kind == "CAROUSEL":
        inner = [_attachment(picture) for picture in post.pictures]
        album = {"media_type": "album", "type": "album", "target": {"id": post.id}}
        return {"data": [album | {"subattachments": {"data": inner}}]}
    return {"data": [_attachment(post.pictures[0])]}


def _attachment(picture: Picture) -> dict[str, object]:
    is_photo = picture.content_type.startswith("image/")
    kind = ("photo", "photo") if is_photo else ("video", "video_inline")
    return {"media_type": kind[0], "type": kind[1], "target": {"id": picture.node_id}}


def _count(number: int) -> dict[str, object]:
    return {"data": [], "summary": {"total_count": number}}


POST_FIELDS: dict[str, Field[tuple[GraphCall, Post]]] = {
    "id": lambda pair, _: pair[1].id,
    "message": lambda pair, _: pair[1].caption or OMITTED,
    "created_time": lambda pair, _: stamp(pair[1].published_at),
    "permalink_url": lambda pair, _: permalink(pair[0].base_url, pair[1].id),
    "is_published": lambda _pair, _: True,
    "from": lambda pair, _: {"id": pair[1].account},
    "attachments": lambda pair, _: _attachments(pair),
    "reactions": lambda pair, _: _count(pair[1].like_count),
    "comments": lambda pair, _: _count(pair[1].comments_count),
    # Facebook leaves the field out while nobody has shared.
    "shares": lambda pair, _: {"count": pair[1].counts["shares"]} if pair[1].counts.get("shares") else OMITTED,
}

VIDEO_FIELDS: dict[str, Field[tuple[GraphCall, Upload]]] = {
    "id": lambda pair, _: pair[1].id,
    "description": lambda pair, _: pair[1].text or OMITTED,
    "title": lambda pair, _: pair[1].title or OMITTED,
    "created_time": lambda pair, _: stamp(pair[1].created_at),
    "published": lambda pair, _: pair[1].post_id is not None,
    "post_id": lambda pair, _: pair[1].post_id or OMITTED,
    "permalink_url": lambda pair, _: permalink(pair[0].base_url, pair[1].post_id) if pair[1].post_id else OMITTED,
    "status": lambda pair, _: _status(*pair),
}

PHOTO_FIELDS: dict[str, Field[Upload]] = {
    "id": lambda photo, _: photo.id,
    "alt_text_custom": lambda photo, _: photo.alt_text or OMITTED,
    "page_story_id": lambda photo, _: photo.post_id or OMITTED,
}

PAGE_FIELDS: dict[str, Field[Account]] = {
    "id": lambda page, _: page.external_id,
    "name": lambda page, _: page.name,
    "username": lambda page, _: page.handle,
    "followers_count": lambda _page, _: 0,
    "fan_count": lambda _page, _: 0,
}

COMMENT_FIELDS: dict[str, Field[tuple[Post, Comment]]] = {
    "id": lambda pair, _: pair[1].id,
    "message": lambda pair, _: pair[1].message,
    "created_time": lambda pair, _: stamp(pair[1].written_at),
    "from": lambda pair, _: {"id": pair[0].account, "name": pair[1].author},
    "is_hidden": lambda pair, _: pair[1].hidden,
}


def _status(call: GraphCall, film: Upload) -> dict[str, object]:
    uploaded = film.ready_at is not None
    processed = film.ready_at is not None and film.ready_at <= call.now
    failed = processed and bool(film.fails)
    word = "error" if failed else "ready" if processed else "processing" if uploaded else "uploading"
    processing: dict[str, object] = {
        "status": ("error" if failed else "complete" if processed else "in_progress") if uploaded else "not_started"
    }
    if failed:
        processing["error"] = {"message": "The video could not be processed."}
    publishing: dict[str, object] = {"status": "not_started"}
    if film.post_id is not None:
        publishing = {"status": "complete", "publish_status": "published", "publish_time": int(film.finished_at or 0)}
    elif film.finished_at is not None:
        publishing = {"status": "error", "publish_status": "error"} if failed else {"status": "in_progress"}
    return {
        "video_status": word,
        "uploading_phase": {
            "status": "complete" if uploaded else "in_progress",
            "bytes_transfered": film.upload_received,
        },
        "processing_phase": processing,
        "publishing_phase": publishing,
    }


def _fields(call: GraphCall) -> str:
    return _MODIFIERS.sub("", call.parameters.get("fields", ""))


def describe_page(call: GraphCall, page_id: str) -> dict[str, object]:
    """GET /{page}."""
    page = page_of(call, page_id)
    call.only({"fields"})
    return select(page, _fields(call), fields=PAGE_FIELDS, default="id,name", node_type="Page")


def find_post(call: GraphCall, post_id: str) -> Post:
    """A live post of the caller's; a video's own id leads to its post, too."""
    publish_due(call.world)
    upload = read_upload(call.world.store, post_id)
    post = read_post(call.world.store, (upload and upload.post_id) or post_id)
    if post is None or post.platform != PLATFORM:
        raise no_such_object(post_id, call.method)
    page_of(call, post.account)
    return post


def describe_post(call: GraphCall, post_id: str) -> dict[str, object]:
    """GET /{post}."""
    post = find_post(call, post_id)
    call.only({"fields"})
    return select((call, post), _fields(call), fields=POST_FIELDS, default="id,message,created_time", node_type="Post")


def describe_upload(call: GraphCall, upload_id: str) -> dict[str, object]:
    """GET /{video} and GET /{photo}."""
    publish_due(call.world)
    upload = read_upload(call.world.store, upload_id)
    if upload is None:
        raise no_such_object(upload_id, call.method)
    page_of(call, upload.account)
    call.only({"fields"})
    if upload.kind == "photo":
        return select(upload, _fields(call), fields=PHOTO_FIELDS, default="id", node_type="Photo")
    return select((call, upload), _fields(call), fields=VIDEO_FIELDS, default="id", node_type="Video")


def list_published(call: GraphCall, page_id: str) -> dict[str, object]:
    """GET /{page}/published_posts: newest first, a page at a time; stories are not posts."""
    page_of(call, page_id)
    call.only({"fields", "since", "until", "limit", "after"})
    publish_due(call.world)
    since, until = call.moment("since"), call.moment("until")
    listed_by = call.now - call.world.conditions.facebook_list_lag_seconds
    posts = [
        post
        for post in list_posts(call.world.store, platform=PLATFORM, account=page_id)
        if post.kind != "STORIES"
        and post.published_at <= listed_by
        and (since is None or post.published_at >= since)
        and (until is None or post.published_at <= until)
    ]
    limit = call.number("limit", default=PAGE_SIZE)
    if not 1 <= limit <= LARGEST_PAGE:
        raise bad_parameter(f"Param limit must lie between 1 and {LARGEST_PAGE}.")
    start = _position(call)
    fields = _fields(call)
    default = "id,message,created_time"
    page = posts[start : start + limit]
    data = [select((call, post), fields, fields=POST_FIELDS, default=default, node_type="Post") for post in page]
    if start + limit >= len(posts):
        return {"data": data}
    after = base64.urlsafe_b64encode(str(start + limit).encode()).decode()
    return {"data": data, "paging": {"cursors": {"after": after}, "next": f"{call.base_url}{call.path}?after={after}"}}


def _position(call: GraphCall) -> int:
    cursor = call.parameters.get("after")
    try:
        return int(base64.urlsafe_b64decode(cursor)) if cursor else 0
    except ValueError:
        raise bad_parameter("Invalid cursor.") from None


def list_videos(call: GraphCall, page_id: str) -> dict[str, object]:
    """GET /{page}/videos?type=uploaded: processed or not, newest first; nobody tags a Page here."""
    page_of(call, page_id)
    call.only({"fields", "limit", "type"})
    if call.parameters.get("type", "tagged") != "uploaded":
        return {"data": []}
    publish_due(call.world)
    films = films_of(call.world.store, page_id)
    fields, default = _fields(call), "id,description,created_time"
    limit = call.number("limit", default=PAGE_SIZE)
    return {
        "data": [
            select((call, film), fields, fields=VIDEO_FIELDS, default=default, node_type="Video")
            for film in films[:limit]
        ]
    }


def list_comments_of(call: GraphCall, post_id: str) -> dict[str, object]:
    """GET /{post}/comments: oldest first unless asked otherwise."""
    post = find_post(call, post_id)
    call.only({"fields", "limit", "order", "filter", "since"})
    comments = list_comments(call.world.store, post.id)
    if call.parameters.get("order") == "reverse_chronological":
        comments.reverse()
    limit = call.number("limit", default=PAGE_SIZE)
    fields, default = _fields(call), "id,message,created_time,from"
    return {
        "data": [
            select((post, comment), fields, fields=COMMENT_FIELDS, default=default, node_type="Comment")
            for comment in comments[:limit]
        ]
    }


def describe_comment(call: GraphCall, post: Post, comment: Comment) -> dict[str, object]:
    """GET /{comment}."""
    call.only({"fields"})
    return select((post, comment), _fields(call), fields=COMMENT_FIELDS, default="id,message", node_type="Comment")
