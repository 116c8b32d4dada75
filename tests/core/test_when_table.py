"""A table of phrases in four zones, from a half-hour summer time to a day that is not UTC's, with the arithmetic."""

from datetime import UTC, datetime

import pytest

from core.errors import Ambiguous, InvalidInput
from core.when.resolve import resolve

MADRID, NEW_YORK, KOLKATA, LORD_HOWE = "Europe/Madrid", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"

# Wed 18 Nov 2026, 09:00 UTC: 10:00 in Madrid (+1), 04:00 in New York (-5), 14:30 in Kolkata (+5:30), 20:00 on Lord
# Howe (+11, its summer time).
# November 2026:  We 18 Th 19 Fr 20 Sa 21 Su 22 | Mo 23 Tu 24 We 25 Th 26 Fr 27 Sa 28 Su 29 | Mo 30
# December 2026:  Tu 1 We 2 Th 3 Fr 4 Sa 5 Su 6 | Mo 7 Tu 8 ... Mo 14 ... Mo 21 ... Fr 25 ... Th 31 | January: Fr 1
NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)

# phrase, zone, the time on that zone's clocks with its distance from UTC
TABLE = [
    # the same words on four clocks
    ("Friday 9am", MADRID, "2026-11-20T09:00+01:00"),  # Wed 18 + 2 d; 08:00 UTC
    ("Friday 9am", NEW_YORK, "2026-11-20T09:00-05:00"),  # 14:00 UTC
    ("Friday 9am", KOLKATA, "2026-11-20T09:00+05:30"),  # 03:30 UTC
    ("Friday 9am", LORD_HOWE, "2026-11-20T09:00+11:00"),  # 22:00 UTC of the 19th
    ("this Friday 9am", NEW_YORK, "2026-11-20T09:00-05:00"),
    ("next Friday 9am", KOLKATA, "2026-11-27T09:00+05:30"),  # next calendar week: 20 + 7
    ("Wednesday week at 9am", LORD_HOWE, "2026-11-25T09:00+11:00"),  # 18 + 7
    ("a week on Friday at 9am", NEW_YORK, "2026-11-27T09:00-05:00"),  # 20 + 7
    ("Friday week at 9am", KOLKATA, "2026-11-27T09:00+05:30"),
    ("Friday fortnight at 9am", MADRID, "2026-12-04T09:00+01:00"),  # 20 + 14
    ("Monday 9am", MADRID, "2026-11-23T09:00+01:00"),  # 18 + 5
    ("on Thursday at 8:00 am", NEW_YORK, "2026-11-19T08:00-05:00"),
    ("Wednesday 9am", NEW_YORK, "2026-11-18T09:00-05:00"),  # it is 04:00: today's 9:00 is ahead
    ("Wednesday 9am", LORD_HOWE, "2026-11-25T09:00+11:00"),  # it is 20:00: + 7 d
    ("wed 9am", MADRID, "2026-11-25T09:00+01:00"),  # it is 10:00: + 7 d
    ("Saturday of next week at 9am", MADRID, "2026-11-28T09:00+01:00"),
    ("Tuesday next week at 9am", KOLKATA, "2026-11-24T09:00+05:30"),
    # written dates
    ("27 Nov 9am", MADRID, "2026-11-27T09:00+01:00"),
    ("27 Nov 9am", LORD_HOWE, "2026-11-27T09:00+11:00"),
    ("November 27th 9am", NEW_YORK, "2026-11-27T09:00-05:00"),
    ("Nov 27 9am", NEW_YORK, "2026-11-27T09:00-05:00"),
    ("27th November at 9am", KOLKATA, "2026-11-27T09:00+05:30"),
    ("the 27th of November at 9am", KOLKATA, "2026-11-27T09:00+05:30"),
    ("27/11 9am", MADRID, "2026-11-27T09:00+01:00"),  # there is no month 27
    ("11/27 9am", NEW_YORK, "2026-11-27T09:00-05:00"),
    ("27/11/2026 9am", KOLKATA, "2026-11-27T09:00+05:30"),
    ("27.11.2026 9am", LORD_HOWE, "2026-11-27T09:00+11:00"),
    ("27.11. 9am", MADRID, "2026-11-27T09:00+01:00"),
    ("27-11-2026 9am", MADRID, "2026-11-27T09:00+01:00"),
    ("2026-11-27 9am", NEW_YORK, "2026-11-27T09:00-05:00"),
    ("2026/11/27 9am", NEW_YORK, "2026-11-27T09:00-05:00"),
    ("Fri 27 Nov 9:30am", MADRID, "2026-11-27T09:30+01:00"),
    ("Friday, November 27th, 2026 at 9:30 am", KOLKATA, "2026-11-27T09:30+05:30"),
    ("12/25 9am", NEW_YORK, "2026-12-25T09:00-05:00"),  # there is no month 25
    ("25/12 9am", NEW_YORK, "2026-12-25T09:00-05:00"),
    ("15 January 9am", LORD_HOWE, "2027-01-15T09:00+11:00"),  # this year's is past
    ("the 3rd at 9am", MADRID, "2026-12-03T09:00+01:00"),  # 3 November is past
    ("the first of December at noon", NEW_YORK, "2026-12-01T12:00-05:00"),
    # ISO
    ("2026-11-27T09:00", KOLKATA, "2026-11-27T09:00+05:30"),
    ("2026-11-27T09:00", LORD_HOWE, "2026-11-27T09:00+11:00"),
    ("2026-11-27T09:00:00", MADRID, "2026-11-27T09:00+01:00"),
    ("2026-11-27T09:00Z", MADRID, "2026-11-27T10:00+01:00"),  # 9 + 1
    ("2026-11-27T09:00Z", KOLKATA, "2026-11-27T14:30+05:30"),  # 9 + 5:30
    ("2026-11-27T09:00:00+01:00", LORD_HOWE, "2026-11-27T19:00+11:00"),  # 08:00 UTC + 11
    ("2026-11-27T09:00-05:00", KOLKATA, "2026-11-27T19:30+05:30"),  # 14:00 UTC + 5:30
    ("2026-11-27 18:30:15+0530", NEW_YORK, "2026-11-27T08:00:15-05:00"),  # 13:00:15 UTC - 5
    # days counted from today
    ("today at 18:30", KOLKATA, "2026-11-18T18:30+05:30"),
    ("tomorrow 9am", MADRID, "2026-11-19T09:00+01:00"),
    ("tomorrow 9am", LORD_HOWE, "2026-11-19T09:00+11:00"),
    ("tomorrow at noon", NEW_YORK, "2026-11-19T12:00-05:00"),
    ("the day after tomorrow at 8pm", KOLKATA, "2026-11-20T20:00+05:30"),
    ("tomorrow week at 9am", MADRID, "2026-11-26T09:00+01:00"),  # 19 + 7
    ("a week tomorrow at 9am", NEW_YORK, "2026-11-26T09:00-05:00"),
    ("two weeks from tomorrow at 9am", LORD_HOWE, "2026-12-03T09:00+11:00"),  # 19 + 14
    # lengths of time from now
    ("in 2 hours", MADRID, "2026-11-18T12:00+01:00"),  # 10:00 + 2 h
    ("in 2 hours", LORD_HOWE, "2026-11-18T22:00+11:00"),  # 20:00 + 2 h
    ("in half an hour", KOLKATA, "2026-11-18T15:00+05:30"),  # 14:30 + 30 min
    ("half an hour from now", NEW_YORK, "2026-11-18T04:30-05:00"),
    ("in an hour and a half", KOLKATA, "2026-11-18T16:00+05:30"),
    ("in 90 minutes", NEW_YORK, "2026-11-18T05:30-05:00"),
    ("in 1h30", MADRID, "2026-11-18T11:30+01:00"),
    ("in a day", LORD_HOWE, "2026-11-19T20:00+11:00"),
    ("in 3 days at noon", MADRID, "2026-11-21T12:00+01:00"),
    ("in a week", KOLKATA, "2026-11-25T14:30+05:30"),
    ("in a fortnight", MADRID, "2026-12-02T10:00+01:00"),  # 18 + 14 = 32 November
    ("in a fortnight", LORD_HOWE, "2026-12-02T20:00+11:00"),
    ("a fortnight today at 9am", NEW_YORK, "2026-12-02T09:00-05:00"),
    ("in a month", KOLKATA, "2026-12-18T14:30+05:30"),
    ("in 3 months", MADRID, "2027-02-18T10:00+01:00"),  # exactly the limit
    # parts of the day
    ("tomorrow morning", MADRID, "2026-11-19T09:00+01:00"),
    ("noon", NEW_YORK, "2026-11-18T12:00-05:00"),
    ("noon", KOLKATA, "2026-11-19T12:00+05:30"),  # it is 14:30: tomorrow's
    ("this afternoon", KOLKATA, "2026-11-18T15:00+05:30"),
    ("Friday afternoon", LORD_HOWE, "2026-11-20T15:00+11:00"),
    ("this evening", NEW_YORK, "2026-11-18T18:00-05:00"),
    ("tonight", MADRID, "2026-11-18T20:00+01:00"),
    ("tonight at 9", LORD_HOWE, "2026-11-18T21:00+11:00"),
    ("Friday night", KOLKATA, "2026-11-20T21:00+05:30"),
    ("7 in the evening", MADRID, "2026-11-18T19:00+01:00"),
    ("Friday at 7 in the morning", NEW_YORK, "2026-11-20T07:00-05:00"),
    ("midnight", KOLKATA, "2026-11-19T00:00+05:30"),  # the next one
    # edges of weeks and months, and weekdays counted within a month
    ("end of month 9am", MADRID, "2026-11-30T09:00+01:00"),
    ("the end of the month at noon", LORD_HOWE, "2026-11-30T12:00+11:00"),
    ("end of next month at 9am", NEW_YORK, "2026-12-31T09:00-05:00"),
    ("start of next month at 9am", KOLKATA, "2026-12-01T09:00+05:30"),
    ("beginning of December at noon", MADRID, "2026-12-01T12:00+01:00"),
    ("start of next week at 9am", NEW_YORK, "2026-11-23T09:00-05:00"),
    ("last day of the month at 9am", KOLKATA, "2026-11-30T09:00+05:30"),
    ("last Friday of the month at 9am", MADRID, "2026-11-27T09:00+01:00"),  # 27 + 7 is in December
    ("the last Friday of next month at 9am", LORD_HOWE, "2026-12-25T09:00+11:00"),
    ("the last Monday in November, 9am", NEW_YORK, "2026-11-30T09:00-05:00"),
    ("first Monday in December at 10am", MADRID, "2026-12-07T10:00+01:00"),  # 1 December is a Tuesday: + 6
    ("the first Monday of December at 10am", KOLKATA, "2026-12-07T10:00+05:30"),
    ("second Tuesday of next month at 10am", NEW_YORK, "2026-12-08T10:00-05:00"),  # 1 + 7
    ("3rd Thursday in January at 6pm", LORD_HOWE, "2027-01-21T18:00+11:00"),  # 7, 14, 21
    ("10am on the first Friday of January", MADRID, "2027-01-01T10:00+01:00"),
    ("the fifth Thursday of December at noon", MADRID, "2026-12-31T12:00+01:00"),  # 3, 10, 17, 24, 31
    # clocks
    ("half past nine", NEW_YORK, "2026-11-18T09:30-05:00"),
    ("half past nine tomorrow", KOLKATA, "2026-11-19T09:30+05:30"),
    ("quarter to ten on Friday", MADRID, "2026-11-20T09:45+01:00"),  # 10:00 - 15 min
    ("quarter past ten on Friday", LORD_HOWE, "2026-11-20T10:15+11:00"),
    ("twenty to ten on Friday", NEW_YORK, "2026-11-20T09:40-05:00"),
    ("Friday at nine thirty", KOLKATA, "2026-11-20T09:30+05:30"),
    ("nine forty-five am on Friday", KOLKATA, "2026-11-20T09:45+05:30"),
    ("tomorrow 9h30", MADRID, "2026-11-19T09:30+01:00"),
    ("tomorrow 9.30", LORD_HOWE, "2026-11-19T09:30+11:00"),
    ("tomorrow at 9.30pm", NEW_YORK, "2026-11-19T21:30-05:00"),
    ("tomorrow 21:00h", MADRID, "2026-11-19T21:00+01:00"),
    ("tomorrow at 21h", KOLKATA, "2026-11-19T21:00+05:30"),
    ("tomorrow at 1830", NEW_YORK, "2026-11-19T18:30-05:00"),
    ("Friday 930am", MADRID, "2026-11-20T09:30+01:00"),
    ("Friday 1230pm", MADRID, "2026-11-20T12:30+01:00"),
    ("Friday 9 a.m.", LORD_HOWE, "2026-11-20T09:00+11:00"),
    ("at 9", MADRID, "2026-11-19T09:00+01:00"),  # 8 to 11 are in the morning, and today's is past
    ("at 9", NEW_YORK, "2026-11-18T09:00-05:00"),
    ("at 3", KOLKATA, "2026-11-18T15:00+05:30"),  # 1 to 5 are in the afternoon
    ("Friday at 12", LORD_HOWE, "2026-11-20T12:00+11:00"),
    ("12am Friday", MADRID, "2026-11-20T00:00+01:00"),
    # a zone that is said
    ("tomorrow 9am London time", NEW_YORK, "2026-11-19T04:00-05:00"),  # 09:00 UTC - 5
    ("tomorrow 9am CET", KOLKATA, "2026-11-19T13:30+05:30"),  # 08:00 UTC + 5:30
    ("tomorrow 18:00 UTC", LORD_HOWE, "2026-11-20T05:00+11:00"),  # 18 + 11 = 29
    ("tomorrow 9am Europe/Madrid", KOLKATA, "2026-11-19T13:30+05:30"),
    ("tomorrow 9am in New York", MADRID, "2026-11-19T15:00+01:00"),  # 14:00 UTC + 1
    ("tomorrow 9am Eastern", MADRID, "2026-11-19T15:00+01:00"),
    ("tomorrow 9am Pacific time", NEW_YORK, "2026-11-19T12:00-05:00"),  # 17:00 UTC - 5
    ("tomorrow 18:00 UTC+5:30", MADRID, "2026-11-19T13:30+01:00"),  # 12:30 UTC + 1
    ("tomorrow 9am in Mumbai", LORD_HOWE, "2026-11-19T14:30+11:00"),  # 03:30 UTC + 11
    ("Thursday 9am Tokyo time", NEW_YORK, "2026-11-18T19:00-05:00"),  # Thu 00:00 UTC - 5
    # one wrong letter
    ("firday 9am", MADRID, "2026-11-20T09:00+01:00"),
    ("fridy 9am", NEW_YORK, "2026-11-20T09:00-05:00"),
    ("tomorow 9am", KOLKATA, "2026-11-19T09:00+05:30"),
    ("tommorow 9am", LORD_HOWE, "2026-11-19T09:00+11:00"),
    ("27 novmber 9am", MADRID, "2026-11-27T09:00+01:00"),
    ("decmber 5 9am", NEW_YORK, "2026-12-05T09:00-05:00"),
    ("wendesday 9am", KOLKATA, "2026-11-25T09:00+05:30"),
    ("thurday 9am", LORD_HOWE, "2026-11-19T09:00+11:00"),
    ("tody 9pm", MADRID, "2026-11-18T21:00+01:00"),
    ("tomorrow evning", NEW_YORK, "2026-11-19T18:00-05:00"),
    # receipts and their parts
    ("Fri 27 Nov 2026 09:00 Europe/Madrid, 08:00 UTC, in 8 d 23 h", NEW_YORK, "2026-11-27T03:00-05:00"),
    ("Fri 27 Nov 2026 09:00 Europe/Madrid, 08:00 UTC", KOLKATA, "2026-11-27T13:30+05:30"),
    ("Fri 27 Nov 2026 09:00 Europe/Madrid", LORD_HOWE, "2026-11-27T19:00+11:00"),
    ("Fri 27 Nov 2026 09:00", NEW_YORK, "2026-11-27T09:00-05:00"),
    ("Thu 26 Nov 2026 22:00 UTC", LORD_HOWE, "2026-11-27T09:00+11:00"),
]


