-- The past: calls that a voice service has and Patchbay was never told of. Imports of a span of days, what they did with each call that
-- they could not take, and what the regular comparison with the service finds missing.

create type sync_job_status as enum ('pending', 'in_progress', 'completed', 'failed', 'cancelled');

create table historical_sync_jobs (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  connection_id uuid not null,
  provider text not null,
  -- the days as they were asked for, in `zone`; null: from the first call on
  from_day date,
  to_day date not null,
  zone text not null,
  -- the moments that they are, both included
  "from" timestamptz not null,
  "to" timestamptz not null,
  all_agents boolean not null,
  with_transcripts boolean not null,
  status sync_job_status not null default 'pending',
  -- the service's place in its list: what comes next. Null: the first page
  cursor text,
  -- the oldest call that was looked at, newest being first; a list that has forgotten the cursor goes on from here
  reached timestamptz,
  -- as many as the service says there are; null: it has not said
  found bigint,
  -- which walk through the list this is, and how many the service said there were when it began: when there are more at its end, calls
  -- have come to light in the middle of it, and it is walked once more. Only the first walk counts what is here already.
  walk int not null default 1,
  walk_found bigint,
  -- a call that was looked at is one of these three
  imported bigint not null default 0,
  skipped bigint not null default 0,
  failed bigint not null default 0,
  -- what waiting for the service's limit has cost, and until when it waits
  waited_seconds bigint not null default 0,
  waits_until timestamptz,
  -- the last trouble; for good when the import has failed
  error text,
  started_by uuid references users (id),
  cancelled_by uuid references users (id),
  started_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, connection_id) references provider_connections (workspace_id, id)
);
-- One import at a time uses up a connection's limit; the others wait.
create unique index historical_sync_jobs_one_runs on historical_sync_jobs (workspace_id, connection_id) where status = 'in_progress';
create index historical_sync_jobs_unfinished on historical_sync_jobs (workspace_id, connection_id, id)
  where status in ('pending', 'in_progress');
create index historical_sync_jobs_newest on historical_sync_jobs (workspace_id, connection_id, id desc);

-- What an import did by agent: those that were chosen, or, with all agents, those that had calls. One row without an agent counts calls of
-- agents that Patchbay does not know.
create table historical_sync_agents (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  sync_id uuid not null,
  agent_id uuid,
  -- the agent at the service; none for those that Patchbay does not know
  provider_agent_id text,
  -- as many as the service had at the start; null: it was not asked
  found bigint,
  imported bigint not null default 0,
  skipped bigint not null default 0,
  failed bigint not null default 0,
  primary key (workspace_id, id),
  foreign key (workspace_id, sync_id) references historical_sync_jobs (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  -- an agent that works for several clients has several copies at the service
  unique nulls not distinct (workspace_id, sync_id, provider_agent_id)
);

-- And by day, in the import's zone.
create table historical_sync_days (
  workspace_id uuid not null references workspaces (id),
  sync_id uuid not null,
  day date not null,
  imported bigint not null default 0,
  skipped bigint not null default 0,
  failed bigint not null default 0,
  primary key (workspace_id, sync_id, day),
  foreign key (workspace_id, sync_id) references historical_sync_jobs (workspace_id, id)
);

-- Calls that could not be taken, and why.
create table historical_sync_failures (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  sync_id uuid not null,
  -- none: the service's answer had no id that can be read
  provider_call_id text,
  agent_id uuid,
  started_at timestamptz,
  why text not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, sync_id) references historical_sync_jobs (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id)
);
create index historical_sync_failures_of_sync on historical_sync_failures (workspace_id, sync_id, id);

-- How far back a voice service and Patchbay are known to agree, one row per connection, and when they are compared next. Like a queue it is
-- read across tenants: to see what is due.
create table call_checks (
  workspace_id uuid not null references workspaces (id),
  connection_id uuid not null,
  -- every call that began before this is here, with what the service knew of it at the last check
  clean_until timestamptz not null,
  next_at timestamptz not null,
  checked_at timestamptz,
  -- from when on the last check looked, and how many calls it compared
  checked_from timestamptz,
  compared bigint not null default 0,
  -- why the last check did not get to its end
  error text,
  updated_at timestamptz not null default now(),
  primary key (workspace_id, connection_id)
);
create index call_checks_due on call_checks (next_at);

-- What such a comparison found: a call that the service has and Patchbay does not, or one without its end or its bill.
create table call_gaps (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  connection_id uuid not null,
  kind text not null check (kind in ('never_heard_of', 'without_end', 'without_bill')),
  provider_call_id text not null,
  -- none while it was never heard of
  call_id uuid,
  agent_id uuid,
  started_at timestamptz not null,
  why text not null,
  found_at timestamptz not null default now(),
  closed_at timestamptz,
  -- how it was closed
  closed_how text,
  primary key (workspace_id, id),
  foreign key (workspace_id, connection_id) references provider_connections (workspace_id, id),
  foreign key (workspace_id, call_id) references calls (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id)
);
create unique index call_gaps_once on call_gaps (workspace_id, connection_id, kind, provider_call_id) where closed_at is null;
create index call_gaps_open on call_gaps (workspace_id, connection_id, started_at desc, id desc) where closed_at is null;
create index call_gaps_closed on call_gaps (workspace_id, connection_id, closed_at desc, id desc) where closed_at is not null;

-- Imported calls whose words have not been asked for yet, newest first.
create index calls_without_words on calls (workspace_id, started_at desc, id desc)
  where source = 'historical_sync' and transcript_status = 'pending';
create index calls_by_sync on calls (workspace_id, started_at desc, id desc) where source = 'historical_sync';

-- All of it is for the agency alone.
alter table historical_sync_jobs enable row level security;
alter table historical_sync_jobs force row level security;
create policy scope on historical_sync_jobs using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table historical_sync_agents enable row level security;
alter table historical_sync_agents force row level security;
create policy scope on historical_sync_agents using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table historical_sync_days enable row level security;
alter table historical_sync_days force row level security;
create policy scope on historical_sync_days using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table historical_sync_failures enable row level security;
alter table historical_sync_failures force row level security;
create policy scope on historical_sync_failures using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table call_checks enable row level security;
alter table call_checks force row level security;
create policy scope on call_checks using (
  current_setting('app.system', true) = 'on'
  or (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and nullif(current_setting('app.client_id', true), '') is null)
);
alter table call_gaps enable row level security;
alter table call_gaps force row level security;
create policy scope on call_gaps using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

-- Voice services that are connected already are compared from now on. The owner is bound by row security, too, but for this moment.
alter table call_checks no force row level security;
alter table provider_connections no force row level security;
insert into call_checks (workspace_id, connection_id, clean_until, next_at)
select workspace_id, id, now(), now() from provider_connections where provider = 'ultravox';
alter table provider_connections force row level security;
alter table call_checks force row level security;
