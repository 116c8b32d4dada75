"""The FastAPI application: every route, and what happens to each request on the way to it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from pydantic import SecretStr

from agent.runs import RunService
from agent.threads import ThreadService
from api import agui, approvals, ask, commands, health, media, openapi, page, problems, runs, sessions, threads
from api.front import Front
from api.metrics import Metrics
from api.middleware import BodyLimit, Envelope, HostCheck
from tools.context import Doors
from tools.dispatcher import Dispatcher

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_BODY_LIMIT = 1_000_000  # bytes of JSON: a caption has at most some thousand
_MULTIPART_EXTRA = 100_000  # the frame around an uploaded file


def create_app(
    *,
    doors: Doors,
    dispatcher: Dispatcher,
    runs: RunService,
    threads: ThreadService,
    stopping: asyncio.Event,
    version: str,
    lifespan: Lifespan | None = None,
    demo: bool = False,
    demo_key: SecretStr | None = None,
    feed_url: str | None = None,
) -> FastAPI:
    """The application over what the composition root built.

    ``stopping`` ends every stream when it is set. ``demo`` lets only loopback host names in; with ``demo_key`` (the
    owner's API key) a browser on this machine is signed in by opening the page. ``feed_url`` is the sandbox's feed,
    which the page links to; None = no link.
    """
    front = Front(
        doors=doors,
        dispatcher=dispatcher,
        runs=runs,
        threads=threads,
        stopping=stopping,
        metrics=Metrics(version),
        version=version,
        demo=demo,
        demo_key=demo_key,
        feed_url=feed_url,
    )
    app = FastAPI(
        title="Studio",
        version=version,
        description="A conversational agent server for social media.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.front = front
    _add_routes(app, front)
    problems.install(app)
    openapi.install(app, dispatcher.catalog)
    _wrap(app, front)
    return app


def _add_routes(app: FastAPI, front: Front) -> None:
    fixed = (page, health, sessions, ask, threads, runs, approvals, media, agui)
    for module in fixed:
        app.include_router(module.router)
    app.include_router(commands.router(front.dispatcher.catalog))


def _wrap(app: FastAPI, front: Front) -> None:
    """The layers around the routes; the last one added is the outermost."""
    uploads = front.doors.settings.media_limit_mb * 1_000_000 + _MULTIPART_EXTRA
    app.add_middleware(BodyLimit, limit=_BODY_LIMIT, larger={media.UPLOAD_PATH: uploads})
    if front.demo:
        app.add_middleware(HostCheck, hosts=sessions.LOOPBACK)
    app.add_middleware(Envelope, metrics=front.metrics, secure=front.secure)
