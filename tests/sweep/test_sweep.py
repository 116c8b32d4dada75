"""Kills and faults at every step of publishing, for every network: a sample of what ``python -m tests.sweep`` runs."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from db.embedded.cluster import Cluster
from scheduler.clock import Clock
from tests.conftest import open_doors
from tests.sweep.course import Track
from tests.sweep.mutants import mutate
from tests.sweep.plan import CASES, KINDS, MEDIA, Disturbance, sampled
from tests.sweep.sweep import Sweep, Trial, open_sweep
from tests.sweep.table import TROUBLES, table
from tests.sweep.verdict import SOON, Verdict
from tools.publishing.engine import PostWork

NETWORKS = tuple(dict.fromkeys(case.platform for case in CASES))
BY_NAME = {case.name: case for case in CASES}
# Real seconds within which a restarted clock has to come to a post whose lease is over.
PATIENCE = 20.0


@pytest.fixture(scope="module")
async def sweep(cluster: Cluster, template: str) -> AsyncIterator[Sweep]:
    async with open_sweep(cluster, template) as opened:
        yield opened


@pytest.fixture(scope="module")
async def charts(sweep: Sweep) -> dict[str, list[Disturbance]]:
    return await sweep.charts(CASES, in_doubt=False)


def troubles(verdicts: Sequence[Verdict]) -> list[str]:
    return [str(verdict) for verdict in verdicts if verdict.trouble]


@pytest.mark.timeout(600)  # a minute where nobody else works
async def test_no_post_is_doubled_lost_or_left_lying(sweep: Sweep, charts: dict[str, list[Disturbance]]) -> None:
    trials = [Trial(case=BY_NAME[name], disturbance=one) for name, one in sampled(charts)]
    verdicts = await sweep.run(trials)
    assert not troubles(verdicts), table(verdicts)
    kinds = {kind.name for kind in (*KINDS, *MEDIA)}
    for network in NETWORKS:
        of_it = [trial.disturbance for trial in trials if trial.case.platform == network]
        assert kinds <= {one.name for one in of_it}
        assert {"before", "during", "after"} == {one.kill.moment for one in of_it if one.kill}


def test_every_network_and_format_is_swept(charts: dict[str, list[Disturbance]]) -> None:
    """Each step of each case is killed before, in the midst and after, and meets every fault that can come to it."""
    assert set(charts) == set(BY_NAME)
    for name, found in charts.items():
        kills = [one.kill for one in found if one.kill]
        steps = {one.step for one in found if one.kill and one.kill.moment == "during"}
        assert len(steps) > 1, name
        for step in steps:
            at = min(kill.at for kill in kills if kill.event == f"perform {step}")
            moments = {(kill.at - at, kill.moment) for kill in kills}
            assert {(-1, "after"), (0, "during"), (0, "after")} <= moments, (name, step)
            met = {one.fault.kind for one in found if one.step == step and one.fault}
            missing = {kind.fault for kind in KINDS if kind.group != "slow"} - met
            assert missing <= ({"expired_token"} if step in BY_NAME[name].addressed else set()), (name, step)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("mutant", "trouble"),
    [("nothing is written ahead", "doubled"), ("nobody looks", "doubled"), ("no attempt is continued", "stuck")],
)
async def test_a_defect_is_seen(sweep: Sweep, charts: dict[str, list[Disturbance]], mutant: str, trouble: str) -> None:
    case = BY_NAME["facebook-image"]
    publishing = [
        one
        for one in charts[case.name]
        if one.step == "publish"
        and (one.name.startswith("after perform") or one.name in {"drop_after", "status_after"})
    ]
    assert len(publishing) == 3
    sweep.mutant, undo = mutant, mutate(mutant)
    try:
        verdicts = await sweep.run([Trial(case=case, disturbance=one) for one in publishing])
    finally:
        undo()
        sweep.mutant = ""
    assert any(getattr(verdict, trouble) for verdict in verdicts), table(verdicts)
    assert trouble in TROUBLES


@pytest.mark.timeout(300)
async def test_a_killed_publish_is_gone_on_with_within_a_minute(
    sweep: Sweep, charts: dict[str, list[Disturbance]]
) -> None:
    """With the settings as they are by default, and the clock that serves them; only the lease is not waited for."""
    await asyncio.gather(*(_goes_on(sweep, charts, network) for network in NETWORKS))


async def _goes_on(sweep: Sweep, charts: dict[str, list[Disturbance]], network: str) -> None:
    case = next(case for case in CASES if case.platform == network)
    kills = [one for one in charts[case.name] if one.kill and one.name.startswith("during")]
    killed = next((one for one in kills if one.kill and one.kill.at > 4), kills[-1])  # the way of some is short
    async with sweep.stage() as stage:
        assert (stage.settings.publish_lease, stage.settings.settle_time) == (30.0, 120.0)
        planted = await stage.plant(case)
        assert await sweep.publish(stage, planted, killed, await sweep.fault(killed, planted)) is None
        track = Track(connection=stage.above, post_id=planted.post_id)
        died = await track.peek()
        assert died.next_attempt_at is not None
        async with open_doors(stage.settings, stage.database) as doors:
            clock = Clock()
            clock.add(PostWork(doors, asyncio.Event()))
            await clock.start()
            await track.jump(died.next_attempt_at - died.now)
            steps = await track.steps()
            async with asyncio.timeout(PATIENCE):
                while await track.steps() == steps:  # noqa: ASYNC110 - another process could have done it as well
                    await asyncio.sleep(0.05)
            went_on = (await track.peek()).now
            await clock.stop(patience=10)
    assert went_on - died.now <= SOON, network
