"""What can be asked of Instagram: containers, accounts, media, lists, quota."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.accounts import Account, find_account
from sandbox.graph_call import GraphCall
from sandbox.graph_errors import bad_parameter, no_such_object
from sandbox.graph_fields import OMITTED, Field, parse_fields, select
from sandbox.instagram.containers import DAY, PLATFORM, Container, published_since, read_container, status_of
from sandbox.posts import Comment, Picture, Post, list_comments, list_posts, post_with_picture, read_post

PAGE_SIZE, LARGEST_PAGE = 25, 100


@dataclass(frozen=True, kw_only=True)
class Medium:
    """A post, or one picture of a carousel when ``picture`` is set, as seen by a caller at ``base_url``."""

    call: GraphCall
    post: Post
    picture: Picture | None = None

    @property
    def first(self) -> Picture:
        """The picture itself, or the first of the post."""
        return self.picture or self.post.pictures[0]

    @property
    def is_video(self) -> bool:
        """By the content of its first picture."""
        return self.first.content_type.startswith("video/")


def stamp(seconds: float) -> str:
    """Graph's form of a time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def shortcode(media_id: str) -> str:
    """The id in URL-safe base 64, as Instagram does it."""
    return base64.urlsafe_b64encode(int(media_id).to_bytes(8, "big")).decode().strip("=").lstrip("A")


def media_id_of(code: str) -> str | None:
    """The id behind a shortcode; None when it is none."""
    try:
        return str(int.from_bytes(base64.urlsafe_b64decode(code.rjust(11, "A") + "="), "big"))
    except ValueError:
        return None


def permalink(base_url: str, post: Post) -> str:
    """Where people see it: the sandbox's own pages stand in for instagram.com."""
    return f"{base_url}/p/{shortcode(post.id)}/"


def asset_url(base_url: str, picture: Picture) -> str:
    """Where the bytes that were fetched can be seen again."""
    return f"{base_url}/_media/{picture.asset_id}"


def _media_type(medium: Medium) -> str:
    if medium.post.kind == "CAROUSEL" and medium.picture is None:
        return "CAROUSEL_ALBUM"
    return "VIDEO" if medium.is_video else "IMAGE"


def _thumbnail(medium: Medium) -> object:
    cover = medium.post.details.get("cover")
    if not medium.is_video:
        return OMITTED
    return f"{medium.call.base_url}/_media/{cover}" if cover else asset_url(medium.call.base_url, medium.first)


def product_type(post: Post) -> str:
    """FEED, REELS or STORY."""
    return {"REELS": "REELS", "STORIES": "STORY"}.get(post.kind, "FEED")


def _children(medium: Medium, inner: str) -> object:
    if medium.post.kind != "CAROUSEL" or medium.picture is not None:
        return OMITTED
    children = [Medium(call=medium.call, post=medium.post, picture=picture) for picture in medium.post.pictures]
    return {"data": [describe_medium(child, inner) for child in children]}


def _handle(medium: Medium) -> str:
    account = find_account(medium.call.world.store, medium.post.account)
    return account.handle if account else ""


def describe_comment(comment: Comment, fields: str) -> dict[str, object]:
    """A comment's fields."""
    return select(comment, fields, fields=COMMENT_FIELDS, default="timestamp,text,id", node_type="IGComment")


def comments_of(medium: Medium, fields: str) -> dict[str, object]:
    """Top-level comments, newest first."""
    comments = [c for c in list_comments(medium.call.world.store, medium.post.id) if c.parent_id is None]
    newest = comments[::-1][: medium.call.number("limit", default=PAGE_SIZE)]
    return {"data": [describe_comment(comment, fields) for comment in newest]}


COMMENT_FIELDS: dict[str, Field[Comment]] = {
    "id": lambda comment, _: comment.id,
    "text": lambda comment, _: comment.message,
    "timestamp": lambda comment, _: stamp(comment.written_at),
    "username": lambda comment, _: comment.author,
    "hidden": lambda comment, _: comment.hidden,
    "like_count": lambda _comment, _: 0,
    "parent_id": lambda comment, _: comment.parent_id or OMITTED,
    "media": lambda comment, _: {"id": comment.post_id},
}

