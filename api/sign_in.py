"""Who asks: an API key in the Authorization header, or the session cookie of a browser."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from api.front import Front, FrontDoor
from core import keys
from core.errors import Forbidden, Unauthenticated
from db.queries import people
from db.queries.people import PrincipalRow
from tools.context import Principal, Role

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOW = "Send `Authorization: Bearer <API key>` (`studio keys` makes one), or open a sign-in link in the browser."
# A key is some 50 characters; anything far longer is not worth hashing.
_LONGEST_SECRET = 256


def cookie_name(*, secure: bool) -> str:
    """The session cookie; over https its name lets browsers enforce that it is ours alone (RFC 6265bis)."""
    return "__Host-studio_session" if secure else "studio_session"


async def holder(front: Front, secret: str, source: str) -> PrincipalRow | None:
    """Who holds a key, link or session (``source`` says which it must be); None when nobody does, or no longer."""
    if not secret or len(secret) > _LONGEST_SECRET:
        return None
    # Only the SHA-256 is compared, by an index of the database: how long that takes says nothing about a secret.
    async with front.doors.database.outside() as session:
        row = await people.find_principal(session, keys.digest(secret))
    return row if row is not None and row.source == source else None


async def signed_in(request: Request, front: FrontDoor) -> Principal:
    """The person behind a request; raises ``Unauthenticated`` or ``Forbidden``."""
    row = await _by_header(request, front) or await _by_cookie(request, front)
    if row is None:
        raise Unauthenticated("Nobody is signed in.", action=_HOW)
    wanted = request.headers.get("x-workspace")
    if wanted is not None and wanted.strip().lower() != str(row.workspace_id):
        raise Forbidden(
            "This key is for another workspace than X-Workspace names.",
            code="other_workspace",
            action="Leave X-Workspace out, or use a key of that workspace.",
        )
    return principal_of(row)


def principal_of(row: PrincipalRow) -> Principal:
    """The principal that a key, link or session stands for."""
    return Principal(
        workspace_id=row.workspace_id,
        workspace_name=row.workspace_name,
        user_id=row.user_id,
        user_name=row.user_name,
        membership_id=row.membership_id,
        role=Role(row.role),
        timezone=row.timezone,
    )


async def _by_header(request: Request, front: Front) -> PrincipalRow | None:
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, secret = header.partition(" ")
    row = await holder(front, secret.strip(), "key") if scheme.lower() == "bearer" else None
    if row is None:
        raise Unauthenticated("That API key is unknown or was revoked.", code="invalid_key", action=_HOW)
    return row


async def _by_cookie(request: Request, front: Front) -> PrincipalRow | None:
    secret = request.cookies.get(cookie_name(secure=front.secure))
    row = await holder(front, secret, "session") if secret else None
    if row is not None and request.method not in SAFE_METHODS:
        require_same_origin(request, front)
    return row


def require_same_origin(request: Request, front: Front) -> None:
    """Raise ``Forbidden`` unless one of our own pages sent this: a cookie alone does not prove who meant it."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        ours = site == "same-origin"
    else:  # a browser that does not say, or plain http on another host: its Origin has to be us
        hosts = {request.headers.get("host", "").lower(), urlsplit(front.doors.settings.public_base).netloc.lower()}
        ours = origin is not None and urlsplit(origin).netloc.lower() in hosts - {""}
    if not ours:
        raise Forbidden(
            "This request came from another site.",
            code="cross_site",
            action="Send it from Studio's own page, or use an API key.",
        )


SignedIn = Annotated[Principal, Depends(signed_in)]
