"""The statements by which the saver reads and writes: each message once, each step's reference to it inline.

The tables are LangGraph's, and ``checkpoint_messages`` beside them. The messages of a checkpoint are named by its own
JSON, in ``message_segments``: [generation, start, stop] each.

A long thread must not cost more than a short one, and PostgreSQL knows nothing of a thread's length when it plans. So
rows are looked up one by one, by their whole key: ``lateral … limit 1`` or ``offset 0``, ``= any (array …)``, scalar
subqueries. A join would read the thread from end to end.
"""

SET_WORKSPACE = "select set_config('app.workspace_id', %s, false)"

# Rows are deleted under the exclusive lock and referred to anew under the shared one: never both at once.
LOCK_ROWS_SHARED = "select pg_advisory_xact_lock_shared(hashtextextended(%s, 0))"
LOCK_ROWS = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"

_UNCLAIMED = "select 1"
_CLAIMED = "select 1 from studio.runs where id = %(run)s and fence = %(fence)s and status = 'running' for share"

_PUT = """
with held as materialized ({held}),
base as materialized (
  select 1 where %(base)s::text is null
  union all
  select 1 from checkpoints where thread_id = %(thread)s and checkpoint_ns = %(ns)s and checkpoint_id = %(base)s
    and checkpoint -> 'message_segments' = %(base_segments)s::jsonb
),
allowed as materialized (select 1 from held, base),
kept_messages as (
  insert into checkpoint_messages (thread_id, checkpoint_ns, generation, seq, type, blob)
  select %(thread)s, %(ns)s, %(generation)s, n.seq, n.type, n.blob
  from allowed, unnest(%(numbers)s::int[], %(message_types)s::text[], %(message_blobs)s::bytea[]) n (seq, type, blob)
),
kept_blobs as (
  insert into checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
  select %(thread)s, %(ns)s, n.channel, n.version, n.type, n.blob
  from allowed, unnest(%(channels)s::text[], %(versions)s::text[], %(types)s::text[], %(blobs)s::bytea[])
    n (channel, version, type, blob)
  on conflict (thread_id, checkpoint_ns, channel, version) do nothing
),
kept as (
  insert into checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
  select %(thread)s, %(ns)s, %(id)s, %(parent)s::text, %(checkpoint)s::jsonb, %(metadata)s::jsonb from allowed
  on conflict (thread_id, checkpoint_ns, checkpoint_id)
  do update set checkpoint = excluded.checkpoint, metadata = excluded.metadata
)
select exists (select from held) as held, exists (select from base) as based
"""
PUT = _PUT.format(held=_UNCLAIMED)
PUT_CLAIMED = _PUT.format(held=_CLAIMED)

_PUT_WRITES = """
with held as materialized ({held}),
kept as (
  insert into checkpoint_writes
    (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
  select %(thread)s, %(ns)s, %(id)s, %(task)s, %(path)s, n.idx, n.channel, n.type, n.blob
  from held, unnest(%(numbers)s::int[], %(channels)s::text[], %(types)s::text[], %(blobs)s::bytea[])
    n (idx, channel, type, blob)
  on conflict (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) {conflict}
)
select exists (select from held) as held
"""
_FIRST_STAYS = "do nothing"
_LAST_STAYS = "do update set channel = excluded.channel, type = excluded.type, blob = excluded.blob"
# By (whether a claim is asked for, whether the newest write stays).
PUT_WRITES = {
    (claimed, newest): _PUT_WRITES.format(
        held=_CLAIMED if claimed else _UNCLAIMED, conflict=_LAST_STAYS if newest else _FIRST_STAYS
    )
    for claimed in (False, True)
    for newest in (False, True)
}

