"""`studio ask` and `studio chat`: what a run says and does, in a terminal."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import httpx
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from api.client import Event, Refused, Server, StudioClient, Turn, connect, remember_thread, remembered_thread
from core.errors import StudioError

DONE, FAILED, WAITING = 0, 1, 3
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_YES = frozenset({"yes", "y", "ok", "okay", "approve", "yes please", "go ahead", "do it"})
_NO = frozenset({"no", "n", "reject", "no thanks", "don't"})
_QUIT = frozenset({"/quit", "/exit", "quit", "exit"})
_NEW = "/new"

Read = Callable[[str], str]


@dataclass(kw_only=True)
class Screen:
    """Draws the events of a run. ``interrupts`` are the questions it ended with, ``failed`` that it went wrong."""

    console: Console
    names: dict[str, str] = field(default_factory=dict)
    interrupts: list[Event] = field(default_factory=list)
    failed: bool = False
    _speaking: bool = False
    _said: str = ""
    _refusals: list[str] = field(default_factory=list)

    def show(self, event: Event) -> None:
        """Draw one event."""
        match event.get("type"):
            case "RUN_STARTED":
                self.interrupts = []  # whatever was asked before is answered
            case "TEXT_MESSAGE_CONTENT":
                self._speaking = True
                self._said += str(event.get("delta", ""))
                self._write(str(event.get("delta", "")), end="")
            case "TEXT_MESSAGE_END":
                self.rest()
            case "TOOL_CALL_START":
                self.learn(event)
            case "TOOL_CALL_RESULT":
                self.rest()
                self._result(event)
            case "RUN_FINISHED":
                self.rest()
                self._finish(event)
            case "RUN_ERROR":
                self.rest()
                self.failed = True
                self._write(str(event.get("message") or "That did not work."), style="red")
            case "CUSTOM" if event.get("name") == "attempt" and self._speaking:
                self.rest()
                self._write("(interrupted; once more)", style="dim")
            case _:
                return

    def learn(self, event: Event) -> None:
        """Remember which command a call is of."""
        if event.get("type") == "TOOL_CALL_START":
            self.names[str(event.get("toolCallId"))] = str(event.get("toolCallName"))

    def rest(self) -> None:
        """End a line that is being written."""
        if self._speaking:
            self.console.print()
        self._speaking = False

    def _finish(self, event: Event) -> None:
        outcome = event.get("outcome")
        kind = outcome.get("type") if isinstance(outcome, dict) else "success"
        if isinstance(outcome, dict) and kind == "interrupt":
            self.interrupts = cast("list[Event]", outcome.get("interrupts", []))
        if kind == "cancelled":
            self._write("Stopped.", style="dim")
        for words in self._refusals:
            if words not in self._said:  # the agent kept it to itself
                self._write(words, style="dim")

    def _result(self, event: Event) -> None:
        name = self.names.get(str(event.get("toolCallId")), "")
        ok, words = outcome_of(event.get("content"))
        line = Text("✓ " if ok else "✕ ", style="green" if ok else "red")
        line.append(name, style="bold" if not ok else "dim")
        if not ok:
            self._refusals.append(words)
        elif not name:
            line.append(clean(words), style="dim")
        self.console.print(line, soft_wrap=True)

    def _write(self, words: str, *, style: str = "", end: str = "\n") -> None:
        self.console.print(Text(clean(words), style=style), end=end, soft_wrap=True)


def outcome_of(content: object) -> tuple[bool, str]:
    """Whether a tool did its work, and its sentence: from the JSON of a result, else the text itself."""
    try:
        read = json.loads(content) if isinstance(content, str) else content
    except ValueError:
        read = None
    if not isinstance(read, dict):
        return True, str(content or "")
    error = read.get("error")
    if error or read.get("status") in {"error", "refused"}:
        message = error.get("message") if isinstance(error, dict) else error
        return False, str(message or read.get("message") or read.get("summary") or "refused")
    inner = read.get("result")
    summary = inner.get("summary") if isinstance(inner, dict) else read.get("summary")
    return True, str(summary or "done")


def clean(words: str) -> str:
    """Text without control characters: what comes from outside moves no cursor and changes no title."""
    return _CONTROL.sub("", words)


def show_error(console: Console, error: StudioError) -> None:
    """An error as two lines: what is wrong, and the way out."""
    console.print(Text(clean(error.message), style="red"), soft_wrap=True)
    if error.action:
        console.print(Text(clean(error.action), style="dim"), soft_wrap=True)


async def ask(
    server: Server, text: str, *, console: Console, state_file: Path, new: bool = False, read: Read | None = None
) -> int:
    """Say one sentence in this terminal's conversation (``new``: in a fresh one); the exit status.

    0 done, 1 failed, 3 a person has to say yes first: asked with ``read``, else (None) printed with how to. A plain
    yes or no answers what the conversation waits for.
    """
    turn = Turn()
    try:
        if new:
            remember_thread(state_file, server.url, None)
        waiting = await _waiting_run(server, state_file, text)
        if waiting is not None:
            return await _decide(server, waiting, _decision(text) or "reject", console)
        screen = await _say(server, text, console, state_file, turn)
        while screen.interrupts and read is not None:
            _show_question(console, screen.interrupts[0])
            screen = await _answer(server, _asked(read), screen, turn)
    except EOFError:
        console.print()
    except StudioError as error:
        show_error(console, error)
        return FAILED
    for interrupt in screen.interrupts:
        if read is None:
            _show_question(console, interrupt)
        named = interrupt.get("id")
        hint = f"Answer: studio ask yes, or no. By id: studio ask --approve {named} (or --reject {named})"
        console.print(Text(hint, style="dim"), soft_wrap=True)
    return WAITING if screen.interrupts else FAILED if screen.failed else DONE


async def decide(server: Server, approval_id: str, decision: str, *, console: Console) -> int:
    """Answer an approval by its id ("approve" or "reject"), and follow what comes of it; the exit status as of ask."""
    try:
        async with connect(server) as client:
            approval = await client.call("GET", f"/v1/approvals/{approval_id}")
            if approval.get("status") != "pending":
                console.print(Text(f"This question is closed: it was {approval.get('status')}.", style="red"))
                console.print(Text("If it is still wanted, ask for it again.", style="dim"))
                return FAILED
            run_id = approval.get("run_id")
            if not run_id:
                answer = await client.call("POST", f"/v1/approvals/{approval_id}", {"decision": decision})
                console.print(Text(clean(str(answer.get("summary", "Done.")))), soft_wrap=True)
                return DONE
        return await _decide(server, str(run_id), decision, console)
    except StudioError as error:
        show_error(console, error)
        return FAILED


async def _decide(server: Server, run_id: str, decision: str, console: Console) -> int:
    async with connect(server) as client:
        screen = Screen(console=console)
        turn = Turn(run_id=run_id)
        await _skip_seen(client, turn, screen)
        await _draw(screen, client.resume(turn, decision))
    return WAITING if screen.interrupts else FAILED if screen.failed else DONE


def _decision(words: str) -> str | None:
    """What a plain yes or no decides; None for words that say anything else."""
    plain = words.strip(" .!").lower()
    return "approve" if plain in _YES else "reject" if plain in _NO else None


def _asked(read: Read) -> str:
    return "approve" if _decision(read("Approve? [y/N] ")) == "approve" else "reject"


async def _waiting_run(server: Server, state_file: Path, words: str) -> str | None:
    """The run of this terminal's conversation that waits for an answer, when the words are one."""
    thread_id = remembered_thread(state_file, server.url)
    if thread_id is None or _decision(words) is None:
        return None
    async with connect(server) as client:
        run = (await _thread(client, thread_id) or {}).get("active_run")
    return str(run["id"]) if isinstance(run, dict) and run.get("status") == "waiting" else None


