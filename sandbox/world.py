"""Everything the pretend world consists of, handed to whoever answers a request."""

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sandbox.chat_script import ChatScripts
from sandbox.connection import Dropped, Truncated
from sandbox.faults import Fault, FaultBook, NamedRoute
from sandbox.journal import Call, Journal
from sandbox.refusals import refusal
from sandbox.store import Store

BAD_REQUEST = 400
HOUR = 3_600

Deed = Callable[[Fault | None], Awaitable[Response]]


class Conditions(BaseModel):
    """How the world behaves without faults; seconds, bytes and counts. Not kept over a restart."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_processing_seconds: float = Field(0.0, ge=0)
    video_processing_seconds: float = Field(1.5, ge=0)
    fetch_timeout_seconds: float = Field(10.0, gt=0)
    publish_quota: int = Field(100, ge=0, description="posts per account in 24 hours")
    container_quota: int = Field(400, ge=0, description="containers per account in 24 hours")
    calls_per_hour: int = Field(100_000, ge=1, description="Graph calls per account in an hour")
    facebook_list_lag_seconds: float = Field(0.0, ge=0, description="until a Page lists a post that is live")
    facebook_refuses_duplicates: bool = Field(default=True, description="a Page's newest words are refused again")
    tiktok_inits_per_minute: int = Field(6, ge=0, description="announced posts per TikTok user in a minute")
    tiktok_creator_infos_per_minute: int = Field(20, ge=0)
    tiktok_statuses_per_minute: int = Field(30, ge=0)
    tiktok_reads_per_minute: int = Field(600, ge=0, description="each of the other TikTok calls")
    tiktok_posts_per_day: int = Field(15, ge=0, description="direct posts per TikTok creator in 24 hours")
    tiktok_moderation_seconds: float = Field(0.0, ge=0, description="until a public TikTok post shows its id")
    tiktok_access_token_seconds: int = Field(7_200, ge=1)
    tiktok_refresh_token_seconds: int = Field(15_552_000, ge=1)
    tiktok_unaudited: bool = Field(default=False, description="the TikTok client may post to private accounts only")
    bluesky_access_token_seconds: int = Field(7_200, ge=1)
    bluesky_refresh_token_seconds: int = Field(7_776_000, ge=1)
    bluesky_view_down: bool = Field(default=False, description="the service behind Bluesky's server does not answer")
    tiktok_verified_prefixes: tuple[str, ...] | None = Field(
        None, description="where TikTok fetches from; None: anywhere"
    )


@dataclass(kw_only=True)
class World:
    """The doors of the pretend world; one per application."""

    store: Store
    conditions: Conditions
    initial_conditions: Conditions
    faults: FaultBook = field(default_factory=FaultBook)
    journal: Journal = field(default_factory=Journal)
    chat: ChatScripts = field(default_factory=ChatScripts)
    background: set[asyncio.Task[object]] = field(default_factory=set)
    scratch_directory: Path | None = None
    _call_times: dict[str, deque[float]] = field(default_factory=dict)
    _temporary: tempfile.TemporaryDirectory[str] | None = None

    def now(self) -> float:
        """Unix seconds, by the wall clock."""
        return time.time()

    def calls_in_the_last_hour(self, account: str) -> int:
        """Count one more call about this account, and say how many there were before it within an hour."""
        return self.calls_within(account, seconds=HOUR)

    def calls_within(self, counted: str, *, seconds: float) -> int:
        """Count one more call of this name, and say how many there were before it within so many seconds."""
        times = self._call_times.setdefault(counted, deque())
        while times and times[0] < self.now() - seconds:
            times.popleft()
        times.append(self.now())
        return len(times) - 1

    def scratch(self) -> Path:
        """Where half-finished uploads lie: beside the state file, or in a place that ends with the server."""
        if self.scratch_directory is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="studio-sandbox-")
            self.scratch_directory = Path(self._temporary.name)
        self.scratch_directory.mkdir(parents=True, exist_ok=True)
        return self.scratch_directory

    def later(self, work: Coroutine[object, object, object]) -> None:
        """Let work go on after the request that began it; it ends with the server."""
        task = asyncio.get_running_loop().create_task(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    async def close(self) -> None:
        """End what goes on in the background, and close the file."""
        for task in tuple(self.background):
            task.cancel()
        await asyncio.gather(*self.background, return_exceptions=True)
        self.store.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    async def perform(self, route: NamedRoute, call: Call, deed: Deed, *, text: str) -> Response:
        """Answer one journalled call: do the deed, unless the fault it meets says otherwise.

        ``deed`` does not raise: it answers a response with its own errors in it. ``text`` is what a fault's match is
        looked for in.
        """
        fault = self.faults.take(route.name, account=call.account, text=text)

        async def do() -> Response:
            response = await deed(fault)
            call.done = response.status_code < BAD_REQUEST
            return response

        call.fault = fault.kind if fault else None
        response = await self._answer(fault, route, call, do)
        call.status = None if isinstance(response, Dropped) else response.status_code
        call.finished = True
        return response

    async def _answer(
        self, fault: Fault | None, route: NamedRoute, call: Call, do: Callable[[], Awaitable[Response]]
    ) -> Response:
        if fault is None or fault.kind in ("slow_processing", "processing_error"):
            return await do()
        if fault.kind == "drop_late":
            self.later(_after(fault, do))
            return Dropped()
        await fault.pause()
        if fault.kind == "drop_before":
            return Dropped()
        if fault.kind in ("status", "rate_limit", "refuse", "forbid", "expired_token"):
            return refusal(fault, route, call)
        response = await do()
        if fault.kind == "drop_after":
            response = Dropped()
        elif fault.kind == "truncate":
            response = Truncated(response)
        elif fault.kind in ("status_after", "refuse_after"):
            response = refusal(fault, route, call)
        return response


async def _after(fault: Fault, do: Callable[[], Awaitable[Response]]) -> None:
    await fault.pause()
    await do()


def world_of(request: Request) -> World:
    """The world this request came to."""
    world = request.app.state.world
    assert isinstance(world, World)
    return world
