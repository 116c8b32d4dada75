"""Containers: media that were handed in and wait to be published, and what state each of them is in."""

import json
from dataclasses import dataclass, field

from sandbox.store import Store

PLATFORM = "instagram"
LIFETIME_SECONDS = 86_400
DAY = 86_400

SCHEMA = """
create table if not exists instagram_containers (
    id text primary key,
    account text not null,
    kind text not null,
    parameters text not null,
    children text not null default '[]',
    created_at real not null,
    ready_at real,
    error_subcode integer,
    asset_id integer,
    media_id text,
    upload_total integer,
    upload_received integer not null default 0,
    upload_bytes blob not null default x'',
    processing_seconds real
);
create table if not exists instagram_covers (container text primary key, asset_id integer not null references assets);
create table if not exists instagram_publishes (account text not null, published_at real not null);
"""


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container; times in unix seconds.

    ``ready_at`` None: the medium is not here yet. ``media_id`` is set when it was published, and never told to anybody.
    ``processing_seconds`` None takes what the world does by default.
    """

    id: str
    account: str
    kind: str  # IMAGE, VIDEO, REELS, STORIES, CAROUSEL
    parameters: dict[str, str]
    children: tuple[str, ...] = ()
    created_at: float
    ready_at: float | None = None
    error_subcode: int | None = None
    asset_id: int | None = None
    media_id: str | None = None
    upload_total: int | None = None
    upload_received: int = 0
    processing_seconds: float | None = field(default=None)

    @property
    def is_child(self) -> bool:
        """Whether it was made to go into a carousel."""
        return self.parameters.get("is_carousel_item", "").lower() in ("true", "1")

    @property
    def is_upload(self) -> bool:
        """Whether its medium comes by resumable upload."""
        return self.parameters.get("upload_type") == "resumable"


def save_container(store: Store, container: Container) -> None:
    """Keep a new container."""
    store.run(
        """insert into instagram_containers (id, account, kind, parameters, children, created_at, ready_at,
            error_subcode, asset_id, processing_seconds) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        container.id,
        container.account,
        container.kind,
        json.dumps(container.parameters),
        json.dumps(container.children),
        container.created_at,
        container.ready_at,
        container.error_subcode,
        container.asset_id,
        container.processing_seconds,
    )


def save_cover(store: Store, container_id: str, asset_id: int) -> None:
    """Keep the image that was handed in as a reel's cover."""
    store.run("insert into instagram_covers (container, asset_id) values (?, ?)", container_id, asset_id)


def cover_of(store: Store, container_id: str) -> int | None:
    """The asset of a reel's cover; None when a frame of the video is shown."""
    row = store.one("select asset_id from instagram_covers where container = ?", container_id)
    return row["asset_id"] if row else None


def read_container(store: Store, container_id: str) -> Container | None:
    """The container of this id."""
    return next(iter(_containers(store, "id = ?", container_id)), None)


def waiting_for_download(store: Store) -> list[Container]:
    """Containers whose medium was to be downloaded when the sandbox stopped."""
    waiting = _containers(store, "ready_at is null and media_id is null")
    return [container for container in waiting if not container.is_upload and container.kind != "CAROUSEL"]


def _containers(store: Store, condition: str, *values: object) -> list[Container]:
    rows = store.all(
        f"""select id, account, kind, parameters, children, created_at, ready_at, error_subcode, asset_id, media_id,
            upload_total, upload_received, processing_seconds from instagram_containers where {condition}""",  # noqa: S608
        *values,
    )
    return [
        Container(
            **dict(row) | {"parameters": json.loads(row["parameters"]), "children": tuple(json.loads(row["children"]))}
        )
        for row in rows
    ]


def medium_arrived(
    store: Store, container_id: str, *, ready_at: float, asset_id: int | None, subcode: int | None
) -> None:
    """The medium is here, processed at ``ready_at``; ``subcode`` says why it cannot be used, None that it can."""
    store.run(
        """update instagram_containers set ready_at = ?, asset_id = ?, error_subcode = ?, upload_bytes = x''
        where id = ?""",
        ready_at,
        asset_id,
        subcode,
        container_id,
    )


def part_arrived(store: Store, container_id: str, part: bytes, *, total: int) -> bytes:
    """Append a part of a resumable upload, and answer all that is there by now."""
    store.run(
        """update instagram_containers set upload_total = ?, upload_received = upload_received + ?,
            upload_bytes = cast(upload_bytes || ? as blob) where id = ?""",
        total,
        len(part),
        part,
        container_id,
    )
    row = store.one("select upload_bytes from instagram_containers where id = ?", container_id)
    assert row is not None
    content: bytes = row["upload_bytes"]
    return content


def mark_published(store: Store, container: Container, *, media_id: str, at: float) -> None:
    """Remember that it went live, and count it against the quota."""
    store.run("update instagram_containers set media_id = ? where id = ?", media_id, container.id)
    store.run("insert into instagram_publishes (account, published_at) values (?, ?)", container.account, at)


def grow_older(store: Store, container_id: str, *, seconds: float) -> bool:
    """Move a container's birth into the past; False when there is no such container."""
    cursor = store.run(
        "update instagram_containers set created_at = created_at - ? where id = ?", seconds, container_id
    )
    return cursor.rowcount == 1


def created_since(store: Store, account: str, since: float) -> int:
    """How many containers the account created since then."""
    row = store.one(
        "select count(*) as n from instagram_containers where account = ? and created_at > ?", account, since
    )
    return row["n"] if row else 0


def published_since(store: Store, account: str, since: float) -> int:
    """How many posts the account published since then, deleted ones too."""
    row = store.one(
        "select count(*) as n from instagram_publishes where account = ? and published_at > ?", account, since
    )
    return row["n"] if row else 0


@dataclass(frozen=True, kw_only=True)
class Status:
    """``code`` as in ``status_code``; ``subcode`` only with ERROR."""

    code: str
    subcode: int | None = None

    @property
    def text(self) -> str:
        """The words of ``status``, which carry the number in the case of an error."""
        match self.code:
            case "ERROR":
                return f"Error: Media upload has failed with error code {self.subcode}"
            case "FINISHED":
                return "Finished: Media has been uploaded and it is ready to be published."
            case "PUBLISHED":
                return "Published: Media has been published successfully."
            case "EXPIRED":
                return "Expired: Media was not published within 24 hours and has expired."
            case _:
                return "In Progress: Media is still being processed."


def status_of(store: Store, container: Container, now: float) -> Status:
    """The state at this moment; a carousel waits for its slowest child and fails with any of them."""
    if container.media_id is not None:
        return Status(code="PUBLISHED")
    if now - container.created_at > LIFETIME_SECONDS:
        return Status(code="EXPIRED")
    if container.kind == "CAROUSEL":
        return _status_of_carousel(store, container, now)
    return _processing(container, now)


def _processing(container: Container, now: float) -> Status:
    if container.ready_at is None or now < container.ready_at:
        return Status(code="IN_PROGRESS")
    if container.error_subcode is not None:
        return Status(code="ERROR", subcode=container.error_subcode)
    return Status(code="FINISHED")


def _status_of_carousel(store: Store, container: Container, now: float) -> Status:
    children = [read_container(store, child) for child in container.children]
    states = [_processing(container, now)]
    states += [status_of(store, child, now) for child in children if child is not None]
    for state in states:
        if state.code in ("ERROR", "EXPIRED"):
            return Status(code="ERROR", subcode=state.subcode or 2207008)
    return next((state for state in states if state.code == "IN_PROGRESS"), Status(code="FINISHED"))
