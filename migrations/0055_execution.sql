-- Execution: engines say how work is done, targets where, and jobs are the work itself, with tries, approvals, steps and what they leave.

create type execution_job_status as enum
  ('queued', 'running', 'awaiting_approval', 'completed', 'failed', 'oom', 'failed_circuit_open');

create table execution_engines (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  name text not null,
  -- model: a chat model with tools in a loop; process: a command in a sandbox
  type text not null check (type in ('model', 'process')),
  -- of a model the kind of account, of a process the interpreter
  provider text not null default 'anthropic',
  -- by type; see EngineConfig
  handler_config jsonb not null,
  description text not null default '',
  is_default boolean not null default false,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  constraint execution_engines_default check (is_active or not is_default)
);
create unique index execution_engines_name on execution_engines (workspace_id, lower(name)) where is_active;
create unique index execution_engines_one_default on execution_engines (workspace_id) where is_default;

create table execution_targets (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  name text not null,
  type text not null check (type in ('local', 'docker', 'kubernetes')),
  -- by type, without secrets; see TargetConfig
  connection_config jsonb not null,
  -- sealed: a token, a client's key
  secret text,
  -- {slots, memory_mb, cpu}: what jobs may take of it together
  capacity jsonb not null,
  -- which workers see to it: patchbay work --pool NAME
  worker_pool text not null default 'default' check (worker_pool ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  is_active boolean not null default true,
  -- no new job starts on it; those that run go on
  held_at timestamptz,
  held_by uuid references users (id),
  checked_at timestamptz,
  -- null: the check found nothing wrong
  check_problem text,
  -- what it is, and what should be known of it, a line each
  check_found text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create unique index execution_targets_name on execution_targets (workspace_id, lower(name)) where is_active;

-- The breaker of an engine on a target.
create table execution_circuits (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  engine_id uuid not null,
  target_id uuid not null,
  -- starts in a row that failed for reasons of the engine or the target, not of the job
  failures int not null default 0,
  -- null: closed
  opened_at timestamptz,
  -- when one job may try
  probe_at timestamptz,
  -- the job that tries
  probing_job_id uuid,
  last_reason text,
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, engine_id, target_id),
  foreign key (workspace_id, engine_id) references execution_engines (workspace_id, id),
  foreign key (workspace_id, target_id) references execution_targets (workspace_id, id),
  constraint execution_circuits_open check ((opened_at is null) = (probe_at is null))
);

create table execution_jobs (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  -- what asked for it; null: a person did, on the page of execution
  supervisor_run_id uuid,
  -- of a job that asked for it: a worker that needs a script run
  parent_job_id uuid,
  client_id uuid,
  agent_id uuid,
  engine_id uuid not null,
  target_id uuid not null,
  -- what it does, in a few words
  title text not null,
  -- snapshot: the engine, the agent with its prompt's words, tools and skills, the script, the limits. See WorkerConfig
  worker_config jsonb not null,
  -- what the worker is told to do
  prompt text not null,
  -- snapshot of the target: its name, type, pool and connection without secrets
  execution_target jsonb not null,
  status execution_job_status not null,
  -- what came of it: {output, exit_code?, …}; see JobResult
  result jsonb,
  -- of a model: the conversation so far, from which another worker goes on
  progress jsonb,
  container_id text,
  target_host text,
  retry_count int not null default 0,
  max_retries int not null default 2,
  memory_limit_mb int not null,
  -- the most that was seen, of the last try
  peak_memory_mb int,
  last_failure_reason text,
  -- set by a person or a run; the work is really ended, then the job
  cancel_requested_at timestamptz,
  cancelled_by uuid references users (id),
  asked_by uuid references users (id),
  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  -- until when it waits at most, and once it runs, until when it runs at most
  timeout_at timestamptz not null,
  -- how long one try may run
  timeout_seconds int not null,
  -- queued: not before
  next_attempt_at timestamptz,
  lease_owner text,
  lease_until timestamptz,
  -- counters of its steps
  steps int not null default 0,
  tokens bigint not null default 0,
  cost numeric(14, 6) not null default 0,
  is_unpriced boolean not null default false,
  -- a form sent twice makes one job
  idempotency_key uuid,
  primary key (workspace_id, id),
  foreign key (workspace_id, parent_job_id) references execution_jobs (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, engine_id) references execution_engines (workspace_id, id),
  foreign key (workspace_id, target_id) references execution_targets (workspace_id, id),
  constraint execution_jobs_ended check ((completed_at is not null) = (status in ('completed', 'failed', 'oom'))),
  constraint execution_jobs_lease check ((lease_owner is null) = (lease_until is null))
);
create index execution_jobs_newest on execution_jobs (workspace_id, created_at desc, id desc);
create index execution_jobs_by_status on execution_jobs (workspace_id, status, created_at desc, id desc);
create index execution_jobs_open on execution_jobs (workspace_id, target_id, status) where completed_at is null;
create index execution_jobs_of_run on execution_jobs (workspace_id, supervisor_run_id, created_at, id) where supervisor_run_id is not null;
create index execution_jobs_of_parent on execution_jobs (workspace_id, parent_job_id) where parent_job_id is not null;
create index execution_jobs_of_target on execution_jobs (workspace_id, target_id, created_at desc, id desc);
create index execution_jobs_of_engine on execution_jobs (workspace_id, engine_id, created_at desc, id desc);
create index execution_jobs_done on execution_jobs (workspace_id, completed_at desc) where completed_at is not null;
create unique index execution_jobs_once on execution_jobs (workspace_id, idempotency_key) where idempotency_key is not null;

-- Each try of a job.
create table execution_attempts (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  job_id uuid not null,
  number int not null,
  lease_owner text not null,
  container_id text,
  target_host text,
  memory_limit_mb int not null,
  peak_memory_mb int,
  -- [[ms since its start, MB], …], thinned out
  memory_samples jsonb not null default '[]',
  exit_code int,
  -- completed, failed, oom, timeout, cancelled, lost, held_back
  outcome text,
  reason text,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (workspace_id, id),
  unique (workspace_id, job_id, number),
  foreign key (workspace_id, job_id) references execution_jobs (workspace_id, id)
);

-- What a job wrote, a line each, up to a limit.
create table execution_log_lines (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  job_id uuid not null,
  attempt int not null,
  position int not null,
  -- out, err, system
  stream text not null check (stream in ('out', 'err', 'system')),
  at timestamptz not null,
  line text not null,
  primary key (workspace_id, id),
  foreign key (workspace_id, job_id) references execution_jobs (workspace_id, id)
);
create unique index execution_log_lines_in_order on execution_log_lines (workspace_id, job_id, attempt, position);

-- Files that a job gave back.
create table execution_artefacts (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  job_id uuid not null,
  attempt int not null,
  name text not null,
  bytes bigint not null,
  content_type text not null,
  object_key text not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, job_id) references execution_jobs (workspace_id, id)
);
create index execution_artefacts_of_job on execution_artefacts (workspace_id, job_id, name);

