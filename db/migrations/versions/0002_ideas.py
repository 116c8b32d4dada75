"""Ideas that sibling posts share, plans with their items, experiments with their variants."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = """
create table ideas (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id) on delete cascade,
  about text not null,
  created_by uuid references users (id) on delete set null,
  created_at timestamptz not null default studio_now(),
  unique (workspace_id, id)
);
create table experiments (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id) on delete cascade,
  vary text not null check (vary in ('caption', 'image', 'time')),
  hypothesis text,
  created_by uuid references users (id) on delete set null,
  created_at timestamptz not null default studio_now(),
  unique (workspace_id, id)
);
create table experiment_variants (
  workspace_id uuid not null,
  experiment_id uuid not null,
  letter text not null,
  post_id uuid not null,
  primary key (workspace_id, experiment_id, letter),
  foreign key (workspace_id, experiment_id) references experiments (workspace_id, id) on delete cascade,
  foreign key (workspace_id, post_id) references posts (workspace_id, id) on delete cascade
);
create index experiment_variants_by_post on experiment_variants (workspace_id, post_id);
create table plans (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id) on delete cascade,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  rests_on text not null,
  created_by uuid references users (id) on delete set null,
  created_at timestamptz not null default studio_now(),
  unique (workspace_id, id)
);
create index plans_by_user on plans (workspace_id, created_by, id);
create table plan_items (
  id uuid primary key,
  workspace_id uuid not null,
  plan_id uuid not null,
  number bigint not null,
  account_id uuid not null,
  post_id uuid,
  topic text not null,
  caption text not null,
  why text not null,
  planned_for timestamptz not null,
  created_at timestamptz not null default studio_now(),
  unique (workspace_id, plan_id, number),
  foreign key (workspace_id, plan_id) references plans (workspace_id, id) on delete cascade,
  foreign key (workspace_id, account_id) references accounts (workspace_id, id),
  foreign key (workspace_id, post_id) references posts (workspace_id, id)
);
create index plan_items_by_post on plan_items (workspace_id, post_id) where post_id is not null;
alter table posts
  add foreign key (workspace_id, idea_id) references ideas (workspace_id, id),
  add foreign key (workspace_id, experiment_id) references experiments (workspace_id, id);
create index posts_by_idea on posts (workspace_id, idea_id) where idea_id is not null;
"""

TENANT_TABLES = ("ideas", "experiments", "experiment_variants", "plans", "plan_items")

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


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(_TABLES)
    for table in TENANT_TABLES:
        connection.exec_driver_sql(_TENANT.format(table=table))


def downgrade() -> None:
    raise NotImplementedError("Plans and experiments are not taken back: restore a backup of the time before.")
