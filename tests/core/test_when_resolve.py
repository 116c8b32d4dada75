"""Phrases that mean one instant: a table with a frozen now, and where each instant comes from."""

from datetime import UTC, datetime

import pytest

from core.when.resolve import completed, resolve

ZONE = "Europe/Madrid"  # UTC+1 from 25 October 2026 to 28 March 2027
WEDNESDAY = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)  # Wed 18 Nov 2026, 10:00 in Madrid
FRIDAY_EVENING = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)  # Fri 20 Nov 2026, 19:00 in Madrid
POST = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)  # the post's time: Fri 27 Nov 2026, 09:00 in Madrid

# November 2026:  Mo 16 Tu 17 We 18 Th 19 Fr 20 Sa 21 Su 22 | Mo 23 Tu 24 We 25 Th 26 Fr 27 Sa 28 Su 29 | Mo 30
ON_WEDNESDAY_AT_TEN = [
    # days by name
    ("Friday 9am", "2026-11-20T09:00+01:00"),  # Wed 18 + 2 d
    ("Friday at 9am", "2026-11-20T09:00+01:00"),
    ("on Friday at 9 am", "2026-11-20T09:00+01:00"),
    ("9am on Friday", "2026-11-20T09:00+01:00"),
    ("9am Friday please", "2026-11-20T09:00+01:00"),
    ("for Friday, 9am", "2026-11-20T09:00+01:00"),
    ("fri 9am", "2026-11-20T09:00+01:00"),
    ("FRIDAY 9AM", "2026-11-20T09:00+01:00"),
    ("firday 9am", "2026-11-20T09:00+01:00"),  # two letters swapped
    ("fridya 9am", "2026-11-20T09:00+01:00"),
    ("frday 9am", "2026-11-20T09:00+01:00"),  # one left out
    ("wenesday 18:30", "2026-11-18T18:30+01:00"),
    ("thrusday 9am", "2026-11-19T09:00+01:00"),
    ("this Friday 9am", "2026-11-20T09:00+01:00"),  # this calendar week's
    ("coming Friday at 9am", "2026-11-20T09:00+01:00"),
    ("next Friday 9am", "2026-11-27T09:00+01:00"),  # next calendar week's: 20 + 7 d
    ("Friday next week at 9am", "2026-11-27T09:00+01:00"),
    ("next week Friday 9am", "2026-11-27T09:00+01:00"),
    ("next week on Friday at 9am", "2026-11-27T09:00+01:00"),
    ("next Monday at noon", "2026-11-23T12:00+01:00"),
    ("Monday noon", "2026-11-23T12:00+01:00"),
    ("Wednesday 18:30", "2026-11-18T18:30+01:00"),  # today: still ahead
    ("Wednesday 9am", "2026-11-25T09:00+01:00"),  # today's 9:00 is past: + 7 d
    ("this Wednesday at 9am", "2026-11-25T09:00+01:00"),
    ("Wednesday week at 10am", "2026-11-25T10:00+01:00"),  # today is Wednesday: + 7 d
    ("Friday week at 9am", "2026-11-27T09:00+01:00"),  # Fri 20 + 7 d
    ("a week on Friday at 9am", "2026-11-27T09:00+01:00"),
    ("this coming Friday 9am", "2026-11-20T09:00+01:00"),
    ("a week tomorrow at 9am", "2026-11-26T09:00+01:00"),  # Thu 19 + 7 d
    ("two weeks from Friday at 9am", "2026-12-04T09:00+01:00"),  # Fri 20 + 14 d
    ("Saturday 18:30", "2026-11-21T18:30+01:00"),
    ("Sat. 18:30", "2026-11-21T18:30+01:00"),
    ("today at 18:30", "2026-11-18T18:30+01:00"),
    ("tomorrow at noon", "2026-11-19T12:00+01:00"),
    ("tomorrow 9am", "2026-11-19T09:00+01:00"),
    ("tommorow at 9am", "2026-11-19T09:00+01:00"),
    ("tomorow at 9am", "2026-11-19T09:00+01:00"),
    ("the day after tomorrow at 8pm", "2026-11-20T20:00+01:00"),
    ("tomorrow week at 9am", "2026-11-26T09:00+01:00"),  # Thu 19 + 7 d
    # parts of the day
    ("Friday morning", "2026-11-20T09:00+01:00"),
    ("tomorrow morning", "2026-11-19T09:00+01:00"),
    ("tomorrow at lunchtime", "2026-11-19T12:30+01:00"),
    ("tomorrow afternoon", "2026-11-19T15:00+01:00"),
    ("this afternoon", "2026-11-18T15:00+01:00"),
    ("this evening", "2026-11-18T18:00+01:00"),
    ("Friday evening", "2026-11-20T18:00+01:00"),
    ("in the evening", "2026-11-18T18:00+01:00"),
    ("in the morning", "2026-11-19T09:00+01:00"),  # today's 9:00 is past
    ("tonight", "2026-11-18T20:00+01:00"),
    ("tonight at 9", "2026-11-18T21:00+01:00"),
    ("tonight at 11:30", "2026-11-18T23:30+01:00"),
    ("tonight at 1", "2026-11-19T01:00+01:00"),  # after the midnight that ends today
    ("tomorrow night", "2026-11-19T21:00+01:00"),
    ("7 in the evening", "2026-11-18T19:00+01:00"),
    ("tomorrow morning at 7", "2026-11-19T07:00+01:00"),
    ("Friday afternoon at 4", "2026-11-20T16:00+01:00"),
    ("first thing tomorrow", "2026-11-19T08:00+01:00"),
    ("end of day", "2026-11-18T17:00+01:00"),
    # clocks
    ("noon", "2026-11-18T12:00+01:00"),
    ("midday", "2026-11-18T12:00+01:00"),
    ("midnight", "2026-11-19T00:00+01:00"),  # the next one
    ("today at midnight", "2026-11-19T00:00+01:00"),
    ("18:30", "2026-11-18T18:30+01:00"),  # still ahead today
    ("09:00", "2026-11-19T09:00+01:00"),  # past today: + 1 d
    ("at 9", "2026-11-19T09:00+01:00"),  # 8 to 11 are in the morning; 9:00 is past today
    ("9", "2026-11-19T09:00+01:00"),
    ("nine o'clock", "2026-11-19T09:00+01:00"),
    ("at nine", "2026-11-19T09:00+01:00"),
    ("at 11", "2026-11-18T11:00+01:00"),
    ("at 12", "2026-11-18T12:00+01:00"),
    ("at 5", "2026-11-18T17:00+01:00"),  # 1 to 5 are in the afternoon
    ("Friday at 3", "2026-11-20T15:00+01:00"),
    ("today at 9", "2026-11-18T21:00+01:00"),  # today's other nine: the first is past
    ("half past nine", "2026-11-19T09:30+01:00"),
    ("half past 4 tomorrow", "2026-11-19T16:30+01:00"),
    ("half nine tomorrow", "2026-11-19T09:30+01:00"),  # British
    ("quarter to five", "2026-11-18T16:45+01:00"),  # 17:00 - 15 min
    ("a quarter past five", "2026-11-18T17:15+01:00"),
    ("ten minutes to six pm", "2026-11-18T17:50+01:00"),  # 18:00 - 10 min
    ("tomorrow at twenty past nine", "2026-11-19T09:20+01:00"),
    ("6pm", "2026-11-18T18:00+01:00"),
    ("6 p.m. tomorrow", "2026-11-19T18:00+01:00"),
    ("6.30pm", "2026-11-18T18:30+01:00"),
    ("12am tomorrow", "2026-11-19T00:00+01:00"),
    ("12pm tomorrow", "2026-11-19T12:00+01:00"),
    ("tomorrow 18h30", "2026-11-19T18:30+01:00"),
    ("tomorrow at 18h", "2026-11-19T18:00+01:00"),
    ("tomorrow at 1830", "2026-11-19T18:30+01:00"),
    ("tomorrow 0900 hrs", "2026-11-19T09:00+01:00"),
    ("tomorrow at 9.30", "2026-11-19T09:30+01:00"),
    ("tomorrow 24:00", "2026-11-20T00:00+01:00"),  # the end of Thu 19
    # dates
    ("27 November at 18:30", "2026-11-27T18:30+01:00"),
    ("27 november 2026 18:30", "2026-11-27T18:30+01:00"),
    ("27 Novembre 18:30", "2026-11-27T18:30+01:00"),  # one letter too many
    ("the 27th of November at 18:30", "2026-11-27T18:30+01:00"),
    ("Nov 27 6:30 pm", "2026-11-27T18:30+01:00"),
    ("November 27th, 2026 at 6:30pm", "2026-11-27T18:30+01:00"),
    ("Nov. 27, 18:30", "2026-11-27T18:30+01:00"),
    ("18:30 on 27 Nov", "2026-11-27T18:30+01:00"),
    ("27.11.2026 18:30", "2026-11-27T18:30+01:00"),
    ("27.11. 18:30", "2026-11-27T18:30+01:00"),
    ("27/11/2026 18:30", "2026-11-27T18:30+01:00"),
    ("27/11/26 18:30", "2026-11-27T18:30+01:00"),
    ("11/27/2026 18:30", "2026-11-27T18:30+01:00"),  # there is no month 27
    ("27/11 9am", "2026-11-27T09:00+01:00"),
    ("27-Nov-2026 18:30", "2026-11-27T18:30+01:00"),
    ("05/12 9am", "2026-12-05T09:00+01:00"),  # 12 May is too far ahead to be meant
    ("2026/11/27 18:30", "2026-11-27T18:30+01:00"),
    ("Friday 27 November 9am", "2026-11-27T09:00+01:00"),
    ("Friday the 27th at 9am", "2026-11-27T09:00+01:00"),
    ("the 27th at 9am", "2026-11-27T09:00+01:00"),
    ("the 3rd at 9am", "2026-12-03T09:00+01:00"),  # 3 November is past
    ("the 31st at 9am", "2026-12-31T09:00+01:00"),  # November has 30 days
    ("the 3rd of next month at 9am", "2026-12-03T09:00+01:00"),
    ("the first of December at noon", "2026-12-01T12:00+01:00"),
    ("15 January 9am", "2027-01-15T09:00+01:00"),  # this year's is past
    ("end of month 9am", "2026-11-30T09:00+01:00"),
    ("the end of the month at 9am", "2026-11-30T09:00+01:00"),
    ("last day of the month at 9am", "2026-11-30T09:00+01:00"),
    ("end of next month at 9am", "2026-12-31T09:00+01:00"),
    ("end of December at 9am", "2026-12-31T09:00+01:00"),
    ("start of next week at 9am", "2026-11-23T09:00+01:00"),
    # ISO
    ("2026-11-27T18:30", "2026-11-27T18:30+01:00"),
    ("2026-11-27T18:30:15", "2026-11-27T18:30:15+01:00"),
    ("2026-11-27 18:30", "2026-11-27T18:30+01:00"),
    ("2026-11-27T18:30:00Z", "2026-11-27T19:30+01:00"),  # UTC + 1 h
    ("2026-11-27T18:30:00.250Z", "2026-11-27T19:30+01:00"),
    ("2026-11-27T18:30+05:30", "2026-11-27T14:00+01:00"),  # 18:30 - 5:30 = 13:00 UTC
    ("2026-11-27T18:30:00-0500", "2026-11-28T00:30+01:00"),  # 23:30 UTC
    ("2026-11-27 18:30-05:00", "2026-11-28T00:30+01:00"),
    # lengths of time
    ("in 2 hours", "2026-11-18T12:00+01:00"),
    ("2 hours from now", "2026-11-18T12:00+01:00"),
    ("in 90 seconds", "2026-11-18T10:01:30+01:00"),
    ("in ninety seconds", "2026-11-18T10:01:30+01:00"),
    ("in 10min", "2026-11-18T10:10+01:00"),
    ("in twenty-five minutes", "2026-11-18T10:25+01:00"),
    ("in half an hour", "2026-11-18T10:30+01:00"),
    ("in an hour and a half", "2026-11-18T11:30+01:00"),
    ("in two and a half hours", "2026-11-18T12:30+01:00"),
    ("in 1.5 hours", "2026-11-18T11:30+01:00"),
    ("in 1h30", "2026-11-18T11:30+01:00"),
    ("in 2 hours and 15 minutes", "2026-11-18T12:15+01:00"),
    ("in a couple of hours", "2026-11-18T12:00+01:00"),
    ("in 6 d 14 h", "2026-11-25T00:00+01:00"),  # Tue 24 10:00 + 14 h
    ("in 3 days", "2026-11-21T10:00+01:00"),
    ("in 3 days at 9am", "2026-11-21T09:00+01:00"),
    ("in a week", "2026-11-25T10:00+01:00"),
    ("in a week's time", "2026-11-25T10:00+01:00"),
    ("in a fortnight at noon", "2026-12-02T12:00+01:00"),
    ("in a month", "2026-12-18T10:00+01:00"),
    ("in 3 months", "2027-02-18T10:00+01:00"),  # exactly the limit
    # zones
    ("9am New York time", "2026-11-18T15:00+01:00"),  # 14:00 UTC
    ("Friday 9am in New York", "2026-11-20T15:00+01:00"),
    ("Friday 09:00 America/New_York", "2026-11-20T15:00+01:00"),
    ("Friday 09:00 america/new_york", "2026-11-20T15:00+01:00"),
    ("9am in London on Friday", "2026-11-20T10:00+01:00"),
    ("Friday 6pm CET", "2026-11-20T18:00+01:00"),
    ("Friday 9am ET", "2026-11-20T15:00+01:00"),
    ("Friday 9am PST", "2026-11-20T18:00+01:00"),  # 17:00 UTC
    ("Friday 9am Pacific time", "2026-11-20T18:00+01:00"),
    ("Friday 09:00 UTC", "2026-11-20T10:00+01:00"),
    ("Friday 9am UTC+2", "2026-11-20T08:00+01:00"),  # 07:00 UTC
    ("Friday 9am GMT-5", "2026-11-20T15:00+01:00"),
    ("Friday 9am +05:30", "2026-11-20T04:30+01:00"),  # 03:30 UTC
    ("Friday 9am Tokyo time", "2026-11-20T01:00+01:00"),  # 00:00 UTC
    ("Friday 9am our time", "2026-11-20T09:00+01:00"),
    # receipts and the present
    ("Fri 27 Nov 2026 09:00 Europe/Madrid, 08:00 UTC, in 8 d 23 h", "2026-11-27T09:00+01:00"),
    ("Fri 27 Nov 2026 09:00 Europe/Madrid", "2026-11-27T09:00+01:00"),
    ("now", "2026-11-18T10:00+01:00"),
    ("right now", "2026-11-18T10:00+01:00"),
    ("immediately", "2026-11-18T10:00+01:00"),
]

