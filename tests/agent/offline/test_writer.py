"""The offline writer: honest captions within the limit, the same for the same brief."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offline.writer import OfflineWriter, fitted
from core.errors import InvalidInput
from core.ports import CaptionBrief, Writer


def brief(about: str, *, limit: int = 2200, format: str = "image") -> CaptionBrief:  # noqa: A002 - the record's own name
    return CaptionBrief(about=about, platform="instagram", format=format, limit=limit)


async def test_a_caption_uses_the_words_of_the_brief_and_says_what_it_rests_on() -> None:
    writer: Writer = OfflineWriter()
    written = await writer.caption(brief("our new espresso blend"))
    assert "our new espresso blend" in written.text
    assert "#espresso" in written.text
    assert "offline writer's template" in written.rests_on
    assert await writer.caption(brief("our new espresso blend")) == written


async def test_other_briefs_get_other_words() -> None:
    topics = [f"our {word} cake" for word in ("apple", "plum", "carrot", "lemon", "poppy", "honey", "pear", "nut")]
    texts = {(await OfflineWriter().caption(brief(topic))).text.replace(topic.split()[1], "…") for topic in topics}
    assert len(texts) > 2


async def test_it_adds_no_figures_of_its_own() -> None:
    for about in ("the wine tasting on Saturday at 6pm", "hiring a barista", "we're closed on Monday", "milk"):
        text = (await OfflineWriter().caption(brief(about))).text
        assert set(re.findall(r"\d+", text)) <= set(re.findall(r"\d+", about))
        assert not re.search(r"best|award|%|€|\$|free", text, re.IGNORECASE)


async def test_a_told_brief_stands_as_it_is() -> None:
    assert (await OfflineWriter().caption(brief("we're closed on Monday"))).text.startswith("We're closed on Monday.")


@given(about=st.text(min_size=1, max_size=300), limit=st.integers(min_value=12, max_value=400))
async def test_the_limit_holds_whatever_is_said(about: str, limit: int) -> None:
    try:
        written = await OfflineWriter().caption(brief(about, limit=limit))
    except InvalidInput as refusal:
        assert refusal.code == "brief_empty"  # noqa: PT017 - the other outcome is as good
        return
    assert 0 < len(written.text) <= limit


@pytest.mark.parametrize(("about", "limit", "code"), [(" .", 2200, "brief_empty"), ("tea", 5, "limit_too_small")])
async def test_what_cannot_be_written_is_refused(about: str, limit: int, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await OfflineWriter().caption(brief(about, limit=limit))
    assert refusal.value.code == code


def test_parts_that_do_not_fit_are_left_out_whole() -> None:
    assert fitted(("One two three.", "Four.", "#five"), 24) == "One two three.\n\nFour."  # 14 + 2 + 5 = 21, + 7 > 24
    assert fitted(("One two three four.",), 12) == "One two…"
