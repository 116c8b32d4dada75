"""What is swept, generated: for every network and format each kill and each fault at each call that its steps make.

The cases of the contract suite name a content and the sandbox's route behind each step; an undisturbed run tells the
commits and the calls in their order. A new network or format is swept by having a contract case.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.jsontypes import JsonObject
from tests.platforms.contract import Case
from tests.sweep.victim import Moment, Report

CASES: tuple[Case, ...] = tuple(
    case
    for file in sorted((Path(__file__).parents[1] / "platforms" / "cases").glob("*.py"))
    for case in importlib.import_module(f"tests.platforms.cases.{file.stem}").CASES
)
FETCH = "media.fetch"
# Real seconds that late things take: nothing waits for them but the cases in which they happen.
LATE = 0.3
# The network's silence is longer than the patience of an engine whose lease is this long (1.05 s of it), until then.
HASTY_LEASE = 1.5
SILENCE = 1.4


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault of the sandbox on the n-th call of a route by the case's account."""

    kind: str
    route: str
    skip: int = 0
    details: JsonObject = field(default_factory=dict, hash=False)

    def planted(self, account: str) -> JsonObject:
        """As the sandbox takes it."""
        return {"route": self.route, "kind": self.kind, "skip": self.skip, "match": account, **self.details}


@dataclass(frozen=True, kw_only=True)
class Kill:
    """The process dies before, during or after the event of this number; its name is for people."""

    at: int
    moment: Moment
    event: str


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """What goes wrong. ``late``: real seconds after which the network does what it was asked.

    ``for_good``: the fault stays, so that the post cannot go out. ``refused``: the network says that it will not.
    ``is_hasty``: it meets an engine of little patience, and a usual one goes on after it.
    """

    group: str
    name: str
    step: str
    fault: Fault | None = None
    kill: Kill | None = None
    late: float = 0.0
    for_good: bool = False
    refused: bool = False
    is_hasty: bool = False


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of fault as it is planted at each call."""

    group: str
    fault: str
    details: JsonObject = field(default_factory=dict)
    late: float = 0.0
    for_good: bool = False
    refused: bool = False
    is_hasty: bool = False

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.fault}{' for good' if self.for_good else ''}"


FOREVER: JsonObject = {"times": None}
KINDS: tuple[Kind, ...] = (
    Kind(group="no answer", fault="drop_before"),
    Kind(group="no answer", fault="drop_after"),
    Kind(group="no answer", fault="truncate"),
    Kind(group="no answer", fault="drop_late", details={"delay_seconds": LATE}, late=LATE),
    Kind(group="timeout", fault="delay", details={"delay_seconds": SILENCE}, late=SILENCE, is_hasty=True),
    Kind(group="5xx", fault="status", details={"status": 500}),
    Kind(group="5xx", fault="status_after", details={"status": 502, "body": "<html>bad gateway</html>"}),
    Kind(group="4xx", fault="refuse", refused=True),
    Kind(group="4xx", fault="refuse_after", refused=True),
    Kind(group="4xx", fault="forbid", refused=True),
    Kind(group="429", fault="rate_limit"),
    Kind(group="429", fault="rate_limit", details=FOREVER, for_good=True),
    Kind(group="token", fault="expired_token"),
    Kind(group="token", fault="expired_token", details=FOREVER, for_good=True),
    Kind(group="slow", fault="slow_processing", details={"delay_seconds": 0.1}),
    Kind(group="slow", fault="processing_error"),
    Kind(group="down", fault="status", details={"status": 503, **FOREVER}, for_good=True),
    Kind(group="down", fault="drop_after", details=FOREVER, for_good=True),
)
MEDIA: tuple[Kind, ...] = (
    Kind(group="media", fault="status", details={"status": 404}),
    Kind(group="media", fault="drop_before"),
    Kind(group="media", fault="status", details={"status": 404, **FOREVER}, for_good=True),
)
# What happens to a publish before the process that looks for it dies.
DOUBTS = ("drop_after", "drop_before")
# So many events in the same order mean that a round of looking is like the one before.
REPEATED = 7
# A prime: a sample that strides through the cases meets many of them.
_STRIDE = 37


def faults(case: Case, report: Report, *, fetches: int) -> Iterator[Disturbance]:
    """Each kind of fault at each call; and at each fetch of a medium by the network, of which there are ``fetches``."""
    had: set[str] = set()
    is_taken = False
    for _, step, route, skip in _calls(case, report["events"]):
        kind_of_step = step.rstrip("0123456789")
        for kind in KINDS:
            left_out = (
                (kind.for_good and kind_of_step in had)  # it is like another
                or (kind.fault == "expired_token" and step in case.addressed)
                or (kind.group == "slow" and is_taken)
            )
            if not left_out:
                yield _planned(kind, step, route, skip)
        had.add(kind_of_step)
        is_taken = is_taken or step in report["irreversible"]
    for number in range(fetches):
        for kind in MEDIA:
            yield _planned(kind, f"fetch {number + 1}", FETCH, number)


def _planned(kind: Kind, step: str, route: str, skip: int) -> Disturbance:
    return Disturbance(
        group=kind.group,
        name=kind.name,
        step=step,
        fault=Fault(kind=kind.fault, route=route, skip=skip, details=kind.details),
        late=kind.late,
        for_good=kind.for_good,
        refused=kind.refused,
        is_hasty=kind.is_hasty,
    )


def kills(case: Case, path: Sequence[str]) -> Iterator[Disturbance]:
    """A kill before the first and after each commit and call, and while each call is under way.

    Who dies after one of them dies before the next: nothing that lasts lies between.
    """
    yield _killed(path, 0, "before")
    for at in range(len(path)):
        yield _killed(path, at, "after")
    for at, step, route, skip in _calls(case, path):
        late = Fault(kind="delay", route=route, skip=skip, details={"delay_seconds": LATE})
        yield replace(_killed(path, at, "during"), step=step, fault=late, late=LATE)


def doubts(case: Case, path: Sequence[str], irreversible: Sequence[str]) -> list[Disturbance]:
    """Answers that are lost at the irreversible steps: how a process that looks for them dies is swept as well."""
    return [
        Disturbance(group="killed", name=kind, step=step, fault=Fault(kind=kind, route=route, skip=skip))
        for _, step, route, skip in _calls(case, path)
        if step in irreversible
        for kind in DOUBTS
    ]


def kills_in_doubt(doubt: Disturbance, path: Sequence[str]) -> Iterator[Disturbance]:
    """Kills from the lost answer on; ``path`` is that of a run with it. Of looks that are repeated the first is met."""
    first = path.index(f"perform {doubt.step}")
    met: set[tuple[str, ...]] = set()
    for at in range(first, len(path)):
        context = tuple(path[max(first, at - REPEATED) : at + 1])
        if context not in met:
            met.add(context)
            killed = _killed(path, at, "after")
            yield replace(killed, name=f"{killed.name}, {doubt.name} at {doubt.step}", fault=doubt.fault)


def _killed(path: Sequence[str], at: int, moment: Moment) -> Disturbance:
    steps = [event for event in path[: at + 1] if event != "commit"]
    step = steps[-1].removeprefix("perform ") if steps else "claim"
    name = f"{moment} {path[at]} ({at + 1} of {len(path)})"
    return Disturbance(group="killed", name=name, step=step, kill=Kill(at=at, moment=moment, event=path[at]))


def _calls(case: Case, path: Sequence[str]) -> Iterator[tuple[int, str, str, int]]:
    """Of each step's call: its place in the run, its step, its route, and how many calls of that route were before."""
    met: dict[str, int] = {}
    for at, event in enumerate(path):
        if event.startswith("perform "):
            step = event.removeprefix("perform ")
            route = route_of(case, step)
            skip = met[route] = met.get(route, -1) + 1
            yield at, step, route, skip


