"""The writer over a model: what it hands in is checked, repaired once, or refused as a whole."""

import pytest
from langchain_openai import ChatOpenAI

from agent.model import build_model, build_writer
from agent.offline.model import OfflineModel
from agent.offline.writer import OfflineWriter
from agent.writer import ModelWriter
from core.errors import Misconfigured, Unavailable
from core.ports import CaptionBrief
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
