"""Properties over all IANA zones and several years: a receipt says what is stored, and its text reads back to it."""

import string
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import Ambiguous, InvalidInput
from core.when.days import month_ahead
from core.when.lexicon import DOUBTFUL_NAMES, MONTH_NAMES, MONTHS, UNSURE_NAMES, WEEKDAY_NAMES, WEEKDAYS
from core.when.receipt import receipt
from core.when.resolve import Moment, resolve

ZONES = sorted(available_timezones() - {"localtime"})  # a link of this machine, not an IANA name
FIXED = settings(deadline=None, derandomize=True, max_examples=200, database=None)

zones = st.sampled_from(ZONES)
moments = st.integers(
    int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2033, 1, 1, tzinfo=UTC).timestamp())
).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ahead = st.integers(0, 88 * 86400).map(lambda seconds: timedelta(seconds=seconds))  # three months are 89 days or more

DAYS = (
    *WEEKDAY_NAMES,
    *(f"next {name}" for name in WEEKDAY_NAMES),
    "this Friday",
    "Wednesday week",
    "a week on Friday",
    "today",
    "tomorrow",
    "the day after tomorrow",
    "in a fortnight",
    "in 80 days",
    "27 November",
    "November 27th",
    "31/12",
    "the 31st",
    "29 February",
    "end of month",
    "start of next month",
    "end of the week",
    "last Friday of the month",
    "first Monday in December",
    "third Sunday of next month",
)
CLOCKS = (
    *("0:00", "00:30", "01:30", "02:00", "02:15", "02:30", "03:00", "9am", "at 9", "at 7", "noon", "at midnight"),
    *("half past nine", "quarter to ten", "9h30", "9.30pm", "21:00h", "in the morning", "in the evening", "6pm UTC"),
    *("9am CET", "9am in New York", "6pm CST", "01:30 Australia/Lord_Howe", "11:59pm"),
)


def answered(phrase: str, now: datetime, zone: str, anchor: datetime | None = None) -> Moment | InvalidInput:
    """The moment, or the refusal or question in its place."""
    try:
        return resolve(phrase, now=now, zone=zone, anchor=anchor)
    except InvalidInput as error:
        return error


def shown(text: str) -> tuple[datetime, str, str]:
    """By hand: the local time, the rest of its part (an offset perhaps, and the zone), and the UTC part."""
    local, _, rest = text.partition(", ")
    words = local.split()
    clock = words[4] if words[4].count(":") == 2 else f"{words[4]}:00"
    wall = datetime.strptime(f"{' '.join(words[:4])} {clock}", "%a %d %b %Y %H:%M:%S")  # noqa: DTZ007
    return wall, " ".join(words[5:]), rest.partition(" UTC")[0] if " UTC" in rest else ""


@FIXED
@given(key=zones, now=moments, later=ahead)
def test_the_receipt_says_what_is_stored(key: str, now: datetime, later: timedelta) -> None:
    instant = now + later
    wall, place, universal = shown(receipt(instant, zone=key, now=now))
    local = instant.astimezone(ZoneInfo(key))
    assert wall == local.replace(tzinfo=None, fold=0)
    assert place.split()[-1] == key
    if key != "UTC":
        clock = universal.split()[-1]
        assert (clock if clock.count(":") == 2 else f"{clock}:00") == f"{instant:%H:%M:%S}"
        assert (len(universal.split()) > 1) == (instant.date() != wall.date())


@FIXED
@given(key=zones, now=moments, later=ahead, home=zones)
@example(key="Europe/Madrid", now=datetime(2026, 10, 20, tzinfo=UTC), later=timedelta(days=5, hours=1), home="UTC")
@example(key="Australia/Lord_Howe", now=datetime(2027, 4, 2, tzinfo=UTC), later=timedelta(days=1, hours=15), home="UTC")
def test_a_receipt_and_its_parts_read_back(key: str, now: datetime, later: timedelta, home: str) -> None:
    instant = now + later
    text = receipt(instant, zone=key, now=now)
    local, _, rest = text.partition(", ")
    for part in (text, local, f"{local}, {rest.partition(', ')[0]}" if key != "UTC" else local):
        moment = resolve(part, now=now, zone=home)
        assert (moment.instant, moment.zone) == (instant, key)
        assert receipt(moment.instant, zone=moment.zone, now=now) == text