_COLUMNS = """
select c.thread_id, c.checkpoint_ns, c.checkpoint_id, c.parent_checkpoint_id, c.checkpoint, c.metadata,
  (
    select array_agg(array[b.channel::bytea, b.type::bytea, b.blob])
    from jsonb_each_text(c.checkpoint -> 'channel_versions') v
    cross join lateral (
      select b.* from checkpoint_blobs b
      where b.thread_id = c.thread_id and b.checkpoint_ns = c.checkpoint_ns
        and b.channel = v.key and b.version = v.value
      limit 1
    ) b
    where b.channel <> 'messages' or not c.checkpoint ? 'message_segments'
  ) as channel_values,
  (
    select array_agg(array[w.task_id::bytea, w.channel::bytea, w.type::bytea, w.blob,
      convert_to(w.task_path, 'UTF8'), w.idx::text::bytea])
    from checkpoint_writes w
    where w.thread_id = c.thread_id and w.checkpoint_ns = c.checkpoint_ns and w.checkpoint_id = c.checkpoint_id
  ) as pending_writes
"""

# A state in one query, without the messages that are known already.
_READ = """
{columns}, m.types as message_types, m.blobs as message_blobs
from (select * from checkpoints where thread_id = %(thread)s and checkpoint_ns = %(ns)s {which}) c
left join lateral (
  select array_agg(m.type order by m.seq) as types, array_agg(m.blob order by m.seq) as blobs
  from jsonb_array_elements(c.checkpoint -> 'message_segments') e
  cross join lateral (select (e.value ->> 0)::bigint, (e.value ->> 1)::int, (e.value ->> 2)::int)
    s (generation, start, stop)
  left join unnest(%(generations)s::bigint[], %(starts)s::int[], %(stops)s::int[]) k (generation, start, stop)
    on k.generation = s.generation and k.start <= s.start and s.start < k.stop
  cross join lateral (
    select m.* from checkpoint_messages m
    where m.thread_id = c.thread_id and m.checkpoint_ns = c.checkpoint_ns and m.generation = s.generation
      and m.seq >= coalesce(k.stop, s.start) and m.seq < s.stop
    offset 0
  ) m
) m on true
"""
READ_NEWEST = _READ.format(columns=_COLUMNS, which="order by checkpoint_id desc limit 1")
READ_ONE = _READ.format(columns=_COLUMNS, which="and checkpoint_id = %(id)s")

LIST = _COLUMNS + "from checkpoints c "
# Of each generation of a thread the rows between two numbers.
LIST_MESSAGES = """
select m.thread_id, m.checkpoint_ns, m.generation, m.seq, m.type, m.blob
from unnest(%(threads)s::text[], %(namespaces)s::text[], %(generations)s::bigint[], %(starts)s::int[], %(stops)s::int[])
  n (thread_id, checkpoint_ns, generation, start, stop)
cross join lateral (
  select m.* from checkpoint_messages m
  where m.thread_id = n.thread_id and m.checkpoint_ns = n.checkpoint_ns and m.generation = n.generation
    and m.seq >= n.start and m.seq < n.stop
  offset 0
) m
"""

