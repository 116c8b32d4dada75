"""The first schema: people, accounts, assets, posts and their ledger, conversations, calls; row-level security.

Written as SQL, because policies, column grants and narrow functions are what matters here.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_CLOCK = """
create function studio_now() returns timestamptz language sql stable parallel safe as 'select now()';
"""

_PEOPLE = """
create table users (
  id uuid primary key,
  name text not null,
  email text,
  created_at timestamptz not null default studio_now()
);
create table workspaces (
  id uuid primary key,
  name text not null,
  timezone text not null,
  created_at timestamptz not null default studio_now()
);
create table memberships (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id) on delete cascade,
  user_id uuid not null references users (id) on delete cascade,
  role text not null check (role in ('owner', 'editor', 'approver', 'viewer')),
  created_at timestamptz not null default studio_now(),
  unique (workspace_id, id),
  unique (workspace_id, user_id)
);
create table api_keys (
  id uuid primary key,
  workspace_id uuid not null,
  membership_id uuid not null,
  name text not null,
  prefix text not null,
  digest bytea not null unique,
  last_used_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default studio_now(),
  foreign key (workspace_id, membership_id) references memberships (workspace_id, id) on delete cascade
);
create table browser_tokens (
  id uuid primary key,
  workspace_id uuid not null,
  membership_id uuid not null,
  kind text not null check (kind in ('link', 'session')),
  digest bytea not null unique,
  expires_at timestamptz not null,
  created_at timestamptz not null default studio_now(),
  foreign key (workspace_id, membership_id) references memberships (workspace_id, id) on delete cascade
);
"""

_CONTENT = """
create table accounts (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id) on delete cascade,
  platform text not null,
  external_id text not null,
  handle text not null,
  status text not null check (status in ('connected', 'reconnect', 'disconnected')),
  login text,
  access_token bytea not null,
  refresh_token bytea,
  token_expires_at timestamptz,
  scopes text,
  details jsonb not null default '{}',
  posting_times text[],
  created_at timestamptz not null default studio_now(),
  updated_at timestamptz not null default studio_now(),
  unique (workspace_id, id),
  unique (workspace_id, platform, external_id)
);
create table assets (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id) on delete cascade,
  sha256 text not null,
  kind text not null check (kind in ('image', 'video')),
  mime_type text not null,
  size_bytes bigint not null,
  width bigint,
  height bigint,
  duration_seconds double precision,
  name text not null,
  source_url text,
  created_by uuid references users (id) on delete set null,
  created_at timestamptz not null default studio_now(),
  unique (workspace_id, id),
  unique (workspace_id, sha256)
);
create table posts (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id) on delete cascade,
  code text not null,
  account_id uuid not null,
  platform text not null,
  format text not null,
  options jsonb not null default '{}',
  status text not null check (status in
    ('draft', 'scheduled', 'publishing', 'posted', 'failed', 'unconfirmed', 'missed', 'cancelled')),
  approval text not null check (approval in ('none', 'required', 'granted', 'stale')),
  approved_hash text,
  caption text not null,
  about text,
  scheduled_for timestamptz,
  wall_time timestamp,
  zone text,
  published_at timestamptz,
  platform_post_id text,
  permalink text,
  next_attempt_at timestamptz,
  lease_until timestamptz,
  fence bigint not null default 0,
  attempts bigint not null default 0,
  last_error jsonb,
  idea_id uuid,
  experiment_id uuid,
  created_by uuid references users (id) on delete set null,
  version bigint not null default 1,
  created_at timestamptz not null default studio_now(),
  updated_at timestamptz not null default studio_now(),
  unique (workspace_id, id),
  unique (workspace_id, code),
  foreign key (workspace_id, account_id) references accounts (workspace_id, id),
  check (status <> 'scheduled' or scheduled_for is not null),
  check (status not in ('scheduled', 'publishing') or next_attempt_at is not null)
);
create index posts_due on posts (next_attempt_at) where status in ('scheduled', 'publishing');
-- The order of the calendar: what was planned, else when it went out; said by CASE, since PostgreSQL holds coalesce()
-- to leak, and looks up no index by it where row-level security is. (A page by age has unique (workspace_id, id).)
create index posts_by_plan on posts
  (workspace_id, (case when scheduled_for is not null then scheduled_for else published_at end), id);
