-- Keys for programs. A key acts as its owner, within its scopes.

create table api_keys (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id),
  owner_id uuid not null references users (id),
  name text not null check (length(name) between 1 and 120),
  -- what lists show and what a key is looked up by: pb_live_ and eight letters
  prefix text not null unique,
  -- SHA-256 of the whole key, in hexadecimal
  key_hash char(64) not null unique,
  scopes text[] not null,
  -- requests per hour; 0: as many as wanted
  rate_limit int not null default 1000 check (rate_limit >= 0),
  expires_at timestamptz,
  last_used_at timestamptz,
  last_used_ip text,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index api_keys_by_workspace on api_keys (workspace_id, id desc);

-- Requests per key and hour, counted by all processes alike.
create table api_key_hours (
  key_id uuid not null,
  hour timestamptz not null,
  used int not null,
  primary key (key_id, hour)
);

alter table audit_events add column api_key_id uuid;

alter table api_keys enable row level security;
alter table api_keys force row level security;
create policy scope on api_keys using (
  current_setting('app.system', true) = 'on'
  or (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and nullif(current_setting('app.client_id', true), '') is null)
);

alter table api_key_hours enable row level security;
alter table api_key_hours force row level security;
create policy scope on api_key_hours using (current_setting('app.system', true) = 'on');
