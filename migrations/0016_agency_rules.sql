-- What an agency asks of its people and of its own trail, and what a platform grants it. Rules and limits themselves lie in
-- workspaces.settings, each with a type in Rust.

-- A key that has a successor is not rotated again: its end is the successor's beginning.
alter table api_keys add column rotated_at timestamptz;

create index audit_events_by_action on audit_events (workspace_id, action, seq desc);

-- Where the kept part of a chain begins: the last row that was removed, and its hash. Null: nothing was removed.
alter table audit_heads
  add column base_seq bigint not null default 0,
  add column base_hash bytea,
  -- both, sealed with the installation's key
  add column base_seal text;

-- Heads of chains, sealed with the installation's key, which is not in the database: whoever rewrites a whole chain cannot write
-- these again.
create table audit_anchors (
  workspace_id uuid not null references workspaces (id),
  seq bigint not null,
  sealed text not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, seq)
);
revoke update, delete on audit_anchors from patchbay_app;

alter table audit_anchors enable row level security;
alter table audit_anchors force row level security;
create policy scope on audit_anchors using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

-- The application may not delete events; this may, from the oldest on, never what is younger than ninety days, five thousand at most.
-- Gives the number of the last event that was removed; null: none.
create function prune_audit_events(keep_days int) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  w uuid := nullif(current_setting('app.workspace_id', true), '')::uuid;
  head audit_heads;
  young bigint;
  cut bigint;
begin
  if w is null or keep_days is null or nullif(current_setting('app.client_id', true), '') is not null or keep_days < 90 then
    raise exception 'events are kept for ninety days at least, and only a whole agency''s trail is cut';
  end if;
  select * into head from audit_heads where workspace_id = w for update;
  select seq into young from audit_events
    where workspace_id = w and created_at >= now() - make_interval(days => keep_days) order by created_at, seq limit 1;
  cut := least(coalesce(young - 1, head.seq), head.base_seq + 5000);
  if head is null or cut <= head.base_seq then
    return null;
  end if;
  update audit_heads set base_seq = cut, base_hash = (select hash from audit_events where workspace_id = w and seq = cut)
    where workspace_id = w;
  delete from audit_events where workspace_id = w and seq <= cut;
  return cut;
end $$;
revoke execute on function prune_audit_events from public;
grant execute on function prune_audit_events to patchbay_app;