create index posts_planned on posts
  (workspace_id, (case when scheduled_for is not null then scheduled_for else published_at end), id)
  where status = 'scheduled';
create index posts_by_status on posts (workspace_id, status, id);
create index posts_by_account on posts (workspace_id, account_id, scheduled_for);
create table post_media (
  workspace_id uuid not null,
  post_id uuid not null,
  position bigint not null,
  asset_id uuid not null,
  alt_text text,
  primary key (post_id, position),
  foreign key (workspace_id, post_id) references posts (workspace_id, id) on delete cascade,
  foreign key (workspace_id, asset_id) references assets (workspace_id, id)
);
create index post_media_by_asset on post_media (workspace_id, asset_id);
create table publish_attempts (
  id uuid primary key,
  workspace_id uuid not null,
  post_id uuid not null,
  number bigint not null,
  state text not null check (state in ('open', 'posted', 'failed', 'unconfirmed', 'retry', 'abandoned')),
  step text,
  step_irreversible boolean not null default false,
  intent_at timestamptz,
  progress jsonb not null default '{}',
  steps jsonb not null default '[]',
  content_hash text not null,
  refreshed boolean not null default false,
  error jsonb,
  started_at timestamptz not null default studio_now(),
  ended_at timestamptz,
  unique (post_id, number),
  foreign key (workspace_id, post_id) references posts (workspace_id, id) on delete cascade
);
create unique index publish_attempts_open on publish_attempts (post_id) where state = 'open';
"""

_CONVERSATIONS = """
create table threads (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id) on delete cascade,
  title text not null,
  focus text[] not null default '{}',
  created_by uuid references users (id) on delete set null,
  created_at timestamptz not null default studio_now(),
  updated_at timestamptz not null default studio_now(),
  unique (workspace_id, id)
);
create table runs (
  id uuid primary key,
  workspace_id uuid not null,
  thread_id uuid not null,
  user_id uuid not null references users (id) on delete cascade,
  status text not null check (status in ('queued', 'running', 'waiting', 'done', 'failed', 'cancelled')),
  text text not null,
  zone text,
  surface text not null,
  next_attempt_at timestamptz,
  lease_until timestamptz,
  fence bigint not null default 0,
  attempts bigint not null default 0,
  reply text,
  error jsonb,
  interrupt jsonb,
  resume jsonb,
  actions jsonb not null default '[]',
  cancel_requested boolean not null default false,
  created_at timestamptz not null default studio_now(),
  ended_at timestamptz,
  unique (workspace_id, id),
  foreign key (workspace_id, thread_id) references threads (workspace_id, id) on delete cascade,
  check (status not in ('queued', 'running') or next_attempt_at is not null)
);
create unique index runs_one_at_a_time on runs (thread_id) where status in ('running', 'waiting');
create index runs_due on runs (next_attempt_at) where status in ('queued', 'running');
create index runs_by_thread on runs (thread_id, id);
create table messages (
  id uuid primary key,
  workspace_id uuid not null,
  seq bigint generated always as identity,
  thread_id uuid not null,
  run_id uuid,
  role text not null check (role in ('user', 'assistant', 'tool')),
  content text not null,
  details jsonb,
  created_at timestamptz not null default studio_now(),
  foreign key (workspace_id, thread_id) references threads (workspace_id, id) on delete cascade
);
create index messages_by_thread on messages (thread_id, seq);
create table run_events (
  workspace_id uuid not null,
  run_id uuid not null,
  seq bigint not null,
  data jsonb not null,
  created_at timestamptz not null default studio_now(),
  primary key (run_id, seq),
  foreign key (workspace_id, run_id) references runs (workspace_id, id) on delete cascade
);
create table approvals (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id) on delete cascade,
  run_id uuid,
  thread_id uuid,
  tool_call_id text,
  command text not null,
  args jsonb not null,
  summary text not null,
  post_id uuid,
  content_hash text,
  status text not null check (status in ('pending', 'approved', 'rejected', 'withdrawn', 'expired')),
  requested_by uuid references users (id) on delete set null,
  decided_by uuid references users (id) on delete set null,
  note text,
  decided_at timestamptz,
  expires_at timestamptz not null,
  created_at timestamptz not null default studio_now(),
  unique (workspace_id, id),
  foreign key (workspace_id, run_id) references runs (workspace_id, id) on delete cascade,
  foreign key (workspace_id, post_id) references posts (workspace_id, id) on delete cascade
);
create unique index approvals_of_a_call on approvals (workspace_id, run_id, tool_call_id) where run_id is not null;
create index approvals_pending on approvals (workspace_id, id) where status = 'pending';
create table tool_calls (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id) on delete cascade,
  key text,
  command text not null,
  args jsonb not null,
  args_hash text not null,
  result jsonb not null,
  user_id uuid references users (id) on delete set null,
  surface text not null,
  thread_id uuid,
  run_id uuid,
  changes jsonb not null default '[]',
  undone_at timestamptz,
  created_at timestamptz not null default studio_now(),
  unique (workspace_id, key)
);
create index tool_calls_by_thread on tool_calls (workspace_id, thread_id, id);
create index tool_calls_by_user on tool_calls (workspace_id, user_id, id) where run_id is null;
create index tool_calls_by_run on tool_calls (workspace_id, run_id, id) where run_id is not null;
create index tool_calls_by_age on tool_calls (workspace_id, id);
"""

# Roles belong to the whole cluster: another database, or another process, may have made them first.
_ROLES = """
do $$ begin
  begin create role studio_app nologin nosuperuser nobypassrls;
  exception when duplicate_object or unique_violation then null; end;
  begin create role studio_claim nologin nosuperuser nobypassrls;
  exception when duplicate_object or unique_violation then null; end;