@pytest.mark.parametrize(("phrase", "zone", "expected"), TABLE)
def test_phrase(phrase: str, zone: str, expected: str) -> None:
    assert resolve(phrase, now=NOW, zone=zone).instant == datetime.fromisoformat(expected)


# The post is on Fri 27 Nov 2026 at 08:00 UTC: 09:00 in Madrid, 03:00 in New York, 13:30 in Kolkata, 19:00 on Lord Howe.
POST = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
MOVES = [
    ("an hour later", MADRID, "2026-11-27T10:00+01:00"),
    ("half an hour later", KOLKATA, "2026-11-27T14:00+05:30"),
    ("half an hour earlier", LORD_HOWE, "2026-11-27T18:30+11:00"),
    ("move it an hour later", MADRID, "2026-11-27T10:00+01:00"),
    ("bring it forward by an hour", NEW_YORK, "2026-11-27T02:00-05:00"),
    ("push it back by a day", LORD_HOWE, "2026-11-28T19:00+11:00"),
    ("a day earlier", KOLKATA, "2026-11-26T13:30+05:30"),
    ("a day later", MADRID, "2026-11-28T09:00+01:00"),
    ("the day after", NEW_YORK, "2026-11-28T03:00-05:00"),
    ("next day", MADRID, "2026-11-28T09:00+01:00"),
    ("the day after at 6pm", KOLKATA, "2026-11-28T18:00+05:30"),
    ("the day before", LORD_HOWE, "2026-11-26T19:00+11:00"),
    ("two days after", MADRID, "2026-11-29T09:00+01:00"),
    ("an hour before", MADRID, "2026-11-27T08:00+01:00"),
    ("a week later", NEW_YORK, "2026-12-04T03:00-05:00"),
    ("a fortnight later", KOLKATA, "2026-12-11T13:30+05:30"),  # 27 + 14 = 41 November
    ("a month later", LORD_HOWE, "2026-12-27T19:00+11:00"),
    ("Saturday", MADRID, "2026-11-28T09:00+01:00"),
    ("the following Monday", MADRID, "2026-11-30T09:00+01:00"),  # the first after the post's Friday
    ("the following Friday at noon", KOLKATA, "2026-12-04T12:00+05:30"),
    ("same time on Saturday", KOLKATA, "2026-11-28T13:30+05:30"),
    ("at noon", NEW_YORK, "2026-11-27T12:00-05:00"),
    ("in 2 hours", KOLKATA, "2026-11-18T16:30+05:30"),  # from now: 14:30 + 2 h
    ("last Friday of the month", LORD_HOWE, "2026-11-27T19:00+11:00"),  # at the post's clock time
]