def jumps_back(zone: ZoneInfo, year: int) -> list[tuple[datetime, timedelta]]:
    """By hand: the instants of a year at which clocks go back, and by how much, from weeks halved to a second."""
    found, after = list[tuple[datetime, timedelta]](), datetime(year, 1, 1, tzinfo=UTC)
    while after.year == year:
        before, after = after, after + timedelta(days=7)
        low, high = before, after
        old, new = (at.astimezone(zone).utcoffset() or timedelta() for at in (before, after))
        while new < old and high - low > timedelta(seconds=1):
            middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
            low, high = (low, middle) if middle.astimezone(zone).utcoffset() == new else (middle, high)
        if new < old:
            found.append((high, old - new))
    return found


@pytest.mark.parametrize("year", [2026, 2029])
def test_in_every_overlap_the_receipt_bears_the_offset_and_the_bare_time_is_asked(year: int) -> None:
    met = 0
    for key in ZONES:
        zone = ZoneInfo(key)
        for jump, length in jumps_back(zone, year):
            now, pair = jump - timedelta(days=3), (jump - length / 2, jump + length / 2)
            texts = [receipt(instant, zone=key, now=now) for instant in pair]
            assert [resolve(text, now=now, zone="UTC").instant for text in texts] == list(pair)
            parts = [text.partition(",")[0] for text in texts]
            assert [resolve(part, now=now, zone="UTC").instant for part in parts] == list(pair)
            assert parts[0] != parts[1]
            wall = pair[0].astimezone(zone).replace(tzinfo=None, fold=0)
            for bare in (wall.isoformat(), f"{wall:%d %B %H:%M:%S}", f"{wall:%a %d %b %Y %H:%M:%S} {key}"):
                answer = answered(bare, now, key)
                assert isinstance(answer, Ambiguous), (key, bare)
                assert answer.code == "when_overlap"
                assert [datetime.fromisoformat(it.id) for it in answer.candidates] == list(pair)
            met += 1
    assert met > 100  # most of Europe and America, and a few more


@FIXED
@given(key=zones, now=moments, day=st.sampled_from(DAYS), clock=st.sampled_from(CLOCKS), post=st.none() | ahead)
def test_no_phrase_is_an_instant_that_is_past_or_too_far(
    key: str, now: datetime, day: str, clock: str, post: timedelta | None
) -> None:
    anchor = None if post is None else now + post
    local = now.astimezone(ZoneInfo(key))
    limit = datetime.combine(month_ahead(local.date(), 3), local.time(), ZoneInfo(key)).astimezone(UTC)
    answer = answered(f"{day} {clock}", now, key, anchor)
    found = [answer.instant] if isinstance(answer, Moment) else []
    if isinstance(answer, Ambiguous):
        assert len(answer.candidates) > 1
        found = [datetime.fromisoformat(it.id) for it in answer.candidates]
        for candidate, instant in zip(answer.candidates, found, strict=True):
            assert resolve(candidate.label, now=now, zone=key).instant == instant
    assert all(now - timedelta(seconds=60) <= instant <= limit for instant in found)


@FIXED
@given(key=zones, now=moments, day=st.sampled_from(DAYS), hour=st.integers(0, 23), minute=st.integers(0, 59))
def test_a_stored_time_is_the_clock_time_that_was_said(
    key: str, now: datetime, day: str, hour: int, minute: int
) -> None:
    answer = answered(f"{day} {hour:02}:{minute:02}", now, key)
    found = [answer.instant] if isinstance(answer, Moment) else []
    if isinstance(answer, Ambiguous):
        found = [datetime.fromisoformat(it.id) for it in answer.candidates]
    assert all((it.hour, it.minute) == (hour, minute) for it in (one.astimezone(ZoneInfo(key)) for one in found))