end $$;
grant studio_app to current_user;
grant studio_claim to current_user;
grant usage on schema studio to studio_app, studio_claim;
grant select, insert, update, delete on all tables in schema studio to studio_app;
grant usage on all sequences in schema studio to studio_app;
-- A person belongs to several workspaces, and what deletes one deletes their memberships everywhere: the application
-- makes and removes neither people nor workspaces. The migrating role does.
revoke insert, update, delete on users from studio_app;
revoke insert, delete on workspaces from studio_app;
revoke insert, update, delete on alembic_version from studio_app;
"""

# Every table of a tenant: its rows are seen in its own workspace only. FORCE binds the owner too (a superuser it
# cannot bind: the application never is one). current_setting gives '' after a transaction-local set_config.
_TENANT = """
alter table {table} enable row level security;
alter table {table} force row level security;
create policy tenant on {table} to studio_app
  using (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid)
  with check (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid);
create policy migrations on {table} to current_user using (true) with check (true);
"""

TENANT_TABLES = (
    "memberships", "api_keys", "browser_tokens", "accounts", "assets", "posts", "post_media", "publish_attempts",
    "threads", "runs", "messages", "run_events", "approvals", "tool_calls",
)  # fmt: skip

_PEOPLE_POLICIES = """
alter table workspaces enable row level security;
alter table workspaces force row level security;
create policy tenant on workspaces to studio_app
  using (id = nullif(current_setting('app.workspace_id', true), '')::uuid)
  with check (id = nullif(current_setting('app.workspace_id', true), '')::uuid);
create policy migrations on workspaces to current_user using (true) with check (true);
alter table users enable row level security;
alter table users force row level security;
create policy tenant on users for select to studio_app
  using (exists (select from memberships m where m.user_id = users.id));
