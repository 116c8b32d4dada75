"""`studio eval` with a model behind HTTP: the product's prompt and tools, first calls judged, tokens and cost."""

import pytest
from langchain_core.messages import AIMessage

from core.settings import Settings
from evals.cases import load
from evals.live import conversation, evaluate, judged, price
from tests.agent.house import Script, calling, requests
from tests.conftest import Sandbox

CASES = {case.id: case for case in load("main_job")}


def test_a_model_is_asked_as_the_product_asks_it(endpoint: Settings, script: Script, sandbox: Sandbox) -> None:
    first = load("main_job")[0]
    script(calling((first.calls[0][0], dict(first.calls[0][1]))))
    text = evaluate(endpoint, ["main_job"], most=1)
    request = requests(sandbox)[0]
    assert request["messages"][0]["role"] == "system"
    assert request["messages"][0]["content"].startswith("You are Studio")
    assert request["messages"][-1] == {"role": "user", "content": first.said.text}
    offered = {tool["function"]["name"]: tool["function"] for tool in request["tools"]}
    assert "properties" in offered["create_draft"]["parameters"]
    assert "main_job: 1/1 = 100.0%, wrong acts 0" in text
    assert "sandbox-model: 1/1" in text
    assert "cost: unknown" in text
    assert "tokens: 0 in" not in text


def test_a_wrong_act_and_a_failed_call_are_told_apart(endpoint: Settings, script: Script) -> None:
    script(calling(("publish_post", {"post_id": "it"})))
    assert "wrong acts 1" in evaluate(endpoint, ["main_job"], most=1)
    refusal = {"content": "", "fault": {"kind": "status", "status": 400, "body": {"error": {"message": "no"}}}}
    script(refusal)
    failed = evaluate(endpoint, ["main_job"], most=1)
    assert "wrong acts 0" in failed
    assert "1 calls failed" in failed


@pytest.mark.parametrize(
    ("case", "call", "is_right", "is_wrong_act"),
    [
        ("m-cancel-1", ("cancel_post", {"post_id": "K7RMD"}), True, False),  # the code of what "it" is
        ("m-cancel-2", ("cancel_post", {"post_id": "the espresso post"}), True, False),
        ("m-cancel-2", ("cancel_post", {"post_id": "brunch"}), False, True),
        ("m-cancel-2", ("list_posts", {"query": "espresso"}), False, False),
        ("m-draft-1", ("create_draft", {"platform": "instagram", "about": "espresso"}), True, False),
        ("m-cancel-12", ("cancel_post", {"post_id": "it"}), False, True),  # "don't cancel it"
        ("m-cancel-12", ("show_post", {"post_id": "it"}), True, False),
    ],
)
def test_first_calls_are_judged(
    case: str, call: tuple[str, dict[str, object]], *, is_right: bool, is_wrong_act: bool
) -> None:
    answer = AIMessage("", tool_calls=[{"name": call[0], "args": call[1], "id": "call_1"}])
    played = judged(CASES[case], answer)
    assert (played.is_right, played.is_wrong_act) == (is_right, is_wrong_act)


def test_the_turns_before_a_sentence_are_there_with_their_results() -> None:
    kinds = [message.type for message in conversation(CASES["m-cancel-1"])]
    assert kinds[:4] == ["system", "human", "ai", "tool"]
    assert kinds[-1] == "human"


def test_the_offline_model_is_judged_on_whole_turns(settings: Settings) -> None:
    assert "held_out: 5/5 = 100.0%" in evaluate(settings, ["held_out"], most=5)


def test_only_a_known_price_is_named() -> None:
    assert price("gpt-4o-mini") == (0.15, 0.6)
    assert price("sandbox-model") is None
