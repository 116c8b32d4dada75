"""What the sandbox's model will say: turns that tests write beforehand, and what it was asked."""

import itertools
from collections import deque
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

NOTHING_SCRIPTED = (
    "Hello! I am the model of Studio's sandbox, and nobody has scripted an answer for me, so I cannot really help. "
    "Post turns to /_sandbox/chat/script and ask me again."
)
REQUESTS_KEPT = 2_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToolCall(_Strict):
    """A call the model makes; ``arguments`` is an object, or a raw string that need not be JSON."""

    name: str
    arguments: dict[str, object] | str = Field(default_factory=dict)
    id: str | None = None


class Usage(_Strict):
    """Token counts to report; left out, they are estimated at four characters a token."""

    prompt_tokens: int
    completion_tokens: int


class TurnFault(_Strict):
    """What goes wrong in one turn.

    ``delay``: wait delay_seconds before anything. ``drop_before``: close the connection with no answer.
    ``drop_midway``: close it after ``after_chunks`` chunks of the stream (of a plain answer, after half).
    ``error_midway``: an error event after ``after_chunks`` chunks, then the end. ``stall``: nothing more for
    delay_seconds after ``after_chunks`` chunks, then go on. ``status``: refuse with status, body and headers.
    ``no_done``: end the stream without [DONE].
    """

    kind: Literal["delay", "drop_before", "drop_midway", "error_midway", "stall", "status", "no_done"]
    delay_seconds: float = 0.0
    after_chunks: int = 2
    status: int = 500
    body: dict[str, object] | None = None
    headers: dict[str, str] = Field(default_factory=dict)


class Turn(_Strict):
    """One answer of the model; with neither content nor tool calls it says nothing at all."""

    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage | None = None
    chunk_delay_seconds: float = 0.0
    finish_reason: str | None = None
    fault: TurnFault | None = None


class Script(_Strict):
    """Turns in order; ``match`` None serves every request, else those whose last user message contains it.

    ``repeat`` begins again at the first turn when the last one was said: an endless loop.
    """

    turns: tuple[Turn, ...] = Field(min_length=1)
    match: str | None = None
    repeat: bool = False


class ChatScripts:
    """The scripts that are left, and the requests that came; a script with a match goes before one without."""

    def __init__(self) -> None:
        self._scripts: list[tuple[Script, deque[Turn]]] = []
        self.requests: deque[dict[str, object]] = deque(maxlen=REQUESTS_KEPT)
        self._numbers = itertools.count(1)

    def add(self, script: Script) -> None:
        """Put a script behind those that are there."""
        self._scripts.append((script, deque(script.turns)))

    def next_turn(self, last_user_message: str) -> Turn | None:
        """The turn that answers this message, used up by asking; None when nothing is scripted for it."""
        for script, left in sorted(self._scripts, key=lambda pair: pair[0].match is None):
            if left and (script.match is None or script.match in last_user_message):
                turn = left.popleft()
                if script.repeat and not left:
                    left.extend(script.turns)
                return turn
        return None

    def received(self, body: dict[str, object]) -> None:
        """Remember a request as it came, numbered from 1."""
        self.requests.append({"seq": next(self._numbers), **body})

    def left(self) -> list[dict[str, object]]:
        """Scripts with turns left."""
        return [
            {"match": script.match, "repeat": script.repeat, "turns_left": len(left)}
            for script, left in self._scripts
            if left
        ]

    def clear(self) -> None:
        """Forget scripts and requests."""
        self._scripts.clear()
        self.requests.clear()
