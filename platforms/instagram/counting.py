"""What Instagram counts of a live post: its public counts, and its insights where they may be read.

One metric that a kind of post does not have fails the whole call, so that the kind is asked first. What is not counted
yet is left out by Meta, which is not zero.
"""

from collections.abc import Mapping, Sequence

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Counts
from platforms.errors import Refused
from platforms.graph import Graph
from platforms.progress import text

# Meta's error for an object that is not there (any more), or not ours to see.
GONE = "100/33"
_PUBLIC = "media_product_type,like_count,comments_count"
_METRICS = {"STORY": "views,reach,shares"}
_LASTING_METRICS = "views,reach,saved,shares"
# No permission for insights, or a story with fewer than five viewers; a metric this post does not have.
_NOT_TOLD = frozenset({"10", "100"})


async def read_counts(graph: Graph, post_ids: Sequence[str], *, token: str) -> dict[str, Counts]:
    """The counts of each post that is still there, two calls for each."""
    counts = {}
    for post_id in post_ids:
        try:
            public = await graph.get(post_id, token=token, fields=_PUBLIC)
            kind = text(public, "media_product_type") or ""
            insights = await _insights(graph, post_id, _METRICS.get(kind, _LASTING_METRICS), token=token)
        except Refused as refusal:
            if refusal.platform_code != GONE:
                raise
            continue
        counts[post_id] = Counts(
            views=insights.get("views"),
            reach=insights.get("reach"),
            likes=_number(public.get("like_count")),
            comments=_number(public.get("comments_count")),
            shares=insights.get("shares"),
            saves=insights.get("saved"),
        )
    return counts


async def _insights(graph: Graph, post_id: str, metrics: str, *, token: str) -> Mapping[str, int | None]:
    try:
        answer = await graph.get(f"{post_id}/insights", token=token, metric=metrics)
    except Refused as refusal:
        if refusal.platform_code not in _NOT_TOLD:
            raise
        return {}
    data = answer.get("data")
    entries = data if isinstance(data, Sequence) and not isinstance(data, str) else ()
    return {text(entry, "name") or "": _first_value(entry) for entry in entries if isinstance(entry, dict)}


def _first_value(entry: JsonObject) -> int | None:
    values = entry.get("values")
    first = values[0] if isinstance(values, Sequence) and not isinstance(values, str) and values else None
    return _number(first.get("value")) if isinstance(first, dict) else None


def _number(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
