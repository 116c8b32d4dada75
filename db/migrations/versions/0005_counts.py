"""What networks count of live posts, and when each account is asked for it next."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COLUMNS = """
alter table posts add column counts jsonb, add column counts_at timestamptz;
alter table accounts
  add column counts_due timestamptz not null default studio_now(), add column counts_fence bigint not null default 0;
create index accounts_counts_due on accounts (counts_due) where status = 'connected';
create index posts_live on posts (account_id, published_at) where status = 'posted' and platform_post_id is not null;
"""

_CLAIM = """
grant select (id, workspace_id, status, counts_due, counts_fence), update (counts_due, counts_fence)
  on accounts to studio_claim;
create policy claim on accounts to studio_claim using (true) with check (true);

create function claim_counts(batch int, lease interval)
returns table (id uuid, workspace_id uuid, fence bigint)
language sql volatile security definer set search_path = studio, pg_temp as $$
  with due as materialized (
    select a.id from accounts a
    where a.status = 'connected' and a.counts_due <= studio_now()
    order by a.counts_due
    for update skip locked
    limit batch
  )
  update accounts a
  set counts_due = studio_now() + lease, counts_fence = a.counts_fence + 1
  from due where a.id = due.id
  returning a.id, a.workspace_id, a.counts_fence
$$;
"""

# To own a function a role needs CREATE on its schema at that moment, and only then.
_NARROW = """
grant create on schema studio to studio_claim;
alter function claim_counts(int, interval) owner to studio_claim;
revoke all on function claim_counts(int, interval) from public;
grant execute on function claim_counts(int, interval) to studio_app;
revoke create on schema studio from studio_claim;
"""


def upgrade() -> None:
    connection = op.get_bind()
    for part in (_COLUMNS, _CLAIM, _NARROW):
        connection.exec_driver_sql(part)


def downgrade() -> None:
    raise NotImplementedError("Counts are not taken back: restore a backup.")
