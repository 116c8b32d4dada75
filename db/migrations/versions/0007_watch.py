"""Notifications and totals kept by triggers, which accounts are to be checked again, and what is measured of posts."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NOTIFICATIONS = """
-- A UUIDv7, as core.ids makes them: 48 bits of milliseconds, the version, and random bits.
create function studio_new_id() returns uuid language sql volatile parallel safe as $$
  select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch from studio.studio_now()) * 1000)::bigint) from 3)
    from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;
create table notifications (
  id uuid primary key default studio_new_id(),
  workspace_id uuid not null references workspaces (id) on delete cascade,
  kind text not null check (kind in ('published', 'failed', 'unconfirmed', 'missed', 'preflight', 'reconnect')),
  account_id uuid not null,
  platform text not null,
  post_id uuid,
  occasion text,
  code text,
  message text,
  action text,
  permalink text,
  fix jsonb,
  read_at timestamptz,
  resolved_at timestamptz,
  created_at timestamptz not null default studio_now(),
  unique (workspace_id, id),
  -- How one attempt at one time ended is told once: a change that is undone and done again says nothing new.
  unique (workspace_id, post_id, kind, occasion),
  foreign key (workspace_id, account_id) references accounts (workspace_id, id) on delete cascade,
  foreign key (workspace_id, post_id) references posts (workspace_id, id) on delete cascade,
  check (kind in ('preflight', 'reconnect') or (post_id is not null and occasion is not null))
);
create index notifications_unread on notifications (workspace_id, id) where read_at is null;
create index notifications_by_account on notifications (workspace_id, account_id, created_at);
create unique index notifications_open_problems
  on notifications (workspace_id, account_id, (coalesce(post_id, account_id)), code)
  where kind = 'preflight' and resolved_at is null;
"""

# What is to be checked again is asked for by a row that is only added: no change of a post waits for another's.
_CHECKS = """
create table check_requests (
  workspace_id uuid not null references workspaces (id) on delete cascade,
  id bigint generated always as identity,
  account_id uuid not null,
  created_at timestamptz not null default studio_now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, account_id) references accounts (workspace_id, id) on delete cascade
);
create index check_requests_by_account on check_requests (account_id);
alter table accounts
  add column check_due timestamptz not null default studio_now(),
  add column check_lease timestamptz,
  add column check_fence bigint not null default 0,
  add column check_setup text,
  add column check_found jsonb,
  add column asked_at timestamptz;
create index accounts_check_due on accounts (check_due);
create index posts_open on posts (status) where status in ('publishing', 'unconfirmed');
"""

# As in the first migration: a table's rows are seen in their own workspace only, and the owner is bound as well.
_TENANT = """
grant select, insert, update, delete on {table} to studio_app;
alter table {table} enable row level security;
alter table {table} force row level security;
create policy tenant on {table} to studio_app
  using (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid)
  with check (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid);
create policy migrations on {table} to current_user using (true) with check (true);
"""

# Totals name no workspace. Rows are spread by the connection that adds, so that connections do not wait for each other.
_TOTALS = """
create table publish_totals (
  platform text not null,
  outcome text not null,
  shard bigint not null,
  total bigint not null,
  primary key (platform, outcome, shard)
);
create function count_outcome() returns trigger
language plpgsql security definer set search_path = studio, pg_temp as $$
begin
  insert into publish_totals as t (platform, outcome, shard, total)
  values (new.platform, new.kind, mod(pg_backend_pid(), 64), 1)
  on conflict (platform, outcome, shard) do update set total = t.total + 1;
  return null;
end $$;
create trigger count_outcome after insert on notifications
for each row when (new.occasion is not null) execute function count_outcome();
"""

_TELLING = """
create function tell_of_post() returns trigger language plpgsql set search_path = studio, pg_temp as $$
declare
  told text := case new.status when 'posted' then 'published' else new.status end;
  ended text;
begin
  -- What was told of the state that the post leaves is settled, and so are doubts about how it will go out.
  update notifications set resolved_at = studio_now()
  where workspace_id = new.workspace_id and post_id = new.id and resolved_at is null
    and (kind = old.status or (kind = 'preflight' and new.status not in ('draft', 'scheduled')));
  if told not in ('published', 'failed', 'unconfirmed', 'missed') then
    return null;
  end if;
  select concat_ws('@', coalesce(max(number), 0), extract(epoch from new.scheduled_for)) into ended
    from publish_attempts where post_id = new.id;
  insert into notifications
    (workspace_id, kind, account_id, platform, post_id, occasion, code, message, action, permalink)
  values (new.workspace_id, told, new.account_id, new.platform, new.id, ended, new.last_error ->> 'code',
    new.last_error ->> 'message', new.last_error ->> 'action', new.permalink)
  on conflict (workspace_id, post_id, kind, occasion) do nothing;
  if not found then
    update notifications set resolved_at = null
    where workspace_id = new.workspace_id and post_id = new.id and kind = told and occasion = ended;
  end if;
  return null;
end $$;
create trigger tell_of_post after update on posts
for each row when (new.status <> old.status) execute function tell_of_post();

create function ask_to_check_post() returns trigger language plpgsql set search_path = studio, pg_temp as $$
begin
  insert into check_requests (workspace_id, account_id) values (new.workspace_id, new.account_id);
  if tg_op = 'UPDATE' and old.account_id <> new.account_id then
    insert into check_requests (workspace_id, account_id) values (old.workspace_id, old.account_id);
  end if;
  return null;