# From the newest step back, until a run that left one step only: before it, this was done already. Of each run the last
# step stays, and whatever another branch goes on from.
THIN = """
with recursive walk as (
  (
    select checkpoint_id, parent_checkpoint_id, checkpoint, metadata ->> 'run_id' as run,
      null::text as child, null::text as child_run, 0 as depth
    from checkpoints where thread_id = %(thread)s and checkpoint_ns = '' order by checkpoint_id desc limit 1
  )
  union all
  select p.checkpoint_id, p.parent_checkpoint_id, p.checkpoint, p.run, w.checkpoint_id, w.run, w.depth + 1
  from walk w cross join lateral (
    select p.checkpoint_id, p.parent_checkpoint_id, p.checkpoint, p.metadata ->> 'run_id' as run from checkpoints p
    where p.thread_id = %(thread)s and p.checkpoint_ns = '' and p.checkpoint_id = w.parent_checkpoint_id
    limit 1
  ) p
  where w.child is null or w.run = w.child_run or p.run = w.run
),
newest as (select checkpoint_id, run from walk where depth = 0),
doomed as materialized (
  select w.* from walk w
  where w.run = w.child_run and (w.run = %(run)s or w.run is distinct from (select run from newest))
    and (
      select o.checkpoint_id from checkpoints o
      where o.thread_id = %(thread)s and o.checkpoint_ns = '' and o.checkpoint_id > w.checkpoint_id
        and o.parent_checkpoint_id = w.checkpoint_id and o.checkpoint_id <> w.child
      limit 1
    ) is null
),
kept as materialized (select w.* from walk w where w.checkpoint_id not in (select checkpoint_id from doomed)),
linked as (
  update checkpoints c set parent_checkpoint_id = (
    select o.checkpoint_id from kept o
    where o.depth > (select k.depth from kept k where k.checkpoint_id = c.checkpoint_id) order by o.depth limit 1
  )
  where c.thread_id = %(thread)s and c.checkpoint_ns = '' and c.checkpoint_id = any (array(
    select checkpoint_id from kept where parent_checkpoint_id in (select checkpoint_id from doomed)
  ))
),
steps as (
  delete from checkpoints c
  where c.thread_id = %(thread)s and c.checkpoint_ns = ''
    and c.checkpoint_id = any (array(select checkpoint_id from doomed))
),
writes as (
  delete from checkpoint_writes w
  where w.thread_id = %(thread)s and w.checkpoint_ns = ''
    and w.checkpoint_id between (select min(checkpoint_id) from walk) and (select checkpoint_id from newest)
    and (
      w.checkpoint_id = any (array(select checkpoint_id from doomed))
      or (
        select c.checkpoint_id from checkpoints c
        where c.thread_id = %(thread)s and c.checkpoint_ns = '' and c.checkpoint_id = w.checkpoint_id
        limit 1
      ) is null
    )
),
blobs as (
  delete from checkpoint_blobs b
  using (
    select v.key, v.value from doomed d, jsonb_each_text(d.checkpoint -> 'channel_versions') v
    except
    select v.key, v.value from kept k, jsonb_each_text(k.checkpoint -> 'channel_versions') v
  ) gone
  where b.thread_id = %(thread)s and b.checkpoint_ns = '' and b.channel = gone.key and b.version = gone.value
)
select distinct (d.value ->> 0)::bigint as generation
from doomed, jsonb_array_elements(doomed.checkpoint -> 'message_segments') d
where not exists (
  select from kept, jsonb_array_elements(kept.checkpoint -> 'message_segments') k
  where k.value -> 0 = d.value -> 0 and k.value -> 1 <= d.value -> 1 and k.value -> 2 >= d.value -> 2
)
"""

COLLECT = """
with pointed as materialized (
  select distinct c.checkpoint_ns, (e.value ->> 0)::bigint as generation, (e.value ->> 1)::int as start,
    (e.value ->> 2)::int as stop
  from checkpoints c, jsonb_array_elements(c.checkpoint -> 'message_segments') e where c.thread_id = %(thread)s
)
delete from checkpoint_messages m
where m.thread_id = %(thread)s and (%(generations)s::bigint[] is null or m.generation = any(%(generations)s))
  and not exists (
    select from pointed p where p.checkpoint_ns = m.checkpoint_ns and p.generation = m.generation
      and p.start <= m.seq and m.seq < p.stop
  )
"""

DELETE_THREAD = tuple(
    f"delete from {table} where thread_id = %s"  # noqa: S608 - the names stand here
    for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_messages")
)

# Each is the beginning of its table's primary key; without statistics PostgreSQL would take it and read whole threads.
DROP_NARROW_INDEXES = "drop index if exists " + ", ".join(
    f"{table}_thread_id_idx" for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
)

CREATE_MESSAGES = """
create table if not exists checkpoint_messages (
  generation bigint not null,
  seq integer not null,
  thread_id text not null,
  checkpoint_ns text not null default '',
  type text not null,
  blob bytea not null,
  primary key (thread_id, checkpoint_ns, generation, seq)
)
"""
