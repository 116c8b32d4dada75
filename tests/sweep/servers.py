"""A process with what lies outside of Studio: the pretend networks, and the public links of the swept posts' media.

Run as a program with the folder of the media and the secret keys as arguments; it writes its address as a line and
ends when its standard input does.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from starlette.requests import Request
from starlette.responses import Response

from core.storage import DirectoryStore
from core.vault import Vault
from sandbox.app import create_app
from sandbox.world import Conditions
from tools.public_media import open_public_link

# Nothing takes time unless a case says so, and no quota is met by accident.
CONDITIONS = Conditions(
    video_processing_seconds=0.0,
    fetch_timeout_seconds=60.0,
    tiktok_statuses_per_minute=10_000,
    tiktok_creator_infos_per_minute=10_000,
    tiktok_inits_per_minute=10_000,
    tiktok_posts_per_day=1_000,
    publish_quota=1_000,
    container_quota=1_000,
)


async def serve(media: Path, keys: str) -> None:
    app = create_app(conditions=CONDITIONS)
    store, vault = DirectoryStore(media), Vault(keys.split(","))

    async def medium(request: Request) -> Response:
        named = open_public_link(vault, request.path_params["token"])
        data = b"".join([chunk async for chunk in store.read(named.sha256)])
        return Response(data, media_type=named.mime_type)

    app.add_route("/media/{token}/{name}", medium)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="on", timeout_keep_alive=300)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    sys.stdout.write(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    server.should_exit = True
    await serving


@contextlib.asynccontextmanager
async def running_servers(media: Path, keys: str) -> AsyncIterator[str]:
    """The process, as long as the context is open; its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.sweep.servers",
        str(media),
        keys,
        cwd=Path(__file__).parents[2],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 20)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