def chat(server: Server, *, console: Console, state_file: Path, read: Read | None = None) -> int:
    """A conversation until /quit or the end of input; /new begins a fresh one, Ctrl-C stops what is running."""
    ask_person = read or (lambda prompt: console.input(prompt, markup=False))
    console.print(Text(f"Studio at {server.url}. /new begins a new conversation, /quit leaves.", style="dim"))
    while True:
        try:
            words = ask_person("> ").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return DONE
        if words.lower() in _QUIT:
            return DONE
        if words == _NEW:
            remember_thread(state_file, server.url, None)
            continue
        if words:
            _turn(server, words, console, state_file, ask_person)


def _turn(server: Server, words: str, console: Console, state_file: Path, read: Read) -> None:
    """One turn of a chat, with its approvals. A loop of its own, so that Ctrl-C ends the turn and not the chat."""
    turn = Turn()
    try:
        screen = asyncio.run(_say(server, words, console, state_file, turn))
        while screen.interrupts:
            _show_question(console, screen.interrupts[0])
            screen = asyncio.run(_answer(server, _asked(read), screen, turn))
    except KeyboardInterrupt:
        console.print()
        if turn.run_id is not None and not turn.ended:
            asyncio.run(_stop(server, turn.run_id))
            console.print(Text("Stopped.", style="dim"))
    except EOFError:
        console.print()
    except StudioError as error:
        show_error(console, error)


async def _say(server: Server, words: str, console: Console, state_file: Path, turn: Turn) -> Screen:
    async with connect(server) as client:
        screen = Screen(console=console)
        thread_id = await _living_thread(client, state_file, server.url)
        await _draw(screen, client.ask(words, thread_id=thread_id, turn=turn))
        remember_thread(state_file, server.url, turn.thread_id)
        return screen


async def _answer(server: Server, decision: str, before: Screen, turn: Turn) -> Screen:
    async with connect(server) as client:
        screen = Screen(console=before.console, names=before.names)
        await _draw(screen, client.resume(turn, decision))
        return screen


async def _stop(server: Server, run_id: str) -> None:
    async with connect(server) as client:
        await client.cancel(run_id)


async def _draw(screen: Screen, events: AsyncIterator[Event]) -> None:
    try:
        async for event in events:
            screen.show(event)
    finally:
        screen.rest()


async def _skip_seen(client: StudioClient, turn: Turn, screen: Screen) -> None:
    """Move past what the run said before it waited, so that only what follows the answer is shown."""
    async for event in client.watch(turn):
        screen.learn(event)


async def _living_thread(client: StudioClient, state_file: Path, url: str) -> str | None:
    """The remembered conversation, unless the server knows it no more (another database, or deleted)."""
    thread_id = remembered_thread(state_file, url)
    return thread_id if thread_id is not None and await _thread(client, thread_id) is not None else None


async def _thread(client: StudioClient, thread_id: str) -> Event | None:
    """A conversation; None when the server knows it no more."""
    try:
        return await client.call("GET", f"/v1/threads/{thread_id}")
    except Refused as error:
        if error.http_status != httpx.codes.NOT_FOUND:
            raise
        return None


def _show_question(console: Console, interrupt: Event) -> None:
    words = Text(clean(str(interrupt.get("message") or interrupt.get("summary") or "May I go on?")))
    console.print(Panel(words, title="Your approval", title_align="left", border_style="yellow"))
