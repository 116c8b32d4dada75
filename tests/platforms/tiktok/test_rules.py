"""TikTok's rules as pure functions: texts, options, who sees a post."""

import pytest

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Content, Credentials, Medium
from platforms.errors import ContentRefused
from platforms.tiktok.creator import choose_privacy, kept
from platforms.tiktok.rules import broken_rules, choose_format, text_length

FILM = Medium(asset_id="film", kind="video", mime_type="video/mp4", size_bytes=1000, duration_seconds=30.0)
PICTURE = Medium(asset_id="picture", kind="image", mime_type="image/jpeg", size_bytes=1000)
PUBLIC: JsonObject = {"privacy_levels": ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"]}
PRIVATE: JsonObject = {"privacy_levels": ["SELF_ONLY", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR"]}


def film(**options: JsonValue) -> Content:
    return Content(format="video", caption="", media=(FILM,), options=options)


def owner(**metadata: JsonValue) -> Credentials:
    return Credentials(external_id="1", handle="cafe", access_token="t", metadata=metadata)


def test_text_is_counted_in_utf16_units() -> None:
    assert text_length("caf\N{LATIN SMALL LETTER E WITH ACUTE}") == 4
    assert text_length("\N{GRINNING FACE}") == 2


def test_media_suggest_the_format() -> None:
    assert choose_format(Content(format="", caption="", media=(FILM,))) == "video"
    assert choose_format(Content(format="", caption="", media=(PICTURE, PICTURE))) == "photo"


@pytest.mark.parametrize("name", ["disable_comment", "disable_duet", "disable_stitch", "is_aigc", "draft"])
@pytest.mark.parametrize("value", ["true", 1, None])
def test_a_switch_is_true_or_false(name: str, value: JsonValue) -> None:
    (problem,) = broken_rules(film(**{name: value}))
    assert (problem.path, problem.code) == (f"options.{name}", "option_invalid")
    assert broken_rules(film(**{name: True})) == ()


@pytest.mark.parametrize("value", [-1, 1.5, True, "1", 30_001])
def test_a_cover_lies_inside_of_the_film(value: JsonValue) -> None:
    assert [problem.code for problem in broken_rules(film(cover_timestamp_ms=value))] == ["option_invalid"]


def test_a_title_belongs_to_photos() -> None:
    photo = Content(format="photo", caption="", media=(PICTURE,), options={"title": 4})
    assert [problem.code for problem in broken_rules(photo)] == ["option_invalid"]
    assert [problem.code for problem in broken_rules(film(title="x"))] == ["option_unknown"]


@pytest.mark.parametrize(
    ("content", "credentials", "offered", "expected"),
    [
        (film(), owner(), PUBLIC, "PUBLIC_TO_EVERYONE"),
        (film(), owner(), PRIVATE, "FOLLOWER_OF_CREATOR"),
        (film(), owner(privacy_level="SELF_ONLY"), PUBLIC, "SELF_ONLY"),
        (
            film(privacy_level="MUTUAL_FOLLOW_FRIENDS"),
            owner(privacy_level="SELF_ONLY"),
            PUBLIC,
            "MUTUAL_FOLLOW_FRIENDS",
        ),
    ],
)
def test_the_post_names_its_audience_then_the_account_then_tiktok(
    content: Content, credentials: Credentials, offered: JsonObject, expected: str
) -> None:
    assert choose_privacy(content, credentials, offered) == expected


@pytest.mark.parametrize(
    ("content", "credentials", "offered"),
    [
        (film(privacy_level="PUBLIC_TO_EVERYONE"), owner(), PRIVATE),
        (film(), owner(privacy_level="FOLLOWER_OF_CREATOR"), PUBLIC),
        (film(), owner(), {"privacy_levels": []}),
        (film(brand_content_toggle=True), owner(privacy_level="SELF_ONLY"), PUBLIC),
    ],
)
def test_an_audience_that_is_not_offered_is_refused(
    content: Content, credentials: Credentials, offered: JsonObject
) -> None:
    with pytest.raises(ContentRefused):
        choose_privacy(content, credentials, offered)


def test_what_is_kept_of_a_creator_survives_strange_answers() -> None:
    assert kept({}) == {
        "username": "",
        "privacy_levels": [],
        "comment_disabled": False,
        "duet_disabled": False,
        "stitch_disabled": False,
        "longest_video": None,
    }
