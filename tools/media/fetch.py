"""Fetching media from addresses that people and models name, without being led into the network that Studio runs in."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from ipaddress import ip_address

import httpx
from httpx_secure import SSRFProtectionError, httpx_ssrf_protection

from core.errors import InvalidInput, StudioError, TooLarge, Unavailable
from core.storage import MediaStore
from tools.media.addresses import Address, may_fetch
from tools.media.inspect import MediaFacts
from tools.media.intake import take_in

_SCHEMES = {"http": 80, "https": 443}
_PORTS = frozenset({80, 443, 8080, 8443})
_MOST_REDIRECTS = 3
_LONGEST_URL = 8192
_LONGEST_HOST = 253  # RFC 1035
_CHUNK = 1 << 16
_PLAIN_ENCODINGS = frozenset({"", "identity", "none", "binary", "utf-8"})
_OK = (200, 203)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429})  # client errors that mean "later"
# Not compressed: a few bytes of gzip can be gigabytes.
_HEADERS = {"accept": "image/*, video/*, */*;q=0.1", "accept-encoding": "identity", "user-agent": "Studio"}


class MediaFetcher:
    """Fetches a picture or a video into the store.

    Only http and https, at most 3 redirects, every address checked before and by ``httpx-secure`` at the connection
    itself, so that a name that changes its answer gains nothing; no proxy and nothing else from the environment.
    ``allow_private`` admits loopback and private addresses and any port (the demo and tests); metadata services and
    link-local addresses never. ``patience`` is how long a server may stay silent, ``total`` the whole, in seconds.
    """

    def __init__(
        self,
        store: MediaStore,
        *,
        allow_private: bool,
        limit_bytes: int,
        patience: float = 15.0,
        total: float = 300.0,
    ) -> None:
        self._store = store
        self._allow_private = allow_private
        self._limit = limit_bytes
        self._patience = patience
        self._total = total

    async def fetch(self, url: str) -> MediaFacts:
        """The facts of what is at a URL; its bytes are then in the store under ``sha256``.

        Raises ``InvalidInput`` (the address or the file is wrong: ``media_url_invalid``, ``media_url_scheme``,
        ``media_url_private``, ``media_unreachable`` or what ``inspect`` raises), ``TooLarge`` (``media_too_large``),
        or ``Unavailable`` (``media_unreachable``: try later). No message repeats the URL, which may hold a secret.
        """
        try:
            async with asyncio.timeout(self._total):
                return await self._follow(_parse(url))
        except TimeoutError:
            raise _later(f"The file did not arrive within {self._total:g} seconds.") from None

    async def _follow(self, url: httpx.URL) -> MediaFacts:
        async with self._client() as client:
            for _ in range(_MOST_REDIRECTS + 1):
                await self._admit(url)
                async with self._answer(client, url) as response:
                    if response.status_code in _REDIRECTS and "location" in response.headers:
                        url = _parse(response.headers["location"], base=url)
                        continue
                    _require_file(response, url.host, self._limit)
                    return await take_in(self._store, response.aiter_raw(_CHUNK), limit_bytes=self._limit)
        raise _wrong("media_unreachable", f"The address was redirected more than {_MOST_REDIRECTS} times.")

    @asynccontextmanager
    async def _answer(self, client: httpx.AsyncClient, url: httpx.URL) -> AsyncIterator[httpx.Response]:
        """The answer to one request, its body unread; what goes wrong with it in the meantime is put into words."""
        try:
            async with client.stream("GET", url, headers=_HEADERS) as response:
                yield response
        except SSRFProtectionError:
            raise _private(url.host) from None
        except httpx.TimeoutException:
            raise _later(f"{url.host} did not answer within {self._patience:g} seconds.") from None
        except httpx.HTTPError as error:
            raise _failed(url.host, error) from None

    async def _admit(self, url: httpx.URL) -> None:
        """Check the address before anything is sent to it, not even a connection that could be timed."""
        port = _SCHEMES[url.scheme] if url.port is None else url.port
        if not self._allow_private and port not in _PORTS:
            raise _wrong(
                "media_url_invalid", f"Media are not fetched from port {port}.", "Use an address without a port."
            )
        for address in await _resolve(url.host, port):
            if not may_fetch(address, allow_private=self._allow_private):
                raise _private(url.host)

    def _client(self) -> httpx.AsyncClient:
        # One client a fetch: no cookie, connection or cached name passes from one workspace's fetch to another's.
        client = httpx.AsyncClient(
            verify=self._tls, trust_env=False, follow_redirects=False, timeout=httpx.Timeout(self._patience)
        )
        return httpx_ssrf_protection(
            client, check_globally_reachable=not self._allow_private, custom_validator=self._may_connect
        )

    def _may_connect(self, _host: str, address: Address, _port: int) -> bool:
        return may_fetch(address, allow_private=self._allow_private)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context(trust_env=False)


def _parse(text: str, *, base: httpx.URL | None = None) -> httpx.URL:
    """The URL, by the same parser that sends the request: there are no two opinions on where its host ends."""
    try:
        url = base.join(text) if base else httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError, TypeError):
        raise _wrong("media_url_invalid", "This is not a valid address.") from None
    if url.scheme not in _SCHEMES:
        raise _wrong("media_url_scheme", f"Media are fetched over http and https, not {url.scheme or 'nothing'!r}.")
    if url.userinfo:
        raise _wrong("media_url_invalid", "The address carries a user name or password.", "Use one without.")
    if not url.host or "%" in url.host or len(url.host) > _LONGEST_HOST or len(text) > _LONGEST_URL:
        raise _wrong("media_url_invalid", "This is not a valid address.")
    return url


async def _resolve(host: str, port: int) -> list[Address]:
    host = host.removesuffix(".")  # "127.0.0.1." is an address to some resolvers
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            raise _later(f"The name {host} cannot be looked up at the moment.") from None
        raise _wrong("media_unreachable", f"There is no host named {host}.", "Check the spelling.") from None
    return [ip_address(answer[4][0]) for answer in answers]


def _require_file(response: httpx.Response, host: str, limit_bytes: int) -> None:
    """Refuse what cannot become a file: another status, a compressed body, a length beyond the limit."""
    status = response.status_code
    if status not in _OK:
        # Without the server's own words: the message reaches the model.
        message = f"{host} answered with HTTP {status} instead of the file."
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _PASSING:
            raise _later(message)
        raise _wrong("media_unreachable", message, "Give an address that opens without signing in.")
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in _PLAIN_ENCODINGS:
        raise _wrong("media_unreadable", f"{host} sent the file compressed, although asked not to.")
    length = response.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limit_bytes:
        raise TooLarge(
            f"The file has {int(length[:20]) / 1e6:.0f} MB; this server takes at most {limit_bytes / 1e6:g} MB.",
            code="media_too_large",
            action="Use a smaller file, or raise STUDIO_MEDIA_LIMIT_MB.",
        )


def _failed(host: str, error: httpx.HTTPError) -> StudioError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return _wrong("media_unreachable", f"The certificate of {host} is not valid.", "Use another address.")
    if isinstance(error, httpx.ConnectError):
        return _later(f"{host} cannot be reached.")
    return _later(f"The connection to {host} broke before the file was complete.")


def _private(host: str) -> InvalidInput:
    return _wrong(
        "media_url_private",
        f"{host} is not a public address: media are not fetched from private networks.",
        "Upload the file instead, or give a public address.",
    )


def _wrong(code: str, message: str, action: str = "Give the https address of the file, or upload it.") -> InvalidInput:
    return InvalidInput(message, code=code, action=action)


def _later(message: str) -> Unavailable:
    return Unavailable(message, code="media_unreachable", action="Try again in a while, or upload the file.")
