"""A process that brings a database up to date, as every start of Studio does; says what it found and reached."""

import asyncio
import sys

from db import migrate
from memory import checkpoints


async def main(admin_url: str) -> None:
    async with migrate.migration_lock(admin_url):
        found = await migrate.current_revision(admin_url)
        reached = await migrate.upgrade(admin_url)
        await checkpoints.setup(admin_url)
    sys.stdout.write(f"{found} {reached}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
