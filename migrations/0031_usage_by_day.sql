-- What calls and models came to by day, kept beside them so that sums over months read a few rows for each day.

-- What the agent's side of a conversation said, in characters: what voices are priced by. Written with the transcript.
alter table calls add column characters_spoken int not null default 0;
comment on column calls.characters_spoken is 'characters that the agent said, as the transcript has them';
-- The owner is bound by row security, too, but for this moment.
alter table calls no force row level security;
alter table call_messages no force row level security;
update calls c set characters_spoken = m.characters
from (select workspace_id, call_id, sum(length(text))::int as characters from call_messages where role = 'agent' group by workspace_id, call_id) m
where c.workspace_id = m.workspace_id and c.id = m.call_id and m.characters > 0;
alter table call_messages force row level security;
alter table calls force row level security;

-- A client's answers by time, as calls_of_client has its calls.
create index token_usage_of_client on token_usage (workspace_id, client_id, created_at);

-- Calls by their start and answers of models by their own time, by client, agent and day. A day is one of the client's zone; of rows
-- without client one of the agency's. Made of calls and token_usage by one statement, and made anew by the same one.
create table billing_usage (
  workspace_id uuid not null references workspaces (id),
  id uuid not null default gen_random_uuid(),
  client_id uuid,
  agent_id uuid,
  day date not null,
  calls_made bigint not null,
  ended bigint not null,
  answered bigint not null,
  failed bigint not null,
  goals bigint not null,
  call_seconds bigint not null,
  characters_generated bigint not null,
  -- tokens in and out of models
  tokens_used bigint not null,
  voice_cost numeric(16, 6) not null,
  carrier_cost numeric(16, 6) not null,
  model_cost numeric(16, 6) not null,
  total_cost_usd numeric(16, 6) not null generated always as (voice_cost + carrier_cost + model_cost) stored,
  -- what is in none of the costs: calls that are not priced yet, and answers of which no price was told
  unpriced_calls bigint not null,
  unpriced_answers bigint not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  constraint billing_usage_once unique nulls not distinct (workspace_id, client_id, agent_id, day)
);
create index billing_usage_by_day on billing_usage (workspace_id, day, client_id);

-- The answers of models of the same days, by model and by what they were for.
create table billing_model_usage (
  workspace_id uuid not null references workspaces (id),
  id uuid not null default gen_random_uuid(),
  client_id uuid,
  day date not null,
  model text not null,
  purpose text not null,
  answers bigint not null,
  prompt_tokens bigint not null,
  completion_tokens bigint not null,
  -- some of the tokens were counted by us and not by the service
  is_estimated boolean not null,
  -- null: no price was told for any of the answers
  cost numeric(16, 6),
  unpriced bigint not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  constraint billing_model_usage_once unique nulls not distinct (workspace_id, client_id, day, model, purpose)
);
create index billing_model_usage_by_day on billing_model_usage (workspace_id, day, client_id);

-- Days that changed and whose rows have not been made anew. Only added to by whoever changes a call, so that no two of them wait for
-- each other; pages count these days from the calls until a worker has made their rows.
create table billing_touches (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id),
  -- null: what belongs to no client
  client_id uuid,
  -- a moment of the day; null: every day of the client
  at timestamptz,
  created_at timestamptz not null default now()
);
create index billing_touches_of_workspace on billing_touches (workspace_id, client_id, at);

-- The days of before this migration are made by a worker, and until then counted from the calls.
alter table workspaces no force row level security;
alter table clients no force row level security;
insert into billing_touches (id, workspace_id, client_id, at) select gen_random_uuid(), id, null, null from workspaces;
insert into billing_touches (id, workspace_id, client_id, at) select gen_random_uuid(), workspace_id, id, null from clients;
alter table clients force row level security;
alter table workspaces force row level security;

alter table billing_usage enable row level security;
alter table billing_usage force row level security;
create policy scope on billing_usage using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table billing_model_usage enable row level security;
alter table billing_model_usage force row level security;
create policy scope on billing_model_usage using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table billing_touches enable row level security;
alter table billing_touches force row level security;
create policy scope on billing_touches using (
  current_setting('app.system', true) = 'on'
  or (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and (nullif(current_setting('app.client_id', true), '') is null
           or client_id = nullif(current_setting('app.client_id', true), '')::uuid))
);
