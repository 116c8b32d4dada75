"""A client of a running server, for the terminal: asks, follows the stream through breaks, answers approvals."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import uuid4

import httpx
from pydantic import SecretStr

from core.errors import Forbidden, StudioError, Unauthenticated, Unavailable

_RECONNECTS = 20
_LONGEST_PAUSE = 3.0
# The server sends a comment every 15 s: three of them missing means that nobody is there.
_SILENCE_SECONDS = 50.0

Event = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where Studio runs and with which key to speak to it; ``timezone`` None = the workspace's."""

    url: str
    key: SecretStr
    timezone: str | None = None


class Refused(StudioError):
    """The server answered with a problem; the message is its detail, the action its way out."""

    def __init__(self, status: int, problem: Mapping[str, object]) -> None:
        action = problem.get("action")
        super().__init__(
            str(problem.get("detail") or f"The server answered {status}."),
            code=str(problem.get("code") or "http_error"),
            action=str(action) if action else None,
        )
        self.http_status = status


@dataclass(kw_only=True)
class Turn:
    """Where a stream stands: enough to take it up again. ``last_event`` is the id of the newest event that arrived."""

    run_id: str | None = None
    thread_id: str | None = None
    last_event: str | None = None
    ended: bool = False


class StudioClient:
    """One connection to a server; use it as ``async with connect(server) as client``."""

    def __init__(self, http: httpx.AsyncClient, server: Server) -> None:
        self._http = http
        self._server = server

    async def ask(self, text: str, *, thread_id: str | None, turn: Turn) -> AsyncIterator[Event]:
        """The events of one sentence's run, to its end; ``turn`` is kept up to date."""
        body: dict[str, str] = {"text": text}
        if thread_id is not None:
            body["thread_id"] = thread_id
        # The key makes the very same request safe to repeat when the connection breaks before the first event.
        headers = {"Idempotency-Key": uuid4().hex}
        async for event in self._follow("POST", "/v1/ask", turn, body=body, headers=headers):
            yield event

    async def resume(self, turn: Turn, decision: str, *, note: str | None = None) -> AsyncIterator[Event]:
        """Answer what the turn's run waits for, and the events that follow."""
        body = {"decision": decision} | ({"note": note} if note else {})
        turn.ended = False
        async for event in self._follow("POST", f"/v1/runs/{turn.run_id}/resume", turn, body=body, headers={}):
            yield event

    async def watch(self, turn: Turn) -> AsyncIterator[Event]:
        """The events of the turn's run from its last event on, to its end or to where it waits."""
        async for event in self._follow("GET", f"/v1/runs/{turn.run_id}/events", turn, body={}, headers={}):
            yield event

    async def cancel(self, run_id: str) -> None:
        """Stop a run."""
        await self.call("POST", f"/v1/runs/{run_id}/cancel")

    async def call(self, method: str, path: str, body: object | None = None) -> dict[str, object]:
        """One request and its JSON; raises ``Refused``, ``Unauthenticated``, ``Forbidden`` or ``Unavailable``."""
        try:
            answer = await self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            raise self._absent() from error
        await self._require(answer)
        return cast("dict[str, object]", answer.json())

    async def _follow(
        self, method: str, path: str, turn: Turn, *, body: Mapping[str, str], headers: dict[str, str]
    ) -> AsyncIterator[Event]:
        """The first stream, and others from the last event on until the run is over."""
        breaks = 0
        while True:
            try:
                async for event in self._stream(method, path, turn, body if method == "POST" else None, headers):
                    breaks = 0
                    yield event
            except httpx.TransportError as error:
                if turn.last_event is None and turn.run_id is None:
                    raise self._absent() from error
            if turn.ended:
                return
            breaks += 1
            if breaks > _RECONNECTS:
                raise self._absent()
            await asyncio.sleep(min(0.1 * breaks**2, _LONGEST_PAUSE))
            method, path = "GET", f"/v1/runs/{turn.run_id}/events"

    async def _stream(
        self, method: str, path: str, turn: Turn, body: Mapping[str, str] | None, headers: dict[str, str]
    ) -> AsyncIterator[Event]:
        headers = {**headers, "Accept": "text/event-stream"}
        if turn.last_event is not None:
            headers["Last-Event-ID"] = turn.last_event
        async with self._http.stream(method, path, json=body, headers=headers) as answer:
            await self._require(answer)
            turn.run_id = answer.headers.get("x-run-id", turn.run_id)
            turn.thread_id = answer.headers.get("x-thread-id", turn.thread_id)
            async for event_id, event in events_of(answer.aiter_lines()):
                turn.last_event = event_id or turn.last_event
                turn.ended = event.get("type") in {"RUN_FINISHED", "RUN_ERROR"}
                yield event

    async def _require(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        await answer.aread()
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        if not isinstance(problem, dict):
            problem = {}
        refused = Refused(answer.status_code, problem)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise Unauthenticated(refused.message, code=refused.code, action="Set STUDIO_API_KEY to a key that works.")
        if answer.status_code == httpx.codes.FORBIDDEN:
            raise Forbidden(refused.message, code=refused.code, action=refused.action)
        raise refused

    def _absent(self) -> Unavailable:
        return Unavailable(
            f"No Studio answers at {self._server.url}.",
            code="server_absent",
            action="Start it with `studio demo` or `studio serve`, or set STUDIO_URL to where it runs.",
        )


@asynccontextmanager
async def connect(server: Server) -> AsyncIterator[StudioClient]:
    """A client of this server; nothing of the environment (proxies) is used."""
    headers = {"Authorization": f"Bearer {server.key.get_secret_value()}"}
    if server.timezone:
        headers["X-Timezone"] = server.timezone
    timeout = httpx.Timeout(_SILENCE_SECONDS, connect=5.0)
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=timeout, trust_env=False) as http:
        yield StudioClient(http, server)


async def events_of(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str | None, Event]]:
    """Server-sent events as (id, data); an event that the connection cut short is dropped, it comes again."""
    event_id: str | None = None
    data: list[str] = []
    async for line in lines:
        if not line:
            if data:
                yield event_id, cast("Event", json.loads("\n".join(data)))
            event_id, data = None, []
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif line.startswith("id:"):
            event_id = line[3:].strip()


def remembered_thread(state_file: Path, url: str) -> str | None:
    """The conversation that this terminal had with the server at ``url`` last; None when there was none."""
    return _read(state_file).get(url)


def remember_thread(state_file: Path, url: str, thread_id: str | None) -> None:
    """Keep which conversation to go on with; None forgets it."""
    state = _read(state_file)
    if thread_id is None:
        state.pop(url, None)
    else:
        state[url] = thread_id
    state_file.parent.mkdir(parents=True, exist_ok=True)
    temporary = state_file.with_name(f"{state_file.name}.{uuid4().hex}")
    temporary.write_text(json.dumps(state), encoding="utf-8")
    temporary.replace(state_file)


def _read(state_file: Path) -> dict[str, str]:
    try:
        state = json.loads(state_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # a memory of convenience: a lost one begins a new conversation
    return state if isinstance(state, dict) else {}