# Friday 20 November, 19:00
ON_FRIDAY_EVENING = [
    ("Friday 9am", "2026-11-27T09:00+01:00"),  # today's is past: + 7 d
    ("Friday 21:00", "2026-11-20T21:00+01:00"),  # today's is ahead
    ("this Friday 21:00", "2026-11-20T21:00+01:00"),
    ("next Friday 9am", "2026-11-27T09:00+01:00"),  # Fri of the week that begins on Mon 23
    ("next Saturday 9am", "2026-11-28T09:00+01:00"),
    ("Saturday 9am", "2026-11-21T09:00+01:00"),
    ("Friday week at 9am", "2026-11-27T09:00+01:00"),
    ("this Wednesday at 9am", "2026-11-25T09:00+01:00"),  # this week's is past: the coming one
]

# the post is on Fri 27 Nov at 09:00, now is Wed 18 Nov 10:00
WITH_A_POST = [
    ("an hour later", "2026-11-27T10:00+01:00"),
    ("1 hour later", "2026-11-27T10:00+01:00"),
    ("later by an hour", "2026-11-27T10:00+01:00"),
    ("half an hour earlier", "2026-11-27T08:30+01:00"),
    ("two days earlier", "2026-11-25T09:00+01:00"),
    ("two days later at noon", "2026-11-29T12:00+01:00"),
    ("a week later", "2026-12-04T09:00+01:00"),
    ("push it back by a day", "2026-11-28T09:00+01:00"),
    ("postpone by two hours", "2026-11-27T11:00+01:00"),
    ("delay it by an hour", "2026-11-27T10:00+01:00"),
    ("bring forward by an hour", "2026-11-27T08:00+01:00"),
    ("in 2 hours", "2026-11-18T12:00+01:00"),  # from now, not from the post's time
    ("Saturday", "2026-11-28T09:00+01:00"),  # the Saturday nearest to the post's Friday, at its clock time
    ("next Monday", "2026-11-23T09:00+01:00"),
    ("28 November", "2026-11-28T09:00+01:00"),
    ("2026-11-28", "2026-11-28T09:00+01:00"),
    ("tomorrow", "2026-11-19T09:00+01:00"),
    ("18:30", "2026-11-27T18:30+01:00"),  # on the post's day
    ("at noon", "2026-11-27T12:00+01:00"),
    ("in the evening", "2026-11-27T18:00+01:00"),
    ("at 7", "2026-11-27T07:00+01:00"),  # the post is in the morning, and 7 stays there
    ("Saturday 18:30", "2026-11-28T18:30+01:00"),
    ("same time on Saturday", "2026-11-28T09:00+01:00"),
    ("the same time tomorrow", "2026-11-19T09:00+01:00"),
    ("same day at 18:30", "2026-11-27T18:30+01:00"),
    ("the day after", "2026-11-28T09:00+01:00"),
    ("the day before at noon", "2026-11-26T12:00+01:00"),
    ("the next day at 10am", "2026-11-28T10:00+01:00"),
    ("to the evening", "2026-11-27T18:00+01:00"),
    ("the following week", "2026-12-04T09:00+01:00"),  # the week after the post's
    ("next week", "2026-11-27T09:00+01:00"),  # the post's weekday, next calendar week
    ("next month", "2026-12-27T09:00+01:00"),
    ("end of month", "2026-11-30T09:00+01:00"),
]


