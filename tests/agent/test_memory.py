"""What the tables of conversations hold once a run is over, and while one waits."""

import psycopg

from core.settings import Settings
from tests.agent.house import House, Script, calling, open_house, until
from tools.context import Doors, Principal


async def rows(house: House) -> dict[str, int]:
    """The rows of each table."""
    found = {}
    async with await psycopg.AsyncConnection.connect(house.admin_url) as connection:
        for table in ("checkpoints", "checkpoint_writes", "checkpoint_blobs", "checkpoint_messages"):
            row = await (await connection.execute(f"select count(*) from langgraph.{table}".encode())).fetchone()
            assert row is not None
            found[table.removeprefix("checkpoint_")] = int(row[0])
    return found


async def test_a_run_that_is_over_leaves_one_step_and_each_message_once(
    doors: Doors, principal: Principal, admin_url: str, endpoint: Settings, script: Script
) -> None:
    note = calling(("keep_note", {"text": "a"}), content="On it.")
    script(note, "Done.", note, "Done again.")
    async with open_house(doors, principal, admin_url, model=endpoint) as house:
        first = await house.ask("do it")
        await house.ask("and again", thread_id=first.thread_id)
        left = {"checkpoints": 2, "writes": 0, "blobs": 0, "messages": 8}

        async def tidied_up() -> bool:
            return await rows(house) == left

        # It is done once the run has ended.
        await until(tidied_up)


async def test_a_run_that_waits_keeps_its_steps_until_it_is_over(
    doors: Doors, principal: Principal, admin_url: str, endpoint: Settings, script: Script
) -> None:
    script(calling(("publish", {"text": "a"})), "Out.")
    async with open_house(doors, principal, admin_url, model=endpoint) as house:
        asked = await house.ask("publish a")
        assert asked.status == "waiting"
        waiting = await rows(house)
        # The input, the first step, the answer with its call; and the question.
        assert waiting["checkpoints"] == 3
        assert waiting["writes"] > 0
        done = await house.answer(asked.id, decision="approve")
        assert done.reply == "Out."

        async def tidied_up() -> bool:
            return await rows(house) == {"checkpoints": 1, "writes": 0, "blobs": 0, "messages": 4}

        await until(tidied_up)
