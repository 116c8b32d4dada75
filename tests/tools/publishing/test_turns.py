"""Who has begun gives way to who has not, until nobody is left or the patience is over."""

import asyncio

from tools.publishing import turns
from tools.publishing.turns import Turns


async def test_nobody_waits_for_nobody() -> None:
    free = Turns()
    assert free.is_free
    await asyncio.wait_for(free.give_way(), 0.5)


async def test_those_under_way_wait_until_the_last_has_begun() -> None:
    crowd = Turns()
    crowd.enter("one")
    crowd.enter("two")
    waiting = asyncio.create_task(crowd.give_way())
    crowd.over("one")
    crowd.over("one")
    await asyncio.sleep(0)
    assert not waiting.done()
    assert not crowd.is_free
    crowd.over("two")
    await asyncio.wait_for(waiting, 0.5)
    assert crowd.is_free


async def test_a_wait_without_end_has_one() -> None:
    crowd = Turns()
    crowd.enter("one that never begins")
    begun = asyncio.get_running_loop().time()
    await crowd.give_way()
    waited = asyncio.get_running_loop().time() - begun
    assert turns._LONGEST_WAIT - 0.05 <= waited < turns._LONGEST_WAIT + 5
