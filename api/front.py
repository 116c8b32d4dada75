"""What every route may use: the doors of the process, handed in once by the composition root."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from pydantic import SecretStr

from agent.runs import RunService
from agent.threads import ThreadService
from api.metrics import Metrics
from tools.context import Doors
from tools.dispatcher import Dispatcher


@dataclass(frozen=True, kw_only=True)
class Front:
    """The front of the house. ``stopping`` is set when the process drains: every stream ends then.

    ``demo_key`` is the API key of the person whom the demo signs in by itself; None = nobody. ``feed_url`` is where the
    sandbox shows what is live; None = there is no sandbox.
    """

    doors: Doors
    dispatcher: Dispatcher
    runs: RunService
    threads: ThreadService
    stopping: asyncio.Event
    metrics: Metrics
    version: str
    demo: bool = False
    demo_key: SecretStr | None = None
    feed_url: str | None = None

    @property
    def secure(self) -> bool:
        """Whether browsers reach this server over https, so that cookies may insist on it."""
        return self.doors.settings.public_base.startswith("https://")


def front_of(request: Request) -> Front:
    """The front of the application that serves this request."""
    front = request.app.state.front
    assert isinstance(front, Front)
    return front


FrontDoor = Annotated[Front, Depends(front_of)]
