-- Workspaces, people and clients: who exists, and who may see whom.
--
-- The application's role (patchbay_app) owns nothing and cannot bypass row security. Two settings carry the scope of a
-- transaction: app.workspace_id always, app.client_id for client roles. app.system opens the tables that span
-- tenants (queues, sessions, sign-in), and only those: no tenant table has a policy that looks at it.
-- Classes (tenant, reference, local) are in classes.toml.

do $$ begin
  if not exists (select from pg_roles where rolname = 'patchbay_app') then
    create role patchbay_app login nosuperuser nobypassrls nocreatedb nocreaterole;
  end if;
end $$;
grant usage on schema public to patchbay_app;
alter default privileges in schema public grant select, insert, update, delete on tables to patchbay_app;

-- Comparing enums is not marked leakproof, so row security would keep an index on an enum column from being used.
-- Only a superuser may say that it is; elsewhere the partial indexes with literals do the work.
do $$ begin
  alter function pg_catalog.enum_eq(anyenum, anyenum) leakproof;
exception when insufficient_privilege then
  raise notice 'enum_eq stays as it is: this role may not change it';
end $$;

create type user_role as enum ('agency_owner', 'agency_admin', 'agency_member', 'client_admin', 'client_viewer', 'admin');
create type workspace_plan as enum ('free', 'pro', 'enterprise');
create type workspace_status as enum ('active', 'suspended');
create type user_status as enum ('active', 'suspended');
create type client_status as enum ('active', 'archived');

create table workspaces (
  id uuid primary key,
  name text not null check (length(name) between 1 and 120),
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  owner_id uuid,
  plan workspace_plan not null default 'pro',
  status workspace_status not null default 'active',
  timezone text not null default 'UTC',
  branding jsonb not null default '{}',
  settings jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table clients (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  name text not null check (length(name) between 1 and 120),
  slug text not null,
  status client_status not null default 'active',
  timezone text not null default 'UTC',
  branding jsonb not null default '{}',
  -- what the agency shows this client beyond calls and results
  shares_cost boolean not null default false,
  shares_recordings boolean not null default true,
  monthly_budget numeric(14, 6),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, slug)
);
create index clients_by_name on clients (workspace_id, name, id);

create table users (
  id uuid primary key,
  workspace_id uuid references workspaces (id),
  client_id uuid,
  email text not null,
  name text not null check (length(name) between 1 and 120),
  role user_role not null,
  status user_status not null default 'active',
  password_hash text not null,
  timezone text,
  preferences jsonb not null default '{}',
  last_login_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  constraint users_admin_has_no_workspace check ((role = 'admin') = (workspace_id is null)),
  constraint users_client_roles_have_client check ((role in ('client_admin', 'client_viewer')) = (client_id is not null))
);
-- One address, one account, whatever the case it is typed in.
create unique index users_email_key on users (lower(email));
create index users_by_workspace on users (workspace_id, id);
alter table workspaces add constraint workspaces_owner foreign key (owner_id) references users (id) deferrable initially deferred;

-- Server-side sessions. The cookie holds the id; the table holds its SHA-256, so a copy of the table signs nobody in.
create table sessions (
  id_hash bytea primary key,
  user_id uuid,
  data bytea not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index sessions_by_user on sessions (user_id);
create index sessions_by_expiry on sessions (expires_at);

-- Failed attempts per key (a hash of account or address). Shared by all processes, survives restarts.
create table sign_in_throttles (
  key bytea primary key,
  failures int not null,
  window_started_at timestamptz not null,
  blocked_until timestamptz
);

alter table workspaces enable row level security;
alter table workspaces force row level security;
create policy scope on workspaces using (
  id = nullif(current_setting('app.workspace_id', true), '')::uuid
  or current_setting('app.system', true) = 'on'
);

alter table clients enable row level security;
alter table clients force row level security;
create policy scope on clients using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table users enable row level security;
alter table users force row level security;
create policy scope on users using (
  current_setting('app.system', true) = 'on'
  or (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and (nullif(current_setting('app.client_id', true), '') is null
           or client_id = nullif(current_setting('app.client_id', true), '')::uuid))
);

alter table sessions enable row level security;
alter table sessions force row level security;
create policy scope on sessions using (current_setting('app.system', true) = 'on');

alter table sign_in_throttles enable row level security;
alter table sign_in_throttles force row level security;
create policy scope on sign_in_throttles using (current_setting('app.system', true) = 'on');
