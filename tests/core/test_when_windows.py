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
