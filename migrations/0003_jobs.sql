-- Background work. A local table: it spans tenants, is claimed across them, and no tenant table points at it.
-- A job carries ids, never data: the worker opens the tenant's own transaction to do the work.

create type processing_status as enum ('pending', 'processing', 'completed', 'failed');

create table jobs (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id),
  kind text not null,
  payload jsonb not null,
  -- at most one unfinished job per key: enqueueing twice is safe
  dedupe_key text,
  status processing_status not null default 'pending',
  attempts int not null default 0,
  max_attempts int not null default 12,
  -- how often a worker died while it held the job; three deaths make it poison
  worker_deaths int not null default 0,
  run_at timestamptz not null default now(),
  lease_owner uuid,
  lease_until timestamptz,
  last_error text,
  created_at timestamptz not null default now(),
  finished_at timestamptz
);
create unique index jobs_one_unfinished on jobs (workspace_id, kind, dedupe_key) where status in ('pending', 'processing');
create index jobs_due on jobs (workspace_id, run_at, id) where status = 'pending';
create index jobs_leased on jobs (lease_until) where status = 'processing';
create index jobs_failed on jobs (workspace_id, id desc) where status = 'failed';
create index jobs_finished on jobs (finished_at) where status = 'completed';

alter table jobs enable row level security;
alter table jobs force row level security;
create policy scope on jobs using (
  current_setting('app.system', true) = 'on'
  or (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid)
);
