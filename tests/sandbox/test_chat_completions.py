"""The model endpoint: OpenAI's wire format, scripted turns, and the real client that Studio uses."""

import json
from collections.abc import Iterable

import httpx
import openai
import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.sandbox.caller import Graph

CALLS = [
    {"name": "create_draft", "arguments": {"caption": "Our new espresso blend", "account": "bluebottle"}},
    {"name": "list_posts", "arguments": {}, "id": "call_0"},
]
TOOL = {"type": "function", "function": {"name": "create_draft", "parameters": {"type": "object", "properties": {}}}}


def script(graph: Graph, *turns: dict[str, object], **more: object) -> None:
    graph.control("chat/script", turns=list(turns), **more)


def ask(graph: Graph, text: str = "hello", **more: object) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **more}
    return graph.client.post(
        f"{graph.base}/v1/chat/completions", json=body, headers={"authorization": "Bearer any-key"}
    )


def chunks_of(answer: httpx.Response) -> list[dict[str, object]]:
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    return [json.loads(event.removeprefix("data: ")) for event in events[:-2]]


def model(graph: Graph, **more: object) -> ChatOpenAI:
    return ChatOpenAI(
        model="sandbox-model",
        base_url=f"{graph.base}/v1",
        api_key=SecretStr("any-key"),
        use_responses_api=False,
        stream_usage=True,
        max_retries=0,
        **more,
    )


def joined(pieces: Iterable[AIMessageChunk]) -> AIMessageChunk:
    first, *rest = pieces
    return add_ai_message_chunks(first, *rest)


def test_with_nothing_scripted_it_says_so(graph: Graph) -> None:
    answer = ask(graph).json()
    assert answer["object"] == "chat.completion"
    assert "sandbox" in answer["choices"][0]["message"]["content"]
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["total_tokens"] > 0


def test_a_plain_answer_carries_calls_and_usage(graph: Graph) -> None:
    script(graph, {"tool_calls": CALLS, "usage": {"prompt_tokens": 7, "completion_tokens": 5}})
    answer = ask(graph).json()
    message = answer["choices"][0]["message"]
    assert message["content"] is None
    first, second = message["tool_calls"]
    assert first["id"].startswith("call_")
    assert json.loads(first["function"]["arguments"]) == CALLS[0]["arguments"]
    assert second["id"] == "call_0"
    assert answer["choices"][0]["finish_reason"] == "tool_calls"
    assert answer["usage"] == {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


def test_a_stream_has_the_shape_of_openai(graph: Graph) -> None:
    script(graph, {"content": "One moment, please.", "tool_calls": CALLS})
    chunks = chunks_of(ask(graph, stream=True, stream_options={"include_usage": True}))
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]  # type: ignore[index]
    assert deltas[0] == {"role": "assistant", "content": "", "refusal": None}
    assert "".join(delta.get("content") or "" for delta in deltas) == "One moment, please."
    pieces = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert [(p["index"], p["function"]["name"]) for p in pieces if "id" in p] == [
        (0, "create_draft"),
        (1, "list_posts"),
    ]
    arguments = "".join(p["function"]["arguments"] for p in pieces if p["index"] == 0)
    assert json.loads(arguments) == CALLS[0]["arguments"]
    assert len([p for p in pieces if p["index"] == 0]) > 2
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"  # type: ignore[index]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]
    assert all(chunk["usage"] is None for chunk in chunks[:-1])


def test_without_being_asked_a_stream_has_no_usage(graph: Graph) -> None:
    chunks = chunks_of(ask(graph, stream=True))
    assert all("usage" not in chunk for chunk in chunks)


def test_scripts_go_by_match_then_order_and_may_repeat(graph: Graph) -> None:
    script(graph, {"content": "first"}, {"content": "second"})
    script(graph, {"content": "about coffee"}, match="coffee", repeat=True)
    said = [ask(graph, text).json()["choices"][0]["message"]["content"] for text in ["tea", "coffee", "coffee", "tea"]]
    assert said == ["first", "about coffee", "about coffee", "second"]
    left = graph.client.get(f"{graph.base}/_sandbox/chat/script").json()["items"]
    assert left == [{"match": "coffee", "repeat": True, "turns_left": 1}]


def test_requests_are_kept_for_assertions(graph: Graph) -> None:
    ask(graph, "remember me", tools=[TOOL])
    (kept,) = graph.client.get(f"{graph.base}/_sandbox/chat/requests").json()["items"]
    assert kept["messages"] == [{"role": "user", "content": "remember me"}]
    assert kept["tools"] == [TOOL]


