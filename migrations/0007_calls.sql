-- Calls: what was dialled, what the provider said about it, what was spoken, and what a model read in it.

create type call_source as enum ('webhook', 'historical_sync');
create type transcript_status as enum ('pending', 'fetching', 'completed', 'failed');
create type analysis_status as enum ('pending', 'processing', 'completed', 'failed');
create type enrichment_type as enum ('transcript', 'analysis');

-- How far dialling got. intent: we are about to ask the provider. placed: the provider has the call. unknown: we asked and the
-- answer never came, so nobody may dial again before the provider has said whether it has the call. refused: it has not.
create type dial_state as enum ('intent', 'placed', 'unknown', 'refused');

create table calls (
  workspace_id uuid not null references workspaces (id),
  -- for a call we place, the id is the idempotency key that travels in the provider's metadata
  id uuid not null,
  client_id uuid,
  agent_id uuid,
  campaign_id uuid,
  campaign_contact_id uuid,
  contact_id uuid,
  batch_id uuid,
  attempt_no int not null default 1,
  provider text not null default 'ultravox',
  provider_call_id text,
  direction call_direction not null,
  source call_source not null default 'webhook',
  dial_state dial_state not null default 'placed',
  -- when the provider was last asked to place it, by database time
  dialled_at timestamptz,
  "from" text,
  "to" text,
  contact_name text not null default '',
  started_at timestamptz not null,
  joined_at timestamptz,
  ended_at timestamptz,
  -- whole seconds of talk, from joined to ended
  duration int,
  end_reason text,
  outcome contact_outcome,
  transcript_status transcript_status not null default 'pending',
  analysis_status analysis_status not null default 'pending',
  summary text,
  goal_reached boolean,
  sentiment text,
  voice_cost numeric(14, 6) not null default 0,
  carrier_cost numeric(14, 6) not null default 0,
  model_cost numeric(14, 6) not null default 0,
  -- set by the provider's billing event; null while it is not priced yet
  billed_seconds int,
  recording_key text,
  recording_peaks jsonb,
  prompt_version int,
  run_id uuid,
  error text,
  reviewed_at timestamptz,
  reviewed_by uuid references users (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, campaign_id) references campaigns (workspace_id, id),
  foreign key (workspace_id, campaign_contact_id) references campaign_contacts (workspace_id, id),
  foreign key (workspace_id, contact_id) references contacts (workspace_id, id),
  foreign key (workspace_id, batch_id) references call_batches (workspace_id, id),
  constraint calls_provider_call_once unique (workspace_id, provider, provider_call_id),
  constraint calls_attempt_once unique (workspace_id, campaign_contact_id, attempt_no)
);
create index calls_newest on calls (workspace_id, started_at desc, id desc);
create index calls_of_client on calls (workspace_id, client_id, started_at desc, id desc);
create index calls_of_agent on calls (workspace_id, agent_id, started_at desc, id desc);
create index calls_of_campaign on calls (workspace_id, campaign_id, started_at desc, id desc);
create index calls_of_batch on calls (workspace_id, batch_id, started_at desc, id desc);
create index calls_of_contact on calls (workspace_id, contact_id, started_at desc, id desc);
create index calls_live on calls (workspace_id, started_at desc) where ended_at is null;
create index calls_unsettled on calls (workspace_id, dialled_at) where dial_state in ('intent', 'unknown');
create index calls_to_review on calls (workspace_id, started_at desc, id desc) where reviewed_at is null and ended_at is not null;
create index calls_failed on calls (workspace_id, started_at desc, id desc)
  where analysis_status = 'failed' or transcript_status = 'failed' or error is not null;
create index calls_by_to on calls (workspace_id, "to", started_at desc);

-- What the provider told us, in its words, once per event.
create table call_events (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  call_id uuid not null,
  client_id uuid,
  provider text not null,
  event_id text not null,
  event_type text not null,
  occurred_at timestamptz not null,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, call_id) references calls (workspace_id, id),
  unique (workspace_id, call_id, provider, event_id)
);

create table call_messages (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  call_id uuid not null,
  client_id uuid,
  position int not null,
  role text not null check (role in ('agent', 'user', 'tool_call', 'tool_result')),
  text text not null,
  -- milliseconds from the start of the talk
  start_ms int,
  end_ms int,
  tool_name text,
  invocation_id text,
  error_details text,
  words tsvector generated always as (to_tsvector('simple', text)) stored,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, call_id) references calls (workspace_id, id),
  unique (workspace_id, call_id, position)
);
create index call_messages_words on call_messages using gin (words);

