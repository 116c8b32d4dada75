"""The clock of a process: it claims what is due, keeps to its capacity, survives trouble, and stops in good order."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import pytest

from scheduler.clock import Clock
from scheduler.due import Claim


class Errands:
    """Due work of the simplest kind: numbers in a list, each done when the test lets it."""

    def __init__(self, topic: str, *, capacity: int = 2) -> None:
        self.topic = topic
        self.capacity = capacity
        self.due: list[UUID] = []
        self.begun: list[UUID] = []
        self.done: list[UUID] = []
        self.most = 0
        self.sweeps = 0
        self.let_go = asyncio.Event()
        self.troubles: list[Exception] = []

    async def claim(self, limit: int, *, sweep: bool) -> Sequence[Claim]:
        self.sweeps += sweep
        if self.troubles:
            raise self.troubles.pop()
        taken, self.due = self.due[:limit], self.due[limit:]
        return [Claim(id=each, workspace_id=uuid4(), fence=1) for each in taken]

    async def work(self, claim: Claim) -> None:
        self.begun.append(claim.id)
        self.most = max(self.most, len(self.begun) - len(self.done))
        await self.let_go.wait()
        self.done.append(claim.id)


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - any condition, looked at until its deadline
            await asyncio.sleep(0.005)


async def test_due_work_is_found_by_polling_alone() -> None:
    errands, clock = Errands("posts"), Clock(tick=0.05)
    clock.add(errands)
    errands.let_go.set()
    await clock.start()
    errands.due.append(uuid4())
    await eventually(lambda: len(errands.done) == 1)
    await clock.stop(patience=1)


async def test_a_hint_is_faster_than_the_next_tick() -> None:
    errands, clock = Errands("posts"), Clock(tick=3600)
    clock.add(errands)
    errands.let_go.set()
    await clock.start()
    errands.due.append(uuid4())
    clock.wake("posts")
    await eventually(lambda: len(errands.done) == 1)
    clock.wake("nothing of that kind")
    await clock.stop(patience=1)


async def test_no_more_than_the_capacity_runs_at_once_and_nothing_is_left() -> None:
    errands, clock = Errands("posts", capacity=3), Clock(tick=3600)
    clock.add(errands)
    errands.due = [uuid4() for _ in range(20)]
    expected = list(errands.due)
    await clock.start()
    clock.wake("posts")
    await eventually(lambda: len(errands.begun) == 3)
    errands.let_go.set()
    await eventually(lambda: len(errands.done) == 20)
    assert errands.most == 3
    assert sorted(errands.done) == sorted(expected)
    await clock.stop(patience=1)


async def test_a_slow_kind_holds_up_no_other() -> None:
    slow, quick, clock = Errands("posts", capacity=1), Errands("runs"), Clock(tick=0.05)
    clock.add(slow)
    clock.add(quick)
    quick.let_go.set()
    slow.due, quick.due = [uuid4()], [uuid4()]
    await clock.start()
    await eventually(lambda: len(quick.done) == 1 and len(slow.begun) == 1)
    assert slow.done == []
    slow.let_go.set()
    await clock.stop(patience=1)
    assert len(slow.done) == 1


async def test_a_database_that_is_away_does_not_end_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.clock._FAILURE_PAUSE", 0.01)
    errands, clock = Errands("posts"), Clock(tick=0.02)
    clock.add(errands)
    errands.let_go.set()
    errands.troubles = [ConnectionError("away")]
    errands.due = [uuid4()]
    await clock.start()
    await eventually(lambda: len(errands.done) == 1)
    assert errands.sweeps >= 1
    await clock.stop(patience=1)


async def test_stopping_waits_for_what_runs_and_claims_nothing_more() -> None:
    errands, clock = Errands("posts", capacity=1), Clock(tick=0.02)
    clock.add(errands)
    errands.due = [uuid4(), uuid4()]
    await clock.start()
    await eventually(lambda: len(errands.begun) == 1)
    stopping = asyncio.create_task(clock.stop(patience=5))
    await asyncio.sleep(0)
    errands.let_go.set()
    await stopping
    assert len(errands.done) == 1
    assert len(errands.due) == 1


async def test_a_claim_that_hangs_does_not_hold_up_stopping() -> None:
    class Hanging(Errands):
        async def claim(self, limit: int, *, sweep: bool) -> Sequence[Claim]:  # noqa: ARG002
            self.sweeps += 1
            await asyncio.Event().wait()
            return []

    errands, clock = Hanging("posts"), Clock(tick=0.02)
    clock.add(errands)
    await clock.start()
    await eventually(lambda: errands.sweeps == 1)
    async with asyncio.timeout(3):
        await clock.stop(patience=0.1)


async def test_what_does_not_end_in_time_is_cancelled() -> None:
    errands, clock = Errands("posts"), Clock(tick=0.02)
    clock.add(errands)
    errands.due = [uuid4()]
    await clock.start()
    await eventually(lambda: len(errands.begun) == 1)
    await clock.stop(patience=0.05)
    assert errands.done == []