@pytest.mark.parametrize(("phrase", "expected"), ON_WEDNESDAY_AT_TEN)
def test_phrase_with_nothing_scheduled(phrase: str, expected: str) -> None:
    assert resolve(phrase, now=WEDNESDAY, zone=ZONE).instant == datetime.fromisoformat(expected)


@pytest.mark.parametrize(("phrase", "expected"), ON_FRIDAY_EVENING)
def test_weekdays_seen_from_a_friday_evening(phrase: str, expected: str) -> None:
    assert resolve(phrase, now=FRIDAY_EVENING, zone=ZONE).instant == datetime.fromisoformat(expected)


@pytest.mark.parametrize(("phrase", "expected"), WITH_A_POST)
def test_phrase_with_a_scheduled_post(phrase: str, expected: str) -> None:
    moment = resolve(phrase, now=WEDNESDAY, zone=ZONE, anchor=POST)
    assert moment.instant == datetime.fromisoformat(expected)


def test_the_tables_are_as_long_as_promised() -> None:
    phrases = {phrase for phrase, _ in ON_WEDNESDAY_AT_TEN} | {phrase for phrase, _ in WITH_A_POST}
    assert len(phrases) >= 120


def test_moment_keeps_zone_wall_time_and_phrase() -> None:
    moment = resolve("Friday 9am", now=WEDNESDAY, zone=ZONE)
    assert moment.zone == "Europe/Madrid"
    assert moment.wall_time == datetime(2026, 11, 20, 9, 0)  # noqa: DTZ001 - wall time is naive
    assert moment.phrase == "Friday 9am"
    assert moment.instant.tzinfo is UTC


