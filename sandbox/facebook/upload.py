"""The upload host's side of a reel or a video story: bytes in parts, each from the offset that is known."""

import json

from fastapi import Request
from starlette.responses import JSONResponse, Response

from sandbox import media
from sandbox.facebook.publishing import VIDEO_BYTES, wait_of
from sandbox.facebook.uploads import PLATFORM, Upload, all_arrived, part_arrived, read_upload
from sandbox.faults import Fault, NamedRoute
from sandbox.graph_call import GraphCall
from sandbox.graph_errors import GraphError
from sandbox.posts import keep_asset
from sandbox.world import World, world_of

UPLOAD = NamedRoute(
    name="facebook.upload", dialect="graph", method="POST", does="send the bytes of a reel or a video story"
)
RECORDED_HEADERS = ("offset", "file_size", "content-length")


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


async def upload(request: Request, video_id: str) -> Response:
    """POST /video-upload/{version}/{video}."""
    world = world_of(request)
    node = world.store.node(video_id)
    body = await request.body()
    call = world.journal.open(
        route=UPLOAD.name,
        method="POST",
        path=request.url.path,
        account=node.account if node and node.platform == PLATFORM else "",
        parameters={name: request.headers[name] for name in RECORDED_HEADERS if name in request.headers},
    )

    async def do(_: Fault | None) -> Response:
        try:
            film = _waiting(world, request, video_id)
            _receive(world, film, request, body)
        except UploadRefused as refused:
            call.error = {"type": refused.kind, "message": str(refused)}
            return refused.response()
        except GraphError as error:
            call.error = {"code": error.code, "error_subcode": error.subcode, "message": error.message}
            return JSONResponse(error.envelope(), error.status, error.headers)
        return JSONResponse({"success": True})

    return await world.perform(UPLOAD, call, do, text=request.url.path)


def _waiting(world: World, request: Request, video_id: str) -> Upload:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "OAuth":
        message = "The header Authorization: OAuth <access token> is missing."
        raise UploadRefused("NotAuthorizedError", message, status=401)
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
    film = read_upload(world.store, video_id)
    if film is None or film.account not in {account.external_id for account in caller.accounts()}:
        raise UploadRefused("NotAuthorizedError", "No such upload, or not yours.", status=404)
    if film.kind not in ("reel", "story") or film.ready_at is not None:
        raise UploadRefused("InvalidSessionError", "This video does not wait for an upload.")
    return film


def _receive(world: World, film: Upload, request: Request, body: bytes) -> None:
    """Take a part in; raises PartialRequestError while some bytes are missing."""
    offset, total = (_whole_number(request, name) for name in ("offset", "file_size"))
    if not 0 < total <= VIDEO_BYTES or film.upload_total not in (None, total) or offset + len(body) > total:
        raise UploadRefused("FileSizeError", "file_size does not fit the bytes, or what was said before.")
    if offset != film.upload_received:
        message = f"The offset must be {film.upload_received}."
        raise UploadRefused("OffsetInvalidError", message, retriable=True)
    content = part_arrived(world.store, film.id, body, total=total)
    if len(content) < total:
        raise UploadRefused("PartialRequestError", f"{len(content)} of {total} bytes arrived.", retriable=True)
    good = media.is_iso_media(content)
    all_arrived(
        world.store,
        film.id,
        ready_at=world.now() + (wait_of(world, film) if good else 0.0),
        asset_id=keep_asset(world.store, content, content_type="video/mp4") if good else None,
        fails=not good,
    )
    if not good:
        raise UploadRefused("ProcessingFailedError", "The file is no MP4 or MOV video.")


def _whole_number(request: Request, name: str) -> int:
    value = request.headers.get(name, "")
    if not value.isdecimal():
        raise UploadRefused("HeaderError", f"The header {name} must be a whole number.")
    return int(value)
