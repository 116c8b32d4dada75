"""The writer over a model: what it hands in is checked, repaired once, or refused as a whole."""

import pytest
from langchain_openai import ChatOpenAI

from agent.model import build_model, build_writer
from agent.offline.model import OfflineModel
from agent.offline.writer import OfflineWriter
from agent.writer import ModelWriter
from core.errors import Misconfigured, Unavailable
from core.ports import CaptionBrief, NetworkBrief, PlanBrief, RepurposeBrief, VariantsBrief
from core.settings import Settings
from tests.agent.house import Json, Script, calling, requests
from tests.conftest import Sandbox

BRIEF = CaptionBrief(about="our new espresso blend", platform="instagram", format="image", limit=40, voice="dry")


@pytest.fixture
def writer(endpoint: Settings) -> ModelWriter:
    """A writer over the sandbox's endpoint."""
    built = build_writer(endpoint, build_model(endpoint))
    assert isinstance(built, ModelWriter)
    return built


async def test_a_caption(writer: ModelWriter, script: Script, sandbox: Sandbox) -> None:
    script(calling(("write_caption", {"text": " Dark, calm, ours. "})))
    written = await writer.caption(BRIEF)
    assert (written.text, written.rests_on) == ("Dark, calm, ours.", "written by sandbox-model")
    request = requests(sandbox)[0]
    assert request["tool_choice"]["function"]["name"] == "write_caption"
    assert "at most 40 characters" in request["messages"][0]["content"]
    assert "The brand's voice: dry" in request["messages"][0]["content"]


@pytest.mark.parametrize(
    "bad",
    [
        calling(("write_caption", {"text": "x" * 41})),
        calling(("write_caption", {"words": "none"})),
        calling(("write_caption", "{cut o")),
        "Sure! Here is a caption.",
    ],
    ids=["too long", "no text", "malformed", "prose"],
)
async def test_one_repair(writer: ModelWriter, script: Script, bad: str | Json) -> None:
    script(bad, calling(("write_caption", {"text": "Dark, calm, ours."})))
    assert (await writer.caption(BRIEF)).text == "Dark, calm, ours."


async def test_json_without_a_call_is_taken(writer: ModelWriter, script: Script) -> None:
    script('{"text": "Dark, calm, ours."}')
    assert (await writer.caption(BRIEF)).text == "Dark, calm, ours."


async def test_nothing_half_made(writer: ModelWriter, script: Script) -> None:
    script(calling(("write_caption", {"text": "x" * 41})), calling(("write_caption", {"text": "y" * 41})))
    with pytest.raises(Unavailable) as refused:
        await writer.caption(BRIEF)
    assert refused.value.code == "model_unusable"


async def test_an_endpoint_that_is_away(writer: ModelWriter, script: Script) -> None:
    script(*[{"content": "", "fault": {"kind": "drop_before"}}] * 3)
    with pytest.raises(Unavailable) as refused:
        await writer.caption(BRIEF)
    assert refused.value.code == "model_unavailable"


def test_which_model_serves(settings: Settings, endpoint: Settings) -> None:
    homeless = settings.model_copy(update={"model": "some-model"})
    own = homeless.model_copy(update={"openai_base_url": "http://127.0.0.1:9/v1"})
    assert isinstance(build_model(settings), OfflineModel)
    assert isinstance(build_writer(settings, build_model(settings)), OfflineWriter)
    assert "sk-sandbox" not in repr(build_model(endpoint))
    assert isinstance(build_model(own), ChatOpenAI)
    with pytest.raises(Misconfigured, match="no endpoint"):
        build_model(homeless)


def place(platform: str = "instagram", *, limit: int = 60) -> NetworkBrief:
    """A network that counts every character twice."""
    return NetworkBrief(platform=platform, formats=("image", "carousel"), limit=limit, count=lambda text: 2 * len(text))


REPURPOSE = RepurposeBrief(text="Our new blend.", platform="facebook", networks=(place(), place("tiktok")))
PLAN = PlanBrief(places=(place(), place()), themes=("coffee",), history=("Open again.",))
VARIANTS = VariantsBrief(text="Our new blend.", count=2, network=place(), hypothesis="short is better")


def version(platform: str, **changed: object) -> Json:
    return {
        "platform": platform,
        "format": "image",
        "hook": "Dark.",
        "caption": "",
        "hashtags": ["new blend"],
    } | changed


async def test_a_post_for_every_network(writer: ModelWriter, script: Script, sandbox: Sandbox) -> None:
    script(calling(("write_versions", {"versions": [version("TikTok"), version("instagram", format="carousel")]})))
    written = await writer.repurpose(REPURPOSE)
    assert [each.platform for each in written.versions] == ["instagram", "tiktok"]
    assert [each.text for each in written.versions] == ["Dark.\n\n#newblend"] * 2
    assert written.versions[0].format == "carousel"
    system = requests(sandbox)[0]["messages"][0]["content"]
    assert "tiktok: at most 60 characters, as image or carousel" in system


@pytest.mark.parametrize(
    "bad",
    [
        [version("instagram")],
        [version("instagram"), version("tiktok", format="story")],
        # 26 characters, counted twice, and the hashtag: past 60.
        [version("instagram"), version("tiktok", caption="x" * 26)],
        [version("instagram"), version("tiktok", hook="")],
    ],
    ids=["one missing", "another format", "too long as the network counts", "no hook"],
)
async def test_versions_are_repaired_once_or_refused(writer: ModelWriter, script: Script, bad: list[Json]) -> None:
    wrong = calling(("write_versions", {"versions": bad}))
    script(wrong, calling(("write_versions", {"versions": [version("instagram"), version("tiktok")]})))
    assert len((await writer.repurpose(REPURPOSE)).versions) == 2
    script(wrong, wrong)
    with pytest.raises(Unavailable) as refused:
        await writer.repurpose(REPURPOSE)
    assert refused.value.code == "model_unusable"


def topic(name: str, caption: str = "Come in.") -> Json:
    return {"topic": name, "caption": caption, "why": "it is new"}


async def test_topics_for_every_place(writer: ModelWriter, script: Script, sandbox: Sandbox) -> None:
    short, long = [topic("one")], [topic("one"), topic("two", "x" * 31)]
    script(
        calling(("propose_topics", {"items": short})), calling(("propose_topics", {"items": [*short, topic("two")]}))
    )
    planned = await writer.topics(PLAN)
    assert [item.topic for item in planned.items] == ["one", "two"]
    assert "The themes to keep to: coffee." in requests(sandbox)[0]["messages"][0]["content"]
    assert "Open again." in requests(sandbox)[0]["messages"][1]["content"]
    script(*[calling(("propose_topics", {"items": long}))] * 2)
    with pytest.raises(Unavailable):
        await writer.topics(PLAN)


async def test_variants_differ(writer: ModelWriter, script: Script) -> None:
    same = calling(("write_variants", {"captions": ["Our new blend.", "Dark."]}))
    script(same, calling(("write_variants", {"captions": ["Calm.", "Dark."]})))
    assert (await writer.variants(VARIANTS)).captions == ("Calm.", "Dark.")
    script(same, same)
    with pytest.raises(Unavailable):
        await writer.variants(VARIANTS)