def test_moment_bears_the_zone_that_was_named() -> None:
    moment = resolve("Friday 9am in New York", now=WEDNESDAY, zone=ZONE)
    assert moment.zone == "America/New_York"
    assert moment.wall_time == datetime(2026, 11, 20, 9, 0)  # noqa: DTZ001


def test_an_offset_leaves_the_workspace_zone() -> None:
    moment = resolve("2026-11-27T18:30:00Z", now=WEDNESDAY, zone=ZONE)
    assert moment.zone == "Europe/Madrid"
    assert moment.wall_time == datetime(2026, 11, 27, 19, 30)  # noqa: DTZ001


def test_now_is_now_itself() -> None:
    now = WEDNESDAY.replace(microsecond=123456)
    assert resolve("now", now=now, zone=ZONE).instant == now


def test_today_is_the_workspace_day_and_not_that_of_utc() -> None:
    now = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)  # Thu 19 Nov, 08:30 in Tokyo
    assert resolve("today 9am", now=now, zone="Asia/Tokyo").instant == datetime(2026, 11, 19, 0, 0, tzinfo=UTC)


def test_the_day_of_a_missed_post_is_no_day_to_keep() -> None:
    yesterday = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)
    moment = resolve("18:30", now=WEDNESDAY, zone=ZONE, anchor=yesterday)
    assert moment.instant == datetime.fromisoformat("2026-11-18T18:30+01:00")


