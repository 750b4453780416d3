-- Integrations: systems that clients use, what was exchanged with them, and what failed.

create type integration_type as enum ('hubspot', 'zoho', 'twilio', 'plivo', 'slack', 'custom_api');
create type sync_type as enum ('contacts', 'deals', 'activities');
create type sync_status as enum ('running', 'success', 'failed');
create type token_type as enum ('oauth2', 'api_key', 'jwt');

create table integrations (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  -- null: of the agency itself; CRMs always have one
  client_id uuid,
  type integration_type not null,
  name text not null check (length(name) between 1 and 120),
  mode text not null default 'live' check (mode in ('sandbox', 'live')),
  -- by type, without secrets; see IntegrationConfig
  config jsonb not null,
  -- fields of ours and theirs; see Mapping
  mapping jsonb not null default '[]',
  status integration_status not null default 'inactive',
  -- switched off by a person; null: it may work
  paused_at timestamptz,
  -- what is wrong, in words; null: nothing
  problem text,
  problem_at timestamptz,
  -- the account's own id and name at the other side, and who signed in there
  account_id text,
  account_name text,
  account_user text,
  -- nothing is asked before; the service said so
  wait_until timestamptz,
  -- what the service last said about its limit: {most, left, seconds, daily_most?, daily_left?, at}
  rate_limit jsonb,
  last_sync_at timestamptz,
  -- null: it does not sync by itself
  next_sync_at timestamptz,
  -- who set it up
  user_id uuid references users (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  removed_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  constraint integrations_paused check (status <> 'active' or paused_at is null)
);
create index integrations_by_name on integrations (workspace_id, name, id) where removed_at is null;
create index integrations_due on integrations (workspace_id, next_sync_at) where next_sync_at is not null and removed_at is null;

-- Sign-ins at other systems. The document is sealed for its place.
create table user_tokens (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  user_id uuid not null references users (id),
  -- `integration:<id>`
  integration_key text not null,
  provider text not null,
  token_type token_type not null,
  encrypted_token_data text not null,
  -- which key seals it: KeyRing's id of the key
  key_id text not null,
  scopes text[] not null default '{}',
  expires_at timestamptz,
  is_active boolean not null default true,
  -- one process at a time renews it
  refresh_owner uuid,
  refresh_until timestamptz,
  refreshed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, user_id, integration_key)
);
create unique index user_tokens_in_use on user_tokens (workspace_id, integration_key) where is_active;
create index user_tokens_expiring on user_tokens (workspace_id, expires_at) where is_active and expires_at is not null;

-- A sign-in at another system that somebody has begun.
create table oauth_attempts (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  integration_id uuid not null,
  user_id uuid not null references users (id),
  -- digest of the state; the browser's session is part of what is compared
  state_digest bytea not null,
  session_digest bytea not null,
  -- sealed: the verifier of PKCE
  verifier text not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, integration_id) references integrations (workspace_id, id)
);
create unique index oauth_attempts_state on oauth_attempts (workspace_id, state_digest);
create index oauth_attempts_old on oauth_attempts (workspace_id, expires_at);

create table integration_sync_logs (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  integration_id uuid not null,
  client_id uuid,
  sync_type sync_type not null,
  -- changes: what changed since the last one; everything: from the beginning; retry: records that had failed
  reach text not null check (reach in ('changes', 'everything', 'retry')),
  status sync_status not null default 'running',
  -- where it goes on after an interruption; see Cursor
  cursor jsonb,
  -- read + written
  items_synced int not null default 0,
  items_read int not null default 0,
  items_written int not null default 0,
  items_skipped int not null default 0,
  items_failed int not null default 0,
  error_message text,
  -- null: nobody, by itself
  user_id uuid references users (id),
  cancel_requested_at timestamptz,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, integration_id) references integrations (workspace_id, id),
  constraint integration_sync_logs_end check ((status = 'running') = (finished_at is null))
);
create index integration_sync_logs_newest on integration_sync_logs (workspace_id, integration_id, id desc);
-- One sync of an integration at a time.
create unique index integration_sync_logs_one on integration_sync_logs (workspace_id, integration_id) where status = 'running';

-- What a sync did with a record.
create table integration_sync_records (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  sync_id uuid not null,
  integration_id uuid not null,
  client_id uuid,
  -- read, write, remove, merge, flag
  action text not null check (action in ('read', 'write', 'remove', 'merge', 'flag')),
  result text not null check (result in ('done', 'skipped', 'failed')),
  -- the other side's kind and id of the record; null: it has none yet
  remote_kind text not null,
  remote_id text,
  -- ours: a contact, or a call whose result was written
  contact_id uuid,
  call_id uuid,
  label text not null default '',
  message text not null default '',
  at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, sync_id) references integration_sync_logs (workspace_id, id)
);
create index integration_sync_records_of_sync on integration_sync_records (workspace_id, sync_id, id);

