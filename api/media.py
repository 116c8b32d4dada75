"""Media in and out: uploads, reading back with ranges, and the signed links that networks fetch from."""

import re
from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Request, UploadFile
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict

from api.caller import RestCaller
from api.front import Front, FrontDoor
from api.problems import no_such, problem
from api.sign_in import SignedIn
from core.ids import parse_id
from db.models.account import Asset
from db.queries import accounts
from tools.assets import AssetView, asset_view, keep_asset
from tools.command import Effect
from tools.consent import allow
from tools.context import Principal
from tools.media.intake import take_in
from tools.posts.fitting import percent_of
from tools.public_media import PublicMedium, open_public_link

router = APIRouter(tags=["media"])

UPLOAD_PATH = "/v1/media"
_CHUNK = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
# What is served is inert: should a browser ever take it for a page, that page may do nothing.
_INERT = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cross-Origin-Resource-Policy": "same-origin"}


@router.post(UPLOAD_PATH, status_code=201)
async def upload(front: FrontDoor, caller: RestCaller, file: Annotated[UploadFile, File()]) -> JSONResponse:
    """Keep a picture or a video. The same bytes again are the same asset, whatever they are called."""
    allow(Effect.WRITE, caller)
    limit_bytes = front.doors.settings.media_limit_mb * 1_000_000
    facts = await take_in(front.doors.store, _chunks(file), limit_bytes=limit_bytes)
    asset = await keep_asset(front.doors, caller.principal, facts, name=_name(file.filename), source_url=None)
    summary = f"Kept {asset.name} ({asset.kind}, {asset.size_bytes:,} bytes)."
    body = {**asset.model_dump(mode="json"), "url": f"{UPLOAD_PATH}/{asset.id}", "summary": summary}
    return JSONResponse(body, status_code=201, headers={"Location": f"{UPLOAD_PATH}/{asset.id}"})


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk


def _name(given: str | None) -> str:
    """What to call an upload: the file's own name, without a folder and without what no name has."""
    name = PurePosixPath((given or "").replace("\\", "/")).name
    return re.sub(r"[\x00-\x1f\x7f]", "", name)[:120] or "upload"


@router.get(f"{UPLOAD_PATH}/{{asset_id}}", response_class=Response)
async def read(request: Request, front: FrontDoor, principal: SignedIn, asset_id: str) -> Response:
    """The bytes of an asset, whole or a range of them."""
    asset = await _asset(front, principal, asset_id)
    medium = PublicMedium(sha256=asset.sha256, mime_type=asset.mime_type)
    headers = _INERT | {
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(asset.name, safe='')}",
    }
    return await serve(request, front, medium, headers)


class Fitting(BaseModel):
    """A conversion under way."""

    model_config = ConfigDict(frozen=True)

    percent: int


class AssetFacts(AssetView):
    """An asset, and how far its conversion for a network has come in the process that was asked; None = none there."""

    fitting: Fitting | None


@router.get(f"{UPLOAD_PATH}/{{asset_id}}/facts")
async def read_facts(front: FrontDoor, principal: SignedIn, asset_id: str) -> AssetFacts:
    """What an asset is, what it was made from, and whether it is being converted now."""
    asset = await _asset(front, principal, asset_id)
    percent = percent_of(asset.id)
    fitting = Fitting(percent=percent) if percent is not None else None
    return AssetFacts(**asset_view(asset).model_dump(), fitting=fitting)


async def _asset(front: Front, principal: Principal, asset_id: str) -> Asset:
    wanted = parse_id(asset_id)
    if wanted is None:
        raise no_such("asset", asset_id)
    async with front.doors.database.session(principal.workspace_id) as session:
        asset = await accounts.get_asset(session, wanted)
    if asset is None:
        raise no_such("asset", asset_id)
    return asset


@router.api_route("/media/{token}/{name}", methods=["GET", "HEAD"], include_in_schema=False)
async def read_by_link(request: Request, front: FrontDoor, token: str, name: str) -> Response:  # noqa: ARG001 - for readers of the URL
    """The bytes behind a signed link: for networks, which have no key. A forged or old link is refused."""
    medium = open_public_link(front.doors.vault, token)
    headers = _INERT | {"Cache-Control": "private, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"}
    return await serve(request, front, medium, headers | {"Content-Disposition": "inline"})


async def serve(request: Request, front: Front, medium: PublicMedium, headers: dict[str, str]) -> Response:
    """Stored bytes with their type: 200 whole, 206 a range, 304 what the caller has, 416 a range beyond the end."""
    size = await front.doors.store.size(medium.sha256)
    tag = f'"{medium.sha256}"'
    headers = {**headers, "ETag": tag, "Accept-Ranges": "bytes"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    # A range is only meant for the bytes that the caller saw before; else it gets the whole.
    wanted = request.headers.get("range", "") if request.headers.get("if-range", tag) == tag else ""
    span = _span(wanted, size)
    if span is None:
        return problem(
            416,
            "range_not_satisfiable",
            f"The file has {size:,} bytes.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    start, end = span
    partial = (start, end) != (0, size)
    headers["Content-Length"] = str(end - start)
    if partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 206 if partial else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=medium.mime_type)
    body = front.doors.store.read(medium.sha256, start=start, end=end)
    return StreamingResponse(body, status_code=status, headers=headers, media_type=medium.mime_type)


def _span(header: str, size: int) -> tuple[int, int] | None:
    """The bytes [start, end) that a Range header means; all of them when it is none we know, None when beyond the end.

    RFC 9110, 14.2: what is malformed, or asks for several ranges, may be answered with the whole.
    """
    match = _RANGE.fullmatch(header.replace(" ", ""))
    if match is None or match[1] + match[2] == "":
        return 0, size
    if match[1] == "":  # the last n bytes
        length = min(int(match[2]), size)
        return (size - length, size) if length else None
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < start:
        return 0, size
    return (start, end) if start < size else None