end $$;
create trigger ask_to_check_new_post after insert on posts
for each row when (new.status = 'scheduled') execute function ask_to_check_post();
-- A version is a change that a person can see. What a post does while it goes out changes nothing that is planned.
create trigger ask_to_check_post after update on posts
for each row when (
  'scheduled' in (old.status, new.status) and (new.version <> old.version or new.status <> old.status)
  and not (old.status = 'scheduled' and new.status = 'publishing')) execute function ask_to_check_post();

-- What was said of an old token is moot.
create function forget_old_token() returns trigger language plpgsql set search_path = studio, pg_temp as $$
begin
  new.asked_at := null;
  new.check_found := null;
  return new;
end $$;
create trigger forget_old_token before update on accounts
for each row when (new.access_token <> old.access_token) execute function forget_old_token();

create function tell_of_account() returns trigger language plpgsql set search_path = studio, pg_temp as $$
begin
  insert into check_requests (workspace_id, account_id) values (new.workspace_id, new.id);
  if new.status = old.status then
    return null;
  end if;
  update notifications set resolved_at = studio_now()
  where workspace_id = new.workspace_id and account_id = new.id and kind = 'reconnect' and resolved_at is null;
  if new.status = 'reconnect' then
    insert into notifications (workspace_id, kind, account_id, platform)
    values (new.workspace_id, 'reconnect', new.id, new.platform);
  end if;
  return null;
end $$;
create trigger tell_of_account after update on accounts
for each row when (new.status <> old.status or new.access_token <> old.access_token
  or new.refresh_token is distinct from old.refresh_token
  or new.token_expires_at is distinct from old.token_expires_at or new.scopes is distinct from old.scopes)
execute function tell_of_account();
"""

_CLAIM = """
grant select (check_due, check_lease, check_fence, check_setup), update (check_due, check_lease, check_fence)
  on accounts to studio_claim;
grant select (account_id) on check_requests to studio_claim;
create policy claim on check_requests to studio_claim using (true) with check (true);

-- setup: what the installation's settings are; where it is given, accounts that were checked under others are due.
create function claim_checks(batch int, lease interval, setup text)
returns table (id uuid, workspace_id uuid, fence bigint)
language sql volatile security definer set search_path = studio, pg_temp as $$
  with wanted as materialized (
    (select a.id, a.check_due as since from accounts a
     where a.check_due <= studio_now() and (a.check_lease is null or a.check_lease <= studio_now())
     order by a.check_due limit batch)
    union all
    (select a.id, studio_now() from accounts a
     where a.id in (select r.account_id from check_requests r)
       and (a.check_lease is null or a.check_lease <= studio_now()) limit batch)
    union all
    (select a.id, studio_now() from accounts a
     where setup is not null and a.check_setup is distinct from setup
       and (a.check_lease is null or a.check_lease <= studio_now()) limit batch)
  ), due as materialized (
    select a.id from accounts a
    where a.id in (select w.id from wanted w) and (a.check_lease is null or a.check_lease <= studio_now())
    for no key update skip locked
    limit batch
  )
  update accounts a
  set check_due = studio_now() + lease, check_lease = studio_now() + lease, check_fence = a.check_fence + 1
  from due where a.id = due.id
  returning a.id, a.workspace_id, a.check_fence
$$;
"""

# What alerts need, over all workspaces and without a word of theirs.
_MEASURES = """
create function measure_publishing() returns table (measure text, platform text, value double precision)
language sql stable security definer set search_path = studio, pg_temp as $$
  select t.outcome, t.platform, sum(t.total)::double precision from publish_totals t group by 1, 2
  union all
  select 'due', null, count(*) from posts p
  where p.status in ('scheduled', 'publishing') and p.next_attempt_at <= studio_now()
  union all
  select 'oldest_due_seconds', null, coalesce(extract(epoch from studio_now() - min(p.next_attempt_at)), 0) from posts p
  where p.status in ('scheduled', 'publishing') and p.next_attempt_at <= studio_now()
  union all
  select 'publishing', null, count(*) from posts p where p.status = 'publishing'
  union all
  select 'unconfirmed_waiting', null, count(*) from posts p where p.status = 'unconfirmed'
$$;
"""

# To own a function a role needs CREATE on its schema at that moment, and only then.
_NARROW = """
grant create on schema studio to studio_claim;
alter function claim_checks(int, interval, text) owner to studio_claim;
revoke create on schema studio from studio_claim;
revoke all on function claim_checks(int, interval, text) from public;
revoke all on function measure_publishing() from public;
revoke all on function count_outcome() from public;
grant execute on function claim_checks(int, interval, text) to studio_app;
grant execute on function measure_publishing() to studio_app;
grant execute on function count_outcome() to studio_app;
"""


def upgrade() -> None:
    connection = op.get_bind()
    for part in (_NOTIFICATIONS, _CHECKS):
        connection.exec_driver_sql(part)
    for table in ("notifications", "check_requests"):
        connection.exec_driver_sql(_TENANT.format(table=table))
    for part in (_TOTALS, _TELLING, _CLAIM, _MEASURES, _NARROW):
        connection.exec_driver_sql(part)


def downgrade() -> None:
    raise NotImplementedError("Notifications are not taken back: restore a backup.")
