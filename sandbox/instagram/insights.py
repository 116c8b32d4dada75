"""What an Instagram post is said to have been seen and liked: GET /{media}/insights, as strict as it is documented.

One metric that does not belong to the kind of post fails the whole call; what was never counted is left out of the
data, which is not zero.
"""

from sandbox.graph_call import GraphCall
from sandbox.graph_errors import GraphError, bad_parameter
from sandbox.instagram.containers import DAY
from sandbox.instagram.reading import Medium, product_type

_EVERYWHERE = frozenset({"reach", "views", "shares", "reposts", "total_interactions"})
_LASTING = frozenset({"likes", "comments", "saved"})
_PROFILE = frozenset({"follows", "profile_visits", "profile_activity"})
METRICS = {
    "FEED": _EVERYWHERE | _LASTING | _PROFILE,
    "REELS": _EVERYWHERE
    | _LASTING
    | {"ig_reels_avg_watch_time", "ig_reels_video_view_total_time", "reels_skip_rate", "crossposted_views"},
    "STORY": _EVERYWHERE | _PROFILE | {"navigation", "replies", "link_clicks"},
}
# With Facebook Login only, and for which kinds of post.
TOTALS = {"total_likes": {"FEED", "REELS"}, "total_comments": {"FEED", "REELS"}, "total_views": set(METRICS)}
# They throw for what is not shared to Facebook, and nothing is here; "impressions" is for media before July 2024.
THROWING = frozenset({"crossposted_views", "facebook_views", "impressions"})
KNOWN = frozenset().union(*METRICS.values(), TOTALS, THROWING)
COUNTER = {"reach": "reach", "views": "views", "shares": "shares", "saved": "saves", "total_views": "views"}
LEAST_VIEWERS = 5


def insights(call: GraphCall, medium: Medium) -> dict[str, object]:
    """The metrics that were asked for, as far as anything was counted."""
    call.only({"metric", "period"})
    if call.parameters.get("period", "lifetime") != "lifetime":
        raise bad_parameter("period must be lifetime for the insights of a media.")
    names = [name.strip() for name in call.required("metric").split(",") if name.strip()]
    for position, name in enumerate(names):
        _check(call, medium, name, position)
    post = medium.post
    if medium.picture is not None:
        return {"data": []}
    if product_type(post) == "STORY":
        if call.now - post.published_at > DAY:
            return {"data": []}
        if post.counts.get("reach", 0) < LEAST_VIEWERS:
            raise GraphError("(#10) Not enough viewers for the media to show insights", code=10)
    values = ((name, _value(medium, name)) for name in names)
    return {"data": [_described(post.id, name, value) for name, value in values if value is not None]}


def _check(call: GraphCall, medium: Medium, name: str, position: int) -> None:
    if name not in KNOWN:
        raise bad_parameter(f"metric[{position}] must be one of the following values: {', '.join(sorted(KNOWN))}")
    kind = product_type(medium.post)
    is_total = call.login == "facebook" and kind in TOTALS.get(name, set())
    if name in THROWING or (name not in METRICS[kind] and not is_total):
        raise bad_parameter(f"The Media Insights API does not support the {name} metric for this media product type.")


def _value(medium: Medium, name: str) -> int | None:
    post = medium.post
    match name:
        case "likes" | "total_likes":
            return post.like_count
        case "comments" | "total_comments":
            return post.comments_count
        case "total_interactions":
            return post.like_count + post.comments_count + post.counts.get("shares", 0) + post.counts.get("saves", 0)
        case _:
            return post.counts.get(COUNTER.get(name, ""))


def _described(post_id: str, name: str, value: int) -> dict[str, object]:
    return {
        "name": name,
        "period": "lifetime",
        "values": [{"value": value}],
        "title": name.replace("_", " ").title(),
        "description": f"How often this post counted: {name}.",
        "id": f"{post_id}/insights/{name}/lifetime",
    }
