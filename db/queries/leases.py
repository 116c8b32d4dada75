"""Keeping the leases of many posts at once."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from db.together import Pipeline


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A post under work: its lease is to last this long from now."""

    workspace_id: UUID
    post_id: UUID
    fence: int
    length: timedelta


_RENEW = """
update posts p set lease_until = studio_now() + held.length, next_attempt_at = studio_now() + held.length
from unnest(%(posts)s::uuid[], %(fences)s::bigint[], %(lengths)s::interval[]) as held(id, fence, length)
where p.id = held.id and p.fence = held.fence and p.status = 'publishing'
returning p.id, p.fence
"""


async def renew(pipeline: Pipeline, leases: Sequence[Lease]) -> Callable[[], Awaitable[Sequence[bool]]]:
    """Keep leases; False for a post that is no longer ours."""
    by_workspace: dict[UUID, list[Lease]] = defaultdict(list)
    for lease in sorted(leases, key=lambda each: (each.workspace_id, each.post_id)):
        by_workspace[lease.workspace_id].append(lease)
    sent = [
        await pipeline.execute(
            workspace_id,
            _RENEW,
            {
                "posts": [each.post_id for each in few],
                "fences": [each.fence for each in few],
                "lengths": [each.length for each in few],
            },
        )
        for workspace_id, few in by_workspace.items()
    ]

    async def answers() -> Sequence[bool]:
        kept = {(row["id"], row["fence"]) for rows in sent for row in await rows.all()}
        return [(lease.post_id, lease.fence) in kept for lease in leases]

    return answers
