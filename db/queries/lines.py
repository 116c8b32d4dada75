"""Lines of the publishing ledger: what is written about a post under work, many posts in one statement.

Every line holds its post by the fence: it is written whole or, when the fence has moved on, not at all.
"""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from db.queries.publishing import Ending
from db.together import Pipeline


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """A new attempt: begun only while the post's row is as it was ``seen``. ``started_at`` None = now."""

    seen: str
    number: int
    content_hash: str
    progress: Mapping[str, object]
    started_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Line:
    """What is written about one post at once, in a workspace, under a fence.

    ``entries`` are added to the evidence; ``progress`` None stays as it is. ``call``: "sent" says that ``step`` is
    about to be called (or may have happened), "none" that no call is on its way, "kept" leaves what is said of one;
    with the latter two ``step`` names what the post waits for. The lease begins anew, unless ``pause`` gives the post
    back for that long or ``ending`` ends the attempt.
    """

    workspace_id: UUID
    post_id: UUID
    fence: int
    lease: timedelta
    attempt_id: UUID
    entries: Sequence[Mapping[str, object]] = ()
    progress: Mapping[str, object] | None = None
    call: Literal["sent", "none", "kept"] = "kept"
    step: str | None = None
    irreversible: bool = False
    pause: timedelta | None = None
    ending: Ending | None = None
    beginning: Beginning | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What PostgreSQL says of a line: when the call on its way was written down, and when the attempt began."""

    intent_at: datetime | None
    started_at: datetime


# The post's row is updated first, so that it is locked: a fence that moves meanwhile makes us wait, then write nothing.
_WRITE = """
with line as materialized (
  select * from jsonb_to_recordset(%(lines)s::jsonb) as l(
    post uuid, fence bigint, attempt uuid, lease double precision, pause double precision, entries jsonb,
    progress jsonb, call text, step text, irreversible boolean, state text, status text, error jsonb,
    platform_post_id text, permalink text, uncounted bigint)
), held as (
  update posts p set
    status = coalesce(l.status, p.status),
    lease_until = case when l.status is null and l.pause is null then studio_now() + make_interval(secs => l.lease) end,
    next_attempt_at = case
      when l.pause is not null then studio_now() + make_interval(secs => l.pause)
      when l.status is null then studio_now() + make_interval(secs => l.lease) end,
    attempts = p.attempts - l.uncounted,
    last_error = case when l.status is null then p.last_error else l.error end,
    version = p.version + case when l.status is null then 0 else 1 end,
    updated_at = case when l.status is null then p.updated_at else studio_now() end,
    platform_post_id = coalesce(l.platform_post_id, p.platform_post_id),
    permalink = coalesce(l.permalink, p.permalink),
    published_at = case when l.status = 'posted' then studio_now() else p.published_at end
  from line l where p.id = l.post and p.fence = l.fence and p.status = 'publishing'
  returning p.id, l.fence
)
update publish_attempts a set
  steps = a.steps || l.entries,
  progress = coalesce(l.progress, a.progress),
  step = case when l.call = 'kept' then coalesce(l.step, a.step) else l.step end,
  step_irreversible = case l.call when 'sent' then l.irreversible when 'none' then false else a.step_irreversible end,
  intent_at = case l.call when 'sent' then studio_now() when 'kept' then a.intent_at end,
  state = coalesce(l.state, a.state),
  ended_at = case when l.state is null then a.ended_at else studio_now() end,
  error = case when l.state is null then a.error else l.error end
from line l join held on held.id = l.post and held.fence = l.fence
where a.id = l.attempt and a.post_id = l.post
returning a.post_id as post, l.fence, a.intent_at, a.started_at
"""

_BEGIN = """
with line as materialized (
  select * from jsonb_to_recordset(%(lines)s::jsonb) as l(
    post uuid, fence bigint, attempt uuid, lease double precision, entries jsonb, progress jsonb, call text, step text,
    irreversible boolean, seen text, number bigint, content_hash text, started_at timestamptz)
), held as (
  update posts p set status = 'publishing', attempts = p.attempts + 1,
    lease_until = studio_now() + make_interval(secs => l.lease),
    next_attempt_at = studio_now() + make_interval(secs => l.lease)
  from line l
  where p.id = l.post and p.fence = l.fence and p.status in ('scheduled', 'publishing') and p.xmin::text = l.seen
  returning p.id, p.workspace_id, l.fence
), begun as (
insert into publish_attempts (id, workspace_id, post_id, number, state, progress, steps, content_hash, started_at, step,
  step_irreversible, intent_at)
select l.attempt, held.workspace_id, l.post, l.number, 'open', l.progress, l.entries, l.content_hash,
  coalesce(l.started_at, studio_now()), l.step, l.irreversible, case when l.call = 'sent' then studio_now() end
from line l join held on held.id = l.post and held.fence = l.fence
returning post_id, intent_at, started_at
)
select held.id as post, held.fence, begun.intent_at, begun.started_at from begun join held on held.id = begun.post_id
"""


async def write(pipeline: Pipeline, lines: Sequence[Line]) -> Callable[[], Awaitable[Sequence[Written | None]]]:
    """Write at most one line under each fence; None for one that has moved on, or whose post changed before it began.

    Posts are taken in the order of their ids, so that two writers wait for each other and never in a circle.
    """
    sorted_in: dict[tuple[UUID, str], list[dict[str, object]]] = defaultdict(list)
    for line in sorted(lines, key=lambda each: (each.workspace_id, each.post_id)):
        if line.beginning is None:
            sorted_in[line.workspace_id, _WRITE].append(_plain(line))
        else:
            sorted_in[line.workspace_id, _BEGIN].append(_plain_beginning(line, line.beginning))
    sent = [
        await pipeline.execute(workspace_id, statement, {"lines": json.dumps(few)})
        for (workspace_id, statement), few in sorted_in.items()
    ]

    async def answers() -> Sequence[Written | None]:
        written = {
            (row["post"], row["fence"]): Written(intent_at=row["intent_at"], started_at=row["started_at"])
            for rows in sent
            for row in await rows.all()
        }
        return [written.get((line.post_id, line.fence)) for line in lines]

    return answers


def _plain(line: Line) -> dict[str, object]:
    plain = _common(line) | {"pause": line.pause.total_seconds() if line.pause is not None else None, "uncounted": 0}
    if (ending := line.ending) is None:
        return plain
    again = (ending.next_attempt_in or timedelta(0)).total_seconds()
    return plain | {
        "state": ending.attempt_state,
        "status": ending.post_status,
        "error": ending.error,
        "platform_post_id": ending.platform_post_id,
        "permalink": ending.permalink,
        "pause": again if ending.post_status == "scheduled" else None,
        "uncounted": 0 if ending.counts else 1,
    }


def _plain_beginning(line: Line, beginning: Beginning) -> dict[str, object]:
    return _common(line) | {
        "seen": beginning.seen,
        "number": beginning.number,
        "content_hash": beginning.content_hash,
        "progress": beginning.progress,
        "started_at": beginning.started_at.isoformat() if beginning.started_at is not None else None,
    }


def _common(line: Line) -> dict[str, object]:
    return {
        "post": str(line.post_id),
        "fence": line.fence,
        "attempt": str(line.attempt_id),
        "lease": line.lease.total_seconds(),
        "entries": line.entries,
        "progress": line.progress,
        "call": line.call,
        "step": line.step,
        "irreversible": line.irreversible,
    }
