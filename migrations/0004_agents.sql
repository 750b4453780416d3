-- Prompts, agents, the accounts at outside services they run on, and the numbers they call from.

create type integration_status as enum ('active', 'inactive', 'error');
create type agent_status as enum ('draft', 'active', 'paused');
create type call_direction as enum ('inbound', 'outbound');
create type phone_number_status as enum ('pending', 'active', 'inactive', 'released');

-- One account per service and workspace: voice (ultravox), carrier (telnyx), models (openrouter). Credentials are Fernet
-- tokens that carry workspace and provider inside, so a token copied to another row does not open.
create table provider_connections (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  provider text not null check (provider in ('ultravox', 'telnyx', 'openrouter')),
  mode text not null default 'sandbox' check (mode in ('sandbox', 'live')),
  base_url text not null,
  sealed_credentials text not null,
  credentials_hint text not null default '',
  sealed_webhook_secrets text,
  -- Telnyx: the account's public key, base64
  public_key text,
  settings jsonb not null default '{}',
  status integration_status not null default 'active',
  last_error text,
  last_checked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, provider)
);

create table prompts (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  name text not null check (length(name) between 1 and 120),
  template text not null default '',
  description text not null default '',
  tags text[] not null default '{}',
  tools jsonb not null default '[]',
  version int not null default 1,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create index prompts_by_name on prompts (workspace_id, name, id);

-- Every saved version, immutable: a call records which one it used.
create table prompt_versions (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  prompt_id uuid not null,
  version int not null,
  template text not null,
  note text not null default '',
  labels text[] not null default '{}',
  author_id uuid references users (id),
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, prompt_id) references prompts (workspace_id, id),
  unique (workspace_id, prompt_id, version)
);
revoke delete on prompt_versions from patchbay_app;

-- client_id is the client the agent works for; null means the whole agency. Client roles read its name, never its config.
create table agents (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  client_id uuid,
  name text not null check (length(name) between 1 and 64),
  description text not null default '',
  language text not null,
  llm_model text not null,
  status agent_status not null default 'draft',
  version text not null default '2.0',
  prompt_service_id uuid,
  tags text[] not null default '{}',
  config jsonb not null default '{}',
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, prompt_service_id) references prompts (workspace_id, id)
);
create index agents_by_name on agents (workspace_id, name, id);
create index agents_by_client on agents (workspace_id, client_id, name);

create table agent_mappings (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  agent_id uuid not null,
  client_id uuid not null,
  provider text not null default 'ultravox',
  -- null until the agent has been created at the provider
  provider_agent_id text,
  default_direction call_direction not null default 'outbound',
  -- the prompt version that the provider holds, and why the last try to update it failed
  synced_prompt_version int,
  synced_at timestamptz,
  sync_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  unique (workspace_id, agent_id, client_id, provider)
);
create index agent_mappings_by_provider_agent on agent_mappings (workspace_id, provider, provider_agent_id);

create table agency_phone_numbers (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  number text not null check (number ~ '^\+[1-9][0-9]{6,14}$'),
  direction call_direction not null default 'outbound',
  status phone_number_status not null default 'pending',
  client_id uuid,
  agent_id uuid,
  provider text not null default 'telnyx',
  provider_number_id text,
  provider_order_id text,
  capabilities text[] not null default '{}',
  country text,
  monthly_cost numeric(14, 6),
  purchased_at timestamptz,
  released_at timestamptz,
  last_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id)
);
-- A released number may come back later as a new row.
create unique index agency_phone_numbers_in_use on agency_phone_numbers (workspace_id, number) where status <> 'released';
create index agency_phone_numbers_by_client on agency_phone_numbers (workspace_id, client_id, number);

alter table provider_connections enable row level security;
alter table provider_connections force row level security;
create policy scope on provider_connections using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

alter table prompts enable row level security;
alter table prompts force row level security;
create policy scope on prompts using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

alter table prompt_versions enable row level security;
alter table prompt_versions force row level security;
create policy scope on prompt_versions using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

alter table agents enable row level security;
alter table agents force row level security;
create policy scope on agents using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table agent_mappings enable row level security;
alter table agent_mappings force row level security;
create policy scope on agent_mappings using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table agency_phone_numbers enable row level security;
alter table agency_phone_numbers force row level security;
create policy scope on agency_phone_numbers using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
