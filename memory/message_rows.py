"""Where each message of a conversation is kept, once: rows that never change, and states that point at runs of them."""

import secrets
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import is_

# A state in more pieces than this is written anew in one: its reference stays small.
_MOST_SEGMENTS = 8
# How many states of a thread are remembered: the newest, and those that a branch may go on from.
_STATES_OF_A_THREAD = 4
# What this process remembers of all threads together, in bytes as stored (objects take about six times as much).
_MOST_BYTES = 8_000_000


@dataclass(frozen=True)
class Segment:
    """The messages of a state from position ``start`` to before ``stop``: rows of one generation, numbered alike."""

    generation: int
    start: int
    stop: int


Segments = tuple[Segment, ...]


@dataclass(frozen=True, kw_only=True)
class State:
    """The messages at one checkpoint and where they are kept. ``size`` is about their length as stored, in bytes.

    ``segments`` is empty when they are kept elsewhere (as one value, by LangGraph's own saver) or there are none.
    """

    segments: Segments
    messages: Sequence[object]
    size: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a list of messages is kept: what it points at, and which of them become rows of ``generation`` now."""

    segments: Segments
    generation: int
    numbers: Sequence[int]

    @property
    def inherits(self) -> bool:
        """Whether it points at rows that are there already, and so needs the state it went on from."""
        return bool(self.segments) and len(self.numbers) < self.segments[-1].stop


def plan(base: State | None, messages: Sequence[object], *, apart: bool = False) -> Plan:
    """Keep ``messages``, which followed ``base``: what is the same object at the same position is there already.

    What is only appended goes on in the last generation, unless it has to be kept ``apart`` because that generation
    went on otherwise. Everything else begins a generation.
    """
    known = base.messages if base is not None else ()
    if base is None or not base.segments:
        return _plan((), _new_generation(), range(len(messages)))
    if len(messages) >= len(known) and all(map(is_, known, messages)):
        generation = _new_generation() if apart else base.segments[-1].generation
        planned = _plan(base.segments, generation, range(len(known), len(messages)))
    else:
        planned = _edited(base, messages)
    return planned if len(planned.segments) <= _MOST_SEGMENTS else plan(None, messages)


def _plan(segments: Segments, generation: int, numbers: range) -> Plan:
    if numbers:
        if segments and segments[-1].generation == generation:
            added = Segment(generation, segments[-1].start, numbers.stop)
            segments = segments[:-1]
        else:
            added = Segment(generation, numbers.start, numbers.stop)
        segments = (*segments, added)
    return Plan(segments=segments, generation=generation, numbers=numbers)


def _edited(base: State, messages: Sequence[object]) -> Plan:
    generation = _new_generation()
    homes = [segment.generation for segment in base.segments for _ in range(segment.start, segment.stop)]
    known = base.messages
    chosen = [
        homes[number] if number < len(homes) and message is known[number] else generation
        for number, message in enumerate(messages)
    ]
    segments: list[Segment] = []
    for home, run in groupby(chosen):
        start = segments[-1].stop if segments else 0
        segments.append(Segment(home, start, start + len(list(run))))
    numbers = [number for number, home in enumerate(chosen) if home == generation]
    return Plan(segments=tuple(segments), generation=generation, numbers=numbers)


def _new_generation() -> int:
    # Chosen at random, so that nobody has to be asked: no two branches of a thread ever take the same.
    return secrets.randbits(62)


def assemble(segments: Segments, known: State | None, fetched: Sequence[object]) -> list[object]:
    """The messages of a state from those that are known and, in order, those that are not. Raises ``LookupError``."""
    rest = iter(fetched)
    messages: list[object] = []
    for segment in segments:
        stop = segment.start
        if known is not None:
            cover = next((one for one in known.segments if _covers(one, segment)), None)
            if cover is not None:
                stop = min(cover.stop, segment.stop)
                messages += known.messages[segment.start : stop]
        messages += islice(rest, segment.stop - stop)
    if len(messages) != (segments[-1].stop if segments else 0) or next(rest, None) is not None:
        raise LookupError("Messages of a conversation are missing")
    return messages


def _covers(cover: Segment, segment: Segment) -> bool:
    return cover.generation == segment.generation and cover.start <= segment.start < cover.stop


Thread = tuple[str, str]


class RecentStates:
    """The states that this process read or wrote last, so that a turn reads and compares only what is new.

    A message is a value: it is shared by the states that hold it, and nobody changes one in place. One that a node
    changed and handed in again makes ``forget`` necessary: ``holds`` tells.
    """

    def __init__(self, *, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._threads: OrderedDict[Thread, OrderedDict[str, State]] = OrderedDict()

    def at(self, thread: Thread, checkpoint_id: str | None) -> State | None:
        """The state at a checkpoint, if it is remembered."""
        states = self._threads.get(thread)
        return states.get(checkpoint_id) if states is not None and checkpoint_id is not None else None

    def newest(self, thread: Thread) -> State | None:
        """The state that was read or written last."""
        states = self._threads.get(thread)
        return next(reversed(states.values())) if states else None

    def remember(self, thread: Thread, checkpoint_id: str, state: State) -> None:
        """Remember a state as the newest of its thread; the oldest are forgotten when there are too many."""
        states = self._threads.setdefault(thread, OrderedDict())
        states[checkpoint_id] = state
        states.move_to_end(checkpoint_id)
        if len(states) > _STATES_OF_A_THREAD:
            states.popitem(last=False)
        self._threads.move_to_end(thread)
        while len(self._threads) > 1 and self._size() > self._most_bytes:
            self._threads.popitem(last=False)

    def holds(self, thread: Thread, messages: Iterable[object]) -> bool:
        """Whether one of these very objects is part of the newest state."""
        newest, sought = self.newest(thread), set(map(id, messages))
        return newest is not None and not sought.isdisjoint(map(id, newest.messages))

    def forget(self, thread: Thread) -> None:
        """Read the thread's messages anew the next time."""
        self._threads.pop(thread, None)

    def forget_all(self, thread_id: str) -> None:
        """Forget a thread in all its namespaces."""
        for thread in [thread for thread in self._threads if thread[0] == thread_id]:
            self.forget(thread)

    def _size(self) -> int:
        return sum(next(reversed(states.values())).size for states in self._threads.values())