@pytest.mark.parametrize(("phrase", "zone", "expected"), MOVES)
def test_move(phrase: str, zone: str, expected: str) -> None:
    assert resolve(phrase, now=NOW, zone=zone, anchor=POST).instant == datetime.fromisoformat(expected)


# phrase, zone, now, post, the time: clocks that jump between them
JUMPS = [
    # New York goes back on Sun 1 Nov 2026: Sat 31 Oct has -4, Sun -5 from 02:00 on
    ("in 1 day", NEW_YORK, "2026-10-31T12:00-04:00", None, "2026-11-01T12:00-05:00"),
    ("in 24 hours", NEW_YORK, "2026-10-31T12:00-04:00", None, "2026-11-01T11:00-05:00"),
    ("a day later", NEW_YORK, "2026-10-30T12:00-04:00", "2026-10-31T12:00-04:00", "2026-11-01T12:00-05:00"),
    ("24 hours later", NEW_YORK, "2026-10-30T12:00-04:00", "2026-10-31T12:00-04:00", "2026-11-01T11:00-05:00"),
    ("tomorrow 9am", NEW_YORK, "2026-10-31T12:00-04:00", None, "2026-11-01T09:00-05:00"),
    # Lord Howe goes forward by half an hour at 02:00 on Sun 4 Oct 2026: +10:30, then +11
    ("in 1 day", LORD_HOWE, "2026-10-03T12:00+10:30", None, "2026-10-04T12:00+11:00"),
    ("in 24 hours", LORD_HOWE, "2026-10-03T12:00+10:30", None, "2026-10-04T12:30+11:00"),
    ("a week later", LORD_HOWE, "2026-09-28T12:00+10:30", "2026-09-30T12:00+10:30", "2026-10-07T12:00+11:00"),
    # Kolkata never jumps
    ("in 24 hours", KOLKATA, "2026-10-31T12:00+05:30", None, "2026-11-01T12:00+05:30"),
]


