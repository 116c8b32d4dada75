"""What can be asked of TikTok: the creator, the user, the list of public posts, and posts by their ids."""

from collections.abc import Callable

from sandbox.posts import Post, list_posts
from sandbox.tiktok import rules
from sandbox.tiktok.calls import TikTokCall
from sandbox.tiktok.errors import TikTokError
from sandbox.tiktok.publications import PLATFORM

SHOWN_CHARACTERS = 150
LARGEST_PAGE = 20
OK = 200


def permalink(base_url: str, handle: str, post_id: str) -> str:
    """Where people see it: the sandbox's own pages stand in for tiktok.com."""
    return f"{base_url}/@{handle}/video/{post_id}"


async def creator_info(call: TikTokCall) -> dict[str, object]:
    """POST /v2/post/publish/creator_info/query/: says with HTTP 200 who may not post."""
    call.only()
    try:
        settings = rules.check_may_post(call)
    except TikTokError as error:
        raise TikTokError(error.code, error.message, status=OK) from None
    return {
        "creator_avatar_url": "",
        "creator_username": call.account.handle,
        "creator_nickname": call.account.name,
        "privacy_level_options": list(settings.privacy_levels),
        "comment_disabled": settings.comment_disabled,
        "duet_disabled": settings.duet_disabled,
        "stitch_disabled": settings.stitch_disabled,
        "max_video_post_duration_sec": settings.max_video_seconds,
    }


async def user_info(call: TikTokCall) -> dict[str, object]:
    """GET /v2/user/info/."""
    posts = _public(call)
    known: dict[str, object] = {
        "open_id": call.account.external_id,
        "union_id": f"union-{call.account.external_id}",
        "avatar_url": "",
        "display_name": call.account.name,
        "username": call.account.handle,
        "follower_count": 0,
        "following_count": 0,
        "likes_count": sum(post.like_count for post in posts),
        "video_count": len(posts),
    }
    return {"user": {name: known[name] for name in _fields(call, known)}}


async def list_videos(call: TikTokCall) -> dict[str, object]:
    """POST /v2/video/list/: public posts, newest first; the cursor is a moment in milliseconds."""
    call.only("cursor", "max_count")
    count, cursor = call.body.get("max_count", 10), call.body.get("cursor")
    if not isinstance(count, int) or not 1 <= count <= LARGEST_PAGE or not isinstance(cursor, int | None):
        raise TikTokError("invalid_params", f"max_count must lie between 1 and {LARGEST_PAGE}, cursor be a number.")
    before = [post for post in _public(call) if cursor is None or post.published_at * 1000 < cursor]
    page = before[:count]
    return {
        "videos": [_described(call, post) for post in page],
        "cursor": int(page[-1].published_at * 1000) if page else int(call.now * 1000),
        "has_more": len(before) > count,
    }


async def query_videos(call: TikTokCall) -> dict[str, object]:
    """POST /v2/video/query/: what is not there, or not the caller's, is silently left out."""
    call.only("filters")
    ids = call.part("filters").get("video_ids")
    if not isinstance(ids, list) or not 1 <= len(ids) <= LARGEST_PAGE:
        raise TikTokError("invalid_params", f"1 to {LARGEST_PAGE} video_ids.")
    return {"videos": [_described(call, post) for post in _public(call) if post.id in ids]}


def _public(call: TikTokCall) -> list[Post]:
    visible_until = call.now - call.world.conditions.tiktok_moderation_seconds
    return [
        post
        for post in list_posts(call.world.store, platform=PLATFORM, account=call.account.external_id)
        if post.details.get("privacy_level") == "PUBLIC_TO_EVERYONE" and post.published_at <= visible_until
    ]


def _described(call: TikTokCall, post: Post) -> dict[str, object]:
    return {name: VIDEO_FIELDS[name](call, post) for name in _fields(call, VIDEO_FIELDS)}


def _fields(call: TikTokCall, known: "dict[str, object] | dict[str, Shown]") -> tuple[str, ...]:
    if not call.fields or set(call.fields) - known.keys():
        raise TikTokError("invalid_params", f"fields must name some of {', '.join(known)}.")
    return call.fields


Shown = Callable[[TikTokCall, Post], object]

VIDEO_FIELDS: dict[str, Shown] = {
    "id": lambda _, post: post.id,
    "create_time": lambda _, post: int(post.published_at),
    "title": lambda _, post: str(post.details.get("title", ""))[:SHOWN_CHARACTERS],
    "video_description": lambda _, post: post.caption[:SHOWN_CHARACTERS],
    "duration": lambda _, post: 0 if post.kind == "PHOTO" else 12,
    "cover_image_url": lambda call, post: f"{call.base_url}/_media/{post.pictures[0].asset_id}",
    "share_url": lambda call, post: permalink(call.base_url, call.account.handle, post.id),
    "embed_link": lambda call, post: permalink(call.base_url, call.account.handle, post.id),
    "like_count": lambda _, post: post.like_count,
    "comment_count": lambda _, post: post.comments_count,
    "share_count": lambda _, post: post.counts.get("shares", 0),
    "view_count": lambda _, post: post.counts.get("views", 0),
}
