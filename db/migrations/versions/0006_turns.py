"""One publish at a time for each account, holds until a network's time, and what quotas have been used.

An account has one row in ``account_turns``: whoever's turn it is, is named there, so that two cannot be. A due post is
claimed with the turn of its account, or waits: it leaves the index of due posts until the turn is handed to it. The
turn is handed on by a trigger, whichever statement moves the post on, in that statement's transaction.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = """
create table account_turns (
  workspace_id uuid not null,
  account_id uuid not null,
  post_id uuid,
  hold_until timestamptz,
  primary key (workspace_id, account_id),
  foreign key (workspace_id, account_id) references accounts (workspace_id, id) on delete cascade
) with (fillfactor = 50);
create table quota_uses (
  workspace_id uuid not null,
  account_id uuid not null,
  name text not null,
  used_at timestamptz[] not null,
  primary key (workspace_id, account_id, name),
  foreign key (workspace_id, account_id) references accounts (workspace_id, id) on delete cascade
);
grant select, insert, update, delete on account_turns, quota_uses to studio_app;
alter table posts add column waits boolean not null default false;
drop index posts_due;
create index posts_due on posts (next_attempt_at, id) where status in ('scheduled', 'publishing') and not waits;
create index posts_waiting on posts (account_id, scheduled_for, id) where waits;
"""

_TENANT = """
alter table {table} enable row level security;
alter table {table} force row level security;
create policy tenant on {table} to studio_app
  using (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid)
  with check (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid);
create policy migrations on {table} to current_user using (true) with check (true);
"""

# Every account has its row from the beginning: a claim finds it, and never has to make it.
_ROWS = """
create function open_turn() returns trigger language plpgsql as $$
begin
  insert into studio.account_turns (workspace_id, account_id) values (new.workspace_id, new.id);
  return null;
end $$;
create trigger open_turn after insert on accounts for each row execute function open_turn();
insert into account_turns (workspace_id, account_id) select workspace_id, id from accounts;
"""

# What a person moves, or what ends, is no longer what was claimed: the fence moves on with it. A waiting post that is
# touched is looked at again, so that nobody has to know how it waited.
_BEFORE = """
create function leave_claim() returns trigger language plpgsql as $$
begin
  if new.account_id <> old.account_id or new.scheduled_for is distinct from old.scheduled_for
     or (new.status <> old.status and new.status <> 'publishing') then
    new.fence := old.fence + 1;
  end if;
  if old.waits and new.waits then
    new.waits := false;
    if new.next_attempt_at is not null then
      new.next_attempt_at := greatest(new.next_attempt_at, studio.studio_now());
    end if;
  end if;
  return new;
end $$;
create trigger leave_claim before update of status, scheduled_for, account_id, version on posts
  for each row execute function leave_claim();
"""

# Locks are taken in the order post, turn, waiting post; a claim takes the turn and waits for nobody. A waiting post
# that is locked is being touched by a person, and comes back by itself (leave_claim); the sweep finds the rest.
# While the account is held the turn stays where it is, and with it the order.
_AFTER = """
create function hand_turn_on() returns trigger language plpgsql as $$
declare
  held timestamptz;
  following uuid;
begin
  select hold_until into held from studio.account_turns
    where workspace_id = old.workspace_id and account_id = old.account_id and post_id = old.id
    for no key update;
  if not found then
    return null;
  end if;
  if tg_op = 'UPDATE' then
    if old.status = 'publishing' and new.status = 'scheduled' and held > studio.studio_now()
       and new.account_id = old.account_id and new.scheduled_for = old.scheduled_for then
      return null;
    end if;
  end if;
  select p.id into following from studio.posts p
    where p.account_id = old.account_id and p.waits and p.id <> old.id
    order by p.scheduled_for, p.id limit 1 for no key update skip locked;
  update studio.account_turns set post_id = following
    where workspace_id = old.workspace_id and account_id = old.account_id;
  update studio.posts set waits = false, next_attempt_at = greatest(studio.studio_now(), held)
    where id = following;
  return null;
end $$;
create trigger hand_turn_on after update of status, scheduled_for, account_id on posts for each row
  when (new.account_id <> old.account_id or new.scheduled_for is distinct from old.scheduled_for
        or (new.status <> old.status and new.status <> 'publishing'))
  execute function hand_turn_on();
