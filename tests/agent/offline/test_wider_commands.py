"""What the offline model must not do with the wider commands, and what it asks before it does."""

import json

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agent.offline.model import OfflineModel
from evals.cases import COMMANDS
from evals.run import offline_model

DRAFT = "Draft an Instagram post about our new espresso blend"
SMALL = [name for name in COMMANDS if not name.endswith("_posts") and name != "repurpose_post"]


def bound(*names: str, networks: tuple[str, ...] = ("instagram", "facebook", "tiktok")) -> OfflineModel:
    tools = [{"type": "function", "function": {"name": name, "description": name, "parameters": {}}} for name in names]
    model = OfflineModel(networks=networks).bind_tools(tools)
    assert isinstance(model, OfflineModel)
    return model


def said(*texts: str, model: OfflineModel | None = None) -> AIMessage:
    """The answer to the last text, after turns in which every call worked on an Instagram post."""
    speaker = model or offline_model()
    messages: list[BaseMessage] = []
    for text in texts:
        messages.append(HumanMessage(text))
        answer = speaker.invoke(messages)
        if text is texts[-1]:
            return answer
        messages.append(answer)
        for call in answer.tool_calls:
            result = {"summary": "Done.", "post": {"id": "0199-a", "platform": "instagram"}}
            messages.append(ToolMessage(content=json.dumps(result), tool_call_id=call["id"] or "", name=call["name"]))
        if answer.tool_calls:
            messages.append(AIMessage("Done."))
    raise AssertionError


@pytest.mark.parametrize(
    "text",
    [
        "plan the next two weeks",  # more than plan_week takes
        "cancel all posts this weekend except Sunday's",
        "move everything to Monday",  # every post there is
        "cancel everything",
        "delete every live post",
        "K7RMD never went out, what now",
        "if it fails, retry it",
        "take it down a notch",
        "accept 1 and 3",  # of no plan
        "Instagram is down",
        "crop the beans and the sugar",
    ],
)
def test_what_is_not_understood_as_a_whole_is_not_done(text: str) -> None:
    assert said(DRAFT, text).tool_calls == []


@pytest.mark.parametrize("text", ["publish it on Facebook", "move it to TikTok", "post it on Facebook now"])
def test_a_post_of_one_network_is_never_sent_to_another_unasked(text: str) -> None:
    asked = said(DRAFT, text)
    assert asked.tool_calls == []
    assert "Instagram" in asked.text
    assert [call["name"] for call in said(DRAFT, text, "yes").tool_calls] == ["repurpose_post"]


def test_a_command_that_is_not_at_hand_is_not_called_and_nothing_before_it_is_begun() -> None:
    model = bound(*SMALL)
    assert said("cancel all posts this weekend", model=model).tool_calls == []
    both = said("Draft an Instagram and Facebook post about tea", model=model)
    assert both.tool_calls == []
    assert "one network at a time" in both.text
    chain = said("draft a post about tea and repurpose it for TikTok", model=model)
    assert chain.tool_calls == []
    assert "repurpose_post is not available" in chain.text


def test_the_networks_are_those_of_the_installation() -> None:
    only = bound(*COMMANDS, networks=("instagram",))
    assert "Networks I can post to: Instagram." in said(DRAFT, "same for Facebook", model=only).text
    assert said(DRAFT, "publish it on Instagram", model=only).tool_calls[0]["name"] == "publish_post"


def test_entries_are_taken_only_from_a_plan_of_this_conversation() -> None:
    plan = "plan next week"
    assert said(plan, "take 1 and 3").tool_calls[0]["args"] == {"plan_id": "it", "items": [1, 3]}
    assert said(plan, "accept the plan", "take 1 and 3").tool_calls == []


@pytest.mark.parametrize(
    ("question", "answer", "name", "value"),
    [
        ("repurpose it", "Facebook and TikTok", "platforms", ["facebook", "tiktok"]),
        ("run an experiment on it", "the image", "vary", "image"),
        ("crop it", "with a border", "crop", "border"),
    ],
)
def test_what_is_missing_is_asked_and_the_answer_completes_it(
    question: str, answer: str, name: str, value: object
) -> None:
    assert said(DRAFT, question).tool_calls == []
    assert said(DRAFT, question, answer).tool_calls[0]["args"] == {"post_id": "it", name: value}
    assert said(DRAFT, question, "no thanks").tool_calls == []
