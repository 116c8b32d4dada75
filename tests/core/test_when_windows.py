"""Stretches of time: half-open, in UTC, on the workspace's clocks."""

from datetime import UTC, datetime

import pytest

from core.errors import InvalidInput
from core.when.resolve import window

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)  # Wed 18 Nov 2026, 10:00 in Madrid


@pytest.mark.parametrize(
    ("phrase", "start", "end"),
    [
        ("today", "2026-11-18T00:00", "2026-11-19T00:00"),
        ("today's", "2026-11-18T00:00", "2026-11-19T00:00"),
        ("tomorrow", "2026-11-19T00:00", "2026-11-20T00:00"),
        ("yesterday", "2026-11-17T00:00", "2026-11-18T00:00"),
        ("the day after tomorrow", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("this week", "2026-11-16T00:00", "2026-11-23T00:00"),  # from Monday
        ("next week", "2026-11-23T00:00", "2026-11-30T00:00"),
        ("last week", "2026-11-09T00:00", "2026-11-16T00:00"),
        ("this weekend", "2026-11-21T00:00", "2026-11-23T00:00"),
        ("the weekend", "2026-11-21T00:00", "2026-11-23T00:00"),
        ("next weekend", "2026-11-28T00:00", "2026-11-30T00:00"),
        ("week of 23 November", "2026-11-23T00:00", "2026-11-30T00:00"),
        ("rest of the week", "2026-11-18T10:00", "2026-11-23T00:00"),
        ("this month", "2026-11-01T00:00", "2026-12-01T00:00"),
        ("next month", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("Friday", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("on Friday", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("Wednesday", "2026-11-18T00:00", "2026-11-19T00:00"),  # today
        ("next Friday", "2026-11-27T00:00", "2026-11-28T00:00"),
        ("last Friday", "2026-11-13T00:00", "2026-11-14T00:00"),
        ("next 7 days", "2026-11-18T10:00", "2026-11-25T10:00"),
        ("the coming two weeks", "2026-11-18T10:00", "2026-12-02T10:00"),
        ("last 24 hours", "2026-11-17T10:00", "2026-11-18T10:00"),
        ("past 30 days", "2026-10-19T09:00", "2026-11-18T10:00"),  # 10:00 on 19 October was UTC+2: 08:00 UTC
        ("in November", "2026-11-01T00:00", "2026-12-01T00:00"),
        ("November", "2026-11-01T00:00", "2026-12-01T00:00"),
        ("in January", "2027-01-01T00:00", "2027-02-01T00:00"),  # nearer than the one before
        ("November 2025", "2025-11-01T00:00", "2025-12-01T00:00"),
        ("2026-12", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("2026-11-27", "2026-11-27T00:00", "2026-11-28T00:00"),
        ("27 November", "2026-11-27T00:00", "2026-11-28T00:00"),
        ("1 November", "2026-11-01T00:00", "2026-11-02T00:00"),  # a window may be past
        ("tomorrow morning", "2026-11-19T06:00", "2026-11-19T12:00"),
        ("tonight", "2026-11-18T18:00", "2026-11-19T00:00"),
    ],
)
def test_window(phrase: str, start: str, end: str) -> None:
    # All are written at UTC+1, which Madrid has from 25 October on.
    expected = tuple(datetime.fromisoformat(f"{text}+01:00") for text in (start, end))
    assert window(phrase, now=NOW, zone="Europe/Madrid") == expected


def test_a_day_with_a_jump_is_as_long_as_its_clocks_say() -> None:
    start, end = window("2026-10-25", now=NOW, zone="Europe/Madrid")
    assert (end - start).total_seconds() == 25 * 3600


def test_a_day_whose_midnight_is_skipped_begins_at_its_first_instant() -> None:
    # Clocks in Cairo go from 00:00 to 01:00 on Fri 24 April 2026: the day begins at 22:00 UTC and has 23 hours.
    start, end = window("2026-04-24", now=NOW, zone="Africa/Cairo")
    assert start == datetime(2026, 4, 23, 22, 0, tzinfo=UTC)
    assert (end - start).total_seconds() == 23 * 3600


@pytest.mark.parametrize(
    "phrase", ["", "soon", "Friday 9am", "in 2 hours", "next free slot", "31 November", "x" * 10_000]
)
def test_no_window(phrase: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        window(phrase, now=NOW, zone="Europe/Madrid")
    assert refusal.value.code == "when_unknown"


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        window("today", now=NOW, zone="Mars/Olympus")
    assert refusal.value.code == "when_zone"


@pytest.mark.parametrize(
    ("phrase", "start", "end"),
    [
        ("today and tomorrow", "2026-11-18", "2026-11-20"),  # Wed 18 and Thu 19
        ("tomorrow and the day after", "2026-11-19", "2026-11-21"),
        ("Friday and Saturday", "2026-11-20", "2026-11-22"),
        ("Monday to Friday", "2026-11-23", "2026-11-28"),  # the Friday after that Monday, and not this week's
        ("from Monday to Friday", "2026-11-23", "2026-11-28"),
        ("between Monday and Friday", "2026-11-23", "2026-11-28"),
        ("Thursday to Sunday", "2026-11-19", "2026-11-23"),
        ("Friday to Monday", "2026-11-20", "2026-11-24"),
        ("today until Friday", "2026-11-18", "2026-11-21"),
        ("this week and next week", "2026-11-16", "2026-11-30"),
        ("27 to 30 November", "2026-11-27", "2026-12-01"),
        ("1-7 December", "2026-12-01", "2026-12-08"),
        ("1st to 7th December", "2026-12-01", "2026-12-08"),
        ("between 1 December and 7 December", "2026-12-01", "2026-12-08"),
        ("27 November to 3 December", "2026-11-27", "2026-12-04"),
        ("2026-11-27 to 2026-12-03", "2026-11-27", "2026-12-04"),
        ("the week of 7 December", "2026-12-07", "2026-12-14"),  # a Monday
        ("the week of December 9th", "2026-12-07", "2026-12-14"),
        ("the week commencing 7 December", "2026-12-07", "2026-12-14"),
        ("the week starting on Monday 7 December", "2026-12-07", "2026-12-14"),
        ("the next 10 days", "2026-11-18T10:00", "2026-11-28T10:00"),
        ("the next fortnight", "2026-11-18T10:00", "2026-12-02T10:00"),
        ("the next couple of weeks", "2026-11-18T10:00", "2026-12-02T10:00"),
        ("in December", "2026-12-01", "2027-01-01"),
        ("decmber", "2026-12-01", "2027-01-01"),
        ("last Friday of the month", "2026-11-27", "2026-11-28"),
    ],
)
def test_a_stretch_of_more_than_one_day(phrase: str, start: str, end: str) -> None:
    # All are written at UTC+1, which Madrid has from 25 October on.
    expected = tuple(
        datetime.fromisoformat(f"{text if 'T' in text else f'{text}T00:00'}+01:00") for text in (start, end)
    )
    assert window(phrase, now=NOW, zone="Europe/Madrid") == expected


@pytest.mark.parametrize("phrase", ["Monday and Friday", "tomorrow to today", "munday", "7 to 1 December", "to Friday"])
def test_what_is_no_single_stretch_is_said(phrase: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        window(phrase, now=NOW, zone="Europe/Madrid")
    assert refusal.value.code == "when_unknown"
