"""A process that stood still while its lease ran out writes nothing and sends nothing when it wakes."""

import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from tests.chaos.crew import Nursery, nursery
from tests.chaos.ground import Ground, Row, caption, ground, until

LEASE, SETTLE = 1.0, 1.5
PATIENCE = 180.0
LEFT = "is no longer ours; leaving it"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A ground of these tests' own."""
    with ground(tmp_path_factory.mktemp("fencing"), lease=LEASE, settle=SETTLE) as made:
        # The network would refuse the second of two equal posts by itself: here it must not be what saves us.
        made.control("POST", "conditions", {"facebook_refuses_duplicates": False})
        yield made


@pytest.fixture
def kindergarten(place: Ground) -> Iterator[Nursery]:
    """Workers of one test; the posts of the test before are gone."""
    place.run("truncate studio.accounts cascade")
    place.control("POST", "reset", {"only": ["state", "faults", "calls"]})
    with nursery(place) as made:
        yield made
    (place.folder / "workers.log").unlink()


def calls(place: Ground) -> list[Row]:
    """Every call that would make something public."""
    return place.items("calls?route=facebook.create_post")


def stopped(pid: int) -> bool:
    return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)


def ledger(place: Ground, number: int = 0) -> tuple[list[Row], list[Row]]:
    """All that is written about a post: its row, and its attempts with their evidence."""
    post = list(place.rows("select * from studio.posts where caption = %s", caption(number)))
    return post, list(place.rows("select * from studio.publish_attempts where post_id = %s", post[0]["id"]))


def is_posted(place: Ground, number: int = 0) -> bool:
    return ledger(place, number)[0][0]["status"] == "posted"


def said_by(place: Ground, pid: int) -> str:
    """What a worker has logged."""
    lines = (place.folder / "workers.log").read_text().splitlines()
    return "\n".join(line for line in lines if f"[{pid}]" in line)


def lives_on(place: Ground, pid: int) -> None:
    """A woken process has seen that its post is gone, and publishes the next one: it is not merely asleep."""
    until(lambda: LEFT in said_by(place, pid), PATIENCE, what=LEFT)
    due = "update studio.posts set status = 'scheduled', next_attempt_at = now() where caption = %s"
    place.run(due, caption(1))
    until(lambda: is_posted(place, 1), PATIENCE, what="the woken process goes on")


def two_posts(place: Ground) -> None:
    """One post that is due, and one that waits for the end of the test."""
    place.add_posts(place.add_accounts(1), 2, over=0, delay=0)
    place.run("update studio.posts set status = 'draft' where caption = %s", caption(1))


def test_a_process_frozen_in_the_middle_of_a_call_leaves_the_post_to_others(
    place: Ground, kindergarten: Nursery
) -> None:
    place.fault("facebook.create_post", "delay", delay_seconds=600)
    two_posts(place)
    frozen = kindergarten.fork()
    until(lambda: bool(calls(place)), PATIENCE, what="the call is on its way")
    os.kill(frozen, signal.SIGSTOP)
    place.control("DELETE", "faults")  # it is done and answered, and nobody reads the answer
    other = kindergarten.fork()
    until(lambda: is_posted(place), PATIENCE, what="another process finishes")
    os.kill(other, signal.SIGKILL)
    before, sent = ledger(place), calls(place)
    os.kill(frozen, signal.SIGCONT)
    lives_on(place, frozen)
    assert ledger(place) == before
    assert len(sent) == 1
    assert [call["parameters"] for call in calls(place)[1:]] == [{"message": caption(1)}]


def test_a_process_frozen_between_its_intent_and_its_call_does_not_send(place: Ground, kindergarten: Nursery) -> None:
    two_posts(place)
    frozen = kindergarten.fork("frozen")
    until(lambda: stopped(frozen), PATIENCE, what="it has said what it is about to send, and stands still")
    assert calls(place) == []
    other = kindergarten.fork()
    until(lambda: is_posted(place), PATIENCE, what="another process finishes")
    os.kill(other, signal.SIGKILL)
    before = ledger(place)
    os.kill(frozen, signal.SIGCONT)
    until(lambda: LEFT in said_by(place, frozen), PATIENCE, what=LEFT)
    assert ledger(place) == before
    assert [call["parameters"] for call in calls(place)] == [{"message": caption(0)}]
    (live,) = place.items("feed")
    assert live["id"] == before[0][0]["platform_post_id"]
