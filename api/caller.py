"""A request's circumstances as the door wants them: whose, in which zone, under which key."""

import re
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from api.sign_in import SignedIn
from core.errors import InvalidInput, Problem
from tools.context import Caller, Surface

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


@lru_cache(maxsize=512)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def checked_zone(name: str, *, path: str) -> str:
    """An IANA zone that exists; raises ``InvalidInput`` that names the field."""
    if _is_zone(name):
        return name
    message = f"{name[:60]!r} is no IANA time zone."
    raise InvalidInput(
        message,
        code="unknown_timezone",
        action="Write it like Europe/Madrid, or leave it out for the workspace's zone.",
        problems=[Problem(path=path, code="unknown_timezone", message=message)],
    )


def key_of(request: Request) -> str | None:
    """The Idempotency-Key of a request, in the name space of REST; None without one."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    if not _KEY.fullmatch(given):
        message = "An Idempotency-Key is 1 to 200 visible ASCII characters."
        problem = Problem(path="Idempotency-Key", code="invalid_key", message=message)
        raise InvalidInput(message, code="invalid_idempotency_key", problems=[problem])
    return f"rest:{given}"


def caller_of(request: Request, principal: SignedIn) -> Caller:
    """The caller behind a REST request; time phrases are read in X-Timezone, else in the workspace's zone."""
    zone = request.headers.get("x-timezone")
    return Caller(
        principal=principal,
        surface=Surface.REST,
        zone=checked_zone(zone, path="X-Timezone") if zone else principal.timezone,
        key=key_of(request) if request.method not in {"GET", "HEAD"} else None,
    )


RestCaller = Annotated[Caller, Depends(caller_of)]
