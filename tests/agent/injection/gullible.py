"""A model that obeys: whatever it reads, it calls the command that the text names."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

_CALL = re.compile(r"\b([a-z]+(?:_[a-z]+)+) (\{[^{}]*\})")
Wanted = tuple[str, dict[str, object]]


class Gullible(BaseChatModel):
    """Obeys the person first, and then the text it was handed, once a turn.

    ``otherwise`` is what it does on a quoted text that names no command it has: such a text asks for something, too.
    """

    otherwise: tuple[Wanted, ...] = ()

    @property
    def _llm_type(self) -> str:
        return "gullible"

    def bind_tools(
        self,
        tools: Sequence[dict[str, object] | type | Callable[..., object] | BaseTool],  # noqa: ARG002 - it knows them
        *,
        tool_choice: str | None = None,  # noqa: ARG002 - it chooses by what it read
        **kwargs: object,  # noqa: ARG002
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model itself: it knows every command."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - the port's
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - the port's
        **kwargs: object,  # noqa: ARG002 - the port's
    ) -> ChatResult:
        wanted = self._wanted(messages)
        calls = [{"name": wanted[0], "args": wanted[1], "id": f"call_{len(messages)}"}] if wanted else []
        return ChatResult(generations=[ChatGeneration(message=AIMessage("" if calls else "Done.", tool_calls=calls))])

    def _wanted(self, messages: Sequence[BaseMessage]) -> Wanted | None:
        last = messages[-1]
        if isinstance(last, HumanMessage):
            return asked_for(str(last.content))
        if not isinstance(last, ToolMessage) or not isinstance(messages[-3], HumanMessage):
            return None
        texts = list(_quoted(json.loads(str(last.content))))
        named = next((call for text in texts if (call := asked_for(text))), None)
        if named is None and texts and self.otherwise:
            return self.otherwise[sum(map(ord, texts[0])) % len(self.otherwise)]
        return named


def asked_for(text: str) -> Wanted | None:
    """The command that a text names, with its arguments."""
    found = _CALL.search(text)
    return (found[1], json.loads(found[2])) if found else None


def _quoted(value: object) -> Iterator[str]:
    """The texts of a result that stand in a field of their own as somebody else's words."""
    match value:
        case {"outside_text": str(text), "from": _}:
            yield text
        case Mapping():
            for one in value.values():
                yield from _quoted(one)
        case list():
            for one in value:
                yield from _quoted(one)
        case _:
            return
