"""A Bluesky server over HTTP: XRPC calls in JSON, and the pictures that are sent as they are."""

import json
from collections.abc import AsyncIterator, Mapping

import httpx

from core.jsontypes import JsonObject, JsonValue
from platforms.bluesky.errors import call_error
from platforms.http import Answer, exchange, undecided

_HTTP_OK = 200

Parameters = Mapping[str, str | int | tuple[str, ...]]


class BlueskyApi:
    """An account's server (PDS). The token travels in a header. ``deadline`` in seconds for a whole call.

    Methods bear their names of the AT Protocol ("com.atproto.repo.putRecord"). Every call raises ``platforms.errors``;
    ``repeatable`` as in ``platforms.http.exchange``.
    """

    def __init__(self, client: httpx.AsyncClient, base_url: str, *, deadline: float) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._deadline = deadline

    async def ask(self, method: str, parameters: Parameters, *, token: str) -> JsonObject:
        """Read something."""
        request = self._client.build_request(
            "GET", self._address(method), params=dict(parameters), headers=_bearer(token)
        )
        return await self._answered(request, secrets=(token,), repeatable=True, deadline=self._deadline)

    async def tell(
        self, method: str, body: JsonObject | None, *, token: str | None, repeatable: bool, secret: str = ""
    ) -> JsonObject:
        """Change something; ``body`` None sends none. ``secret`` is what the body has in it that nobody may read."""
        headers = _bearer(token) if token else {}
        request = self._client.build_request("POST", self._address(method), json=body, headers=headers)
        secrets = (token or "", secret)
        return await self._answered(request, secrets=secrets, repeatable=repeatable, deadline=self._deadline)

    async def send(self, content: AsyncIterator[bytes], *, mime_type: str, size: int, token: str) -> JsonObject:
        """Hand in the bytes of a picture: nobody sees it before a post bears it."""
        headers = {"Content-Type": mime_type, "Content-Length": str(size), **_bearer(token)}
        address = self._address("com.atproto.repo.uploadBlob")
        request = self._client.build_request("POST", address, content=content, headers=headers)
        return await self._answered(request, secrets=(token,), repeatable=True, deadline=None)

    def _address(self, method: str) -> str:
        return f"{self._base_url}/xrpc/{method}"

    async def _answered(
        self, request: httpx.Request, *, secrets: tuple[str, ...], repeatable: bool, deadline: float | None
    ) -> JsonObject:
        answer = await exchange(self._client, request, repeatable=repeatable, deadline=deadline)
        body = _json_object(answer)
        if answer.status != _HTTP_OK:
            raise call_error(answer.status, body, answer.headers, secrets=secrets, repeatable=repeatable)
        if body is None:
            raise undecided("Bluesky answered 200 without an object.", repeatable=repeatable)
        return body


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _json_object(answer: Answer) -> JsonObject | None:
    """The JSON object of an answer, None when it is anything else."""
    try:
        value: JsonValue = json.loads(answer.body)
    except ValueError:
        return None
    return value if isinstance(value, Mapping) else None
