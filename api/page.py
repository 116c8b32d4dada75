"""The pages people open in a browser: the chat at /, and the reference at /docs."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from api.front import FrontDoor
from api.pages import page_policy, read_page, small_page
from api.sessions import demo_session, set_session
from api.sign_in import SignedIn, cookie_name, holder

router = APIRouter(include_in_schema=False)

_SIGN_IN = """<p>Nobody is signed in here.</p>
<p>Make a sign-in link in a terminal, and open it in this browser:</p><p><code>studio keys link</code></p>"""


@router.get("/")
async def chat(request: Request, front: FrontDoor) -> Response:
    """The chat page, for who is signed in, else how to; the demo signs its owner in on this machine."""
    page = read_page("chat.html")
    headers = {"Content-Security-Policy": page_policy(page, uploads=True), "Cache-Control": "no-store"}
    fresh = await demo_session(request, front)
    if fresh is not None:
        response = HTMLResponse(page, headers=headers)
        set_session(response, fresh, secure=front.secure)
        return response
    session = request.cookies.get(cookie_name(secure=front.secure), "")
    # The page itself is no secret. In the demo whoever asks gets it; a browser has its session by then.
    if await holder(front, session, "session") is None and not front.demo:
        headers["Content-Security-Policy"] = page_policy()
        return HTMLResponse(small_page("Studio", _SIGN_IN), headers=headers)
    return HTMLResponse(page, headers=headers)


@router.get("/v1/me")
async def me(front: FrontDoor, principal: SignedIn) -> JSONResponse:
    """Who is signed in, and what a page needs to know about this server."""
    settings = front.doors.settings
    return JSONResponse(
        {
            "user": {"id": str(principal.user_id), "name": principal.user_name},
            "workspace": {"id": str(principal.workspace_id), "name": principal.workspace_name},
            "role": principal.role.value,
            "may_approve": principal.role.may_approve,
            "timezone": principal.timezone,
            "model": settings.model_name,
            "version": front.version,
            "feed_url": front.feed_url,
        }
    )


@router.get("/docs")
async def docs() -> HTMLResponse:
    """The reference of the API, read from /openapi.json."""
    page = read_page("docs.html")
    return HTMLResponse(page, headers={"Content-Security-Policy": page_policy(page)})
