"""Browsers: a one-time link becomes a session cookie; the demo signs its owner in by itself."""

import html
from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.front import Front, FrontDoor
from api.middleware import host_name
from api.pages import page_policy, small_page
from api.sign_in import SignedIn, cookie_name, holder, require_same_origin
from core import clock, keys
from core.errors import Unauthenticated
from db.models.people import BrowserToken
from db.queries import people
from db.queries.people import PrincipalRow

router = APIRouter(tags=["sign in"])

LINK_LIFETIME = timedelta(minutes=15)
SESSION_LIFETIME = timedelta(days=30)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@router.post("/v1/sign-in-links", status_code=201)
async def make_link(front: FrontDoor, principal: SignedIn) -> dict[str, str]:
    """A link that signs the caller's browser in: once, within 15 minutes."""
    secret = keys.generate()
    async with front.doors.database.session(principal.workspace_id) as session:
        expires_at = await clock.now(session) + LINK_LIFETIME
        await people.add_browser_token(
            session,
            workspace_id=principal.workspace_id,
            membership_id=principal.membership_id,
            kind="link",
            digest=keys.digest(secret),
            expires_at=expires_at,
        )
    url = f"{front.doors.settings.public_base}/sign-in?token={quote(secret)}"
    return {"url": url, "expires_at": expires_at.isoformat()}


@router.get("/sign-in", include_in_schema=False)
async def show_link(token: str = "") -> HTMLResponse:
    """A page with one button: whatever only looks at links (previews, scanners) does not spend this one."""
    field = f'<input type="hidden" name="token" value="{html.escape(token, quote=True)}">'
    form = f'<form method="post" action="/sign-in">{field}<button autofocus>Sign in to Studio</button></form>'
    return HTMLResponse(small_page("Sign in", form), headers=_page_headers())


@router.post("/sign-in", include_in_schema=False)
async def spend_link(request: Request, front: FrontDoor, token: Annotated[str, Form()] = "") -> Response:
    """Exchange the link for a session; a link that was used or is too old says so."""
    require_same_origin(request, front)
    row = await holder(front, token, "link")
    secret = await _exchange(front, row) if row is not None else None
    if secret is None:
        words = "<p>This link was used already or is too old.</p><p>Make a new one: <code>studio keys link</code></p>"
        return HTMLResponse(small_page("That link is spent", words), status_code=401, headers=_page_headers())
    response = RedirectResponse("/", status_code=303)
    set_session(response, secret, secure=front.secure)
    return response


@router.post("/sign-out", include_in_schema=False, status_code=204)
async def sign_out(request: Request, front: FrontDoor) -> Response:
    """End the browser's session, here and in the database."""
    require_same_origin(request, front)
    name = cookie_name(secure=front.secure)
    row = await holder(front, request.cookies.get(name, ""), "session")
    if row is not None:
        async with front.doors.database.session(row.workspace_id) as session:
            token = await session.get(BrowserToken, row.source_id)
            if token is not None:
                await session.delete(token)
    response = Response(status_code=204)
    response.delete_cookie(name, path="/", secure=front.secure, httponly=True, samesite="strict")
    return response


async def _exchange(front: Front, row: PrincipalRow) -> str | None:
    """A session's secret for an unspent link, None when somebody else spent it first."""
    async with front.doors.database.session(row.workspace_id) as session:
        if not await people.spend_browser_token(session, row.source_id):
            return None
        return await _begin_session(session, row)


async def _begin_session(session: AsyncSession, row: PrincipalRow) -> str:
    """Keep a new session of a person; its secret, for the cookie."""
    secret = keys.generate()
    await people.add_browser_token(
        session,
        workspace_id=row.workspace_id,
        membership_id=row.membership_id,
        kind="session",
        digest=keys.digest(secret),
        expires_at=await clock.now(session) + SESSION_LIFETIME,
    )
    return secret


def set_session(response: Response, secret: str, *, secure: bool) -> None:
    """Hand the browser its session: no script reads it, no other site sends it."""
    response.set_cookie(
        cookie_name(secure=secure),
        secret,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


async def demo_session(request: Request, front: Front) -> str | None:
    """A new session of the demo's owner, for a browser on this machine that has none yet; None for everybody else."""
    if not front.demo or front.demo_key is None or not from_this_machine(request):
        return None
    if "text/html" not in request.headers.get("accept", ""):
        return None  # a health check or a script: it does not come back with a cookie
    if await holder(front, request.cookies.get(cookie_name(secure=front.secure), ""), "session") is not None:
        return None
    row = await holder(front, front.demo_key.get_secret_value(), "key")
    if row is None:
        raise Unauthenticated("The demo's own key does not work any more.", action="Sign in with a link.")
    async with front.doors.database.session(row.workspace_id) as session:
        return await _begin_session(session, row)


def from_this_machine(request: Request) -> bool:
    """Whether a browser on this machine asks, directly: a proxy's word does not count."""
    proxied = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "via"))
    peer = request.client.host if request.client else ""
    return not proxied and peer in LOOPBACK and host_name(request.headers.get("host", "")) in LOOPBACK


def _page_headers() -> dict[str, str]:
    return {"Content-Security-Policy": page_policy(), "Cache-Control": "no-store"}
