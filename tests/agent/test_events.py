"""Every event of a run is what the AG-UI protocol's own package reads as such."""

from ag_ui.core import Event
from pydantic import BaseModel, TypeAdapter

from tests.agent.house import House, Script, calling


async def test_a_log_is_valid_ag_ui(house: House, script: Script) -> None:
    script(
        calling(("keep_note", {"text": "a"}), ("publish", {"text": "b"}), content="On it."),
        "Published.",
        calling(("publish", {"text": "c"})),
        "Fine.",
        *[{"content": "", "fault": {"kind": "drop_before"}}] * 3,
    )
    view = await house.ask("publish b")
    done = await house.answer(view.id, "approve")
    waiting = await house.ask("publish c", thread_id=done.thread_id)
    other = await house.ask("no", thread_id=done.thread_id)
    failed = await house.ask("again", thread_id=done.thread_id)
    adapter: TypeAdapter[BaseModel] = TypeAdapter(Event)
    seen = set()
    for run in (done, waiting, other, failed):
        for event in await house.events(run.id):
            parsed = adapter.validate_python(event.data)
            seen.add(event.data["type"])
            # Nothing is lost in reading, and nothing is there that the protocol does not know.
            assert parsed.model_dump(mode="json", by_alias=True) == event.data
            assert not parsed.model_extra
    assert seen == {
        "RUN_STARTED",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END",
        "TOOL_CALL_START",
        "TOOL_CALL_ARGS",
        "TOOL_CALL_END",
        "TOOL_CALL_RESULT",
        "RUN_FINISHED",
        "RUN_ERROR",
    }
