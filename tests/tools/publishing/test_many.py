"""Posts under work by the crowd: what begins does so as it was read, a lost fence writes nothing, an end is orderly."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from db.queries.leases import Lease, renew
from db.queries.publishing import Ending
from db.together import Together
from platforms.base import Step
from scheduler.due import Claim
from tests.conftest import Sandbox, TestClock
from tests.tools.conftest import Desk
from tests.tools.publishing.conftest import Engine, Publication, Publish
from tools.context import Doors
from tools.publishing.job import Changed, Job, new_reader, take_up
from tools.publishing.ledger import Ledger, LostLease

STEP = Step(name="create_container", sends={})
SENDING: dict[str, object] = {"step": STEP.name, "event": "sending"}


async def taken_up(doors: Doors, engine: Engine) -> tuple[Job, Claim]:
    (claim,) = await engine.work.claim(1, sweep=True)
    job = await take_up(doors, new_reader(doors.database), claim)
    assert job is not None
    return job, claim


def lease_of(job: Job) -> Lease:
    return Lease(workspace_id=job.workspace_id, post_id=job.hold.post_id, fence=job.hold.fence, length=job.hold.lease)


async def attempts(admin_url: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as connection:
        found = await connection.execute(
            "select state, step, intent_at is not null, progress, jsonb_array_length(steps)"
            " from studio.publish_attempts order by number"
        )
        return list(await found.fetchall())


async def move_fence(admin_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as connection:
        await connection.execute("update studio.posts set fence = fence + 1")


async def test_a_post_changed_after_it_was_read_does_not_begin(
    publish: Publish, engine: Engine, doors: Doors, admin_url: str
) -> None:
    """Reaches inside: between reading and beginning nothing else can be made to happen from outside."""
    await publish()
    job, claim = await taken_up(doors, engine)
    async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as connection:
        await connection.execute("update studio.posts set caption = 'Other words.'")
    with pytest.raises(Changed):
        await Ledger(doors.database).intend(job, STEP, irreversible=False, entry=SENDING)
    assert await attempts(admin_url) == []
    again = await take_up(doors, new_reader(doors.database), claim)
    assert again is not None
    assert again.content.caption == "Other words."
    await Ledger(doors.database).intend(again, STEP, irreversible=False, entry=SENDING)
    assert await attempts(admin_url) == [("open", STEP.name, True, {}, 1)]


@pytest.mark.parametrize("what", ["intend", "advance", "note", "give_back", "end"])
async def test_a_lost_fence_writes_nothing(
    publish: Publish, engine: Engine, doors: Doors, admin_url: str, what: str
) -> None:
    """Reaches inside: each line of the ledger on its own."""
    await publish()
    job, _ = await taken_up(doors, engine)
    ledger = Ledger(doors.database)
    await ledger.intend(job, STEP, irreversible=True, entry=SENDING)
    before = await attempts(admin_url)
    await move_fence(admin_url)
    lines = {
        "intend": lambda: ledger.intend(job, STEP, irreversible=True, entry=SENDING),
        "advance": lambda: ledger.advance(job, {"media_id": "1"}, SENDING),
        "note": lambda: ledger.note(job, SENDING),
        "give_back": lambda: ledger.give_back(job, step="publish", delay=1.0),
        "end": lambda: ledger.end(job, Ending(attempt_state="posted", post_status="posted")),
    }
    with pytest.raises(LostLease):
        await lines[what]()
    assert await attempts(admin_url) == before


async def test_an_old_and_a_new_claim_in_one_transaction_are_told_apart(
    publish: Publish, engine: Engine, doors: Doors, admin_url: str
) -> None:
    """A process that stalled may hold a post twice: only the newer claim may hear that its line is written."""
    await publish()
    old, claim = await taken_up(doors, engine)
    ledger = Ledger(doors.database)
    await ledger.intend(old, STEP, irreversible=False, entry=SENDING)
    await move_fence(admin_url)
    new_claim = replace(claim, fence=claim.fence + 1)
    reader = new_reader(doors.database)
    jobs = await asyncio.gather(*(take_up(doors, reader, each) for each in (claim, new_claim)))
    assert jobs[0] is None
    new = jobs[1]
    assert new is not None
    for order in ((old, new), (new, old)):
        told = await asyncio.gather(*(ledger.note(each, SENDING) for each in order), return_exceptions=True)
        assert [isinstance(each, LostLease) for each in told] == [each is old for each in order]
    leases = Together(doors.database, renew)
    kept = await asyncio.gather(*(leases.ask(lease_of(each)) for each in (old, new)))
    assert kept == [False, True]


async def test_what_was_learned_is_written_with_the_next_intent(
    publish: Publish, engine: Engine, doors: Doors, admin_url: str
) -> None:
    await publish()
    job, _ = await taken_up(doors, engine)
    ledger = Ledger(doors.database)
    await ledger.intend(job, STEP, irreversible=False, entry=SENDING)
    ledger.learn(job, {"container_id": "7"}, {"step": STEP.name, "event": "done"})
    following = Step(name="publish", sends={}, irreversible=True)
    await ledger.intend(job, following, irreversible=True, entry=SENDING)
    assert await attempts(admin_url) == [("open", "publish", True, {"container_id": "7"}, 3)]
    ledger.learn(job, {"media_id": "8"}, {"step": "publish", "event": "done"})
    await ledger.give_back(job, step="read_permalink", delay=5.0)
    learned = {"container_id": "7", "media_id": "8"}
    assert await attempts(admin_url) == [("open", "read_permalink", False, learned, 4)]


async def test_a_process_that_ends_gives_back_what_it_has_not_begun(
    publish: Publish, engine: Engine, doors: Doors, admin_url: str
) -> None:
    publication = await publish()
    ending = Engine(work=engine.work, stopping=engine.stopping)
    ending.stopping.set()
    assert await ending.once() == 1
    assert await attempts(admin_url) == []
    assert publication.calls("instagram.create_container") == []
    engine.stopping.clear()
    assert await engine.once() == 1, "somebody else may take it at once"
    assert (await publication.post())["status"] == "posted"


async def connected(desk: Desk, sandbox: Sandbox, number: int) -> str:
    """One more Instagram account; its id."""
    account = {"platform": "instagram", "external_id": f"178414000001{number:05d}", "access_token": f"token {number}"}
    sandbox.control("POST", "accounts", account | {"handle": f"cafe{number}", "login": "instagram"})
    found = (await desk.act("connect_account", **account, metadata={"login": "instagram"}))["account"]
    assert isinstance(found, dict)
    return str(found["id"])


async def test_a_crowd_is_published_once_each(
    desk: Desk, sandbox: Sandbox, publish: Publish, engine: Engine, clock: TestClock
) -> None:
    """Twelve accounts at once: one account alone would take its turns."""
    crowd: list[Publication] = []
    for number in range(12):
        account_id = await connected(desk, sandbox, number)
        crowd.append(await publish(f"Cup {number}", account_id=account_id))
    claims = await engine.work.claim(100, sweep=True)
    assert len(claims) == len(crowd)
    await asyncio.gather(*(engine.work.work(claim) for claim in claims))
    shift = timedelta(0)

    async def all_posted() -> bool:
        nonlocal shift
        shift += timedelta(minutes=1)  # whom a slow machine kept from an answer in time waits for its next attempt
        clock.shift(shift)
        return {str((await each.post())["status"]) for each in crowd} == {"posted"}

    await engine.until(all_posted, patience=60)
    assert len({str((await each.post())["platform_post_id"]) for each in crowd}) == len(crowd)
    feed = await asyncio.to_thread(sandbox.control, "GET", "feed")
    assert isinstance(feed, dict)
    live = feed["items"]
    assert sorted(str(item["caption"]) for item in live) == sorted(f"Cup {number}" for number in range(12))
