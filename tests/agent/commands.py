"""Small commands behind a real door, so that tests of the agent depend on no part of the product."""

import asyncio
import hashlib

from pydantic import Field

from core.errors import Ambiguous, Candidate, InvalidInput
from tools.catalog import Catalog
from tools.command import Arguments, Effect, Proposal, Result, command
from tools.context import Context

# What "publish" would put out; a test changes it to make an approval stale.
CONTENT = {"text": "the content"}


class Note(Arguments):
    """Arguments of the commands that keep a text."""

    text: str = Field(min_length=1)


class Slow(Arguments):
    """Arguments of slow_note."""

    text: str
    seconds: float


class Nothing(Arguments):
    """No arguments."""


class Kept(Result):
    """What was kept."""

    text: str


class Big(Result):
    """Far too much."""

    items: tuple[str, ...]


@command(title="Keep a note", effect=Effect.WRITE)
async def keep_note(context: Context, arguments: Note) -> Kept:
    """Keep a note."""
    return Kept(summary=f"Kept “{arguments.text}” in {context.caller.zone}.", text=arguments.text)


async def _wait(_context: Context, arguments: Slow) -> None:
    await asyncio.sleep(arguments.seconds)


@command(title="Keep a note slowly", effect=Effect.WRITE, gather=_wait)
async def slow_note(_context: Context, arguments: Slow, _gathered: None) -> Kept:
    """Keep a note after a while."""
    return Kept(summary=f"Kept “{arguments.text}”.", text=arguments.text)


async def _propose(_context: Context, arguments: Note) -> Proposal:
    meant = "post 1" if arguments.text == "it" else arguments.text
    shown = hashlib.sha256(f"{meant}: {CONTENT['text']}".encode()).hexdigest()
    return Proposal(summary=f"Publish “{arguments.text}” now?", content_hash=shown, pinned={"text": meant})


@command(title="Publish", effect=Effect.IRREVERSIBLE, propose=_propose)
async def publish(_context: Context, arguments: Note) -> Kept:
    """Publish a text at once."""
    return Kept(summary=f"Published “{arguments.text}”.", text=arguments.text)


@command(title="Refuse", effect=Effect.WRITE)
async def choose(_context: Context, arguments: Note) -> Kept:
    """Refuse everything: nothing is clear enough."""
    if arguments.text == "past":
        raise InvalidInput("That time is over.", code="time_in_the_past", action="Say a time that is ahead.")
    raise Ambiguous(
        "That could be two posts.", candidates=[Candidate(id="1", label="the espresso"), Candidate(id="2", label="it")]
    )


@command(title="Break", effect=Effect.WRITE)
async def break_down(_context: Context, _arguments: Nothing) -> Kept:
    """Break down."""
    raise RuntimeError("a secret of the inside")


@command(title="Read a lot", effect=Effect.READ)
async def read_much(_context: Context, _arguments: Nothing) -> Big:
    """Read a megabyte."""
    return Big(summary="A lot.", items=tuple("x" * 1000 for _ in range(1000)))


@command(title="Hidden", effect=Effect.WRITE, agent=False)
async def hidden(_context: Context, _arguments: Nothing) -> Kept:
    """Keep away from models."""
    return Kept(summary="Hidden.", text="hidden")


def catalog_of_tests() -> Catalog:
    """The commands above."""
    return Catalog((keep_note, slow_note, publish, choose, break_down, read_much, hidden))