@pytest.mark.parametrize(("phrase", "zone", "now", "post", "expected"), JUMPS)
def test_days_keep_the_clock_time_and_hours_are_exact(
    phrase: str, zone: str, now: str, post: str | None, expected: str
) -> None:
    anchor = datetime.fromisoformat(post) if post else None
    moment = resolve(phrase, now=datetime.fromisoformat(now), zone=zone, anchor=anchor)
    assert moment.instant == datetime.fromisoformat(expected)


# phrase, zone, now, the stable code, and the candidates of a question
SAID_NOT_GUESSED = [
    ("Sunday 01:30", NEW_YORK, "2026-10-31T12:00-04:00", "when_overlap", ["01:30:00-04:00", "01:30:00-05:00"]),
    ("Sunday 01:45", LORD_HOWE, "2027-04-03T12:00+11:00", "when_overlap", ["01:45:00+11:00", "01:45:00+10:30"]),
    ("Sunday 02:15", LORD_HOWE, "2026-10-03T12:00+10:30", "when_gap", []),  # 02:00 to 02:30 is skipped
    ("Sunday 02:30", NEW_YORK, "2027-03-13T12:00-05:00", "when_gap", []),
    ("Sunday 02:30", MADRID, "2027-03-27T12:00+01:00", "when_gap", []),
    ("back by a day", MADRID, "2026-11-18T10:00+01:00", "when_incomplete", []),  # no post
    ("01/12 9am", MADRID, "2026-11-18T10:00+01:00", "when_ambiguous", ["2026-12-01", "2027-01-12"]),
    ("munday 9am", MADRID, "2026-11-18T10:00+01:00", "when_ambiguous", ["2026-11-22", "2026-11-23"]),
    ("moday 9pm", MADRID, "2026-11-18T10:00+01:00", "when_ambiguous", ["2026-11-18", "2026-11-23"]),
    ("thuesday 9am", KOLKATA, "2026-11-18T10:00+05:30", "when_ambiguous", ["2026-11-19", "2026-11-24"]),
    ("Thu 27 Nov 2026 09:00 Europe/Madrid", MADRID, "2026-11-18T10:00+01:00", "when_ambiguous", ["11-19", "11-27"]),
    ("tomorrow 6pm CST", MADRID, "2026-11-18T10:00+01:00", "when_ambiguous", ["+08:00", "-06:00"]),
    ("end of the week at 9am", NEW_YORK, "2026-11-18T10:00-05:00", "when_ambiguous", ["2026-11-20", "2026-11-22"]),
    ("Friday at 7", NEW_YORK, "2026-11-18T10:00-05:00", "when_ambiguous", ["07:00", "19:00"]),
    ("the fifth Friday of December at 9am", MADRID, "2026-11-18T10:00+01:00", "when_unknown", []),
    ("Fri 27 Nov 2026 09:00 Europe/Madrid, 09:00 UTC", MADRID, "2026-11-18T10:00+01:00", "when_unknown", []),
    (
        "Fri 27 Nov 2026 09:00 Europe/Madrid, Thu 26 Nov 2026 08:00 UTC",
        MADRID,
        "2026-11-18T10:00+01:00",
        "when_unknown",
        [],
    ),
    ("Friday nine to ten", MADRID, "2026-11-18T10:00+01:00", "when_unknown", []),  # from and to, not 9:51
    ("Friday 5 to 10", MADRID, "2026-11-18T10:00+01:00", "when_unknown", []),
    ("first Monday of the month at 9am", MADRID, "2026-11-18T10:00+01:00", "when_past", []),  # 2 November
    ("19 February 2027 9am", KOLKATA, "2026-11-18T10:00+05:30", "when_too_far", []),  # 18 February is the limit
]


