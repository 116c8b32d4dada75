"""Publications: what was announced with an init call, how much of it arrived, and what became of it."""

import json
from dataclasses import dataclass, field

from sandbox.store import Store

PLATFORM = "tiktok"
DAY = 86_400

SCHEMA = """
create table if not exists tiktok_publications (
    id text primary key,
    account text not null,
    kind text not null,
    direct integer not null,
    post_info text not null,
    links text not null default '[]',
    size integer not null default 0,
    chunk_size integer not null default 0,
    chunk_count integer not null default 0,
    received integer not null default 0,
    upload_id text unique,
    upload_token text,
    created_at real not null,
    processing_seconds real,
    planted_failure text,
    live_at real,
    asset_ids text not null default '[]',
    sha256 text,
    status text not null,
    fail_reason text,
    post_id text
);
create table if not exists tiktok_refresh_tokens (
    token text primary key,
    account text not null,
    access_token text not null,
    expires_at real not null
);
create table if not exists tiktok_creators (
    account text primary key,
    private integer not null default 0,
    comment_disabled integer not null default 0,
    duet_disabled integer not null default 0,
    stitch_disabled integer not null default 0,
    banned integer not null default 0,
    max_video_seconds integer not null default 600
);
"""


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One publish; times in unix seconds. ``live_at`` is when its processing ends, None while something is missing."""

    id: str
    account: str
    kind: str  # VIDEO or PHOTO
    direct: bool
    post_info: dict[str, object]
    links: tuple[str, ...] = ()
    size: int = 0
    chunk_size: int = 0
    chunk_count: int = 0
    received: int = 0
    upload_id: str | None = None
    upload_token: str | None = field(default=None, repr=False)
    created_at: float
    processing_seconds: float | None = None
    planted_failure: str | None = None
    live_at: float | None = None
    asset_ids: tuple[int, ...] = ()
    sha256: str | None = None
    status: str
    fail_reason: str | None = None
    post_id: str | None = None


def save(store: Store, publication: Publication) -> None:
    """Keep a publication as it is now."""
    values = vars(publication) | {
        "post_info": json.dumps(publication.post_info),
        "links": json.dumps(publication.links),
        "asset_ids": json.dumps(publication.asset_ids),
    }
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    statement = f"insert or replace into tiktok_publications ({names}) values ({marks})"  # noqa: S608 - field names
    store.run(statement, *values.values())


def read(store: Store, publish_id: str) -> Publication | None:
    """The publication of this id."""
    return next(iter(_all(store, "id = ?", publish_id)), None)


def read_upload(store: Store, upload_id: str) -> Publication | None:
    """The publication that an upload address belongs to."""
    return next(iter(_all(store, "upload_id = ?", upload_id)), None)


def unfinished(store: Store) -> list[Publication]:
    """Publications that the sandbox was busy with when it stopped."""
    return _all(store, "status = 'PROCESSING_DOWNLOAD'")


def posts_since(store: Store, account: str, moment: float) -> int:
    """How many direct posts the account has begun since then."""
    return len(_all(store, "direct and fail_reason is null and account = ? and created_at >= ?", account, moment))


def pending_drafts(store: Store, account: str, moment: float) -> int:
    """How many drafts wait in the account's inbox."""
    return len(_all(store, "status = 'SEND_TO_USER_INBOX' and account = ? and created_at >= ?", account, moment))


def inbox(store: Store, account: str) -> list[Publication]:
    """What was delivered to the account's inbox, oldest first."""
    return _all(store, "status = 'SEND_TO_USER_INBOX' and account = ? order by created_at", account)


def _all(store: Store, condition: str, *values: object) -> list[Publication]:
    rows = store.all(f"select * from tiktok_publications where {condition}", *values)  # noqa: S608 - ours alone
    return [
        Publication(
            **dict(row)
            | {
                "direct": bool(row["direct"]),
                "post_info": json.loads(row["post_info"]),
                "links": tuple(json.loads(row["links"])),
                "asset_ids": tuple(json.loads(row["asset_ids"])),
            }
        )
        for row in rows
    ]


@dataclass(frozen=True, kw_only=True)
class Creator:
    """What an account allows; ``private`` decides which privacy levels it offers."""

    private: bool = False
    comment_disabled: bool = False
    duet_disabled: bool = False
    stitch_disabled: bool = False
    banned: bool = False
    max_video_seconds: int = 600

    @property
    def privacy_levels(self) -> tuple[str, ...]:
        """The options of this account, the widest first."""
        widest = "FOLLOWER_OF_CREATOR" if self.private else "PUBLIC_TO_EVERYONE"
        return (widest, "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY")


def creator(store: Store, account: str) -> Creator:
    """How the account is set; a public one by default."""
    row = store.one("select * from tiktok_creators where account = ?", account)
    if row is None:
        return Creator()
    values = {name: row[name] for name in row.keys() if name != "account"}  # noqa: SIM118 - a row yields its values
    seconds = values.pop("max_video_seconds")
    return Creator(**{name: bool(value) for name, value in values.items()}, max_video_seconds=seconds)


def set_creator(store: Store, account: str, settings: Creator) -> None:
    """Set the account so."""
    store.run(
        """insert or replace into tiktok_creators (account, private, comment_disabled, duet_disabled, stitch_disabled,
        banned, max_video_seconds) values (?, ?, ?, ?, ?, ?, ?)""",
        account,
        settings.private,
        settings.comment_disabled,
        settings.duet_disabled,
        settings.stitch_disabled,
        settings.banned,
        settings.max_video_seconds,
    )