def route_of(case: Case, step: str) -> str:
    """The sandbox's route behind a step."""
    return case.routes[step.rstrip("0123456789")]


def sampled(found: Mapping[str, Sequence[Disturbance]]) -> list[tuple[str, Disturbance]]:
    """So many that each network meets each kind of disturbance, and each of its steps any, spread over its cases.

    Which ones does not depend on chance.
    """
    chosen: dict[tuple[str, Disturbance], None] = {}
    by_network: dict[str, list[tuple[str, Disturbance]]] = {}
    for name, disturbances in found.items():
        by_network.setdefault(name.partition("-")[0], []).extend((name, one) for one in disturbances)
    for all_of_it in by_network.values():
        for number, options in enumerate(_sorted_by(all_of_it, _kind).values()):
            chosen[options[number * _STRIDE % len(options)]] = None
        for number, options in enumerate(_sorted_by(all_of_it, lambda one: one.step.rstrip("0123456789")).values()):
            if not any(option in chosen for option in options):
                chosen[options[number * _STRIDE % len(options)]] = None
    return list(chosen)


def _kind(one: Disturbance) -> str:
    return one.name if one.kill is None else f"{one.kill.moment} {one.kill.event.partition(' ')[0]}"


def _sorted_by(
    options: Sequence[tuple[str, Disturbance]], what: Callable[[Disturbance], str]
) -> dict[str, list[tuple[str, Disturbance]]]:
    found: dict[str, list[tuple[str, Disturbance]]] = {}
    for name, one in options:
        found.setdefault(what(one), []).append((name, one))
    return found