create table call_analyses (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  call_id uuid not null,
  client_id uuid,
  campaign_type campaign_type not null,
  result jsonb not null,
  model text not null,
  prompt_version int not null,
  prompt_tokens int not null,
  completion_tokens int not null,
  cost numeric(14, 6) not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, call_id) references calls (workspace_id, id),
  unique (workspace_id, call_id)
);
-- Calls that went to a person: the dashboard names them until somebody has reviewed them.
create index call_analyses_escalated on call_analyses (workspace_id, created_at desc)
  where result ->> 'escalation' = 'true';

-- One row per model call, wherever it came from.
create table token_usage (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  agent_id uuid,
  client_id uuid,
  call_id uuid,
  session_id text,
  user_id uuid references users (id),
  purpose text not null,
  model text not null,
  prompt_tokens int not null,
  completion_tokens int not null,
  total_tokens int not null,
  is_estimated boolean not null,
  cost numeric(14, 6) not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, call_id) references calls (workspace_id, id)
);
create index token_usage_by_day on token_usage (workspace_id, created_at, client_id);
create index token_usage_of_call on token_usage (workspace_id, call_id);

create table webhook_queue (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id),
  connection_id uuid not null,
  provider text not null,
  event_id text not null,
  event_type text not null,
  headers jsonb not null,
  raw_body bytea not null,
  status processing_status not null default 'pending',
  attempts int not null default 0,
  max_attempts int not null default 12,
  worker_deaths int not null default 0,
  next_attempt_at timestamptz not null default now(),
  lease_owner uuid,
  lease_until timestamptz,
  last_error text,
  received_at timestamptz not null default now(),
  processed_at timestamptz,
  unique (workspace_id, provider, event_id)
);
create index webhook_queue_due on webhook_queue (workspace_id, next_attempt_at, id) where status = 'pending';
create index webhook_queue_leased on webhook_queue (lease_until) where status = 'processing';
create index webhook_queue_newest on webhook_queue (workspace_id, id desc);
create index webhook_queue_failed on webhook_queue (workspace_id, id desc) where status = 'failed';

create table enrichment_queue (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id),
  call_id uuid not null,
  type enrichment_type not null,
  status processing_status not null default 'pending',
  attempts int not null default 0,
  max_attempts int not null default 12,
  worker_deaths int not null default 0,
  next_attempt_at timestamptz not null default now(),
  lease_owner uuid,
  lease_until timestamptz,
  last_error text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  unique (workspace_id, call_id, type)
);
create index enrichment_queue_due on enrichment_queue (workspace_id, next_attempt_at, id) where status = 'pending';
create index enrichment_queue_leased on enrichment_queue (lease_until) where status = 'processing';
create index enrichment_queue_failed on enrichment_queue (workspace_id, id desc) where status = 'failed';

alter table calls enable row level security;
alter table calls force row level security;
create policy scope on calls using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table call_events enable row level security;
alter table call_events force row level security;
-- Raw provider data is for the agency alone.
create policy scope on call_events using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

alter table call_messages enable row level security;
alter table call_messages force row level security;
create policy scope on call_messages using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table call_analyses enable row level security;
alter table call_analyses force row level security;
create policy scope on call_analyses using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table token_usage enable row level security;
alter table token_usage force row level security;
create policy scope on token_usage using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table webhook_queue enable row level security;
alter table webhook_queue force row level security;
create policy scope on webhook_queue using (
  current_setting('app.system', true) = 'on'
  or (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and nullif(current_setting('app.client_id', true), '') is null)
);

alter table enrichment_queue enable row level security;
alter table enrichment_queue force row level security;
create policy scope on enrichment_queue using (
  current_setting('app.system', true) = 'on'
  or (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and nullif(current_setting('app.client_id', true), '') is null)
);

-- Full-text search over what was said: see search_contacts for why it is a function. Newest calls first.
create function search_call_messages(terms text, most int) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
  select distinct m.call_id from call_messages m
  where m.workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
    and (nullif(current_setting('app.client_id', true), '') is null
         or m.client_id = nullif(current_setting('app.client_id', true), '')::uuid)
    and m.words @@ websearch_to_tsquery('simple', terms)
    and m.role in ('agent', 'user')
  order by m.call_id desc limit least(most, 2000)
$$;
revoke all on function search_call_messages(text, int) from public;
grant execute on function search_call_messages(text, int) to patchbay_app;
