"""What Studio computes for Bluesky by itself: hashes of records, keys that sort by time, places in a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.jsontypes import JsonValue
from platforms.bluesky.cids import cid_of, encoded
from platforms.bluesky.facets import facets_of, graphemes, handles_in
from platforms.bluesky.records import following_keys, key_before, new_keys
from platforms.bluesky.session import Keys, is_app_password
from platforms.progress import inner, objects

# -- hashes


def test_a_record_has_the_name_that_a_real_server_gave_it() -> None:
    record = {"text": "hi", "$type": "app.bsky.feed.post", "createdAt": "2026-11-25T08:00:00.000Z"}
    assert cid_of(record) == "bafyreifk2bovlmrxw2ot45sbhduiw7dkfyb7iap22gpgqfpdeds4qa3vue"


@pytest.mark.parametrize(
    ("value", "expected"),
    [  # RFC 8949, appendix A, as far as DAG-CBOR has it
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (255, "18ff"),
        (256, "190100"),
        (1_000_000, "1a000f4240"),
        (1_000_000_000_000, "1b000000e8d4a51000"),
        (-1, "20"),
        (-100, "3863"),
        (False, "f4"),
        (True, "f5"),
        (None, "f6"),
        ("ü", "62c3bc"),
        ([1, [2, 3]], "8201820203"),
        ({"b": 1, "aa": 2, "a": 3}, "a361610361620162616102"),  # by length first
    ],
)
def test_values_have_one_form(value: JsonValue, expected: str) -> None:
    assert encoded(value).hex() == expected


def test_a_link_is_a_tag_and_a_fraction_has_no_form() -> None:
    cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"  # of no bytes at all
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert encoded({"$link": cid}).hex() == "d82a5825" + "0001551220" + empty
    with pytest.raises(ValueError, match="float"):
        encoded({"size": 1.5})


# -- keys


@given(st.integers(min_value=1_600_000_000_000_000, max_value=4_000_000_000_000_000), st.integers(2, 25))
def test_keys_sort_by_time_and_tell_those_that_follow(micros: int, count: int) -> None:
    keys = new_keys(count, micros=micros)
    assert all(len(key) == 13 and key[0] in "234567abcdefghij" for key in keys)
    assert keys == sorted(set(keys))
    assert following_keys(keys[0], count - 1) == keys[1:]
    assert key_before(keys[0]) < keys[0]
    assert new_keys(1, micros=micros - 2)[0] <= key_before(keys[0])


def test_keys_of_two_processes_differ() -> None:
    assert len({new_keys(1, micros=1_795_000_000_000_000)[0] for _ in range(200)}) > 100


# -- texts


@given(st.lists(st.sampled_from(["@a.test", "#tag", "https://x.org/y", "☕", "é", "word", "(", ")", ".", "🇪🇸"])))
def test_places_are_bytes_of_the_text_in_order_and_apart(parts: list[str]) -> None:
    text = " ".join(parts)
    raw, last = text.encode(), 0
    for facet in facets_of(text, {"a.test": "did:plc:a"}):
        index = inner(facet, "index")
        start, end = int(str(index["byteStart"])), int(str(index["byteEnd"]))
        assert last <= start < end <= len(raw)
        last = end
        assert raw[start:end].decode()[0] in "@#h"


@pytest.mark.parametrize(
    ("text", "led_to"),
    [
        ("see https://example.org/a_(b), or not", ["https://example.org/a_(b)"]),
        ("(https://example.org/a).", ["https://example.org/a"]),
        ("https://example.org/@a.test", ["https://example.org/@a.test"]),
        ("mail me@a.test or xhttps://example.org", []),
        ("https:// alone, http://", []),
        ("@A.test's and @a.test.", ["@A.test", "@a.test"]),
        ("@a.test@b.test @a @.test @-a.test", []),
        ("#one #two, #3 ##four a#five (#six)", ["#one", "#two", "#six"]),
        ("\N{FULLWIDTH NUMBER SIGN}全角 #☕", ["\N{FULLWIDTH NUMBER SIGN}全角", "#☕"]),
        ("#" + "x" * 65, []),
        ("", []),
    ],
)
def test_what_leads_somewhere(text: str, led_to: list[str]) -> None:
    raw = text.encode()
    found = [inner(facet, "index") for facet in facets_of(text, {"a.test": "did:plc:a", "b.test": "did:plc:b"})]
    assert [raw[int(str(at["byteStart"])) : int(str(at["byteEnd"]))].decode() for at in found] == led_to


def test_each_handle_is_asked_once_and_an_unknown_one_stays_words() -> None:
    assert handles_in(["@A.test and @b.test", "@a.TEST again"]) == ("a.test", "b.test")
    assert facets_of("@a.test", {"a.test": None}) == []
    (feature,) = objects(facets_of("@a.test", {"a.test": "did:plc:a"})[0], "features")
    assert feature == {"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:a"}


def test_what_people_see_is_counted() -> None:
    assert [graphemes(text) for text in ("", "abc", "\r\n", "e\u0301", "👨‍👩‍👧", "🇪🇸🇩🇪", "각")] == [0, 3, 1, 1, 1, 2, 1]


# -- what is kept


def test_token_and_password_are_kept_as_one_and_shown_nowhere() -> None:
    keys = Keys(refresh_token="a.b.c", app_password="abcd-efgh-ijkl-mnop")
    assert Keys.read(keys.kept()) == keys
    assert Keys.read("a.b.c") == Keys(refresh_token="a.b.c")
    assert Keys.read(None) is Keys.read("") is None
    assert "abcd" not in repr(keys)
    assert "a.b.c" not in repr(keys)


def test_an_app_password_has_four_groups() -> None:
    assert is_app_password(" ABCD-efgh-ijkl-mn2p ")
    assert not [given_ for given_ in ("hunter2", "abcd-efgh", "abcd efgh ijkl mnop", "") if is_app_password(given_)]
