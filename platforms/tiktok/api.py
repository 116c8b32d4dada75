"""TikTok over HTTP: the envelope of its API, its token address, and the upload host a video is sent to."""

import json
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

import httpx

from core.jsontypes import JsonObject, JsonValue
from platforms.errors import Refused
from platforms.http import Answer, exchange, undecided
from platforms.tiktok.errors import OK, call_error, oauth_error

_HTTP_OK = 200


class TikTokApi:
    """TikTok's API. The token travels in a header. ``deadline`` in seconds for a whole call.

    Every call raises ``platforms.errors``; ``repeatable`` as in ``platforms.http.exchange``.
    """

    def __init__(self, client: httpx.AsyncClient, base_url: str, *, deadline: float) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._deadline = deadline

    async def post(
        self, path: str, body: JsonObject, *, token: str, fields: str | None = None, repeatable: bool = True
    ) -> JsonObject:
        """Make a call; ``path`` without "/v2/" in front. Answers its ``data``."""
        return await self._call("POST", path, token=token, fields=fields, body=body, repeatable=repeatable)

    async def get(self, path: str, *, token: str, fields: str) -> JsonObject:
        """Read something."""
        return await self._call("GET", path, token=token, fields=fields, body=None, repeatable=True)

    async def new_token(self, form: Mapping[str, str], *, secrets: tuple[str, ...]) -> JsonObject:
        """Ask the token address, whose answers are flat and whose errors may come with any status."""
        request = self._client.build_request("POST", f"{self._base_url}/v2/oauth/token/", data=dict(form))
        answer = await exchange(self._client, request, repeatable=True, deadline=self._deadline)
        body = json_object(answer.body)
        if body is None or "error" in body or answer.status != _HTTP_OK:
            error, description = (body or {}).get("error"), (body or {}).get("error_description")
            if isinstance(error, Mapping):  # a gateway before it answers in the envelope of the others
                raise call_error(answer.status, error, secrets=secrets, repeatable=True)
            raise oauth_error(answer.status, str(error or ""), str(description or ""), secrets=secrets)
        return body

    async def _call(
        self, method: str, path: str, *, token: str, fields: str | None, body: JsonObject | None, repeatable: bool
    ) -> JsonObject:
        request = self._client.build_request(
            method,
            f"{self._base_url}/v2/{path}",
            params={"fields": fields} if fields else None,
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        )
        answer = await exchange(self._client, request, repeatable=repeatable, deadline=self._deadline)
        return read_answer(answer, secrets=(token,), repeatable=repeatable)


class UploadHost:
    """Whatever host TikTok names in ``upload_url``; it gets no token, its address is the permission."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def put(
        self, url: str, content: AsyncIterator[bytes], *, mime_type: str, first: int, last: int, total: int
    ) -> Answer:
        """Send the bytes from ``first`` to ``last``, both included.

        Raises ``Transient`` when the host cannot be reached, ``OutcomeUnknown`` when the exchange broke off.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
            raise Refused("TikTok named an address for the upload that Studio does not send to.", code="bad_upload_url")
        headers = {
            "Content-Type": mime_type,
            "Content-Length": str(last - first + 1),
            "Content-Range": f"bytes {first}-{last}/{total}",
        }
        request = self._client.build_request("PUT", url, content=content, headers=headers)
        return await exchange(self._client, request, repeatable=False, deadline=None)


def read_answer(answer: Answer, *, secrets: tuple[str, ...], repeatable: bool) -> JsonObject:
    """The ``data`` of a good answer; raises for an error, also for one that comes with HTTP 200."""
    body = json_object(answer.body)
    error = body.get("error") if body is not None else None
    code = error.get("code") if isinstance(error, Mapping) else None
    if answer.status != _HTTP_OK or (error is not None and code != OK):
        described = error if isinstance(error, Mapping) else {}
        raise call_error(answer.status, described, secrets=secrets, repeatable=repeatable)
    data = body.get("data") if body is not None else None
    if not isinstance(data, Mapping):
        raise undecided("TikTok answered 200 without any data.", repeatable=repeatable)
    return data


def json_object(body: bytes) -> JsonObject | None:
    """The JSON object a body spells, None when it is anything else."""
    try:
        value: JsonValue = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, Mapping) else None
