"""`studio ask` and `studio chat` against a real server: streams, approvals, memory, and a server that is not there."""

import asyncio
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from rich.console import Console

from api import terminal
from api.client import Server, remembered_thread
from tests.api.conftest import Served
from tests.api.test_approvals import draft, eventually


@pytest.fixture
def server(served: Served, owner_key: str) -> Server:
    """Where the terminal connects, as an owner."""
    return Server(url=served.url, key=SecretStr(owner_key))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "chat.json"


def console() -> Console:
    return Console(file=StringIO(), width=200, color_system=None)


def said(screen: Console) -> str:
    assert isinstance(screen.file, StringIO)
    return screen.file.getvalue()


async def test_a_conversation_goes_on_from_one_ask_to_the_next(
    server: Server, state: Path, owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    screen = console()
    assert await terminal.ask(server, "Show me the drafts", console=screen, state_file=state) == terminal.DONE
    assert "✓ list_posts" in said(screen)
    assert str(post["code"]) in said(screen)
    first = remembered_thread(state, server.url)
    screen = console()
    assert await terminal.ask(server, "Schedule it for tomorrow 9am", console=screen, state_file=state) == terminal.DONE
    assert "09:00 Europe/Madrid" in said(screen)
    assert remembered_thread(state, server.url) == first
    await terminal.ask(server, "Show me the drafts", console=console(), state_file=state, new=True)
    assert remembered_thread(state, server.url) != first
    await owner.delete(f"/v1/threads/{remembered_thread(state, server.url)}")
    assert await terminal.ask(server, "Show me the drafts", console=console(), state_file=state) == terminal.DONE


async def test_what_asks_first_is_answered_by_its_id(
    server: Server, state: Path, owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    screen = console()
    status = await terminal.ask(server, f"Publish {post['code']} now", console=screen, state_file=state)
    assert status == terminal.WAITING
    approval_id = (await owner.get("/v1/approvals")).json()["items"][0]["id"]
    assert f"studio ask --approve {approval_id}" in said(screen)
    screen = console()
    assert await terminal.decide(server, approval_id, "approve", console=screen) == terminal.DONE
    assert "✓ publish_post" in said(screen)
    assert "Publish" not in said(screen).splitlines()[0]  # what was said before the answer is not said again
    await eventually(owner, f"/v1/posts/{post['id']}", "posted")
    screen = console()
    assert await terminal.decide(server, approval_id, "approve", console=screen) == terminal.FAILED


async def test_a_plain_yes_or_no_answers_what_the_conversation_waits_for(
    server: Server, state: Path, owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    for word, status in (("no", "draft"), ("Yes!", "posted")):
        words = f"Publish {post['code']} now"
        assert await terminal.ask(server, words, console=console(), state_file=state) == terminal.WAITING
        screen = console()
        assert await terminal.ask(server, word, console=screen, state_file=state) == terminal.DONE
        await eventually(owner, f"/v1/posts/{post['id']}", status)
    assert "✓ publish_post" in said(screen)


async def test_a_person_at_the_terminal_is_asked_at_once(
    server: Server, state: Path, owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    words = f"Publish {post['code']} now"

    def gone(_prompt: str) -> str:
        raise EOFError

    screen = console()
    status = await terminal.ask(server, words, console=screen, state_file=state, read=gone)
    assert status == terminal.WAITING
    assert "studio ask --approve" in said(screen)  # unanswered it goes on waiting
    status = await terminal.ask(server, words, console=console(), state_file=state, read=lambda _prompt: "yes")
    assert status == terminal.DONE
    await eventually(owner, f"/v1/posts/{post['id']}", "posted")


async def test_a_question_that_was_withdrawn_says_so(
    server: Server, state: Path, owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    await terminal.ask(server, f"Publish {post['code']} now", console=console(), state_file=state)
    approval_id = (await owner.get("/v1/approvals")).json()["items"][0]["id"]
    await terminal.ask(server, "Show me the drafts", console=console(), state_file=state)
    screen = console()
    assert await terminal.decide(server, approval_id, "approve", console=screen) == terminal.FAILED
    assert "withdrawn" in said(screen)
    assert "ask for it again" in said(screen)


async def test_what_was_refused_is_said_once(server: Server, state: Path, owner: httpx.AsyncClient) -> None:
    screen = console()
    await terminal.ask(server, "cancel QQQQ7", console=screen, state_file=state)
    assert "✕ cancel_post" in said(screen)
    assert said(screen).count("There is no post") == 1


async def test_a_chat_asks_in_the_terminal(
    server: Server, state: Path, owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    lines: Iterator[str] = iter([f"Publish {post['code']} now", "no", "", "/new", "Which accounts are connected?"])
    prompts: list[str] = []

    def read(prompt: str) -> str:
        prompts.append(prompt)
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    screen = console()
    # A loop of its own, in a thread: the chat is a program that owns its process.
    status = await asyncio.to_thread(terminal.chat, server, console=screen, state_file=state, read=read)
    assert status == terminal.DONE
    assert "Approve? [y/N] " in prompts
    assert "Your approval" in said(screen)
    assert "It was rejected, so nothing was done." in said(screen)
    assert "Do not try it again" not in said(screen)  # advice to a language model
    assert "roastery" in said(screen)
    assert (await owner.get(f"/v1/posts/{post['id']}")).json()["status"] == "draft"
    assert len((await owner.get("/v1/threads")).json()["items"]) == 2


async def test_a_server_that_is_not_there_and_a_key_that_is_wrong_say_what_to_do(
    served: Served, state: Path, unused_port: int
) -> None:
    screen = console()
    absent = Server(url=f"http://127.0.0.1:{unused_port}", key=SecretStr("x"))
    assert await terminal.ask(absent, "hello", console=screen, state_file=state) == terminal.FAILED
    assert "No Studio answers" in said(screen)
    assert "studio demo" in said(screen)
    screen = console()
    wrong = Server(url=served.url, key=SecretStr("studio_wrong"))
    assert await terminal.ask(wrong, "hello", console=screen, state_file=state) == terminal.FAILED
    assert "STUDIO_API_KEY" in said(screen)
    assert "studio_wrong" not in said(screen)


def test_what_comes_from_outside_moves_no_cursor() -> None:
    screen = console()
    drawn = terminal.Screen(console=screen)
    drawn.show({"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": "a\x1b]0;owned\x07\x1b[2Jb [red]c[/red]"})
    drawn.show({"type": "TOOL_CALL_RESULT", "toolCallId": "t", "content": '{"error": {"message": "no\\u001b[31m"}}'})
    drawn.rest()
    assert "\x1b" not in said(screen)
    assert "\x07" not in said(screen)
    assert "[red]c[/red]" in said(screen)
    assert "✕" in said(screen)
