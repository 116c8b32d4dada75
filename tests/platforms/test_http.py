"""What a broken exchange means: only one that sent nothing, or does no harm twice, may simply be repeated."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from platforms.errors import OutcomeUnknown, PlatformError, Transient
from platforms.http import MAX_ANSWER_BYTES, Answer, _TooLate, _watch, exchange, new_client, sending_until, uptime

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def server(speak: Speak) -> AsyncIterator[str]:
    """A server that reads the head of one request and then does as it is told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await speak(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def call(url: str, *, repeatable: bool = False, silence: float = 5.0, deadline: float | None = 5.0) -> Answer:
    async with new_client(timeout=silence) as client:
        request = client.build_request("POST", f"{url}/node", params={"access_token": "secret-token"})
        return await exchange(client, request, repeatable=repeatable, deadline=deadline)


def says(answer: bytes) -> Speak:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return speak


async def never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the client gives up


async def drips(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def floods(__: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(MAX_ANSWER_BYTES // 65_536 + 2):
        writer.write(b" " * 65_536)
        await writer.drain()


async def test_an_answer_of_any_status_is_handed_over() -> None:
    async with server(says(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nX-App-Usage: {}\r\n\r\nbusy")) as url:
        answer = await call(url)
    assert (answer.status, answer.body, answer.headers["x-app-usage"]) == (503, b"busy", "{}")


async def test_a_closed_port_means_nothing_was_sent() -> None:
    async with server(says(OK)) as url:
        pass
    with pytest.raises(Transient) as caught:
        await call(url)
    assert type(caught.value) is Transient


@pytest.mark.parametrize(
    ("speak", "silence", "deadline"),
    [
        pytest.param(says(b""), 5.0, 5.0, id="closed without an answer"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"), 5.0, 5.0, id="closed in the middle"),
        pytest.param(says(b"no http at all\r\n\r\n"), 5.0, 5.0, id="garbage"),
        pytest.param(
            says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"), 5.0, 5.0, id="no gzip"
        ),
        pytest.param(never_answers, 0.4, 5.0, id="silence"),
        pytest.param(drips, 5.0, 0.4, id="slower than the deadline"),
        pytest.param(floods, 5.0, 5.0, id="longer than any answer"),
    ],
)
@pytest.mark.parametrize(("repeatable", "expected"), [(False, OutcomeUnknown), (True, Transient)])
async def test_after_sending_only_a_repeatable_call_is_known(
    speak: Speak, silence: float, deadline: float, *, repeatable: bool, expected: type[PlatformError]
) -> None:
    async with server(speak) as url:
        with pytest.raises(expected) as caught:
            await call(url, repeatable=repeatable, silence=silence, deadline=deadline)
    assert type(caught.value) is expected
    assert "secret-token" not in caught.value.message


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with server(says(b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")) as url:
        assert (await call(url)).status == 302


async def test_addresses_are_logged_without_their_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with server(says(OK)) as url:
            await call(url)
    assert "/node" in caplog.text
    assert "secret-token" not in caplog.text


async def test_an_error_of_the_medium_itself_is_not_the_networks() -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield b"x"
        raise FileNotFoundError("the asset is gone")

    async def swallows(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with server(swallows) as url, new_client(timeout=5.0) as client:
        request = client.build_request("POST", url, content=breaks())
        with pytest.raises(FileNotFoundError):
            await exchange(client, request, repeatable=False, deadline=None)


def test_the_environment_and_redirects_have_no_say() -> None:
    client = new_client(timeout=3.0)
    assert (client.trust_env, client.follow_redirects) == (False, False)
    assert client.timeout == httpx.Timeout(3.0, connect=3.0)


async def test_nothing_leaves_after_its_moment() -> None:
    heard = []

    async def listens(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append("a request")
        writer.write(OK)
        await writer.drain()

    async with server(listens) as url:
        with sending_until(uptime() - 0.001), pytest.raises(Transient) as caught:
            await call(url)
        assert type(caught.value) is Transient
        assert "stood still" in caught.value.message
        assert heard == []
        with sending_until(uptime() + 60):
            assert (await call(url)).status == 200
        assert (await call(url)).status == 200
    assert len(heard) == 2


async def test_a_request_whose_head_has_left_is_not_called_unsent() -> None:
    # Inside, because no server can make a process stand still between the head of its request and the body.
    with pytest.raises(_TooLate) as caught:
        await _watch(uptime() - 1)("http11.send_request_body.started", None)
    assert caught.value.begun
    await _watch(uptime() - 1)("http11.receive_response_headers.started", None)
