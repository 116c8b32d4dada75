"""A process of its own that carries on a conversation, for tests that kill it: ``python -m tests.memory.worker``.

Reads one line of JSON from standard input: the database, the workspace, the thread, and what to do: "talk" for ever,
"turn" once, or "thin" behind the turn that is named. Says "ready" when it begins, and "done" at the end.
"""

import asyncio
import json
import sys
from uuid import UUID

from memory.checkpoints import checkpoints_of, open_saver
from tests.memory import talk


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def main() -> None:
    """Do what was asked."""
    given = json.loads(sys.stdin.readline())
    thread_id = given["thread_id"]
    async with open_saver(given["admin_url"], pool_size=2) as saver:
        graph = talk.graph_on(saver)
        _say("ready")
        with checkpoints_of(UUID(given["workspace_id"])):
            while given["act"] == "talk":
                number = await talk.take_turn(graph, thread_id)
                await saver.athin(thread_id, talk.run_id(number))
            if given["act"] == "turn":
                await talk.take_turn(graph, thread_id)
            else:
                await saver.athin(thread_id, talk.run_id(given["turn"]))
    _say("done")


if __name__ == "__main__":
    asyncio.run(main())
