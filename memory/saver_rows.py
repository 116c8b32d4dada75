"""Between LangGraph's checkpoints and rows of the tables: parameters of statements, and what their answers mean."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple, PendingWrite
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from memory.message_rows import Plan, Segment, Segments, State, Thread
from memory.scope import Claim

MESSAGES = "messages"
# The name under which a checkpoint's JSON points at its messages.
SEGMENTS = "message_segments"

Parameters = dict[str, object]
# Thread, namespace, generation, number.
Place = tuple[str, str, int, int]


def thread_of(config: RunnableConfig) -> Thread:
    """The thread and the namespace that a configuration names."""
    configurable = config["configurable"]
    return str(configurable["thread_id"]), str(configurable.get("checkpoint_ns", ""))


def split(values: Mapping[str, Any]) -> tuple[dict[str, object], dict[str, object]]:
    """The channels' values that are kept inline, and those that are kept as blobs; messages are in neither."""
    inline: dict[str, object] = {}
    blobs: dict[str, object] = {}
    for name, value in values.items():
        if value is None or isinstance(value, str | int | float | bool):
            inline[name] = value
        elif name != MESSAGES or not isinstance(value, list):
            blobs[name] = value
    return inline, blobs


def messages_in(writes: Sequence[tuple[str, object]]) -> list[object]:
    """The objects that were written to the messages."""
    written: list[object] = []
    for channel, value in writes:
        if channel == MESSAGES:
            written += value if isinstance(value, list) else [value]
    return written


def reference(segments: Segments) -> dict[str, object]:
    """What a checkpoint's JSON says of its messages."""
    return {SEGMENTS: _pointed(segments)}


def _pointed(segments: Segments) -> list[list[int]]:
    return [[segment.generation, segment.start, segment.stop] for segment in segments]


def base_columns(base: State | None, checkpoint_id: object) -> Parameters:
    """The checkpoint that messages are shared with, which has to be there as it is known; None = there is none."""
    return {
        "base": checkpoint_id if base is not None else None,
        "base_segments": Jsonb(_pointed(base.segments)) if base is not None else None,
    }


def segments_of(row: DictRow) -> Segments | None:
    """Where a checkpoint's messages are; None when it has none, or LangGraph's own saver stored them as one blob."""
    pointed = row["checkpoint"].get(SEGMENTS)
    return None if pointed is None else tuple(Segment(*segment) for segment in pointed)


def ranges(known: State | None) -> Parameters:
    """The rows that need not be read."""
    segments = known.segments if known is not None else ()
    return {
        "generations": [segment.generation for segment in segments],
        "starts": [segment.start for segment in segments],
        "stops": [segment.stop for segment in segments],
    }


def wanted(listed: Sequence[DictRow]) -> Parameters:
    """The rows that a list of checkpoints points at: of each generation from the first to the last."""
    bounds: dict[tuple[str, str, int], tuple[int, int]] = {}
    for row in listed:
        for segment in segments_of(row) or ():
            key = (row["thread_id"], row["checkpoint_ns"], segment.generation)
            start, stop = bounds.get(key, (segment.start, segment.stop))
            bounds[key] = (min(start, segment.start), max(stop, segment.stop))
    return {
        "threads": [thread_id for thread_id, _, _ in bounds],
        "namespaces": [namespace for _, namespace, _ in bounds],
        "generations": [generation for _, _, generation in bounds],
        "starts": [start for start, _ in bounds.values()],
        "stops": [stop for _, stop in bounds.values()],
    }


def place(row: DictRow) -> Place:
    """Where a message is kept."""
    return row["thread_id"], row["checkpoint_ns"], row["generation"], row["seq"]


def messages_at(row: DictRow, messages: Mapping[Place, object]) -> list[object] | None:
    """The messages of a checkpoint, out of those that were read."""
    segments = segments_of(row)
    if segments is None:
        return None
    return [
        messages[row["thread_id"], row["checkpoint_ns"], segment.generation, number]
        for segment in segments
        for number in range(segment.start, segment.stop)
    ]


def claim_columns(claim: Claim | None) -> Parameters:
    """The claim under which something is written."""
    return {"run": claim.run_id, "fence": claim.fence} if claim is not None else {}


def message_columns(planned: Plan, dumped: Sequence[tuple[str, bytes]]) -> Parameters:
    """The messages that become rows."""
    return {
        "generation": planned.generation,
        "numbers": list(planned.numbers) if dumped else [],
        "message_types": [kind for kind, _ in dumped],
        "message_blobs": [blob for _, blob in dumped],
    }


def blob_columns(dumped: Sequence[tuple[str, str, str, str, str, bytes | None]]) -> Parameters:
    """The values of the other channels."""
    return {
        "channels": [channel for _, _, channel, _, _, _ in dumped],
        "versions": [version for _, _, _, version, _, _ in dumped],
        "types": [kind for _, _, _, _, kind, _ in dumped],
        "blobs": [blob for _, _, _, _, _, blob in dumped],
    }


def write_columns(
    dumped: Sequence[tuple[str, str, str, str, str, int, str, str, bytes]], claim: Claim | None, *, newest: bool
) -> Parameters:
    """What a task wrote; of several under one number the last where the ``newest`` stays, as if each came by itself."""
    chosen = list({row[5]: row for row in dumped}.values()) if newest else dumped
    thread_id, namespace, checkpoint_id, task_id, task_path = dumped[0][:5] if dumped else ("", "", "", "", "")
    return {
        "thread": thread_id,
        "ns": namespace,
        "id": checkpoint_id,
        "task": task_id,
        "path": task_path,
        "numbers": [number for *_, number, _, _, _ in chosen],
        "channels": [channel for *_, channel, _, _ in chosen],
        "types": [kind for *_, kind, _ in chosen],
        "blobs": [blob for *_, blob in chosen],
        **claim_columns(claim),
    }


def checkpoint_tuple(row: DictRow, values: dict[str, Any], writes: list[PendingWrite]) -> CheckpointTuple:
    """A checkpoint as LangGraph expects it."""
    checkpoint = {name: value for name, value in row["checkpoint"].items() if name != SEGMENTS}
    parent = row["parent_checkpoint_id"]
    return CheckpointTuple(
        config=_named(row, row["checkpoint_id"]),
        checkpoint=cast("Any", {**checkpoint, "channel_values": values}),
        metadata=row["metadata"],
        parent_config=_named(row, parent) if parent else None,
        pending_writes=writes,
    )


def _named(row: DictRow, checkpoint_id: str) -> RunnableConfig:
    return {
        "configurable": {
            "thread_id": row["thread_id"],
            "checkpoint_ns": row["checkpoint_ns"],
            "checkpoint_id": checkpoint_id,
        }
    }
