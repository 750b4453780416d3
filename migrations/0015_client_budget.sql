-- What a client's monthly budget does, and the words of its calls for a client whose agency shows them.

-- warn: the agency is told. hold: nothing new is dialled for the client once the month's spend has reached it.
create type budget_action as enum ('warn', 'hold');
alter table clients
  add column shares_prompts boolean not null default false,
  add column budget_action budget_action not null default 'warn';

-- Versions count within one prompt, so a number alone does not say which words were used once an agent has changed its prompt.
alter table agent_mappings
  add column synced_prompt_id uuid,
  add foreign key (workspace_id, synced_prompt_id) references prompts (workspace_id, id);
alter table calls
  add column prompt_id uuid,
  add foreign key (workspace_id, prompt_id) references prompts (workspace_id, id);

-- What a client with a budget has spent in a month of its own zone, kept in the transactions that write costs: dialling asks it
-- before every claim. Made from the calls and answers when it is first asked for (docs/decisions/0010-budgets.md).
create table client_spend (
  workspace_id uuid not null references workspaces (id),
  client_id uuid not null,
  -- the month's first day
  month date not null,
  -- the month in the zone that the client had when it was added up; another zone adds it up anew
  from_at timestamptz not null,
  until_at timestamptz not null,
  spent numeric(14, 6) not null,
  -- when the trail was told that so much of the budget is spent
  told_80_at timestamptz,
  told_100_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, client_id, month),
  foreign key (workspace_id, client_id) references clients (workspace_id, id)
);

alter table client_spend enable row level security;
alter table client_spend force row level security;
create policy scope on client_spend using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

-- Copies that the voice service holds as they are say from now on which prompt they have. The owner is bound by row security, too, but for
-- this moment.
alter table agent_mappings no force row level security;
alter table agents no force row level security;
update agent_mappings m set synced_prompt_id = a.prompt_service_id from agents a
  where a.workspace_id = m.workspace_id and a.id = m.agent_id and m.synced_prompt_version is not null and m.synced_at >= a.updated_at;
alter table agent_mappings force row level security;
alter table agents force row level security;
