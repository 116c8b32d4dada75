"""Media as a network meets it: fetched over HTTP from where the caller says, and judged by its bytes."""

import asyncio
import io
import warnings
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import httpx
from PIL import Image, UnidentifiedImageError
from starlette.responses import Response

from sandbox.faults import Fault, NamedRoute
from sandbox.world import World

FETCH = NamedRoute(
    name="media.fetch", dialect="plain", method="GET", does="the network downloads a medium from the caller's URL"
)
MAX_REDIRECTS = 5
USER_AGENT = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"

Reason = Literal["unreachable", "timeout", "too_large"]


class NotFetched(Exception):
    """The medium could not be had."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What an image is by its bytes, whatever its name or content type said."""

    format: str
    width: int
    height: int


async def fetch(world: World, url: str, *, account: str, limit_bytes: int, redirects: bool = True) -> bytes:
    """Download a medium, journalled and subject to the faults of ``media.fetch``; raises NotFetched.

    ``redirects`` False: an address that sends elsewhere counts as unreachable.
    """
    parts = urlsplit(url)
    call = world.journal.open(
        route=FETCH.name,
        method="GET",
        path=url.partition("?")[0],
        account=account,
        parameters=dict(parse_qsl(parts.query)),
    )
    failure: list[NotFetched] = []

    async def download(_: Fault | None) -> Response:
        try:
            content = await _download(url, limit_bytes, world.conditions.fetch_timeout_seconds, redirects=redirects)
        except NotFetched as error:
            failure.append(error)
            return Response(status_code=599)
        return Response(content)

    response = await world.perform(FETCH, call, download, text=url)
    if failure:
        raise failure[0]
    if call.status != 200:  # noqa: PLR2004 - a fault answered, or dropped the connection
        raise NotFetched("unreachable")
    return bytes(response.body)


async def _download(url: str, limit_bytes: int, timeout_seconds: float, *, redirects: bool) -> bytes:
    if urlsplit(url).scheme not in ("http", "https"):
        raise NotFetched("unreachable")
    try:
        async with (
            asyncio.timeout(timeout_seconds),
            _client(timeout_seconds) as client,
            client.stream("GET", url, follow_redirects=redirects) as got,
        ):
            if got.status_code != httpx.codes.OK:
                raise NotFetched("unreachable")
            content = bytearray()
            async for piece in got.aiter_bytes():
                content += piece
                if len(content) > limit_bytes:
                    raise NotFetched("too_large")
    except (TimeoutError, httpx.TimeoutException):
        raise NotFetched("timeout") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise NotFetched("unreachable") from None
    if not content:
        raise NotFetched("unreachable")
    return bytes(content)


def _client(timeout_seconds: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        timeout=timeout_seconds,
        trust_env=False,
        headers={"user-agent": USER_AGENT},
    )


def look_at_image(content: bytes) -> Looks | None:
    """Format and size in pixels; None when the bytes are no image that can be read to its end."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                image.load()
                return Looks(format=image.format or "", width=image.width, height=image.height)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    except Image.DecompressionBombWarning:
        return None


def is_iso_media(content: bytes) -> bool:
    """Whether the bytes begin like MP4 or MOV: an ISO base media file opens with a ``ftyp`` box."""
    smallest = 12  # size, "ftyp", brand
    return len(content) >= smallest and content[4:8] == b"ftyp"
