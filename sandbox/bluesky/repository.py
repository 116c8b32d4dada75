"""What an account's repository holds: records under their keys, and the blobs that records may bear."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.bluesky.cids import cid_of_bytes, cid_of_record
from sandbox.posts import NewPicture, Post, add_post, keep_asset, read_post, remove_post
from sandbox.store import Store

PLATFORM = "bluesky"
COLLECTION = "app.bsky.feed.post"
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"

SCHEMA = """
create table if not exists bluesky_records (
    account text not null,
    rkey text not null,
    cid text not null,
    value text not null,
    written_at real not null,
    primary key (account, rkey)
);
create table if not exists bluesky_blobs (
    account text not null,
    cid text not null,
    asset_id integer not null,
    mime_type text not null,
    size integer not null,
    primary key (account, cid)
);
create table if not exists bluesky_sessions (
    refresh_token text primary key,
    account text not null,
    access_token text not null,
    expires_at real not null,
    successor text
);
create table if not exists bluesky_passwords (
    account text not null,
    password text not null,
    primary key (account, password)
);
"""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record as it lies there."""

    rkey: str
    cid: str
    value: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Blob:
    """Bytes that were handed in."""

    cid: str
    asset_id: int
    mime_type: str
    size: int


def uri_of(account: str, rkey: str) -> str:
    """The address of a record."""
    return f"at://{account}/{COLLECTION}/{rkey}"


def read(store: Store, account: str, rkey: str) -> Record | None:
    """The record under a key."""
    return next(iter(_records(store, "account = ? and rkey = ?", account, rkey)), None)


def listed(store: Store, account: str, *, after: str, limit: int) -> list[Record]:
    """Records whose keys follow, in the order of their keys."""
    return _records(store, "account = ? and rkey > ? order by rkey limit ?", account, after, limit)


def newest(store: Store, account: str, *, before: str, limit: int) -> list[Record]:
    """Records whose keys come before, the newest first."""
    return _records(store, "account = ? and rkey < ? order by rkey desc limit ?", account, before, limit)


def write(store: Store, account: str, record: Record, *, now: float) -> None:
    """Put a record under its key, and let people see it."""
    store.run(
        "insert or replace into bluesky_records (account, rkey, cid, value, written_at) values (?, ?, ?, ?, ?)",
        account,
        record.rkey,
        record.cid,
        json.dumps(record.value),
        now,
    )
    root = _thread_of(store, account, record)
    if root is not None:
        _show_thread(store, account, root)
        return
    remove_post(store, uri_of(account, record.rkey))
    _show(store, account, record, now)
    _show_thread(store, account, record.rkey)


def remember(store: Store, account: str, text: str, moment: datetime) -> str:
    """Let a post have been written at a moment of the past; its address."""
    number = int(moment.timestamp() * 1_000_000) << 10
    rkey = "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(13)))
    written = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    value: dict[str, object] = {"$type": COLLECTION, "text": text, "createdAt": written}
    write(store, account, Record(rkey=rkey, cid=cid_of_record(value), value=value), now=moment.timestamp())
    return uri_of(account, rkey)


def remove(store: Store, account: str, rkey: str) -> bool:
    """Take a record away, and the post that people see; False when there is none."""
    record = read(store, account, rkey)
    if record is None:
        return False
    store.run("delete from bluesky_records where account = ? and rkey = ?", account, rkey)
    root = _thread_of(store, account, record)
    if root is None:
        remove_post(store, uri_of(account, rkey))
    else:
        _show_thread(store, account, root)
    return True


def keep_blob(store: Store, account: str, content: bytes, mime_type: str) -> Blob:
    """Keep bytes; the same bytes are one blob."""
    cid = cid_of_bytes(content)
    known = blob(store, account, cid)
    if known is not None:
        return known
    asset_id = keep_asset(store, content, content_type=mime_type)
    store.run(
        "insert into bluesky_blobs (account, cid, asset_id, mime_type, size) values (?, ?, ?, ?, ?)",
        account,
        cid,
        asset_id,
        mime_type,
        len(content),
    )
    return Blob(cid=cid, asset_id=asset_id, mime_type=mime_type, size=len(content))


def blob(store: Store, account: str, cid: str) -> Blob | None:
    """The bytes of this name, if the account handed them in."""
    row = store.one(
        "select cid, asset_id, mime_type, size from bluesky_blobs where account = ? and cid = ?", account, cid
    )
    return None if row is None else Blob(**row)


def embedded(value: dict[str, object], kind: str) -> dict[str, object]:
    """The embed of a record if it is of this kind ("images", "external"), else nothing."""
    embed = value.get("embed")
    return embed if isinstance(embed, dict) and embed.get("$type") == f"app.bsky.embed.{kind}" else {}


def _thread_of(store: Store, account: str, record: Record) -> str | None:
    """The key of the account's own post that a record carries on, None for a post that stands by itself."""
    reply = record.value.get("reply")
    parent = str(reply["parent"]["uri"]) if isinstance(reply, dict) else ""
    if not parent.startswith(f"at://{account}/"):
        return None
    before = read(store, account, parent.rsplit("/", 1)[-1])
    return None if before is None else _thread_of(store, account, before) or before.rkey


def _show(store: Store, account: str, record: Record, now: float) -> None:
    uri = uri_of(account, record.rkey)
    images, card = embedded(record.value, "images").get("images"), embedded(record.value, "external").get("external")
    details: dict[str, object] = {"link": card["uri"]} if isinstance(card, dict) else {}
    pictures = []
    for image in images if isinstance(images, list) else []:
        known = blob(store, account, str(image["image"]["ref"]["$link"]))
        assert known is not None
        pictures.append(NewPicture(node_id=f"{uri}#{known.cid}", asset_id=known.asset_id, alt_text=str(image["alt"])))
    kind = "IMAGE" if pictures else "LINK" if details else "TEXT"
    post = Post(
        id=uri,
        platform=PLATFORM,
        account=account,
        kind=kind,
        caption=str(record.value["text"]),
        published_at=now,
        like_count=0,
        pictures=(),
        comments_count=0,
        details=details,
    )
    add_post(store, post, pictures)


def _show_thread(store: Store, account: str, root: str) -> None:
    """Let a post show the texts that carry it on."""
    post = read_post(store, uri_of(account, root))
    if post is None:
        return
    parts = [
        str(record.value["text"])
        for record in _records(store, "account = ? and rkey > ? order by rkey", account, root)
        if _thread_of(store, account, record) == root
    ]
    details = json.dumps({**post.details, "thread": parts})
    store.run("update posts set details = ? where id = ?", details, post.id)


def _records(store: Store, condition: str, *values: object) -> list[Record]:
    rows = store.all(f"select rkey, cid, value from bluesky_records where {condition}", *values)  # noqa: S608 - ours
    return [Record(rkey=row["rkey"], cid=row["cid"], value=json.loads(row["value"])) for row in rows]
