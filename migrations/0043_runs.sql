-- Runs of agents with their steps, and errors grouped by their cause.

create table agent_runs (
  workspace_id uuid not null references workspaces (id),
  -- that of a live call's run is the call's own
  id uuid not null,
  agent_id uuid,
  client_id uuid,
  run_type text not null check (run_type in ('live_call', 'test_call')),
  -- what set it off
  trigger text not null check (trigger in ('incoming', 'batch', 'outgoing', 'test_call', 'suite')),
  call_id uuid,
  -- whoever set it off by hand
  started_by uuid references users (id),
  -- what a test is called; a live call is named by whom it was with
  title text not null default '',
  prompt_version int,
  started_at timestamptz not null,
  completed_at timestamptz,
  duration_ms bigint generated always as
    ((extract(epoch from completed_at - started_at) * 1000)::bigint) stored,
  -- it did not come to what it was for
  is_failed boolean not null default false,
  -- the first thing that went wrong in it
  error text,
  -- of the steps in run_logs; a live call's stand on the call
  prompt_tokens bigint not null default 0,
  completion_tokens bigint not null default 0,
  cost numeric(14, 6) not null default 0,
  -- an answer among them has no price
  is_unpriced boolean not null default false,
  status text not null generated always as (
    case
      when completed_at is null then 'running'
      when is_failed then 'failed'
      when error is not null then 'partial'
      else 'success'
    end) stored,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  -- a call that was never made is taken back with its run
  foreign key (workspace_id, call_id) references calls (workspace_id, id) on delete cascade,
  constraint agent_runs_live_call check ((run_type = 'live_call') = (call_id is not null) and (call_id is null or call_id = id))
);
comment on column agent_runs.status is 'running, success, partial or failed; docs/GLOSSARY.md has the rule';
create index agent_runs_newest on agent_runs (workspace_id, started_at desc, id desc);
create index agent_runs_of_agent on agent_runs (workspace_id, agent_id, started_at desc, id desc);
create index agent_runs_of_client on agent_runs (workspace_id, client_id, started_at desc, id desc);
create index agent_runs_by_status on agent_runs (workspace_id, status, started_at desc, id desc)
  where status in ('running', 'failed', 'partial');
create index agent_runs_of_tests on agent_runs (workspace_id, started_at desc, id desc) where run_type = 'test_call';
create index agent_runs_of_call on agent_runs (workspace_id, call_id) where call_id is not null;

-- Steps of runs that are no call. What happened in a call stands in its messages and in the uses of its tools, and is not kept twice.
create table run_logs (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  run_id uuid not null,
  step int not null,
  event_type text not null check (event_type in ('llm_call', 'tool_call', 'user_input', 'system')),
  message text not null,
  payload jsonb not null,
  -- when it began
  timestamp timestamptz not null,
  took_ms int,
  error text,
  prompt_tokens int,
  completion_tokens int,
  -- null: it has no price
  cost numeric(14, 6),
  primary key (workspace_id, id),
  unique (workspace_id, run_id, step),
  foreign key (workspace_id, run_id) references agent_runs (workspace_id, id)
);

-- Errors that have the same cause.
create table error_causes (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  -- of source, code and message, numbers and names of things left out
  fingerprint text not null,
  source text not null check (source in ('integration', 'agent', 'llm', 'tool')),
  code text not null,
  -- as it was said last
  message text not null,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  count bigint not null,
  resolved_at timestamptz,
  resolved_by uuid references users (id),
  -- it came again after it had been resolved
  reopened_at timestamptz,
  primary key (workspace_id, id),
  unique (workspace_id, fingerprint)
);
create index error_causes_latest on error_causes (workspace_id, last_seen desc, id desc);
create index error_causes_open on error_causes (workspace_id, last_seen desc, id desc) where resolved_at is null;

create table errors (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  run_id uuid,
  agent_id uuid,
  client_id uuid,
  source text not null check (source in ('integration', 'agent', 'llm', 'tool')),
  code text not null,
  message text not null,
  metadata jsonb not null,
  fingerprint text not null,
  -- null: a worker has not counted it yet. Whoever fails only adds a row here, so that nobody waits for another one's failure.
  cause_id uuid,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, run_id) references agent_runs (workspace_id, id) on delete cascade,
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, cause_id) references error_causes (workspace_id, id)
);
create index errors_uncounted on errors (workspace_id, id) where cause_id is null;
create index errors_of_cause on errors (workspace_id, cause_id, created_at desc, id desc);
create index errors_of_run on errors (workspace_id, run_id) where run_id is not null;

-- All of it is the agency's workshop.
alter table agent_runs enable row level security;
alter table agent_runs force row level security;
create policy scope on agent_runs using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table run_logs enable row level security;
alter table run_logs force row level security;
create policy scope on run_logs using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table error_causes enable row level security;
alter table error_causes force row level security;
create policy scope on error_causes using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table errors enable row level security;
alter table errors force row level security;
create policy scope on errors using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

-- Every call is a run. A call and its run are written in one transaction, the call first.
alter table calls no force row level security;
alter table agent_runs no force row level security;
alter table call_messages no force row level security;
alter table tool_invocations no force row level security;
insert into agent_runs (workspace_id, id, agent_id, client_id, run_type, trigger, call_id, prompt_version, started_at, completed_at, is_failed, error)
select c.workspace_id, c.id, c.agent_id, c.client_id, 'live_call',
       case when c.is_test then 'test_call' when c.direction = 'inbound' then 'incoming' when c.batch_id is not null then 'batch'
            else 'outgoing' end,
       c.id, c.prompt_version, c.started_at,
       case when c.ended_at is not null then greatest(c.ended_at, c.started_at) end,
       c.ended_at is not null and c.result = 'failed',
       case when c.ended_at is not null then coalesce(c.error,
         case when c.result = 'failed' then 'The call could not be connected.' end,
         (select 'The tool ' || coalesce(m.tool_name, '') || ' failed.' from call_messages m
          where m.workspace_id = c.workspace_id and m.call_id = c.id and m.error_details is not null order by m.position limit 1),
         (select 'The tool ' || u.tool_name || ' failed.' from tool_invocations u
          where u.workspace_id = c.workspace_id and u.call_id = c.id and u.status = 'failed' order by u.id limit 1),
         case when c.transcript_status = 'failed' then 'The transcript could not be fetched.'
              when c.analysis_status = 'failed' then 'The analysis failed.' end) end
from calls c;
update calls set run_id = id;
alter table tool_invocations force row level security;
alter table call_messages force row level security;
alter table agent_runs force row level security;
alter table calls force row level security;

alter table calls add constraint calls_run foreign key (workspace_id, run_id) references agent_runs (workspace_id, id)
  deferrable initially deferred;
-- For the check of that key when a call that was never made is taken back with its run.
create index calls_of_run on calls (workspace_id, run_id) where run_id is not null;