ASSISTANT = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "ok"}
USER = {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([USER, ASSISTANT, RESULT, USER], 200),
        ([USER, ASSISTANT, RESULT], 200),
        ([USER, ASSISTANT, USER], 400),
        ([USER, ASSISTANT], 400),
        ([USER, RESULT], 400),
        ([USER, ASSISTANT, RESULT, RESULT], 400),
        ([], 400),
        ([{"role": "robot", "content": "hi"}], 400),
    ],
)
def test_a_conversation_with_unanswered_calls_is_refused(
    graph: Graph, messages: list[dict[str, object]], status: int
) -> None:
    answer = ask(graph, messages=messages)
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_key_is_needed_and_a_body(graph: Graph) -> None:
    url = f"{graph.base}/v1/chat/completions"
    assert graph.client.post(url, json={}).status_code == 401
    assert graph.client.get(f"{graph.base}/v1/models").status_code == 401
    headers = {"authorization": "Bearer k"}
    assert graph.client.get(f"{graph.base}/v1/models", headers=headers).json()["object"] == "list"
    assert graph.client.post(url, content=b"{", headers=headers).status_code == 400


async def test_langchain_streams_words_calls_and_usage(graph: Graph) -> None:
    script(graph, {"content": "Drafting it now.", "tool_calls": CALLS})
    pieces = [piece async for piece in model(graph).bind_tools([TOOL]).astream([HumanMessage("draft a post")])]
    assert len([piece for piece in pieces if piece.content]) > 2
    whole = joined(pieces)  # type: ignore[arg-type]
    assert whole.text == "Drafting it now."
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [
        ("create_draft", CALLS[0]["arguments"]),
        ("list_posts", {}),
    ]
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["total_tokens"] > 0
    assert whole.response_metadata["finish_reason"] == "tool_calls"


async def test_langchain_without_streaming(graph: Graph) -> None:
    script(graph, {"tool_calls": CALLS, "usage": {"prompt_tokens": 7, "completion_tokens": 5}})
    answer = await model(graph, streaming=False).bind_tools([TOOL]).ainvoke([HumanMessage("draft a post")])
    assert [call["name"] for call in answer.tool_calls] == ["create_draft", "list_posts"]
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 5


async def test_malformed_arguments_arrive_as_an_invalid_call(graph: Graph) -> None:
    script(graph, {"tool_calls": [{"name": "create_draft", "arguments": '{"caption": "no end'}]})
    answer = await model(graph, streaming=False).ainvoke([HumanMessage("draft")])
    (call,) = answer.invalid_tool_calls
    assert (call["name"], call["args"]) == ("create_draft", '{"caption": "no end')


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("drop_before", openai.APIConnectionError, 0),
        ("drop_midway", openai.APIConnectionError, 2),
        ("error_midway", openai.APIError, 2),
    ],
)
async def test_a_stream_that_breaks_raises_in_the_client(
    graph: Graph, kind: str, error: type[Exception], words: int
) -> None:
    fault = {"kind": kind, "after_chunks": 3}
    script(graph, {"content": "a long answer that will not be finished", "fault": fault})
    heard: list[str] = []

    async def listen() -> None:
        async for piece in model(graph).astream([HumanMessage("go")]):
            heard.append(piece.text)  # noqa: PERF401 - what was heard before the break has to stay

    with pytest.raises(error):
        await listen()
    # Three chunks: the role, then two words.
    assert "".join(heard).split() == ["a", "long"][:words]


async def test_a_refusing_and_a_limited_endpoint(graph: Graph) -> None:
    script(graph, {"fault": {"kind": "status", "status": 503, "headers": {"retry-after": "3"}}})
    with pytest.raises(openai.InternalServerError):
        await model(graph).ainvoke([HumanMessage("go")])
    graph.fault("chat.completions", "rate_limit")
    with pytest.raises(openai.RateLimitError) as caught:
        await model(graph).ainvoke([HumanMessage("go")])
    assert caught.value.response.headers["retry-after"] == "1"
    graph.fault("chat.completions", "expired_token")
    with pytest.raises(openai.AuthenticationError):
        await model(graph).ainvoke([HumanMessage("go")])


async def test_a_dropped_and_a_stalled_endpoint(graph: Graph) -> None:
    graph.fault("chat.completions", "drop_before")
    with pytest.raises(openai.APIConnectionError):
        await model(graph).ainvoke([HumanMessage("go")])
    graph.fault("chat.completions", "delay", delay_seconds=30)
    with pytest.raises(openai.APITimeoutError):
        await model(graph, timeout=0.2).ainvoke([HumanMessage("go")])
    graph.client.delete(f"{graph.base}/_sandbox/faults")


def test_a_stream_cut_by_a_planted_fault(graph: Graph) -> None:
    graph.fault("chat.completions", "truncate")
    with pytest.raises(httpx.RemoteProtocolError):
        ask(graph, stream=True)
