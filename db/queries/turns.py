"""Statements about an account as a whole: holding it until a time, and counting what its quotas were used for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.publishing import Hold

# Whoever is being edited at this moment is left out, and held by the claim that meets it.
_HOLD = text("""
    with held as (
      select id, workspace_id, account_id from posts
      where id = :post and fence = :fence and status = 'publishing' for no key update
    ), turn as (
      update account_turns t set hold_until = :until from held
      where t.workspace_id = held.workspace_id and t.account_id = held.account_id
      returning t.account_id
    ), waiting as (
      update posts p set next_attempt_at = :until, last_error = :error, updated_at = studio_now()
      where p.id in (
        select w.id from posts w join held on held.workspace_id = w.workspace_id and held.account_id = w.account_id
        where w.status in ('scheduled', 'publishing') and w.id <> held.id
          and w.scheduled_for <= :until and w.next_attempt_at <= :until
        for no key update of w skip locked
      )
    )
    select account_id from turn
""")


async def hold_account(session: AsyncSession, hold: Hold, *, until: datetime, error: dict[str, object]) -> bool:
    """Hold an account, and tell every post of it that would be due before; False when the post is no longer ours.

    The post itself is ended afterwards, and keeps the turn.
    """
    values = _held(hold) | {"until": until, "error": Jsonb(error)}
    return (await session.execute(_HOLD, values)).first() is not None


def _held(hold: Hold) -> dict[str, object]:
    return {"post": hold.post_id, "fence": hold.fence, "lease": hold.lease}


@dataclass(frozen=True, kw_only=True)
class Use:
    """A quota that a step uses: ``limit`` uses within any ``seconds``."""

    name: str
    limit: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class UsedUp:
    """The quota that has no use left, and when it has one again."""

    name: str
    free_in: timedelta


# One statement: the use is counted if and only if the step is written down. Two of one account cannot be here at once,
# since only the post whose turn it is has a claim.
_INTENT = text("""
    with held as (
      update posts set lease_until = studio_now() + :lease, next_attempt_at = studio_now() + :lease
      where id = :post and fence = :fence and status = 'publishing'
      returning id, workspace_id, account_id
    ), used as (
      select held.workspace_id, held.account_id, q.name, q.most, make_interval(secs => q.seconds) as span, array(
        select u from quota_uses k, unnest(k.used_at) u
        where k.workspace_id = held.workspace_id and k.account_id = held.account_id and k.name = q.name
          and u > studio_now() - make_interval(secs => q.seconds)
        order by u
      ) as used_at
      from held, jsonb_to_recordset(:uses) as q (name text, most int, seconds float8)
    ), full_up as (
      select name, used_at[cardinality(used_at) - most + 1] + span as free_at
      from used where cardinality(used_at) >= most
    ), counted as (
      insert into quota_uses (workspace_id, account_id, name, used_at)
      select workspace_id, account_id, name, used_at || studio_now() from used where not exists (select from full_up)
      on conflict (workspace_id, account_id, name) do update set used_at = excluded.used_at
    ), noted as (
      update publish_attempts a
      set step = :step, step_irreversible = :irreversible, intent_at = studio_now(), steps = a.steps || :entry
      from held where a.id = :attempt and a.post_id = held.id and not exists (select from full_up)
      returning a.intent_at
    )
    select noted.intent_at, full_up.name, full_up.free_at - studio_now() as free_in
    from held left join noted on true left join full_up on true
    order by full_up.free_at desc limit 1
""")


async def write_counted_intent(
    session: AsyncSession,
    hold: Hold,
    *,
    uses: Sequence[Use],
    attempt_id: UUID,
    step: str,
    irreversible: bool,
    entry: dict[str, object],
) -> datetime | UsedUp | None:
    """``publishing.write_intent`` for a step that uses quotas: when it was written, or the quota that is used up.

    With that nothing is written but the lease. None when the post is no longer ours.
    """
    asked = [{"name": use.name, "most": use.limit, "seconds": use.seconds} for use in uses]
    values = {"uses": Jsonb(asked), "attempt": attempt_id, "step": step, "irreversible": irreversible}
    row = (await session.execute(_INTENT, _held(hold) | values | {"entry": Jsonb([entry])})).one_or_none()
    if row is None:
        return None
    if row.name is not None:
        return UsedUp(name=row.name, free_in=row.free_in)
    intent_at: datetime | None = row.intent_at
    return intent_at