create policy migrations on users to current_user using (true) with check (true);
"""

# Who holds a key is asked before the workspace is known: one narrow function answers that and nothing else.
_SIGN_IN = """
create function find_principal(wanted bytea)
returns table (workspace_id uuid, membership_id uuid, user_id uuid, role text, user_name text, timezone text,
               workspace_name text, source text, source_id uuid)
language sql stable security definer set search_path = studio, pg_temp as $$
  select m.workspace_id, m.id, m.user_id, m.role, u.name, w.timezone, w.name, k.source, k.id
  from (
    select 'key' as source, id, workspace_id, membership_id from api_keys
    where digest = wanted and revoked_at is null
    union all
    select kind, id, workspace_id, membership_id from browser_tokens
    where digest = wanted and expires_at > studio_now()
  ) k
  join memberships m on m.workspace_id = k.workspace_id and m.id = k.membership_id
  join users u on u.id = m.user_id
  join workspaces w on w.id = m.workspace_id
$$;
revoke all on function find_principal(bytea) from public;
grant execute on function find_principal(bytea) to studio_app;
"""

# Due work is claimed across workspaces, through one narrow function per table. A claim pushes next_attempt_at to the
# end of the lease, so that an expired lease is due again by the same column.
_CLAIMS = """
grant select (id, workspace_id, status, next_attempt_at, lease_until, fence),
      update (status, next_attempt_at, lease_until, fence) on posts to studio_claim;
grant select (id, workspace_id, thread_id, status, next_attempt_at, lease_until, fence),
      update (status, next_attempt_at, lease_until, fence) on runs to studio_claim;
create policy claim on posts to studio_claim using (true) with check (true);
create policy claim on runs to studio_claim using (true) with check (true);

create function claim_posts(batch int, lease interval, since timestamptz)
returns table (id uuid, workspace_id uuid, fence bigint)
language sql volatile security definer set search_path = studio, pg_temp as $$
  with due as materialized (
    select p.id from posts p
    where p.status in ('scheduled', 'publishing')
      and p.next_attempt_at <= studio_now() and p.next_attempt_at >= since
    order by p.next_attempt_at
    for update skip locked
    limit batch
  )
  update posts p
  set next_attempt_at = studio_now() + lease, lease_until = studio_now() + lease, fence = p.fence + 1
  from due where p.id = due.id
  returning p.id, p.workspace_id, p.fence
$$;

create function claim_runs(batch int, lease interval)
returns table (id uuid, workspace_id uuid, fence bigint)
language sql volatile security definer set search_path = studio, pg_temp as $$
  with due as materialized (
    select r.id from runs r
    where r.status in ('queued', 'running') and r.next_attempt_at <= studio_now()
      and (r.status = 'running' or not exists (
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
"""

_NARROW = """
alter function {function} owner to studio_claim;
revoke all on function {function} from public;
grant execute on function {function} to studio_app;
"""


def upgrade() -> None:
    connection = op.get_bind()
    for part in (_CLOCK, _PEOPLE, _CONTENT, _CONVERSATIONS, _ROLES):
        connection.exec_driver_sql(part)
    for table in TENANT_TABLES:
        connection.exec_driver_sql(_TENANT.format(table=table))
    for part in (_PEOPLE_POLICIES, _SIGN_IN, _CLAIMS):
        connection.exec_driver_sql(part)
    # To own a function a role needs CREATE on its schema at that moment, and only then.
    connection.exec_driver_sql("grant create on schema studio to studio_claim")
    for function in ("claim_posts(int, interval, timestamptz)", "claim_runs(int, interval)"):
        connection.exec_driver_sql(_NARROW.format(function=function))
    connection.exec_driver_sql("revoke create on schema studio from studio_claim")


def downgrade() -> None:
    raise NotImplementedError("The first schema is not taken back: restore a backup, or drop the schema by hand.")