@pytest.mark.parametrize(("phrase", "zone", "now", "code", "candidates"), SAID_NOT_GUESSED)
def test_said_and_not_guessed(phrase: str, zone: str, now: str, code: str, candidates: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        resolve(phrase, now=datetime.fromisoformat(now), zone=zone)
    assert refusal.value.code == code
    found = [it.id for it in refusal.value.candidates] if isinstance(refusal.value, Ambiguous) else []
    assert len(found) == len(candidates)
    assert all(part in one for part, one in zip(candidates, found, strict=True))


def test_ist_is_asked_with_every_zone_that_uses_it() -> None:
    with pytest.raises(Ambiguous) as question:
        resolve("Friday 6pm IST", now=NOW, zone=MADRID)
    assert {it.label.split()[5].rstrip(",") for it in question.value.candidates} == {
        "Asia/Kolkata",
        "Asia/Jerusalem",
        "Europe/Dublin",
    }


def test_too_far_and_past_say_the_limit() -> None:
    with pytest.raises(InvalidInput, match="3 months ahead"):
        resolve("1 March 2027 9am", now=NOW, zone=MADRID)
    with pytest.raises(InvalidInput, match="is past: say a time to come"):
        resolve("yesterday 9am", now=NOW, zone=MADRID)


def test_the_table_is_large() -> None:
    assert len(TABLE) + len(MOVES) + len(JUMPS) + len(SAID_NOT_GUESSED) >= 150
