"""Reading what a claimed post needs to go out: one statement for all the posts of a workspace that are asked for."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from db.models.account import Account, Asset
from db.models.post import Post, PostMedium, PublishAttempt
from db.queries.posts import PostMedia, PostMediumRow
from db.together import Pipeline


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """Which post is asked for: nothing is answered when its fence has moved on."""

    id: UUID
    workspace_id: UUID
    fence: int


@dataclass(frozen=True, kw_only=True)
class DuePost:
    """A claimed post with everything around it. The entities belong to no session: they are read and thrown away.

    ``seen`` names this state of the row: whoever begins the post does so only while it is unchanged. ``attempt`` is the
    newest, open or not. ``media.cover`` is not read. ``known_post_ids`` are the network's ids of the account's other
    posts that went live since the attempt began (with ten minutes to spare).
    """

    post: Post
    account: Account
    attempt: PublishAttempt | None
    media: PostMedia
    seen: str
    now: datetime
    known_post_ids: frozenset[str]


_POST = (
    "id", "workspace_id", "code", "account_id", "platform", "format", "options", "status", "approval", "approved_hash",
    "caption", "scheduled_for", "attempts", "last_error", "fence",
)  # fmt: skip
_ACCOUNT = (
    "id", "workspace_id", "platform", "external_id", "handle", "status", "login", "access_token", "refresh_token",
    "details",
)  # fmt: skip
_ATTEMPT = (
    "id", "number", "state", "step", "step_irreversible", "intent_at", "progress", "steps", "content_hash", "refreshed",
    "started_at",
)  # fmt: skip
_ASSET = (
    "id", "sha256", "kind", "mime_type", "size_bytes", "width", "height", "duration_seconds", "frame_rate",
    "video_codec", "audio_codec", "bit_rate", "derived_from", "derivation", "name", "source_url", "created_at",
)  # fmt: skip


def _columns(table: str, names: Sequence[str]) -> str:
    return ", ".join(f"{table}.{name} as {table}_{name}" for name in names)


_READ = f"""
select {_columns("p", _POST)}, {_columns("a", _ACCOUNT)}, {_columns("t", _ATTEMPT)},
  p.xmin::text as seen, studio_now() as now, media.listed as media, known.ids as known
from unnest(%(posts)s::uuid[], %(fences)s::bigint[]) as asked(id, fence)
join posts p on p.id = asked.id and p.fence = asked.fence and p.status in ('scheduled', 'publishing')
join accounts a on a.workspace_id = p.workspace_id and a.id = p.account_id
left join lateral (
  select * from publish_attempts each where each.post_id = p.id order by each.number desc limit 1
) t on true
left join lateral (
  select jsonb_agg(to_jsonb(s) || jsonb_build_object('alt_text', m.alt_text) order by m.position) as listed
  from post_media m join assets s on s.workspace_id = m.workspace_id and s.id = m.asset_id where m.post_id = p.id
) media on true
left join lateral (
  select array_agg(o.platform_post_id) as ids from posts o
  where o.workspace_id = p.workspace_id and o.account_id = p.account_id and o.id <> p.id and o.status = 'posted'
    and o.platform_post_id is not null
    and o.published_at >= case when t.state in ('open', 'retry') then t.started_at else studio_now() end
      - interval '10 minutes'
) known on true
"""


async def read(pipeline: Pipeline, claims: Sequence[Claimed]) -> Callable[[], Awaitable[Sequence[DuePost | None]]]:
    """What the posts need, in order; None for one that is no longer ours to send."""
    by_workspace: dict[UUID, list[Claimed]] = defaultdict(list)
    for claim in claims:
        by_workspace[claim.workspace_id].append(claim)
    asked = [
        await pipeline.execute(
            workspace_id, _READ, {"posts": [each.id for each in few], "fences": [each.fence for each in few]}
        )
        for workspace_id, few in by_workspace.items()
    ]

    async def answers() -> Sequence[DuePost | None]:
        found = {(row["p_id"], row["p_fence"]): _due(row) for rows in asked for row in await rows.all()}
        return [found.get((claim.id, claim.fence)) for claim in claims]

    return answers


def _due(row: Mapping[str, object]) -> DuePost:
    post = Post(**{name: row[f"p_{name}"] for name in _POST})
    attempt = None
    if row["t_id"] is not None:
        values = {name: row[f"t_{name}"] for name in _ATTEMPT}
        attempt = PublishAttempt(workspace_id=post.workspace_id, post_id=post.id, **values)
    listed = cast("list[dict[str, object]]", row["media"] or [])
    return DuePost(
        post=post,
        account=Account(**{name: row[f"a_{name}"] for name in _ACCOUNT}),
        attempt=attempt,
        media=PostMedia(_medium(position, one) for position, one in enumerate(listed)),
        seen=cast("str", row["seen"]),
        now=cast("datetime", row["now"]),
        known_post_ids=frozenset(cast("list[str]", row["known"] or [])),
    )


def _medium(position: int, listed: Mapping[str, object]) -> PostMediumRow:
    values = {name: listed[name] for name in _ASSET}
    asset_id = UUID(str(values["id"]))
    values |= {"id": asset_id, "created_at": datetime.fromisoformat(str(values["created_at"]))}
    medium = PostMedium(position=position, asset_id=asset_id, alt_text=cast("str | None", listed["alt_text"]))
    return PostMediumRow(medium=medium, asset=Asset(**values))