MEDIUM_FIELDS: dict[str, Field[Medium]] = {
    "id": lambda medium, _: medium.picture.node_id if medium.picture else medium.post.id,
    "ig_id": lambda medium, _: medium.post.id,
    "caption": lambda medium, _: OMITTED if medium.picture or not medium.post.caption else medium.post.caption,
    "permalink": lambda medium, _: permalink(medium.call.base_url, medium.post),
    "shortcode": lambda medium, _: shortcode(medium.post.id),
    "timestamp": lambda medium, _: stamp(medium.post.published_at),
    "username": lambda medium, _: _handle(medium),
    "owner": lambda medium, _: {"id": medium.post.account},
    "media_type": lambda medium, _: _media_type(medium),
    "media_product_type": lambda medium, _: product_type(medium.post),
    "media_url": lambda medium, _: asset_url(medium.call.base_url, medium.first),
    "thumbnail_url": lambda medium, _: _thumbnail(medium),
    "alt_text": lambda medium, _: medium.first.alt_text or OMITTED,
    "like_count": lambda medium, _: medium.post.like_count,
    "comments_count": lambda medium, _: medium.post.comments_count,
    "is_comment_enabled": lambda medium, _: medium.post.details.get("comment_enabled", True),
    "is_shared_to_feed": lambda medium, _: medium.post.details.get("share_to_feed", True),
    "children": _children,
    "comments": comments_of,
}

CONTAINER_FIELDS: dict[str, Field[tuple[GraphCall, Container]]] = {
    "id": lambda pair, _: pair[1].id,
    "status_code": lambda pair, _: status_of(pair[0].world.store, pair[1], pair[0].now).code,
    "status": lambda pair, _: status_of(pair[0].world.store, pair[1], pair[0].now).text,
    "copyright_check_status": lambda _pair, _: {"status": "completed", "matches_found": False},
    "video_status": lambda pair, _: _video_status(*pair) if pair[1].is_upload else OMITTED,
}

ACCOUNT_FIELDS: dict[str, Field[tuple[GraphCall, Account]]] = {
    "id": lambda pair, _: pair[1].external_id,
    "user_id": lambda pair, _: pair[1].external_id if pair[1].login == "instagram" else OMITTED,
    "ig_id": lambda pair, _: pair[1].external_id,
    "username": lambda pair, _: pair[1].handle,
    "name": lambda pair, _: pair[1].name,
    "account_type": lambda pair, _: "BUSINESS" if pair[1].login == "instagram" else OMITTED,
    "biography": lambda _pair, _: "An account of the sandbox.",
    "website": lambda _pair, _: OMITTED,
    "profile_picture_url": lambda _pair, _: OMITTED,
    "followers_count": lambda _pair, _: 0,
    "follows_count": lambda _pair, _: 0,
    "media_count": lambda pair, _: len(_own_posts(pair[0], pair[1].external_id)),
}


def _video_status(call: GraphCall, container: Container) -> dict[str, object]:
    uploaded = container.ready_at is not None
    state = status_of(call.world.store, container, call.now).code
    return {
        "uploading_phase": {
            "status": "complete" if uploaded else "in_progress",
            "bytes_transferred": container.upload_received,
        },
        "processing_phase": {
            "status": {"FINISHED": "complete", "PUBLISHED": "complete", "ERROR": "error"}.get(
                state, "in_progress" if uploaded else "not_started"
            )
        },
    }


def describe_container(call: GraphCall, container_id: str) -> dict[str, object]:
    """GET /{container}: never which medium came of it."""
    container = read_container(call.world.store, container_id)
    if container is None:
        raise no_such_object(container_id, call.method)
    call.account(container.account)
    call.only({"fields"})
    fields = call.parameters.get("fields", "")
    return select((call, container), fields, fields=CONTAINER_FIELDS, default="id", node_type="IGContainer")


