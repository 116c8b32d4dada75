"""The wording of receipts, letter by letter."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import InvalidInput
from core.when.receipt import receipt

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "zone", "expected"),
    [
        # from Fri 20 Nov 18:00 UTC to Fri 27 Nov 08:00 UTC: 6 d 14 h
        ("2026-11-27T08:00Z", "Europe/Madrid", "Fri 27 Nov 2026 09:00 Europe/Madrid, 08:00 UTC, in 6 d 14 h"),
        (
            "2026-11-26T23:30Z",
            "Europe/Madrid",
            "Fri 27 Nov 2026 00:30 Europe/Madrid, Thu 26 Nov 2026 23:30 UTC, in 6 d 5 h",
        ),
        (
            "2026-11-21T02:00Z",
            "America/New_York",
            "Fri 20 Nov 2026 21:00 America/New_York, Sat 21 Nov 2026 02:00 UTC, in 8 h",
        ),
        ("2026-11-27T08:00Z", "UTC", "Fri 27 Nov 2026 08:00 UTC, in 6 d 14 h"),
        ("2026-11-20T18:01:30Z", "Asia/Kolkata", "Fri 20 Nov 2026 23:31:30 Asia/Kolkata, 18:01:30 UTC, in 1 min 30 s"),
        ("2026-12-05T09:00Z", "Europe/London", "Sat 5 Dec 2026 09:00 Europe/London, 09:00 UTC, in 14 d 15 h"),
    ],
)
def test_wording(instant: str, zone: str, expected: str) -> None:
    assert receipt(datetime.fromisoformat(instant), zone=zone, now=NOW) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "now"),
        (0.4, "now"),
        (45, "in 45 s"),
        (60, "in 1 min"),
        (90, "in 1 min 30 s"),
        (12 * 60, "in 12 min"),
        (12 * 60 + 20, "in 12 min"),  # seconds matter below five minutes
        (3 * 3600, "in 3 h"),
        (3 * 3600 + 5 * 60, "in 3 h 5 min"),
        (86400, "in 1 d"),
        (6 * 86400 + 14 * 3600 + 59 * 60, "in 6 d 14 h"),
        (-5 * 60, "5 min ago"),
        (-45, "45 s ago"),
        (-86400 - 3600, "1 d 1 h ago"),
    ],
)
def test_distance_from_now(seconds: float, expected: str) -> None:
    text = receipt(NOW + timedelta(seconds=seconds), zone="UTC", now=NOW)
    assert text.partition(", ")[2] == expected


def test_the_two_equal_hours_of_an_overlap_bear_their_offset() -> None:
    # Clocks in New York go back from 02:00 to 01:00 on Sun 1 Nov 2026.
    now = datetime(2026, 11, 1, 0, 0, tzinfo=UTC)
    first, second = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6))
    assert receipt(first, zone="America/New_York", now=now) == (
        "Sun 1 Nov 2026 01:30 -04:00 America/New_York, 05:30 UTC, in 5 h 30 min"
    )
    assert receipt(second, zone="America/New_York", now=now) == (
        "Sun 1 Nov 2026 01:30 -05:00 America/New_York, 06:30 UTC, in 6 h 30 min"
    )


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        receipt(NOW, zone="Europe/Atlantis", now=NOW)
    assert refusal.value.code == "when_zone"
