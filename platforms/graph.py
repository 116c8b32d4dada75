"""Meta's Graph API as Instagram and Facebook share it: addresses, the pinned version, the envelope of answers."""

import json
from collections.abc import AsyncIterator, Mapping

import httpx

from core.jsontypes import JsonObject, JsonValue
from platforms.errors import PlatformError
from platforms.graph_errors import read_problem, regain_seconds, to_error
from platforms.http import Answer, exchange, undecided

# Released 29 July 2026. Without a pin Meta silently serves the oldest version that still lives.
GRAPH_VERSION = "v26.0"

_OK = 200


class Graph:
    """One Graph host. The token travels in a header, so that no address carries it.

    ``deadline`` is in seconds for a whole call. Every call raises ``platforms.errors``.
    """

    def __init__(self, client: httpx.AsyncClient, base_url: str, *, deadline: float) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._deadline = deadline

    async def get(self, path: str, *, token: str, **parameters: str) -> JsonObject:
        """Read a node or an edge of the pinned version: ``path`` without a leading slash."""
        request = self._client.build_request(
            "GET", f"{self._base_url}/{GRAPH_VERSION}/{path}", params=parameters, headers=_bearer(token)
        )
        return await self._call(request, secrets=(token,), repeatable=True)

    async def post(self, path: str, *, token: str, form: Mapping[str, str], repeatable: bool) -> JsonObject:
        """Write; ``repeatable`` as in ``platforms.http.exchange``: False for a call that makes something public."""
        request = self._client.build_request(
            "POST", f"{self._base_url}/{GRAPH_VERSION}/{path}", data=form, headers=_bearer(token)
        )
        return await self._call(request, secrets=(token,), repeatable=repeatable)

    async def delete(self, path: str, *, token: str) -> JsonObject:
        """Delete a node; doing it twice does no harm."""
        request = self._client.build_request(
            "DELETE", f"{self._base_url}/{GRAPH_VERSION}/{path}", headers=_bearer(token)
        )
        return await self._call(request, secrets=(token,), repeatable=True)

    async def exchange_token(self, path: str, *, secrets: tuple[str, ...], **parameters: str) -> JsonObject:
        """Ask for a new token; ``path`` with the version where Meta documents one.

        Meta reads secrets from the query here and nowhere else; ``platforms.http`` keeps queries out of the logs.
        """
        request = self._client.build_request("GET", f"{self._base_url}/{path}", params=parameters)
        return await self._call(request, secrets=secrets, repeatable=True)

    async def _call(self, request: httpx.Request, *, secrets: tuple[str, ...], repeatable: bool) -> JsonObject:
        answer = await exchange(self._client, request, repeatable=repeatable, deadline=self._deadline)
        return read_answer(answer, secrets=secrets, repeatable=repeatable)


class UploadHost:
    """Meta's host for resumable uploads."""

    def __init__(self, client: httpx.AsyncClient, base_url: str) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")

    async def send(
        self, path: str, *, token: str, content: AsyncIterator[bytes], offset: int, size_bytes: int
    ) -> Answer:
        """Stream the bytes from ``offset`` on; ``path`` such as "ig-api-upload/v26.0/<container>".

        Returns whatever Meta answered (its errors have a shape of their own here). Raises ``Transient`` when the host
        cannot be reached and ``OutcomeUnknown`` when the upload broke off: some bytes may have arrived.
        """
        headers = {
            "Authorization": f"OAuth {token}",
            "offset": str(offset),
            "file_size": str(size_bytes),
            "Content-Length": str(size_bytes - offset),
        }
        request = self._client.build_request("POST", f"{self._base_url}/{path}", content=content, headers=headers)
        return await exchange(self._client, request, repeatable=False, deadline=None)


def read_answer(answer: Answer, *, secrets: tuple[str, ...], repeatable: bool) -> JsonObject:
    """The JSON object of a good answer; raises for an error, also for one that comes with HTTP 200."""
    body = json_object(answer.body)
    error = body.get("error") if body is not None else None
    if error is not None or answer.status != _OK:
        raise _graph_error(answer, error, secrets=secrets, repeatable=repeatable)
    if body is None:
        raise undecided("Meta answered 200 with a body that is no JSON object.", repeatable=repeatable)
    return body


def read_id(body: JsonObject, *, repeatable: bool) -> str:
    """The id that every creating call answers with; raises like a lost answer when it is missing."""
    value = body.get("id")
    if isinstance(value, str) and value:
        return value
    raise undecided("Meta answered without an id.", repeatable=repeatable)


def json_object(body: bytes) -> JsonObject | None:
    """The JSON object a body spells, None when it is anything else."""
    try:
        value: JsonValue = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, Mapping) else None


def _graph_error(answer: Answer, error: JsonValue, *, secrets: tuple[str, ...], repeatable: bool) -> PlatformError:
    problem = read_problem(answer.status, error if isinstance(error, Mapping) else None, secrets=secrets)
    return to_error(problem, repeatable=repeatable, regain_seconds=regain_seconds(answer.headers))


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
