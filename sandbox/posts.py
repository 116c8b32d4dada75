"""What is live: posts with their pictures and comments, the same for every network."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.store import Store

# What an audience does, on every network: "comments" are those of others, besides the ones that were written here.
COUNTERS = ("views", "reach", "likes", "comments", "shares", "saves")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One image or video of a post; ``node_id`` is its own media id (the post's, unless it is in a carousel)."""

    node_id: str
    asset_id: int
    content_type: str
    alt_text: str


@dataclass(frozen=True, kw_only=True)
class Post:
    """A live post; ``published_at`` in unix seconds, ``details`` are the network's own.

    ``counts`` are what its pretended audience did, by the names of ``COUNTERS``: what is not there was never counted.
    """

    id: str
    platform: str
    account: str
    kind: str
    caption: str
    published_at: float
    like_count: int
    pictures: tuple[Picture, ...]
    comments_count: int
    details: dict[str, object] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Comment:
    """What somebody wrote under a post; ``parent_id`` is set for a reply."""

    id: str
    post_id: str
    parent_id: str | None
    author: str
    message: str
    written_at: float
    hidden: bool


@dataclass(frozen=True, kw_only=True)
class NewPicture:
    """A picture about to go live."""

    node_id: str
    asset_id: int
    alt_text: str = ""


def keep_asset(store: Store, content: bytes, *, content_type: str) -> int:
    """Keep the bytes the network fetched."""
    cursor = store.run("insert into assets (content_type, content) values (?, ?)", content_type, content)
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def read_asset(store: Store, asset_id: int) -> tuple[str, bytes] | None:
    """Content type and bytes; None when there is no such asset."""
    row = store.one("select content_type, content from assets where id = ?", asset_id)
    return None if row is None else (row["content_type"], row["content"])


def add_post(store: Store, post: Post, pictures: list[NewPicture]) -> None:
    """Make a post live; ``pictures`` and counts of ``post`` itself are not looked at."""
    store.run(
        """insert into posts (id, platform, account, kind, caption, published_at, details)
        values (?, ?, ?, ?, ?, ?, ?)""",
        post.id,
        post.platform,
        post.account,
        post.kind,
        post.caption,
        post.published_at,
        json.dumps(post.details),
    )
    for position, picture in enumerate(pictures):
        store.run(
            "insert into pictures (post_id, position, node_id, asset_id, alt_text) values (?, ?, ?, ?, ?)",
            post.id,
            position,
            picture.node_id,
            picture.asset_id,
            picture.alt_text,
        )


def set_counts(store: Store, post_id: str, counts: Mapping[str, int]) -> bool:
    """Let a post have been seen and liked so often; False when there is no such post. Other counters stay."""
    if store.one("select 1 from posts where id = ?", post_id) is None:
        return False
    with store.transaction():
        for name, value in counts.items():
            assert name in COUNTERS
            store.run(
                "insert or replace into post_counts (post_id, name, value) values (?, ?, ?)", post_id, name, value
            )
        if "likes" in counts:
            store.run("update posts set like_count = ? where id = ?", counts["likes"], post_id)
    return True


def remove_post(store: Store, post_id: str) -> None:
    """Take a post down, with its comments."""
    store.run("delete from posts where id = ?", post_id)


def read_post(store: Store, post_id: str) -> Post | None:
    """The live post of this id; None when it is gone or never was."""
    rows = store.all("select * from posts where id = ?", post_id)
    return next(iter(_posts(store, rows)), None)


def post_with_picture(store: Store, node_id: str) -> Post | None:
    """The live post that holds this carousel child."""
    row = store.one("select post_id from pictures where node_id = ?", node_id)
    return None if row is None else read_post(store, row["post_id"])


def list_posts(store: Store, *, platform: str | None = None, account: str | None = None) -> list[Post]:
    """Everything live, newest first; None means any."""
    rows = store.all(
        """select * from posts where (?1 is null or platform = ?1) and (?2 is null or account = ?2)
        order by published_at desc, id desc""",
        platform,
        account,
    )
    return _posts(store, rows)


def _posts(store: Store, rows: list[sqlite3.Row]) -> list[Post]:
    posts = []
    for row in map(dict, rows):
        pictures = store.all(
            """select node_id, asset_id, content_type, alt_text from pictures join assets on assets.id = asset_id
            where post_id = ? order by position""",
            row["id"],
        )
        counts = {
            counter["name"]: counter["value"]
            for counter in store.all("select name, value from post_counts where post_id = ?", row["id"])
        }
        count = store.one("select count(*) as n from comments where post_id = ?", row["id"])
        posts.append(
            Post(
                **row | {"details": json.loads(row["details"])},
                pictures=tuple(Picture(**picture) for picture in pictures),
                comments_count=(count["n"] if count else 0) + counts.get("comments", 0),
                counts=counts,
            )
        )
    return posts


def add_comment(store: Store, comment: Comment) -> None:
    """Write a comment or a reply."""
    store.run(
        "insert into comments (id, post_id, parent_id, author, message, written_at, hidden) values (?,?,?,?,?,?,?)",
        comment.id,
        comment.post_id,
        comment.parent_id,
        comment.author,
        comment.message,
        comment.written_at,
        comment.hidden,
    )


def read_comment(store: Store, comment_id: str) -> Comment | None:
    """The comment of this id; None when it is gone."""
    row = store.one("select * from comments where id = ?", comment_id)
    return None if row is None else Comment(**dict(row) | {"hidden": bool(row["hidden"])})


def list_comments(store: Store, post_id: str) -> list[Comment]:
    """Comments and replies of a post, oldest first."""
    rows = store.all("select * from comments where post_id = ? order by written_at, id", post_id)
    return [Comment(**dict(row) | {"hidden": bool(row["hidden"])}) for row in rows]


def hide_comment(store: Store, comment_id: str, *, hidden: bool) -> None:
    """Hide a comment, or show it again."""
    store.run("update comments set hidden = ? where id = ?", hidden, comment_id)


def remove_comment(store: Store, comment_id: str) -> None:
    """Delete a comment with its replies."""
    store.run("delete from comments where id = ?1 or parent_id = ?1", comment_id)
