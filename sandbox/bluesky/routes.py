"""The addresses of the pretend Bluesky server, and how they are named for faults and the journal."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from sandbox.bluesky import reading, sessions, writing
from sandbox.bluesky.calls import Deed, answer
from sandbox.faults import NamedRoute


def _route(name: str, method: str, does: str) -> NamedRoute:
    return NamedRoute(name=f"bluesky.{name}", dialect="xrpc", method=method, does=does)


# Method of the AT Protocol -> how it is named here, and what answers it.
_DEEDS: dict[str, tuple[NamedRoute, Deed]] = {
    "com.atproto.server.getSession": (_route("get_session", "GET", "ask whose session it is"), reading.get_session),
    "com.atproto.identity.resolveHandle": (
        _route("resolve_handle", "GET", "ask who bears a handle"),
        reading.resolve_handle,
    ),
    "com.atproto.repo.getRecord": (_route("get_record", "GET", "read one record"), reading.get_record),
    "com.atproto.repo.listRecords": (_route("list_records", "GET", "list records"), reading.list_records),
    "app.bsky.feed.getPosts": (_route("get_posts", "GET", "read posts with their counts"), reading.get_posts),
    "com.atproto.repo.uploadBlob": (
        _route("upload_blob", "POST", "hand in the bytes of a picture"),
        writing.upload_blob,
    ),
    "com.atproto.repo.putRecord": (_route("put_record", "POST", "put a record under a key"), writing.put_record),
    "com.atproto.repo.applyWrites": (
        _route("apply_writes", "POST", "create and delete records in one commit"),
        writing.apply_writes,
    ),
    "com.atproto.repo.deleteRecord": (_route("delete_record", "POST", "delete one record"), writing.delete_record),
}

ROUTES = (*(route for route, _ in _DEEDS.values()), sessions.CREATE, sessions.REFRESH)

api = APIRouter(prefix="/xrpc")


@api.post("/com.atproto.server.createSession")
async def create_session(request: Request) -> Response:
    """Open a session."""
    return await sessions.create(request)


@api.post("/com.atproto.server.refreshSession")
async def refresh_session(request: Request) -> Response:
    """Renew a session."""
    return await sessions.refresh(request)


def _serve(method: str, route: NamedRoute, deed: Deed) -> None:
    async def serve(request: Request) -> Response:
        return await answer(request, route, deed)

    api.add_api_route(f"/{method}", serve, methods=[route.method], name=route.name)


for _method, (_named, _deed) in _DEEDS.items():
    _serve(_method, _named, _deed)