def test_a_minute_of_skew_is_allowed() -> None:
    now = WEDNESDAY.replace(second=50)
    assert resolve("2026-11-18T10:00:00", now=now, zone=ZONE).instant == WEDNESDAY


def test_days_are_counted_on_the_calendar_and_hours_on_the_clock() -> None:
    # Clocks in Madrid go back on Sun 25 Oct 2026 at 03:00: that day has 25 hours.
    now = datetime(2026, 10, 24, 10, 0, tzinfo=UTC)  # Sat 12:00, UTC+2
    assert resolve("in 1 day", now=now, zone=ZONE).instant == datetime.fromisoformat("2026-10-25T12:00+01:00")
    assert resolve("in 24 hours", now=now, zone=ZONE).instant == datetime.fromisoformat("2026-10-25T11:00+01:00")


def test_naive_times_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="aware"):
        resolve("now", now=WEDNESDAY.replace(tzinfo=None), zone=ZONE)


@pytest.mark.parametrize(
    ("said", "answer", "whole"),
    [
        ("Friday", "9am", "Friday 9am"),
        ("Friday", "in the morning", "Friday in the morning"),
        ("9am", "Friday", "Friday 9am"),  # the other way round
        ("Friday", "Saturday at 10", "Saturday at 10"),  # a whole time stands alone
        ("yesterday 9am", "tomorrow 10am", "tomorrow 10am"),
        ("tomorrow", "in 2 hours", "in 2 hours"),
        ("whenever", "9am", "9am"),
    ],
)
def test_an_answer_completes_what_was_said(said: str, answer: str, whole: str) -> None:
    assert completed(said, answer) == whole
