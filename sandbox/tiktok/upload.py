"""The upload host: a video in chunks, one after the other, each held in a file and never whole in memory."""

import hashlib
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import IO

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from sandbox.faults import Fault, NamedRoute
from sandbox.posts import keep_asset
from sandbox.tiktok import publishing
from sandbox.tiktok.errors import envelope
from sandbox.tiktok.publications import Publication, read_upload, save
from sandbox.world import World, world_of

UPLOAD = NamedRoute(
    name="tiktok.upload_chunk",
    dialect="tiktok",
    method="PUT",
    does="send a chunk of a video: PUT <upload_url>, with Content-Range and without a token",
)
# A larger film is kept by its beginning and its hash alone.
KEPT_BYTES = 16_000_000
BEGINNING_BYTES = 1_000_000
PIECE_BYTES = 1_000_000
TYPES = ("video/mp4", "video/quicktime", "video/webm")
RECORDED_HEADERS = ("content-range", "content-type", "content-length", "authorization")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")

CREATED, PARTIAL = 201, 206
BAD_HEADERS, EXPIRED, NO_SUCH_TASK, WRONG_RANGE = 400, 403, 404, 416


class ChunkRefused(Exception):
    """A chunk that is not taken."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def upload(request: Request) -> Response:
    """PUT /video/?upload_id=&upload_token=."""
    world = world_of(request)
    publication = read_upload(world.store, request.query_params.get("upload_id", ""))
    call = world.journal.open(
        route=UPLOAD.name,
        method="PUT",
        path=request.url.path,
        account=publication.account if publication else "",
        parameters={name: request.headers[name] for name in RECORDED_HEADERS if name in request.headers},
    )
    body = tempfile.TemporaryFile()  # noqa: SIM115 - a late deed reads it after the answer
    arrived = await _spooled(request, body)

    async def do(_: Fault | None) -> Response:
        try:
            publication = _living(world, request)
            checked = _checked(publication, request, arrived)
            return await _taken(world, publication, body, checked)
        except ChunkRefused as refused:
            call.error = {"code": refused.status, "message": str(refused)}
            told = envelope({}, code="invalid_file_upload", message=str(refused))
            return JSONResponse(told, refused.status, _progress(_read_again(world, request)))
        finally:
            body.close()

    response = await world.perform(UPLOAD, call, do, text=request.headers.get("content-range", ""))
    if call.fault != "drop_late":
        body.close()
    return response


async def _spooled(request: Request, body: IO[bytes]) -> int:
    """Receive a chunk into a file; what came before a caller hung up counts for nothing."""
    size = 0
    try:
        async for piece in request.stream():
            size += body.write(piece)
    except ClientDisconnect:
        return -1
    body.seek(0)
    return size


def _read_again(world: World, request: Request) -> Publication | None:
    """The publication as it stands now."""
    return read_upload(world.store, request.query_params.get("upload_id", ""))


def _living(world: World, request: Request) -> Publication:
    publication = _read_again(world, request)
    if publication is None or publication.upload_token != request.query_params.get("upload_token"):
        raise ChunkRefused(NO_SUCH_TASK, "No such upload task.")
    if publication.status == "FAILED":
        raise ChunkRefused(NO_SUCH_TASK, "The upload task was given up.")
    if publication.created_at + publishing.UPLOAD_LIFE_SECONDS < world.now():
        raise ChunkRefused(EXPIRED, "The upload_url has expired.")
    if 0 < publication.received < publication.size and not _file(world, publication).exists():
        raise ChunkRefused(NO_SUCH_TASK, "The upload task was lost.")
    return publication


def _checked(publication: Publication, request: Request, arrived: int) -> int:
    """The number of bytes received once this chunk is taken."""
    found = _RANGE.fullmatch(request.headers.get("content-range", ""))
    if found is None or request.headers.get("content-type") not in TYPES:
        raise ChunkRefused(BAD_HEADERS, "Content-Range or Content-Type is missing or malformed.")
    first, last, total = (int(number) for number in found.groups())
    if total != publication.size or last - first + 1 != arrived:
        raise ChunkRefused(BAD_HEADERS, "Content-Range does not fit the video or the body.")
    if first != publication.received or first >= publication.size:
        raise ChunkRefused(WRONG_RANGE, "Content-Range does not follow what has arrived.")
    is_final = publication.received // publication.chunk_size >= publication.chunk_count - 1
    expected = publication.size if is_final else publication.received + publication.chunk_size
    if last + 1 != expected:
        raise ChunkRefused(BAD_HEADERS, "The chunk does not have the announced size.")
    return expected


async def _taken(world: World, publication: Publication, body: IO[bytes], received: int) -> Response:
    path = _file(world, publication)
    with path.open("r+b" if publication.received else "wb") as file:
        file.seek(publication.received)
        while piece := body.read(PIECE_BYTES):
            file.write(piece)
    publication = replace(publication, received=received)
    save(world.store, publication)
    if received < publication.size:
        return JSONResponse(envelope({}), PARTIAL, _progress(publication))
    await _whole(world, publication, path)
    return JSONResponse(envelope({}), CREATED, _progress(publication))


async def _whole(world: World, publication: Publication, path: Path) -> None:
    kept, sha256 = _read_once(path, keep=KEPT_BYTES if publication.size <= KEPT_BYTES else BEGINNING_BYTES)
    problem = publishing.video_problem(kept)
    if problem is not None:
        publishing.fail(world, publication, problem)
        return
    asset_id = keep_asset(world.store, kept, content_type="video/mp4")
    await publishing.arrived(world, replace(publication, asset_ids=(asset_id,), sha256=sha256))


def _read_once(path: Path, *, keep: int) -> tuple[bytes, str]:
    """The beginning of a file and the hash of all of it; the file is gone afterwards."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        kept = file.read(keep)
        digest.update(kept)
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
    path.unlink()
    return kept, digest.hexdigest()


def _progress(publication: Publication | None) -> dict[str, str]:
    """``Content-Range``: the bytes that have arrived; none while nothing has."""
    if publication is None or not publication.received:
        return {}
    return {"content-range": f"bytes 0-{publication.received - 1}/{publication.size}"}


def _file(world: World, publication: Publication) -> Path:
    return world.scratch() / f"tiktok-{publication.upload_id}"
