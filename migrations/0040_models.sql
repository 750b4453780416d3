-- Which model does what, and what models cost.

-- Voice and carrier are one account each; of models there may be several, each with a name.
alter table provider_connections drop constraint provider_connections_workspace_id_provider_key;
alter table provider_connections drop constraint provider_connections_provider_check;
alter table provider_connections
  add column name text not null default '' check (length(name) <= 60),
  add constraint provider_connections_provider_check
    check (provider in ('ultravox', 'telnyx', 'openrouter', 'anthropic', 'openai_compatible'));
create unique index provider_connections_one on provider_connections (workspace_id, provider)
  where provider in ('ultravox', 'telnyx');
create unique index provider_connections_by_name on provider_connections (workspace_id, lower(name))
  where name <> '';
comment on column provider_connections.name is 'tells several accounts of one kind apart; empty: the service''s own name';

-- Which account and which model each kind of work uses.
create table model_choices (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  purpose text not null check (purpose in ('analysis', 'agent', 'judge', 'caller', 'embedding')),
  -- null: for all; else for this agent's runs alone
  agent_id uuid check (agent_id is null or purpose = 'agent'),
  connection_id uuid not null,
  model text not null check (length(model) between 1 and 200),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, connection_id) references provider_connections (workspace_id, id)
);
create unique index model_choices_for_all on model_choices (workspace_id, purpose) where agent_id is null;
create unique index model_choices_of_agent on model_choices (workspace_id, agent_id) where agent_id is not null;
create index model_choices_by_account on model_choices (workspace_id, connection_id);

alter table model_choices enable row level security;
alter table model_choices force row level security;
create policy scope on model_choices using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

-- What an account's model costs from a moment on. Rows never change: a new price is a new row.
create table model_prices (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  connection_id uuid not null,
  model text not null check (length(model) between 1 and 200),
  holds_from timestamptz not null,
  -- US dollars per million tokens
  read_price numeric(14, 6) not null check (read_price >= 0),
  written_price numeric(14, 6) not null check (written_price >= 0),
  -- tokens that the service had read before; null: as read_price
  cached_price numeric(14, 6) check (cached_price >= 0),
  -- listed: as the service's own list of models said; typed: by a person
  source text not null check (source in ('listed', 'typed')),
  set_by uuid references users (id),
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, connection_id) references provider_connections (workspace_id, id)
);
create unique index model_prices_by_time on model_prices (workspace_id, connection_id, model, holds_from);

alter table model_prices enable row level security;
alter table model_prices force row level security;
create policy scope on model_prices using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

-- The model for analyses was kept with the one account that there could be.
alter table provider_connections no force row level security;
alter table model_choices no force row level security;
insert into model_choices (workspace_id, id, purpose, connection_id, model)
select workspace_id, gen_random_uuid(), 'analysis', id, left(settings ->> 'chat_model', 200)
from provider_connections where provider = 'openrouter' and settings ->> 'chat_model' <> '';
update provider_connections set settings = settings - 'chat_model' where settings ? 'chat_model';
alter table model_choices force row level security;
alter table provider_connections force row level security;