def describe_account(call: GraphCall, account: Account) -> dict[str, object]:
    """GET /{ig}, and GET /me with Instagram Login."""
    call.only({"fields"})
    fields = call.parameters.get("fields", "")
    return select((call, account), fields, fields=ACCOUNT_FIELDS, default="id", node_type="IGUser")


def describe_medium(medium: Medium, fields: str) -> dict[str, object]:
    """GET /{media}."""
    return select(medium, fields, fields=MEDIUM_FIELDS, default="id", node_type="IGMedia")


def find_medium(call: GraphCall, media_id: str) -> Medium:
    """A live post of the caller's, or a picture of its carousel."""
    post = read_post(call.world.store, media_id) or post_with_picture(call.world.store, media_id)
    if post is None or post.platform != PLATFORM:
        raise no_such_object(media_id, call.method)
    call.account(post.account)
    picture = next((p for p in post.pictures if p.node_id == media_id != post.id), None)
    return Medium(call=call, post=post, picture=picture)


def _own_posts(call: GraphCall, account_id: str, *, stories: bool = False) -> list[Post]:
    posts = list_posts(call.world.store, platform=PLATFORM, account=account_id)
    if stories:
        return [post for post in posts if post.kind == "STORIES" and post.published_at > call.now - DAY]
    return [post for post in posts if post.kind != "STORIES"]


def list_media(call: GraphCall, account_id: str, *, stories: bool = False) -> dict[str, object]:
    """GET /{ig}/media and /{ig}/stories, newest first, a page at a time."""
    call.account(account_id)
    call.only({"fields", "since", "until", "limit", "after", "before"})
    since, until = call.moment("since"), call.moment("until")
    posts = [
        post
        for post in _own_posts(call, account_id, stories=stories)
        if (since is None or post.published_at >= since) and (until is None or post.published_at <= until)
    ]
    limit = call.number("limit", default=PAGE_SIZE)
    if not 1 <= limit <= LARGEST_PAGE:
        raise bad_parameter(f"Param limit must lie between 1 and {LARGEST_PAGE}.")
    start = _after(call, posts)
    page = posts[start : start + limit]
    fields = call.parameters.get("fields", "")
    data = [describe_medium(Medium(call=call, post=post), fields) for post in page]
    if not page:
        return {"data": data}
    return {"data": data, "paging": _paging(call, page, more=start + limit < len(posts))}


def _after(call: GraphCall, posts: Sequence[Post]) -> int:
    cursor = call.parameters.get("after")
    if not cursor:
        return 0
    try:
        last = base64.urlsafe_b64decode(cursor).decode()
    except ValueError:
        raise bad_parameter("Invalid cursor.") from None
    # Newest first and ids that grow: what comes after the cursor has a smaller id, even if its post is gone.
    return next((position for position, post in enumerate(posts) if int(post.id) < int(last)), len(posts))


def _paging(call: GraphCall, page: Sequence[Post], *, more: bool) -> dict[str, object]:
    before, after = (base64.urlsafe_b64encode(post.id.encode()).decode() for post in (page[0], page[-1]))
    paging: dict[str, object] = {"cursors": {"before": before, "after": after}}
    if more:
        paging["next"] = f"{call.base_url}{call.path}?after={after}"
    return paging


def quota(call: GraphCall, account_id: str) -> dict[str, object]:
    """GET /{ig}/content_publishing_limit; ``config`` has to be asked for."""
    call.account(account_id)
    call.only({"fields", "since"})
    since = call.moment("since")
    if since is not None and since < call.now - DAY:
        raise bad_parameter("Param since must be within the last 24 hours.")
    known: dict[str, object] = {
        "quota_usage": published_since(call.world.store, account_id, since or call.now - DAY),
        "config": {"quota_total": call.world.conditions.publish_quota, "quota_duration": DAY},
    }
    wanted = parse_fields(call.parameters.get("fields", "")) or {"quota_usage": ""}
    for name in wanted.keys() - known.keys():
        raise bad_parameter(f"Tried accessing nonexisting field ({name})")
    return {"data": [{name: known[name] for name in wanted}]}
