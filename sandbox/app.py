"""The pretend world as one ASGI application: every network, the model endpoint, the feed and the control routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from sandbox.bluesky import repository as bluesky_repository
from sandbox.bluesky import routes as bluesky
from sandbox.chat_completions import chat
from sandbox.connection import Doorkeeper
from sandbox.control import control
from sandbox.facebook import publishing as facebook_publishing
from sandbox.facebook import routes as facebook
from sandbox.facebook import uploads as facebook_uploads
from sandbox.feed import feed
from sandbox.graph_call import PREFIXES
from sandbox.graph_tokens import nothing, tokens
from sandbox.history import history
from sandbox.instagram import containers, publishing
from sandbox.instagram import routes as instagram
from sandbox.store import Store
from sandbox.tiktok import publications as tiktok_publications
from sandbox.tiktok import publishing as tiktok_publishing
from sandbox.tiktok import routes as tiktok
from sandbox.world import Conditions, World


def create_app(*, state_file: Path | None = None, conditions: Conditions | None = None) -> FastAPI:
    """A new application over ``state_file`` (SQLite; None keeps everything in memory).

    Serve it with uvicorn on a loopback address: dropped connections work under uvicorn alone.
    """
    first = conditions or Conditions()
    schemas = [containers.SCHEMA, facebook_uploads.SCHEMA, tiktok_publications.SCHEMA, bluesky_repository.SCHEMA]
    world = World(store=Store(state_file, schemas=schemas), conditions=first, initial_conditions=first)
    if state_file is not None:
        world.scratch_directory = state_file.with_suffix(".uploads")
    app = Doorkeeper(title="Studio sandbox", openapi_url=None, lifespan=_lifespan)
    app.state.world = world
    app.include_router(control)
    app.include_router(history)
    app.include_router(feed)
    app.include_router(chat)
    for prefix in PREFIXES:
        for router in (tokens, instagram.unversioned):
            app.include_router(router, prefix=prefix)
        # Facebook's routes step aside for nodes that are not its own: they are asked first.
        for router in (tokens, facebook.graph, instagram.graph, nothing):
            app.include_router(router, prefix=prefix + "/{version}")
        app.include_router(nothing, prefix=prefix)
    for uploads in (instagram.uploads, facebook.uploads):
        app.include_router(uploads, prefix="/meta-upload")
    app.include_router(tiktok.strings)
    app.include_router(tiktok.api, prefix="/tiktok")
    app.include_router(tiktok.uploads, prefix="/tiktok-upload")
    app.include_router(bluesky.api, prefix="/bluesky")
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    world: World = app.state.world
    await publishing.resume_downloads(world)
    facebook_publishing.resume_processing(world)
    await tiktok_publishing.resume(world)
    yield
    await world.close()
