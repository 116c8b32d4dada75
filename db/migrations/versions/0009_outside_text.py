"""What text from outside a conversation holds, kept with the thread; and a run whose question expires goes on."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Source by source the most that its text may bring about without a person: {"comments": "read"}.
_OUTSIDE = "alter table threads add column outside jsonb not null default '{}'"

# A waiting run is due when its question expires: the agent is told, and answers.
_EXPIRE = """
drop index runs_due;
create index runs_due on runs (next_attempt_at) where status in ('queued', 'running', 'waiting');
update runs r set next_attempt_at = a.expires_at from approvals a
where r.status = 'waiting' and a.workspace_id = r.workspace_id and a.run_id = r.id and a.status = 'pending';
drop function claim_runs(int, interval);
create function claim_runs(batch int, lease interval)
returns table (id uuid, workspace_id uuid, fence bigint)
language sql volatile security definer set search_path = studio, pg_temp as $$
  with due as materialized (
    select r.id from runs r
    where r.status in ('queued', 'running', 'waiting') and r.next_attempt_at <= studio_now()
      and (r.status <> 'queued' or not exists (
        select from runs o where o.thread_id = r.thread_id and o.id <> r.id
          and (o.status in ('running', 'waiting') or (o.status = 'queued' and o.id < r.id))))
    order by r.next_attempt_at, r.id
    for update skip locked
    limit batch
  )
  update runs r
  set status = 'running', next_attempt_at = studio_now() + lease, lease_until = studio_now() + lease,
      fence = r.fence + 1
  from due where r.id = due.id
  returning r.id, r.workspace_id, r.fence
$$;
grant create on schema studio to studio_claim;
alter function claim_runs(int, interval) owner to studio_claim;
revoke create on schema studio from studio_claim;
revoke all on function claim_runs(int, interval) from public;
grant execute on function claim_runs(int, interval) to studio_app;
"""


def upgrade() -> None:
    connection = op.get_bind()
    for part in (_OUTSIDE, _EXPIRE):
        connection.exec_driver_sql(part)


def downgrade() -> None:
    raise NotImplementedError("What a conversation has read is not forgotten: restore a backup.")
