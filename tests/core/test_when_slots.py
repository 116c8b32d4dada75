"""Free slots, and the days they are asked for on."""

from datetime import UTC, datetime

import pytest

from core.errors import InvalidInput
from core.when.resolve import find_phrases, is_slot, slot_stretch

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)  # Wed 18 Nov 2026, 10:00 in Madrid
ANY = "2026-11-18T10:00"


@pytest.mark.parametrize(
    ("phrase", "start", "end"),
    [
        ("first free slot", ANY, None),
        ("the next free slot please", ANY, None),
        ("next free slot after Friday", "2026-11-21T00:00", None),  # Friday 20 is over then
        ("the next free slot after 27 November", "2026-11-28T00:00", None),
        ("first free slot from Friday", "2026-11-20T00:00", None),
        ("free slot on Thursday", "2026-11-19T00:00", "2026-11-20T00:00"),
        ("a free slot on Thursday please", "2026-11-19T00:00", "2026-11-20T00:00"),
        ("the next free slot tomorrow", "2026-11-19T00:00", "2026-11-20T00:00"),
        ("first free slot next week", "2026-11-23T00:00", "2026-11-30T00:00"),
        ("any free slot this weekend", "2026-11-21T00:00", "2026-11-23T00:00"),
        ("first free slot in December", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("a free slot before Friday", ANY, "2026-11-20T00:00"),
        ("a free slot by Friday", ANY, "2026-11-21T00:00"),
        ("a free slot today", ANY, "2026-11-19T00:00"),  # what is left of it
        ("free slot on Thursday morning", "2026-11-19T06:00", "2026-11-19T12:00"),
    ],
)
def test_where_a_slot_may_be(phrase: str, start: str, end: str | None) -> None:
    assert is_slot(phrase)
    first, last = slot_stretch(phrase, now=NOW, zone="Europe/Madrid")
    assert first == datetime.fromisoformat(f"{start}+01:00")
    assert last == (None if end is None else datetime.fromisoformat(f"{end}+01:00"))


@pytest.mark.parametrize("phrase", ["free slot yesterday", "free slot last week", "free slot before today"])
def test_a_stretch_that_is_over_is_refused(phrase: str) -> None:
    assert is_slot(phrase)
    with pytest.raises(InvalidInput) as refusal:
        slot_stretch(phrase, now=NOW, zone="Europe/Madrid")
    assert refusal.value.code == "when_past"


@pytest.mark.parametrize(
    "phrase", ["free slot on Mars", "next free slot on Friday at 9am", "free slot after", "Friday"]
)
def test_what_is_no_slot_stays_none(phrase: str) -> None:
    assert not is_slot(phrase)


def test_the_days_belong_to_the_phrase_in_a_sentence() -> None:
    (span,) = find_phrases("put it in the next free slot after Friday please")
    assert (span.phrase, span.kind) == ("the next free slot after Friday", "slot")
