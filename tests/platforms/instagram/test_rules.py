"""Instagram's counting and its edges, where the contract suite's table does not reach."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforms.base import Content, Medium
from platforms.instagram.rules import broken_rules, cautions, choose_format, text_length

IMAGE = Medium(asset_id="a", kind="image", mime_type="image/jpeg", size_bytes=1000, width=1080, height=1080)
VIDEO = Medium(asset_id="v", kind="video", mime_type="video/mp4", size_bytes=1000)


def codes(content: Content) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in broken_rules(content)]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("café", 4),
        ("cafe\u0301", 5),  # e and its accent are two
        ("☕", 1),  # inside of the basic plane
        ("🫘", 2),  # outside of it: two code units
        ("👩‍🍳", 5),  # 2 + joiner 1 + 2
        ("🇪🇸", 4),  # two letters of 2
        ("\r\n", 2),
        ("\ud800", 1),  # half a letter, as JSON may bring it
    ],
)
def test_length_in_utf16_units(text: str, length: int) -> None:
    assert text_length(text) == length


@given(st.text(), st.text())
def test_lengths_add_up_and_never_fall_below_code_points(one: str, other: str) -> None:
    assert text_length(one + other) == text_length(one) + text_length(other)
    assert len(one) <= text_length(one) <= 2 * len(one)


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ((), "image"),
        ((IMAGE,), "image"),
        ((IMAGE, IMAGE), "carousel"),
        ((VIDEO,), "reel"),
        ((VIDEO, IMAGE), "carousel"),
    ],
)
def test_the_media_suggest_a_format(media: tuple[Medium, ...], expected: str) -> None:
    assert choose_format(Content(format="", caption="", media=media)) == expected


def test_every_broken_rule_is_told_at_once_with_its_path() -> None:
    content = Content(
        format="carousel",
        caption="x" * 2201 + " #a" * 31 + " @b" * 21,
        media=(IMAGE, replace(IMAGE, mime_type="image/png", width=100, height=1000), VIDEO),
        options={"share_to_feed": True},
    )
    assert codes(content) == [
        ("caption", "text_too_long"),
        ("caption", "too_many_hashtags"),
        ("caption", "too_many_mentions"),
        ("media.1.mime_type", "wrong_type"),
        ("media.1", "wrong_ratio"),
        ("media.2", "wrong_kind"),
        ("options.share_to_feed", "option_unknown"),
    ]


def test_what_is_unknown_is_left_to_instagram() -> None:
    unknown = replace(IMAGE, width=None, height=None)
    assert codes(Content(format="image", caption="", media=(unknown,))) == []
    assert codes(Content(format="reel", caption="", media=(VIDEO,), options={"thumb_offset": 99_999_999})) == []


@pytest.mark.parametrize(("width", "height", "fits"), [(799, 1000, True), (797, 1000, False), (1913, 1000, False)])
def test_ratios_are_rounded_numbers(width: int, height: int, *, fits: bool) -> None:
    content = Content(format="image", caption="", media=(replace(IMAGE, width=width, height=height),))
    assert (codes(content) == []) is fits


@pytest.mark.parametrize("offset", [True, 1.5, "7", None, -1])
def test_thumb_offset_is_a_whole_number(offset: str | float | None) -> None:
    content = Content(format="reel", caption="", media=(VIDEO,), options={"thumb_offset": offset})
    assert codes(content) == [("options.thumb_offset", "option_invalid")]


def test_a_caution_is_no_refusal() -> None:
    narrow = replace(IMAGE, width=200, height=200)
    content = Content(format="image", caption="#coffee " * 6, media=(narrow,))
    assert codes(content) == []
    assert [problem.code for problem in cautions(content)] == ["many_hashtags", "narrow_image"]
    assert cautions(Content(format="image", caption="#coffee " * 5, media=(IMAGE,))) == ()
