"""What is refused or asked instead of guessed, with its stable code and its way out."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Ambiguous, InvalidInput
from core.when.resolve import Moment, find_phrases, resolve, window

ZONE = "Europe/Madrid"
NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)  # Wed 18 Nov 2026, 10:00 in Madrid
POST = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)  # Fri 27 Nov 2026, 09:00 in Madrid
CODES = {"when_past", "when_too_far", "when_gap", "when_unknown", "when_zone", "when_incomplete"}
QUESTIONS = {"when_overlap", "when_ambiguous"}

REFUSED = [
    ("yesterday 9am", "when_past"),
    ("yesterday", "when_past"),
    ("today 9:30 am", "when_past"),
    ("17 November 2026 9am", "when_past"),
    ("1 October 9am", "when_past"),  # nearer to now than the one of 2027
    ("2026-11-18T09:58:00+01:00", "when_past"),  # 2 min ago; 1 min is allowed
    ("last Friday 9am", "when_past"),
    ("5 minutes ago", "when_past"),
    ("19 February 2027 9am", "when_too_far"),  # 18 February is three months ahead
    ("in 4 months", "when_too_far"),
    ("in 999999 weeks", "when_too_far"),
    ("in 999999 months", "when_too_far"),
    ("9999-12-31T23:59", "when_too_far"),
    ("Friday", "when_incomplete"),
    ("tomorrow", "when_incomplete"),
    ("27 November", "when_incomplete"),
    ("next week", "when_incomplete"),
    ("next week at 9am", "when_incomplete"),
    ("end of month", "when_incomplete"),
    ("an hour later", "when_incomplete"),
    ("two days earlier", "when_incomplete"),
    ("the day after at 9am", "when_incomplete"),
    ("same time on Saturday", "when_incomplete"),
    ("", "when_unknown"),
    ("soon", "when_unknown"),
    ("31 November 9am", "when_unknown"),
    ("30/02/2027 9am", "when_unknown"),
    ("25:00 tomorrow", "when_unknown"),
    ("13pm tomorrow", "when_unknown"),
    ("9am in the evening", "when_unknown"),
    ("every Friday at 9am", "when_unknown"),
    ("Fridays at 9am", "when_unknown"),
    ("9am and 6pm", "when_unknown"),
    ("Friday 9am-5pm", "when_unknown"),
    ("Friday 9am in Atlantis", "when_zone"),
    ("Friday 9am Europe/Atlantis", "when_zone"),
    ("Friday 9am Gondor time", "when_zone"),
]


@pytest.mark.parametrize(("phrase", "code"), REFUSED)
def test_refused_with_a_stable_code(phrase: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        resolve(phrase, now=NOW, zone=ZONE)
    assert refusal.value.code == code
    assert not isinstance(refusal.value, Ambiguous)


ASKED = [
    # phrase, the post's time, candidates
    ("at 7", None, ["2026-11-18T19:00:00+01:00", "2026-11-19T07:00:00+01:00"]),
    ("Friday 7:30", None, ["2026-11-20T07:30:00+01:00", "2026-11-20T19:30:00+01:00"]),
    ("half past six tomorrow", None, ["2026-11-19T06:30:00+01:00", "2026-11-19T18:30:00+01:00"]),
    ("02/12/2026 9am, please", None, ["2026-12-02T09:00:00+01:00"]),  # 12 February is past: no question
    ("01/12 9am", None, ["2026-12-01T09:00:00+01:00", "2027-01-12T09:00:00+01:00"]),
    ("Friday at midnight", None, ["2026-11-20T00:00:00+01:00", "2026-11-21T00:00:00+01:00"]),
    ("Thursday 27 November 9am", None, ["2026-11-19T09:00:00+01:00", "2026-11-27T09:00:00+01:00"]),
    ("this weekend at 10am", None, ["2026-11-21T10:00:00+01:00", "2026-11-22T10:00:00+01:00"]),
    ("end of the week at 10am", None, ["2026-11-20T10:00:00+01:00", "2026-11-22T10:00:00+01:00"]),
    ("Friday 6pm CST", None, ["2026-11-20T18:00:00+08:00", "2026-11-20T18:00:00-06:00"]),
    # EDT is UTC-4, but New York is at UTC-5 in November: 22:00 or 23:00 UTC
    ("Friday 6pm EDT", None, ["2026-11-20T17:00:00-05:00", "2026-11-20T18:00:00-05:00"]),
    ("back by a day", POST, ["2026-11-26T09:00:00+01:00", "2026-11-28T09:00:00+01:00"]),
    ("forward by an hour", POST, ["2026-11-27T08:00:00+01:00", "2026-11-27T10:00:00+01:00"]),
    ("midnight", POST, ["2026-11-27T00:00:00+01:00", "2026-11-28T00:00:00+01:00"]),
]


@pytest.mark.parametrize(("phrase", "anchor", "ids"), [case for case in ASKED if len(case[2]) > 1])
def test_asked_with_the_candidates(phrase: str, anchor: datetime | None, ids: list[str]) -> None:
    with pytest.raises(Ambiguous) as question:
        resolve(phrase, now=NOW, zone=ZONE, anchor=anchor)
    assert question.value.code == "when_ambiguous"
    assert [candidate.id for candidate in question.value.candidates] == ids
    for candidate in question.value.candidates:
        chosen = datetime.fromisoformat(candidate.id)
        assert resolve(candidate.id, now=NOW, zone=ZONE).instant == chosen
        assert resolve(candidate.label, now=NOW, zone=ZONE).instant == chosen


@pytest.mark.parametrize(("phrase", "anchor", "ids"), [case for case in ASKED if len(case[2]) == 1])
def test_a_meaning_that_cannot_be_is_no_question(phrase: str, anchor: datetime | None, ids: list[str]) -> None:
    assert resolve(phrase, now=NOW, zone=ZONE, anchor=anchor).instant == datetime.fromisoformat(ids[0])


def test_day_and_month_either_way_round_are_asked() -> None:
    now = datetime(2027, 2, 15, 9, 0, tzinfo=UTC)
    with pytest.raises(Ambiguous) as question:
        resolve("03/04 9am", now=now, zone=ZONE)
    # 4 March in winter time, 3 April in summer time
    assert [it.id for it in question.value.candidates] == ["2027-03-04T09:00:00+01:00", "2027-04-03T09:00:00+02:00"]
    assert question.value.candidates[0].label.startswith("Thu 4 Mar 2027 09:00 Europe/Madrid, 08:00 UTC, in 16 d")


def test_a_gap_is_said_with_the_times_that_exist() -> None:
    now = datetime(2027, 3, 20, 9, 0, tzinfo=UTC)  # clocks in Madrid go from 02:00 to 03:00 on Sun 28 Mar 2027
    with pytest.raises(InvalidInput) as refusal:
        resolve("28 March 02:30", now=now, zone=ZONE)
    assert refusal.value.code == "when_gap"
    assert refusal.value.message == (
        "Sun 28 Mar 2027 02:30 does not exist in Europe/Madrid: clocks go from 02:00 to 03:00. "
        "Sun 28 Mar 2027 01:59 does, and Sun 28 Mar 2027 03:00: say which."
    )


def test_a_kept_clock_time_in_a_gap_is_said_too() -> None:
    now, anchor = datetime(2027, 3, 20, 9, 0, tzinfo=UTC), datetime(2027, 3, 27, 1, 30, tzinfo=UTC)  # Sat 02:30
    with pytest.raises(InvalidInput) as refusal:
        resolve("a day later", now=now, zone=ZONE, anchor=anchor)
    assert refusal.value.code == "when_gap"


def test_an_overlap_is_asked_and_the_answers_are_exact() -> None:
    now = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)  # clocks in Madrid go back from 03:00 to 02:00 on Sun 25 Oct 2026
    with pytest.raises(Ambiguous) as question:
        resolve("Sunday 02:30", now=now, zone=ZONE)
    first, second = question.value.candidates
    assert question.value.code == "when_overlap"
    assert (first.id, second.id) == ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00")
    assert first.label == "Sun 25 Oct 2026 02:30 +02:00 Europe/Madrid, 00:30 UTC, in 4 d 15 h"
    assert resolve(first.label, now=now, zone=ZONE).instant == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert resolve(second.id, now=now, zone=ZONE).instant == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert resolve("Sunday 02:30 CEST", now=now, zone=ZONE).instant == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "zone", ["Europe/Atlantis", "", "../../etc/passwd", "/etc/localtime", "Europe", "a\0b", "x" * 9999]
)
def test_an_unknown_workspace_zone_is_named(zone: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        resolve("now", now=NOW, zone=zone)
    assert refusal.value.code == "when_zone"
    assert len(refusal.value.message) < 300


HOSTILE = [
    "x" * 10_000,
    "9" * 10_000,
    "(" * 10_000,
    "\0\x1b[31m" * 1_500,
    "friday " * 1_500,
    "next friday at 9am " * 500,
    "munday " * 1_400,
    "from munday to 1-7 and " * 400,
    "next couple of " * 600,
    "free slot after next " * 400,
    "half past " * 1_000,
    "in a " * 2_000,
    "a_" * 5_000,
    "a/" * 5_000,
    "1:" * 5_000,
    "9 " * 5_000,
    "the " * 2_500,
    "for " * 2_500,
    "every " * 1_600,
    "a'" * 5_000,
    "2026-11-" * 1_200,
    "\u202efriday" * 1_000,
    "९" * 5_000,  # a digit, but none of ours
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_answered_at_once(text: str) -> None:
    for phrase in (text, text[:200]):
        started = time.process_time()
        with pytest.raises(InvalidInput) as refusal:
            resolve(phrase, now=NOW, zone=ZONE)
        assert time.process_time() - started < 0.05  # a few ms; the margin is for a loaded machine
        assert refusal.value.code in CODES
        assert len(refusal.value.message) < 400
        assert refusal.value.message.isprintable()
    started = time.process_time()
    find_phrases(text)
    assert time.process_time() - started < 0.5  # 30 ms at most; a quadratic reader would need seconds


WORDS = (
    "friday next this week on at 9 9am 18:30 noon midnight in 2 hours later an a the 27th november 27/11 03/04 2026 "
    "tomorrow tonight morning evening cet utc + - : . , / in london time half past quarter to back by day days week "
    "end of month same now every 31 february 29 weekend first last"
).split()


def answered(phrase: str, anchor: datetime | None) -> Moment | InvalidInput:
    """The moment, or the refusal or question in its place."""
    try:
        return resolve(phrase, now=NOW, zone=ZONE, anchor=anchor)
    except InvalidInput as error:
        return error


@settings(deadline=None)  # a loaded machine is no failure
@given(text=st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)))
def test_any_text_gets_a_moment_a_refusal_or_a_question(text: str) -> None:
    for anchor in (None, POST):
        answer = answered(text, anchor)
        if isinstance(answer, Ambiguous):
            assert answer.code in QUESTIONS
            assert len(answer.candidates) > 1
        elif isinstance(answer, InvalidInput):
            assert answer.code in CODES
        else:
            assert answer.instant.tzinfo is UTC


@settings(deadline=None)  # a loaded machine is no failure
@given(text=st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)))
def test_any_text_gets_a_window_or_a_refusal(text: str) -> None:
    try:
        start, end = window(text, now=NOW, zone=ZONE)
    except InvalidInput as error:
        code = error.code
    else:
        code = "when_unknown" if start <= end else "reversed"
    assert code in {"when_unknown", "when_incomplete"}