@FIXED
@given(key=zones, now=moments, post=ahead, days=st.integers(1, 60))
def test_a_post_moved_by_days_keeps_its_clock_time(key: str, now: datetime, post: timedelta, days: int) -> None:
    anchor = (now + min(post, timedelta(days=28))).replace(microsecond=0)
    answer = answered(f"{days} days later", now, key, anchor)
    wall = anchor.astimezone(ZoneInfo(key)).replace(tzinfo=None, fold=0) + timedelta(days=days)
    if isinstance(answer, Moment):
        assert answer.wall_time.replace(fold=0) == wall
    else:
        assert answer.code in {"when_gap", "when_overlap"}


@FIXED
@given(key=zones, now=moments, post=ahead, minutes=st.integers(1, 3000), sign=st.sampled_from((1, -1)))
def test_a_post_moved_by_hours_moves_exactly(key: str, now: datetime, post: timedelta, minutes: int, sign: int) -> None:
    anchor = now + timedelta(days=3) + min(post, timedelta(days=80))
    hours, rest = divmod(minutes, 60)
    length = f"{hours} hours and {rest} minutes" if hours and rest else f"{hours} hours" if hours else f"{rest} minutes"
    moment = resolve(f"{length} {'earlier' if sign < 0 else 'later'}", now=now, zone=key, anchor=anchor)
    assert moment.instant - anchor == sign * timedelta(minutes=minutes)


def misspelt(word: str) -> list[str]:
    """Every word that is one letter away: inserted, left out, replaced, or swapped with its neighbour."""
    found = {f"{word[:at]}{letter}{word[at:]}" for at in range(len(word) + 1) for letter in string.ascii_lowercase}
    for at in range(len(word)):
        found.add(word[:at] + word[at + 1 :])
        found |= {f"{word[:at]}{letter}{word[at + 1 :]}" for letter in string.ascii_lowercase}
        found.add(word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :])
    return sorted(found - {word})


NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", [name.lower() for name in WEEKDAY_NAMES])
def test_a_misspelt_weekday_is_understood_or_asked(name: str) -> None:
    meant = resolve(f"{name} 9am", now=NOW, zone="Europe/Madrid").instant
    for word in misspelt(name):
        answer = answered(f"{word} 9am", NOW, "Europe/Madrid")
        if isinstance(answer, Ambiguous):
            assert word in UNSURE_NAMES
            assert meant in [datetime.fromisoformat(it.id) for it in answer.candidates] or "today" in UNSURE_NAMES[word]
        elif isinstance(answer, Moment):
            assert answer.instant == meant, word
        else:
            assert answer.code == "when_unknown"


@pytest.mark.parametrize("name", [name.lower() for name in MONTH_NAMES])
def test_a_misspelt_month_is_understood_or_asked(name: str) -> None:
    now = datetime(2026, (MONTHS[name] + 10) % 12 + 1, 20, 9, 0, tzinfo=UTC)  # the month before: nothing is too far
    meant = resolve(f"27 {name} 9am", now=now, zone="Europe/Madrid").instant
    for word in set(misspelt(name)) - set(MONTHS):
        answer = answered(f"27 {word} 9am", now, "Europe/Madrid")
        if isinstance(answer, Ambiguous):
            assert meant in [datetime.fromisoformat(it.id) for it in answer.candidates]
        elif isinstance(answer, Moment):
            assert answer.instant == meant, word
        else:
            assert answer.code in {"when_unknown", "when_zone"}


def test_a_name_that_is_close_to_two_is_listed_as_such() -> None:
    names = {*WEEKDAYS, *MONTHS, "today", "tomorrow", "tonight"} - DOUBTFUL_NAMES
    spellings = {name: set(misspelt(name)) for name in names if len(name) > 4}
    twice = {word for one in spellings for two in spellings if one < two for word in spellings[one] & spellings[two]}
    assert twice - {*WEEKDAYS} <= set(UNSURE_NAMES)
