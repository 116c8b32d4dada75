"""A process of its own that carries out runs, for tests that kill it: ``python -m tests.agent.worker``.

Reads one line of JSON from standard input: the settings, the database and the principal; says "ready" when it works.
"""

import asyncio
import json
import sys
from uuid import UUID

from core.settings import Settings
from db.engine import Database
from tests.agent.house import open_house
from tests.conftest import open_doors
from tools.context import Principal, Role


def principal_of(person: dict[str, str]) -> Principal:
    """The principal that the test's process wrote down."""
    return Principal(
        workspace_id=UUID(person["workspace_id"]),
        workspace_name=person["workspace_name"],
        user_id=UUID(person["user_id"]),
        user_name=person["user_name"],
        membership_id=UUID(person["membership_id"]),
        role=Role(person["role"]),
        timezone=person["timezone"],
    )


async def main() -> None:
    """Work until killed."""
    given = json.loads(sys.stdin.readline())
    settings = Settings(_env_file=None, **given["settings"])
    principal = principal_of(given["principal"])
    database = Database(given["admin_url"], pool_size=4)
    async with (
        open_doors(settings, database) as doors,
        open_house(doors, principal, given["admin_url"], model=settings),
    ):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
