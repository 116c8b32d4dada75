"""Faults that tests plant on a route: what goes wrong, how often, and for whom."""

import asyncio
import itertools
import random
from dataclasses import dataclass, field
from typing import Literal, get_args

Kind = Literal[
    "delay",
    "drop_before",
    "drop_after",
    "drop_late",
    "truncate",
    "status",
    "status_after",
    "rate_limit",
    "refuse",
    "refuse_after",
    "forbid",
    "expired_token",
    "slow_processing",
    "processing_error",
]
KINDS: tuple[str, ...] = get_args(Kind)

# What each kind does, for people who ask GET /_sandbox/routes.
MEANINGS: dict[str, str] = {
    "delay": "wait delay_seconds, then do it and answer as always",
    "drop_before": "close the TCP connection without doing it and without an answer",
    "drop_after": "do it, then close the TCP connection without an answer",
    "drop_late": "close the TCP connection at once, and do it delay_seconds later",
    "truncate": "do it, send the headers and half of the answer, then close the TCP connection",
    "status": "do nothing and answer status (default 500) with body and headers",
    "status_after": "do it, then answer status (default 500) with body and headers",
    "rate_limit": "do nothing and answer as the network does when too much was asked (429, or status)",
    "refuse": "do nothing and answer, as the network does, that the content breaks a rule (400, or status)",
    "refuse_after": "do it, then answer as refuse does",
    "forbid": "do nothing and answer that a permission is missing (403, or the network's own status)",
    "expired_token": "do nothing and answer that the token has expired",
    "slow_processing": "accept the medium, but let it stay in processing for delay_seconds",
    "processing_error": "accept the medium, but let its processing fail with subcode (default 2207053)",
}


# Fields of a fault that are no part of its description.
_INNER = frozenset({"released", "dice"})


@dataclass(frozen=True, kw_only=True)
class NamedRoute:
    """Something that can fail: ``dialect`` is the shape of its error bodies."""

    name: str
    dialect: Literal["graph", "openai", "plain", "tiktok", "xrpc"]
    method: str
    does: str


@dataclass(kw_only=True, eq=False)
class Fault:
    """A planted fault.

    ``times`` None stays until it is deleted; ``skip`` lets that many matching calls pass first; ``chance`` is how
    likely a matching call meets it (None: each does), drawn from ``seed`` in the order of the calls; ``match`` is an
    account's external id, or any text of the call's path or parameters, None matches every call. ``delay_seconds``
    is waited first by every kind but ``drop_late``, ``slow_processing`` and ``processing_error``, which say
    themselves what it means. ``status`` and ``body`` None take what the kind answers by default.
    """

    id: int
    route: str
    kind: Kind
    times: int | None = 1
    skip: int = 0
    delay_seconds: float = 0.0
    status: int | None = None
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    subcode: int | None = None
    match: str | None = None
    chance: float | None = None
    seed: int | None = None
    hits: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - weather, no secret

    def is_met(self) -> bool:
        """Whether the dice say that the next matching call meets it."""
        return self.chance is None or self.dice.random() < self.chance

    async def pause(self) -> None:
        """Wait ``delay_seconds``, or until the fault is deleted, whichever comes first."""
        if self.delay_seconds > 0:
            try:
                await asyncio.wait_for(self.released.wait(), self.delay_seconds)
            except TimeoutError:
                return

    def described(self) -> dict[str, object]:
        """For GET /_sandbox/faults; ``times`` is what is left."""
        return {name: value for name, value in vars(self).items() if name not in _INNER}


class FaultBook:
    """The planted faults, oldest first; a call meets one at most."""

    def __init__(self) -> None:
        self._planted: list[Fault] = []
        self._numbers = itertools.count(1)

    def plant(self, fault: Fault) -> Fault:
        """Add a fault behind those of its route; its ``id`` is given here."""
        fault.id = next(self._numbers)
        self._planted.append(fault)
        return fault

    def take(self, route: str, *, account: str, text: str) -> Fault | None:
        """The fault this call meets, which is one less from then on; None when it passes."""
        for fault in self._planted:
            if fault.route != route or fault.times == 0:
                continue
            if fault.match is not None and fault.match != account and fault.match not in text:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if not fault.is_met():
                continue
            fault.hits += 1
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None

    def planted(self) -> list[Fault]:
        """All of them, used up or not."""
        return list(self._planted)

    def remove(self, *, fault_id: int | None = None, route: str | None = None) -> int:
        """Remove one, those of a route, or all; calls that wait in one of them go on at once. Answers how many."""
        gone = [
            fault
            for fault in self._planted
            if (fault_id is None or fault.id == fault_id) and (route is None or fault.route == route)
        ]
        for fault in gone:
            fault.released.set()
        self._planted = [fault for fault in self._planted if fault not in gone]
        return len(gone)