-- What is to be written, or failed to be read or written, and is tried again.
create table integration_pending (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  integration_id uuid not null,
  client_id uuid,
  direction text not null check (direction in ('read', 'write')),
  -- contact, call, flag: ours; or what is read
  kind text not null check (kind in ('contact', 'deal', 'call', 'flag')),
  contact_id uuid,
  call_id uuid,
  remote_id text,
  label text not null default '',
  tries int not null default 0,
  next_try_at timestamptz not null default now(),
  -- null: it has not failed yet
  problem text,
  -- what a person may do about it: retry, map, edit, choose, follow
  remedy text check (remedy in ('retry', 'map', 'edit', 'choose', 'follow')),
  -- for choosing and following: {field, ours, theirs} or {remote_id}
  detail jsonb,
  -- no more tries by itself
  given_up_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, integration_id) references integrations (workspace_id, id)
);
create unique index integration_pending_contact on integration_pending (workspace_id, integration_id, direction, kind, contact_id)
  where contact_id is not null and call_id is null;
create unique index integration_pending_call on integration_pending (workspace_id, integration_id, direction, kind, call_id) where call_id is not null;
create unique index integration_pending_remote on integration_pending (workspace_id, integration_id, kind, remote_id)
  where direction = 'read';
create index integration_pending_due on integration_pending (workspace_id, integration_id, next_try_at, id) where given_up_at is null;
create index integration_pending_failed on integration_pending (workspace_id, integration_id, id) where problem is not null;

-- Which record of the other side is which of ours.
create table integration_links (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  integration_id uuid not null,
  client_id uuid,
  -- contact, deal, call (an activity that we wrote), task
  kind text not null check (kind in ('contact', 'deal', 'call', 'task')),
  remote_id text not null,
  contact_id uuid,
  call_id uuid,
  -- values as both sides had them when they agreed last: {field: value}
  agreed jsonb not null default '{}',
  -- a deal's own values, for its contact's page
  facts jsonb not null default '{}',
  remote_changed_at timestamptz,
  removed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, integration_id) references integrations (workspace_id, id),
  foreign key (workspace_id, contact_id) references contacts (workspace_id, id)
);
create unique index integration_links_remote on integration_links (workspace_id, integration_id, kind, remote_id);
create index integration_links_contact on integration_links (workspace_id, contact_id) where contact_id is not null;
create unique index integration_links_call on integration_links (workspace_id, integration_id, kind, call_id) where call_id is not null;

-- Records of other systems are matched with contacts by e-mail address.
create index contacts_by_email on contacts (workspace_id, client_id, lower(email)) where email is not null;

-- Messages to a system that takes them one by one (Slack, custom_api), and those that came from it.
create table integration_messages (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  integration_id uuid not null,
  client_id uuid,
  direction text not null check (direction in ('out', 'in')),
  -- the event that it tells, or the other side's id of what came in
  event_type text not null,
  external_id text,
  subject text,
  subject_id uuid,
  -- what is sent, or what came
  body text not null,
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'failed', 'taken', 'refused')),
  tries int not null default 0,
  next_try_at timestamptz,
  answer_status int,
  answer text,
  problem text,
  at timestamptz not null default now(),
  done_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, integration_id) references integrations (workspace_id, id),
  constraint integration_messages_next check ((state = 'waiting') = (next_try_at is not null))
);
create unique index integration_messages_once on integration_messages (workspace_id, integration_id, direction, external_id)
  where external_id is not null;
create index integration_messages_newest on integration_messages (workspace_id, integration_id, at desc, id desc);
create index integration_messages_due on integration_messages (workspace_id, integration_id, next_try_at, id) where state = 'waiting';

-- A client's people read what concerns their own systems, but not how one signs in there.
alter table integrations enable row level security;
alter table integrations force row level security;
create policy scope on integrations using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
alter table integration_sync_logs enable row level security;
alter table integration_sync_logs force row level security;
create policy scope on integration_sync_logs using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
alter table integration_sync_records enable row level security;
alter table integration_sync_records force row level security;
create policy scope on integration_sync_records using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
alter table integration_pending enable row level security;
alter table integration_pending force row level security;
create policy scope on integration_pending using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
alter table integration_links enable row level security;
alter table integration_links force row level security;
create policy scope on integration_links using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
alter table integration_messages enable row level security;
alter table integration_messages force row level security;
create policy scope on integration_messages using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
alter table user_tokens enable row level security;
alter table user_tokens force row level security;
create policy scope on user_tokens using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table oauth_attempts enable row level security;
alter table oauth_attempts force row level security;
create policy scope on oauth_attempts using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
