-- The audit log: what kind of event a row is, the support session it happened in, and which columns its hash covers. And a log of its own
-- for the platform.

alter table audit_events
  -- 1: rows from before this file, whose hash leaves out request_id. 2: the hash covers every column.
  add column format smallint not null default 1,
  -- created, changed, deleted: which sides the row has. happened: nothing of ours was changed. null: a row from before this file.
  add column kind text check (kind in ('created', 'changed', 'deleted', 'happened')),
  add column support_session_id uuid;
comment on column audit_events.format is 'how the hash was made: which columns it covers';
comment on column audit_events.kind is 'which of before and after the row has';
comment on column audit_events.support_session_id is 'the platform''s support session in which it happened';

-- The filters. Most rows have neither a key nor a support session.
create index audit_events_by_key on audit_events (workspace_id, api_key_id, seq desc) where api_key_id is not null;
create index audit_events_by_support on audit_events (workspace_id, support_session_id, seq desc) where support_session_id is not null;
create index audit_events_by_record on audit_events (workspace_id, entity_id, seq desc) where entity_id is not null;
create index audit_events_by_actor on audit_events (workspace_id, actor, seq desc);

-- What platform admins, and whoever runs the installation, did: to agencies and to their own accounts. One chain for the installation.
create table platform_head (
  only_one boolean primary key default true check (only_one),
  seq bigint not null,
  hash bytea not null
);
comment on table platform_head is 'the last row of the platform''s log; locked while a row is added, so that the numbers have no gaps';

create table platform_events (
  seq bigint primary key,
  id uuid not null unique,
  user_id uuid references users (id),
  -- the person's name as it was, or the command
  actor text not null,
  action text not null,
  entity text not null,
  entity_id uuid,
  -- the agency that it was done to, and its name as it was
  agency_id uuid,
  agency text,
  kind text not null check (kind in ('created', 'changed', 'deleted', 'happened')),
  before jsonb,
  after jsonb,
  ip text,
  request_id text,
  previous_hash bytea not null,
  hash bytea not null,
  created_at timestamptz not null default now()
);
comment on table platform_events is 'the platform''s log: one chain of hashes, like each agency''s';
create index platform_events_by_agency on platform_events (agency_id, seq desc) where agency_id is not null;
create index platform_events_by_action on platform_events (action, seq desc);
create index platform_events_by_actor on platform_events (actor, seq desc);
create index platform_events_by_time on platform_events (created_at, seq);
revoke update, delete on platform_events from patchbay_app;
revoke delete on platform_head from patchbay_app;

alter table platform_head enable row level security;
alter table platform_head force row level security;
create policy scope on platform_head using (current_setting('app.system', true) = 'on');
alter table platform_events enable row level security;
alter table platform_events force row level security;
create policy scope on platform_events using (current_setting('app.system', true) = 'on');
