"""Where messages are kept: what is new, what is there already, and what is remembered of it."""

import pytest

from memory.message_rows import RecentStates, Segment, State, assemble, plan

THREAD = ("workspace:thread", "")


def texts(count: int, name: str = "m") -> list[object]:
    """Messages, each an object of its own."""
    return [f"{name}{number}" for number in range(count)]


def state(messages: list[object], *segments: Segment) -> State:
    """A state that is kept where the segments say, else whole in generation 1."""
    return State(segments=segments or (Segment(1, 0, len(messages)),), messages=tuple(messages), size=100)


def test_what_is_appended_goes_on_in_its_generation() -> None:
    known = texts(3)
    planned = plan(state(known), [*known, "new", "newer"])
    assert planned.segments == (Segment(1, 0, 5),)
    assert (planned.generation, list(planned.numbers), planned.inherits) == (1, [3, 4], True)


def test_what_is_appended_apart_begins_a_generation() -> None:
    known = texts(3)
    planned = plan(state(known), [*known, "new"], apart=True)
    assert planned.segments == (Segment(1, 0, 3), Segment(planned.generation, 3, 4))
    assert planned.generation != 1
    assert list(planned.numbers) == [3]


def test_nothing_new_is_nothing_to_store() -> None:
    known = texts(3)
    planned = plan(state(known), list(known))
    assert (planned.segments, list(planned.numbers), planned.inherits) == ((Segment(1, 0, 3),), [], True)


def test_without_a_state_before_it_everything_is_stored() -> None:
    for base in (None, State(segments=(), messages=tuple(texts(3)), size=0)):
        planned = plan(base, texts(2))
        assert planned.segments == (Segment(planned.generation, 0, 2),)
        assert (list(planned.numbers), planned.inherits) == ([0, 1], False)
    assert plan(None, []).segments == ()


def test_one_that_was_replaced_is_one_row() -> None:
    known = texts(5)
    planned = plan(state(known), [*known[:2], "edited", *known[3:]])
    mine = planned.generation
    assert planned.segments == (Segment(1, 0, 2), Segment(mine, 2, 3), Segment(1, 3, 5))
    assert (list(planned.numbers), planned.inherits) == ([2], True)


def test_behind_one_that_was_removed_all_are_stored_anew() -> None:
    known = texts(5)
    planned = plan(state(known), [*known[:2], *known[3:]])
    assert planned.segments == (Segment(1, 0, 2), Segment(planned.generation, 2, 4))
    assert list(planned.numbers) == [2, 3]


def test_a_state_in_many_pieces_is_stored_anew_in_one() -> None:
    known = texts(9)
    base = state(known, *(Segment(number + 1, number, number + 1) for number in range(8)), Segment(9, 8, 9))
    planned = plan(base, [*known, "new"])
    assert planned.segments == (Segment(planned.generation, 0, 10),)
    assert not planned.inherits


def test_what_is_not_known_is_taken_from_what_was_read() -> None:
    known = state(["a0", "a1", "b2", "a3"], Segment(1, 0, 2), Segment(2, 2, 3), Segment(1, 3, 4))
    # Of generation 1 the first two and the fourth are known, of 2 the third; of 3 nothing.
    assert assemble((Segment(1, 0, 4),), known, ["a2", "a3"]) == ["a0", "a1", "a2", "a3"]
    assert assemble((Segment(1, 0, 1), Segment(3, 1, 2)), known, ["c1"]) == ["a0", "c1"]
    assert assemble((Segment(1, 0, 2), Segment(2, 2, 5)), known, ["b3", "b4"]) == ["a0", "a1", "b2", "b3", "b4"]
    assert assemble((), known, []) == []


@pytest.mark.parametrize("fetched", [[], ["a", "b", "c", "d"]], ids=["too few", "too many"])
def test_a_state_that_is_not_whole_is_refused(fetched: list[object]) -> None:
    with pytest.raises(LookupError):
        assemble((Segment(1, 0, 3),), None, fetched)


def test_of_a_thread_the_newest_states_are_remembered() -> None:
    recent = RecentStates()
    states = [state(texts(number)) for number in range(6)]
    for number, each in enumerate(states):
        recent.remember(THREAD, str(number), each)
    assert recent.newest(THREAD) is states[5]
    assert [recent.at(THREAD, str(number)) for number in (0, 1, 2)] == [None, None, states[2]]
    assert recent.at(THREAD, None) is None
    recent.forget(THREAD)
    assert recent.newest(THREAD) is None


def test_threads_that_were_not_used_for_longest_are_forgotten() -> None:
    recent = RecentStates(most_bytes=250)
    threads = [(f"workspace:{number}", "") for number in range(3)]
    for thread in (*threads[:2], threads[0], threads[2]):
        recent.remember(thread, "1", state(texts(1)))
    # Three times 100 bytes are too many: the second went, the first had been used since.
    assert [recent.newest(thread) is not None for thread in threads] == [True, False, True]
    big = State(segments=(Segment(1, 0, 1),), messages=("m",), size=1000)
    recent.remember(threads[1], "1", big)
    assert [recent.newest(thread) for thread in threads] == [None, big, None]


def test_an_object_of_the_newest_state_is_recognized_by_itself_alone() -> None:
    recent = RecentStates()
    one, equal = ["a message"], ["a message"]
    recent.remember(THREAD, "1", state([one]))
    assert recent.holds(THREAD, [equal, one])
    assert not recent.holds(THREAD, [equal])
    assert not recent.holds(("another", ""), [one])
    recent.forget_all(THREAD[0])
    assert not recent.holds(THREAD, [one])