-- A person is asked before something is done.
create table execution_approvals (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  job_id uuid not null,
  supervisor_run_id uuid,
  -- who may decide of it besides the agency: the client's admins, by the rule
  client_id uuid,
  for_client boolean not null default false,
  -- the rule that asks, in words
  rule text not null,
  -- what is to be done: the start of the job (null), or the use of a tool
  tool_name text,
  title text not null,
  -- rows of [name, value] for the person
  details jsonb not null,
  -- what the person may change: the prompt of the job, or the tool's arguments as JSON
  content text not null,
  requested_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- who has it open, and since when: the others see it
  opened_by uuid references users (id),
  opened_at timestamptz,
  -- null: nobody has decided yet
  decision text check (decision in ('approved', 'edited', 'rejected', 'expired', 'withdrawn')),
  decided_by uuid references users (id),
  decided_at timestamptz,
  note text not null default '',
  -- what was approved, when it was edited
  edited_content text,
  primary key (workspace_id, id),
  foreign key (workspace_id, job_id) references execution_jobs (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  constraint execution_approvals_decided check ((decision is null) = (decided_at is null)),
  constraint execution_approvals_client check (not for_client or client_id is not null)
);
create index execution_approvals_open on execution_approvals (workspace_id, expires_at, id) where decision is null;
create index execution_approvals_decided on execution_approvals (workspace_id, decided_at desc, id desc) where decision is not null;
create index execution_approvals_of_job on execution_approvals (workspace_id, job_id, requested_at);

-- What supervisors and workers did, step by step.
create table execution_steps (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  supervisor_run_id uuid,
  job_id uuid,
  agent_id uuid,
  -- classified, asked_back, model, tool, approval, process, composed, message, limit
  kind text not null check (kind in ('classified', 'asked_back', 'model', 'tool', 'approval', 'process', 'composed', 'message', 'limit')),
  title text not null,
  payload jsonb not null,
  began timestamptz not null,
  took_ms int not null default 0,
  prompt_tokens int,
  completion_tokens int,
  -- null: it has no price, or asked no model
  cost numeric(14, 6),
  error text,
  primary key (workspace_id, id),
  foreign key (workspace_id, job_id) references execution_jobs (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  constraint execution_steps_of check (supervisor_run_id is not null or job_id is not null)
);
create index execution_steps_of_run on execution_steps (workspace_id, supervisor_run_id, id) where supervisor_run_id is not null;
create index execution_steps_of_job on execution_steps (workspace_id, job_id, id) where job_id is not null;

-- The queue. Local: it stays on one node. A worker takes only what is of its pools.
create table execution_queue (
  -- that of the job
  id uuid primary key,
  workspace_id uuid not null references workspaces (id),
  pool text not null,
  status processing_status not null default 'pending',
  attempts int not null default 0,
  max_attempts int not null default 1000,
  worker_deaths int not null default 0,
  next_attempt_at timestamptz not null default now(),
  last_error text,
  lease_owner uuid,
  lease_until timestamptz,
  finished_at timestamptz,
  rescues int not null default 0
);
create index execution_queue_due on execution_queue (workspace_id, pool, next_attempt_at, id) where status = 'pending';
create index execution_queue_homes on execution_queue (workspace_id) where status = 'pending';
create index execution_queue_leased on execution_queue (lease_until) where status = 'processing';
create index execution_queue_failed on execution_queue (workspace_id, id desc) where status = 'failed';
create index execution_queue_done on execution_queue (workspace_id, id desc) where status = 'completed';
create index execution_queue_finished on execution_queue (workspace_id, finished_at) where status = 'completed';
alter table execution_queue enable row level security;
alter table execution_queue force row level security;
create policy scope on execution_queue using (
  current_setting('app.system', true) = 'on'
  or (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and nullif(current_setting('app.client_id', true), '') is null)
);

-- All of it is the agency's, but for approvals that a rule gives to the client, whose jobs its people do not read.
alter table execution_engines enable row level security;
alter table execution_engines force row level security;
create policy scope on execution_engines using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table execution_targets enable row level security;
alter table execution_targets force row level security;
create policy scope on execution_targets using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table execution_circuits enable row level security;
alter table execution_circuits force row level security;
create policy scope on execution_circuits using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table execution_jobs enable row level security;
alter table execution_jobs force row level security;
create policy scope on execution_jobs using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table execution_attempts enable row level security;
alter table execution_attempts force row level security;
create policy scope on execution_attempts using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table execution_log_lines enable row level security;
alter table execution_log_lines force row level security;
create policy scope on execution_log_lines using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table execution_artefacts enable row level security;
alter table execution_artefacts force row level security;
create policy scope on execution_artefacts using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table execution_approvals enable row level security;
alter table execution_approvals force row level security;
create policy scope on execution_approvals using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or (for_client and client_id = nullif(current_setting('app.client_id', true), '')::uuid))
);
alter table execution_steps enable row level security;
alter table execution_steps force row level security;
create policy scope on execution_steps using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
