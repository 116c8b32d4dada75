"""The offline writer: honest captions within the limit, the same for the same brief."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offline.captions import fitted
from agent.offline.writer import OfflineWriter
from core.errors import InvalidInput
from core.ports import CaptionBrief, NetworkBrief, PlanBrief, RepurposeBrief, VariantsBrief, Writer


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


def place(limit: int = 2200) -> NetworkBrief:
    return NetworkBrief(platform="instagram", formats=("image",), limit=limit, count=lambda text: len(text.encode()))


@given(text=st.text(alphabet="ab é.#!\n☕", min_size=1, max_size=200), limit=st.integers(min_value=12, max_value=80))
async def test_a_post_is_adapted_in_its_own_words_within_the_networks_count(text: str, limit: int) -> None:
    try:
        written = await OfflineWriter().repurpose(
            RepurposeBrief(text=text, platform="instagram", networks=(place(limit),))
        )
    except InvalidInput as refusal:
        assert refusal.code == "brief_empty"  # noqa: PT017 - the other outcome is as good
        return
    (version,) = written.versions
    assert len(version.text.encode()) <= limit
    if "…" not in version.text:  # a word may be cut where nothing else fits
        assert set(re.findall(r"\w+", version.text.lower())) <= set(re.findall(r"\w+", text.lower()))


async def test_a_version_keeps_hashtags_and_says_what_it_rests_on() -> None:
    written = await OfflineWriter().repurpose(
        RepurposeBrief(text="New blend. Dark and calm.\n\n#coffee", platform="instagram", networks=(place(),))
    )
    assert written.versions[0].text == "New blend.\n\nDark and calm.\n\n#coffee"
    assert "offline writer" in written.rests_on


async def test_topics_come_from_themes_then_history_then_nothing_that_could_be_false() -> None:
    def asked(**given: object) -> PlanBrief:
        return PlanBrief(places=(place(),) * 9, **given)  # type: ignore[arg-type]

    themed = await OfflineWriter().topics(asked(themes=("our roastery",)))
    assert themed.items[0].topic == "our roastery"
    assert "you named" in themed.items[0].why
    remembered = await OfflineWriter().topics(asked(history=("The huge espresso is back #espresso",)))
    assert remembered.items[0].topic == "espresso"
    assert not any("huge" in item.topic for item in remembered.items), (
        "any word could be anything; a hashtag is a topic"
    )
    for planned in (themed, remembered, await OfflineWriter().topics(asked())):
        assert len({item.topic for item in planned.items}) == 9
        assert not any(re.search(r"\d", item.caption) for item in planned.items)


@given(text=st.text(alphabet="ab é.#!\n", min_size=1, max_size=90))
async def test_variants_differ_from_the_caption_and_each_other(text: str) -> None:
    try:
        written = await OfflineWriter().variants(VariantsBrief(text=text, count=3, network=place()))
    except InvalidInput:
        return
    assert len({text.strip(), *written.captions}) == 4