create trigger hand_turn_on_deleted after delete on posts for each row execute function hand_turn_on();
"""

# Answers the posts it claimed, with their new fence, and those it passed over, without one: they wait for their turn,
# or for the end of a hold. ``due`` is what they were found by: ``since`` and ``after`` of the next look. ``batch``
# bounds what is claimed, ``wide`` (as much, unless said) what is looked at. A look from the beginning of time is the
# sweep; it also frees what waits although it is nobody's turn.
_CLAIM = """
drop function claim_posts(int, interval, timestamptz);
grant select (account_id, scheduled_for, waits), update (waits) on posts to studio_claim;
grant select (workspace_id, account_id, post_id, hold_until), update (post_id) on account_turns to studio_claim;
create policy claim on account_turns to studio_claim using (true) with check (true);

create function claim_posts(
  batch int, lease interval, since timestamptz,
  after uuid default '00000000-0000-0000-0000-000000000000', wide int default null
)
returns table (id uuid, workspace_id uuid, fence bigint, due timestamptz)
language sql volatile security definer set search_path = studio, pg_temp set plan_cache_mode = force_generic_plan
as $$
  with due as materialized (
    select p.id, p.workspace_id, p.account_id, p.scheduled_for, p.next_attempt_at, t.post_id as turn_of, t.hold_until
    from posts p join account_turns t on t.workspace_id = p.workspace_id and t.account_id = p.account_id
    where p.status in ('scheduled', 'publishing') and not p.waits
      and p.next_attempt_at <= studio_now() and (p.next_attempt_at, p.id) > (since, after)
    order by p.next_attempt_at, p.id
    for no key update of p, t skip locked
    limit coalesce(wide, batch)
  ), chosen as materialized (
    select c.* from (
      select distinct on (d.account_id) d.id, d.workspace_id, d.account_id, d.next_attempt_at, d.turn_of from due d
      where (d.turn_of = d.id or d.turn_of is null) and (d.hold_until is null or d.hold_until <= studio_now())
      order by d.account_id, d.scheduled_for, d.id
    ) c
    order by c.next_attempt_at, c.id
    limit batch
  ), taken as (
    update account_turns t set post_id = c.id from chosen c
    where t.workspace_id = c.workspace_id and t.account_id = c.account_id and c.turn_of is null
  ), forgotten as (
    update posts p set waits = false, next_attempt_at = greatest(p.next_attempt_at, studio_now())
    where p.id in (
      select w.id from posts w join account_turns t
        on t.workspace_id = w.workspace_id and t.account_id = w.account_id
      where w.waits and t.post_id is null and since < '2001-01-01'
      for no key update of w skip locked
    )
  ), passed as (
    update posts p
    set waits = coalesce(d.turn_of <> d.id, c.id is not null),
        next_attempt_at = greatest(p.next_attempt_at, d.hold_until)
    from due d left join chosen c on c.account_id = d.account_id
    where p.id = d.id and c.id is distinct from d.id
      and (c.id is not null or d.turn_of <> d.id or d.hold_until > studio_now())
    returning p.id, p.workspace_id, d.next_attempt_at
  ), claimed as (
    update posts p
    set next_attempt_at = studio_now() + lease, lease_until = studio_now() + lease, fence = p.fence + 1
    from chosen c where p.id = c.id
    returning p.id, p.workspace_id, p.fence, c.next_attempt_at
  )
  select c.id, c.workspace_id, c.fence, c.next_attempt_at from claimed c
  union all
  select p.id, p.workspace_id, null, p.next_attempt_at from passed p
$$;
"""

# To own a function a role needs CREATE on its schema at that moment, and only then.
_NARROW = """
grant create on schema studio to studio_claim;
alter function claim_posts(int, interval, timestamptz, uuid, int) owner to studio_claim;
revoke all on function claim_posts(int, interval, timestamptz, uuid, int) from public;
grant execute on function claim_posts(int, interval, timestamptz, uuid, int) to studio_app;
revoke create on schema studio from studio_claim;
"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(_TABLES)
    for table in ("account_turns", "quota_uses"):
        connection.exec_driver_sql(_TENANT.format(table=table))
    for part in (_ROWS, _BEFORE, _AFTER, _CLAIM, _NARROW):
        connection.exec_driver_sql(part)


def downgrade() -> None:
    raise NotImplementedError("Turns are not taken back: restore a backup.")
