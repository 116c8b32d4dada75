"""Blocking work beside the event loop, never left behind by a caller that was cancelled."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import TypeVar

_Result = TypeVar("_Result")


async def in_thread(work: Callable[[], _Result], *, executor: Executor | None = None) -> _Result:
    """The result of ``work``, run in a thread (of the loop's own pool when ``executor`` is None).

    A cancelled caller waits for the work to end before the cancellation goes on: no thread writes to a file
    that the caller's clean-up has closed.
    """
    job = asyncio.get_running_loop().run_in_executor(executor, work)
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        while not job.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([job])
        if not job.cancelled():
            job.exception()  # read, so that asyncio does not report it as forgotten
        raise
