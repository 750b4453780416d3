-- The audit trail: one chain of hashes per workspace. Each row's hash covers the row and the hash before it, so a changed,
-- deleted or inserted row shows. The head row is locked while a row is added: that keeps the sequence without gaps.

create table audit_heads (
  workspace_id uuid primary key references workspaces (id),
  seq bigint not null,
  hash bytea not null
);

create table audit_events (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  seq bigint not null,
  user_id uuid references users (id),
  -- the person's name and role as they were: the trail must read alone
  actor text not null,
  action text not null,
  entity text not null,
  entity_id uuid,
  client_id uuid,
  before jsonb,
  after jsonb,
  ip text,
  request_id text,
  previous_hash bytea not null,
  hash bytea not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, seq)
);
create index audit_events_by_entity on audit_events (workspace_id, entity, entity_id, seq desc);
create index audit_events_by_client on audit_events (workspace_id, client_id, seq desc);
revoke update, delete on audit_events from patchbay_app;
revoke delete on audit_heads from patchbay_app;

alter table audit_heads enable row level security;
alter table audit_heads force row level security;
create policy scope on audit_heads using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
);

alter table audit_events enable row level security;
alter table audit_events force row level security;
-- A client's people see their own events and may write them.
create policy scope on audit_events using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
