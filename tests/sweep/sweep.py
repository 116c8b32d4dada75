"""The sweep at work: stages beside each other, each with one case at a time, over one PostgreSQL and one sandbox."""

import asyncio
import contextlib
import itertools
import json
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from pydantic import SecretStr

from core.jsontypes import JsonObject
from core.settings import Settings
from core.vault import generate_key
from db.embedded.cluster import Cluster
from tests.conftest import open_doors
from tests.platforms.contract import Case
from tests.sweep import plan
from tests.sweep.course import Track, drive
from tests.sweep.nursery import Nursery, open_nursery
from tests.sweep.plan import Disturbance
from tests.sweep.servers import running_servers
from tests.sweep.stage import Planted, Stage, drop_database, new_database, new_stage
from tests.sweep.verdict import Verdict, judge
from tests.sweep.victim import Orders, Report, plain_settings
from tools.publishing.engine import PostWork

# Two cores: one works here, the other on what is waited for.
STAGES = 8
_POLL = 0.02
_TRIES = 3

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One case of the sweep."""

    case: Case
    disturbance: Disturbance


@dataclass(kw_only=True)
class Sweep:
    """Everything that a trial needs; ``free`` are the stages with no case on them."""

    nursery: Nursery
    control: httpx.AsyncClient = field(repr=False)
    free: asyncio.Queue[Stage]
    reports: Path
    mutant: str = ""

    async def chart(self, case: Case, *, in_doubt: bool) -> list[Disturbance]:
        """Every disturbance of a case: an undisturbed run says where they can be, and runs in doubt say where else."""
        before = await self._last_call()
        undisturbed, account = await self._process(case, None)
        path = undisturbed["events"]
        fetches = len(await self._calls(plan.FETCH, account, since=before))
        disturbances = [*plan.kills(case, path), *plan.faults(case, undisturbed, fetches=fetches)]
        for doubt in plan.doubts(case, path, undisturbed["irreversible"]) if in_doubt else ():
            doubtful, _ = await self._process(case, doubt)
            disturbances += plan.kills_in_doubt(doubt, doubtful["events"])
        return disturbances

    async def charts(self, cases: Sequence[Case], *, in_doubt: bool = True) -> dict[str, list[Disturbance]]:
        """Those of several cases."""
        charts = await asyncio.gather(*(self.chart(case, in_doubt=in_doubt) for case in cases))
        return dict(zip((case.name for case in cases), charts, strict=True))

    async def run(self, trials: Sequence[Trial], *, say: Callable[[Verdict], None] = lambda _: None) -> list[Verdict]:
        """All of them, as many at a time as there are stages."""

        async def one(trial: Trial) -> Verdict:
            async with self.stage() as stage:
                try:
                    verdict = await self.attempt(stage, trial)
                except Exception as error:  # noqa: BLE001 - one of thousands: the others are swept all the same
                    found = f"the sweep itself failed: {error!r}"
                    verdict = Verdict(case=trial.case.name, disturbance=trial.disturbance, status="", wrong=found)
            say(verdict)
            return verdict

        return list(await asyncio.gather(*(one(trial) for trial in trials)))

    async def attempt(self, stage: Stage, trial: Trial) -> Verdict:
        """Disturb one publish, let it settle, and judge.

        How often a network is asked how things stand varies with its mood: a kill that nothing came to is tried again.
        """
        for _ in range(_TRIES):
            verdict = await self._attempt(stage, trial)
            if not verdict.missed or verdict.trouble:
                break
        return verdict

    async def _attempt(self, stage: Stage, trial: Trial) -> Verdict:
        case, disturbance = trial.case, trial.disturbance
        began = await self._last_call()
        planted = await stage.plant(case)
        track = Track(connection=stage.above, post_id=planted.post_id)
        fault = await self.fault(disturbance, planted)
        died, missed = None, False
        if disturbance.kill is not None:
            missed = await self.publish(stage, planted, disturbance, fault) is not None
            died = None if missed else (await track.peek()).now

        async def network_is_idle() -> None:
            if disturbance.late:
                await self._is_idle(planted, since=began, within=disturbance.late + 1)

        async def lost_patience() -> bool:
            assert fault is not None
            return await self._was_met(fault)

        if disturbance.is_hasty:
            hasty = stage.settings.model_copy(update={"publish_lease": plan.HASTY_LEASE})
            async with open_doors(hasty, stage.database) as doors:
                work = PostWork(doors, asyncio.Event())
                await drive(track, work, before_jump=network_is_idle, enough=lost_patience)
        async with open_doors(stage.settings, stage.database) as doors:
            course = await drive(track, PostWork(doors, asyncio.Event()), before_jump=network_is_idle)
        if fault is not None:
            await self.control.delete(f"/_sandbox/faults/{fault}")
        taken_up = course.taken_up - died if course.taken_up and died else None
        verdict = await judge(stage, case, disturbance, planted, course, taken_up=taken_up)
        return replace(verdict, missed=missed)

    async def _process(self, case: Case, doubt: Disturbance | None) -> tuple[Report, str]:
        """What a process does that nothing kills, and on which account."""
        async with self.stage() as stage:
            planted = await stage.plant(case)
            fault = await self.fault(doubt, planted) if doubt is not None else None
            report = await self.publish(stage, planted, doubt, fault)
            assert report is not None
            told: Report = json.loads(report.read_text(encoding="utf-8"))
        return told, planted.credentials.external_id

    async def publish(
        self, stage: Stage, planted: Planted, disturbance: Disturbance | None, fault: int | None
    ) -> Path | None:
        """Publish in a process of its own; where its report is, None when it was killed."""
        kill = disturbance.kill if disturbance is not None else None
        report = self.reports / f"{next(_numbers)}.json"
        orders = Orders(
            settings=plain_settings(stage.settings),
            post_id=str(planted.post_id),
            at=kill.at if kill else None,
            moment=kill.moment if kill else "before",
            network=str(self.control.base_url),
            fault=fault,
            report=str(report),
            mutant=self.mutant,
        )
        status = await self.nursery.run(orders)
        assert status in {0, -signal.SIGKILL}, f"{disturbance}: exit status {status}"
        return report if status == 0 else None

    async def fault(self, disturbance: Disturbance | None, planted: Planted) -> int | None:
        """Plant the disturbance's fault for the post's account; its id, None when there is none."""
        if disturbance is None or disturbance.fault is None:
            return None
        body = disturbance.fault.planted(planted.credentials.external_id)
        answer = await self.control.post("/_sandbox/faults", json=body)
        return int(answer.raise_for_status().json()["id"])

    async def _was_met(self, fault: int) -> bool:
        faults = (await self.control.get("/_sandbox/faults")).raise_for_status().json()["items"]
        return any(one["id"] == fault and one["hits"] for one in faults)

    async def _is_idle(self, planted: Planted, *, since: int, within: float) -> None:
        """Wait until the network has done all that it was asked for this account, whoever still waits for it."""
        for _ in range(int(within / _POLL)):
            calls = await self._calls("*", planted.credentials.external_id, since=since)
            if all(call["finished"] and (call["done"] or call["fault"] != "drop_late") for call in calls):
                return
            await asyncio.sleep(_POLL)

    async def _calls(self, route: str, account: str, *, since: int) -> list[JsonObject]:
        answer = await self.control.get("/_sandbox/calls", params={"route": route, "since_seq": since})
        return [call for call in answer.raise_for_status().json()["items"] if call["account"] == account]

    async def _last_call(self) -> int:
        answer = await self.control.get("/_sandbox/calls", params={"route": "none"})
        return int(answer.raise_for_status().json()["last_seq"])

    @contextlib.asynccontextmanager
    async def stage(self) -> AsyncIterator[Stage]:
        """A stage with no case on it, for as long as the context is open."""
        stage = await self.free.get()
        try:
            yield stage
        finally:
            self.free.put_nowait(stage)


@contextlib.asynccontextmanager
async def open_sweep(cluster: Cluster, template: str, *, stages: int = STAGES) -> AsyncIterator[Sweep]:
    """Stages on copies of the template, one sandbox, one nursery; all of it goes with the context."""
    server, names = cluster.dsn(database="postgres"), [f"sweep_{uuid.uuid4().hex}" for _ in range(stages)]
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="studio-sweep-")))
        secret_keys = generate_key()
        nursery = await stack.enter_async_context(open_nursery())
        url = await stack.enter_async_context(running_servers(folder / "data" / "media", secret_keys))
        control = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False, timeout=30))
        free: asyncio.Queue[Stage] = asyncio.Queue()
        for name in names:
            new_database(server, template, name)
            stack.callback(drop_database, server, name)
            settings = _settings(cluster.dsn(database=name), folder / "data", secret_keys, url)
            stage = await new_stage(settings, control)
            stack.push_async_callback(stage.close)
            free.put_nowait(stage)
        (folder / "reports").mkdir()
        yield Sweep(nursery=nursery, control=control, free=free, reports=folder / "reports")


def _settings(database_url: str, data: Path, secret_keys: str, network: str) -> Settings:
    """Those of a Studio by default, but for a grace that ends sooner: past what a doubt is looked up for."""
    return Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        data_dir=data,
        secret_keys=SecretStr(secret_keys),
        facebook_graph_url=f"{network}/facebook-graph",
        instagram_graph_url=f"{network}/instagram-graph",
        meta_upload_url=f"{network}/meta-upload",
        tiktok_api_url=f"{network}/tiktok",
        bluesky_pds_url=f"{network}/bluesky",
        bluesky_web_url=network,
        meta_app_id="4242",
        meta_app_secret=SecretStr("the-secret-of-the-app"),
        tiktok_client_key="the-key-of-the-app",
        tiktok_client_secret=SecretStr("the-secret-of-the-app"),
        public_url=network,
        publish_grace=1200.0,
        allow_private_media=True,
        model="offline",
    )
