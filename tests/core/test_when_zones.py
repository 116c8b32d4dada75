"""Properties over all zones: receipts read back to the same instant, gaps and overlaps are never guessed."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Ambiguous, InvalidInput
from core.when.receipt import receipt
from core.when.resolve import Moment, resolve
from core.when.zones import gap_around, start_of_day

ZONES = sorted(available_timezones() - {"localtime"})  # a link of this machine, not an IANA name
QUARTER = timedelta(minutes=15)

zones = st.sampled_from(ZONES)
instants = st.integers(
    int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2036, 1, 1, tzinfo=UTC).timestamp())
).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
soon = st.integers(0, 88 * 86400).map(lambda seconds: timedelta(seconds=seconds))  # three months are 89 days or more


@lru_cache(maxsize=2048)
def transitions(key: str, year: int) -> tuple[datetime, ...]:
    """The instants of a year at which a zone's clocks jump, by looking at each quarter of an hour around a change."""
    zone, found = ZoneInfo(key), list[datetime]()
    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        following = day + timedelta(days=1)
        if day.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            step = day
            while step.astimezone(zone).utcoffset() == day.astimezone(zone).utcoffset():
                step += QUARTER
            found.append(step)
        day = following
    return tuple(found)


def answered(phrase: str, now: datetime, zone: str) -> Moment | InvalidInput:
    """The moment, or the refusal or question in its place."""
    try:
        return resolve(phrase, now=now, zone=zone)
    except InvalidInput as error:
        return error


def instants_showing(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """By hand: every whole-minute offset from UTC that the zone has around that time is tried."""
    around = [wall.replace(tzinfo=UTC) + timedelta(hours=hours) for hours in range(-30, 31, 3)]
    offsets = {instant.astimezone(zone).utcoffset() for instant in around}
    tried = [(wall - offset).replace(tzinfo=UTC) for offset in offsets if offset is not None]
    return sorted(it for it in tried if it.astimezone(zone).replace(tzinfo=None, fold=0) == wall)


@settings(deadline=None)  # a loaded machine is no failure
@given(key=zones, now=instants, ahead=soon)
def test_a_receipt_reads_back_to_the_same_instant(key: str, now: datetime, ahead: timedelta) -> None:
    instant = now + ahead
    moment = resolve(receipt(instant, zone=key, now=now), now=now, zone="UTC")
    assert moment.instant == instant
    assert moment.zone == key
    assert moment.wall_time.replace(tzinfo=ZoneInfo(key)) == instant.astimezone(ZoneInfo(key))


@settings(deadline=None)  # a loaded machine is no failure
@given(key=zones, now=instants, ahead=soon, other=zones)
def test_an_iso_time_with_offset_is_exact_in_any_zone(key: str, now: datetime, ahead: timedelta, other: str) -> None:
    instant = now + ahead
    assert resolve(instant.astimezone(ZoneInfo(key)).isoformat(), now=now, zone=other).instant == instant


@settings(deadline=None)  # a loaded machine is no failure
@given(key=zones, now=instants, ahead=soon)
def test_what_the_receipt_says_is_what_is_stored(key: str, now: datetime, ahead: timedelta) -> None:
    zone = ZoneInfo(key)
    wall = (now + ahead).astimezone(zone).replace(tzinfo=None, fold=0)
    if len(instants_showing(wall, zone)) != 1:
        return  # the tests below
    moment = resolve(wall.isoformat(), now=now, zone=key)
    text = receipt(moment.instant, zone=key, now=now)
    said = text.split(f" {key},")[0] if key != "UTC" else text.split(" UTC,")[0]
    shown = datetime.strptime(said, "%a %d %b %Y %H:%M:%S" if wall.second else "%a %d %b %Y %H:%M")  # noqa: DTZ007
    assert shown == wall == moment.wall_time
    assert moment.instant == now + ahead


@settings(deadline=None)  # a loaded machine is no failure
@given(key=zones, year=st.integers(2020, 2035), which=st.integers(0, 3), quarters=st.integers(-16, 16))
def test_around_a_jump_of_the_clocks_nothing_is_guessed(key: str, year: int, which: int, quarters: int) -> None:
    jumps = transitions(key, year)
    if not jumps:
        return
    zone, jump = ZoneInfo(key), jumps[which % len(jumps)]
    now = jump - timedelta(days=10)
    wall = jump.astimezone(zone).replace(tzinfo=None, fold=0) + quarters * QUARTER
    expected = instants_showing(wall, zone)
    answer = answered(wall.isoformat(), now, key)
    if isinstance(answer, Ambiguous):
        assert answer.code == "when_overlap"
        assert [datetime.fromisoformat(it.id) for it in answer.candidates] == expected
        assert len(expected) == 2
        for candidate, instant in zip(answer.candidates, expected, strict=True):
            assert resolve(candidate.id, now=now, zone=key).instant == instant
            assert resolve(candidate.label, now=now, zone=key).instant == instant
    elif isinstance(answer, InvalidInput):
        assert answer.code == "when_gap"
        assert expected == []
        gap = gap_around(wall, zone)
        assert gap.first <= wall < gap.end
        assert gap.instant == jump
    else:
        assert [answer.instant] == expected


@settings(deadline=None)  # a loaded machine is no failure
@given(key=zones, now=instants, days=st.integers(1, 80))
def test_a_move_by_days_keeps_the_clock_time(key: str, now: datetime, days: int) -> None:
    answer = answered(f"in {days} days", now, key)
    if isinstance(answer, InvalidInput):
        assert answer.code in {"when_gap", "when_overlap"}
    else:
        wall = now.astimezone(ZoneInfo(key)).replace(tzinfo=None, fold=0)
        assert answer.wall_time.replace(fold=0) == wall + timedelta(days=days)


@settings(deadline=None)  # a loaded machine is no failure
@given(key=zones, now=instants, ahead=soon, seconds=st.integers(0, 80 * 3600))
def test_a_move_by_hours_is_elapsed_time(key: str, now: datetime, ahead: timedelta, seconds: int) -> None:
    anchor = now + min(ahead, timedelta(days=80))
    moment = resolve(f"{seconds} seconds later", now=now, zone=key, anchor=anchor)
    assert moment.instant == anchor + timedelta(seconds=seconds)


@settings(deadline=None)  # a loaded machine is no failure
@given(key=zones, now=instants)
def test_a_day_begins_when_its_first_clock_time_is_shown(key: str, now: datetime) -> None:
    zone = ZoneInfo(key)
    midnight = now.astimezone(zone).replace(tzinfo=None, fold=0, hour=0, minute=0, second=0)
    start = start_of_day(midnight, zone)
    assert start.astimezone(zone).replace(tzinfo=None) >= midnight
    assert (start - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) != midnight


@pytest.mark.parametrize("key", ZONES)
def test_every_zone_is_known_by_its_name(key: str) -> None:
    now = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
    moment = resolve("now", now=now, zone=key)
    assert moment.zone == key
    if "/" in key:
        named = resolve(f"Friday 09:00 {key}", now=now, zone="UTC")
        assert named.zone == key
        assert named.instant.astimezone(ZoneInfo(key)).hour == 9
