"""Photos and videos a Page has handed in, and what state each of them is in before and after it goes live."""

from dataclasses import dataclass

from sandbox.store import Store

PLATFORM = "facebook"

SCHEMA = """
create table if not exists facebook_uploads (
    id text primary key,
    account text not null,
    kind text not null,
    asset_id integer,
    alt_text text not null default '',
    text text not null default '',
    title text not null default '',
    created_at real not null,
    upload_total integer,
    upload_received integer not null default 0,
    upload_bytes blob not null default x'',
    processing_seconds real,
    fails integer not null default 0,
    ready_at real,
    finished_at real,
    post_id text
);
"""
_COLUMNS = """id, account, kind, asset_id, alt_text, text, title, created_at, upload_total, upload_received,
    processing_seconds, fails, ready_at, finished_at, post_id"""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A photo or a film; times in unix seconds.

    ``kind`` is photo, video, reel or story. ``ready_at`` None: the bytes are not all here; ``finished_at`` None: nobody
    has asked for it to be published yet; ``post_id`` is the post it became, or went into. ``fails`` is acted out once
    the bytes are there.
    """

    id: str
    account: str
    kind: str
    created_at: float
    asset_id: int | None = None
    alt_text: str = ""
    text: str = ""
    title: str = ""
    upload_total: int | None = None
    upload_received: int = 0
    processing_seconds: float | None = None
    fails: int = 0
    ready_at: float | None = None
    finished_at: float | None = None
    post_id: str | None = None


def save_upload(store: Store, upload: Upload) -> None:
    """Keep a new photo or film."""
    store.run(
        """insert into facebook_uploads (id, account, kind, asset_id, alt_text, text, title, created_at,
            processing_seconds, fails, ready_at, finished_at, post_id)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        upload.id,
        upload.account,
        upload.kind,
        upload.asset_id,
        upload.alt_text,
        upload.text,
        upload.title,
        upload.created_at,
        upload.processing_seconds,
        upload.fails,
        upload.ready_at,
        upload.finished_at,
        upload.post_id,
    )


def read_upload(store: Store, upload_id: str) -> Upload | None:
    """The photo or film of this id."""
    row = store.one(f"select {_COLUMNS} from facebook_uploads where id = ?", upload_id)  # noqa: S608 - our own columns
    return None if row is None else Upload(**row)


def films_of(store: Store, account: str) -> list[Upload]:
    """The Page's videos, newest first."""
    rows = store.all(
        f"select {_COLUMNS} from facebook_uploads where account = ? and kind = 'video' order by created_at desc",  # noqa: S608
        account,
    )
    return [Upload(**row) for row in rows]


def waiting_to_go_live(store: Store, now: float) -> list[Upload]:
    """Films whose publishing was asked for, and whose processing has ended well by then."""
    rows = store.all(
        f"""select {_COLUMNS} from facebook_uploads
        where finished_at is not null and post_id is null and fails = 0 and ready_at <= ?""",  # noqa: S608
        now,
    )
    return [Upload(**row) for row in rows]


def part_arrived(store: Store, upload_id: str, part: bytes, *, total: int) -> bytes:
    """Append a part of a film, and answer all that is there by now."""
    store.run(
        """update facebook_uploads set upload_total = ?, upload_received = upload_received + ?,
            upload_bytes = cast(upload_bytes || ? as blob) where id = ?""",
        total,
        len(part),
        part,
        upload_id,
    )
    row = store.one("select upload_bytes from facebook_uploads where id = ?", upload_id)
    assert row is not None
    content: bytes = row["upload_bytes"]
    return content


def all_arrived(store: Store, upload_id: str, *, ready_at: float, asset_id: int | None, fails: bool) -> None:
    """Every byte is here, processed at ``ready_at``; it ``fails`` when they are no film."""
    store.run(
        """update facebook_uploads set ready_at = ?, asset_id = ?, fails = max(fails, ?), upload_bytes = x''
        where id = ?""",
        ready_at,
        asset_id,
        fails,
        upload_id,
    )


def asked_to_publish(store: Store, upload_id: str, *, at: float, text: str, title: str) -> None:
    """Somebody has said "finish"; the first word counts."""
    store.run(
        "update facebook_uploads set finished_at = ?, text = ?, title = ? where id = ? and finished_at is null",
        at,
        text,
        title,
        upload_id,
    )


def became(store: Store, upload_id: str, *, post_id: str) -> None:
    """Remember the post it is part of: nothing takes it a second time."""
    store.run("update facebook_uploads set post_id = ? where id = ?", post_id, upload_id)
