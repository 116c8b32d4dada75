"""Facebook's rules, where the contract suite's contents do not reach."""

import pytest

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Content, Medium
from platforms.facebook.rules import broken_rules, choose_format

PHOTO = Medium(asset_id="p", kind="image", mime_type="image/png", size_bytes=1000)
FILM = Medium(asset_id="f", kind="video", mime_type="video/mp4", size_bytes=1000)


@pytest.mark.parametrize(
    ("media", "options", "chosen"),
    [
        ((), {}, "text"),
        ((), {"link": "https://example.org"}, "link"),
        ((PHOTO,), {}, "image"),
        ((PHOTO,), {"link": "https://example.org"}, "image"),
        ((FILM,), {}, "video"),
        ((PHOTO, PHOTO), {}, "carousel"),
        ((PHOTO, FILM), {}, "carousel"),
    ],
)
def test_the_format_follows_from_media_and_link(media: tuple[Medium, ...], options: JsonObject, chosen: str) -> None:
    assert choose_format(Content(format="", caption="x", media=media, options=options)) == chosen


@pytest.mark.parametrize(
    ("of", "options", "code"),
    [
        ("link", {"link": 5}, "option_invalid"),
        ("link", {"link": "http://[broken"}, "option_invalid"),
        ("link", {"link": ""}, "option_invalid"),
        ("text", {"first_comment": "c" * 8_001}, "option_invalid"),
        ("text", {"first_comment": ["c"]}, "option_invalid"),
        ("text", {"title": "x"}, "option_unknown"),
        ("poll", {}, "format_unknown"),
    ],
)
def test_options_that_make_no_sense(of: str, options: dict[str, JsonValue], code: str) -> None:
    (problem,) = broken_rules(Content(format=of, caption="x", options=options))
    assert problem.code == code


def test_a_title_has_an_end() -> None:
    for length, problems in ((255, 0), (256, 1)):
        content = Content(format="reel", caption="", media=(FILM,), options={"title": "t" * length})
        assert len(broken_rules(content)) == problems


def test_media_in_a_text_are_one_problem() -> None:
    (problem,) = broken_rules(Content(format="text", caption="x", media=(PHOTO, FILM)))
    assert (problem.path, problem.code) == ("media", "too_many_media")
