"""The resumable upload of a video: bytes in parts, or an address to fetch them from."""

import json

from fastapi import Request
from starlette.responses import JSONResponse, Response

from sandbox import media
from sandbox.faults import Fault, NamedRoute
from sandbox.graph_call import GraphCall
from sandbox.graph_errors import GraphError
from sandbox.instagram import rules
from sandbox.instagram.containers import PLATFORM, Container, medium_arrived, part_arrived, read_container, status_of
from sandbox.instagram.publishing import process_video
from sandbox.media import NotFetched
from sandbox.world import World, world_of

UPLOAD = NamedRoute(
    name="instagram.upload",
    dialect="graph",
    method="POST",
    does="send a video's bytes, or where to fetch them, to an upload container",
)
RECORDED_HEADERS = ("offset", "file_size", "file_url", "content-length")


class UploadRefused(Exception):
    """An answer in the form ``{"debug_info": {...}}``."""

    def __init__(self, kind: str, message: str, *, retriable: bool = False, status: int = 400) -> None:
        super().__init__(message)
        self.kind = kind
        self.retriable = retriable
        self.status = status

    def response(self) -> Response:
        """The answer of the upload host."""
        message = json.dumps({"success": False, "error": {"message": str(self)}})
        info = {"retriable": self.retriable, "type": self.kind, "message": message}
        return JSONResponse({"debug_info": info}, self.status)


async def upload(request: Request, container_id: str) -> Response:
    """POST /ig-api-upload/{version}/{container}."""
    world = world_of(request)
    node = world.store.node(container_id)
    owner = node.account if node and node.platform == PLATFORM else ""
    body = await request.body()
    call = world.journal.open(
        route=UPLOAD.name,
        method="POST",
        path=request.url.path,
        account=owner,
        parameters={name: request.headers[name] for name in RECORDED_HEADERS if name in request.headers},
    )

    async def do(fault: Fault | None) -> Response:
        try:
            container = _waiting_container(world, request, container_id, fault)
            _process(world, container, await _content(world, request, container, body))
        except UploadRefused as refused:
            call.error = {"type": refused.kind, "message": str(refused)}
            return refused.response()
        except GraphError as error:
            call.error = {"code": error.code, "error_subcode": error.subcode, "message": error.message}
            return JSONResponse(error.envelope(), error.status, error.headers)
        return JSONResponse({"success": True, "message": "Upload successful. The video is being processed."})

    return await world.perform(UPLOAD, call, do, text=request.url.path)


def _process(world: World, container: Container, content: bytes) -> None:
    if not process_video(world, container, content):
        raise UploadRefused("ProcessingFailedError", "The file is no MP4 or MOV video.")


def _waiting_container(world: World, request: Request, container_id: str, fault: Fault | None) -> Container:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "OAuth":
        raise UploadRefused(
            "NotAuthorizedError", "The header Authorization: OAuth <access token> is missing.", status=401
        )
    caller = GraphCall(
        world=world,
        method="POST",
        login="facebook",
        base_url="",
        path="",
        parameters={},
        token=token.strip(),
        now=world.now(),
    )
    caller.living_token()
    container = read_container(world.store, container_id)
    if container is None or container.account not in {account.external_id for account in caller.accounts()}:
        raise UploadRefused("NotAuthorizedError", "No such upload, or not yours.", status=404)
    state = status_of(world.store, container, world.now())
    if not container.is_upload or state.code != "IN_PROGRESS" or container.ready_at is not None:
        raise UploadRefused("InvalidSessionError", f"This container does not wait for an upload: {state.code}.")
    return _afflicted(world, container, fault)


def _afflicted(world: World, container: Container, fault: Fault | None) -> Container:
    """A fault may be planted on the upload as well as on the creation of its container."""
    if fault is not None and fault.kind == "slow_processing":
        set_processing = "update instagram_containers set processing_seconds = ? where id = ?"
        world.store.run(set_processing, fault.delay_seconds, container.id)
    if fault is not None and fault.kind == "processing_error":
        set_error = "update instagram_containers set error_subcode = ? where id = ?"
        world.store.run(set_error, fault.subcode or 2207053, container.id)
    return read_container(world.store, container.id) or container


async def _content(world: World, request: Request, container: Container, body: bytes) -> bytes:
    """All bytes of the video; raises PartialRequestError while some are missing."""
    limit = rules.STORY_VIDEO_BYTES if container.kind == "STORIES" else rules.REEL_BYTES
    if "file_url" in request.headers:
        return await _fetched(world, container, request.headers["file_url"], limit)
    offset, total = (_whole_number(request, name) for name in ("offset", "file_size"))
    if not 0 < total <= limit:
        raise UploadRefused("FileSizeError", f"file_size must lie between 1 and {limit} bytes.")
    if container.upload_total not in (None, total):
        raise UploadRefused("FileSizeError", f"file_size was {container.upload_total} before.")
    if offset != container.upload_received:
        message = f"The offset must be {container.upload_received}."
        raise UploadRefused("OffsetInvalidError", message, retriable=True)
    if offset + len(body) > total:
        raise UploadRefused("FileSizeError", "More bytes than file_size says.")
    content = part_arrived(world.store, container.id, body, total=total)
    if len(content) < total:
        raise UploadRefused("PartialRequestError", f"{len(content)} of {total} bytes arrived.", retriable=True)
    return content


async def _fetched(world: World, container: Container, url: str, limit: int) -> bytes:
    try:
        return await media.fetch(world, url, account=container.account, limit_bytes=limit)
    except NotFetched as error:
        medium_arrived(world.store, container.id, ready_at=world.now(), asset_id=None, subcode=2207077)
        raise UploadRefused("ProcessingFailedError", f"The file could not be fetched: {error.reason}.") from None


def _whole_number(request: Request, name: str) -> int:
    value = request.headers.get(name, "")
    if not value.isdecimal():
        raise UploadRefused("HeaderError", f"The header {name} must be a whole number.")
    return int(value)
